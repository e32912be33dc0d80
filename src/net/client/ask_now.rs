//! A request that the next heartbeat leave at once: something happened that may have ended the connection without a word.

use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

/// Wakes the one task that waits for it. A request is kept until the task takes it, and several become one.
#[derive(Debug, Default)]
pub struct AskNow {
    is_asked: AtomicBool,
    waker: AtomicWaker,
}

impl AskNow {
    /// Asks the task to send a heartbeat, or to try to open its connection, at once.
    pub fn ask(&self) {
        self.is_asked.store(true, Ordering::Release);
        self.waker.wake();
    }

    /// Takes the request, if there is one. It keeps no state of its own, since each of thousands of connections would have it.
    pub fn poll_asked(&self, context: &mut Context<'_>) -> Poll<()> {
        self.waker.register(context.waker());
        if self.is_asked.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits for a request; without an `AskNow` there is never one.
    pub async fn asked(ask: Option<&AskNow>) {
        std::future::poll_fn(|context| ask.map_or(Poll::Pending, |ask| ask.poll_asked(context))).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn request_is_kept_and_taken_once() {
        let ask = AskNow::default();
        assert_eq!(AskNow::asked(Some(&ask)).now_or_never(), None);
        ask.ask();
        ask.ask();
        assert_eq!(AskNow::asked(Some(&ask)).now_or_never(), Some(()));
        assert_eq!(AskNow::asked(Some(&ask)).now_or_never(), None, "several requests are one");
        assert_eq!(AskNow::asked(None).now_or_never(), None);
    }

    #[tokio::test]
    async fn waiting_task_is_woken() {
        let ask = std::sync::Arc::new(AskNow::default());
        let waiting = std::sync::Arc::clone(&ask);
        let task = tokio::spawn(async move { AskNow::asked(Some(&waiting)).await });
        tokio::task::yield_now().await;
        ask.ask();
        task.await.unwrap();
    }
}
