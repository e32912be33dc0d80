//! Clock helpers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

/// Waits until the deadline; forever if there is none.
pub async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Total time this host was suspended since it booted: CLOCK_BOOTTIME minus CLOCK_MONOTONIC, which does not count
/// suspension (clock_gettime(2)). Zero if the system has no such clock.
pub fn suspended() -> Duration {
    #[cfg(target_os = "linux")]
    {
        use nix::time::{ClockId, clock_gettime};
        let read = |id| clock_gettime(id).map(Duration::from).unwrap_or_default();
        let monotonic = read(ClockId::CLOCK_MONOTONIC);
        read(ClockId::CLOCK_BOOTTIME).saturating_sub(monotonic)
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

/// Milliseconds since the Unix epoch, as app heartbeats carry them.
pub fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
