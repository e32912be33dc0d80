//! The task of one connection in a search: executes orders and reports what it sees.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::plan::IdlePlan;
use crate::commands::connect::{self, Connected};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::phase::PhaseTimes;
use crate::domain::idle::{Observation, ProbeEvent, ProbeId, ProbeRole};
use crate::net::client::closing::close_briefly;
use crate::net::client::idle_probe::TWO_ENDED;
use crate::net::client::idle_probe::ask_after_idle::{self, IdleProbePlan};
use crate::net::client::idle_probe::keepalive::{self, KeepalivePlan, KeepaliveResult, KeepaliveTraffic};
use crate::net::client::websocket::WebSocket;
use crate::net::transport::stream::Stream;

/// Upper bound of the slack: how much earlier than we the path may have seen the last byte.
const MAX_SLACK: Duration = Duration::from_millis(250);

/// An event of a connection.
#[derive(Debug)]
pub enum ProbeTaskEvent {
    Opened(Arc<ConnectInfo>),
    OpenFailed(Arc<ConnectError>),
    Seen(ProbeEvent),
}

/// The connection, the time, and the event.
pub type ProbeTaskMessage = (ProbeId, Instant, ProbeTaskEvent);

/// State shared by all connections of a search.
pub struct SharedSearch {
    pub plan: IdlePlan,
    pub events: mpsc::UnboundedSender<ProbeTaskMessage>,
    /// Bounds the number of open connections, including those that are closing.
    pub slots: Semaphore,
}

/// One connection of a search.
pub struct ProbeTask {
    pub probe: ProbeId,
    pub role: ProbeRole,
    /// The idle span after which to ask; `None` until it is ordered.
    pub span: watch::Receiver<Option<Duration>>,
    pub cancel: CancellationToken,
    pub shared: Arc<SharedSearch>,
}

/// How much earlier than we the path may have seen the last byte: one round trip. The TCP handshake takes one. The
/// server's response time does not matter, unless a proxy hides the rest of the path.
pub fn slack(info: &ConnectInfo) -> Duration {
    round_trip(&info.phases).min(MAX_SLACK)
}

/// Whether the server chose the two-ended subprotocol.
pub fn chose_two_ended(info: &ConnectInfo) -> bool {
    info.subprotocol.as_ref().is_some_and(|chosen| chosen.as_str() == TWO_ENDED)
}

/// Time of the last byte of the opening: the end of the upgrade response or of the preamble. Idle time and age count
/// from here.
fn opened_at(socket: &WebSocket<Stream>) -> Instant {
    let tap_state = socket.tap_state();
    tap_state.last_read().max(tap_state.last_write()).unwrap_or_else(Instant::now)
}

/// An upper bound of the round trip time, from the opening's phases.
fn round_trip(phases: &PhaseTimes) -> Duration {
    let upgrade = phases.upgrade.unwrap_or_default();
    phases.tcp.filter(|_| phases.proxy.is_none()).map_or(upgrade, |tcp| tcp.min(upgrade))
}

/// Opens a connection and runs its preamble.
pub async fn open(plan: &IdlePlan) -> Result<Connected, ConnectError> {
    let largest_request = plan.connect.preamble.largest().max(plan.ask.as_str().len()).max(256);
    connect::open(&plan.connect, largest_request).await
}

impl ProbeTask {
    /// Opens the connection and acts by its role until it ends or is cancelled.
    pub async fn run(self) {
        let ProbeTask { probe, role, mut span, cancel, shared } = self;
        let events = shared.events.clone();
        // After the search nobody receives events.
        let report = move |at: Instant, event: ProbeTaskEvent| drop(events.send((probe, at, event)));
        let delay = match role {
            ProbeRole::Watcher | ProbeRole::Trial => probe.opening_delay(&shared.plan.search),
            ProbeRole::Control | ProbeRole::SecondControl => Duration::ZERO,
        };
        let opening = async {
            sleep(delay).await;
            let slot = shared.slots.acquire().await;
            (slot, open(&shared.plan).await)
        };
        let Some((_slot, opened)) = cancel.run_until_cancelled(opening).await else { return };
        let mut established = match opened {
            Err(error) => return report(Instant::now(), ProbeTaskEvent::OpenFailed(Arc::new(error))),
            Ok(established) => established,
        };
        report(opened_at(&established.socket), ProbeTaskEvent::Opened(Arc::new(established.info.clone())));
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = act_by_role(&mut established, role, &mut span, &shared.plan, &report) => {}
        }
        close_briefly(&mut established.socket).await;
    }
}

async fn act_by_role(
    established: &mut Connected,
    role: ProbeRole,
    span: &mut watch::Receiver<Option<Duration>>,
    plan: &IdlePlan,
    report: &(dyn Fn(Instant, ProbeTaskEvent) + Send + Sync),
) {
    let question = plan.question(plan.search.kind);
    match role {
        ProbeRole::Watcher | ProbeRole::Trial => {
            let two_ended = plan.search.two_ended && chose_two_ended(&established.info);
            let idle_plan = IdleProbePlan { question: &question, slack: slack(&established.info), two_ended };
            let mut emit = |at, seen| report(at, ProbeTaskEvent::Seen(seen));
            ask_after_idle::run(&mut established.socket, &idle_plan, span, &mut emit).await;
        }
        ProbeRole::Control | ProbeRole::SecondControl => {
            let every = plan.search.control_interval;
            let is_second = role == ProbeRole::SecondControl;
            let traffic = if is_second { KeepaliveTraffic::Both } else { KeepaliveTraffic::Questions };
            let keepalive_plan = KeepalivePlan { question: &question, traffic, every, until: None };
            let mut beat = |at| report(at, ProbeTaskEvent::Seen(ProbeEvent::Beat));
            let result = keepalive::run(&mut established.socket, keepalive_plan, &mut beat).await;
            report(Instant::now(), ProbeTaskEvent::Seen(control_end(result)));
        }
    }
}

fn control_end(result: KeepaliveResult) -> ProbeEvent {
    let (idle, how) = match result {
        KeepaliveResult::HeldBack { window } => return ProbeEvent::HeldBack { window },
        KeepaliveResult::Ended { disconnect, unanswered, .. } => (unanswered, disconnect.how),
        KeepaliveResult::Unanswered { silent } => (silent, CloseKind::Timeout),
        KeepaliveResult::Answered => (Duration::ZERO, CloseKind::Silent),
    };
    ProbeEvent::Ended { idle, visible_end: how.into() }
}

/// Converts an event for the search; times count from `start`.
pub fn observation(probe: ProbeId, at: Instant, event: &ProbeTaskEvent, start: Instant) -> Observation {
    let seen = match event {
        ProbeTaskEvent::Opened(_) => ProbeEvent::Opened,
        ProbeTaskEvent::OpenFailed(error) => {
            ProbeEvent::OpenFailed { why: format!("{}: {}", error.phase, error.cause) }
        }
        ProbeTaskEvent::Seen(seen) => seen.clone(),
    };
    Observation { probe, at: at.saturating_duration_since(start), seen }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_upgrade_is_not_a_round_trip() {
        let ms = |millis| Some(Duration::from_millis(millis));
        let phases = |tcp, proxy, upgrade| PhaseTimes { tcp, proxy, upgrade, ..PhaseTimes::default() };
        assert_eq!(round_trip(&phases(ms(3), None, ms(1500))), Duration::from_millis(3));
        assert_eq!(round_trip(&phases(ms(40), None, ms(2))), Duration::from_millis(2));
        assert_eq!(round_trip(&phases(ms(1), ms(80), ms(90))), Duration::from_millis(90), "behind a proxy");
        assert_eq!(round_trip(&phases(None, None, ms(90))), Duration::from_millis(90), "no TCP");
    }
}
