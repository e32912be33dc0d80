//! The open connections, and which one makes room for another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A bounded number of connections.
pub(super) struct Slots {
    max: usize,
    open: Mutex<Vec<Arc<Activity>>>,
    freed: Notify,
}

impl Slots {
    pub(super) fn new(max: usize) -> Arc<Slots> {
        Arc::new(Slots { max, open: Mutex::default(), freed: Notify::new() })
    }

    /// Waits until another connection may open. If there is no room, the connection that has waited longest for a
    /// request is told to close.
    pub(super) async fn wait_for_room(&self) {
        loop {
            let freed = self.freed.notified();
            {
                let open = locked(&self.open);
                if open.len() < self.max {
                    return;
                }
                evict_one(&open);
            }
            freed.await;
        }
    }

    /// Takes a place, which its drop gives back.
    pub(super) fn take(self: &Arc<Slots>) -> Slot {
        let activity = Arc::new(Activity::default());
        locked(&self.open).push(Arc::clone(&activity));
        Slot { slots: Arc::clone(self), activity }
    }
}

/// Evicts the connection that has waited longest, unless one is being evicted.
fn evict_one(open: &[Arc<Activity>]) {
    if open.iter().any(|one| one.evict.is_cancelled()) {
        return;
    }
    let waiting = open.iter().filter_map(|one| Some((one.waiting_since()?, one)));
    if let Some((_, one)) = waiting.min_by_key(|(since, _)| *since) {
        one.evict.cancel();
    }
}

/// The place of one connection.
pub(super) struct Slot {
    slots: Arc<Slots>,
    pub(super) activity: Arc<Activity>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        locked(&self.slots.open).retain(|other| !Arc::ptr_eq(other, &self.activity));
        self.slots.freed.notify_waiters();
    }
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) struct Activity {
    phase: Mutex<RequestPhase>,
    evict: CancellationToken,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RequestPhase {
    /// Waits for the first byte of the next request.
    Idle { since: Instant },
    /// Reads a request's head. A new connection begins here.
    Head { since: Instant },
    /// Answers a request.
    Busy,
}

impl Default for Activity {
    fn default() -> Activity {
        let phase = Mutex::new(RequestPhase::Head { since: Instant::now() });
        Activity { phase, evict: CancellationToken::new() }
    }
}

impl Activity {
    /// Cancelled when the connection must make room.
    pub(super) fn evicted(&self) -> CancellationToken {
        self.evict.clone()
    }

    fn waiting_since(&self) -> Option<Instant> {
        match *locked(&self.phase) {
            RequestPhase::Idle { since } | RequestPhase::Head { since } => Some(since),
            RequestPhase::Busy => None,
        }
    }

    /// Since when a request's head is being read.
    pub(super) fn head_since(&self) -> Option<Instant> {
        match *locked(&self.phase) {
            RequestPhase::Head { since } => Some(since),
            RequestPhase::Idle { .. } | RequestPhase::Busy => None,
        }
    }

    /// Bytes came: if none of this request came before, its head begins.
    pub(super) fn begin_head(&self) {
        let mut phase = locked(&self.phase);
        if matches!(*phase, RequestPhase::Idle { .. }) {
            *phase = RequestPhase::Head { since: Instant::now() };
        }
    }

    /// A request is answered until the guard is dropped.
    pub(super) fn begin_request(self: &Arc<Activity>) -> BusyGuard {
        *locked(&self.phase) = RequestPhase::Busy;
        BusyGuard(Arc::clone(self))
    }
}

/// Keeps a connection busy.
#[derive(Debug)]
pub(super) struct BusyGuard(Arc<Activity>);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        *locked(&self.0.phase) = RequestPhase::Idle { since: Instant::now() };
    }
}

/// The data of a lock. A panic while it was held leaves these data consistent.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
