//! Detects what ends connections without a timeout: single events, connection limits, protocol violations.

use std::time::Duration;

use super::evidence::{SAME_MOMENT, SearchEvidence};
use super::finding::EndSpread;
use super::incident::{Incident, IncidentKind};
use super::probe::VisibleEnd;
use crate::domain::connection::close_cause::CloseKind;

/// The longest time from an end to its observation: after a FIN, wscheck tests whether the peer still reads.
pub(super) const MAX_OBSERVATION_DELAY: Duration = Duration::from_millis(700);

/// Ends of different age at one moment that are more than chance.
const MIN_SHARED_ENDS: usize = 4;

/// Whether wscheck itself ended the connection because of what it read. A forbidden close code still counts
/// as the peer's close frame.
pub(super) fn is_closed_by_us(how: &CloseKind) -> bool {
    matches!(how, CloseKind::Violation { close: None, .. } | CloseKind::TooLarge { .. })
}

/// Phrases in a close reason that name a session replaced by a newer one ...
const REPLACED_WORDS: [&str; 8] = [
    "replaced",
    "another connection",
    "another session",
    "another location",
    "new connection",
    "new session",
    "duplicate",
    "elsewhere",
];
/// ... and a connection limit.
const LIMIT_WORDS: [&str; 2] = ["too many", "connection limit"];

fn reason_contains(how: &CloseKind, phrases: &[&str]) -> bool {
    let CloseKind::CloseFrame { reason, .. } = how else { return false };
    let reason = reason.as_str().to_lowercase();
    phrases.iter().any(|words| reason.contains(words))
}

/// Whether the close frame says that a newer session replaced this one.
pub(super) fn names_a_newer_session(how: &CloseKind) -> bool {
    reason_contains(how, &REPLACED_WORDS)
}

/// Whether the close frame says that the server accepts no further connection (code 1013, or its reason), or no other
/// session.
pub(super) fn names_a_limit(how: &CloseKind) -> bool {
    matches!(how, CloseKind::CloseFrame { code: Some(1013), .. })
        || reason_contains(how, &LIMIT_WORDS)
        || names_a_newer_session(how)
}

/// The visible end of one connection.
#[derive(Debug, Clone)]
pub(super) struct ObservedEnd {
    pub moment: Duration,
    pub opened: Duration,
    /// How long it had been silent; `None` for a control.
    pub idle: Option<Duration>,
    /// The end seems to show that the server accepts no such connection.
    pub is_refusal: bool,
    /// How many other connections were open.
    pub others: usize,
    pub visible_end: VisibleEnd,
}

impl ObservedEnd {
    pub fn is_control(&self) -> bool {
        self.idle.is_none()
    }

    pub fn age(&self) -> Duration {
        self.moment.saturating_sub(self.opened)
    }
}

/// The visible ends not yet classified.
#[derive(Debug, Clone, Default)]
pub(super) struct ObservedEnds(Vec<ObservedEnd>);

/// When all ends of this moment have been observed.
fn complete_at(group: &[ObservedEnd]) -> Duration {
    group.last().map_or(Duration::ZERO, |end| end.moment + MAX_OBSERVATION_DELAY)
}

/// Whether ends of one moment may be one event, or refusals. Ends that a timer explains do not count.
fn is_suspicious(group: &[ObservedEnd], is_timed: &dyn Fn(&ObservedEnd) -> bool) -> bool {
    let is_open = |end: &&ObservedEnd| end.is_control() || end.is_refusal || !is_timed(end);
    let open: Vec<_> = group.iter().filter(is_open).collect();
    open.len() >= MIN_SHARED_ENDS || open.iter().any(|end| end.is_control() || end.is_refusal)
}

impl ObservedEnds {
    pub fn push(&mut self, end: ObservedEnd) {
        self.0.push(end);
    }

    /// No verdict is allowed before this time, since ends of the same moment may not be observed yet.
    /// `is_timed`: whether a known timer explains an end.
    pub fn hold_until(&self, is_timed: &dyn Fn(&ObservedEnd) -> bool) -> Option<Duration> {
        let groups = self.groups();
        groups.iter().filter(|group| is_suspicious(group, is_timed)).map(|group| complete_at(group)).max()
    }

    /// Takes the groups of which all ends have been observed.
    pub fn take_complete(&mut self, now: Duration) -> Vec<Vec<ObservedEnd>> {
        let groups = self.groups();
        let is_complete = |group: &Vec<ObservedEnd>| complete_at(group) <= now;
        let (complete, rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(is_complete);
        self.0 = rest.into_iter().flatten().collect();
        complete
    }

    fn groups(&self) -> Vec<Vec<ObservedEnd>> {
        let mut ends = self.0.clone();
        ends.sort_by_key(|end| end.moment);
        let mut groups: Vec<Vec<ObservedEnd>> = Vec::new();
        for end in ends {
            match groups.last_mut().filter(|group| end.moment <= group[0].moment + SAME_MOMENT) {
                Some(group) => group.push(end),
                None => groups.push(vec![end]),
            }
        }
        groups
    }
}

/// What connections are known to survive.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct KnownSurvival {
    /// The greatest age.
    pub age: Duration,
    /// The longest silence.
    pub silence: Duration,
}

fn is_clearly_below(one: Duration, other: Duration) -> bool {
    one < other.mul_f64(0.9) && other - one > SAME_MOMENT * 2
}

/// Whether these ends of one moment are an event that no timer explains. One of these holds:
/// 1. None survived, a control is among them, and their ages differ, so it is no lifetime.
/// 2. None survived, a control is among them, and a connection became older before.
/// 3. None of at least four survived; before, a connection became older and one was silent longer.
/// 4. None of at least four survived, and neither their ages nor their silences agree.
/// 5. Their ages are more than an idle timeout and a lifetime together explain.
pub(super) fn is_one_event(group: &[&ObservedEnd], survivors: usize, survival: &KnownSurvival) -> bool {
    let ages = || group.iter().map(|end| end.age());
    let (Some(youngest), Some(oldest)) = (ages().min(), ages().max()) else { return false };
    let silences = || group.iter().filter_map(|end| end.idle);
    let (shortest, longest) = (silences().min().unwrap_or_default(), silences().max().unwrap_or_default());
    let differ = is_clearly_below(youngest, oldest);
    let is_outlived = group.len() > 1 && is_clearly_below(oldest, survival.age);
    let is_silence_outlived = group.len() >= MIN_SHARED_ENDS && is_clearly_below(longest, survival.silence);
    let with_control = group.iter().any(|end| end.is_control());
    let none_agree = group.len() >= MIN_SHARED_ENDS && differ && is_clearly_below(shortest, longest);
    let is_event =
        if with_control { differ || is_outlived } else { none_agree || (is_outlived && is_silence_outlived) };
    let all = survivors == 0 && is_event;
    let many = group.len() >= MIN_SHARED_ENDS && youngest < oldest / 2 && count_distinct_ages(ages()) >= 3;
    all || (differ && many)
}

/// Counts ages that differ by more than a tenth and by more than one moment.
fn count_distinct_ages(ages: impl Iterator<Item = Duration>) -> usize {
    let mut ages: Vec<_> = ages.collect();
    ages.sort_unstable();
    let mut count = 0;
    let mut from = None;
    for age in ages {
        if from.is_none_or(|from: Duration| age > from.mul_f64(1.1) + SAME_MOMENT) {
            (count, from) = (count + 1, Some(age));
        }
    }
    count
}

fn is_same_moment(one: &Incident, other: &Incident) -> bool {
    one.at.abs_diff(other.at) <= SAME_MOMENT
}

#[derive(Debug, Clone, Default)]
pub(super) struct Incidents {
    known: Vec<Incident>,
    /// Incidents that a lifetime would explain too.
    undecided: Vec<Incident>,
}

impl Incidents {
    /// All of them, the earliest first.
    pub fn all(&self) -> Vec<Incident> {
        let mut all = [self.known.clone(), self.undecided.clone()].concat();
        all.sort_by_key(|incident| incident.at);
        all
    }

    pub fn push(&mut self, incident: Incident) {
        self.known.push(incident);
    }

    /// Adds an incident that a lifetime would explain too, unless a known event explains it.
    pub fn push_undecided(&mut self, incident: Incident) {
        if !self.of(IncidentKind::OneMoment).any(|event| is_same_moment(event, &incident)) {
            self.undecided.push(incident);
        }
    }

    /// Adds an event that no lifetime explains; it replaces the undecided incident of the same moment.
    pub fn push_event(&mut self, event: Incident) {
        self.undecided.retain(|undecided| !is_same_moment(undecided, &event));
        self.push(event);
    }

    /// Counts another connection of a kind that has one incident a run.
    pub fn count(&mut self, kind: IncidentKind, at: Duration, visible_end: &VisibleEnd) {
        match self.known.iter_mut().find(|incident| incident.kind == kind) {
            Some(incident) => incident.connections += 1,
            None => self.push(Incident { kind, at, connections: 1, visible_end: visible_end.clone() }),
        }
    }

    pub fn connections(&self, kind: IncidentKind) -> usize {
        self.known.iter().filter(|incident| incident.kind == kind).map(|incident| incident.connections).sum()
    }

    pub fn of(&self, kind: IncidentKind) -> impl Iterator<Item = &Incident> {
        self.known.iter().chain(&self.undecided).filter(move |incident| incident.kind == kind)
    }

    /// A lifetime is known: it explains the undecided incidents.
    pub fn explain_by_lifetime(&mut self) {
        self.undecided.clear();
    }
}

/// What the deaths among survivors mean, once the longest span survived or a bound is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MixedOutcome {
    Nothing,
    /// Few enough died that chance explains it.
    Chance,
    /// Some connections ended after one span, and others survived it.
    Repeated(EndSpread),
    /// Too many for chance died, after different spans.
    Scattered,
    /// More died than chance explains, but too few to say why.
    Few,
}

impl MixedOutcome {
    pub fn of(evidence: &SearchEvidence, repeat: usize) -> MixedOutcome {
        let died = evidence.deaths().len();
        if died == 0 {
            MixedOutcome::Nothing
        } else if let Some(ends) = evidence.repeated_end(repeat) {
            MixedOutcome::Repeated(ends)
        } else if evidence.is_by_chance() {
            MixedOutcome::Chance
        } else if died >= repeat {
            MixedOutcome::Scattered
        } else {
            MixedOutcome::Few
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::connection::untrusted_text::UntrustedText;

    fn end(opened: u64, moment: u64, is_control: bool) -> ObservedEnd {
        let (opened, moment) = (Duration::from_millis(opened), Duration::from_millis(moment));
        let idle = (!is_control).then_some(moment - opened);
        ObservedEnd { moment, opened, idle, is_refusal: false, others: 0, visible_end: CloseKind::Fin.into() }
    }

    fn is_event(group: &[ObservedEnd], survivors: usize) -> bool {
        is_one_event(&group.iter().collect::<Vec<_>>(), survivors, &KnownSurvival::default())
    }

    #[test]
    fn simultaneous_ends_of_different_age_are_one_event() {
        let group = [end(0, 4000, true), end(0, 4001, false), end(1500, 4002, false)];
        assert!(is_event(&group, 0));
        assert!(!is_event(&group, 1), "a lifetime and an idle timeout may coincide");
        assert!(!is_event(&group[1..], 0), "too few to tell, where the control is not among them");
    }

    #[test]
    fn simultaneous_ends_of_one_age_may_be_a_timer() {
        let group = [end(0, 4000, true), end(10, 4001, false), end(20, 4002, false)];
        assert!(!is_event(&group, 0));
    }

    #[test]
    fn simultaneous_ends_of_an_outlived_age_are_no_timer() {
        let group = [
            end(0, 4000, true),
            end(10, 4001, false),
            end(10, 4001, false),
            end(10, 4001, false),
            end(10, 4001, false),
        ];
        let is_event = |group: &[ObservedEnd], age, silence| {
            let survival =
                KnownSurvival { age: Duration::from_millis(age), silence: Duration::from_millis(silence) };
            is_one_event(&group.iter().collect::<Vec<_>>(), 0, &survival)
        };
        assert!(is_event(&group, 5000, 1000));
        assert!(!is_event(&group, 4200, 1000), "a lifetime that is reported late");
        assert!(!is_event(&group[1..], 5000, 3000), "an idle timeout");
        assert!(is_event(&group[1..], 5000, 5000));
    }

    #[test]
    fn three_ages_at_one_moment_are_one_event_despite_survivors() {
        let ends = [0, 1000, 2000, 3000].map(|opened| end(opened, 4000, false));
        assert!(is_event(&ends, 5));
        assert!(!is_event(&ends[..3], 5));
    }

    #[test]
    fn late_reported_ends_are_grouped_by_their_moment() {
        let mut ends = ObservedEnds::default();
        for end in [end(0, 2300, true), end(0, 9000, false), end(1000, 2310, false)] {
            ends.push(end);
        }
        let sizes = |groups: Vec<Vec<ObservedEnd>>| groups.iter().map(Vec::len).collect::<Vec<_>>();
        let untimed = |_: &ObservedEnd| false;
        assert_eq!(ends.hold_until(&untimed), Some(Duration::from_millis(3010)), "the control is among them");
        assert_eq!(sizes(ends.take_complete(Duration::from_millis(3010))), [2]);
        assert_eq!(ends.hold_until(&untimed), None);
        assert_eq!(sizes(ends.take_complete(Duration::from_millis(9700))), [1]);
    }

    #[test]
    fn undecided_event_is_counted_once_after_decision() {
        let at = |at, connections| Incident {
            kind: IncidentKind::OneMoment,
            at: Duration::from_millis(at),
            connections,
            visible_end: CloseKind::Fin.into(),
        };
        let mut incidents = Incidents::default();
        incidents.push_undecided(at(9000, 2));
        incidents.push_undecided(at(2306, 13));
        incidents.push_event(at(2305, 14));
        incidents.push_undecided(at(2310, 1));
        assert_eq!(incidents.all(), [at(2305, 14), at(9000, 2)]);
        incidents.explain_by_lifetime();
        assert_eq!(incidents.all(), [at(2305, 14)]);
    }

    #[test]
    fn close_reason_can_name_a_limit() {
        let close = |code, text| CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(text) };
        assert!(names_a_limit(&close(1013, "")));
        assert!(names_a_limit(&close(4409, "Replaced by a new connection")));
        assert!(names_a_newer_session(&close(4409, "Replaced by a new connection")));
        assert!(!names_a_newer_session(&close(1013, "too many connections")));
        assert!(!names_a_limit(&close(4000, "heartbeat timeout")));
        assert!(!names_a_limit(&CloseKind::Fin));
    }

    #[test]
    fn own_message_size_limit_is_reported_as_ours() {
        let visible_end = VisibleEnd::from(CloseKind::TooLarge { size: 2, limit: 1 });
        assert!(is_closed_by_us(&visible_end.how));
        let incident =
            Incident { kind: IncidentKind::Violation, at: Duration::ZERO, connections: 2, visible_end };
        assert_eq!(
            incident.to_string(),
            "wscheck closed 2 connections: a message of 2 bytes was larger than --max-message-size (1 bytes)"
        );
    }
}
