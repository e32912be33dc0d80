//! What all that was heard comes to, and why.

use std::time::Duration;

use super::covered_timeouts::CoveredTimeouts;
use super::findings::{
    EndLiveness, EndedBy, IntervalOrigin, KindFindings, ListenFindings, ListenVerdict, ObservationConditions,
    UnansweredPolicy,
};
use super::interarrival::Interarrival;
use super::listening::ListenState;
use super::per_kind::{KindRecord, ScheduleKnowledge};
use super::server_event::ServerEventClass;
use super::traffic_effect::{TrafficEffect, TrafficEffects};
use crate::domain::format::{counted, duration as show};
use crate::domain::stats::interval::{Interval, tolerance};

/// After so many intervals without the next heartbeat they have stopped.
const STOPPED_AFTER_INTERVALS: f64 = 2.5;
/// A shorter silence is no sign of that, however short the interval.
const MIN_SILENCE: Duration = Duration::from_millis(100);

impl ListenState {
    /// What it comes to by now.
    pub fn findings(&self, how: &ObservationConditions) -> ListenFindings {
        ListenInference { heard: self, how }.findings()
    }
}

/// Who was silent for so large a part of the time was so all the while.
const SILENT_THROUGHOUT_PART: f64 = 0.9;

const UNASKED: &str = "it was not waited for whether the connection was still known at the other end";
const FORGOTTEN: &str = "nobody knew the connection any more at the end, and no end had been heard: the path forgot it, \
                         so heartbeats may have been lost (`wscheck probe-idle` tells after how long a path forgets)";

/// What was heard, and how it was listened.
struct ListenInference<'a> {
    heard: &'a ListenState,
    how: &'a ObservationConditions,
}

impl ListenInference<'_> {
    fn findings(&self) -> ListenFindings {
        let kinds = self.heard.kinds();
        let quiet = self.heard.longest_quiet.max(self.since(self.heard.last_bytes()));
        let foremost = self.foremost();
        let heartbeat = foremost.map(|(kind, _)| kind);
        let longest_still = self.longest_still();
        let asking = self.asking(heartbeat);
        let asking = kinds.iter().find(|kind| Some(kind.kind()) == asking);
        let unanswered = asking.and_then(|kind| self.unanswered(kind));
        let kind = kinds.iter().find(|kind| Some(kind.kind()) == heartbeat);
        let origin = kind.and_then(origin);
        let periodic = self.heard.periodic(self.how.listened);
        let (verdict, mut reasons) = match &periodic {
            Some(_) if foremost.is_none() => {
                (ListenVerdict::PeriodicMessages, self.unseen_silences().into_iter().collect())
            }
            Some(_) | None => self.judge(foremost, kind),
        };
        reasons.extend(self.how.stood_still.map(stood_still));
        reasons.extend(self.how.incomplete.map(|part| format!("{part}: what it says is not known")));
        reasons.extend(untold(self.how.known).map(str::to_string));
        reasons.extend(unanswered.and_then(not_for_those).map(str::to_string));
        ListenFindings {
            verdict,
            reasons,
            kinds,
            heartbeat,
            periodic,
            origin,
            unanswered,
            clearance: self.clearance().filter(|_| verdict == ListenVerdict::ServerPingsEvery),
            longest_quiet: quiet,
            longest_still,
            listened: self.how.listened,
        }
    }

    /// The kind that tells most; before one that stopped, one that did not.
    fn foremost(&self) -> Option<(ServerEventClass, ScheduleKnowledge)> {
        self.running().next().or_else(|| self.heard.foremost())
    }

    /// The kinds whose interval is borne out, and that have not stopped; those first that tell most.
    fn running(&self) -> impl Iterator<Item = (ServerEventClass, ScheduleKnowledge)> {
        let runs = |(kind, standing): &(ServerEventClass, ScheduleKnowledge)| match standing {
            ScheduleKnowledge::Steady(interval) => {
                let kind =
                    self.heard.kinds.get(kind).map(|heard| heard.findings(*kind, self.heard.longest_quiet));
                kind.is_some_and(|kind| self.stopped(&kind, *interval).is_none())
            }
            ScheduleKnowledge::SinceTraffic(interval) => self.fell_silent(*kind, *interval).is_none(),
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => false,
        };
        self.heard.borne_out().into_iter().filter(runs)
    }

    /// What the shortest of the intervals clears, if the path was not unused for longer; nothing where it was forgotten,
    /// or may have been since the last of them.
    fn clearance(&self) -> Option<CoveredTimeouts> {
        let interval = |(_, standing): (ServerEventClass, ScheduleKnowledge)| match standing {
            ScheduleKnowledge::Steady(interval) | ScheduleKnowledge::SinceTraffic(interval) => {
                Some(interval.max)
            }
            ScheduleKnowledge::Hinted(_) | ScheduleKnowledge::Unsteady => None,
        };
        let shortest = self.running().filter_map(interval).min()?;
        let was_known = match self.how.known {
            EndLiveness::ToTheEnd => true,
            EndLiveness::Forgotten => false,
            EndLiveness::Unasked => self.since(self.heard.last) <= shortest + tolerance(shortest),
        };
        was_known.then(|| CoveredTimeouts::of(shortest.max(self.longest_still())))
    }

    /// How long the path was not used at the longest, but for answers: before the first heartbeat, and at the end, too.
    fn longest_still(&self) -> Duration {
        self.heard.still_until(self.how.listened)
    }

    /// From that moment to the end, as far as this host listened.
    fn since(&self, moment: Duration) -> Duration {
        self.how.listened.saturating_sub(moment.max(self.heard.late_until))
    }

    /// The kind that waits for answers: the heartbeat itself, or else the commonest that does.
    fn asking(&self, heartbeat: Option<ServerEventClass>) -> Option<ServerEventClass> {
        let asks = self.heard.kinds.iter().filter(|(kind, _)| kind.sound.asks());
        let commonest = || asks.max_by_key(|(_, heard)| heard.rhythm.count).map(|(kind, _)| *kind);
        heartbeat.filter(|kind| kind.sound.asks()).or_else(commonest)
    }

    fn judge(
        &self,
        foremost: Option<(ServerEventClass, ScheduleKnowledge)>,
        kind: Option<&KindFindings>,
    ) -> (ListenVerdict, Vec<String>) {
        let inconclusive = |why: String| (ListenVerdict::Inconclusive, vec![why]);
        let (Some((which, standing)), Some(kind)) = (foremost, kind) else { return self.nothing_heard() };
        match standing {
            ScheduleKnowledge::Steady(interval) => match self.stopped(kind, interval) {
                Some(why) => inconclusive(why),
                None => self.steady(kind, interval),
            },
            ScheduleKnowledge::SinceTraffic(interval) => match self.fell_silent(which, interval) {
                Some(why) => inconclusive(why),
                None => (ListenVerdict::ServerPingsEvery, Vec::new()),
            },
            ScheduleKnowledge::Hinted(interval) => inconclusive(format!(
                "each came {} after the last that the server said, and none was seen to follow another: whether they \
                 come when it says nothing else is not known; listen for longer",
                show(interval.median)
            )),
            ScheduleKnowledge::Unsteady => self.unsteady(which),
        }
    }

    /// A steady heartbeat, of which the next may be overdue.
    fn steady(&self, kind: &KindFindings, interval: Interval) -> (ListenVerdict, Vec<String>) {
        let silence = self.heard.last(kind.kind()).map(|last| self.since(last));
        let longest = interval.max + tolerance(interval.max);
        let overdue = silence.filter(|silence| self.how.answered && *silence > longest.max(MIN_SILENCE));
        let told = overdue.map(|silence| format!("the last came {} before the end", show(silence)));
        // What was said meanwhile may have postponed it, which was never seen.
        let is_gone = overdue.is_some_and(|silence| is_stop(silence, interval.max)) && !is_postponed(kind);
        let verdict = match (told.is_some(), interval.gaps) {
            // It is one gap that bears it out, and the next contradicts it.
            (true, 1) => ListenVerdict::Inconclusive,
            (_, _) if is_gone => ListenVerdict::Inconclusive,
            (_, _) => ListenVerdict::ServerPingsEvery,
        };
        (verdict, paused(&interval).into_iter().chain(told).collect())
    }

    /// No heartbeat is a finding only where it was listened from the opening to the end.
    fn nothing_heard(&self) -> (ListenVerdict, Vec<String>) {
        let listened = show(self.how.listened);
        let is_cut_short = self.how.interrupted || self.how.ended.is_some();
        let why = match (self.heard.missed_some, is_cut_short) {
            _ if self.how.known != EndLiveness::ToTheEnd
                || self.how.stood_still.is_some()
                || self.how.incomplete.is_some() =>
            {
                format!("no heartbeat came in {listened}")
            }
            (true, _) => format!("a heartbeat came before it was listened, and none since, in {listened}"),
            (false, true) => format!("no heartbeat came in {listened}, which was not the whole time"),
            (false, false) => {
                return (ListenVerdict::ServerIsSilentFor, self.unseen_silences().into_iter().collect());
            }
        };
        (ListenVerdict::Inconclusive, vec![why])
    }

    /// A server that lets its heartbeats wait for a silence may never have met one.
    fn unseen_silences(&self) -> Option<String> {
        let still = self.longest_still();
        (still < self.how.listened.mul_f64(SILENT_THROUGHOUT_PART)).then(|| {
            format!(
                "neither side was silent for longer than {}: heartbeats that wait for a longer silence would not have \
                 shown",
                show(still)
            )
        })
    }

    /// Heartbeats without an interval: many are irregular, and few tell nothing.
    fn unsteady(&self, kind: ServerEventClass) -> (ListenVerdict, Vec<String>) {
        let heard = self.heard.kinds.get(&kind);
        let rhythm = heard.map(|heard| &heard.rhythm);
        let gaps = rhythm.and_then(Interarrival::interval).map_or(0, |interval| interval.gaps);
        if gaps >= 3 {
            return match heard.and_then(KindRecord::batching) {
                None => (ListenVerdict::Irregular, Vec::new()),
                Some(batching) => (ListenVerdict::Inconclusive, vec![moved_by_messages(batching)]),
            };
        }
        let count = rhythm.map_or(0, |rhythm| rhythm.count);
        let (beats, listened) = (counted(count, "heartbeat"), show(self.how.listened));
        let why = match count {
            1 => "an interval needs more",
            _ => "their gaps bear out no interval yet",
        };
        let advice = match self.how.answered {
            true => "listen for longer",
            // It may wait for the answer.
            false => "answer them, or listen for longer",
        };
        (ListenVerdict::Inconclusive, vec![format!("only {beats} came in {listened}: {why}; {advice}")])
    }

    /// Why heartbeats that are counted from the last traffic are so no more: they were answered, and a silence went by
    /// without one.
    fn fell_silent(&self, kind: ServerEventClass, interval: Interval) -> Option<String> {
        let KindRecord { rhythm, pause_since, .. } =
            self.heard.kinds.get(&kind).filter(|_| self.how.answered)?;
        let last = self.heard.last.max(self.heard.talked.unwrap_or_default());
        let silence = self.since(last).max(*pause_since);
        // A clock that skips the active may come later than an interval after what the client said.
        let is_over = if last > self.heard.last {
            is_stop(silence, interval.median)
        } else {
            silence > interval.median + tolerance(interval.median)
        };
        is_over.then(|| {
            let (count, after) = (counted(rhythm.count, "heartbeat"), show(interval.median));
            format!(
                "{count} came, {after} after the last that the server said, and then none in {}",
                show(silence)
            )
        })
    }

    /// Why a steady heartbeat is not one any more: it was answered, and none came for long.
    fn stopped(&self, kind: &KindFindings, interval: Interval) -> Option<String> {
        let silence = self.overdue(kind);
        (self.how.answered && is_stop(silence, interval.max)).then(|| {
            let every = if interval.is_burst() {
                "in a burst".to_string()
            } else {
                format!("every {}", show(interval.median))
            };
            format!("{} came, {every}, and then none in {}", counted(kind.count, "heartbeat"), show(silence))
        })
    }

    /// For how long the next heartbeat may have been waited for. What was said meanwhile may have postponed it, unless
    /// that was seen not to; but nothing did in a silence.
    fn overdue(&self, kind: &KindFindings) -> Duration {
        let postpones = |effects: Option<TrafficEffects>| {
            effects.is_none_or(|seen| seen.effect != TrafficEffect::Unmoved)
        };
        let talked = self.heard.talked.filter(|_| postpones(kind.by_client));
        let messaged = self.heard.messaged.filter(|_| postpones(kind.by_server));
        let Some(heard) = self.heard.kinds.get(&kind.kind()) else { return Duration::ZERO };
        let last = heard.rhythm.last;
        let since = [talked, messaged].into_iter().flatten().fold(last, Duration::max);
        let silence =
            if talked.is_none_or(|talked| talked <= last) { heard.pause_since } else { Duration::ZERO };
        self.since(since).max(silence)
    }

    /// What became of the heartbeats that were not answered.
    fn unanswered(&self, kind: &KindFindings) -> Option<UnansweredPolicy> {
        let answered = self.heard.kinds.get(&kind.kind()).filter(|_| !self.how.answered)?.answered;
        let after = kind.count.checked_sub(answered).filter(|unanswered| *unanswered > 0)?;
        match self.how.ended {
            Some(EndedBy::Server) => return Some(UnansweredPolicy::Ends { after }),
            // What the server would have done is not known.
            Some(EndedBy::Breakage) => return None,
            None => {}
        }
        if self.how.known == EndLiveness::Forgotten {
            return None;
        }
        let interval = kind.borne_out()?;
        let waited = self.since(self.heard.last(kind.kind())?);
        let is_overdue = match kind.sure {
            true => waited > (interval.max + tolerance(interval.max)).max(MIN_SILENCE),
            // Whatever it said may have postponed it.
            false => is_stop(waited, interval.median),
        };
        match (is_stop(self.overdue(kind), interval.max), is_overdue) {
            (true, _) => {
                (self.how.known == EndLiveness::ToTheEnd).then_some(UnansweredPolicy::Stops { after })
            }
            // One may be the last.
            (false, false) => (after >= 2).then_some(UnansweredPolicy::GoesOn { after }),
            // It stopped, or it was postponed all the while.
            (false, true) => None,
        }
    }
}

fn moved_by_messages(batching: Interval) -> String {
    format!(
        "they are {} apart where the server said nothing between, and now so, now so where it did: it may count from that, \
         or leave them out",
        show(batching.median)
    )
}

fn untold(known: EndLiveness) -> Option<&'static str> {
    match known {
        EndLiveness::ToTheEnd => None,
        EndLiveness::Forgotten => Some(FORGOTTEN),
        EndLiveness::Unasked => Some(UNASKED),
    }
}

/// That one end followed the other is no cause.
fn not_for_those(unanswered: UnansweredPolicy) -> Option<&'static str> {
    match unanswered {
        UnansweredPolicy::Ends { .. } => {
            Some("whether the connection ended for its unanswered heartbeats, a run that answers tells")
        }
        UnansweredPolicy::GoesOn { .. } | UnansweredPolicy::Stops { .. } => None,
    }
}

/// Whether it was seen that what either side says has the next heartbeat come later.
fn is_postponed(kind: &KindFindings) -> bool {
    let postpones =
        |effects: TrafficEffects| matches!(effects.effect, TrafficEffect::Postponed | TrafficEffect::Skipped);
    [kind.by_client, kind.by_server].into_iter().flatten().any(postpones)
}

fn stood_still(span: Duration) -> String {
    let span = show(span);
    format!("this host was stalled for {span}: what came meanwhile was read late, and bears out no interval")
}

/// Whether heartbeats that were so far apart have stopped after a silence of this length.
fn is_stop(silence: Duration, interval: Duration) -> bool {
    silence > interval.mul_f64(STOPPED_AFTER_INTERVALS).max(MIN_SILENCE)
}

/// What must be known of an interval that was not kept all the while.
fn paused(interval: &Interval) -> Option<String> {
    let intervals = interval.max.as_secs_f64() / interval.median.as_secs_f64();
    let is_pause = intervals > STOPPED_AFTER_INTERVALS && interval.max > MIN_SILENCE;
    is_pause.then(|| {
        if interval.is_burst() {
            format!("they come in bursts, as far as {} apart", show(interval.max))
        } else {
            format!("they paused for as long as {}, {intervals:.1} intervals", show(interval.max))
        }
    })
}

/// Whatever postpones them tells. A fixed clock is one that the client's words leave as it is: that its own do not
/// move it is not enough.
fn origin(kind: &KindFindings) -> Option<IntervalOrigin> {
    if kind.since_traffic.is_some() {
        return Some(IntervalOrigin::LastTraffic);
    }
    match [kind.by_client, kind.by_server].map(|effects| effects.map(|effects| effects.effect)) {
        [Some(TrafficEffect::Postponed), _] | [_, Some(TrafficEffect::Postponed)] => {
            Some(IntervalOrigin::LastTraffic)
        }
        // Where its messages keep step with them, they may as well be what is counted from.
        [Some(TrafficEffect::Unmoved), None | Some(TrafficEffect::Unmoved)] => {
            (!kind.in_step).then_some(IntervalOrigin::FixedClock)
        }
        // What comes later comes by ticks, or so long after what was said.
        [Some(TrafficEffect::Skipped), _] => {
            kind.by_client.filter(|skipped| skipped.by_ticks).map(|_| IntervalOrigin::FixedClock)
        }
        [Some(TrafficEffect::Unmoved), Some(TrafficEffect::Skipped)] => {
            kind.by_server.filter(|skipped| skipped.by_ticks).map(|_| IntervalOrigin::FixedClock)
        }
        [Some(TrafficEffect::Mixed), _] | [None | Some(TrafficEffect::Unmoved), _] => None,
    }
}
