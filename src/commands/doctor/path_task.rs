//! The checks of one path: first one at a time, then side by side.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::opening;
use super::plan::{DoctorPlan, MeasurementLimits, Measurements, PathPlan};
use crate::commands::connect::open;
use crate::commands::run_control::RunControl;
use crate::commands::{listen, ping, probe_idle, probe_zombie};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::doctor::evidence::{FragmentsOutcome, PathEvidence};
use crate::domain::doctor::report::DoctorEvent;
use crate::domain::doctor::{Check, CheckResult, Conditions, examine};
use crate::domain::idle::report::IdleReport;
use crate::domain::listen::report::{ListenEvent, ListenReport};
use crate::domain::ping::event::{ConnEvent, Event as PingEvent};
use crate::domain::ping::report::PingReport;
use crate::domain::presets::PresetDetection;
use crate::domain::run::reporter::Reporter;
use crate::domain::zombie::report::ZombieReport;
use crate::net::batch_sleep::BatchSleep;
use crate::net::client::fragments::ping_between_fragments;
use crate::net::client::idle_probe::send_close;

/// How long a Pong between fragments may take.
const FRAGMENTS_WAIT: Duration = Duration::from_secs(3);
/// Measurements end this long before the run, for their closing handshakes.
const TIME_TO_CLOSE: Duration = Duration::from_millis(1500);
/// How long a path beside the URL itself is asked for its RTT.
const BESIDE_PING: Duration = Duration::from_secs(2);
/// The shortest time of a measurement.
const LEAST_TIME: Duration = Duration::from_secs(2);

/// What is said while a path is examined.
#[derive(Debug)]
pub enum PathMessage {
    Event(Box<DoctorEvent>),
    /// A measurement began or ended.
    Running(&'static str, bool),
}

/// The end of one measurement.
enum Measured {
    Ping(Box<PingReport>),
    Listen(Box<ListenReport>),
    Idle(Box<IdleReport>),
    Zombie(Box<ZombieReport>),
    Fragments(FragmentsOutcome),
    Nothing,
}

type Measuring = Pin<Box<dyn Future<Output = Measured>>>;

/// One path among the others.
pub struct PathTask<'a> {
    pub plan: &'a DoctorPlan,
    pub index: usize,
    pub path: PathPlan,
    pub says: mpsc::UnboundedSender<PathMessage>,
    /// The end of the run, by its time or by the user.
    pub stop: CancellationToken,
    /// The user ended the run.
    pub interrupt: CancellationToken,
    pub ends_at: Instant,
    pub idle_connections: usize,
}

impl PathTask<'_> {
    /// Examines the path; what was measured until `stop` counts.
    pub async fn run(mut self) -> (usize, PathEvidence) {
        let mut evidence = PathEvidence::default();
        let stop = self.stop.clone();
        let opened = stop.run_until_cancelled(self.open(&mut evidence)).await;
        if opened == Some(true) {
            self.measure(&mut evidence).await;
        }
        (self.index, evidence)
    }

    /// Whether the rest can be measured.
    async fn open(&mut self, evidence: &mut PathEvidence) -> bool {
        let plan = self.plan;
        opening::survey(&self.path.dial, &plan.target, evidence).await;
        self.show(evidence, &[Check::Resolve, Check::Tcp, Check::Proxy]);
        if !evidence.is_reached() && evidence.proxy.is_none() {
            return false;
        }
        if plan.selection.has_any(&[Check::Tls, Check::Certificate]) {
            opening::tls(&self.path.dial, &plan.target, evidence).await;
            self.show(evidence, &[Check::Tls, Check::Certificate]);
        }
        if !plan.selection.has_any(&AFTER_TLS) {
            return false;
        }
        opening::upgrade(&mut self.path.dial, plan, evidence).await;
        self.show(evidence, &[Check::Upgrade, Check::Origin, Check::Subprotocol]);
        if !evidence.is_open() || !self.measures() {
            return false;
        }
        evidence.convention = match &plan.named_preset {
            Some(named) => Some(named.clone()),
            None => opening::convention(&self.path.dial, plan, evidence).await,
        };
        self.show(evidence, &[Check::Convention]);
        true
    }

    /// Whether a check is wanted that needs more than the upgrade.
    fn measures(&self) -> bool {
        let others = [Check::Convention, Check::Fragments, Check::DeadClients];
        [&others[..], &OF_PING, &OF_LISTEN, &OF_IDLE].iter().any(|checks| self.plan.selection.has_any(checks))
    }

    /// Reports what these checks found.
    fn show(&self, evidence: &PathEvidence, checks: &[Check]) {
        let conditions = Conditions {
            selection: &self.plan.selection,
            depth: self.plan.info.depth,
            has_hops: self.plan.paths.len() > 1,
            interrupted: self.interrupt.is_cancelled(),
        };
        let found = examine(evidence, conditions).into_iter();
        for result in found.filter(|result: &CheckResult| checks.contains(&result.check)) {
            let event = DoctorEvent::Checked { at: SystemTime::now(), path: self.index, result };
            self.say(PathMessage::Event(Box::new(event)));
        }
    }

    fn say(&self, message: PathMessage) {
        // The receiver lives as long as the paths.
        let _ = self.says.send(message);
    }

    async fn measure(&mut self, evidence: &mut PathEvidence) {
        let Some(measurements) = self.measurements(evidence) else { return };
        let mut running: FuturesUnordered<Measuring> = self.start(measurements).into_iter().collect();
        while let Some(measured) = running.next().await {
            let checks = record(evidence, measured);
            // What was refused beside another connection is tried again.
            if refused_beside(evidence).is_none() {
                self.show(evidence, checks);
            }
        }
        if self.is_other_convention(evidence) {
            let why = "what looked like a known one did not send its greeting".to_string();
            evidence.convention = Some(PresetDetection { preset: None, evidence: vec![why] });
            return Box::pin(self.measure(evidence)).await;
        }
        if let Some(error) = refused_beside(evidence) {
            evidence.further_refused = Some(error);
            self.measure_in_turns(evidence).await;
        }
    }

    /// Whether the greeting of the convention that was detected did not come.
    fn is_other_convention(&self, evidence: &PathEvidence) -> bool {
        let [ping, _, _] = unopened(evidence);
        let is_detected = evidence.convention.as_ref().is_some_and(|detection| detection.preset.is_some());
        is_detected
            && self.plan.named_preset.is_none()
            && ping.is_some_and(|error| error.phase == Phase::Await)
    }

    /// The measurements for what was detected.
    fn measurements(&self, evidence: &PathEvidence) -> Option<Measurements> {
        let left = self.ends_at.saturating_duration_since(Instant::now()).saturating_sub(TIME_TO_CLOSE);
        let limits =
            MeasurementLimits { time: left.max(LEAST_TIME), idle_connections: self.idle_connections };
        let built = (self.plan.measurements)(&self.path.dial, evidence.convention.as_ref(), limits);
        // A preset that cannot be used is not: the connection is measured without it.
        built.or_else(|_| (self.plan.measurements)(&self.path.dial, None, limits)).ok()
    }

    /// One after another, those again that did not open.
    async fn measure_in_turns(&mut self, evidence: &mut PathEvidence) {
        let stop = || self.stop.clone();
        for (turn, error) in unopened(evidence).into_iter().enumerate() {
            let Some(measurements) = self.measurements(evidence).filter(|_| error.is_some()) else {
                continue;
            };
            let measured = match turn {
                0 => measure_ping(measurements.ping, stop(), Opening::default()).await,
                1 => measure_listen(measurements.listen, stop(), Opening::default()).await,
                _ => measure_idle(measurements.idle, stop()).await,
            };
            record(evidence, measured);
        }
        self.show(evidence, &[Check::Pings, Check::Close, Check::Latency]);
        self.show(evidence, &[Check::ServerHeartbeats, Check::IdleTimeout]);
    }

    /// The measurements that the wanted checks need.
    fn start(&self, measurements: Measurements) -> Vec<Measuring> {
        let Measurements { ping, listen, idle, zombie, message } = measurements;
        let stop = || self.stop.clone();
        let fragments = FragmentsProbe {
            target: self.plan.target.clone(),
            dial: self.path.dial.clone(),
            preamble: idle.preamble.clone(),
            message,
            largest: idle.max_message_size,
        };
        // Where connections are limited, the one that measures most comes first.
        let (first, second) = (Opening::of(self.plan.selection.has_any(&OF_PING)), Opening::default());
        let second = Opening { is_wanted: self.plan.selection.has_any(&OF_LISTEN), ..second };
        if self.index + 1 < self.plan.paths.len() {
            return self.start_beside(ping, idle);
        }
        let listening = first.then(measure_listen(listen, stop(), second.clone()));
        let idling = first.then(second.then(measure_idle(idle, stop())));
        let all = [
            self.started(&OF_PING, "latency", measure_ping(ping, stop(), first.clone())),
            self.started(&OF_LISTEN, "server heartbeats", listening),
            self.started(&OF_IDLE, "idle timeout", idling),
            self.started(&[Check::Fragments], "fragments", fragments.run(stop())),
            self.started(&[Check::DeadClients], "dead clients", measure_zombies(zombie, stop()))
                .filter(|_| self.plan.looks_for_dead_clients()),
        ];
        all.into_iter().flatten().collect()
    }

    /// On a path beside the URL itself: RTTs for a moment, then the idle timeout.
    fn start_beside(&self, ping: ping::PingPlan, idle: probe_idle::IdlePlan) -> Vec<Measuring> {
        let ping = ping::PingPlan { deadline: Some(BESIDE_PING), ..ping };
        let pinged = CancellationToken::new();
        let (is_over, stop) = (pinged.clone(), self.stop.clone());
        let is_wanted = self.plan.selection.has_any(&OF_PING);
        let pinging = measure_ping(ping, self.stop.clone(), Opening::default());
        let all = [
            self.started(&OF_PING, "latency", async move {
                let measured = pinging.await;
                is_over.cancel();
                measured
            }),
            self.started(&OF_IDLE, "idle timeout", async move {
                if is_wanted {
                    pinged.cancelled().await;
                }
                measure_idle(idle, stop).await
            }),
        ];
        all.into_iter().flatten().collect()
    }

    /// A measurement, if one of these checks needs it.
    fn started(
        &self,
        checks: &[Check],
        name: &'static str,
        measuring: impl Future<Output = Measured> + 'static,
    ) -> Option<Measuring> {
        let says = self.says.clone();
        self.plan.selection.has_any(checks).then(|| -> Measuring {
            Box::pin(async move {
                // The receiver lives as long as the paths.
                let _ = says.send(PathMessage::Running(name, true));
                let measured = measuring.await;
                let _ = says.send(PathMessage::Running(name, false));
                measured
            })
        })
    }
}

/// The checks that need an open WebSocket.
const AFTER_TLS: [Check; 14] = [
    Check::Upgrade,
    Check::Origin,
    Check::Subprotocol,
    Check::Convention,
    Check::Pings,
    Check::Fragments,
    Check::Close,
    Check::Latency,
    Check::ServerHeartbeats,
    Check::IdleTimeout,
    Check::DeadClients,
    Check::Lifetime,
    Check::Hops,
    Check::Advice,
];
/// The checks that need the measurement of RTTs ...
const OF_PING: [Check; 6] =
    [Check::Pings, Check::Latency, Check::Close, Check::Lifetime, Check::ServerHeartbeats, Check::Hops];
/// ... of a silent connection ...
const OF_LISTEN: [Check; 4] = [Check::ServerHeartbeats, Check::Close, Check::IdleTimeout, Check::Advice];
/// ... and of idle ones.
const OF_IDLE: [Check; 4] = [Check::IdleTimeout, Check::Lifetime, Check::Advice, Check::Hops];

/// Ignores events: only the report counts.
struct Unheard;

impl<E> Reporter<E> for Unheard {
    fn report(&mut self, _: &E) {}
}

/// Whether a measurement has opened its connection, or failed to.
#[derive(Clone, Default)]
struct Opening {
    is_wanted: bool,
    is_over: CancellationToken,
}

impl Opening {
    fn of(is_wanted: bool) -> Opening {
        Opening { is_wanted, ..Opening::default() }
    }

    /// Waits for it, then goes on.
    fn then<T>(&self, next: impl Future<Output = T> + 'static) -> impl Future<Output = T> + 'static {
        let opening = self.clone();
        async move {
            if opening.is_wanted {
                opening.is_over.cancelled().await;
            }
            next.await
        }
    }
}

impl Reporter<PingEvent> for Opening {
    fn report(&mut self, event: &PingEvent) {
        let is_over = match event {
            PingEvent::Connection { event, .. } => {
                matches!(event, ConnEvent::Opened(_) | ConnEvent::OpenFailed(_))
            }
            PingEvent::Finished(_) => true,
            PingEvent::Started { .. } | PingEvent::StatusCounts(_) | PingEvent::Interim(_) => false,
        };
        if is_over {
            self.is_over.cancel();
        }
    }
}

impl Reporter<ListenEvent> for Opening {
    fn report(&mut self, event: &ListenEvent) {
        if matches!(event, ListenEvent::Opened { .. } | ListenEvent::Finished(_)) {
            self.is_over.cancel();
        }
    }
}

async fn measure_ping(plan: ping::PingPlan, stop: CancellationToken, mut opening: Opening) -> Measured {
    let (_, interim) = mpsc::unbounded_channel();
    let batch_sleep = BatchSleep::default();
    let control = RunControl {
        interrupt: stop,
        interim,
        batch_sleep,
        ask_now: Default::default(),
        openings: Default::default(),
    };
    Measured::Ping(Box::new(ping::run(plan, &mut opening, control).await))
}

async fn measure_listen(plan: listen::ListenPlan, stop: CancellationToken, mut opening: Opening) -> Measured {
    Measured::Listen(Box::new(listen::run(plan, &mut opening, stop).await))
}

async fn measure_idle(plan: probe_idle::IdlePlan, stop: CancellationToken) -> Measured {
    match probe_idle::run(plan, &mut Unheard, stop).await {
        Ok(report) => Measured::Idle(Box::new(report)),
        Err(_) => Measured::Nothing,
    }
}

async fn measure_zombies(plan: probe_zombie::ZombiePlan, stop: CancellationToken) -> Measured {
    Measured::Zombie(Box::new(probe_zombie::run(plan, &mut Unheard, stop).await))
}

/// A connection of its own for a message in fragments.
struct FragmentsProbe {
    target: Target,
    dial: crate::net::connect::dial::DialPlan,
    preamble: crate::net::client::preamble::Preamble,
    message: Option<String>,
    largest: usize,
}

impl FragmentsProbe {
    async fn run(self, stop: CancellationToken) -> Measured {
        let outcome = stop.run_until_cancelled(self.probe()).await;
        outcome.map_or(Measured::Nothing, Measured::Fragments)
    }

    async fn probe(self) -> FragmentsOutcome {
        let Some(message) = &self.message else {
            return FragmentsOutcome::NotTried("no message is known that this server expects");
        };
        let opened =
            open(&self.target, &self.dial, &self.preamble, self.largest, message.len().max(1024)).await;
        match opened {
            Err(_) => FragmentsOutcome::NotTried("its connection did not open"),
            Ok(mut established) => {
                let outcome = ping_between_fragments(&mut established.socket, message, FRAGMENTS_WAIT).await;
                send_close(&mut established.socket).await;
                outcome
            }
        }
    }
}

/// Why each of the measurements did not open: RTTs, heartbeats of the server, idle timeout.
fn unopened(evidence: &PathEvidence) -> [Option<Arc<ConnectError>>; 3] {
    let ping = evidence.ping.as_ref().and_then(|report| report.only_connection());
    let of_ping = ping.filter(|connection| connection.opened.is_none());
    let of_listen = evidence.listen.as_ref().filter(|report| report.opened.is_none());
    let of_idle = evidence.idle.as_ref().filter(|report| report.opened.is_none());
    [
        of_ping.and_then(|connection| connection.open_error.clone()),
        of_listen.and_then(|report| report.error.clone()),
        of_idle.and_then(|report| report.error.clone()),
    ]
}

/// Why a measurement did not open, although another one did.
fn refused_beside(evidence: &PathEvidence) -> Option<Arc<ConnectError>> {
    let [ping, listen, idle] = unopened(evidence);
    let is_any_open = (evidence.ping.is_some() && ping.is_none())
        || (evidence.listen.is_some() && listen.is_none())
        || (evidence.idle.is_some() && idle.is_none());
    [ping, listen, idle].into_iter().flatten().next().filter(|_| is_any_open)
}

/// Keeps what was measured; the checks that it decides.
fn record(evidence: &mut PathEvidence, measured: Measured) -> &'static [Check] {
    match measured {
        Measured::Nothing => &[],
        Measured::Ping(report) => {
            evidence.ping = Some(report);
            &[Check::Pings, Check::Close, Check::Latency]
        }
        Measured::Listen(report) => {
            evidence.listen = Some(report);
            &[Check::ServerHeartbeats]
        }
        Measured::Idle(report) => {
            evidence.idle = Some(report);
            &[Check::IdleTimeout]
        }
        Measured::Zombie(report) => {
            evidence.zombie = Some(report);
            &[Check::DeadClients]
        }
        Measured::Fragments(outcome) => {
            evidence.fragments = Some(outcome);
            &[Check::Fragments]
        }
    }
}
