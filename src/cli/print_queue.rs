//! A separate thread for output that may block: a stuck pipe must not look like jitter, and a stalled reader must not
//! cost unbounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Maximum number of queued events; beyond it, droppable ones are dropped and counted.
const MAX_QUEUED_EVENTS: usize = 100_000;

/// The sending end.
#[derive(Debug)]
pub struct PrintQueue<T> {
    queue: Sender<T>,
    shared: Arc<QueueState>,
    dropped: u64,
}

/// The thread's end: returns events in order until the sender is dropped.
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

    /// Queues an event; drops it if it is droppable and the queue is full.
    pub fn push(&mut self, item: T, is_droppable: bool) {
        if is_droppable && self.shared.waiting.load(Relaxed) >= MAX_QUEUED_EVENTS {
            self.dropped += 1;
            return;
        }
        self.shared.waiting.fetch_add(1, Relaxed);
        // The thread outlives the sender.
        let _ = self.queue.send(item);
    }

    /// Cancelled when the thread accepts no more events.
    pub fn closed(&self) -> &CancellationToken {
        &self.shared.closed
    }

    /// Number of dropped events.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl<T> PrintQueueReceiver<T> {
    /// Refuses further events.
    pub fn close(&self) {
        self.shared.closed.cancel();
    }

    /// The next event, waiting for it at most so long.
    pub fn next_within(&self, limit: Duration) -> Result<T, RecvTimeoutError> {
        let item = self.queue.recv_timeout(limit)?;
        self.shared.waiting.fetch_sub(1, Relaxed);
        Ok(item)
    }

    /// The next event; `None` when the sender is gone.
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
    fn droppable_events_are_dropped_when_full() {
        let (hold, held) = channel::<()>();
        let (mut background, thread) = PrintQueue::start(move |queue: PrintQueueReceiver<u32>| {
            let _ = held.recv();
            std::iter::from_fn(|| queue.next()).count()
        });
        for item in 0..MAX_QUEUED_EVENTS as u32 + 5 {
            background.push(item, true);
        }
        background.push(0, false);
        assert_eq!(background.dropped(), 5);
        drop((background, hold));
        assert_eq!(thread.join().unwrap(), MAX_QUEUED_EVENTS + 1);
    }
}
