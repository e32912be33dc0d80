//! A thread of its own for what may block, such as printing: a stuck pipe must not look like jitter,
//! and a reader that has stopped must not cost memory without end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use tokio_util::sync::CancellationToken;

/// What may wait for the thread; beyond that, what can be spared is dropped and counted.
const MAX_QUEUED_EVENTS: usize = 100_000;

/// The end that hands over.
#[derive(Debug)]
pub struct PrintQueue<T> {
    queue: Sender<T>,
    shared: Arc<QueueState>,
    dropped: u64,
}

/// The thread's end: gives what was handed over, in order, until the other end is gone.
#[derive(Debug)]
pub struct PrintQueueReceiver<T> {
    queue: Receiver<T>,
    shared: Arc<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    waiting: AtomicUsize,
    closed: CancellationToken,
}

impl<T: Send + 'static> PrintQueue<T> {
    /// Runs `work` on its own thread.
    pub fn start<R: Send + 'static>(
        work: impl FnOnce(PrintQueueReceiver<T>) -> R + Send + 'static,
    ) -> (PrintQueue<T>, JoinHandle<R>) {
        let (sender, receiver) = channel();
        let shared = Arc::new(QueueState::default());
        let queue = PrintQueueReceiver { queue: receiver, shared: Arc::clone(&shared) };
        (PrintQueue { queue: sender, shared, dropped: 0 }, std::thread::spawn(move || work(queue)))
    }

    /// Hands one over; it is dropped when it can be spared and too many wait already.
    pub fn offer(&mut self, item: T, can_be_spared: bool) {
        if can_be_spared && self.shared.waiting.load(Relaxed) >= MAX_QUEUED_EVENTS {
            self.dropped += 1;
            return;
        }
        self.shared.waiting.fetch_add(1, Relaxed);
        // The thread ends only after this end.
        let _ = self.queue.send(item);
    }

    /// Cancelled when the thread has no use for more.
    pub fn closed(&self) -> &CancellationToken {
        &self.shared.closed
    }

    /// How many were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<T> PrintQueueReceiver<T> {
    /// Says that there is no use for more.
    pub fn close(&self) {
        self.shared.closed.cancel();
    }

    /// The next one; `None` when the other end is gone.
    pub fn next(&self) -> Option<T> {
        let item = self.queue.recv().ok()?;
        self.shared.waiting.fetch_sub(1, Relaxed);
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_spared_is_dropped_when_nobody_takes_it() {
        let (hold, held) = channel::<()>();
        let (mut background, thread) = PrintQueue::start(move |queue: PrintQueueReceiver<u32>| {
            let _ = held.recv();
            std::iter::from_fn(|| queue.next()).count()
        });
        for item in 0..MAX_QUEUED_EVENTS as u32 + 5 {
            background.offer(item, true);
        }
        background.offer(0, false);
        assert_eq!(background.dropped(), 5);
        drop((background, hold));
        assert_eq!(thread.join().unwrap(), MAX_QUEUED_EVENTS + 1);
    }
}
