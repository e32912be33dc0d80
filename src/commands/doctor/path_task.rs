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

use super::feature_trials;
use super::opening;
use super::plan::{DoctorPlan, MeasurementLimits, Measurements, PathPlan};
use crate::commands::connect::{ConnectPlan, open};
use crate::commands::listen::{self, ListenPlan};
use crate::commands::ping::{self, PingPlan};
use crate::commands::probe_idle::{self, IdlePlan};
use crate::commands::probe_zombie::{self, ZombiePlan};
use crate::commands::run_control::RunControl;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::phase::Phase;
use crate::domain::doctor::evidence::{FragmentsOutcome, PathEvidence};
use crate::domain::doctor::report::DoctorEvent;
use crate::domain::doctor::{Check, CheckResult, Conditions, examine};
use crate::domain::idle::report::IdleEvent;
use crate::domain::listen::report::ListenEvent;
use crate::domain::ping::event::{ConnEvent, Event as PingEvent};
use crate::domain::presets::PresetDetection;
use crate::domain::zombie::report::ZombieEvent;
use crate::net::client::closing::close_briefly;
use crate::net::client::fragments::ping_between_fragments;

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

/// The end of one measurement: keeps what was measured, and returns the checks that it decides.
type Measured = Box<dyn FnOnce(&mut PathEvidence) -> &'static [Check]>;

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
        if !plan.selection.has_any_from(Check::Upgrade) {
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
        let all = [&others[..], &OF_PING, &OF_LISTEN, &OF_IDLE, &BROWSER_FEATURES];
        all.iter().any(|checks| self.plan.selection.has_any(checks))
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

    /// Tries HTTP/2 and compression, one after the other.
    async fn try_browser_features(&self, evidence: &mut PathEvidence) {
        let selection = &self.plan.selection;
        let Some(measurements) = self.measurements(evidence).filter(|_| selection.has_any(&BROWSER_FEATURES))
        else {
            return;
        };
        if selection.has(Check::Compression) {
            let trial = feature_trials::compression(&measurements.ping, &self.stop).await;
            evidence.compression = Some(Box::new(trial)).filter(|_| !self.stop.is_cancelled());
        }
        if let Some(offer) = self.http2_offer().filter(|_| selection.has(Check::Http2)) {
            let trial = feature_trials::http2(&measurements.ping, offer, &self.stop).await;
            evidence.http2 = Some(Box::new(trial)).filter(|_| !self.stop.is_cancelled());
        }
        self.show(evidence, &BROWSER_FEATURES);
    }

    /// How HTTP/2 is tried: with TLS as browsers offer it; without TLS, where browsers do not use it, only if an option demands it.
    fn http2_offer(&self) -> Option<HttpChoice> {
        let wanted = self.plan.paths.get(self.index).map(|path| path.dial.http);
        match wanted {
            _ if self.plan.target.secure() => Some(HttpChoice::Auto),
            Some(HttpChoice::Http2) => Some(HttpChoice::Http2),
            Some(HttpChoice::Http1 | HttpChoice::Auto) | None => None,
        }
    }

    async fn measure(&mut self, evidence: &mut PathEvidence) {
        self.try_browser_features(evidence).await;
        let Some(measurements) = self.measurements(evidence) else { return };
        let mut running: FuturesUnordered<Measuring> = self.start(measurements).into_iter().collect();
        while let Some(measured) = running.next().await {
            let checks = measured(evidence);
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
            measured(evidence);
        }
        self.show(evidence, &[Check::Pings, Check::Close, Check::Latency]);
        self.show(evidence, &[Check::ServerHeartbeats, Check::IdleTimeout]);
    }

    /// The measurements that the wanted checks need.
    fn start(&self, measurements: Measurements) -> Vec<Measuring> {
        let Measurements { ping, listen, idle, zombie, message } = measurements;
        let stop = || self.stop.clone();
        let fragments = ConnectPlan { dial: self.path.dial.clone(), ..idle.connect.clone() };
        // Where connections are limited, the one that measures most comes first.
        let [first, second] =
            [&OF_PING[..], &OF_LISTEN].map(|checks| Opening::of(self.plan.selection.has_any(checks)));
        if self.index + 1 < self.plan.paths.len() {
            return self.start_beside(ping, idle);
        }
        let listening = first.then(measure_listen(listen, stop(), second.clone()));
        let idling = first.then(second.then(measure_idle(idle, stop())));
        let all = [
            self.started(&OF_PING, "latency", measure_ping(ping, stop(), first.clone())),
            self.started(&OF_LISTEN, "server heartbeats", listening),
            self.started(&OF_IDLE, "idle timeout", idling),
            self.started(&[Check::Fragments], "fragments", measure_fragments(fragments, message, stop())),
            self.started(&[Check::DeadClients], "dead clients", measure_zombies(zombie, stop()))
                .filter(|_| self.plan.looks_for_dead_clients()),
        ];
        all.into_iter().flatten().collect()
    }

    /// On a path beside the URL itself: RTTs for a moment, then the idle timeout.
    fn start_beside(&self, ping: PingPlan, idle: IdlePlan) -> Vec<Measuring> {
        let ping = PingPlan { deadline: Some(BESIDE_PING), ..ping };
        let pinged = Opening::of(self.plan.selection.has_any(&OF_PING));
        let is_over = pinged.is_over.clone();
        let pinging = measure_ping(ping, self.stop.clone(), Opening::default());
        let pinging = async move {
            let measured = pinging.await;
            is_over.cancel();
            measured
        };
        let idling = pinged.then(measure_idle(idle, self.stop.clone()));
        let all =
            [self.started(&OF_PING, "latency", pinging), self.started(&OF_IDLE, "idle timeout", idling)];
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

/// The checks that try what browsers use besides the plain request.
const BROWSER_FEATURES: [Check; 2] = [Check::Http2, Check::Compression];
/// The checks that need the measurement of RTTs ...
const OF_PING: [Check; 6] =
    [Check::Pings, Check::Latency, Check::Close, Check::Lifetime, Check::ServerHeartbeats, Check::Hops];
/// ... of a silent connection ...
const OF_LISTEN: [Check; 4] = [Check::ServerHeartbeats, Check::Close, Check::IdleTimeout, Check::Advice];
/// ... and of idle ones.
const OF_IDLE: [Check; 4] = [Check::IdleTimeout, Check::Lifetime, Check::Advice, Check::Hops];

/// Whether the measurement that comes before another one is so far: it has opened its connection, or failed to.
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

async fn measure_ping(plan: PingPlan, stop: CancellationToken, opening: Opening) -> Measured {
    let mut observe = |event: &PingEvent| {
        let is_over = matches!(
            event,
            PingEvent::Connection { event: ConnEvent::Opened(_) | ConnEvent::OpenFailed(_), .. }
                | PingEvent::Finished(_)
        );
        if is_over {
            opening.is_over.cancel();
        }
    };
    let report = ping::run(plan, &mut observe, RunControl::until(stop)).await;
    Box::new(|evidence| {
        evidence.ping = Some(Box::new(report));
        &[Check::Pings, Check::Close, Check::Latency]
    })
}

async fn measure_listen(plan: ListenPlan, stop: CancellationToken, opening: Opening) -> Measured {
    let mut observe = |event: &ListenEvent| {
        if matches!(event, ListenEvent::Opened { .. } | ListenEvent::Finished(_)) {
            opening.is_over.cancel();
        }
    };
    let report = listen::run(plan, &mut observe, stop).await;
    Box::new(|evidence| {
        evidence.listen = Some(Box::new(report));
        &[Check::ServerHeartbeats]
    })
}

async fn measure_idle(plan: IdlePlan, stop: CancellationToken) -> Measured {
    let report = probe_idle::run(plan, &mut |_: &IdleEvent| {}, stop).await;
    Box::new(|evidence| {
        let Ok(report) = report else { return &[] };
        evidence.idle = Some(Box::new(report));
        &[Check::IdleTimeout]
    })
}

async fn measure_zombies(plan: ZombiePlan, stop: CancellationToken) -> Measured {
    let report = probe_zombie::run(plan, &mut |_: &ZombieEvent| {}, stop).await;
    Box::new(|evidence| {
        evidence.zombie = Some(Box::new(report));
        &[Check::DeadClients]
    })
}

/// Opens a connection for a message in fragments.
async fn measure_fragments(plan: ConnectPlan, message: Option<String>, stop: CancellationToken) -> Measured {
    let outcome = stop.run_until_cancelled(ping_amid_message(&plan, message.as_deref())).await;
    Box::new(|evidence| {
        let Some(outcome) = outcome else { return &[] };
        evidence.fragments = Some(outcome);
        &[Check::Fragments]
    })
}

async fn ping_amid_message(plan: &ConnectPlan, message: Option<&str>) -> FragmentsOutcome {
    let Some(message) = message else {
        return FragmentsOutcome::NotTried("no message is known that this server expects");
    };
    let Ok(mut established) = open(plan, message.len().max(1024)).await else {
        return FragmentsOutcome::NotTried("its connection did not open");
    };
    let outcome = ping_between_fragments(&mut established.socket, message, FRAGMENTS_WAIT).await;
    close_briefly(&mut established.socket).await;
    outcome
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
