//! One timer wheel for all clients: ten thousand of them cost one timer of the runtime.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::time::DelayQueue;
use tokio_util::time::delay_queue::Key;

/// The wheel refuses moments more than two years away; who waits longer is woken in between.
const MAX_TIMER_DELAY: Duration = Duration::from_secs(365 * 24 * 3600);

/// The wheel. Its moments are a millisecond apart, rounded up.
#[derive(Default)]
pub struct TimerQueue {
    queue: Mutex<DelayQueue<Arc<QueuedAlarm>>>,
}

#[derive(Default)]
struct QueuedAlarm {
    bell: Notify,
    /// The entry in the wheel while there is one, and its moment; touched only under the wheel's
    /// lock.
    entry: Mutex<Option<(Key, Instant)>>,
}

impl TimerQueue {
    /// Turns the wheel and rings who is due. Never returns; drop it to stop.
    pub async fn turn(&self) {
        poll_fn(|cx| {
            let mut queue = lock(&self.queue);
            while let Poll::Ready(Some(due)) = queue.poll_expired(cx) {
                *lock(&due.get_ref().entry) = None;
                due.get_ref().bell.notify_one();
            }
            Poll::<()>::Pending
        })
        .await;
    }

    /// How many timers wait.
    #[cfg(test)]
    fn waiting(&self) -> usize {
        lock(&self.queue).len()
    }
}

/// One client's place in the wheel. Dropping it takes it out.
pub struct ClientTimer {
    wheel: Arc<TimerQueue>,
    alarm: Arc<QueuedAlarm>,
}

impl ClientTimer {
    pub fn new(wheel: Arc<TimerQueue>) -> ClientTimer {
        ClientTimer { wheel, alarm: Arc::default() }
    }

    /// Rings no later than `due`. An earlier moment that was set before stays, and rings for
    /// nothing: who moves his deadline with every frame need not touch the wheel each time.
    pub fn ring_by(&self, due: Option<Instant>) {
        let Some(due) = due.map(|due| due.min(Instant::now() + MAX_TIMER_DELAY)) else { return };
        let mut entry = lock(&self.alarm.entry);
        if matches!(*entry, Some((_, set)) if set <= due) {
            return;
        }
        drop(entry);
        let mut queue = lock(&self.wheel.queue);
        entry = lock(&self.alarm.entry);
        match &mut *entry {
            Some((key, set)) => {
                queue.reset_at(key, due);
                *set = due;
            }
            empty => *empty = Some((queue.insert_at(Arc::clone(&self.alarm), due), due)),
        }
    }

    /// Resolves when it rings; also when it rang since the last call.
    pub async fn rung(&self) {
        self.alarm.bell.notified().await;
    }
}

impl Drop for ClientTimer {
    fn drop(&mut self) {
        let mut queue = lock(&self.wheel.queue);
        if let Some((key, _)) = lock(&self.alarm.entry).take() {
            queue.try_remove(&key);
        }
        // What thousands needed is given back when they are gone.
        if queue.is_empty() {
            queue.shrink_to_fit();
        }
    }
}

/// Nothing that holds these locks can panic midway; a poisoned one is as good as new.
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
        let wheel = Arc::new(TimerQueue::default());
        let turned = Arc::clone(&wheel);
        tokio::spawn(async move { turned.turn().await });
        wheel
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_rings_at_its_moment() {
        let wheel = turning();
        let timer = ClientTimer::new(Arc::clone(&wheel));
        let start = Instant::now();
        timer.ring_by(Some(start + ms(500)));
        timer.rung().await;
        assert_eq!(start.elapsed(), ms(500));
        assert_eq!(wheel.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_moment_wins() {
        let timer = ClientTimer::new(turning());
        let start = Instant::now();
        timer.ring_by(Some(start + ms(500)));
        timer.ring_by(Some(start + ms(20)));
        timer.ring_by(Some(start + ms(300)));
        timer.rung().await;
        assert_eq!(start.elapsed(), ms(20));
        timer.ring_by(Some(start + ms(300)));
        timer.rung().await;
        assert_eq!(start.elapsed(), ms(300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_timer_leaves_the_wheel() {
        let wheel = turning();
        let timer = ClientTimer::new(Arc::clone(&wheel));
        timer.ring_by(Some(Instant::now() + ms(500)));
        assert_eq!(wheel.waiting(), 1);
        drop(timer);
        assert_eq!(wheel.waiting(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_moment_beyond_the_wheel_is_clamped() {
        let timer = ClientTimer::new(turning());
        timer.ring_by(Some(Instant::now() + ms(1000) * 3600 * 24 * 365 * 20));
        timer.ring_by(Some(Instant::now() + ms(1)));
        timer.rung().await;
    }
}
