//! The search's state machine: it orders connections, evaluates what they show, and decides the verdict.

use std::time::Duration;

use crate::domain::format::{at_least, counted, duration as show};
use crate::domain::heartbeat::HeartbeatKind;

use super::admission::Admission;
use super::bisect;
use super::candidates::grid;
use super::control::{ControlState, ControlVerdict, age_slack, is_outlived, is_same};
use super::evidence::SearchEvidence;
use super::finding::{
    CutManner, EndSpread, IdleFindings, IdleVerdict, LifetimeCap, ProvisionalTimeout, ResetBy, ServerActivity,
};
use super::incident_detection::{
    Incidents, KnownSurvival, MAX_OBSERVATION_DELAY, MixedOutcome, ObservedEnd, ObservedEnds,
    is_closed_by_us, is_one_event, names_a_limit,
};
use super::parallel;
use super::plan::{PlanError, SearchPlan, Strategy};
use super::probe::{
    DeathCause, Observation, ProbeEvent, ProbeId, ProbeOrder, ProbeRole, SearchStep, VisibleEnd,
};
use super::reason::IdleReason;
use super::second_control::{SecondControl, SecondControlVerdict};
use super::server_activity::ActivityGaps;
use super::strategy::{KnownProbe, SearchAction, SearchActions, SearchState};
use super::undecided::{DeathCount, UndecidedCause};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::idle::evidence::SAME_MOMENT;
use crate::domain::idle::incident::{Incident, IncidentKind};
use crate::domain::run::bracket::Bracket;

/// Void rounds after which the path is too unsteady to measure.
const MAX_VOID_ROUNDS: u32 = 3;
/// Minimum connection limit at which a second control is opened.
const MIN_FOR_SECOND_CONTROL: usize = 4;
/// Connections closed by wscheck itself after which the search ends.
const MAX_VIOLATIONS: usize = 3;
/// No connection is opened for this long after wscheck itself closed one.
const VIOLATION_PAUSE: Duration = Duration::from_secs(1);
/// No connection is opened for this long after an end that may be a refusal.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);
/// A connection that ends within this time of an order to open another may have been replaced by it.
const DISPLACED_WITHIN: Duration = Duration::from_secs(1);
/// Consecutive failures to open after which the search ends, if fewer than three connections are open.
const MAX_OPEN_FAILURES: u32 = 6;

/// The control ended, and it is not yet known whether the whole path failed with it.
#[derive(Debug, Clone, Copy, Default)]
struct OutageSuspicion {
    since: Duration,
    /// When the control last answered.
    alive_at: Duration,
    /// The control stopped answering; no death counts until the path is known to work again.
    silent: bool,
    /// Set if another control ended at this age too.
    lifetime: Option<LifetimeCap>,
    /// The connection that was asked whether the path still works. It is older than the outage and, where a
    /// lifetime is suspected, younger than that lifetime.
    path_check: Option<ProbeId>,
    /// An earlier control end was still unexplained.
    is_repeated: bool,
}

/// What the search concluded.
#[derive(Debug, Clone)]
struct Outcome {
    verdict: IdleVerdict,
    /// Why.
    reasons: Vec<IdleReason>,
    undecided: Option<UndecidedCause>,
}

impl Outcome {
    fn decided(verdict: IdleVerdict, reason: String) -> Outcome {
        Outcome { verdict, reasons: vec![reason.into()], undecided: None }
    }

    fn undecided(cause: UndecidedCause) -> Outcome {
        let reasons = vec![cause.clone().into()];
        Outcome { verdict: IdleVerdict::Inconclusive, reasons, undecided: Some(cause) }
    }
}

/// The search for an idle timeout. The module's documentation describes how to drive it.
#[derive(Debug, Clone, Default)]
pub struct Search {
    plan: SearchPlan,
    /// The bounds promised to the user: [`SearchPlan::longest`] and [`SearchPlan::most_connections`].
    longest: Duration,
    most_connections: u32,
    /// The spans that [`Strategy::Parallel`] tries first.
    grid: Vec<Duration>,
    /// Watchers and trials that are not over.
    probes: Vec<KnownProbe>,
    control: ControlState,
    second_control: SecondControl,
    /// A control ended, so a second control would tell why.
    is_second_control_due: bool,
    /// The age at which controls ended, while the second control has not yet shown whether it is a lifetime.
    suspected_lifetime: Option<LifetimeCap>,
    /// The only kind of heartbeat that resets the timer.
    reset_by: Option<ResetBy>,
    evidence: SearchEvidence,
    gaps: ActivityGaps,
    outage: Option<OutageSuspicion>,
    /// Orders that `next` has not returned yet.
    orders: Vec<ProbeOrder>,
    needs_watchers: bool,
    /// Maximum number of simultaneous connections; the server may allow fewer than the plan.
    connection_limit: usize,
    open_failures: u32,
    retry_at: Duration,
    slowest_answer: Duration,
    /// Connections ordered.
    ordered_count: u32,
    /// Connections that opened.
    opened_count: u32,
    void_rounds: u32,
    provisional: Option<ProvisionalTimeout>,
    lifetime: Option<LifetimeCap>,
    /// The server closed controls at an age and stated why.
    closed_at_age: bool,
    /// The last close frame that stated the server's reason, if that was not a connection limit.
    stated_close: Option<VisibleEnd>,
    /// The age at which controls ended, if it is a lifetime or an idle timeout.
    lifetime_or_idle: Option<LifetimeCap>,
    /// Ends not yet classified, since some may belong to one event.
    unclassified_ends: ObservedEnds,
    incidents: Incidents,
    admission: Admission,
    /// How the last control ended.
    control_end: Option<VisibleEnd>,
    /// The spans after which some connections ended, if others survived them.
    ends_of_some: Option<EndSpread>,
    /// The greatest age at which a connection was known to be alive.
    oldest_alive: Duration,
    first_opened: Option<Duration>,
    /// When the last connection was ordered.
    ordered_at: Duration,
    /// When the longest span first survived.
    max_survived_at: Option<Duration>,
    /// No control is opened before this time, so that its age differs from the other connections'.
    control_not_before: Duration,
    /// The bracket is decided and only the control's age is open, so nothing more is opened.
    is_awaiting_control_age: bool,
    /// How many controls were opened later than the other connections.
    delayed_controls: u32,
    /// When each watcher and trial was seen to end.
    end_moments: Vec<Duration>,
    /// The same of those that no known timer explains and that were not refused, and their age then.
    ends: Vec<(Duration, Duration)>,
    /// The age of each control that ended, even if its end was explained since: between its last answer and when it was
    /// found dead.
    control_ages: Vec<LifetimeCap>,
    /// The least age at which a connection may have ended by being idle.
    youngest_death: Duration,
    outcome: Option<Outcome>,
    partial: bool,
    ended_at: Option<Duration>,
}

/// Whether an age or a span is clearly (10 %) below a lifetime.
fn is_well_below(age: Duration, lifetime: LifetimeCap) -> bool {
    age < lifetime.lo.mul_f64(0.9)
}

/// Whether age rather than silence explains an end: the silence was short because the server had sent
/// something.
fn is_explained_by_lifetime(span: Duration, age: Duration, lifetime: LifetimeCap) -> bool {
    is_well_below(span, lifetime) && !is_well_below(age, lifetime)
}

/// Formats a close frame: its code, the code's meaning and the peer's reason.
fn describe_close_frame(visible_end: &VisibleEnd) -> Option<String> {
    let CloseKind::CloseFrame { code, reason } = &visible_end.how else { return None };
    let code = code.map_or_else(
        || "no code".to_string(),
        |code| format!("{code} ({})", crate::domain::connection::close_cause::close_code_meaning(code)),
    );
    Some(if reason.as_str().is_empty() { code } else { format!("{code} '{}'", reason.as_str()) })
}

/// Whether wscheck gave a control up because nothing answered.
fn is_unanswered(visible_end: &VisibleEnd) -> bool {
    matches!(visible_end.how, CloseKind::Timeout | CloseKind::Silent)
}

/// The progress of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchProgress {
    pub bracket: Bracket,
    pub provisional: Option<ProvisionalTimeout>,
    /// The role of each connection that is silent.
    pub silent: Vec<ProbeRole>,
    /// When the search ends at the latest, by the cost promised for the timeout known so far.
    pub latest: Duration,
}

/// The part of the longest span at death by which the spans of random deaths differ at least: a timer that jitters by 2 %
/// either way, or ticks a few seconds apart, is no chance.
const MIN_SCATTER: f64 = 0.1;

impl Search {
    /// Creates a search within these bounds; fails if they make no sense.
    pub fn new(plan: SearchPlan) -> Result<Search, PlanError> {
        let plan = plan.checked()?;
        Ok(Search {
            longest: plan.longest(),
            most_connections: plan.most_connections(),
            grid: grid(plan.min, plan.max),
            needs_watchers: true,
            connection_limit: plan.max_connections,
            youngest_death: Duration::MAX,
            plan,
            ..Search::default()
        })
    }

    /// The next step. `now` is the time since the run's start, as everywhere in this module.
    pub fn next(&mut self, now: Duration) -> SearchStep {
        let wake = self.decide(now);
        if self.outcome.is_some() {
            self.ended_at.get_or_insert(now);
            return SearchStep::Done;
        }
        let known = self.lifetime;
        self.open_missing(now);
        if self.lifetime != known {
            return self.next(now);
        }
        let actions = self.plan_actions(now);
        let later = |at: Duration| Some(at).filter(|at| *at > now);
        let until = [wake, actions.wake, later(self.retry_at), later(self.control_not_before)];
        self.apply_actions(actions, now);
        if !self.orders.is_empty() {
            return SearchStep::Act(std::mem::take(&mut self.orders));
        }
        if until == [None; 4] && self.is_stuck() {
            self.conclude_stuck();
            return self.next(now);
        }
        let until = until.into_iter().flatten().filter(|at| *at > now).min();
        let end = if now < self.longest { self.longest } else { now + Duration::from_millis(1) };
        SearchStep::Wait { until: until.map_or(end, |until| until.min(end)) }
    }

    /// Whether no open connection can show anything more.
    fn is_stuck(&self) -> bool {
        let is_quiet = self.probes.is_empty() && self.outage.is_none() && self.suspected_lifetime.is_none();
        let has_control = self.control.is_open() && !self.gaps.is_busy();
        is_quiet && has_control && self.evidence.unconfirmed_deaths().next().is_none()
    }

    /// Records an observation. Observations of a connection that is over are ignored.
    pub fn observe(&mut self, observation: &Observation) {
        let Observation { probe, at, seen } = observation;
        if self.outcome.is_some() {
            return;
        }
        if let ProbeEvent::HeldBack { window } = *seen {
            return self.give_up(UndecidedCause::HeldBackByFlowControl { window });
        }
        if let ProbeEvent::Ended { visible_end, .. } = seen
            && visible_end.has_stated_reason()
            && !names_a_limit(&visible_end.how)
        {
            self.stated_close = Some(visible_end.clone());
        }
        match *probe {
            id if self.control.id() == Some(id) => self.observe_control(*at, seen),
            id if self.second_control.id() == Some(id) => self.observe_second(*at, seen),
            id => self.observe_probe(id, *at, seen),
        }
        if self.provisional.is_none()
            && let Some(spread) = self.evidence.visible_ends()
        {
            let (timeout, samples) = (spread.median, spread.count);
            self.provisional = Some(ProvisionalTimeout { timeout, samples, at: *at });
        }
    }

    /// Ends the search now with what is known: [`IdleFindings::partial`].
    pub fn interrupt(&mut self) {
        if self.outcome.is_none() {
            self.partial = true;
            self.outcome = Some(Outcome::undecided(UndecidedCause::Interrupted));
        }
    }

    /// The approximate timeout, known once two visible ends agree.
    pub fn provisional(&self) -> Option<ProvisionalTimeout> {
        self.provisional
    }

    pub fn bracket(&self) -> Bracket {
        match self.ends_of_some {
            Some(ends) => {
                Bracket { lo: self.evidence.longest_survivor_below(Some(ends)), hi: Some(ends.max) }
            }
            None => self.evidence.bracket(self.deaths_needed()),
        }
    }

    pub fn progress(&self, now: Duration) -> SearchProgress {
        let silent = self.probes.iter().filter(|probe| probe.asked.is_none());
        let end = self.evidence.upper_candidate().unwrap_or(self.plan.max);
        SearchProgress {
            bracket: self.bracket(),
            provisional: self.provisional,
            silent: silent.map(|probe| probe.role).collect(),
            latest: self.latest(end).min(self.longest).max(now + self.plan.answer_timeout),
        }
    }

    /// The promised cost of finding a timeout of this length; a binary search adds its steps.
    fn latest(&self, end: Duration) -> Duration {
        let confirmed = end * 3 + self.plan.answer_timeout * 2 + Duration::from_secs(2);
        let precision = self.usual_precision().max(Duration::from_millis(1));
        let halvings = (self.plan.max.as_secs_f64() / precision.as_secs_f64()).log2().ceil().max(1.0);
        match self.plan.strategy {
            Strategy::Parallel => confirmed,
            Strategy::Bisect => confirmed + (end + self.plan.answer_timeout).mul_f64(halvings),
        }
    }

    /// The findings; before the search is over, those so far.
    pub fn findings(&self, now: Duration) -> IdleFindings {
        let pending = || Outcome::decided(IdleVerdict::Inconclusive, "the search is not over".to_string());
        let Outcome { verdict, reasons, undecided } = self.outcome.clone().unwrap_or_else(pending);
        let activity = self.server_activity();
        let is_stochastic = verdict == IdleVerdict::Stochastic;
        let spread = if is_stochastic { self.evidence.death_range() } else { self.evidence.visible_ends() };
        let bracket = match verdict {
            IdleVerdict::ServerKeepsItBusy => {
                Bracket { lo: self.bracket().lo.max(activity.map(|c| c.longest_gap)), hi: None }
            }
            // A connection that was never idle was closed too, so no silence is known to be too long.
            IdleVerdict::ServerPolicy if self.closed_at_age => Bracket { lo: self.bracket().lo, hi: None },
            IdleVerdict::Stochastic => Bracket { lo: self.evidence.longest_survivor_below(spread), hi: None },
            IdleVerdict::IdleTimeout
            | IdleVerdict::LifetimeCap
            | IdleVerdict::NoTimeoutUpToMax
            | IdleVerdict::ServerPolicy
            | IdleVerdict::Inconclusive => self.bracket(),
        };
        IdleFindings {
            verdict,
            reasons,
            undecided,
            bracket,
            spread,
            manner: self.evidence.cut_manner().filter(|_| bracket.hi.is_some() || spread.is_some()),
            stated_close: self.stated_close.clone(),
            stops_forwarding_before_closing: self.evidence.is_dropped_before_end(),
            lifetime: self.lifetime,
            lifetime_or_idle: self.lifetime_or_idle,
            reset_by: self.reset_by,
            server_activity: activity,
            provisional: self.provisional,
            survived: self.evidence.survivors(),
            died: self.evidence.deaths(),
            incidents: self.incidents.all(),
            void_rounds: self.void_rounds,
            connections: self.opened_count,
            partial: self.partial,
            elapsed: self.ended_at.unwrap_or(now),
        }
    }
}

/// Recording observations.
impl Search {
    fn observe_control(&mut self, at: Duration, seen: &ProbeEvent) {
        match seen {
            ProbeEvent::Opened => {
                self.control.opened(at);
                self.note_opened(at);
            }
            ProbeEvent::Beat => {
                self.control.record_answer(at);
                self.note_alive(self.control.opened_at(), at);
                if let Some(opened) = self.control.opened_at()
                    && self.outage.is_none()
                    && self.suspected_lifetime.is_none()
                {
                    self.confirm_between(opened, at);
                    self.evidence.set_unconfirmed_aside(opened);
                }
            }
            ProbeEvent::OpenFailed { why } => {
                self.control.failed();
                self.record_open_failure(at, why);
            }
            ProbeEvent::Ended { idle, visible_end } => self.end_of_control(at, *idle, visible_end),
            ProbeEvent::Died { idle, .. } => {
                self.control_ended(at, *idle, &VisibleEnd::from(CloseKind::Timeout))
            }
            ProbeEvent::Asked { .. }
            | ProbeEvent::Survived { .. }
            | ProbeEvent::ServerMessage { .. }
            | ProbeEvent::HeldBack { .. }
            | ProbeEvent::Replied => {}
        }
    }

    fn observe_second(&mut self, at: Duration, seen: &ProbeEvent) {
        match seen {
            ProbeEvent::Opened => {
                self.second_control.opened(at);
                self.opened_count += 1;
                self.open_failures = 0;
            }
            ProbeEvent::Beat => self.second_control.record_answer(at),
            ProbeEvent::OpenFailed { why } => {
                self.second_control.failed();
                self.record_open_failure(at, why);
            }
            ProbeEvent::Ended { idle, visible_end } => self.end_of_second(at, *idle, visible_end),
            ProbeEvent::Died { .. }
            | ProbeEvent::Asked { .. }
            | ProbeEvent::Survived { .. }
            | ProbeEvent::ServerMessage { .. }
            | ProbeEvent::HeldBack { .. }
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
            ProbeEvent::ServerMessage { gap } => self.record_server_message(index, at, *gap),
            ProbeEvent::Replied => self.gaps.note_answer(),
            ProbeEvent::Beat | ProbeEvent::HeldBack { .. } => {}
            ProbeEvent::OpenFailed { why } => {
                self.probes.remove(index);
                self.record_open_failure(at, why);
            }
            ProbeEvent::Survived { idle, rtt } => {
                let probe = self.probes.remove(index);
                self.slowest_answer = self.slowest_answer.max(*rtt);
                self.note_alive(probe.opened, at);
                self.evidence.record_survival(*idle);
                self.apply_path_check(&probe, true, at);
            }
            ProbeEvent::Died { idle, death } => {
                let probe = self.probes.remove(index);
                let moment = probe.asked.map_or(at, |(_, asked)| asked);
                match death {
                    DeathCause::CutOnUse(visible_end) if is_closed_by_us(&visible_end.how) => {
                        self.note_violation(at, visible_end)
                    }
                    // It had survived such a gap between two messages of the server.
                    _ if ActivityGaps::is_closed_for_silence(*idle, probe.gap) => {
                        self.gaps.record_silent_close(
                            moment,
                            moment.saturating_sub(probe.opened.unwrap_or(moment)),
                        );
                    }
                    death => self.record_death(&probe, *idle, CutManner::from(death), moment),
                }
                self.apply_path_check(&probe, false, at);
            }
            ProbeEvent::Ended { idle, visible_end } => {
                let probe = self.probes.remove(index);
                self.end_of_probe(&probe, at, *idle, visible_end);
                self.apply_path_check(&probe, false, at);
            }
        }
    }

    fn note_opened(&mut self, at: Duration) {
        self.opened_count += 1;
        self.open_failures = 0;
        self.first_opened.get_or_insert(at);
    }

    fn note_alive(&mut self, opened: Option<Duration>, at: Duration) {
        let age = opened.map_or(Duration::ZERO, |opened| at.saturating_sub(opened));
        self.oldest_alive = self.oldest_alive.max(age);
    }

    fn end_of_probe(&mut self, probe: &KnownProbe, at: Duration, idle: Duration, visible_end: &VisibleEnd) {
        let opened = probe.opened.unwrap_or(at);
        if is_closed_by_us(&visible_end.how) {
            return self.note_violation(at, visible_end);
        }
        self.end_moments.push(at);
        let end = self.observed_end(at, opened, Some(idle), visible_end);
        let (age, is_refusal) = (end.age(), end.is_refusal);
        if !is_refusal && !self.is_timed(&end) {
            self.ends.push((at, age));
        }
        self.unclassified_ends.push(end);
        if is_refusal {
            return self.pause_openings(at);
        }
        if ActivityGaps::is_closed_for_silence(idle, probe.gap) {
            self.gaps.record_silent_close(at, age)
        } else {
            self.record_death(probe, idle, CutManner::Visible(visible_end.clone()), at)
        }
    }

    /// The end of a connection that does not count as open any more.
    fn observed_end(
        &self,
        moment: Duration,
        opened: Duration,
        idle: Option<Duration>,
        visible_end: &VisibleEnd,
    ) -> ObservedEnd {
        let is_refusal = self.is_refusal(opened, moment, &visible_end.how);
        let (others, visible_end) = (self.opening_times().count(), visible_end.clone());
        ObservedEnd { moment, opened, idle, is_refusal, others, visible_end }
    }

    fn record_death(&mut self, probe: &KnownProbe, idle: Duration, manner: CutManner, moment: Duration) {
        let age = moment.saturating_sub(probe.opened.unwrap_or(moment));
        if !self.lifetime.is_some_and(|lifetime| is_explained_by_lifetime(idle, age, lifetime)) {
            self.youngest_death = self.youngest_death.min(age);
            self.evidence.record_death(idle, manner, moment, age);
        }
    }

    fn end_of_control(&mut self, at: Duration, idle: Duration, visible_end: &VisibleEnd) {
        let opened = self.control.opened_at().unwrap_or(at);
        if is_closed_by_us(&visible_end.how) {
            self.control.failed();
            return self.note_violation(at, visible_end);
        }
        let is_seen = !is_unanswered(visible_end);
        let end = self.observed_end(at, opened, None, visible_end);
        let is_refusal = is_seen && end.is_refusal;
        if is_seen {
            let others = end.others - usize::from(self.control.is_open());
            self.unclassified_ends.push(ObservedEnd { others, ..end });
        }
        if is_refusal {
            self.control.failed();
            return self.pause_openings(at);
        }
        self.control_ended(at, idle, visible_end);
    }

    fn end_of_second(&mut self, at: Duration, idle: Duration, visible_end: &VisibleEnd) {
        if is_closed_by_us(&visible_end.how) {
            self.second_control.failed();
            return self.note_violation(at, visible_end);
        }
        let opened = self.second_control.open_state().map_or(at, |(_, opened, _)| opened);
        let (last_alive, found_dead) = self.last_alive_and_found_dead(at, idle, visible_end);
        self.second_control.ended(last_alive, found_dead);
        if is_unanswered(visible_end) {
            return;
        }
        let end = self.observed_end(at, opened, None, visible_end);
        if end.is_refusal {
            self.pause_openings(at);
        }
        self.unclassified_ends.push(end);
    }

    /// An end by wscheck itself says nothing about the path's timers.
    fn note_violation(&mut self, at: Duration, visible_end: &VisibleEnd) {
        self.incidents.count(IncidentKind::Violation, at, visible_end);
        self.retry_at = self.retry_at.max(at + VIOLATION_PAUSE);
        if self.incidents.connections(IncidentKind::Violation) >= MAX_VIOLATIONS {
            self.conclude(
                IdleVerdict::Inconclusive,
                "what the server sends makes measuring impossible".to_string(),
            );
        }
    }

    /// Whether an end shows that the server accepts no such connection: it came right after opening, its
    /// close frame says so, or another opening caused it.
    fn is_refusal(&self, opened: Duration, at: Duration, how: &CloseKind) -> bool {
        let is_displaced = self.admission.has_recent_refusals() && at <= self.ordered_at + DISPLACED_WITHIN;
        at.saturating_sub(opened) < self.plan.at_once() || names_a_limit(how) || is_displaced
    }

    /// Opens no connection until it is known why one ended at once.
    fn pause_openings(&mut self, at: Duration) {
        self.retry_at = self.retry_at.max(at + REFUSAL_PAUSE);
    }

    fn record_refusal(&mut self, end: &ObservedEnd) {
        self.incidents.count(IncidentKind::EndedAtOnce, end.moment, &end.visible_end);
        let retry_at = self.admission.record_refusal(end.opened, end.moment, end.others, &end.visible_end);
        self.retry_at = self.retry_at.max(retry_at);
    }

    fn record_server_message(&mut self, index: usize, at: Duration, gap: Duration) {
        let twice = self.probes.iter().enumerate().any(|(i, other)| i != index && other.server_messages >= 2);
        let probe = &mut self.probes[index];
        self.gaps.note(gap, probe.server_messages, twice);
        probe.server_messages += 1;
        probe.gap = probe.gap.max(gap);
        probe.since = Some(at);
    }

    /// Lowers the connection limit if the server refuses further connections.
    fn record_open_failure(&mut self, at: Duration, why: &str) {
        let open = self.probes.iter().filter(|probe| probe.opened.is_some()).count();
        let open = open + usize::from(self.control.is_open());
        let opening = self.probes.len() + usize::from(self.control.id().is_some()) - open;
        // If the server is unreachable, the search waits for it. Simultaneous failures count once and show no
        // limit.
        let none_open = open == 0 && self.opened_count > 0;
        if none_open && at < self.retry_at {
            return;
        }
        self.open_failures += 1;
        self.retry_at = at + Duration::from_secs(u64::from(self.open_failures.min(10)));
        if self.open_failures > 1 && !none_open {
            self.connection_limit = self.connection_limit.min((open + opening).max(3));
        }
        if self.open_failures >= MAX_OPEN_FAILURES && (none_open || open + opening < 3) {
            let why = why.to_string();
            self.give_up(match (none_open, open) {
                (true, _) => UndecidedCause::ServerBecameUnreachable { why },
                (false, 0) => UndecidedCause::LaterConnectionsRefused { why },
                (false, _) => UndecidedCause::TooFewConnections { open, why },
            });
        }
    }

    /// When a control was last alive, and when it was gone: at its end or at its first unanswered question.
    fn last_alive_and_found_dead(
        &self,
        at: Duration,
        idle: Duration,
        visible_end: &VisibleEnd,
    ) -> (Duration, Duration) {
        let last_alive = at.saturating_sub(idle);
        if !is_unanswered(visible_end) {
            return (last_alive, at);
        }
        (last_alive, at.saturating_sub(self.plan.answer_timeout).max(last_alive))
    }

    fn control_ended(&mut self, at: Duration, idle: Duration, visible_end: &VisibleEnd) {
        let silent = is_unanswered(visible_end);
        let (last_alive, found_dead) = self.last_alive_and_found_dead(at, idle, visible_end);
        self.is_second_control_due = true;
        if let Some(opened) = self.control.opened_at() {
            let age = |moment: Duration| moment.saturating_sub(opened);
            self.control_ages.push(LifetimeCap { lo: age(last_alive), hi: age(found_dead) });
            self.confirm_by_end_of_control(opened, last_alive);
        }
        self.control_end = Some(visible_end.clone());
        let outage =
            OutageSuspicion { since: at, alive_at: last_alive, silent, ..OutageSuspicion::default() };
        self.note_alive(self.control.opened_at(), last_alive);
        match self.control.ended(last_alive, found_dead, &self.plan) {
            ControlVerdict::SameAge(lifetime)
                if self.lifetime.is_some_and(|known| is_same(&known, &lifetime)) => {}
            ControlVerdict::SameAge(lifetime) => {
                let lifetime = self.is_credible(&lifetime).then_some(lifetime);
                self.suspect_outage(OutageSuspicion { lifetime, ..outage });
            }
            ControlVerdict::EndedAtOnceTwice => self.give_up(if silent {
                UndecidedCause::ControlUnanswered { kind: self.plan.kind }
            } else {
                UndecidedCause::ControlEndedAtOnce { visible_end: visible_end.clone() }
            }),
            ControlVerdict::Single { alive_at } => {
                self.suspect_outage(OutageSuspicion { alive_at, ..outage })
            }
        }
    }

    /// What ended clearly before the control did was not ended by the same event.
    fn confirm_by_end_of_control(&mut self, opened: Duration, last_alive: Duration) {
        if self.outage.is_none() && self.suspected_lifetime.is_none() {
            self.confirm_between(opened, last_alive.saturating_sub(SAME_MOMENT));
        }
    }

    /// A connection that opened at one moment answered at another: what ended in between counts from now on.
    fn confirm_between(&mut self, opened: Duration, answered: Duration) {
        self.evidence.confirm_deaths_between(opened, answered);
        self.gaps.confirm_ends_between(opened, answered);
    }

    /// What ended between two moments does not count. Returns how many known deaths this drops.
    fn ignore_between(&mut self, from: Duration, to: Duration) -> usize {
        self.gaps.ignore_between(from, to);
        self.evidence.ignore_between(from, to)
    }

    /// Suspects an outage. It starts at the earlier suspicion's start, if there is one.
    fn suspect_outage(&mut self, outage: OutageSuspicion) {
        let earlier = self.outage.map(|earlier| earlier.alive_at);
        let alive_at = earlier.map_or(outage.alive_at, |earlier| earlier.min(outage.alive_at));
        self.outage = Some(OutageSuspicion { alive_at, is_repeated: earlier.is_some(), ..outage });
    }

    /// Whether the controls' ages show a lifetime:
    /// 1. the age is known to 40 %,
    /// 2. no connection outlived it,
    /// 3. if connections ended at other ages too, at least three controls ended at this one.
    fn is_credible(&self, lifetime: &LifetimeCap) -> bool {
        let controls = self.control.ages().iter().filter(|age| is_same(age, lifetime)).count();
        let others = self.ends.iter().any(|(_, age)| is_well_below(*age, *lifetime));
        let is_known_well = lifetime.hi - lifetime.lo <= lifetime.lo.mul_f64(0.4);
        is_known_well && !is_outlived(lifetime, self.oldest_alive) && (!others || controls > 2)
    }

    /// Uses the end or survival of a connection that was open at the outage's start to explain the control's
    /// end.
    fn apply_path_check(&mut self, probe: &KnownProbe, alive: bool, at: Duration) {
        let Some(outage) = self.outage else { return };
        let asked_since = probe.asked.is_some_and(|(_, asked)| asked >= outage.since);
        let path_check = outage.path_check == Some(probe.id);
        match (alive, outage.lifetime) {
            (true, Some(lifetime)) if path_check => self.suspect_lifetime(lifetime),
            (true, None) if asked_since && probe.opened <= Some(outage.alive_at) => {
                self.confirm_path(&outage, probe, at)
            }
            (false, _) if path_check => self.void_round(at),
            (true | false, _) => {}
        }
    }

    /// The control died alone, since this connection was open all the time and answered. While the control was silent none
    /// answered, so deaths in that time do not count.
    fn confirm_path(&mut self, outage: &OutageSuspicion, alive: &KnownProbe, at: Duration) {
        self.outage = None;
        if outage.silent {
            let dropped = self.ignore_between(outage.alive_at, at);
            self.note_path_lost(outage.alive_at, dropped);
        }
        if let Some((opened, (_, asked))) = alive.opened.zip(alive.asked) {
            self.confirm_between(opened, asked);
        }
    }

    /// Voids the round: the path itself had failed.
    fn void_round(&mut self, at: Duration) {
        let Some(outage) = self.outage.take() else { return };
        self.void_rounds += 1;
        let dropped = self.evidence.drop_deaths_since(outage.alive_at);
        self.gaps.ignore_between(outage.alive_at, at);
        match self.control_end.clone().filter(|_| !outage.silent) {
            Some(_) if !self.ended_together(outage.since) => {}
            Some(visible_end) => {
                self.incidents.push_undecided(Incident::one_moment(outage.since, dropped + 1, visible_end))
            }
            None => self.note_path_lost(outage.alive_at, dropped),
        }
        self.provisional = self.provisional.filter(|provisional| provisional.at < outage.alive_at);
        let cancelled = self.probes.drain(..).map(|probe| ProbeOrder::Cancel { probe: probe.id });
        self.orders.extend(cancelled);
        self.needs_watchers = true;
        self.decide_void_rounds();
        self.retry_at = self.retry_at.max(at);
    }

    fn note_path_lost(&mut self, at: Duration, dropped: usize) {
        if dropped > 0 {
            let (kind, visible_end) = (IncidentKind::PathLost, CloseKind::Timeout.into());
            self.incidents.push(Incident { kind, at, connections: dropped, visible_end });
        }
    }

    fn decide_void_rounds(&mut self) {
        if self.void_rounds < MAX_VOID_ROUNDS {
            return;
        }
        let rounds = self.void_rounds;
        let moments: Vec<_> = self.incidents.of(IncidentKind::OneMoment).map(Incident::at_shown).collect();
        self.give_up(if moments.len() as u32 >= MAX_VOID_ROUNDS {
            UndecidedCause::RepeatedRestarts { rounds, moments }
        } else {
            let ages = self.control.ages().iter().map(|age| age.lo).collect();
            UndecidedCause::PathUnsteady { rounds, ages }
        });
    }

    /// Classifies ends of one moment together. Returns when to try again, if no verdict is allowed before.
    fn classify_ends(&mut self, now: Duration) -> Option<Duration> {
        for group in self.unclassified_ends.take_complete(now) {
            self.classify_group(&group);
        }
        self.unclassified_ends.hold_until(&|end| self.is_timed(end))
    }

    /// Whether a timer explains this end: other connections ended after the same silence at another moment.
    fn is_timed(&self, end: &ObservedEnd) -> bool {
        end.idle.is_some_and(|idle| self.evidence.ended_before(idle, end.moment))
    }

    /// Ends of one moment that no timer explains are one event; otherwise each is judged alone.
    fn classify_group(&mut self, group: &[ObservedEnd]) {
        let Some(first) = group.first() else { return };
        let before = |opened: &Duration| *opened + SAME_MOMENT < first.moment;
        let survivors = self.opening_times().filter(before).count();
        // If an old control is among the ends, or nothing survived, ends right after opening are no refusals.
        let is_old = group.iter().any(|end| !end.is_refusal && (end.is_control() || survivors == 0));
        let unexplained: Vec<_> =
            group.iter().filter(|end| (is_old || !end.is_refusal) && !self.is_timed(end)).collect();
        let silence = self.evidence.longest().unwrap_or_default();
        if is_one_event(&unexplained, survivors, &KnownSurvival { age: self.oldest_alive, silence }) {
            self.note_event(group, first);
        } else {
            group.iter().filter(|end| end.is_refusal).for_each(|end| self.record_refusal(end));
        }
    }

    fn note_event(&mut self, group: &[ObservedEnd], first: &ObservedEnd) {
        let (from, to) = (first.moment, first.moment + SAME_MOMENT);
        self.ignore_between(from, to);
        self.provisional = self.provisional.filter(|provisional| provisional.at < from);
        self.incidents.push_event(Incident::one_moment(from, group.len(), first.visible_end.clone()));
        if group.iter().any(ObservedEnd::is_control) {
            self.control.forget_ages();
            self.second_control.forget_end(from, to);
            (self.suspected_lifetime, self.delayed_controls) = (None, 0);
            self.clear_outage_within(from, to);
            self.needs_watchers = true;
        }
        self.void_rounds += 1;
        self.decide_void_rounds();
    }
}

/// Opening and closing connections.
impl Search {
    /// An event explains an outage that began with it. What an earlier, unexplained outage covers stays
    /// ignored.
    fn clear_outage_within(&mut self, from: Duration, to: Duration) {
        let Some(outage) = self.outage.take_if(|outage| (from..=to).contains(&outage.since)) else { return };
        if outage.is_repeated {
            self.ignore_between(outage.alive_at, to);
        }
    }

    fn new_id(&mut self) -> ProbeId {
        self.ordered_count += 1;
        ProbeId(self.ordered_count)
    }

    fn open(&mut self, role: ProbeRole, ask_at: Option<Duration>, now: Duration) {
        if self.ordered_count >= self.most_connections {
            return;
        }
        self.ordered_at = now;
        let probe = self.new_id();
        self.orders.push(ProbeOrder::Open { probe, role, ask_at });
        match role {
            ProbeRole::Control => self.control.order(probe),
            ProbeRole::SecondControl => self.second_control.order(probe),
            ProbeRole::Watcher | ProbeRole::Trial => self.probes.push(KnownProbe::new(probe, role, ask_at)),
        }
    }

    /// Opens the missing controls and watchers; after the control's end, asks a connection whether the path
    /// still works.
    fn open_missing(&mut self, now: Duration) {
        self.ask_youngest(now);
        if now < self.retry_at {
            return;
        }
        self.update_limit(now);
        if self.control.id().is_none() && now >= self.control_not_before {
            self.open(ProbeRole::Control, None, now);
        }
        if self.needs_second_control() && self.places_taken() <= self.connection_limit {
            self.open(ProbeRole::SecondControl, None, now);
        }
        let watching = self.probes.iter().filter(|probe| probe.role == ProbeRole::Watcher).count();
        let dying =
            self.evidence.upper_candidate().is_some() || self.evidence.unconfirmed_deaths().next().is_some();
        let quiet = !dying && watching * 2 < self.watchers();
        if std::mem::take(&mut self.needs_watchers) || quiet {
            let room = self.connection_limit().saturating_sub(self.places_taken());
            let count = self.watchers().saturating_sub(watching).min(room);
            (0..count).for_each(|_| self.open(ProbeRole::Watcher, Some(self.plan.max), now));
        }
        self.release_watchers();
    }

    /// Connections that count against the limit: the control, the second control (open or needed), and all
    /// others.
    fn places_taken(&self) -> usize {
        1 + usize::from(self.second_control.is_present() || self.needs_second_control()) + self.probes.len()
    }

    /// Whether to open a second control. With few connections allowed it would leave no place for a trial.
    fn needs_second_control(&self) -> bool {
        let of_use = self.is_second_control_due && self.reset_by.is_none() && self.second_control.is_wanted();
        of_use && self.allows_second_control()
    }

    fn allows_second_control(&self) -> bool {
        self.plan.second_control && self.connection_limit() >= MIN_FOR_SECOND_CONTROL
    }

    /// Lowers the limit after connections ended at once; see [`Admission`].
    fn update_limit(&mut self, now: Duration) {
        let together = self.ordered_count as usize <= self.plan.max_connections;
        self.admission.update_limit(now, Some(self.opened_count as usize).filter(|_| together));
        let stays = |opened: &Duration| now >= *opened + self.plan.at_once() + MAX_OBSERVATION_DELAY;
        let lasting = self.opening_times().filter(stays).count();
        self.admission.raise_limit(lasting);
    }

    fn connection_limit(&self) -> usize {
        self.connection_limit.min(self.admission.limit())
    }

    /// When each open connection opened.
    fn opening_times(&self) -> impl Iterator<Item = Duration> {
        let second = self
            .second_control
            .open_state()
            .filter(|_| self.second_control.is_present())
            .map(|(_, opened, _)| opened);
        self.probes.iter().filter_map(|probe| probe.opened).chain(self.control.opened_at()).chain(second)
    }

    fn watchers(&self) -> usize {
        self.plan.watchers().min(self.connection_limit().saturating_sub(1) / 2).max(1)
    }

    /// Cancels surplus watchers where the server allows few connections, so that there is a place for a
    /// trial.
    fn release_watchers(&mut self) {
        let watchers = self.probes.iter().filter(|probe| probe.role == ProbeRole::Watcher);
        let surplus: Vec<_> = watchers.skip(self.watchers()).map(|probe| probe.id).collect();
        for id in surplus {
            self.cancel(id);
        }
    }

    fn cancel(&mut self, id: ProbeId) {
        self.probes.retain(|probe| probe.id != id);
        self.orders.push(ProbeOrder::Cancel { probe: id });
    }

    /// Asks the youngest suitable connection at once: its silence is the least loss. Without one the round is
    /// void. If a lifetime is suspected it is accepted instead, unless a connection ended young with the
    /// control.
    fn ask_youngest(&mut self, now: Duration) {
        let Some(outage) = self.outage.filter(|outage| outage.path_check.is_none()) else { return };
        if !outage.silent && now < outage.since + MAX_OBSERVATION_DELAY {
            return;
        }
        if outage.lifetime.is_some_and(|lifetime| self.ended_young_with_control(outage.alive_at, lifetime)) {
            return self.void_round(now);
        }
        let tells = |probe: &KnownProbe| {
            let young = outage
                .lifetime
                .is_none_or(|l| probe.opened.is_some_and(|at| is_well_below(now.saturating_sub(at), l)));
            probe.since.is_some_and(|since| since < outage.alive_at) && probe.asked.is_none() && young
        };
        let youngest = self.probes.iter_mut().filter(|probe| tells(probe)).max_by_key(|p| p.since);
        match (youngest, outage.lifetime) {
            (None, Some(lifetime)) if self.delayed_controls > u32::from(outage.silent) => {
                self.suspect_lifetime(lifetime)
            }
            (None, Some(lifetime)) => self.reopen_control_later(now, lifetime),
            (None, None) => self.void_round(now),
            (Some(probe), _) => {
                let at = probe.idle(now);
                probe.ask_at = Some(at);
                self.orders.push(ProbeOrder::Ask { probe: probe.id, at });
                self.outage = Some(OutageSuspicion { path_check: Some(probe.id), ..outage });
            }
        }
    }

    /// Opens the next control later than the other connections. All are of one age, so a regular restart
    /// would look like a lifetime. If ends are not seen, ages are less exact and it does so twice.
    fn reopen_control_later(&mut self, now: Duration, lifetime: LifetimeCap) {
        let silent_since = self.outage.take().map(|outage| outage.since);
        if let (Some(at), Some(visible_end)) = (silent_since, self.control_end.clone()) {
            // What ended with the control did not end by being idle.
            let dropped = self.evidence.ignore_between(at.saturating_sub(SAME_MOMENT), at + SAME_MOMENT);
            self.provisional = self.provisional.filter(|provisional| provisional.at + SAME_MOMENT < at);
            if self.ended_together(at) {
                self.incidents.push_undecided(Incident::one_moment(at, dropped + 1, visible_end));
            }
        }
        self.delayed_controls += 1;
        let part = if self.delayed_controls.is_multiple_of(2) { 0.7 } else { 0.4 };
        self.control_not_before = now + lifetime.lo.mul_f64(part);
        if let Some(probe) = self.control.id() {
            self.orders.push(ProbeOrder::Cancel { probe });
            self.control.failed();
        }
    }

    /// Whether another connection was seen to end when the control did.
    fn ended_together(&self, moment: Duration) -> bool {
        self.end_moments.iter().any(|at| at.abs_diff(moment) <= SAME_MOMENT)
    }

    /// Whether a connection well below this age ended together with a control.
    fn ended_young_with_control(&self, moment: Duration, lifetime: LifetimeCap) -> bool {
        let together = |at: Duration| at.abs_diff(moment) <= Duration::from_millis(300);
        self.ends.iter().any(|(at, age)| together(*at) && is_well_below(*age, lifetime))
    }

    fn plan_actions(&mut self, now: Duration) -> SearchActions {
        let may_open =
            now >= self.retry_at && self.max_survived_at.is_none() && !self.is_awaiting_control_age;
        let free = if may_open { self.connection_limit().saturating_sub(self.places_taken()) } else { 0 };
        let answer = (self.slowest_answer * 3).clamp(Duration::from_millis(50), self.plan.answer_timeout / 2);
        let path_check = self.outage.and_then(|outage| outage.path_check);
        let state = SearchState {
            now,
            plan: &self.plan,
            evidence: &self.evidence,
            probes: &self.probes,
            path_check,
            free,
            answer,
            need: self.deaths_needed(),
            precision: self.precision(now),
        };
        match self.plan.strategy {
            Strategy::Parallel => parallel::plan_actions(&self.grid, &state),
            Strategy::Bisect => bisect::plan_actions(&state),
        }
    }

    fn apply_actions(&mut self, actions: SearchActions, now: Duration) {
        for action in actions.list {
            match action {
                SearchAction::Open { ask_at } => self.open(ProbeRole::Trial, ask_at, now),
                SearchAction::Cancel { probe } => self.cancel(probe),
                SearchAction::Ask { probe, at } => {
                    self.orders.push(ProbeOrder::Ask { probe, at });
                    if let Some(known) = self.probes.iter_mut().find(|known| known.id == probe) {
                        known.ask_at = Some(at);
                    }
                }
            }
        }
    }

    fn deaths_needed(&self) -> usize {
        self.evidence.deaths_needed(self.plan.repeat)
    }

    fn usual_precision(&self) -> Duration {
        self.plan.precision.at(self.evidence.longest().unwrap_or_default())
    }

    /// How narrow the bracket must become. If visible ends agree closely and time remains, it must be narrow
    /// enough to show a hop that drops the connection a second before it closes it.
    fn precision(&self, now: Duration) -> Duration {
        let usual = self.usual_precision();
        let near = Duration::from_millis(700).max(self.slowest_answer * 4);
        if self.refine_until().is_some_and(|until| now < until) { usual.min(near) } else { usual }
    }

    /// Until when refining below the visible ends is worth its time.
    fn refine_until(&self) -> Option<Duration> {
        let spread = self.evidence.visible_ends()?;
        let agree = spread.max - spread.min <= Duration::from_millis(300);
        let top = self.evidence.upper_candidate().is_some_and(|top| top >= spread.min);
        let (shortest, part) = (Duration::from_secs(2), 2.15);
        (agree && top && spread.min > shortest).then(|| spread.min.mul_f64(part))
    }
}

/// Deciding the verdict.
impl Search {
    /// Sets the verdict. It is inconclusive if wscheck itself closed connections, or a connection limit is
    /// suspected.
    fn conclude(&mut self, verdict: IdleVerdict, reason: String) {
        let outcome = if verdict != IdleVerdict::Inconclusive && self.admission.is_limit_suspected() {
            let mut outcome = Outcome::undecided(self.suspected_limit());
            outcome.reasons.push(reason.into());
            outcome
        } else {
            self.unless_control_ended_too(verdict, reason)
        };
        self.settle(outcome);
    }

    /// Ends the search without an answer.
    fn give_up(&mut self, cause: UndecidedCause) {
        self.settle(Outcome::undecided(cause));
    }

    /// Sets the outcome. If wscheck itself closed connections, that is why there is no answer.
    fn settle(&mut self, outcome: Outcome) {
        let violation = self.incidents.of(IncidentKind::Violation).next();
        let violation = violation.map(|incident| IdleReason::Text(incident.to_string()));
        let outcome = match violation {
            Some(why) => {
                let reasons = std::iter::once(why).chain(outcome.reasons.into_iter().last()).collect();
                Outcome { verdict: IdleVerdict::Inconclusive, reasons, undecided: None }
            }
            None => outcome,
        };
        self.outcome.get_or_insert(outcome);
    }

    fn suspected_limit(&self) -> UndecidedCause {
        let stayed: Vec<_> = self.opening_times().collect();
        self.admission.suspicion(&stayed, self.plan.min, self.plan.max_connections)
    }

    /// Claims no idle timeout if the control, which is never idle, ended too and a lifetime explains all
    /// ends:
    ///
    /// 1. the control may have ended at the same age as the others,
    /// 2. or the others ended older, and no connection was seen alive beyond that age,
    /// 3. or the others ended before any silence was tried.
    fn unless_control_ended_too(&self, verdict: IdleVerdict, reason: String) -> Outcome {
        let is_idle = matches!(verdict, IdleVerdict::IdleTimeout | IdleVerdict::Stochastic)
            || (verdict == IdleVerdict::ServerPolicy && !self.closed_at_age);
        if !is_idle || self.reset_by.is_some() {
            return Outcome::decided(verdict, reason);
        }
        match self.control_as_old_as_the_others() {
            Some(age) => Outcome::undecided(UndecidedCause::ControlEndedToo { age: age.hi }),
            None => Outcome::decided(verdict, reason),
        }
    }

    /// The age of a control that ended as the others did, if there is one.
    fn control_as_old_as_the_others(&self) -> Option<LifetimeCap> {
        let range = self.evidence.death_range();
        let is_near = |age: &&LifetimeCap| {
            range.is_some_and(|range| is_same(age, &LifetimeCap { lo: range.median, hi: range.median }))
        };
        let is_lifetime = |age: &&LifetimeCap| {
            let slack = age_slack(age.hi);
            self.oldest_alive <= age.hi + slack && self.youngest_death >= age.lo.saturating_sub(slack)
        };
        let is_below_min = range.is_some_and(|range| range.min < self.plan.min);
        let is_unproven = is_below_min && self.evidence.survivors().is_empty();
        let is_as_old = self.control_ages.iter().find(is_near);
        let oldest = self.control_ages.iter().max_by_key(|age| age.hi);
        is_as_old.or(oldest.filter(|age| is_unproven || is_lifetime(age))).copied()
    }

    /// Decides if the evidence allows it; otherwise returns when to try again, if that is known.
    fn decide(&mut self, now: Duration) -> Option<Duration> {
        if self.outcome.is_some() {
            return None;
        }
        if let Some(at) = self.admission.exhausted_at() {
            if now < at {
                return Some(at);
            }
            self.give_up(self.suspected_limit());
            return None;
        }
        if now >= self.longest || self.ordered_count >= self.most_connections {
            self.conclude_undecided(now);
            return None;
        }
        if let Some(until) = self.classify_ends(now) {
            return Some(until);
        }
        if let Some(until) = self.suspected_lifetime.and_then(|age| self.decide_by_second_control(age, now)) {
            return Some(until);
        }
        self.decide_evidence(now)
    }

    fn decide_evidence(&mut self, now: Duration) -> Option<Duration> {
        if self.outcome.is_some() || self.decide_lifetime() {
            return None;
        }
        if self.gaps.is_busy() {
            return self.decide_busy(now);
        }
        if self.evidence.is_stochastic() && self.evidence.repeated_end(self.plan.repeat).is_none() {
            self.conclude_stochastic();
        } else if self.has_survived_max(now) {
            self.conclude_survived();
        } else {
            return self.decide_bracket(now);
        }
        None
    }

    /// A busy server may still end connections at an age. So the search waits until connections are as old as
    /// the longest span, or until silent ones were closed and the control has outlived them.
    fn decide_busy(&mut self, now: Duration) -> Option<Duration> {
        let is_age_open = !self.control.ages().is_empty() && !self.control.is_open();
        if self.outage.is_some() || is_age_open {
            return None;
        }
        let closes_silent_after = self.server_activity().and_then(|activity| activity.closes_silent_after);
        if closes_silent_after.is_some() && !self.control.is_open() {
            return None;
        }
        let age = closes_silent_after.map_or(self.plan.max, |age| age.mul_f64(1.1));
        let opened = if closes_silent_after.is_some() { self.control.opened_at() } else { self.first_opened };
        let old = opened.map(|opened| opened + age);
        let until = old.max(self.control.age_known_at(&self.plan)).filter(|until| now < *until);
        if until.is_none() {
            self.conclude_busy();
        }
        until
    }

    fn conclude_busy(&mut self) {
        let Some(activity) = self.server_activity() else { return };
        let stated = self
            .stated_close
            .as_ref()
            .filter(|_| activity.closes_silent_after.is_some())
            .and_then(describe_close_frame);
        if let Some(closed) = stated {
            self.closed_at_age = true;
            return self.conclude(
                IdleVerdict::ServerPolicy,
                format!(
                    "the server sends by itself, about every {}, and closed clients that sent nothing with {closed}: \
                     perhaps it expects an answer",
                    show(activity.period)
                ),
            );
        }
        let (period, gap) = (show(activity.period), at_least(activity.longest_gap));
        let mut why =
            format!("the server sends by itself, about every {period}; the longest quiet gap was {gap}");
        if !self.evidence.deaths().is_empty() {
            why = format!("{why}; {}", self.count_deaths());
        }
        self.conclude(IdleVerdict::ServerKeepsItBusy, why);
        if activity.answered {
            self.add_reason(format!(
                "the server sent requests and was answered; silences longer than {gap} cannot be tested \
                 (--no-answer leaves it unanswered)"
            ));
        }
        if let Some(age) = activity.closes_silent_after {
            self.add_reason(format!(
                "the server still closed clients that sent nothing at the age of {}: only messages from the client \
                 reset its timer",
                show(age)
            ));
        }
    }

    fn add_reason(&mut self, why: impl Into<String>) {
        if let Some(outcome) = &mut self.outcome {
            outcome.reasons.push(IdleReason::Text(why.into()));
        }
    }

    /// Records the age at which controls ended. With one kind of heartbeat that alone does not show a
    /// lifetime.
    fn suspect_lifetime(&mut self, lifetime: LifetimeCap) {
        (self.suspected_lifetime, self.outage) = (Some(lifetime), None);
    }

    /// Applies the second control's verdict on the age of the others' ends. Returns when to try again.
    fn decide_by_second_control(&mut self, age: LifetimeCap, now: Duration) -> Option<Duration> {
        let verdict = if self.allows_second_control() {
            self.second_control.verdict(age, now, &self.plan)
        } else {
            SecondControlVerdict::Nothing
        };
        match (verdict, self.plan.kind) {
            (SecondControlVerdict::Wait { until }, _) => return Some(until),
            (SecondControlVerdict::Outlived, kind) => self.promote_second_control(kind),
            (SecondControlVerdict::SameAge(_) | SecondControlVerdict::Nothing, _)
                if self.has_stated_control_end() =>
            {
                self.conclude_policy_at(age);
            }
            (SecondControlVerdict::SameAge(both), _) => self.accept_lifetime(both),
            // A server that does not answer Pings does not count them either.
            (SecondControlVerdict::Nothing, HeartbeatKind::App) => self.accept_lifetime(age),
            (SecondControlVerdict::Nothing, HeartbeatKind::Protocol | HeartbeatKind::Http2) => {
                self.conclude_lifetime_or_idle(age)
            }
        }
        None
    }

    /// Only the other kind of heartbeat resets the timer, so the first control was idle to it. The path
    /// worked all the time, so no round was void.
    fn promote_second_control(&mut self, kind: HeartbeatKind) {
        let Some(life) = self.second_control.open_state() else { return };
        self.suspected_lifetime = None;
        self.reset_by = Some(match kind {
            HeartbeatKind::Protocol | HeartbeatKind::Http2 => ResetBy::Messages,
            HeartbeatKind::App => ResetBy::Pings,
        });
        self.orders.extend(self.control.id().map(|probe| ProbeOrder::Cancel { probe }));
        self.control.replace(life);
        self.control_ages.clear();
        (self.second_control, self.void_rounds) = (SecondControl::default(), 0);
    }

    fn has_stated_control_end(&self) -> bool {
        self.control_end.as_ref().is_some_and(VisibleEnd::has_stated_reason)
    }

    /// The server closed connections at this age and stated why.
    fn conclude_policy_at(&mut self, age: LifetimeCap) {
        self.suspected_lifetime = None;
        let Some(closed) = self.control_end.as_ref().and_then(describe_close_frame) else { return };
        let age = age.to_string();
        self.closed_at_age = true;
        self.conclude(
            IdleVerdict::ServerPolicy,
            format!("the server closed connections at the age of {age} with {closed}, the control too"),
        );
    }

    fn conclude_lifetime_or_idle(&mut self, age: LifetimeCap) {
        (self.suspected_lifetime, self.lifetime_or_idle) = (None, Some(age));
        let messages_tried = self.plan.second_control;
        self.give_up(UndecidedCause::LifetimeOrIdleTimeout { age, messages_tried });
    }

    /// Accepts a lifetime: connections that were never idle end at this age too.
    fn accept_lifetime(&mut self, lifetime: LifetimeCap) {
        (self.lifetime, self.outage, self.suspected_lifetime) = (Some(lifetime), None, None);
        self.incidents.explain_by_lifetime();
        self.evidence.drop_explained(|span, age| is_explained_by_lifetime(span, age, lifetime));
        self.decide_lifetime();
    }

    /// Concludes a lifetime unless idle connections die well before it, or seemed to. Returns whether it did.
    fn decide_lifetime(&mut self) -> bool {
        let Some(lifetime) = self.lifetime else { return false };
        let first = self
            .evidence
            .upper_candidate()
            .into_iter()
            .chain(self.evidence.unconfirmed_deaths())
            .chain(self.evidence.unwitnessed())
            .min();
        if !self.gaps.is_busy() && first.is_some_and(|span| is_well_below(span, lifetime)) {
            return false;
        }
        self.conclude_lifetime(lifetime);
        true
    }

    fn conclude_lifetime(&mut self, lifetime: LifetimeCap) {
        (self.lifetime, self.suspected_lifetime) = (Some(lifetime), None);
        self.conclude(
            IdleVerdict::LifetimeCap,
            format!("connections that were never idle ended at the age of {lifetime}, too"),
        );
        if self.second_control.id().is_some() {
            self.add_reason("neither Ping frames nor messages kept them open");
        }
    }

    /// Whether the longest span survived and every connection asked by then has answered or died.
    fn has_survived_max(&mut self, now: Duration) -> bool {
        if self.evidence.longest() < Some(self.plan.max) {
            return false;
        }
        let since = *self.max_survived_at.get_or_insert(now);
        let is_awaited = |probe: &KnownProbe| probe.asked.is_some_and(|(_, at)| at <= since);
        let is_control_confirmed =
            self.outage.is_none() && self.evidence.unconfirmed_deaths().next().is_none();
        is_control_confirmed && !self.probes.iter().any(is_awaited)
    }

    fn conclude_survived(&mut self) {
        let max = show(self.plan.max);
        if self.evidence.count_support(self.plan.max) >= self.deaths_needed() {
            let why = format!("at {max} some connections survived, and some did not");
            return self.conclude(IdleVerdict::IdleTimeout, why);
        }
        let survived = format!("an idle span of {max} survived");
        match MixedOutcome::of(&self.evidence, self.plan.repeat) {
            MixedOutcome::Nothing => self.conclude(IdleVerdict::NoTimeoutUpToMax, survived),
            MixedOutcome::Chance => {
                let why = format!("{survived}; {} before that, few enough to be chance", self.count_deaths());
                self.conclude(IdleVerdict::NoTimeoutUpToMax, why);
            }
            mixed @ (MixedOutcome::Repeated(_) | MixedOutcome::Scattered | MixedOutcome::Few) => {
                self.conclude_mixed(mixed)
            }
        }
    }

    /// Some connections died, and others survived the same spans.
    fn conclude_mixed(&mut self, mixed: MixedOutcome) {
        match mixed {
            MixedOutcome::Repeated(ends) => {
                self.ends_of_some = Some(ends);
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
            MixedOutcome::Scattered => self.conclude_stochastic(),
            MixedOutcome::Nothing | MixedOutcome::Chance | MixedOutcome::Few => {
                self.give_up(UndecidedCause::MixedOutcomes { deaths: self.count_deaths() });
            }
        }
    }

    /// What the server sends by itself. If the control ended at the age of the silent clients, or nothing outlived them, the server
    /// did not close them for their silence.
    fn server_activity(&self) -> Option<ServerActivity> {
        let activity = self.gaps.activity()?;
        let ended_too = |age: &Duration| {
            let is_outlived = self.oldest_alive > *age + age_slack(*age);
            let own = LifetimeCap { lo: *age, hi: *age };
            self.control_ages
                .iter()
                .any(|control| is_same(control, &own) || (control.lo <= *age && !is_outlived))
        };
        let closes_silent_after = activity.closes_silent_after.filter(|age| !ended_too(age));
        Some(ServerActivity { closes_silent_after, ..activity })
    }

    fn count_deaths(&self) -> DeathCount {
        let spans = self.evidence.deaths().into_iter().map(|(span, _)| span).collect();
        DeathCount { spans, survived: self.evidence.survivors().len() }
    }

    /// The bound of time or of connections is reached.
    fn conclude_undecided(&mut self, now: Duration) {
        if let Some(lifetime) = self.lifetime {
            let dies_before = self.bracket().hi.is_some_and(|hi| is_well_below(hi, lifetime));
            return if dies_before && !self.gaps.is_busy() {
                self.conclude_timeout()
            } else {
                self.conclude_lifetime(lifetime)
            };
        }
        if self.evidence.is_one_timer(self.deaths_needed()) {
            return self.conclude_timeout();
        }
        let mixed = MixedOutcome::of(&self.evidence, self.plan.repeat);
        if matches!(mixed, MixedOutcome::Repeated(_) | MixedOutcome::Scattered) && self.evidence.is_mixed() {
            return self.conclude_mixed(mixed);
        }
        let (connections, deaths) = (self.opened_count, self.count_deaths());
        self.give_up(UndecidedCause::LimitReached { connections, elapsed: now, deaths });
    }

    /// No open connection can show anything more.
    fn conclude_stuck(&mut self) {
        if self.evidence.is_one_timer(self.deaths_needed()) {
            return self.conclude_timeout();
        }
        self.give_up(UndecidedCause::EndsDisagree);
    }

    fn decide_bracket(&mut self, now: Duration) -> Option<Duration> {
        self.is_awaiting_control_age = false;
        let Bracket { lo, hi } = self.bracket();
        let hi = hi?;
        let narrow = self.evidence.is_narrow(self.deaths_needed(), self.precision(now));
        let shortest = hi <= self.plan.min + Duration::from_millis(50);
        if !narrow && self.evidence.is_narrow(self.deaths_needed(), self.usual_precision()) {
            return self.refine_until();
        }
        if !(narrow || shortest)
            || self.evidence.is_one_moment(self.deaths_needed(), hi)
            || !self.control.is_open()
            || self.outage.is_some()
            || self.is_contested(hi, now)
        {
            return None;
        }
        let until =
            self.control.age_check_until(lo, hi, &self.plan).max(self.control.watched_until(hi, &self.plan));
        let until = until.filter(|until| now < *until && self.lifetime.is_none());
        self.is_awaiting_control_age = until.is_some();
        if until.is_none() {
            self.conclude_idle();
        }
        until
    }

    /// Whether a visible end may still be refuted: a connection was silent for longer, and its state is not
    /// known yet.
    fn is_contested(&self, hi: Duration, now: Duration) -> bool {
        let limit = hi + self.usual_precision();
        let older = |probe: &KnownProbe| probe.asked.map_or(probe.idle(now), |(span, _)| span) > limit;
        self.evidence.is_upper_end_seen(self.deaths_needed(), hi) && self.probes.iter().any(older)
    }

    fn conclude_stochastic(&mut self) {
        // Ends within a timer's inexactness are not scattered; what survived longer spans contradicts them.
        let scattered = self.evidence.death_range().filter(|range| {
            let width = range.max - range.min;
            width > age_slack(range.max).max(range.max.mul_f64(MIN_SCATTER))
        });
        let Some(range) = scattered else {
            return self.give_up(UndecidedCause::MixedOutcomes { deaths: self.count_deaths() });
        };
        let (from, to) = (show(range.min), show(range.max));
        let why = format!("idle connections died after {from} to {to}, and survived in between");
        self.conclude(IdleVerdict::Stochastic, why);
    }

    fn add_reset_hint(&mut self) {
        let Some(reset_by) = self.reset_by else { return };
        self.add_reason(match reset_by {
            ResetBy::Messages => "messages reset the timer: Ping frames did not keep a connection open",
            ResetBy::Pings => "Ping frames reset the timer: messages did not keep a connection open",
        });
    }

    fn conclude_idle(&mut self) {
        if self.evidence.is_vague() {
            return self.conclude_stochastic();
        }
        self.conclude_timeout();
        self.add_min_hint();
    }

    /// Notes a timeout below `--min`; it may have no lower end.
    fn add_min_hint(&mut self) {
        let Bracket { lo, hi } = self.bracket();
        if hi.is_some_and(|hi| hi <= self.plan.min) {
            let min = show(self.plan.min);
            self.add_reason(match lo {
                Some(_) => format!("the timeout is below --min {min}"),
                None => {
                    format!("no span shorter than --min {min} was tried: lower it to measure the timeout")
                }
            });
        }
    }

    fn conclude_timeout(&mut self) {
        if let Some(CutManner::Visible(end)) = self.evidence.cut_manner()
            && end.has_stated_reason()
        {
            let closed = describe_close_frame(&end).unwrap_or_default();
            self.conclude(
                IdleVerdict::ServerPolicy,
                format!("the server closed idle connections with {closed}"),
            );
        } else {
            let died = counted(self.evidence.deaths().len() as u64, "connection");
            self.conclude(IdleVerdict::IdleTimeout, format!("{died} died while idle; the control did not"));
        }
        self.add_reset_hint();
    }
}
