//! Infers the findings from all events, and their reasons.

use std::time::Duration;

use super::covered_timeouts::CoveredTimeouts;
use super::findings::{
    EndLiveness, EndedBy, KindFindings, ListenFindings, ListenVerdict, ObservationConditions,
    UnansweredPolicy,
};
use super::interarrival::Interarrival;
use super::listen_finding::{ListenFinding, ObservationLimit};
use super::listening::ListenState;
use super::per_kind::{KindRecord, ScheduleKnowledge};
use super::server_event::ServerEventClass;
use super::timer_evidence::IntervalOrigin;
use super::traffic_effect::{TrafficEffect, TrafficEffects};
use crate::domain::stats::interval::{Interval, tolerance};

/// Heartbeats have stopped if the next one is missing for this many intervals.
const STOPPED_AFTER_INTERVALS: f64 = 2.5;
/// Minimum silence that counts as a pause, however short the interval.
const MIN_SILENCE: Duration = Duration::from_millis(100);
/// The longest silence that a lost frame explains: TCP sends it again after 200 ms or more, and after twice as long each time
/// that it is lost again (RFC 6298).
const MAX_RETRANSMISSION: Duration = Duration::from_secs(2);

impl ListenState {
    pub fn findings(&self, how: &ObservationConditions) -> ListenFindings {
        ListenInference { state: self, how }.findings()
    }
}

/// Silence for this fraction of the time counts as silence throughout.
const MIN_SILENT_FRACTION: f64 = 0.9;

/// The events, and the conditions of the observation.
struct ListenInference<'a> {
    state: &'a ListenState,
    how: &'a ObservationConditions,
}

impl ListenInference<'_> {
    fn findings(&self) -> ListenFindings {
        let kinds = self.state.kinds();
        let quiet = self.state.longest_quiet.max(self.since(self.state.last_bytes()));
        let most_informative = self.most_informative();
        let heartbeat = most_informative.map(|(kind, _)| kind);
        let longest_still = self.longest_still();
        let requesting = self.requesting(heartbeat);
        let requesting = kinds.iter().find(|kind| Some(kind.kind()) == requesting);
        let unanswered = requesting.and_then(|kind| self.unanswered(kind));
        let kind = kinds.iter().find(|kind| Some(kind.kind()) == heartbeat);
        let origin = kind.and_then(origin);
        let periodic = self.state.periodic(self.how.listened);
        let (verdict, mut reasons) = match &periodic {
            Some(_) if most_informative.is_none() => {
                (ListenVerdict::PeriodicMessages, self.silence_caveat().into_iter().collect())
            }
            Some(_) | None => self.decide(most_informative, kind),
        };
        reasons.extend(self.caveats());
        ListenFindings {
            verdict,
            reasons,
            kinds,
            heartbeat,
            periodic,
            origin,
            unanswered,
            covered_timeouts: self.covered_timeouts().filter(|_| verdict == ListenVerdict::ServerPingsEvery),
            longest_quiet: quiet,
            longest_still,
            listened: self.how.listened,
        }
    }

    /// What limits the observation.
    fn caveats(&self) -> impl Iterator<Item = ListenFinding> {
        let stall = self.how.stood_still.map(|span| ListenFinding::HostStalled { span });
        let incomplete = self.how.incomplete.map(ListenFinding::MessageIncomplete);
        let held_back = self.how.held_back;
        let held_back = held_back.map(|window| ListenFinding::HeldBackByFlowControl { window });
        stall.into_iter().chain(held_back).chain(incomplete).chain(liveness_caveat(self.how.known))
    }

    /// The most informative kind; one still running before one that stopped.
    fn most_informative(&self) -> Option<(ServerEventClass, ScheduleKnowledge)> {
        self.running().next().or_else(|| self.state.most_informative())
    }

    /// The kinds with a confirmed interval that have not stopped, the most informative first.
    fn running(&self) -> impl Iterator<Item = (ServerEventClass, ScheduleKnowledge)> {
        let runs = |(kind, schedule): &(ServerEventClass, ScheduleKnowledge)| match schedule {
            ScheduleKnowledge::Steady(interval) => {
                let kind =
                    self.state.kinds.get(kind).map(|record| record.findings(*kind, self.state.longest_quiet));
                kind.is_some_and(|kind| self.stopped(&kind, *interval).is_none())
            }
            ScheduleKnowledge::SinceTraffic(interval) => {
                self.stopped_after_traffic(*kind, *interval).is_none()
            }
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => false,
        };
        self.state.borne_out().into_iter().filter(runs)
    }

    /// What the shortest interval covers, unless the path was unused for longer. `None` if the connection was
    /// dropped, or may have been since the last event.
    fn covered_timeouts(&self) -> Option<CoveredTimeouts> {
        let interval = |(kind, schedule): (ServerEventClass, ScheduleKnowledge)| match schedule {
            // The tick after a skipped one comes up to two intervals after the client's traffic. That is the worst case,
            // so it may reach the timeout itself: 1.5 intervals are three quarters of it.
            ScheduleKnowledge::Steady(interval) if self.is_skipping(kind) => {
                Some(interval.max.max(interval.median.mul_f64(1.5)))
            }
            ScheduleKnowledge::Steady(interval) | ScheduleKnowledge::SinceTraffic(interval) => {
                Some(interval.max)
            }
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => None,
        };
        let shortest = self.running().filter_map(interval).min()?;
        let was_known = match self.how.known {
            EndLiveness::ToTheEnd => true,
            EndLiveness::Forgotten => false,
            EndLiveness::Unasked => self.since(self.state.last) <= shortest + tolerance(shortest),
        };
        was_known.then(|| CoveredTimeouts::of(shortest.max(self.longest_still())))
    }

    /// Whether client traffic makes the server skip heartbeats of this kind.
    fn is_skipping(&self, kind: ServerEventClass) -> bool {
        let record =
            self.state.kinds.get(&kind).map(|record| record.findings(kind, self.state.longest_quiet));
        let effects = record.and_then(|found| found.by_client);
        effects.is_some_and(|effects| effects.effect == TrafficEffect::Skipped)
    }

    /// The longest time that the path was unused, except for answers; includes the start and the end.
    fn longest_still(&self) -> Duration {
        self.state.longest_idle_until(self.how.listened)
    }

    /// The time from `moment` to the end, while this host ran.
    fn since(&self, moment: Duration) -> Duration {
        self.how.listened.saturating_sub(moment.max(self.state.late_until))
    }

    /// The kind that asks for answers: the heartbeat itself, or else the most frequent one.
    fn requesting(&self, heartbeat: Option<ServerEventClass>) -> Option<ServerEventClass> {
        let asks = self.state.kinds.iter().filter(|(kind, _)| kind.event_kind.asks());
        let commonest = || asks.max_by_key(|(_, record)| record.arrivals.count).map(|(kind, _)| *kind);
        heartbeat.filter(|kind| kind.event_kind.asks()).or_else(commonest)
    }

    fn decide(
        &self,
        most_informative: Option<(ServerEventClass, ScheduleKnowledge)>,
        kind: Option<&KindFindings>,
    ) -> (ListenVerdict, Vec<ListenFinding>) {
        let inconclusive = |why: ListenFinding| (ListenVerdict::Inconclusive, vec![why]);
        let (Some((which, schedule)), Some(kind)) = (most_informative, kind) else {
            return self.no_heartbeat_verdict();
        };
        match schedule {
            ScheduleKnowledge::Steady(interval) => match self.stopped(kind, interval) {
                Some(why) => inconclusive(why),
                None => self.steady_verdict(kind, interval),
            },
            ScheduleKnowledge::SinceTraffic(interval) => match self.stopped_after_traffic(which, interval) {
                Some(why) => inconclusive(why),
                None => (ListenVerdict::ServerPingsEvery, Vec::new()),
            },
            ScheduleKnowledge::Hinted(interval) => {
                inconclusive(ListenFinding::OnlyAfterMessages { after: interval.median })
            }
            ScheduleKnowledge::Unsteady => self.unsteady_verdict(which),
        }
    }

    /// A steady heartbeat; the next one may be overdue.
    fn steady_verdict(&self, kind: &KindFindings, interval: Interval) -> (ListenVerdict, Vec<ListenFinding>) {
        let silence = self.state.last(kind.kind()).map(|last| self.since(last));
        let longest = interval.max + tolerance(interval.max);
        let overdue = silence.filter(|silence| self.how.answered && *silence > longest.max(MIN_SILENCE));
        let found = overdue.map(|silence| ListenFinding::HeartbeatOverdue { silence });
        // Traffic may have postponed it, even if that was never seen before.
        let is_gone = overdue.is_some_and(|silence| is_pause(silence, interval.max)) && !is_postponed(kind);
        let verdict = match (found.is_some(), interval.gaps) {
            // A single gap confirms the interval, and the missing heartbeat contradicts it.
            (true, 1) => ListenVerdict::Inconclusive,
            (_, _) if is_gone => ListenVerdict::Inconclusive,
            (_, _) => ListenVerdict::ServerPingsEvery,
        };
        (verdict, pauses(&interval).into_iter().chain(found).collect())
    }

    /// "No heartbeat" is a finding only if wscheck listened from the opening to the end.
    fn no_heartbeat_verdict(&self) -> (ListenVerdict, Vec<ListenFinding>) {
        let is_cut_short = self.how.interrupted || self.how.ended.is_some();
        let is_disturbed = self.how.known != EndLiveness::ToTheEnd
            || self.how.stood_still.is_some()
            || self.how.incomplete.is_some();
        let limit = match (self.state.missed_some, is_cut_short) {
            _ if is_disturbed => ObservationLimit::Disturbed,
            (true, _) => ObservationLimit::BeganLate,
            (false, true) => ObservationLimit::CutShort,
            (false, false) => {
                return (ListenVerdict::ServerIsSilentFor, self.silence_caveat().into_iter().collect());
            }
        };
        let why = ListenFinding::NoHeartbeatSeen { listened: self.how.listened, limit };
        (ListenVerdict::Inconclusive, vec![why])
    }

    /// A server that pings only after a silence may never have had one.
    fn silence_caveat(&self) -> Option<ListenFinding> {
        let longest = self.longest_still();
        (longest < self.how.listened.mul_f64(MIN_SILENT_FRACTION))
            .then_some(ListenFinding::SilenceTooShort { longest })
    }

    /// Heartbeats without an interval: many are irregular, few show nothing.
    fn unsteady_verdict(&self, kind: ServerEventClass) -> (ListenVerdict, Vec<ListenFinding>) {
        let record = self.state.kinds.get(&kind);
        let arrivals = record.map(|record| &record.arrivals);
        let gaps = arrivals.and_then(Interarrival::interval).map_or(0, |interval| interval.gaps);
        if gaps >= 3 {
            return (ListenVerdict::Irregular, Vec::new());
        }
        let why = ListenFinding::TooFewHeartbeats {
            count: arrivals.map_or(0, |arrivals| arrivals.count),
            listened: self.how.listened,
            answered: self.how.answered,
            ended: self.how.ended.is_some(),
        };
        (ListenVerdict::Inconclusive, vec![why])
    }

    /// Whether heartbeats counted from the last traffic have stopped: they were answered, and a silence
    /// passed without one.
    fn stopped_after_traffic(&self, kind: ServerEventClass, interval: Interval) -> Option<ListenFinding> {
        let KindRecord { arrivals, pause_since, .. } =
            self.state.kinds.get(&kind).filter(|_| self.how.answered)?;
        let last = self.state.last.max(self.state.client_sent.unwrap_or_default());
        let silence = self.since(last).max(*pause_since);
        // A clock that skips active clients may fire later than one interval after client traffic.
        let is_over = if last > self.state.last {
            is_stop(silence, interval.median)
        } else {
            silence > (interval.median + tolerance(interval.median)).max(MAX_RETRANSMISSION)
        };
        is_over.then_some(ListenFinding::HeartbeatsStopped {
            count: arrivals.count,
            interval: Some(interval.median),
            since_traffic: true,
            silence,
        })
    }

    /// Whether a steady heartbeat has stopped: it was answered, and none came for long.
    fn stopped(&self, kind: &KindFindings, interval: Interval) -> Option<ListenFinding> {
        let silence = self.overdue(kind);
        (self.how.answered && is_stop(silence, interval.max)).then_some(ListenFinding::HeartbeatsStopped {
            count: kind.count,
            interval: (!interval.is_burst()).then_some(interval.median),
            since_traffic: false,
            silence,
        })
    }

    /// How long the next heartbeat may have been overdue. Traffic may have postponed it unless it was seen
    /// not to; in a silence nothing did.
    fn overdue(&self, kind: &KindFindings) -> Duration {
        let postpones = |effects: Option<TrafficEffects>| {
            effects.is_none_or(|seen| seen.effect != TrafficEffect::Unmoved)
        };
        let client_sent = self.state.client_sent.filter(|_| postpones(kind.by_client));
        let last_message = self.state.last_message.filter(|_| postpones(kind.by_server));
        let Some(record) = self.state.kinds.get(&kind.kind()) else { return Duration::ZERO };
        let last = record.arrivals.last;
        let since = [client_sent, last_message].into_iter().flatten().fold(last, Duration::max);
        let silence = if client_sent.is_none_or(|client_sent| client_sent <= last) {
            record.pause_since
        } else {
            Duration::ZERO
        };
        self.since(since).max(silence)
    }

    /// What the server did about unanswered heartbeats.
    fn unanswered(&self, kind: &KindFindings) -> Option<UnansweredPolicy> {
        let answered = self.state.kinds.get(&kind.kind()).filter(|_| !self.how.answered)?.answered;
        let after = kind.count.checked_sub(answered).filter(|unanswered| *unanswered > 0)?;
        match self.how.ended {
            Some(EndedBy::Server) => return Some(UnansweredPolicy::Ends { after }),
            // What the server would have done is unknown.
            Some(EndedBy::Breakage) => return None,
            None => {}
        }
        if self.how.known == EndLiveness::Forgotten {
            return None;
        }
        let interval = kind.borne_out()?;
        let waited = self.since(self.state.last(kind.kind())?);
        let is_overdue = match kind.sure {
            true => waited > (interval.max + tolerance(interval.max)).max(MIN_SILENCE),
            // Any of its traffic may have postponed it.
            false => is_stop(waited, interval.median),
        };
        match (is_stop(self.overdue(kind), interval.max), is_overdue) {
            (true, _) => {
                (self.how.known == EndLiveness::ToTheEnd).then_some(UnansweredPolicy::Stops { after })
            }
            // A single one may be the last.
            (false, false) => (after >= 2).then_some(UnansweredPolicy::GoesOn { after }),
            // It stopped, or was postponed all the time.
            (false, true) => None,
        }
    }
}

fn liveness_caveat(known: EndLiveness) -> Option<ListenFinding> {
    match known {
        EndLiveness::ToTheEnd => None,
        EndLiveness::Forgotten => Some(ListenFinding::PathDropped),
        EndLiveness::Unasked => Some(ListenFinding::LivenessUnknown),
    }
}

/// Whether traffic of either side was seen to postpone the next heartbeat.
fn is_postponed(kind: &KindFindings) -> bool {
    let postpones =
        |effects: TrafficEffects| matches!(effects.effect, TrafficEffect::Postponed | TrafficEffect::Skipped);
    [kind.by_client, kind.by_server].into_iter().flatten().any(postpones)
}

/// Whether a silence of this length means that heartbeats at this interval have stopped.
fn is_stop(silence: Duration, interval: Duration) -> bool {
    silence > interval.mul_f64(STOPPED_AFTER_INTERVALS).max(MAX_RETRANSMISSION)
}

/// Whether heartbeats at this interval are missing, if only because a frame was lost.
fn is_pause(silence: Duration, interval: Duration) -> bool {
    silence > interval.mul_f64(STOPPED_AFTER_INTERVALS).max(MIN_SILENCE)
}

/// The pause, if an interval was not kept all the time.
fn pauses(interval: &Interval) -> Option<ListenFinding> {
    let intervals = interval.max.as_secs_f64() / interval.median.as_secs_f64();
    let is_pause = intervals > STOPPED_AFTER_INTERVALS && interval.max > MIN_SILENCE;
    let (longest, burst) = (interval.max, interval.is_burst());
    is_pause.then_some(ListenFinding::HeartbeatsPaused { longest, intervals, burst })
}

/// What the server counts from. A fixed clock is one that client traffic does not move; that server traffic
/// does not move it is not enough.
fn origin(kind: &KindFindings) -> Option<IntervalOrigin> {
    if kind.since_traffic.is_some() {
        return Some(IntervalOrigin::LastTraffic);
    }
    let shown =
        |effects: TrafficEffects| if effects.is_proven { effects.effect } else { TrafficEffect::Mixed };
    match [kind.by_client, kind.by_server].map(|effects| effects.map(shown)) {
        [Some(TrafficEffect::Postponed), _] | [_, Some(TrafficEffect::Postponed)] => {
            Some(IntervalOrigin::LastTraffic)
        }
        // If its messages keep step with the heartbeats, it may count from them.
        [Some(TrafficEffect::Unmoved), None | Some(TrafficEffect::Unmoved)] => {
            (!kind.in_step).then_some(IntervalOrigin::FixedClock)
        }
        [Some(TrafficEffect::Skipped), _] | [Some(TrafficEffect::Unmoved), Some(TrafficEffect::Skipped)] => {
            Some(IntervalOrigin::FixedClock)
        }
        [Some(TrafficEffect::Mixed), _] | [None | Some(TrafficEffect::Unmoved), _] => None,
    }
}
