//! Clock helpers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, sleep_until};

/// How often both clocks are read until they are read without a pause between.
const MAX_CLOCK_READINGS: usize = 10;
/// The most that reading the clocks may take.
const MAX_READING_TIME: Duration = Duration::from_millis(50);

/// The clock that counts suspension, and the one that runs alike but for it (clock_gettime(2)).
#[cfg(target_os = "linux")]
const CLOCKS: Option<(ClockId, ClockId)> = Some((ClockId::CLOCK_BOOTTIME, ClockId::CLOCK_MONOTONIC));
#[cfg(target_os = "macos")]
const CLOCKS: Option<(ClockId, ClockId)> =
    Some((ClockId::from_raw(libc::CLOCK_MONOTONIC_RAW), ClockId::from_raw(libc::CLOCK_UPTIME_RAW)));
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
const CLOCKS: Option<(ClockId, ClockId)> = None;

/// Waits until the deadline; forever if there is none.
pub async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Total time this host was suspended since it booted. Zero if the system has no such clock.
///
/// The clocks are read anew if this process did not run between two readings: that would look like a suspension.
pub fn suspended() -> Duration {
    let Some((boot, monotonic)) = CLOCKS else { return Duration::ZERO };
    let read = |id| clock_gettime(id).map(Duration::from).unwrap_or_default();
    let mut suspended = Duration::ZERO;
    for _ in 0..MAX_CLOCK_READINGS {
        let before = read(monotonic);
        suspended = read(boot).saturating_sub(before);
        if read(monotonic).saturating_sub(before) < MAX_READING_TIME {
            break;
        }
    }
    suspended
}

/// Milliseconds since the Unix epoch, as app heartbeats carry them.
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
