//! One timer queue for all clients: ten thousand of them use one timer of the runtime.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

/// Maximum delay: the queue rejects times more than two years ahead. A longer wait fires early.
const MAX_TIMER_DELAY: Duration = Duration::from_secs(365 * 24 * 3600);

/// The queue. Its resolution is one millisecond, rounded up.
#[derive(Default)]
pub struct TimerQueue {
    queue: Mutex<DelayQueue<Arc<QueuedTimer>>>,
}

#[derive(Default)]
struct QueuedTimer {
    notify: Notify,
    /// The entry in the queue and its time, if any; accessed only under the queue's lock.
    entry: Mutex<Option<(Key, Instant)>>,
}

impl TimerQueue {
    /// Runs the queue and fires due timers. Never returns; drop it to stop.
    pub async fn run(&self) {
        poll_fn(|cx| {
            let mut queue = lock(&self.queue);
            while let Poll::Ready(Some(due)) = queue.poll_expired(cx) {
                *lock(&due.get_ref().entry) = None;
                due.get_ref().notify.notify_one();
            }
            Poll::<()>::Pending
        })
        .await;
    }

    /// Number of queued timers.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        lock(&self.queue).len()
    }
}

/// One client's timer. Dropping it removes it from the queue.
pub struct ClientTimer {
    timers: Arc<TimerQueue>,
    timer: Arc<QueuedTimer>,
}

impl ClientTimer {
    pub fn new(timers: Arc<TimerQueue>) -> ClientTimer {
        ClientTimer { timers, timer: Arc::default() }
    }

    /// Fires no later than `due`. An earlier time that was set before stays and fires for nothing: a deadline that
    /// moves with every frame then need not update the queue each time.
    pub fn set(&self, due: Option<Instant>) {
        let Some(due) = due.map(|due| due.min(Instant::now() + MAX_TIMER_DELAY)) else { return };
        let mut entry = lock(&self.timer.entry);
        if matches!(*entry, Some((_, set)) if set <= due) {
            return;
        }
        drop(entry);
        let mut queue = lock(&self.timers.queue);
        entry = lock(&self.timer.entry);
        match &mut *entry {
            Some((key, set)) => {
                queue.reset_at(key, due);
                *set = due;
            }
            empty => *empty = Some((queue.insert_at(Arc::clone(&self.timer), due), due)),
        }
    }

    /// Waits until it fires; returns at once if it has fired since the last call.
    pub async fn fired(&self) {
        self.timer.notify.notified().await;
    }
}

impl Drop for ClientTimer {
    fn drop(&mut self) {
        let mut queue = lock(&self.timers.queue);
        if let Some((key, _)) = lock(&self.timer.entry).take() {
            queue.try_remove(&key);
        }
        // Frees the capacity that thousands of clients needed.
        if queue.is_empty() {
            queue.shrink_to_fit();
        }
    }
}

/// Locks a mutex; its users cannot panic while holding it, so its data is always valid.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    fn turning() -> Arc<TimerQueue> {
        let queue = Arc::new(TimerQueue::default());
        let turned = Arc::clone(&queue);
        tokio::spawn(async move { turned.run().await });
        queue
    }

    #[tokio::test(start_paused = true)]
    async fn timer_fires_on_time() {
        let queue = turning();
        let timer = ClientTimer::new(Arc::clone(&queue));
        let start = Instant::now();
        timer.set(Some(start + ms(500)));
        timer.fired().await;
        assert_eq!(start.elapsed(), ms(500));
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn earlier_time_wins() {
        let timer = ClientTimer::new(turning());
        let start = Instant::now();
        timer.set(Some(start + ms(500)));
        timer.set(Some(start + ms(20)));
        timer.set(Some(start + ms(300)));
        timer.fired().await;
        assert_eq!(start.elapsed(), ms(20));
        timer.set(Some(start + ms(300)));
        timer.fired().await;
        assert_eq!(start.elapsed(), ms(300));
    }

    #[tokio::test(start_paused = true)]
    async fn dropped_timer_leaves_the_queue() {
        let queue = turning();
        let timer = ClientTimer::new(Arc::clone(&queue));
        timer.set(Some(Instant::now() + ms(500)));
        assert_eq!(queue.waiting(), 1);
        drop(timer);
        assert_eq!(queue.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn time_beyond_the_maximum_is_clamped() {
        let timer = ClientTimer::new(turning());
        timer.set(Some(Instant::now() + ms(1000) * 3600 * 24 * 365 * 20));
        timer.set(Some(Instant::now() + ms(1)));
        timer.fired().await;
    }
}
