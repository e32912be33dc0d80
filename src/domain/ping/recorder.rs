//! Records a run's events and computes its report, at any time and in bounded memory.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::conclusion::{concluded, measurement_of};
use super::event::{ConnEvent, Event, HeartbeatResult, PeerTraffic, ServerPingKind, StatusChange};
use super::health::{MissStreak, Status};
use super::history::History;
use super::outage_tracker::OutageTracker;
use super::pooled_status::{pooled_status, take_worst_status, worst};
use super::report::{
    ConnReport, KindReport, MergeableRtts, PingReport, RttSpikes, StampingReport, TargetReport,
};
use super::run_info::RunInfo;
use super::run_status::{RunStatus, RunStatusLimits, StatusEvidence};
use super::server_traffic::ServerTraffic;
use super::status_counts::StatusCounts;
use super::verdict::PassCriteria;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::compact_connect_info::CompactConnectInfo;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, TimestampSource};
use crate::domain::connection::goaway::GoawayNotice;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::stats::timeline::Timeline;
use crate::domain::stats::{Counts, Differences, JitterSummary, LagStats, MissRuns, Rtts, Successive};

/// Maximum number of connections, or targets, with fine RTTs each (see [`Rtts`]); beyond that only the pooled
/// RTTs are fine.
const MAX_FINE_RTTS: usize = 32;

/// Computes all figures of a run from its events. Memory grows with the number of connections and their
/// maximum RTT (see [`Rtts`]), not with the run's length.
#[derive(Debug)]
pub struct Recorder {
    info: Arc<RunInfo>,
    policy: PassCriteria,
    started_at: SystemTime,
    lag: LagStats,
    stamping: TimestampDelays,
    /// By target, then by connection.
    links: Vec<Vec<ConnectionStats>>,
    /// The pooled RTTs, which merging coarse RTTs of the connections would not give.
    sums: Option<PooledRtts>,
    tally: StatusCounts,
    timeline: Timeline,
    history: History,
    /// The last connection details, shared by all connections with equal ones.
    like: Option<Arc<ConnectInfo>>,
}

/// The pooled RTTs of many connections, by kind.
#[derive(Debug)]
struct PooledRtts {
    all: Vec<(HeartbeatKind, Rtts)>,
    /// Empty if there is only one target.
    by_target: Vec<Vec<(HeartbeatKind, Rtts)>>,
}

impl PooledRtts {
    fn new(info: &RunInfo) -> PooledRtts {
        let of = |rtts: Rtts| info.kinds.iter().map(|kind| (*kind, rtts.clone())).collect::<Vec<_>>();
        let targets = info.targets.len();
        let apart = if targets > 1 { targets } else { 0 };
        PooledRtts { all: of(Rtts::default()), by_target: vec![of(rtts_for_connections(targets)); apart] }
    }

    fn of_target(&self, target: usize) -> &[(HeartbeatKind, Rtts)] {
        self.by_target.get(target).unwrap_or(&self.all)
    }

    fn record(&mut self, target: usize, beat: &HeartbeatResult) {
        let Some(rtt) = beat.first_rtt() else { return };
        let by_target = self.by_target.get_mut(target).into_iter().flatten();
        let of_kind = self.all.iter_mut().chain(by_target).filter(|(kind, _)| *kind == beat.kind);
        of_kind.for_each(|(_, rtts)| rtts.record(rtt));
    }
}

fn rtts_for_connections(many: usize) -> Rtts {
    if many > MAX_FINE_RTTS { Rtts::coarse() } else { Rtts::default() }
}

/// When a heartbeat was due by the schedule; `None` without one.
fn due(opened_after: Duration, interval: Option<Duration>, beat: &HeartbeatResult) -> Option<Duration> {
    let intervals = u32::try_from(beat.seq).ok()?;
    interval?.checked_mul(intervals)?.checked_add(opened_after)
}

/// Records a heartbeat at the moment when it was sent: an answer by its RTT, what was missed by the schedule.
fn record_in(timeline: &mut Timeline, age: Duration, due: Option<Duration>, beat: &HeartbeatResult) {
    if beat.was == Some(HeartbeatOutcome::Missed) {
        timeline.revise_miss();
    }
    match (beat.outcome, beat.first_rtt()) {
        (HeartbeatOutcome::Missed, _) => timeline.record_miss(due.unwrap_or(age).min(age)),
        (outcome, Some(rtt)) => {
            timeline.record_answer(age.saturating_sub(rtt), rtt, outcome == HeartbeatOutcome::Late)
        }
        (_, None) => {}
    }
}

impl Recorder {
    pub fn new(info: impl Into<Arc<RunInfo>>, policy: PassCriteria, started_at: SystemTime) -> Recorder {
        let info = info.into();
        let link = ConnectionStats::new(&info.kinds, &rtts_for_connections(info.connections()));
        let links = vec![vec![link; info.connections_each]; info.targets.len()];
        let sums = (info.connections() > MAX_FINE_RTTS).then(|| PooledRtts::new(&info));
        let tally = StatusCounts::new(info.connections());
        Recorder {
            info,
            policy,
            started_at,
            lag: LagStats::default(),
            stamping: TimestampDelays::default(),
            links,
            sums,
            tally,
            timeline: Timeline::default(),
            history: History::default(),
            like: None,
        }
    }

    /// Records an event of one of the run's connections; ignores others.
    pub fn observe(&mut self, event: &Event) {
        let Event::Connection { id, at, event } = event else { return };
        let link = self.links.get_mut(id.target).and_then(|links| links.get_mut(id.index));
        let Some(link) = link else { return };
        let (before, was_lost) = (link.status, link.is_lost);
        let age = at.duration_since(self.started_at).unwrap_or_default();
        if matches!(event, ConnEvent::Opened(_)) && link.opened.is_none() {
            link.opened_after_ms = u32::try_from(age.as_millis()).unwrap_or(u32::MAX);
        }
        match event {
            ConnEvent::Ended(ending) if self.policy.endings.is_met_by(ending) => {
                link.ended_as_expected(ending)
            }
            _ => link.observe(*at, event, &mut self.like),
        }
        link.track_outages(age, event, &self.info);
        count_event(&mut self.tally, event, before, link.status);
        match (was_lost, link.is_lost) {
            (false, true) => self.history.record_loss(age),
            (true, false) => self.history.record_return(age),
            (true, true) | (false, false) => {}
        }
        if before != link.status {
            self.history.record_status(age, self.tally.worst());
        }
        let ConnEvent::Heartbeat(beat) = event else { return };
        if let HeartbeatResult { was: None, lag: Some(lag), .. } = beat {
            self.lag.record(*lag);
        }
        self.stamping.record(beat, link.opened.as_ref().map(CompactConnectInfo::timestamps));
        let opened_after = Duration::from_millis(link.opened_after_ms.into());
        record_in(&mut self.timeline, age, due(opened_after, self.info.interval, beat), beat);
        if let Some(sums) = &mut self.sums {
            sums.record(id.target, beat);
        }
    }

    /// The current counts, without the cost of a report.
    pub fn tally(&self) -> StatusCounts {
        self.tally
    }

    /// The figures so far. `elapsed` is the time since the start, by the monotonic clock; `interrupted`: the
    /// user ended the run. An interim report does not count heartbeats outstanding on open connections as in
    /// flight, because no event reports them.
    pub fn report(&self, elapsed: Duration, interrupted: bool) -> PingReport {
        let mut report = self.figures(elapsed, interrupted);
        report.measurement = measurement_of(&report);
        concluded(report, &self.policy)
    }

    fn figures(&self, elapsed: Duration, interrupted: bool) -> PingReport {
        let all = || self.links.iter().flatten();
        let mut targets = self.targets(self.started_at.checked_add(elapsed).unwrap_or(self.started_at));
        let connections = targets.iter_mut().flat_map(|target| &mut target.connections);
        connections.for_each(|connection| connection.outages.observed = elapsed);
        PingReport {
            kinds: self.kinds(all, self.sums.as_ref().map(|sums| sums.all.as_slice())),
            targets,
            host_lag: self.lag.summary(),
            stamping: self.stamping.summary(),
            timeline: self.timeline.clone(),
            history: self.history.clone(),
            interrupted,
            ..PingReport::without_figures(Arc::clone(&self.info), self.started_at, elapsed)
        }
    }

    fn targets(&self, now: SystemTime) -> Vec<TargetReport> {
        let of = self.info.targets.iter().zip(&self.links).enumerate();
        of.map(|(index, (url, links))| self.target(index, url, links, now)).collect()
    }

    fn target(&self, index: usize, url: &str, links: &[ConnectionStats], now: SystemTime) -> TargetReport {
        let limits = &self.policy.limits;
        let connections: Vec<ConnReport> =
            links.iter().enumerate().map(|(index, link)| link.report(index, now, limits)).collect();
        let mut kinds = self.kinds(|| links.iter(), self.sums.as_ref().map(|sums| sums.of_target(index)));
        take_worst_status(&mut kinds, connections.iter().map(|connection| connection.kinds.as_slice()));
        let RunStatus { status, reason, .. } = pooled_status(&mut kinds, &connections, limits);
        let last_status = worst(links.iter().map(|link| link.status));
        TargetReport { url: url.to_string(), status, status_reason: reason, last_status, kinds, connections }
    }

    /// The figures of several connections together, one entry a kind; `sums` are their pooled RTTs, if
    /// available.
    fn kinds<'a, I: Iterator<Item = &'a ConnectionStats>>(
        &self,
        links: impl Fn() -> I,
        sums: Option<&[(HeartbeatKind, Rtts)]>,
    ) -> Vec<KindReport> {
        let figures =
            |kind: HeartbeatKind| links().filter_map(move |link| link.kinds.iter().find(|k| k.kind == kind));
        let sum = |kind: HeartbeatKind| sums?.iter().find(|(of, _)| *of == kind).map(|(_, rtts)| rtts);
        self.info.kinds.iter().map(|kind| combine(*kind, figures(*kind), sum(*kind), true)).collect()
    }
}

/// Counts a connection's event and its change of status.
fn count_event(tally: &mut StatusCounts, event: &ConnEvent, before: Status, after: Status) {
    if before != after {
        tally.change_status(before, after);
    }
    match event {
        ConnEvent::Opened(_) => tally.record_opened(),
        ConnEvent::Ended(_) => tally.record_ended(),
        ConnEvent::Heartbeat(beat) => tally.record_heartbeat(beat.outcome, beat.was),
        _ => {}
    }
}

/// The time between the kernel's timestamps and this process.
#[derive(Debug, Default)]
struct TimestampDelays {
    to_wire: LagStats,
    from_wire: LagStats,
    fell_back: u64,
}

impl TimestampDelays {
    /// Records an RTT, if the event brings a new one. `wanted`: the source that should have timestamped it.
    fn record(&mut self, beat: &HeartbeatResult, wanted: Option<TimestampSource>) {
        if beat.first_rtt().is_none() {
            return;
        }
        beat.to_wire.into_iter().for_each(|delay| self.to_wire.record(delay.into()));
        beat.from_wire.into_iter().for_each(|delay| self.from_wire.record(delay.into()));
        let lacks = match wanted {
            Some(TimestampSource::Kernel) => beat.to_wire.is_none() || beat.from_wire.is_none(),
            Some(TimestampSource::KernelReceive) => beat.from_wire.is_none(),
            Some(TimestampSource::User) | None => false,
        };
        self.fell_back += u64::from(lacks);
    }

    fn summary(&self) -> StampingReport {
        let TimestampDelays { to_wire, from_wire, fell_back } = self;
        StampingReport { to_wire: to_wire.summary(), from_wire: from_wire.summary(), fell_back: *fell_back }
    }
}

/// The figures of one connection, including its reconnections.
#[derive(Debug, Clone, Default)]
struct ConnectionStats {
    /// By the latest heartbeats.
    status: Status,
    status_reason: String,
    /// It ended unplanned and is not open again.
    is_lost: bool,
    opened: Option<CompactConnectInfo>,
    kinds: Vec<KindStats>,
    /// When the last answer came on the open connection.
    answered_at: Option<SystemTime>,
    /// When it first opened, in milliseconds since the start of the run; the schedule of its heartbeats begins here.
    opened_after_ms: u32,
    /// Made when the connection first ends, or its end is announced: most of thousands have not.
    endings: Option<Box<Endings>>,
    tracker: OutageTracker,
    spikes: RttSpikes,
    /// Made when one of them first has a value: most of thousands have none.
    extras: Option<Box<Extras>>,
}

impl ConnectionStats {
    fn new(kinds: &[HeartbeatKind], rtts: &Rtts) -> ConnectionStats {
        ConnectionStats {
            status_reason: "no heartbeat was answered yet".to_string(),
            kinds: kinds.iter().map(|kind| KindStats::new(*kind, rtts.clone())).collect(),
            ..ConnectionStats::default()
        }
    }

    fn observe(&mut self, at: SystemTime, event: &ConnEvent, shared: &mut Option<Arc<ConnectInfo>>) {
        match event {
            ConnEvent::Opening | ConnEvent::PeerMessage(_) => {}
            ConnEvent::Retry { .. } => self.endings().outage.record_attempt(),
            ConnEvent::Opened(opened) => {
                match &self.opened {
                    Some(_) => self.note_shared_connection(opened),
                    None => self.opened = Some(CompactConnectInfo::keep(opened, shared)),
                }
                self.answered_at = None;
                self.is_lost = false;
                self.kinds.iter_mut().for_each(|figures| figures.silence = MissStreak::default());
            }
            ConnEvent::OpenFailed(error) => self.extras().open_error = Some(Arc::clone(error)),
            ConnEvent::Heartbeat(beat) => self.record_heartbeat(at, beat),
            ConnEvent::ExtraHeartbeat(beat) => self.record_extra(at, beat),
            ConnEvent::PeerTraffic(traffic, count) => self.record_traffic(*traffic, *count),
            ConnEvent::Status(change) => self.status(change),
            ConnEvent::Standing { status, reason } => self.set_status(*status, reason),
            ConnEvent::Unjudged { kind, count } => {
                self.with(*kind, |figures| figures.record_unjudged(*count))
            }
            ConnEvent::Announced(every) => self.extras().announced = Some(*every),
            ConnEvent::ServerTraffic(server_traffic) => self.extras().keep_traffic(server_traffic),
            ConnEvent::Goaway(notice) => self.endings().goaway = Some(Arc::clone(notice)),
            ConnEvent::Ended(ending) => self.ended(ending),
            ConnEvent::Reconnected { outage, .. } => {
                let endings = self.endings();
                endings.reconnects += 1;
                endings.outage.finish(*outage);
            }
            ConnEvent::GaveUp { outage, .. } => self.endings().outage.record_duration(*outage),
        }
    }

    /// Follows when the other end was away. An end that was expected, and lost no connection, is none.
    fn track_outages(&mut self, now: Duration, event: &ConnEvent, info: &RunInfo) {
        if !matches!(event, ConnEvent::Ended(_)) || self.is_lost {
            self.tracker.observe(now, event, info.timeout, info.outage_after);
        }
    }

    fn extras(&mut self) -> &mut Extras {
        self.extras.get_or_insert_default()
    }

    fn endings(&mut self) -> &mut Endings {
        self.endings.get_or_insert_default()
    }

    fn with(&mut self, kind: HeartbeatKind, change: impl FnOnce(&mut KindStats)) {
        if let Some(figures) = self.kinds.iter_mut().find(|figures| figures.kind == kind) {
            change(figures);
        }
    }

    fn record_heartbeat(&mut self, at: SystemTime, beat: &HeartbeatResult) {
        if beat.outcome.is_answered() {
            self.answered_at = Some(at);
        }
        if let Some(segments) = beat.sent_again {
            self.spikes.count += 1;
            self.spikes.sent_again += u64::from(segments > 0);
        }
        self.with(beat.kind, |figures| figures.record(beat));
    }

    /// It shows that the other end is alive, and stays out of the figures.
    fn record_extra(&mut self, at: SystemTime, beat: &HeartbeatResult) {
        if beat.outcome.is_answered() {
            self.answered_at = Some(at);
        }
        if beat.was.is_none() {
            self.with(beat.kind, |figures| figures.counts.extra += 1);
        }
    }

    fn record_traffic(&mut self, traffic: PeerTraffic, count: u64) {
        match traffic {
            PeerTraffic::Stray(kind, stray) => {
                self.with(kind, |figures| figures.counts.record_strays(stray, count))
            }
            PeerTraffic::ServerPing { kind: ServerPingKind::Protocol, .. } => {
                self.extras().server_pings_protocol += count
            }
            PeerTraffic::ServerPing { kind: ServerPingKind::App, .. } => {
                self.extras().server_pings_app += count
            }
            PeerTraffic::Message => self.extras().messages += count,
            PeerTraffic::Echo => self.extras().echoes += count,
        }
    }

    fn status(&mut self, change: &StatusChange) {
        if change.kind.is_none() {
            self.set_status(change.to, &change.reason);
        }
    }

    fn set_status(&mut self, status: Status, reason: &str) {
        self.status = status;
        self.status_reason = reason.to_string();
    }

    /// It opened again, perhaps on another connection of HTTP/2.
    fn note_shared_connection(&mut self, opened: &ConnectInfo) {
        if let Some(shared) = opened.shared_http2 {
            self.endings().reopened_on = Some(shared.number);
        }
    }

    fn ended_as_expected(&mut self, ending: &Arc<CloseCause>) {
        self.endings().last = Some(Arc::clone(ending));
        self.kinds.iter_mut().for_each(|figures| figures.successive.settle(0));
    }

    fn ended(&mut self, ending: &Arc<CloseCause>) {
        self.ended_as_expected(ending);
        if ending.is_loss() {
            let first_on = self.opened.as_ref().and_then(CompactConnectInfo::shared_http2);
            let answered_until = self.answered_at.and_then(|at| age_at(ending, at));
            let endings = self.endings();
            endings.last_unplanned = Some(Arc::clone(ending));
            endings.lost_on = endings.reopened_on.or(first_on);
            endings.answered_until = answered_until;
            endings.unplanned += 1;
            endings.outage.begin(ending.at);
            self.is_lost = true;
        }
    }

    /// The status over the whole run; `of_kinds` are its heartbeats' statuses.
    fn run_status(&self, of_kinds: &[RunStatus]) -> RunStatus {
        let is = |status, reason: String| RunStatus { status, reason, without_rtt: status };
        match (&self.opened, self.extras.as_ref().and_then(|extras| extras.open_error.as_ref())) {
            (None, Some(_)) => return is(Status::Unknown, "it never opened".to_string()),
            (None, None) => {
                return is(Status::Unknown, "still opening when the run ended".to_string());
            }
            (Some(_), _) if self.is_lost => return is(Status::Dead, self.dead_reason()),
            (Some(_), _) => {}
        }
        let status = worst(of_kinds.iter().map(|kind| kind.status));
        let reason = match status {
            // The last event says more, for example what TCP acknowledged.
            Status::Timeout | Status::Dead if self.status == status => self.status_reason.clone(),
            _ => self.reason_of(status, of_kinds),
        };
        let without_rtt = of_kinds.iter().map(|kind| kind.without_rtt).max().unwrap_or(Status::Healthy);
        match self.endings.as_ref().map_or(0, |endings| endings.reconnects) {
            0 => RunStatus { status, reason, without_rtt },
            _ if status >= Status::Poor && status != Status::Unknown => {
                RunStatus { status, reason, without_rtt: without_rtt.max(Status::Poor) }
            }
            _ => is(Status::Poor, self.poor_reason(&reason)),
        }
    }

    /// The reason of the first kind with this status; names the kind if there are several.
    fn reason_of(&self, status: Status, of_kinds: &[RunStatus]) -> String {
        let found = self.kinds.iter().zip(of_kinds).find(|(_, of)| of.status == status);
        match found {
            Some((_, of)) if self.kinds.len() == 1 => of.reason.clone(),
            Some((figures, of)) => format!("{}: {}", figures.kind, of.reason),
            None => String::new(),
        }
    }

    fn dead_reason(&self) -> String {
        match self.endings.as_ref().and_then(|endings| endings.last_unplanned.as_ref()) {
            Some(lost) if self.status != Status::Dead => format!("the connection ended: {lost}"),
            Some(_) | None => self.status_reason.clone(),
        }
    }

    fn poor_reason(&self, otherwise: &str) -> String {
        let times = match self.endings.as_ref().map_or(0, |endings| endings.unplanned) {
            1 => "once".to_string(),
            times => format!("{times} times"),
        };
        format!("the connection was lost {times} and opened again; {otherwise}")
    }

    fn report(&self, index: usize, now: SystemTime, limits: &RunStatusLimits) -> ConnReport {
        let of_kinds: Vec<RunStatus> = self.kinds.iter().map(|figures| figures.run_status(limits)).collect();
        let RunStatus { status, reason, without_rtt } = self.run_status(&of_kinds);
        let mut kinds: Vec<KindReport> = self
            .kinds
            .iter()
            .map(|figures| combine(figures.kind, std::iter::once(figures), Some(&figures.rtts), false))
            .collect();
        for (figures, of) in kinds.iter_mut().zip(&of_kinds) {
            figures.status = if self.is_lost { Status::Dead } else { of.status };
        }
        let endings = self.endings.as_deref().cloned().unwrap_or_default();
        let extras = self.extras.as_deref().cloned().unwrap_or_default();
        ConnReport {
            index,
            origin: None,
            alike: 0,
            status,
            status_reason: reason,
            status_without_rtt: without_rtt,
            last_status: self.status,
            last_status_reason: self.status_reason.clone(),
            opened: self.opened.as_ref().map(CompactConnectInfo::tell),
            open_error: extras.open_error,
            kinds,
            outage: self.opened.as_ref().and_then(|_| endings.outage.until(now)),
            ending: endings.last,
            lost: endings.last_unplanned,
            lost_on: endings.lost_on,
            goaway: endings.goaway,
            answered_until: endings.answered_until,
            unplanned_endings: endings.unplanned,
            reconnects: endings.reconnects,
            outages: self.tracker.report(Duration::ZERO),
            messages: extras.messages,
            server_pings_protocol: extras.server_pings_protocol,
            server_pings_app: extras.server_pings_app,
            echoes: extras.echoes,
            spikes: self.spikes,
            announced: extras.announced,
            server_traffic: extras.server_traffic,
        }
    }
}

/// The age of an ended connection at an earlier moment. Both times are of the wall clock, which may have been
/// set in between.
fn age_at(ending: &CloseCause, at: SystemTime) -> Option<Duration> {
    let before_the_end = ending.at.duration_since(at).unwrap_or_default();
    ending.age.checked_sub(before_the_end)
}

/// What few connections have besides heartbeats.
#[derive(Debug, Clone, Default)]
struct Extras {
    open_error: Option<Arc<ConnectError>>,
    messages: u64,
    server_pings_protocol: u64,
    server_pings_app: u64,
    echoes: u64,
    /// The server's own interval, as it told.
    announced: Option<Duration>,
    server_traffic: Option<Arc<ServerTraffic>>,
}

impl Extras {
    /// Keeps the traffic of the last connection, and what flow control held back on all.
    fn keep_traffic(&mut self, last: &Arc<ServerTraffic>) {
        let before = self.server_traffic.as_ref().and_then(|traffic| traffic.held_back);
        self.server_traffic = Some(match before {
            None => Arc::clone(last),
            Some(before) => {
                let held_back = Some(last.held_back.map_or(before, |last| before.and(last)));
                Arc::new(ServerTraffic { held_back, ..ServerTraffic::clone(last) })
            }
        });
    }
}

/// How a connection ended or was to end, how often, and for how long.
#[derive(Debug, Clone, Default)]
struct Endings {
    last: Option<Arc<CloseCause>>,
    last_unplanned: Option<Arc<CloseCause>>,
    /// The shared connection of HTTP/2 that carried it then.
    lost_on: Option<NonZeroU32>,
    /// The one on which it opened again last.
    reopened_on: Option<NonZeroU32>,
    /// The last announcement of an end by HTTP/2.
    goaway: Option<Arc<GoawayNotice>>,
    /// The age of the connection at its last answer before the last unplanned end.
    answered_until: Option<Duration>,
    unplanned: u32,
    reconnects: u32,
    outage: OutageStats,
}

/// The time without a connection, after the first opening.
#[derive(Debug, Clone, Default)]
struct OutageStats {
    /// The finished outages; `None` before the first.
    past: Option<Duration>,
    /// When the current outage began, by the wall clock.
    since: Option<SystemTime>,
    /// Whether wscheck tries or tried to reconnect in it.
    worked_on: bool,
    /// Its duration when wscheck gave up, by the monotonic clock.
    at_least: Duration,
}

impl OutageStats {
    fn begin(&mut self, at: SystemTime) {
        *self = OutageStats { past: self.past, since: Some(at), ..OutageStats::default() };
    }

    fn record_attempt(&mut self) {
        self.worked_on = true;
    }

    fn record_duration(&mut self, at_least: Duration) {
        self.at_least = at_least;
    }

    fn finish(&mut self, lasted: Duration) {
        let past = self.past.unwrap_or_default().saturating_add(lasted);
        *self = OutageStats { past: Some(past), ..OutageStats::default() };
    }

    /// The total so far; zero if the connection was never lost. `None` if it was lost and wscheck never tried
    /// to reconnect.
    fn until(&self, now: SystemTime) -> Option<Duration> {
        match (self.since, self.worked_on) {
            (None, _) => Some(self.past.unwrap_or_default()),
            (Some(_), false) => self.past,
            (Some(since), true) => {
                let lasts = now.duration_since(since).unwrap_or_default().max(self.at_least);
                Some(self.past.unwrap_or_default().saturating_add(lasts))
            }
        }
    }
}

/// The figures of one kind of heartbeat on one connection.
#[derive(Debug, Clone)]
struct KindStats {
    kind: HeartbeatKind,
    counts: Counts,
    rtts: Rtts,
    successive: Successive,
    miss_runs: MissRuns,
    /// Of the open connection, or the last one.
    silence: MissStreak,
    /// The last heartbeat judged.
    last_seq: u64,
}

impl KindStats {
    fn new(kind: HeartbeatKind, rtts: Rtts) -> KindStats {
        KindStats {
            kind,
            counts: Counts::default(),
            rtts,
            successive: Successive::default(),
            miss_runs: MissRuns::default(),
            silence: MissStreak::default(),
            last_seq: 0,
        }
    }

    fn record(&mut self, beat: &HeartbeatResult) {
        self.last_seq = self.last_seq.max(beat.seq);
        self.counts.record(beat.outcome, beat.was);
        self.counts.record_acked(beat.outcome, beat.was, beat.acked);
        if beat.later_answered {
            self.counts.record_later_answered(beat.outcome, beat.was);
        }
        self.counts.record_window_exhausted(beat.exhausted_window.is_some());
        self.successive.record(beat.seq, beat.rtt);
        self.silence.record(beat.outcome, beat.later_answered);
        match (beat.outcome, beat.was) {
            (HeartbeatOutcome::Missed, _) => self.miss_runs.miss(beat.seq),
            (_, Some(HeartbeatOutcome::Missed)) => self.miss_runs.unmiss(beat.seq),
            (_, _) => {}
        }
        if let Some(rtt) = beat.first_rtt() {
            self.rtts.record(rtt);
            self.counts.ambiguous += u64::from(beat.rivals > 1);
        }
    }

    fn run_status(&self, limits: &RunStatusLimits) -> RunStatus {
        limits.status(StatusEvidence {
            counts: &self.counts,
            mean_rtt: self.rtts.moments().mean(),
            missed_at_end: self.silence.missed(),
        })
    }

    fn record_unjudged(&mut self, count: u64) {
        self.counts.in_flight = self.counts.in_flight.saturating_add(count);
        self.successive.settle(count);
    }
}

/// The figures of one kind on several connections combined, without a status. `rtts` are their pooled RTTs,
/// if available; otherwise theirs are merged. `keeps_all`: the report takes all RTTs, too.
fn combine<'a>(
    kind: HeartbeatKind,
    parts: impl Iterator<Item = &'a KindStats>,
    rtts: Option<&Rtts>,
    keeps_all: bool,
) -> KindReport {
    let (mut counts, mut merged, mut differences) =
        (Counts::default(), Rtts::default(), Differences::default());
    let (mut longest_miss_run, mut missed_at_end) = (0, 0_u64);
    for part in parts {
        counts.add(&part.counts);
        if rtts.is_none() {
            merged.merge(&part.rtts);
        }
        differences.merge(&part.successive.differences());
        longest_miss_run = longest_miss_run.max(part.miss_runs.longest());
        missed_at_end = missed_at_end.saturating_add(part.miss_runs.up_to(part.last_seq));
    }
    let rtts = rtts.unwrap_or(&merged);
    KindReport {
        kind,
        status: Status::Unknown,
        counts,
        longest_miss_run,
        missed_at_end,
        rtt: rtts.summary(),
        jitter: JitterSummary::new(rtts.moments(), &differences),
        histogram: rtts.bars(),
        pooled: keeps_all
            .then(|| Arc::new(MergeableRtts { rtts: rtts.clone(), differences }))
            .filter(|pooled| pooled.rtts.moments().count() > 0),
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::nanos::Nanos;
    use strum::IntoEnumIterator;

    use super::super::held_back::HeldBack;
    use super::*;
    use crate::domain::connection::close_cause::{CloseKind, ClosedBy};
    use crate::domain::connection::http2::ExhaustedWindow;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::heartbeat::StrayPong;
    use crate::domain::ping::event::ConnId;
    use crate::domain::ping::finding::{PingFinding, ReportedFinding};
    use crate::domain::ping::health::StatusMetrics;
    use crate::domain::ping::history::OutageSpan;
    use crate::domain::ping::measurement::{HostDelay, Measurement};
    use crate::domain::run::run_result::RunResult;
    use crate::domain::stats::timeline::TimelineInterval;
    use proptest::prelude::*;

    const START: SystemTime = SystemTime::UNIX_EPOCH;
    const BOTH: &[HeartbeatKind] = &[HeartbeatKind::Protocol, HeartbeatKind::App];

    fn recorder(targets: usize, connections_each: usize, kinds: &[HeartbeatKind]) -> Recorder {
        let info = RunInfo {
            targets: (0..targets).map(|n| format!("ws://{n}/")).collect(),
            connections_each,
            kinds: kinds.to_vec(),
            interval: Some(secs(1)),
            worst: 5,
            lists_all: false,
            timeout: secs(10),
            outage_after: secs(10),
            count: None,
            deadline: None,
            preset: None,
            demands: Default::default(),
        };
        Recorder::new(info, PassCriteria::default(), START)
    }

    fn secs(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn event(target: usize, index: usize, event: ConnEvent) -> Event {
        Event::Connection { id: ConnId { target, index }, at: START, event }
    }

    fn opened() -> ConnEvent {
        ConnEvent::Opened(Arc::new(ConnectInfo::default()))
    }

    fn beat(
        kind: HeartbeatKind,
        seq: u64,
        outcome: HeartbeatOutcome,
        was: Option<HeartbeatOutcome>,
        rtt: Option<u64>,
    ) -> ConnEvent {
        let lag = was.is_none().then_some(ms(seq));
        let rtt = rtt.map(ms);
        ConnEvent::Heartbeat(HeartbeatResult {
            kind,
            seq,
            outcome,
            was,
            rtt,
            lag,
            to_wire: None,
            from_wire: None,
            acked: None,
            later_answered: false,
            exhausted_window: None,
            sent_again: None,
            rivals: 1,
        })
    }

    fn ok(seq: u64, rtt: u64) -> ConnEvent {
        beat(HeartbeatKind::Protocol, seq, HeartbeatOutcome::Ok, None, Some(rtt))
    }

    fn missed(seq: u64) -> ConnEvent {
        beat(HeartbeatKind::Protocol, seq, HeartbeatOutcome::Missed, None, None)
    }

    fn status(kind: Option<HeartbeatKind>, to: Status, reason: &str) -> ConnEvent {
        let from = Status::Unknown;
        ConnEvent::Status(StatusChange {
            kind,
            from,
            to,
            reason: reason.to_string(),
            metrics: StatusMetrics::default(),
        })
    }

    fn ended(who: ClosedBy, how: CloseKind, at: Duration) -> ConnEvent {
        let ending = CloseCause {
            who,
            how,
            reply: None,
            os_error: None,
            tcp: None,
            age: at,
            idle: Duration::ZERO,
            at: START + at,
        };
        ConnEvent::Ended(Arc::new(ending))
    }

    fn closed_by_us(at: Duration) -> ConnEvent {
        ended(ClosedBy::Us, CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::default() }, at)
    }

    #[test]
    fn the_timeline_has_each_heartbeat_when_it_was_sent() {
        let mut recorder = recorder(1, 1, &[HeartbeatKind::Protocol]);
        let mut at = |millis, event| {
            let (id, at) = (ConnId { target: 0, index: 0 }, START + ms(millis));
            recorder.observe(&Event::Connection { id, at, event });
        };
        at(100, opened());
        at(150, ok(0, 50));
        // Sent at 1.1 s and at 2.1 s; both are known to be missed after the timeout of 10 s, and one is revised.
        at(11_100, missed(1));
        at(12_100, missed(2));
        at(
            12_200,
            beat(
                HeartbeatKind::Protocol,
                2,
                HeartbeatOutcome::Late,
                Some(HeartbeatOutcome::Missed),
                Some(10_100),
            ),
        );
        let timeline = recorder.timeline;
        let when = |index: usize| timeline.width * index as u32;
        let has = |pick: fn(&TimelineInterval) -> u64| {
            let some = timeline.intervals.iter().enumerate().filter(|(_, one)| pick(one) > 0);
            some.map(|(index, one)| (when(index), pick(one))).collect::<Vec<_>>()
        };
        assert_eq!(timeline.width, ms(10));
        assert_eq!(has(|one| one.missed), [(ms(1100), 1)]);
        assert_eq!(has(|one| one.answered), [(ms(100), 1), (ms(2100), 1)]);
        assert_eq!(has(|one| one.late), [(ms(2100), 1)]);
    }

    /// The report on one connection with protocol heartbeats after ten seconds.
    fn after(events: Vec<ConnEvent>) -> PingReport {
        let mut recorder = recorder(1, 1, &[HeartbeatKind::Protocol]);
        events.into_iter().for_each(|conn_event| recorder.observe(&event(0, 0, conn_event)));
        recorder.report(secs(10), false)
    }

    #[test]
    fn figures_of_a_whole_run_are_exact() {
        let report = after(vec![
            ConnEvent::Opening,
            opened(),
            status(None, Status::Healthy, "mean RTT of the last 1 is 10.0 ms"),
            status(Some(HeartbeatKind::Protocol), Status::Healthy, "mean RTT of the last 1 is 10.0 ms"),
            ok(0, 10),
            ok(1, 30),
            missed(2),
            beat(
                HeartbeatKind::Protocol,
                2,
                HeartbeatOutcome::Late,
                Some(HeartbeatOutcome::Missed),
                Some(12_000),
            ),
            beat(HeartbeatKind::Protocol, 3, HeartbeatOutcome::Unsent, None, None),
            ConnEvent::PeerTraffic(PeerTraffic::Stray(HeartbeatKind::Protocol, StrayPong::Duplicate), 1),
            ConnEvent::Unjudged { kind: HeartbeatKind::Protocol, count: 2 },
            closed_by_us(secs(10)),
        ]);
        let figures = &report.kinds[0];
        let counts = Counts { ok: 2, late: 1, unsent: 1, in_flight: 2, duplicate: 1, ..Counts::default() };
        assert_eq!((figures.counts, figures.longest_miss_run), (counts, 0));
        assert_eq!(figures.rtt.map(|rtt| (rtt.count, rtt.min, rtt.max)), Some((3, ms(10), secs(12))));
        // statistics.pstdev([10, 30, 12000]) == 5647.432061467308 (ms)
        assert_eq!(figures.jitter.stddev, Some(Duration::from_nanos(5_647_432_061)));
        assert_eq!(figures.jitter.ipdv_mean, Some(ms(20)), "a late RTT has had its turn");
        assert_eq!(
            (report.status, report.last_status, report.status_counts.as_slice()),
            (Status::Critical, Status::Healthy, [(Status::Critical, 1)].as_slice())
        );
        // (10 + 30 + 12000) / 3 = 4013.3 ms
        let reason = "mean RTT of 3 answered heartbeats is 4013 ms";
        let failed = vec![format!("status is critical: {reason}")];
        assert_eq!((report.verdict, report.reasons), (RunResult::Failed, failed));
        let connection = &report.targets[0].connections[0];
        assert_eq!((connection.status, connection.status_reason.as_str()), (Status::Critical, reason));
        let last = (connection.last_status, connection.last_status_reason.as_str());
        assert_eq!(last, (Status::Healthy, "mean RTT of the last 1 is 10.0 ms"));
        assert_eq!(report.host_lag.map(|lag| lag.max), Some(ms(3)));
    }

    #[test]
    fn unmeasured_figures_are_none() {
        let report = after(vec![opened()]);
        let figures = &report.kinds[0];
        assert_eq!(
            (figures.rtt, figures.jitter, figures.counts.loss()),
            (None, JitterSummary::default(), None)
        );
        assert_eq!((report.host_lag, report.status), (None, Status::Unknown));
        assert_eq!(report.measurement, Measurement::Unknown);
        assert_eq!(report.verdict, RunResult::Inconclusive);
        assert_eq!(report.reasons, ["no protocol heartbeat was sent"]);
    }

    #[test]
    fn one_rtt_has_no_jitter() {
        assert_eq!(after(vec![opened(), ok(0, 10)]).kinds[0].jitter, JitterSummary::default());
    }

    #[test]
    fn interrupt_before_opening_differs_from_later_interrupt() {
        let nothing = RunResult::Interrupted { measured: false };
        assert_eq!(recorder(1, 1, BOTH).report(secs(1), true).verdict, nothing);
        let mut later = recorder(1, 1, &[HeartbeatKind::Protocol]);
        later.observe(&event(0, 0, opened()));
        later.observe(&event(0, 0, ok(0, 10)));
        let report = later.report(secs(1), true);
        assert_eq!((report.verdict, report.interrupted), (RunResult::Passed, true));
    }

    #[test]
    fn kinds_are_kept_apart_on_the_same_connection() {
        let mut recorder = recorder(1, 1, BOTH);
        for conn_event in [
            opened(),
            ok(0, 10),
            beat(HeartbeatKind::App, 0, HeartbeatOutcome::Ok, None, Some(900)),
            status(Some(HeartbeatKind::App), Status::Poor, "slow"),
            status(Some(HeartbeatKind::Protocol), Status::Healthy, "quick"),
            status(None, Status::Poor, "app: slow"),
        ] {
            recorder.observe(&event(0, 0, conn_event));
        }
        let report = recorder.report(secs(1), false);
        let found: Vec<_> = report.kinds.iter().map(|k| (k.kind, k.status, k.rtt.unwrap().max)).collect();
        assert_eq!(
            found,
            [(HeartbeatKind::Protocol, Status::Healthy, ms(10)), (HeartbeatKind::App, Status::Poor, ms(900))]
        );
        assert_eq!((report.status, report.verdict), (Status::Poor, RunResult::Failed));
        let slow = PingFinding::AppSlowerThanProtocol { protocol_p50: ms(10), app_p50: ms(900) };
        assert_eq!(report.findings, [ReportedFinding { finding: slow, target: Some(0) }]);
    }

    #[test]
    fn overall_status_is_the_worst_with_counts() {
        let mut recorder = recorder(2, 2, &[HeartbeatKind::Protocol]);
        for (target, index) in [(0, 0), (0, 1), (1, 0)] {
            recorder.observe(&event(target, index, opened()));
            recorder.observe(&event(target, index, ok(0, 10)));
        }
        recorder.observe(&event(0, 1, ended(ClosedBy::Network, CloseKind::Rst, secs(1))));
        let report = recorder.report(secs(1), false);
        assert_eq!((report.status, report.targets[0].status), (Status::Dead, Status::Dead));
        assert_eq!(report.status_reason, "ws://0/: #1: the connection ended: connection reset (RST)");
        assert_eq!(report.targets[1].status, Status::Unknown);
        assert_eq!(report.status_counts, [(Status::Dead, 1), (Status::Unknown, 1), (Status::Healthy, 2)]);
        let reason = "still opening when the run ended";
        assert_eq!(report.targets[1].connections[1].status_reason, reason);
    }

    /// Twenty heartbeats with an RTT of 10 ms; these are missed.
    fn twenty_except(lost: &[u64]) -> ConnReport {
        let beats = (0..20).map(|seq| if lost.contains(&seq) { missed(seq) } else { ok(seq, 10) });
        let events = std::iter::once(opened()).chain(beats).chain([closed_by_us(secs(20))]).collect();
        after(events).targets.remove(0).connections.remove(0)
    }

    #[test]
    fn one_missed_heartbeat_is_degraded() {
        for lost in [0, 10, 19] {
            let found = twenty_except(&[lost]);
            let reason = "1 of 20 heartbeats missed (5 % loss)";
            assert_eq!((found.status, found.status_reason.as_str()), (Status::Degraded, reason), "{lost}");
        }
    }

    #[test]
    fn twenty_percent_loss_is_poor_at_any_position() {
        for lost in [[1, 6, 11, 16], [0, 1, 2, 3], [4, 9, 14, 19]] {
            let found = twenty_except(&lost);
            let reason = "4 of 20 heartbeats missed (20 % loss)";
            assert_eq!((found.status, found.status_reason.as_str()), (Status::Poor, reason), "{lost:?}");
        }
        assert_eq!(twenty_except(&[1, 5, 9, 13, 17]).status, Status::Critical, "25 % loss");
    }

    #[test]
    fn silence_at_the_end_is_timeout_or_dead() {
        assert_eq!(twenty_except(&[18, 19]).status, Status::Timeout);
        assert_eq!(twenty_except(&[17, 18, 19]).status, Status::Dead);
    }

    #[test]
    fn silent_end_reports_tcp_acknowledgements() {
        let live = "2 consecutive heartbeats missed; TCP acknowledged them";
        let events = vec![opened(), ok(0, 10), missed(1), missed(2), status(None, Status::Timeout, live)];
        assert_eq!(after(events).status_reason, live);
    }

    #[test]
    fn pooled_loss_counts_when_no_connection_shows_it() {
        let mut recorder = recorder(1, 10, &[HeartbeatKind::Protocol]);
        for (index, seq) in (0..10).flat_map(|index| (0..5).map(move |seq| (index, seq))) {
            let is_lost = seq == 2 && index < 6;
            let beat = if is_lost { missed(seq) } else { ok(seq, 10) };
            recorder.observe(&event(0, index, opened()));
            recorder.observe(&event(0, index, beat));
        }
        let report = recorder.report(secs(5), false);
        let reason = "6 of 50 heartbeats missed (12 % loss) on all 10 connections together";
        assert_eq!((report.status, report.status_reason.as_str()), (Status::Poor, reason));
        assert_eq!(report.status_counts, [(Status::Degraded, 6), (Status::Healthy, 4)]);
        assert_eq!((report.kinds[0].status, report.targets[0].kinds[0].status), (Status::Poor, Status::Poor));
        assert_eq!(
            (report.verdict, report.reasons),
            (RunResult::Failed, vec![format!("status is poor: {reason}")])
        );
    }

    /// Three heartbeats are answered, then the server closes the connection, and it is reopened.
    fn cut_and_reconnected(times: u64) -> Vec<ConnEvent> {
        let round = |n: u64| {
            let answers = (3 * n..3 * n + 3).map(|seq| ok(seq, 10));
            let cut = [
                ended(ClosedBy::Peer, CloseKind::Fin, secs(n)),
                ConnEvent::Retry { attempt: 1, after: ms(1) },
            ];
            let again = [opened(), ConnEvent::Reconnected { outage: ms(5), attempts: 1 }];
            answers.chain(cut).chain(again).collect::<Vec<_>>()
        };
        std::iter::once(opened()).chain((0..times).flat_map(round)).collect()
    }

    #[test]
    fn reconnected_connection_is_poor() {
        let report = after(cut_and_reconnected(9));
        assert_eq!((report.kinds[0].counts.ok, report.targets[0].connections[0].reconnects), (27, 9));
        let reason = "the connection was lost 9 times and opened again; mean RTT of 27 answered heartbeats is \
                      10.0 ms";
        assert_eq!((report.status, report.status_reason.as_str()), (Status::Poor, reason));
        assert_eq!((report.last_status, report.verdict), (Status::Unknown, RunResult::Failed));
    }

    /// The administrator, or NTP, sets the wall clock in the middle of a run: durations are measured without it.
    #[test]
    fn stepped_wall_clock_changes_no_figure() {
        let run_with_steps = |steps: [i64; 3]| {
            let mut recorder = recorder(1, 1, &[HeartbeatKind::Protocol]);
            let mut clock = START + secs(100_000);
            let mut record = |event: ConnEvent, step: i64| {
                clock += secs(1);
                let shift = secs(step.unsigned_abs());
                clock = if step < 0 { clock - shift } else { clock + shift };
                recorder.observe(&Event::Connection { id: ConnId { target: 0, index: 0 }, at: clock, event });
            };
            record(opened(), 0);
            for (seq, step) in
                (0..30).zip(steps.into_iter().flat_map(|step| [step, 0, 0, 0, 0, 0, 0, 0, 0, 0]))
            {
                record(if seq == 20 { missed(seq) } else { ok(seq, 10 + seq) }, step);
            }
            record(closed_by_us(secs(31)), 0);
            let mut report = recorder.report(secs(31), false);
            // Charts are drawn by the wall clock, as are the times in the log.
            (report.timeline, report.history) = (Timeline::default(), History::default());
            (report.kinds, report.status, report.verdict, report.elapsed, report.host_lag)
        };
        let steady = run_with_steps([0, 0, 0]);
        for steps in [[-3600, 0, 0], [0, 3600, 0], [7200, -7200, 86_400], [-86_400, -86_400, -86_400]] {
            assert_eq!(run_with_steps(steps), steady, "{steps:?}");
        }
    }

    #[test]
    fn history_has_each_status_and_each_outage() {
        let mut recorder = recorder(1, 2, &[HeartbeatKind::Protocol]);
        let mut at = |second: u64, index: usize, event: ConnEvent| {
            let at = SystemTime::UNIX_EPOCH + secs(second);
            recorder.observe(&Event::Connection { id: ConnId { target: 0, index }, at, event });
        };
        at(0, 0, opened());
        at(0, 1, opened());
        at(1, 0, status(None, Status::Healthy, "fine"));
        at(2, 1, status(None, Status::Healthy, "fine"));
        at(5, 0, ended(ClosedBy::Peer, CloseKind::Fin, secs(5)));
        at(5, 0, status(None, Status::Dead, "it ended"));
        at(9, 0, opened());
        at(10, 0, status(None, Status::Healthy, "fine"));
        let history = recorder.report(secs(12), false).history;
        let statuses: Vec<_> = history.statuses.iter().map(|span| (span.from, span.status)).collect();
        assert_eq!(
            statuses,
            [
                (secs(1), Status::Unknown),
                (secs(2), Status::Healthy),
                (secs(5), Status::Dead),
                (secs(10), Status::Healthy)
            ]
        );
        assert_eq!(history.outages, [OutageSpan { from: secs(5), until: Some(secs(9)) }]);
    }

    #[test]
    fn connection_lost_at_the_end_is_dead() {
        let mut events = cut_and_reconnected(1);
        events.push(ended(ClosedBy::Peer, CloseKind::Fin, secs(3)));
        let report = after(events.clone());
        let reason = "the connection ended: peer closed TCP (FIN) without a close frame";
        assert_eq!((report.status, report.status_reason.as_str()), (Status::Dead, reason));
        assert_eq!(report.kinds[0].status, Status::Dead);
        events.push(opened());
        events.push(ConnEvent::Reconnected { outage: ms(5), attempts: 1 });
        assert_eq!(after(events).status, Status::Poor);
    }

    #[test]
    fn misses_before_reconnect_are_no_silence_at_the_end() {
        let missed_before = vec![opened(), ok(0, 10), missed(1), missed(2), missed(3)];
        let given_up = [ended(ClosedBy::Us, CloseKind::Timeout, secs(4)), opened()];
        let again = [ConnEvent::Reconnected { outage: secs(1), attempts: 1 }, missed(4)];
        let events = missed_before.into_iter().chain(given_up).chain(again).collect();
        // 4 of 5 missed: 80 % loss, and one since the reconnect.
        assert_eq!(after(events).status, Status::Critical);
    }

    #[test]
    fn figures_of_several_connections_are_pooled() {
        let mut recorder = recorder(1, 2, &[HeartbeatKind::Protocol]);
        for (index, conn_event) in
            [(0, ok(0, 10)), (1, missed(0)), (0, ok(1, 20)), (1, missed(1)), (1, ok(2, 60))]
        {
            recorder.observe(&event(0, index, conn_event));
        }
        let figures = &recorder.report(secs(1), false).targets[0].kinds[0];
        assert_eq!((figures.counts.loss(), figures.longest_miss_run), (Some(0.4), 2));
        assert_eq!(figures.rtt.map(|rtt| (rtt.count, rtt.mean)), Some((3, ms(30))));
        assert_eq!(
            figures.jitter.ipdv_mean,
            Some(ms(10)),
            "RTTs of different connections are not successive"
        );
    }

    #[test]
    fn gap_is_an_outage_and_an_unplanned_end() {
        let report = after(vec![
            opened(),
            ok(0, 10),
            ended(ClosedBy::Peer, CloseKind::Fin, secs(2)),
            ConnEvent::Retry { attempt: 0, after: ms(100) },
            opened(),
            ConnEvent::Reconnected { outage: ms(700), attempts: 1 },
            ok(1, 500),
            ok(2, 510),
            closed_by_us(secs(9)),
        ]);
        let connection = &report.targets[0].connections[0];
        let found = (connection.unplanned_endings, connection.reconnects, connection.outage);
        assert_eq!(found, (1, 1, Some(ms(700))));
        let (ending, lost) = (connection.ending.as_ref().unwrap(), connection.lost.as_ref().unwrap());
        assert_eq!(
            (ending.who, lost.who),
            (ClosedBy::Us, ClosedBy::Peer),
            "our own close does not hide the loss"
        );
        assert_eq!(report.verdict, RunResult::Failed);
        assert_eq!(connection.kinds[0].jitter.ipdv_mean, Some(ms(10)), "not across the gap");
    }

    #[test]
    fn lasting_outage_counts_up_to_the_report() {
        let retry = ConnEvent::Retry { attempt: 1, after: ms(100) };
        let lost =
            || vec![opened(), ok(0, 10), ended(ClosedBy::Network, CloseKind::Rst, secs(4)), retry.clone()];
        assert_eq!(outage(lost()), Some(secs(6)));
        let gave_up =
            [lost(), vec![ConnEvent::GaveUp { outage: secs(7), attempts: 3, is_stopped: false }]].concat();
        assert_eq!(outage(gave_up), Some(secs(7)));
        let again = ConnEvent::Reconnected { outage: secs(2), attempts: 1 };
        let twice = [lost(), vec![again], lost()[2..].to_vec()].concat();
        assert_eq!(outage(twice), Some(secs(8)), "2 s that are over, and 6 s that last");
    }

    #[test]
    fn no_reconnect_attempt_means_unknown_outage() {
        let lost = vec![opened(), ok(0, 10), ended(ClosedBy::Network, CloseKind::Rst, secs(4))];
        assert_eq!(outage(lost), None);
        assert_eq!(outage(vec![ConnEvent::Opening]), None);
        assert_eq!(outage(vec![opened(), ok(0, 10)]), Some(Duration::ZERO));
    }

    fn outage(events: Vec<ConnEvent>) -> Option<Duration> {
        after(events).targets[0].connections[0].outage
    }

    #[test]
    fn time_of_the_last_answer_is_kept_with_the_end() {
        let mut recorder = recorder(1, 1, &[HeartbeatKind::Protocol]);
        let events = [
            (1, opened()),
            (2, ok(0, 10)),
            (3, ok(1, 10)),
            (9, missed(2)),
            (9, ended(ClosedBy::Us, CloseKind::Timeout, secs(9))),
        ];
        for (at, what) in events {
            let id = ConnId { target: 0, index: 0 };
            recorder.observe(&Event::Connection { id, at: START + secs(at), event: what });
        }
        let report = recorder.report(secs(10), false);
        // The end is reported at an age of nine seconds, six after the last answer.
        assert_eq!(report.targets[0].connections[0].answered_until, Some(secs(3)));
    }

    #[test]
    fn misses_at_the_end_differ_from_earlier_misses() {
        let late = |seq| {
            beat(
                HeartbeatKind::Protocol,
                seq,
                HeartbeatOutcome::Late,
                Some(HeartbeatOutcome::Missed),
                Some(12_000),
            )
        };
        let report = after(vec![opened(), missed(0), missed(1), late(0), missed(2), late(1), missed(3)]);
        assert_eq!(report.kinds[0].missed_at_end, 2);
        assert_eq!(after(vec![opened(), missed(0), ok(1, 5)]).kinds[0].missed_at_end, 0);
    }

    #[test]
    fn planned_end_is_no_outage() {
        let report = after(vec![opened(), ok(0, 10), closed_by_us(secs(4))]);
        assert_eq!(report.targets[0].connections[0].outage, Some(Duration::ZERO));
        assert_eq!(report.verdict, RunResult::Passed);
    }

    #[test]
    fn answer_with_several_outstanding_is_ambiguous() {
        let mut among = HeartbeatResult {
            kind: HeartbeatKind::Protocol,
            seq: 0,
            outcome: HeartbeatOutcome::Ok,
            was: None,
            rtt: Some(ms(1)),
            lag: None,
            to_wire: None,
            from_wire: None,
            acked: None,
            later_answered: false,
            exhausted_window: None,
            sent_again: None,
            rivals: 2,
        };
        let two = ConnEvent::Heartbeat(among);
        (among.seq, among.rivals) = (1, 1);
        let report = after(vec![opened(), two, ConnEvent::Heartbeat(among)]);
        assert_eq!(report.kinds[0].counts.ambiguous, 1);
    }

    #[test]
    fn what_flow_control_held_back_is_kept_of_all_connections() {
        let held_back = |millis| HeldBack::delayed(Duration::from_millis(millis), ExhaustedWindow::Stream);
        let traffic = |held_back| ServerTraffic { held_back, ..ServerTraffic::default() };
        let mut extras = Extras::default();
        for held_back in [Some(held_back(30)), None, Some(held_back(20))] {
            extras.keep_traffic(&Arc::new(traffic(held_back)));
        }
        let all = held_back(30).and(held_back(20));
        assert_eq!((all.delayed, extras.server_traffic.unwrap().held_back), (2, Some(all)));
    }

    #[test]
    fn server_traffic_is_counted() {
        let report = after(vec![
            opened(),
            ConnEvent::PeerTraffic(PeerTraffic::Message, 1),
            ConnEvent::PeerTraffic(PeerTraffic::Echo, 1),
            ConnEvent::PeerTraffic(PeerTraffic::Echo, 1),
            ConnEvent::PeerTraffic(PeerTraffic::ServerPing { kind: ServerPingKind::App, answered: true }, 1),
            ConnEvent::PeerTraffic(
                PeerTraffic::ServerPing { kind: ServerPingKind::Protocol, answered: true },
                1,
            ),
        ]);
        let found = &report.targets[0].connections[0];
        assert_eq!((found.messages, found.echoes), (1, 2));
        assert_eq!((found.server_pings_app, found.server_pings_protocol), (1, 1));
    }

    #[test]
    fn unstamped_heartbeats_are_counted_beside_host_delay() {
        let facts = ConnectInfo { timestamps: TimestampSource::Kernel, ..ConnectInfo::default() };
        let stamped = |seq, to_wire: Option<u64>, from_wire: Option<u64>| {
            let ConnEvent::Heartbeat(beat) = ok(seq, 20) else { panic!("no beat") };
            ConnEvent::Heartbeat(HeartbeatResult {
                to_wire: to_wire.map(|n| ms(n).into()),
                from_wire: from_wire.map(|n| ms(n).into()),
                ..beat
            })
        };
        let beats = [stamped(0, Some(1), Some(4)), stamped(1, None, Some(6)), stamped(2, Some(3), None)];
        let mut events = vec![ConnEvent::Opened(Arc::new(facts))];
        events.extend(beats);
        events.push(beat(HeartbeatKind::Protocol, 3, HeartbeatOutcome::Missed, None, None));
        let stamping = after(events).stamping;
        assert_eq!(stamping.fell_back, 2, "a missed heartbeat has no RTT to stamp");
        assert_eq!(stamping.to_wire.map(|lag| lag.max), Some(ms(3)));
        assert_eq!(stamping.from_wire.map(|lag| lag.max), Some(ms(6)));
        assert_eq!(after(vec![opened(), ok(0, 20)]).stamping, StampingReport::default());
    }

    #[test]
    fn late_host_makes_the_measurement_suspect() {
        let late = |seq| {
            ConnEvent::Heartbeat(HeartbeatResult {
                kind: HeartbeatKind::Protocol,
                seq,
                outcome: HeartbeatOutcome::Ok,
                was: None,
                rtt: Some(ms(20)),
                lag: Some(ms(12)),
                to_wire: None,
                from_wire: None,
                acked: None,
                later_answered: false,
                exhausted_window: None,
                sent_again: None,
                rivals: 1,
            })
        };
        let report = after(vec![opened(), late(0), late(1)]);
        let late = HostDelay::Late { lag: ms(12), rtt: ms(20), percentile: 50 };
        assert_eq!(report.measurement, Measurement::Suspect(late));
    }

    fn any_kind() -> impl Strategy<Value = HeartbeatKind> {
        prop::sample::select(BOTH)
    }

    fn any_outcome() -> impl Strategy<Value = HeartbeatOutcome> {
        use HeartbeatOutcome::{Late, Missed, Ok, Superseded, Unsent};
        prop::sample::select(vec![Ok, Late, Superseded, Missed, Unsent])
    }

    fn any_beat() -> impl Strategy<Value = ConnEvent> {
        let durations = || prop::option::of(any::<u64>().prop_map(Duration::from_nanos));
        let outcomes = (any_outcome(), prop::option::of(any_outcome()));
        let numbers = (prop_oneof![0_u64..20, any::<u64>()], 0_u32..3);
        let spans = (durations(), durations(), durations(), durations());
        let below = (any::<Option<bool>>(), any::<bool>(), any::<Option<u32>>());
        (any_kind(), outcomes, spans, below, numbers).prop_map(
            |(kind, (outcome, was), (rtt, lag, to_wire, from_wire), below, (seq, rivals))| {
                let (acked, later_answered, sent_again) = below;
                ConnEvent::Heartbeat(HeartbeatResult {
                    kind,
                    seq,
                    outcome,
                    was,
                    rtt,
                    lag,
                    to_wire: to_wire.map(Nanos::from),
                    from_wire: from_wire.map(Nanos::from),
                    acked,
                    later_answered,
                    exhausted_window: later_answered.then_some(ExhaustedWindow::Stream),
                    sent_again,
                    rivals,
                })
            },
        )
    }

    fn any_change() -> impl Strategy<Value = ConnEvent> {
        let kind = prop::option::of(any_kind());
        (kind, prop::sample::select(Status::iter().collect::<Vec<_>>()))
            .prop_map(|(kind, to)| status(kind, to, "why"))
    }

    fn any_ending() -> impl Strategy<Value = ConnEvent> {
        let how =
            prop::sample::select(vec![CloseKind::Fin, CloseKind::Rst, CloseKind::Timeout, CloseKind::Silent]);
        (prop::sample::select(vec![ClosedBy::Us, ClosedBy::Peer, ClosedBy::Network]), how, 0_u64..99)
            .prop_map(|(who, how, at)| ended(who, how, secs(at)))
    }

    fn any_event() -> impl Strategy<Value = Event> {
        let stray =
            prop::sample::select(vec![StrayPong::Duplicate, StrayPong::Mismatched, StrayPong::Unsolicited]);
        let conn_event = prop_oneof![
            8 => any_beat(),
            2 => Just(opened()),
            2 => any_change(),
            1 => any_ending(),
            1 => (any_kind(), stray).prop_map(|(kind, stray)| ConnEvent::PeerTraffic(PeerTraffic::Stray(kind, stray), 1)),
            1 => (any_kind(), any::<u32>()).prop_map(|(kind, n)| ConnEvent::Unjudged { kind, count: n.into() }),
            1 => any::<u64>().prop_map(|n| ConnEvent::Reconnected { outage: secs(n), attempts: 1 }),
            1 => any::<u64>().prop_map(|n| ConnEvent::GaveUp { outage: secs(n), attempts: 1, is_stopped: false }),
            1 => Just(ConnEvent::Retry { attempt: 1, after: ms(1) }),
            1 => prop::sample::select(vec![ConnEvent::PeerTraffic(PeerTraffic::Message, 1), ConnEvent::PeerTraffic(PeerTraffic::Echo, 1), ConnEvent::Opening]),
        ];
        (0_usize..3, 0_usize..3, conn_event).prop_map(|(target, index, what)| event(target, index, what))
    }

    fn sum<'a>(parts: impl Iterator<Item = &'a KindReport>) -> Counts {
        let mut sum = Counts::default();
        parts.for_each(|part| sum.add(&part.counts));
        sum
    }

    /// What must hold for every report.
    fn check(report: &PingReport) -> Result<(), TestCaseError> {
        let targets = || report.targets.iter();
        prop_assert_eq!(sum(report.kinds.iter()), sum(targets().flat_map(|t| &t.kinds)));
        let of_connections = targets().flat_map(|t| &t.connections).flat_map(|c| &c.kinds);
        prop_assert_eq!(sum(report.kinds.iter()), sum(of_connections));
        prop_assert_eq!(report.status_counts.iter().map(|(_, n)| n).sum::<u64>(), 4);
        // The loss over all connections may give a worse status than any single connection.
        prop_assert!(report.status_counts.first().is_some_and(|(worst, _)| *worst <= report.status));
        prop_assert_eq!(targets().map(|target| target.status).max(), Some(report.status));
        prop_assert_eq!(report.reasons.is_empty(), report.verdict == RunResult::Passed);
        for figures in &report.kinds {
            prop_assert!(figures.counts.loss().is_none_or(|loss| (0.0..=1.0).contains(&loss)));
            let drawn = figures.histogram.iter().map(|bar| bar.1).sum::<u64>();
            prop_assert_eq!(figures.rtt.map_or(0, |rtt| rtt.count), drawn);
        }
        Ok(())
    }

    /// A heartbeat's outcomes as `OutstandingPings` reports them: the first one, and perhaps a revision.
    type RevisedOutcome = (HeartbeatOutcome, Option<HeartbeatOutcome>);

    fn outcome() -> impl Strategy<Value = RevisedOutcome> {
        use HeartbeatOutcome::{Late, Missed, Ok, Superseded, Unsent};
        prop::sample::select(vec![
            (Ok, None),
            (Late, None),
            (Unsent, None),
            (Missed, None),
            (Missed, Some(Late)),
            (Superseded, None),
            (Superseded, Some(Ok)),
        ])
    }

    fn heartbeat_event(seq: u64, outcome: HeartbeatOutcome, was: Option<HeartbeatOutcome>) -> ConnEvent {
        let answered = outcome.is_answered();
        beat(HeartbeatKind::Protocol, seq, outcome, was, answered.then_some(seq + 1))
    }

    proptest! {
        #[test]
        fn any_event_sequence_keeps_the_counts(events in prop::collection::vec(any_event(), 0..80)) {
            let mut recorder = recorder(2, 2, BOTH);
            for event in &events {
                recorder.observe(event);
            }
            check(&recorder.report(secs(50), events.len() % 2 == 0))?;
        }

        #[test]
        fn every_heartbeat_is_counted_once(outcomes in prop::collection::vec(outcome(), 0..60)) {
            let firsts = (0..).zip(&outcomes).map(|(seq, (first, _))| heartbeat_event(seq, *first, None));
            let revision = |(seq, (first, then)): (u64, &RevisedOutcome)| Some(heartbeat_event(seq, (*then)?, Some(*first)));
            let revisions = (0..).zip(&outcomes).filter_map(revision);
            let report = after(std::iter::once(opened()).chain(firsts).chain(revisions).collect());
            let finals: Vec<_> = outcomes.iter().map(|(first, then)| then.unwrap_or(*first)).collect();
            let of = |outcome| finals.iter().filter(|last| **last == outcome).count() as u64;
            let counts = Counts {
                ok: of(HeartbeatOutcome::Ok),
                late: of(HeartbeatOutcome::Late),
                superseded: of(HeartbeatOutcome::Superseded),
                missed: of(HeartbeatOutcome::Missed),
                unsent: of(HeartbeatOutcome::Unsent),
                ..Counts::default()
            };
            let figures = &report.kinds[0];
            prop_assert_eq!(figures.counts, counts);
            prop_assert_eq!(figures.rtt.map_or(0, |rtt| rtt.count), counts.answered());
            let run = finals.split(|last| *last != HeartbeatOutcome::Missed).map(<[HeartbeatOutcome]>::len).max().unwrap_or(0);
            prop_assert_eq!(figures.longest_miss_run as usize, run);
        }
    }
}
