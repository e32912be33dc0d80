//! Tells systemd how this service does: ready, reloading, stopping, and alive (sd_notify(3)).
//!
//! `sd-notify` writes the messages; it is small, needs nothing but libc, and is maintained. Without `NOTIFY_SOCKET` in the
//! environment nothing is sent.

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// The service has started, or its configuration was read again.
pub fn ready() {
    send(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] must follow, also if it had a mistake.
pub fn reloading() {
    // systemd needs the time to tell this reload from an earlier one (systemd.service(5), `notify-reload`).
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        send(&[NotifyState::Reloading, now]);
    }
}

/// Runs `work`. Says meanwhile that this process is alive, from the thread that does the work, so that a thread that hangs is
/// noticed; and that the service is stopping, once `stop` is cancelled.
pub async fn during<T>(work: impl Future<Output = T>, stop: CancellationToken) -> T {
    let stopping = async {
        stop.cancelled().await;
        send(&[NotifyState::Stopping]);
        std::future::pending().await
    };
    tokio::select! {
        // The work may end in the same turn.
        biased;
        never = stopping => never,
        done = work => done,
        never = keep_alive() => never,
    }
}

/// Twice in the time that the service manager allows, if it watches.
async fn keep_alive<T>() -> T {
    let half = sd_notify::watchdog_enabled().map(|watchdog| watchdog / 2).filter(|half| !half.is_zero());
    let Some(half) = half else { return std::future::pending().await };
    let mut ticks = interval(half);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        send(&[NotifyState::Watchdog]);
    }
}

fn send(states: &[NotifyState<'_>]) {
    // A service manager that is gone needs no word.
    let _ = sd_notify::notify(states);
}
