//! The search itself: connections, rounds, the control, and when a verdict stands.

use std::time::Duration;

use crate::domain::format::{counted, duration as show};
use crate::domain::heartbeat::HeartbeatKind;

use super::admission::Admission;
use super::bisect::BisectSearch;
use super::control::{ControlState, ControlVerdict, age_slack, is_outlived, is_same};
use super::evidence::SearchEvidence;
use super::finding::{
    CutManner, EndSpread, IdleFindings, IdleVerdict, LifetimeCap, ProvisionalTimeout, ResetBy,
};
use super::incident_detection::{
    Incidents, KnownSurvival, MAX_OBSERVATION_DELAY, MixedOutcome, ObservedEnd, ObservedEnds, is_one_event,
    is_our_judgement, names_a_limit,
};
use super::parallel::ParallelSearch;
use super::plan::{PlanError, SearchPlan, Strategy};
use super::probe::{
    DeathCause, Observation, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, SearchStep, VisibleEnd,
};
use super::second_control::{SecondControl, SecondControlVerdict};
use super::server_activity::ActivityGaps;
use super::strategy::{KnownProbe, SearchAction, SearchActions, SearchState};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::idle::evidence::SAME_MOMENT;
use crate::domain::idle::incident::{Incident, IncidentKind};
use crate::domain::run::bracket::Bracket;

/// After so many void rounds the path is too unsteady to be measured.
const MAX_VOID_ROUNDS: u32 = 3;
/// The fewest connections among which there is a place for a second control.
const MIN_FOR_SECOND_CONTROL: usize = 4;
/// So many connections closed by our own judgement end the search.
const MAX_VIOLATIONS: usize = 3;
/// After an end by our own judgement no connection is opened for so long.
const VIOLATION_PAUSE: Duration = Duration::from_secs(1);
/// After an end that may be a refusal no connection is opened for so long.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);
/// The longest time from the order to open a connection to an end that its opening caused elsewhere.
const DISPLACED_WITHIN: Duration = Duration::from_secs(1);
/// So many failures to open, one after the other, while fewer than three are open, end the search.
const MAX_OPEN_FAILURES: u32 = 6;

#[derive(Debug, Clone)]
enum StrategyState {
    Parallel(ParallelSearch),
    Bisect(BisectSearch),
}

/// The control died, and it is not known yet whether the path died with it.
#[derive(Debug, Clone, Copy)]
struct OutageSuspicion {
    since: Duration,
    /// When the control was alive last.
    alive_at: Duration,
    /// It stayed without an answer: until the path is seen to live, nobody vouches for it.
    silent: bool,
    /// Another control died at this age, too.
    lifetime: Option<LifetimeCap>,
    /// A connection that was there, and was asked for its life: an older one; where a lifetime is suspected, one
    /// that has not reached it.
    witness: Option<ProbeId>,
    /// The control had ended before, too, and why was not known yet.
    is_repeated: bool,
}

/// The search for an idle timeout. See the module's head for how to drive it.
#[derive(Debug, Clone)]
pub struct Search {
    plan: SearchPlan,
    /// The announced bounds: [`SearchPlan::longest`] and [`SearchPlan::most_connections`].
    longest: Duration,
    most_connections: u32,
    tactic: StrategyState,
    /// Watchers and trials that are not over.
    probes: Vec<KnownProbe>,
    control: ControlState,
    second: SecondControl,
    /// A control ended, so that the second one is of use.
    second_due: bool,
    /// Controls ended at this age, and the second one is still to say whether it was a lifetime.
    suspected: Option<LifetimeCap>,
    /// The only kind of heartbeat that resets the timer.
    reset_by: Option<ResetBy>,
    evidence: SearchEvidence,
    gaps: ActivityGaps,
    doubt: Option<OutageSuspicion>,
    /// Orders that wait to be given.
    orders: Vec<ProbeOrder>,
    watchers_due: bool,
    /// At most so many at once; the server may allow fewer than the plan.
    limit: usize,
    failures: u32,
    retry_at: Duration,
    slowest: Duration,
    /// Connections that were ordered.
    ordered: u32,
    /// Those of them that opened.
    opened: u32,
    void_rounds: u32,
    provisional: Option<ProvisionalTimeout>,
    lifetime: Option<LifetimeCap>,
    /// The server closed controls at an age, and said why.
    closed_at_age: bool,
    /// The last close frame that stated the server's reason.
    stated: Option<VisibleEnd>,
    /// The same, where it may be an idle timer.
    lifetime_or_idle: Option<LifetimeCap>,
    /// Ends that may be one event.
    unsettled: ObservedEnds,
    incidents: Incidents,
    admission: Admission,
    /// How a control was seen to end last.
    control_cut: Option<VisibleEnd>,
    /// Only some connections ended, after these spans; others survived them.
    some_only: Option<EndSpread>,
    /// The greatest age at which a connection was known to be alive.
    oldest_alive: Duration,
    /// When the first connection opened.
    first_opened: Option<Duration>,
    /// When a connection was ordered last.
    ordered_at: Duration,
    /// When it was known first that the longest span survived.
    max_survived_at: Option<Duration>,
    /// No control is opened before, so that it is of another age than the other connections.
    control_due: Duration,
    /// The bracket stands, and only the control's age is awaited: nothing more is opened.
    awaits_age: bool,
    /// How often a control was opened apart from the others.
    staggered: u32,
    /// Connections that were seen to end: when, and how old they were.
    ends: Vec<(Duration, Duration)>,
    /// The age of each control that ended, whatever was thought of it since.
    control_ages: Vec<Duration>,
    /// The least age at which a connection ended by being idle, perhaps.
    youngest_death: Duration,
    outcome: Option<(IdleVerdict, Vec<String>)>,
    partial: bool,
    ended_at: Option<Duration>,
}

/// Whether a connection of this age is well below a lifetime.
fn is_young(age: Duration, lifetime: LifetimeCap) -> bool {
    age < lifetime.lo.mul_f64(0.9)
}

/// Whether a connection that had not been silent for as long died of its age: the server had spoken.
fn is_of_age(span: Duration, age: Duration, lifetime: LifetimeCap) -> bool {
    is_young(span, lifetime) && !is_young(age, lifetime)
}

/// An age in words; two, where the end was not seen.
fn shown_age(LifetimeCap { lo, hi }: LifetimeCap) -> String {
    let close = hi.saturating_sub(lo) <= hi.mul_f64(0.01).max(Duration::from_millis(50));
    if close { show(lo) } else { format!("{} to {}", show(lo), show(hi)) }
}

/// A close frame in words: its code, what that means, and the reason that the peer gave.
fn close_frame(cut: &VisibleEnd) -> Option<String> {
    let CloseKind::CloseFrame { code, reason } = &cut.how else { return None };
    let code = code.map_or_else(
        || "no code".to_string(),
        |code| format!("{code} ({})", crate::domain::connection::close_cause::close_code_meaning(code)),
    );
    Some(if reason.as_str().is_empty() { code } else { format!("{code} '{}'", reason.as_str()) })
}

/// Why there is nothing to search; what the server sent is named, where that made wscheck close.
fn ended_at_once(cut: &VisibleEnd) -> String {
    let twice = "the control connection ended at once, twice";
    match cut.how {
        CloseKind::Violation { .. } => {
            format!("{twice}: {}", CloseCause::describe(ClosedBy::Peer, &cut.how, None))
        }
        CloseKind::TooLarge { .. } => {
            format!("{twice}: {}", CloseCause::describe(ClosedBy::Us, &cut.how, None))
        }
        _ => twice.to_string(),
    }
}

/// Whether a control was given up since nothing answered.
fn is_silent(cut: &VisibleEnd) -> bool {
    matches!(cut.how, CloseKind::Timeout | CloseKind::Silent)
}

/// How far a search is.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchProgress {
    pub elapsed: Duration,
    pub bracket: Bracket,
    pub provisional: Option<ProvisionalTimeout>,
    /// Watchers and trials in silence: for how long so far, and until when.
    pub in_flight: Vec<SilentProbe>,
    /// By when it will have ended, by the cost that is promised for what is known now.
    pub latest: Duration,
}

/// A connection in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilentProbe {
    pub probe: ProbeId,
    pub role: ProbeRole,
    pub idle: Duration,
    /// `None`: it waits to be told.
    pub ask_at: Option<Duration>,
}

impl Search {
    /// A search within these bounds, if they make sense.
    pub fn new(plan: SearchPlan) -> Result<Search, PlanError> {
        let plan = plan.checked()?;
        let tactic = match plan.strategy {
            Strategy::Parallel => StrategyState::Parallel(ParallelSearch::new(&plan)),
            Strategy::Bisect => StrategyState::Bisect(BisectSearch),
        };
        Ok(Search {
            longest: plan.longest(),
            most_connections: plan.most_connections(),
            tactic,
            probes: Vec::new(),
            control: ControlState::default(),
            second: SecondControl::default(),
            second_due: false,
            suspected: None,
            reset_by: None,
            evidence: SearchEvidence::default(),
            gaps: ActivityGaps::default(),
            doubt: None,
            orders: Vec::new(),
            watchers_due: true,
            limit: plan.max_connections,
            failures: 0,
            retry_at: Duration::ZERO,
            slowest: Duration::ZERO,
            ordered: 0,
            opened: 0,
            void_rounds: 0,
            provisional: None,
            lifetime: None,
            lifetime_or_idle: None,
            closed_at_age: false,
            stated: None,
            unsettled: ObservedEnds::default(),
            incidents: Incidents::default(),
            admission: Admission::default(),
            control_cut: None,
            some_only: None,
            oldest_alive: Duration::ZERO,
            first_opened: None,
            ordered_at: Duration::ZERO,
            max_survived_at: None,
            control_due: Duration::ZERO,
            awaits_age: false,
            staggered: 0,
            ends: Vec::new(),
            control_ages: Vec::new(),
            youngest_death: Duration::MAX,
            outcome: None,
            partial: false,
            ended_at: None,
            plan,
        })
    }

    /// What to do, at this moment since the run's start.
    pub fn next(&mut self, now: Duration) -> SearchStep {
        let wake = self.judge(now);
        if self.outcome.is_some() {
            self.ended_at.get_or_insert(now);
            return SearchStep::Done;
        }
        let known = self.lifetime;
        self.staff(now);
        if self.lifetime != known {
            return self.next(now);
        }
        let wishes = self.wishes(now);
        let later = |at: Duration| Some(at).filter(|at| *at > now);
        let until = [wake, wishes.wake, later(self.retry_at), later(self.control_due)];
        self.grant(wishes, now);
        if !self.orders.is_empty() {
            return SearchStep::Act(std::mem::take(&mut self.orders));
        }
        if until == [None; 4] && self.is_stuck() {
            self.conclude(
                IdleVerdict::Inconclusive,
                "the connections' ends do not agree on a timeout".to_string(),
            );
            return self.next(now);
        }
        let until = until.into_iter().flatten().filter(|at| *at > now).min();
        let end = if now < self.longest { self.longest } else { now + Duration::from_millis(1) };
        SearchStep::Wait { until: until.map_or(end, |until| until.min(end)) }
    }

    /// Whether nobody is there of whom anything could be learned.
    fn is_stuck(&self) -> bool {
        let is_quiet = self.probes.is_empty() && self.doubt.is_none() && self.suspected.is_none();
        let is_told = self.control.is_open() && !self.gaps.busy();
        is_quiet && is_told && self.evidence.rumours().next().is_none()
    }

    /// Takes in what was seen. Of a connection that is over, nothing is taken in.
    pub fn observe(&mut self, observation: &Observation) {
        let Observation { probe, at, seen } = observation;
        if self.outcome.is_some() {
            return;
        }
        if let ProbeEvent::Ended { cut, .. } = seen
            && cut.states_why()
        {
            self.stated = Some(cut.clone());
        }
        match *probe {
            id if self.control.id() == Some(id) => self.observe_control(*at, seen),
            id if self.second.id() == Some(id) => self.observe_second(*at, seen),
            id => self.observe_probe(id, *at, seen),
        }
        if self.provisional.is_none()
            && let Some(spread) = self.evidence.visible()
        {
            let (timeout, samples) = (spread.median, spread.count);
            self.provisional = Some(ProvisionalTimeout { timeout, samples, at: *at });
        }
    }

    /// Ends the search now, with what is known: [`ZombieFindings::partial`].
    pub fn interrupt(&mut self) {
        if self.outcome.is_none() {
            self.partial = true;
            self.outcome = Some((IdleVerdict::Inconclusive, vec!["interrupted".to_string()]));
        }
    }

    /// About when connections end, as soon as two visible ends agree.
    pub fn provisional(&self) -> Option<ProvisionalTimeout> {
        self.provisional
    }

    /// The bracket so far.
    pub fn bracket(&self) -> Bracket {
        match self.some_only {
            Some(ends) => Bracket { lo: self.evidence.below(Some(ends)), hi: Some(ends.max) },
            None => self.evidence.bracket(self.need()),
        }
    }

    /// How far it is, at this moment.
    pub fn progress(&self, now: Duration) -> SearchProgress {
        let flight = |probe: &KnownProbe| SilentProbe {
            probe: probe.id,
            role: probe.role,
            idle: probe.idle(now),
            ask_at: probe.ask_at,
        };
        let silent = self.probes.iter().filter(|probe| probe.asked.is_none());
        let end = self.evidence.suspect().unwrap_or(self.plan.max);
        SearchProgress {
            elapsed: now,
            bracket: self.bracket(),
            provisional: self.provisional,
            in_flight: silent.map(flight).collect(),
            latest: self.latest(end).min(self.longest).max(now + self.plan.answer_timeout),
        }
    }

    /// The promised cost of a timeout of this length; of a binary search what its steps cost at most.
    fn latest(&self, end: Duration) -> Duration {
        let confirmed = end * 3 + self.plan.answer_timeout * 2 + Duration::from_secs(2);
        let precision = self.usual_precision().max(Duration::from_millis(1));
        let halvings = (self.plan.max.as_secs_f64() / precision.as_secs_f64()).log2().ceil().max(1.0);
        match self.plan.strategy {
            Strategy::Parallel => confirmed,
            Strategy::Bisect => confirmed + (end + self.plan.answer_timeout).mul_f64(halvings),
        }
    }

    /// What came of it; before it is done, what is known so far.
    pub fn findings(&self, now: Duration) -> IdleFindings {
        let pending = || (IdleVerdict::Inconclusive, vec!["the search is not over".to_string()]);
        let (verdict, reasons) = self.outcome.clone().unwrap_or_else(pending);
        let chatter = self.gaps.chatter();
        let spread = match verdict {
            IdleVerdict::Stochastic => self.evidence.range(),
            IdleVerdict::IdleTimeout
            | IdleVerdict::LifetimeCap
            | IdleVerdict::NoTimeoutUpToMax
            | IdleVerdict::ServerKeepsItBusy
            | IdleVerdict::ServerPolicy
            | IdleVerdict::Inconclusive => self.evidence.visible(),
        };
        let bracket = match verdict {
            IdleVerdict::ServerKeepsItBusy => {
                Bracket { lo: self.bracket().lo.max(chatter.map(|c| c.longest_gap)), hi: None }
            }
            // A connection that was never idle was closed as well, so no silence was too long.
            IdleVerdict::ServerPolicy if self.closed_at_age => Bracket { lo: self.bracket().lo, hi: None },
            IdleVerdict::Stochastic => Bracket { lo: self.evidence.below(spread), hi: None },
            IdleVerdict::IdleTimeout
            | IdleVerdict::LifetimeCap
            | IdleVerdict::NoTimeoutUpToMax
            | IdleVerdict::ServerPolicy
            | IdleVerdict::Inconclusive => self.bracket(),
        };
        IdleFindings {
            verdict,
            reasons,
            bracket,
            spread,
            manner: self.evidence.manner().filter(|_| bracket.hi.is_some() || spread.is_some()),
            lingers: self.evidence.lingers(),
            lifetime: self.lifetime,
            lifetime_or_idle: self.lifetime_or_idle,
            reset_by: self.reset_by,
            chatter,
            provisional: self.provisional,
            survived: self.evidence.survivors(),
            died: self.evidence.deaths(),
            incidents: self.incidents.all(),
            void_rounds: self.void_rounds,
            connections: self.opened,
            partial: self.partial,
            elapsed: self.ended_at.unwrap_or(now),
        }
    }
}

/// What is seen.
impl Search {
    fn observe_control(&mut self, at: Duration, seen: &ProbeEvent) {
        match seen {
            ProbeEvent::Opened => {
                self.control.opened(at);
                self.note_opened(at);
            }
            ProbeEvent::Beat => {
                self.control.beat(at);
                self.note_alive(self.control.opened_at(), at);
                if self.doubt.is_none() && self.suspected.is_none() {
                    self.evidence.vouch(at);
                    self.gaps.vouch(at);
                }
            }
            ProbeEvent::OpenFailed { why } => {
                self.control.failed();
                self.failed(at, why);
            }
            ProbeEvent::Ended { idle, cut } => self.end_of_control(at, *idle, cut),
            ProbeEvent::Died { idle, .. } => {
                self.control_ended(at, *idle, &VisibleEnd::from(CloseKind::Timeout))
            }
            ProbeEvent::Asked { .. }
            | ProbeEvent::Survived { .. }
            | ProbeEvent::Spoke { .. }
            | ProbeEvent::Replied => {}
        }
    }

    fn observe_second(&mut self, at: Duration, seen: &ProbeEvent) {
        match seen {
            ProbeEvent::Opened => {
                self.second.opened(at);
                self.opened += 1;
                self.failures = 0;
            }
            ProbeEvent::Beat => self.second.beat(at),
            ProbeEvent::OpenFailed { why } => {
                self.second.failed();
                self.failed(at, why);
            }
            ProbeEvent::Ended { idle, cut } => self.end_of_second(at, *idle, cut),
            ProbeEvent::Died { .. }
            | ProbeEvent::Asked { .. }
            | ProbeEvent::Survived { .. }
            | ProbeEvent::Spoke { .. }
            | ProbeEvent::Replied => {}
        }
    }

    fn observe_probe(&mut self, id: ProbeId, at: Duration, seen: &ProbeEvent) {
        let Some(index) = self.probes.iter().position(|probe| probe.id == id) else { return };
        match seen {
            ProbeEvent::Opened => {
                self.probes[index].opened = Some(at);
                self.probes[index].since = Some(at);
                self.note_opened(at);
            }
            ProbeEvent::Asked { idle } => self.probes[index].asked = Some((*idle, at)),
            ProbeEvent::Spoke { gap } => self.spoke(index, at, *gap),
            ProbeEvent::Replied => self.gaps.note_answer(),
            ProbeEvent::Beat => {}
            ProbeEvent::OpenFailed { why } => {
                self.probes.remove(index);
                self.failed(at, why);
            }
            ProbeEvent::Survived { idle, rtt } => {
                let probe = self.probes.remove(index);
                self.slowest = self.slowest.max(*rtt);
                self.note_alive(probe.opened, at);
                self.evidence.survive(*idle);
                self.testify(&probe, true, at);
            }
            ProbeEvent::Died { idle, death } => {
                let probe = self.probes.remove(index);
                let moment = probe.asked.map_or(at, |(_, asked)| asked);
                match death {
                    DeathCause::CutOnUse(cut) if is_our_judgement(&cut.how) => self.note_violation(at, cut),
                    // It had survived such a gap between two words of the server.
                    _ if ActivityGaps::is_let_go(*idle, probe.gap) => {
                        self.gaps.let_go(moment, moment.saturating_sub(probe.opened.unwrap_or(moment)));
                    }
                    death => self.die(&probe, *idle, CutManner::from(death), moment),
                }
                self.testify(&probe, false, at);
            }
            ProbeEvent::Ended { idle, cut } => {
                let probe = self.probes.remove(index);
                self.end_of_probe(&probe, at, *idle, cut);
                self.testify(&probe, false, at);
            }
        }
    }

    fn note_opened(&mut self, at: Duration) {
        self.opened += 1;
        self.failures = 0;
        self.first_opened.get_or_insert(at);
    }

    fn note_alive(&mut self, opened: Option<Duration>, at: Duration) {
        let age = opened.map_or(Duration::ZERO, |opened| at.saturating_sub(opened));
        self.oldest_alive = self.oldest_alive.max(age);
    }

    /// A silent connection was seen to end.
    fn end_of_probe(&mut self, probe: &KnownProbe, at: Duration, idle: Duration, cut: &VisibleEnd) {
        let opened = probe.opened.unwrap_or(at);
        if is_our_judgement(&cut.how) {
            return self.note_violation(at, cut);
        }
        let is_refusal = self.is_refusal(opened, at, &cut.how);
        let others = self.open_since().count();
        let end = ObservedEnd { moment: at, opened, idle: Some(idle), is_refusal, others, cut: cut.clone() };
        let age = end.age();
        if !is_refusal && !self.is_timed(&end) {
            self.ends.push((at, age));
        }
        self.unsettled.push(end);
        if is_refusal {
            return self.hold_openings(at);
        }
        if ActivityGaps::is_let_go(idle, probe.gap) {
            self.gaps.let_go(at, age)
        } else {
            self.die(probe, idle, CutManner::Visible(cut.clone()), at)
        }
    }

    fn die(&mut self, probe: &KnownProbe, idle: Duration, manner: CutManner, moment: Duration) {
        let age = moment.saturating_sub(probe.opened.unwrap_or(moment));
        if !self.lifetime.is_some_and(|lifetime| is_of_age(idle, age, lifetime)) {
            self.youngest_death = self.youngest_death.min(age);
            self.evidence.die(idle, manner, moment, age);
        }
    }

    fn end_of_control(&mut self, at: Duration, idle: Duration, cut: &VisibleEnd) {
        let opened = self.control.opened_at().unwrap_or(at);
        if is_our_judgement(&cut.how) {
            self.control.failed();
            return self.note_violation(at, cut);
        }
        let is_seen = !matches!(cut.how, CloseKind::Timeout | CloseKind::Silent);
        let is_refusal = is_seen && self.is_refusal(opened, at, &cut.how);
        if is_seen {
            let others = self.open_since().count() - usize::from(self.control.is_open());
            self.unsettled.push(ObservedEnd {
                moment: at,
                opened,
                idle: None,
                is_refusal,
                others,
                cut: cut.clone(),
            });
        }
        if is_refusal {
            self.control.failed();
            return self.hold_openings(at);
        }
        self.control_ended(at, idle, cut);
    }

    fn end_of_second(&mut self, at: Duration, idle: Duration, cut: &VisibleEnd) {
        if is_our_judgement(&cut.how) {
            self.second.failed();
            return self.note_violation(at, cut);
        }
        let opened = self.second.life().map_or(at, |(_, opened, _)| opened);
        let is_seen = !is_silent(cut);
        let is_refusal = is_seen && self.is_refusal(opened, at, &cut.how);
        let (last, gone) = self.moments_of_end(at, idle, cut);
        self.second.ended(last, gone);
        if is_seen {
            let others = self.open_since().count();
            self.unsettled.push(ObservedEnd {
                moment: at,
                opened,
                idle: None,
                is_refusal,
                others,
                cut: cut.clone(),
            });
        }
        if is_refusal {
            self.hold_openings(at);
        }
    }

    /// What wscheck ended itself says nothing of the path's timers.
    fn note_violation(&mut self, at: Duration, cut: &VisibleEnd) {
        self.incidents.count(IncidentKind::Violation, at, cut);
        self.retry_at = self.retry_at.max(at + VIOLATION_PAUSE);
        if self.incidents.connections(IncidentKind::Violation) >= MAX_VIOLATIONS {
            self.conclude(
                IdleVerdict::Inconclusive,
                "what the server sent leaves nothing to measure".to_string(),
            );
        }
    }

    /// Whether an end shows that the server takes no such connection: it came right after the opening, or the close
    /// frame says so, or another opening brought it about.
    fn is_refusal(&self, opened: Duration, at: Duration, how: &CloseKind) -> bool {
        let displaced = self.admission.is_in_doubt() && at <= self.ordered_at + DISPLACED_WITHIN;
        at.saturating_sub(opened) < self.plan.at_once() || names_a_limit(how) || displaced
    }

    /// No connection is opened before it is known why one ended at once.
    fn hold_openings(&mut self, at: Duration) {
        self.retry_at = self.retry_at.max(at + REFUSAL_PAUSE);
    }

    fn refuse(&mut self, end: &ObservedEnd) {
        self.incidents.count(IncidentKind::EndedAtOnce, end.moment, &end.cut);
        let retry_at = self.admission.refuse(end.opened, end.moment, end.others, &end.cut);
        self.retry_at = self.retry_at.max(retry_at);
    }

    fn spoke(&mut self, index: usize, at: Duration, gap: Duration) {
        let twice = self.probes.iter().enumerate().any(|(i, other)| i != index && other.spoken >= 2);
        let probe = &mut self.probes[index];
        self.gaps.note(gap, probe.spoken, twice);
        probe.spoken += 1;
        probe.gap = probe.gap.max(gap);
        probe.since = Some(at);
    }

    /// A server that refuses further connections is asked for fewer.
    fn failed(&mut self, at: Duration, why: &str) {
        let open = self.probes.iter().filter(|probe| probe.opened.is_some()).count();
        let open = open + usize::from(self.control.is_open());
        let opening = self.probes.len() + usize::from(self.control.id().is_some()) - open;
        // A server that is gone altogether is waited for: what fails together fails once, and shows no limit.
        let gone = open == 0 && self.opened > 0;
        if gone && at < self.retry_at {
            return;
        }
        self.failures += 1;
        self.retry_at = at + Duration::from_secs(u64::from(self.failures.min(10)));
        if self.failures > 1 && !gone {
            self.limit = self.limit.min((open + opening).max(3));
        }
        if self.failures >= MAX_OPEN_FAILURES && (gone || open + opening < 3) {
            let why = match (gone, open) {
                (true, _) => format!("the server could not be reached any more: {why}"),
                (false, 0) => format!(
                    "the first connection opened, and every later one was refused ({why}): perhaps a ticket or token \
                     that serves once, or the server takes but one connection of a client"
                ),
                (false, _) => {
                    format!("only {} could be open at once: {why}", counted(open as u64, "connection"))
                }
            };
            self.conclude(IdleVerdict::Inconclusive, why);
        }
    }

    /// When a control was alive last, and when it was gone: when its first question without an answer left.
    fn moments_of_end(&self, at: Duration, idle: Duration, cut: &VisibleEnd) -> (Duration, Duration) {
        let last = at.saturating_sub(idle);
        if !is_silent(cut) {
            return (last, at);
        }
        (last, at.saturating_sub(self.plan.answer_timeout).max(last))
    }

    fn control_ended(&mut self, at: Duration, idle: Duration, cut: &VisibleEnd) {
        let silent = is_silent(cut);
        let (last, gone) = self.moments_of_end(at, idle, cut);
        self.second_due = true;
        self.control_ages.extend(self.control.opened_at().map(|opened| gone.saturating_sub(opened)));
        self.control_cut = Some(cut.clone());
        let doubt = OutageSuspicion {
            since: at,
            alive_at: last,
            silent,
            lifetime: None,
            witness: None,
            is_repeated: false,
        };
        self.note_alive(self.control.opened_at(), last);
        match self.control.ended(last, gone, &self.plan) {
            ControlVerdict::SameAge(lifetime)
                if self.lifetime.is_some_and(|known| is_same(&known, &lifetime)) => {}
            ControlVerdict::SameAge(lifetime) if !self.is_credible(&lifetime) => {
                self.doubt_path(doubt);
            }
            ControlVerdict::SameAge(lifetime) => {
                self.doubt_path(OutageSuspicion { lifetime: Some(lifetime), ..doubt });
            }
            ControlVerdict::Stillborn => {
                let why = match (silent, self.plan.kind) {
                    (false, _) => &ended_at_once(cut),
                    (true, HeartbeatKind::Protocol) => {
                        "the control was not answered, twice: perhaps the server answers no Ping frames, and app \
                         heartbeats would tell"
                    }
                    (true, HeartbeatKind::App) => {
                        "the control was not answered, twice: perhaps the server does not answer such messages"
                    }
                };
                self.conclude(IdleVerdict::Inconclusive, why.to_string());
            }
            ControlVerdict::Lone { alive_at } => self.doubt_path(OutageSuspicion { alive_at, ..doubt }),
        }
    }

    /// The path is in doubt; where it was already, the doubt reaches as far back as the earlier one did.
    fn doubt_path(&mut self, doubt: OutageSuspicion) {
        let earlier = self.doubt.map(|earlier| earlier.alive_at);
        let alive_at = earlier.map_or(doubt.alive_at, |earlier| earlier.min(doubt.alive_at));
        self.doubt = Some(OutageSuspicion { alive_at, is_repeated: earlier.is_some(), ..doubt });
    }

    /// Whether controls that died at one age show a lifetime: it is known well enough, none outlived it, and where connections ended at other
    /// ages, too, three controls are no coincidence.
    fn is_credible(&self, lifetime: &LifetimeCap) -> bool {
        let controls = self.control.ages().iter().filter(|age| is_same(age, lifetime)).count();
        let others = self.ends.iter().any(|(_, age)| is_young(*age, *lifetime));
        let is_known_well = lifetime.hi - lifetime.lo <= lifetime.lo.mul_f64(0.4);
        is_known_well && !is_outlived(lifetime, self.oldest_alive) && (!others || controls > 2)
    }

    /// What the life or death of a connection that was there says about a control's death.
    fn testify(&mut self, probe: &KnownProbe, alive: bool, at: Duration) {
        let Some(doubt) = self.doubt else { return };
        let asked_since = probe.asked.is_some_and(|(_, asked)| asked >= doubt.since);
        let witness = doubt.witness == Some(probe.id);
        match (alive, doubt.lifetime) {
            (true, Some(lifetime)) if witness => self.suspect_lifetime(lifetime),
            (true, None) if asked_since && probe.opened <= Some(doubt.alive_at) => self.trust(&doubt, at),
            (false, _) if witness => self.void(at),
            (true | false, _) => {}
        }
    }

    /// The control died alone. While it was silent nobody answered, so that nothing is held against who did
    /// not, either.
    fn trust(&mut self, doubt: &OutageSuspicion, at: Duration) {
        self.doubt = None;
        if doubt.silent {
            let dropped = self.evidence.disregard(doubt.alive_at, at);
            self.gaps.disregard(doubt.alive_at, at);
            self.note_path_lost(doubt.alive_at, dropped);
        }
    }

    /// The round does not count: the path itself was gone.
    fn void(&mut self, at: Duration) {
        let Some(doubt) = self.doubt.take() else { return };
        self.void_rounds += 1;
        let dropped = self.evidence.void_since(doubt.alive_at);
        self.gaps.disregard(doubt.alive_at, at);
        match self.control_cut.clone().filter(|_| !doubt.silent) {
            Some(cut) => self.incidents.push_undecided(Incident {
                kind: IncidentKind::OneMoment,
                at: doubt.since,
                connections: dropped + 1,
                cut,
            }),
            None => self.note_path_lost(doubt.alive_at, dropped),
        }
        self.provisional = self.provisional.filter(|provisional| provisional.at < doubt.alive_at);
        let cancelled = self.probes.drain(..).map(|probe| ProbeOrder::Cancel { probe: probe.id });
        self.orders.extend(cancelled);
        self.watchers_due = true;
        self.judge_void_rounds();
        self.retry_at = self.retry_at.max(at);
    }

    fn note_path_lost(&mut self, at: Duration, dropped: usize) {
        if dropped > 0 {
            let (kind, cut) = (IncidentKind::PathLost, CloseKind::Timeout.into());
            self.incidents.push(Incident { kind, at, connections: dropped, cut });
        }
    }

    fn judge_void_rounds(&mut self) {
        if self.void_rounds < MAX_VOID_ROUNDS {
            return;
        }
        let ages: Vec<_> = self.control.ages().iter().map(|age| show(age.lo)).collect();
        let moments: Vec<_> =
            self.incidents.of(IncidentKind::OneMoment).map(|event| show(event.at_shown())).collect();
        let rounds = self.void_rounds;
        let why = if moments.len() as u32 >= MAX_VOID_ROUNDS {
            format!(
                "{rounds} rounds were void: connections ended at one moment {} into the run: the server restarts or \
                 reloads, or the path fails",
                moments.join(", ")
            )
        } else {
            format!("{rounds} rounds were void: the control died at {}", ages.join(", "))
        };
        self.conclude(IdleVerdict::Inconclusive, why);
    }

    /// Looks at ends that came at one moment together. Gives when to look again, where no verdict may stand before.
    fn settle(&mut self, now: Duration) -> Option<Duration> {
        for group in self.unsettled.take_complete(now) {
            self.settle_group(&group);
        }
        self.unsettled.hold_until(&|end| self.is_timed(end))
    }

    /// Whether connections that ended at another moment had been silent for as long.
    fn is_timed(&self, end: &ObservedEnd) -> bool {
        end.idle.is_some_and(|idle| self.evidence.ended_before(idle, end.moment))
    }

    /// Ends that came at one moment, and that no timer explains, are one event; else each stands for itself.
    fn settle_group(&mut self, group: &[ObservedEnd]) {
        let Some(first) = group.first() else { return };
        let before = |opened: &Duration| *opened + SAME_MOMENT < first.moment;
        let survivors = self.open_since().filter(before).count();
        // The control was open for long, or all that was open ended: what ends with it right after opening is no refusal.
        let is_old = group.iter().any(|end| !end.is_refusal && (end.is_control() || survivors == 0));
        let unexplained: Vec<_> =
            group.iter().filter(|end| (is_old || !end.is_refusal) && !self.is_timed(end)).collect();
        let silence = self.evidence.longest().unwrap_or_default();
        if is_one_event(&unexplained, survivors, &KnownSurvival { age: self.oldest_alive, silence }) {
            self.note_event(group, first);
        } else {
            group.iter().filter(|end| end.is_refusal).for_each(|end| self.refuse(end));
        }
    }

    fn note_event(&mut self, group: &[ObservedEnd], first: &ObservedEnd) {
        let (from, to) = (first.moment, first.moment + SAME_MOMENT);
        self.evidence.disregard(from, to);
        self.gaps.disregard(from, to);
        self.provisional = self.provisional.filter(|provisional| provisional.at < from);
        let (kind, connections) = (IncidentKind::OneMoment, group.len());
        self.incidents.push_event(Incident { kind, at: from, connections, cut: first.cut.clone() });
        if group.iter().any(ObservedEnd::is_control) {
            self.control.forget_ages();
            self.second.forget_end(from, to);
            (self.suspected, self.staggered) = (None, 0);
            self.settle_doubt(from, to);
            self.watchers_due = true;
        }
        self.void_rounds += 1;
        self.judge_void_rounds();
    }
}

/// Who is there.
impl Search {
    /// An event explains the doubt that began with it, but not an earlier one, of which nobody tells any more.
    fn settle_doubt(&mut self, from: Duration, to: Duration) {
        let Some(doubt) = self.doubt.take_if(|doubt| (from..=to).contains(&doubt.since)) else { return };
        if doubt.is_repeated {
            self.evidence.disregard(doubt.alive_at, to);
            self.gaps.disregard(doubt.alive_at, to);
        }
    }

    fn new_id(&mut self) -> ProbeId {
        self.ordered += 1;
        ProbeId(self.ordered)
    }

    fn open(&mut self, role: ProbeRole, ask_at: Option<Duration>, now: Duration) {
        if self.ordered >= self.most_connections {
            return;
        }
        self.ordered_at = now;
        let probe = self.new_id();
        self.orders.push(ProbeOrder::Open { probe, role, ask_at });
        match role {
            ProbeRole::Control => self.control.order(probe),
            ProbeRole::SecondControl => self.second.order(probe),
            ProbeRole::Watcher | ProbeRole::Trial => {
                self.probes.push(KnownProbe::ordered(probe, role, ask_at, now))
            }
        }
    }

    /// Sees to it that there are a control and watchers, and a witness when the control has died.
    fn staff(&mut self, now: Duration) {
        self.call_witness(now);
        if now < self.retry_at {
            return;
        }
        self.set_limit(now);
        if self.control.id().is_none() && now >= self.control_due {
            self.open(ProbeRole::Control, None, now);
        }
        if self.wants_second() && self.taken() <= self.limit {
            self.open(ProbeRole::SecondControl, None, now);
        }
        let watching = self.probes.iter().filter(|probe| probe.role == ProbeRole::Watcher).count();
        let dying = self.evidence.suspect().is_some() || self.evidence.rumours().next().is_some();
        let quiet = !dying && watching * 2 < self.watchers();
        if std::mem::take(&mut self.watchers_due) || quiet {
            let room = self.limit().saturating_sub(self.taken());
            let count = self.watchers().saturating_sub(watching).min(room);
            (0..count).for_each(|_| self.open(ProbeRole::Watcher, Some(self.plan.max), now));
        }
        self.release_watchers();
    }

    /// How many places are taken: by the control, by the second one, open or wanted, and by the others.
    fn taken(&self) -> usize {
        1 + usize::from(self.second.is_present() || self.wants_second()) + self.probes.len()
    }

    /// Whether a second control is to be opened. It leaves no place for a trial where the server allows few connections.
    fn wants_second(&self) -> bool {
        let of_use = self.second_due && self.reset_by.is_none() && self.second.is_wanted();
        of_use && self.takes_second()
    }

    fn takes_second(&self) -> bool {
        self.plan.second_control && self.limit() >= MIN_FOR_SECOND_CONTROL
    }

    /// After connections ended at once, fewer are tried; see [`Admission`].
    fn set_limit(&mut self, now: Duration) {
        let together = self.ordered as usize <= self.plan.max_connections;
        self.admission.attempt(now, Some(self.opened as usize).filter(|_| together));
        let stays = |opened: &Duration| now >= *opened + self.plan.at_once() + MAX_OBSERVATION_DELAY;
        let lasting = self.open_since().filter(stays).count();
        self.admission.admit(lasting);
    }

    fn limit(&self) -> usize {
        self.limit.min(self.admission.limit())
    }

    /// When each connection opened that is open.
    fn open_since(&self) -> impl Iterator<Item = Duration> {
        let second = self.second.life().filter(|_| self.second.is_present()).map(|(_, opened, _)| opened);
        self.probes.iter().filter_map(|probe| probe.opened).chain(self.control.opened_at()).chain(second)
    }

    fn watchers(&self) -> usize {
        self.plan.watchers().min(self.limit().saturating_sub(1) / 2).max(1)
    }

    /// Where the server allows few connections, watchers make room for a trial.
    fn release_watchers(&mut self) {
        let watchers = self.probes.iter().filter(|probe| probe.role == ProbeRole::Watcher);
        let surplus: Vec<_> = watchers.skip(self.watchers()).map(|probe| probe.id).collect();
        surplus.into_iter().for_each(|id| self.cancel(id));
    }

    fn cancel(&mut self, id: ProbeId) {
        self.probes.retain(|probe| probe.id != id);
        self.orders.push(ProbeOrder::Cancel { probe: id });
    }

    /// Asks the youngest of the connections that can tell at once, whose silence is the least loss. Without any
    /// the round is void; a lifetime stands then, unless somebody was seen to die young.
    fn call_witness(&mut self, now: Duration) {
        let Some(doubt) = self.doubt.filter(|doubt| doubt.witness.is_none()) else { return };
        if !doubt.silent && now < doubt.since + MAX_OBSERVATION_DELAY {
            return;
        }
        let died_young = doubt.lifetime.is_some_and(|lifetime| self.died_young(doubt.alive_at, lifetime));
        let tells = |probe: &KnownProbe| {
            let young = doubt
                .lifetime
                .is_none_or(|l| probe.opened.is_some_and(|at| is_young(now.saturating_sub(at), l)));
            probe.since.is_some_and(|since| since < doubt.alive_at) && probe.asked.is_none() && young
        };
        let youngest = self.probes.iter_mut().filter(|probe| tells(probe)).max_by_key(|p| p.since);
        match (youngest.filter(|_| !died_young), doubt.lifetime.filter(|_| !died_young)) {
            (None, Some(lifetime)) if self.staggered > u32::from(doubt.silent) => {
                self.suspect_lifetime(lifetime)
            }
            (None, Some(lifetime)) => self.stagger(now, lifetime),
            (None, None) => self.void(now),
            (Some(probe), _) => {
                let at = probe.idle(now);
                probe.ask_at = Some(at);
                self.orders.push(ProbeOrder::Ask { probe: probe.id, at });
                self.doubt = Some(OutageSuspicion { witness: Some(probe.id), ..doubt });
            }
        }
    }

    /// All connections are of one age, so that a restart at regular intervals would look like a lifetime: the next
    /// control is opened apart from them; twice, where ends are not seen and ages are less exact.
    fn stagger(&mut self, now: Duration, lifetime: LifetimeCap) {
        let gone = self.doubt.take().map(|doubt| doubt.since);
        if let (Some(at), Some(cut)) = (gone, self.control_cut.clone()) {
            // What ended with the control did not end of being idle.
            let dropped = self.evidence.disregard(at.saturating_sub(SAME_MOMENT), at + SAME_MOMENT);
            self.provisional = self.provisional.filter(|provisional| provisional.at + SAME_MOMENT < at);
            self.incidents.push_undecided(Incident {
                kind: IncidentKind::OneMoment,
                at,
                connections: dropped + 1,
                cut,
            });
        }
        self.staggered += 1;
        let part = if self.staggered.is_multiple_of(2) { 0.7 } else { 0.4 };
        self.control_due = now + lifetime.lo.mul_f64(part);
        if let Some(probe) = self.control.id() {
            self.orders.push(ProbeOrder::Cancel { probe });
            self.control.failed();
        }
    }

    /// Whether a connection that was far from this age ended together with a control.
    fn died_young(&self, moment: Duration, lifetime: LifetimeCap) -> bool {
        let together = |at: Duration| at.abs_diff(moment) <= Duration::from_millis(300);
        self.ends.iter().any(|(at, age)| together(*at) && is_young(*age, lifetime))
    }

    fn wishes(&mut self, now: Duration) -> SearchActions {
        let may_open = now >= self.retry_at && self.max_survived_at.is_none() && !self.awaits_age;
        let free = if may_open { self.limit().saturating_sub(self.taken()) } else { 0 };
        let answer = (self.slowest * 3).clamp(Duration::from_millis(50), self.plan.answer_timeout / 2);
        let witness = self.doubt.and_then(|doubt| doubt.witness);
        let situation = SearchState {
            now,
            plan: &self.plan,
            evidence: &self.evidence,
            probes: &self.probes,
            witness,
            free,
            answer,
            need: self.need(),
            precision: self.precision(now),
        };
        match &mut self.tactic {
            StrategyState::Parallel(parallel) => parallel.wishes(&situation),
            StrategyState::Bisect(bisect) => bisect.wishes(&situation),
        }
    }

    fn grant(&mut self, wishes: SearchActions, now: Duration) {
        for wish in wishes.list {
            match wish {
                SearchAction::Open { ask_at } => self.open(ProbeRole::Trial, ask_at, now),
                SearchAction::Cancel { probe } => self.cancel(probe),
                SearchAction::Ask { probe, at } => {
                    self.orders.push(ProbeOrder::Ask { probe, at });
                    let found = self.probes.iter_mut().find(|known| known.id == probe);
                    found.into_iter().for_each(|known| known.ask_at = Some(at));
                }
            }
        }
    }

    fn need(&self) -> usize {
        self.evidence.needed(self.plan.repeat)
    }

    fn usual_precision(&self) -> Duration {
        self.plan.precision.at(self.evidence.longest().unwrap_or_default())
    }

    /// How narrow the bracket must become. Where visible ends agree closely, and there is still time for
    /// it: close enough to see a hop that lets go a second before it says so.
    fn precision(&self, now: Duration) -> Duration {
        let usual = self.usual_precision();
        let near = Duration::from_millis(700).max(self.slowest * 4);
        if self.near_until().is_some_and(|until| now < until) { usual.min(near) } else { usual }
    }

    /// Until when a closer look at visible ends is worth its time.
    fn near_until(&self) -> Option<Duration> {
        let spread = self.evidence.visible()?;
        let agree = spread.max - spread.min <= Duration::from_millis(300);
        let top = self.evidence.suspect().is_some_and(|top| top >= spread.min);
        let (shortest, part) = (Duration::from_secs(2), 2.15);
        (agree && top && spread.min > shortest).then(|| spread.min.mul_f64(part))
    }
}

/// When a verdict stands.
impl Search {
    /// No verdict stands beside an end by our own judgement.
    fn conclude(&mut self, verdict: IdleVerdict, reason: String) {
        let violation = self.incidents.of(IncidentKind::Violation).next().map(ToString::to_string);
        let outcome = match violation {
            Some(why) => (IdleVerdict::Inconclusive, vec![why, reason]),
            None if verdict != IdleVerdict::Inconclusive && self.admission.is_limit_suspected() => {
                let stayed: Vec<_> = self.open_since().collect();
                let why = self.admission.suspicion(&stayed, self.plan.min, self.plan.max_connections);
                (IdleVerdict::Inconclusive, vec![why, reason])
            }
            None => self.unless_control_ended_so(verdict, reason),
        };
        self.outcome.get_or_insert(outcome);
    }

    /// No idle timeout is claimed where the control, which is never idle, ended too, and a lifetime explains all ends:
    ///
    /// - the control ended at the age at which the others ended
    /// - or the others ended when they were older, and nothing was seen alive beyond that age
    /// - or the others ended before any silence was tried
    fn unless_control_ended_so(&self, verdict: IdleVerdict, reason: String) -> (IdleVerdict, Vec<String>) {
        let is_idle = matches!(verdict, IdleVerdict::IdleTimeout | IdleVerdict::Stochastic);
        let range = self.evidence.range().filter(|_| is_idle && self.reset_by.is_none());
        let is_near =
            |age: &Duration| range.is_some_and(|range| age.abs_diff(range.median) <= age_slack(*age));
        let is_as_old = self.control_ages.iter().find(|age| is_near(age));
        let is_lifetime = |age: &&Duration| {
            let slack = age_slack(**age);
            self.oldest_alive <= **age + slack && self.youngest_death >= age.saturating_sub(slack)
        };
        let is_below_min = range.is_some_and(|range| range.min < self.plan.min);
        let is_unproven = is_below_min && self.evidence.survivors().is_empty();
        let oldest = self.control_ages.iter().max().filter(|_| is_idle && self.reset_by.is_none());
        let oldest = oldest.filter(|age| is_unproven || is_lifetime(age));
        let Some(age) = is_as_old.or(oldest) else { return (verdict, vec![reason]) };
        let why = format!(
            "the control, which is never idle, ended at the age of {}, too: a lifetime or restarts may explain all ends",
            show(*age)
        );
        (IdleVerdict::Inconclusive, vec![why])
    }

    /// Concludes, if the evidence allows it; else says when to look again, where that is known.
    fn judge(&mut self, now: Duration) -> Option<Duration> {
        if self.outcome.is_some() {
            return None;
        }
        if let Some(at) = self.admission.exhausted_at() {
            return self.judge_admission(at, now);
        }
        if now >= self.longest || self.ordered >= self.most_connections {
            self.conclude_undecided(now);
            return None;
        }
        if let Some(until) = self.settle(now) {
            return Some(until);
        }
        if let Some(until) = self.suspected.and_then(|age| self.hear_second(age, now)) {
            return Some(until);
        }
        self.judge_evidence(now)
    }

    fn judge_evidence(&mut self, now: Duration) -> Option<Duration> {
        if self.outcome.is_some() || self.judge_lifetime() {
            return None;
        }
        if self.gaps.busy() {
            return self.judge_busy(now);
        }
        if self.evidence.is_stochastic() && self.evidence.repeated(self.plan.repeat).is_none() {
            self.conclude_stochastic();
        } else if self.survived_max(now) {
            self.conclude_survived();
        } else if let Some(wake) = self.judge_bracket(now) {
            return Some(wake);
        }
        None
    }

    fn judge_admission(&mut self, at: Duration, now: Duration) -> Option<Duration> {
        if now < at {
            return Some(at);
        }
        let stayed: Vec<_> = self.open_since().collect();
        let why = self.admission.suspicion(&stayed, self.plan.min, self.plan.max_connections);
        self.conclude(IdleVerdict::Inconclusive, why);
        None
    }

    /// A server that keeps the path busy may end connections at an age all the same: it is watched until they are as
    /// old as the longest span, or until silent ones were let go and the control has outlived them.
    fn judge_busy(&mut self, now: Duration) -> Option<Duration> {
        let is_age_open = !self.control.ages().is_empty() && !self.control.is_open();
        if self.doubt.is_some() || is_age_open {
            return None;
        }
        let lets_go = self.gaps.chatter().and_then(|chatter| chatter.lets_go);
        let age = lets_go.map_or(self.plan.max, |age| age.mul_f64(1.1));
        let opened = if lets_go.is_some() { self.control.opened_at() } else { self.first_opened };
        let old = opened.map(|opened| opened + age);
        match old.max(self.control.told_at(&self.plan)).filter(|until| now < *until) {
            Some(until) => Some(until),
            None => {
                self.conclude_busy();
                None
            }
        }
    }

    fn conclude_busy(&mut self) {
        let Some(chatter) = self.gaps.chatter() else { return };
        let stated = self.stated.as_ref().filter(|_| chatter.lets_go.is_some()).and_then(close_frame);
        if let Some(closed) = stated {
            self.closed_at_age = true;
            return self.conclude(
                IdleVerdict::ServerPolicy,
                format!(
                    "the server speaks unasked, about every {}, and closed clients that said nothing with {closed}: perhaps it \
                     wants an answer",
                    show(chatter.period)
                ),
            );
        }
        let (period, gap) = (show(chatter.period), show(chatter.longest_gap));
        let mut why =
            format!("the server speaks unasked, about every {period}; the longest quiet gap was {gap}");
        if !self.evidence.deaths().is_empty() {
            why = format!("{why}; {}", self.died_after());
        }
        self.conclude(IdleVerdict::ServerKeepsItBusy, why);
        if let (true, Some((_, reasons))) = (chatter.answered, &mut self.outcome) {
            reasons.push(format!(
                "the server asks by messages and was answered; silences longer than {gap} cannot be tested \
                 (--no-answer leaves it unanswered)"
            ));
        }
        if let (Some(age), Some((_, reasons))) = (chatter.lets_go, &mut self.outcome) {
            reasons.push(format!(
                "clients that said nothing were let go all the same, {} old: only what a client says counts there",
                show(age)
            ));
        }
    }

    /// Controls ended at this age. Of a kind of heartbeat alone that does not show a lifetime.
    fn suspect_lifetime(&mut self, lifetime: LifetimeCap) {
        (self.suspected, self.doubt) = (Some(lifetime), None);
    }

    /// What the second control makes of the age at which others ended; gives when to look again.
    fn hear_second(&mut self, age: LifetimeCap, now: Duration) -> Option<Duration> {
        let testimony = if self.takes_second() {
            self.second.testimony(age, now, &self.plan)
        } else {
            SecondControlVerdict::Nothing
        };
        match (testimony, self.plan.kind) {
            (SecondControlVerdict::Wait { until }, _) => return Some(until),
            (SecondControlVerdict::Outlived, kind) => self.take_second_as_control(kind),
            (SecondControlVerdict::SameAge(_) | SecondControlVerdict::Nothing, _)
                if self.control_cut_states_why() =>
            {
                self.conclude_policy_at(age);
            }
            (SecondControlVerdict::SameAge(both), _) => self.know_lifetime(both),
            // A server that takes no Pings does not count them either.
            (SecondControlVerdict::Nothing, HeartbeatKind::App) => self.know_lifetime(age),
            (SecondControlVerdict::Nothing, HeartbeatKind::Protocol) => self.conclude_lifetime_or_idle(age),
        }
        None
    }

    /// Only the other kind of heartbeat resets the timer, so that the control of the first kind was idle to it. The path
    /// was there all the time: no round was void.
    fn take_second_as_control(&mut self, kind: HeartbeatKind) {
        let Some(life) = self.second.life() else { return };
        self.suspected = None;
        self.reset_by = Some(match kind {
            HeartbeatKind::Protocol => ResetBy::Messages,
            HeartbeatKind::App => ResetBy::Pings,
        });
        self.orders.extend(self.control.id().map(|probe| ProbeOrder::Cancel { probe }));
        self.control.replace(life);
        self.control_ages.clear();
        (self.second, self.void_rounds) = (SecondControl::default(), 0);
    }

    fn control_cut_states_why(&self) -> bool {
        self.control_cut.as_ref().is_some_and(VisibleEnd::states_why)
    }

    /// The server closed connections at this age, and said why.
    fn conclude_policy_at(&mut self, age: LifetimeCap) {
        self.suspected = None;
        let Some(closed) = self.control_cut.as_ref().and_then(close_frame) else { return };
        let age = shown_age(age);
        self.closed_at_age = true;
        self.conclude(
            IdleVerdict::ServerPolicy,
            format!("the server closed connections at the age of {age} with {closed}, the control too"),
        );
    }

    fn conclude_lifetime_or_idle(&mut self, age: LifetimeCap) {
        (self.suspected, self.lifetime_or_idle) = (None, Some(age));
        let why = if self.plan.second_control {
            "the connection that sent messages besides ended earlier, or did not open"
        } else {
            "no messages were tried (--app-ping, --allow-messages)"
        };
        let shown = shown_age(age);
        self.conclude(
            IdleVerdict::Inconclusive,
            format!(
                "connections that sent Ping frames all the time ended at the age of {shown}, too: a lifetime, or an idle \
                 timeout that only messages reset; {why}"
            ),
        );
    }

    /// Connections that were never idle end at this age, too.
    fn know_lifetime(&mut self, lifetime: LifetimeCap) {
        (self.lifetime, self.doubt, self.suspected) = (Some(lifetime), None, None);
        self.incidents.explain_by_lifetime();
        self.evidence.drop_explained(|span, age| is_of_age(span, age, lifetime));
        self.judge_lifetime();
    }

    /// A lifetime is the answer unless idle connections die well before it. Gives whether it was.
    fn judge_lifetime(&mut self) -> bool {
        let Some(lifetime) = self.lifetime else { return false };
        let first = self.evidence.suspect().into_iter().chain(self.evidence.rumours()).min();
        if !self.gaps.busy() && first.is_some_and(|span| is_young(span, lifetime)) {
            return false;
        }
        self.conclude_lifetime(lifetime);
        true
    }

    fn conclude_lifetime(&mut self, lifetime: LifetimeCap) {
        (self.lifetime, self.suspected) = (Some(lifetime), None);
        let shown = shown_age(lifetime);
        self.conclude(
            IdleVerdict::LifetimeCap,
            format!("connections that were never idle ended at the age of {shown}, too"),
        );
        if let (true, Some((_, reasons))) = (self.second.id().is_some(), &mut self.outcome) {
            reasons.push("neither Ping frames nor messages kept them open".to_string());
        }
    }

    /// The longest span survived, and every connection that had been asked by then has answered or died.
    fn survived_max(&mut self, now: Duration) -> bool {
        if self.evidence.longest() < Some(self.plan.max) {
            return false;
        }
        let since = *self.max_survived_at.get_or_insert(now);
        let is_awaited = |probe: &KnownProbe| probe.asked.is_some_and(|(_, at)| at <= since);
        let is_vouched = self.doubt.is_none() && self.evidence.rumours().next().is_none();
        is_vouched && !self.probes.iter().any(is_awaited)
    }

    fn conclude_survived(&mut self) {
        let max = show(self.plan.max);
        if self.evidence.support(self.plan.max) >= self.need() {
            let why = format!("at {max} some connections survived, and some did not");
            return self.conclude(IdleVerdict::IdleTimeout, why);
        }
        let survived = format!("an idle span of {max} was survived");
        match MixedOutcome::of(&self.evidence, self.plan.repeat) {
            MixedOutcome::Nothing => self.conclude(IdleVerdict::NoTimeoutUpToMax, survived),
            MixedOutcome::Chance => {
                let why = format!("{survived}; {} before that, as few as chance explains", self.died_after());
                self.conclude(IdleVerdict::NoTimeoutUpToMax, why);
            }
            mixed @ (MixedOutcome::Repeated | MixedOutcome::Scattered | MixedOutcome::Few) => {
                self.conclude_mixed(mixed)
            }
        }
    }

    /// Some connections died, and others survived the same spans.
    fn conclude_mixed(&mut self, mixed: MixedOutcome) {
        match (mixed, self.evidence.repeated(self.plan.repeat)) {
            (MixedOutcome::Repeated, Some(ends)) => {
                self.some_only = Some(ends);
                let survivors = self.evidence.survivors().into_iter().filter(|span| *span > ends.max).count();
                let why = format!(
                    "{} ended after {}, and {} survived a longer silence: not every connection is cut, perhaps one of \
                     several nodes or paths differs",
                    counted(ends.count as u64, "connection"),
                    show(ends.median),
                    counted(survivors as u64, "connection")
                );
                self.conclude(IdleVerdict::IdleTimeout, why);
            }
            (MixedOutcome::Scattered, _) => self.conclude_stochastic(),
            (
                MixedOutcome::Nothing | MixedOutcome::Chance | MixedOutcome::Repeated | MixedOutcome::Few,
                _,
            ) => {
                let why =
                    format!("{}, and others survived longer spans: too few to tell why", self.died_after());
                self.conclude(IdleVerdict::Inconclusive, why);
            }
        }
    }

    /// `2 of 30 connections died, after 3.1 s and 7.6 s`
    fn died_after(&self) -> String {
        const SHOWN: usize = 5;
        let deaths = self.evidence.deaths();
        let all = counted((deaths.len() + self.evidence.survivors().len()) as u64, "connection");
        let spans: Vec<_> = deaths.iter().take(SHOWN).map(|(span, _)| show(*span)).collect();
        let more = if deaths.len() > SHOWN { " and more" } else { "" };
        format!("{} of {all} died, after {}{more}", deaths.len(), spans.join(", "))
    }

    /// The bounds of time or of connections are reached.
    fn conclude_undecided(&mut self, now: Duration) {
        if let Some(lifetime) = self.lifetime {
            let dies_before = self.bracket().hi.is_some_and(|hi| is_young(hi, lifetime));
            return if dies_before && !self.gaps.busy() {
                self.conclude_timeout()
            } else {
                self.conclude_lifetime(lifetime)
            };
        }
        let mixed = MixedOutcome::of(&self.evidence, self.plan.repeat);
        let survived = self.evidence.survivors().len();
        if matches!(mixed, MixedOutcome::Repeated | MixedOutcome::Scattered) && self.evidence.is_mixed() {
            return self.conclude_mixed(mixed);
        }
        let number = counted(self.opened, "connection");
        let seen = match mixed {
            MixedOutcome::Nothing => format!("{survived} were silent and answered, and none died"),
            MixedOutcome::Chance | MixedOutcome::Repeated | MixedOutcome::Scattered | MixedOutcome::Few => {
                self.died_after()
            }
        };
        let why = format!("undecided after {number} in {}, which is the bound: {seen}", show(now));
        self.conclude(IdleVerdict::Inconclusive, why);
    }

    fn judge_bracket(&mut self, now: Duration) -> Option<Duration> {
        self.awaits_age = false;
        let Bracket { lo, hi } = self.bracket();
        let hi = hi?;
        let narrow = self.evidence.is_narrow(self.need(), self.precision(now));
        let shortest = hi <= self.plan.min + Duration::from_millis(50);
        if !narrow && self.evidence.is_narrow(self.need(), self.usual_precision()) {
            return self.near_until();
        }
        if !(narrow || shortest)
            || self.evidence.is_one_moment(self.need(), hi)
            || !self.control.is_open()
            || self.doubt.is_some()
            || self.is_contested(hi, now)
        {
            return None;
        }
        let told = self.control.untold(lo, hi, &self.plan).max(self.control.watched_until(hi, &self.plan));
        let told = told.filter(|told| now < *told && self.lifetime.is_none());
        self.awaits_age = told.is_some();
        if told.is_some() {
            return told;
        }
        self.conclude_idle();
        None
    }

    /// Where ends are seen, somebody has been silent for longer, and nobody knows yet whether it lives.
    fn is_contested(&self, hi: Duration, now: Duration) -> bool {
        let limit = hi + self.usual_precision();
        let older = |probe: &KnownProbe| probe.asked.map_or(probe.idle(now), |(span, _)| span) > limit;
        self.evidence.is_seen(self.need(), hi) && self.probes.iter().any(older)
    }

    fn conclude_stochastic(&mut self) {
        // Ends at one span are not scattered; what survived longer spans contradicts them.
        let scattered = self.evidence.range().filter(|range| range.max - range.min > age_slack(range.max));
        let Some(range) = scattered else {
            return self.conclude(IdleVerdict::Inconclusive, self.died_after());
        };
        let (from, to) = (show(range.min), show(range.max));
        let why = format!("idle connections died after {from} to {to}, and survived in between");
        self.conclude(IdleVerdict::Stochastic, why);
    }

    fn add_what_resets(&mut self) {
        let (Some(reset_by), Some((_, reasons))) = (self.reset_by, &mut self.outcome) else { return };
        reasons.push(
            match reset_by {
                ResetBy::Messages => {
                    "only messages reset the timer: Ping frames did not keep a connection open"
                }
                ResetBy::Pings => "only Ping frames reset the timer: messages did not keep a connection open",
            }
            .to_string(),
        );
    }

    fn conclude_idle(&mut self) {
        if self.evidence.is_vague() {
            return self.conclude_stochastic();
        }
        self.conclude_timeout();
        self.name_min();
    }

    /// A timeout below the shortest span that is tried first; it may have no lower end.
    fn name_min(&mut self) {
        let Bracket { lo, hi } = self.bracket();
        let below = hi.is_some_and(|hi| hi <= self.plan.min);
        if let (true, Some((_, reasons))) = (below, &mut self.outcome) {
            let min = show(self.plan.min);
            reasons.push(match lo {
                Some(_) => format!("the timeout is below --min {min}"),
                None => {
                    format!("no shorter span was tried than --min {min}: lower it to measure the timeout")
                }
            });
        }
    }

    fn conclude_timeout(&mut self) {
        let died = counted(self.evidence.deaths().len() as u64, "connection");
        match self.evidence.manner() {
            Some(CutManner::Visible(cut)) if cut.states_why() => {
                let closed = close_frame(&cut).unwrap_or_default();
                self.conclude(
                    IdleVerdict::ServerPolicy,
                    format!("the server closed idle connections with {closed}"),
                );
            }
            _ => self.conclude(
                IdleVerdict::IdleTimeout,
                format!("{died} died of being idle, and the control did not"),
            ),
        }
        self.add_what_resets();
    }
}
