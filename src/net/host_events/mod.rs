//! What happens to this host that makes a kept connection worth asking at once: changes of its network, and the end of
//! its suspension.

mod flood_limit;
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
mod netlink_message;
#[cfg(target_os = "linux")]
mod network_state;
#[cfg(not(target_os = "linux"))]
mod no_netlink;

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use self::flood_limit::FloodLimit;
#[cfg(target_os = "linux")]
use self::netlink::NetworkWatch;
#[cfg(not(target_os = "linux"))]
use self::no_netlink::NetworkWatch;
use super::suspended_time::SuspendedTime;
use super::time::{self, at};
use crate::domain::watch::host_event::HostEvent;

/// How often to check for the end of a suspension, which is reported up to this much late.
const SUSPENSION_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// The source of this host's events.
#[derive(Debug)]
pub struct HostEvents {
    network: Result<NetworkWatch, io::Error>,
    suspended: SuspendedTime,
    /// When to look for the end of a suspension; it stays when the future is dropped.
    next_check: Instant,
    limit: FloodLimit,
    /// Events that were not returned yet.
    pending: VecDeque<HostEvent>,
}

impl HostEvents {
    /// Starts watching. What was before is no event.
    pub async fn start() -> HostEvents {
        HostEvents::with_clock(NetworkWatch::start().await, time::suspended)
    }

    /// Watches for suspensions only; `suspended` returns the total time in suspension, as [`time::suspended`] does.
    pub fn of_suspension(suspended: fn() -> Duration) -> HostEvents {
        HostEvents::with_clock(Err(io::ErrorKind::Unsupported.into()), suspended)
    }

    fn with_clock(network: Result<NetworkWatch, io::Error>, suspended: fn() -> Duration) -> HostEvents {
        let suspended = SuspendedTime::since_now(suspended);
        let (next_check, limit) = (Instant::now() + SUSPENSION_CHECK_INTERVAL, FloodLimit::start());
        HostEvents { network, suspended, next_check, limit, pending: VecDeque::new() }
    }

    /// Why changes of the network are not reported, but only suspensions; `None`: they are.
    pub fn network_error(&self) -> Option<&io::Error> {
        self.network.as_ref().err()
    }

    /// The next event. Nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> HostEvent {
        loop {
            if let Some(event) = self.pending.pop_front().or_else(|| self.limit.take_suppressed()) {
                return event;
            }
            tokio::select! {
                biased;
                () = sleep_until(self.next_check) => {
                    self.next_check = Instant::now() + SUSPENSION_CHECK_INTERVAL;
                }
                events = network_events(&mut self.network) => self.queue(events),
                () = at(self.limit.next_report()) => {}
            }
            if let Some(slept) = self.suspended.take() {
                return HostEvent::Resumed { slept };
            }
        }
    }

    fn queue(&mut self, events: io::Result<Vec<HostEvent>>) {
        match events {
            Ok(events) => {
                self.pending.extend(events.into_iter().filter(|_| self.limit.admits(Instant::now())))
            }
            Err(error) => self.network = Err(error),
        }
    }
}

async fn network_events(network: &mut Result<NetworkWatch, io::Error>) -> io::Result<Vec<HostEvent>> {
    match network {
        Ok(network) => network.next().await,
        Err(_) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    thread_local! {
        static SUSPENDED: Cell<u64> = const { Cell::new(5) };
    }

    fn suspended() -> Duration {
        Duration::from_secs(SUSPENDED.get())
    }

    #[tokio::test(start_paused = true)]
    async fn suspension_is_reported_once_and_soon() {
        let mut events = HostEvents::of_suspension(suspended);
        let quiet = tokio::time::timeout(Duration::from_secs(3600), events.next()).await;
        assert!(quiet.is_err(), "time alone, as of a stopped process, is no suspension");
        SUSPENDED.set(65);
        let began = Instant::now();
        assert_eq!(events.next().await, HostEvent::Resumed { slept: Duration::from_secs(60) });
        assert!(began.elapsed() <= SUSPENSION_CHECK_INTERVAL);
        assert!(tokio::time::timeout(Duration::from_secs(3600), events.next()).await.is_err());
        assert!(events.network_error().is_some());
    }

    /// As in a watch whose connections have events all the time.
    #[tokio::test(start_paused = true)]
    async fn suspension_is_noticed_by_a_caller_that_is_busy() {
        let mut events = HostEvents::of_suspension(suspended);
        SUSPENDED.set(SUSPENDED.get() + 60);
        let began = Instant::now();
        while tokio::time::timeout(Duration::from_millis(1), events.next()).await.is_err() {
            assert!(began.elapsed() <= 2 * SUSPENSION_CHECK_INTERVAL);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn flood_is_listed_in_part_and_counted() {
        let mut events = HostEvents::of_suspension(|| Duration::ZERO);
        let change = HostEvent::NetworkChanged { changes: None };
        events.queue(Ok(vec![change.clone(); 5000]));
        let mut listed = 0;
        let began = Instant::now();
        let counted = loop {
            match events.next().await {
                HostEvent::NetworkChanged { changes: Some(number) } => break number,
                event => assert_eq!(event, change),
            }
            listed += 1;
        };
        assert_eq!((listed, listed + counted), (u64::from(flood_limit::MAX_BURST), 5000));
        assert_eq!(began.elapsed(), flood_limit::MIN_MEAN_INTERVAL);
    }
}
