//! Connections of a search: each a task of its own that carries out the search's orders and tells what it sees.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::plan::IdlePlan;
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::phase::PhaseTimes;
use crate::domain::idle::{Observation, ProbeEvent, ProbeId, ProbeRole, VisibleEnd};
use crate::net::client::idle_probe::ask_after_idle::{self, IdleProbePlan};
use crate::net::client::idle_probe::keepalive::{self, KeepalivePlan, KeepaliveResult, KeepaliveTraffic};
use crate::net::client::idle_probe::{TWO_ENDED, send_close};
use crate::net::client::preamble::{add_context, run_preamble};
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial;
use crate::net::transport::stream::Stream;

/// The path may have seen the response to the upgrade so much earlier than we, at most.
const MAX_SLACK: Duration = Duration::from_millis(250);

/// What a connection tells.
#[derive(Debug)]
pub enum ProbeTaskEvent {
    Opened(Arc<ConnectInfo>),
    OpenFailed(Arc<ConnectError>),
    Seen(ProbeEvent),
}

/// Which connection tells it, and when.
pub type ProbeTaskMessage = (ProbeId, Instant, ProbeTaskEvent);

/// What all connections of a search share.
pub struct SharedSearch {
    pub plan: IdlePlan,
    pub words: mpsc::UnboundedSender<ProbeTaskMessage>,
    /// Bounds how many are open at once, those that say goodbye included.
    pub places: Semaphore,
}

/// One connection to be.
pub struct ProbeTask {
    pub probe: ProbeId,
    pub role: ProbeRole,
    /// After which idle span it is asked; `None`: when it is told.
    pub span: watch::Receiver<Option<Duration>>,
    pub cancel: CancellationToken,
    pub shared: Arc<SharedSearch>,
}

/// An open connection that was greeted.
pub struct EstablishedProbe {
    pub socket: WebSocket<Stream>,
    pub facts: ConnectInfo,
}

impl EstablishedProbe {
    /// By how much earlier than we the path may have seen the last byte: a round trip, of which opening TCP is one. How
    /// long the server took for its response does not matter, unless a proxy hides the rest of the path.
    pub fn slack(&self) -> Duration {
        round_trip(&self.facts.phases).min(MAX_SLACK)
    }

    /// When the last byte of the opening passed: the end of the response to the upgrade, or of the greeting. From
    /// then on it is silent, and of that age.
    fn opened_at(&self) -> Instant {
        let tap_state = self.socket.tap_state();
        tap_state.last_read().max(tap_state.last_write()).unwrap_or_else(Instant::now)
    }

    /// Whether the server agreed to speak first.
    pub fn agreed(&self) -> bool {
        self.facts.subprotocol.as_ref().is_some_and(|chosen| chosen.as_str() == TWO_ENDED)
    }
}

/// A round trip at most, as the opening shows it.
fn round_trip(phases: &PhaseTimes) -> Duration {
    let upgrade = phases.upgrade.unwrap_or_default();
    phases.tcp.filter(|_| phases.proxy.is_none()).map_or(upgrade, |tcp| tcp.min(upgrade))
}

/// Opens and greets one connection.
pub async fn open(plan: &IdlePlan) -> Result<EstablishedProbe, ConnectError> {
    let dial::Open { stream, leftover, tap_state, facts } = dial::open(&plan.dial, &plan.target).await?;
    let most = plan.greeting.largest().max(plan.ask.as_str().len()).max(256);
    let mut socket = WebSocket::new(stream, leftover, tap_state, plan.max_message_size, most).await;
    run_preamble(&mut socket, &plan.greeting, &plan.target, &|_| {})
        .await
        .map_err(|why| add_context(why, &facts))?;
    Ok(EstablishedProbe { socket, facts })
}

impl ProbeTask {
    /// Opens the connection and does what its role is, until it is over or cancelled.
    pub async fn run(self) {
        let ProbeTask { probe, role, mut span, cancel, shared } = self;
        let words = shared.words.clone();
        // Nobody reads any more when the search is over.
        let tell = move |at: Instant, told: ProbeTaskEvent| drop(words.send((probe, at, told)));
        let delay = match role {
            ProbeRole::Watcher | ProbeRole::Trial => probe.opening_delay(&shared.plan.search),
            ProbeRole::Control | ProbeRole::SecondControl => Duration::ZERO,
        };
        let opening = async {
            sleep(delay).await;
            let place = shared.places.acquire().await;
            (place, open(&shared.plan).await)
        };
        let (_place, opened) = tokio::select! {
            biased;
            () = cancel.cancelled() => return,
            opened = opening => opened,
        };
        let mut ready = match opened {
            Err(error) => return tell(Instant::now(), ProbeTaskEvent::OpenFailed(Arc::new(error))),
            Ok(ready) => ready,
        };
        tell(ready.opened_at(), ProbeTaskEvent::Opened(Arc::new(ready.facts.clone())));
        tokio::select! {
            biased;
            () = cancel.cancelled() => {}
            () = play(&mut ready, role, &mut span, &shared.plan, &tell) => {}
        }
        send_close(&mut ready.socket).await;
    }
}

async fn play(
    ready: &mut EstablishedProbe,
    role: ProbeRole,
    span: &mut watch::Receiver<Option<Duration>>,
    plan: &IdlePlan,
    tell: &(dyn Fn(Instant, ProbeTaskEvent) + Send + Sync),
) {
    let question = plan.question(plan.search.kind);
    match role {
        ProbeRole::Watcher | ProbeRole::Trial => {
            let two_ended = plan.search.two_ended && ready.agreed();
            let silence = IdleProbePlan { question: &question, slack: ready.slack(), two_ended };
            let mut emit = |at, seen| tell(at, ProbeTaskEvent::Seen(seen));
            ask_after_idle::run(&mut ready.socket, &silence, span, &mut emit).await;
        }
        ProbeRole::Control | ProbeRole::SecondControl => {
            let every = plan.search.control_interval;
            let traffic = match role {
                ProbeRole::SecondControl => KeepaliveTraffic::Both,
                ProbeRole::Control | ProbeRole::Watcher | ProbeRole::Trial => KeepaliveTraffic::Questions,
            };
            let keeping = KeepalivePlan { question: &question, traffic, every, until: None };
            let mut beat = |at| tell(at, ProbeTaskEvent::Seen(ProbeEvent::Beat));
            let kept = keepalive::run(&mut ready.socket, keeping, &mut beat).await;
            tell(Instant::now(), ProbeTaskEvent::Seen(control_end(kept)));
        }
    }
}

fn control_end(kept: KeepaliveResult) -> ProbeEvent {
    match kept {
        KeepaliveResult::Ended { cut, unanswered, .. } => {
            ProbeEvent::Ended { idle: unanswered, cut: cut.how.into() }
        }
        KeepaliveResult::Unanswered { silent } => {
            ProbeEvent::Ended { idle: silent, cut: CloseKind::Timeout.into() }
        }
        KeepaliveResult::Answered => {
            ProbeEvent::Ended { idle: Duration::ZERO, cut: VisibleEnd::from(CloseKind::Silent) }
        }
    }
}

/// What a connection told, as the search takes it; times count from `start`.
pub fn observation(probe: ProbeId, at: Instant, told: &ProbeTaskEvent, start: Instant) -> Observation {
    let seen = match told {
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
    fn slow_upgrade_is_no_round_trip() {
        let ms = |millis| Some(Duration::from_millis(millis));
        let phases = |tcp, proxy, upgrade| PhaseTimes { tcp, proxy, upgrade, ..PhaseTimes::default() };
        assert_eq!(round_trip(&phases(ms(3), None, ms(1500))), Duration::from_millis(3));
        assert_eq!(round_trip(&phases(ms(40), None, ms(2))), Duration::from_millis(2));
        assert_eq!(round_trip(&phases(ms(1), ms(80), ms(90))), Duration::from_millis(90), "behind a proxy");
        assert_eq!(round_trip(&phases(None, None, ms(90))), Duration::from_millis(90), "no TCP");
    }
}
