//! The control connection, which is never idle: shows whether the path works, and how old a connection can
//! become.

use std::time::Duration;

use super::finding::LifetimeCap;
use super::plan::SearchPlan;
use super::probe::ProbeId;

/// A lifetime up to this factor longer than an idle timeout is looked for beside it.
const LIFETIME_SEARCH_FACTOR: f64 = 1.35;

/// The current control, and the ages of those that ended.
#[derive(Debug, Clone, Default)]
pub(super) struct ControlState {
    current: Option<ControlLifetime>,
    /// The ages at which controls ended.
    ages: Vec<LifetimeCap>,
}

#[derive(Debug, Clone)]
struct ControlLifetime {
    id: ProbeId,
    opened: Option<Duration>,
    last_answer: Option<Duration>,
}

/// What a control's end means, as far as it shows by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ControlVerdict {
    /// Another control ended at this age too.
    SameAge(LifetimeCap),
    /// Two controls ended before they could be asked twice.
    EndedAtOnceTwice,
    /// The first one to end at its age; it was last alive at this moment.
    Single { alive_at: Duration },
}

impl ControlState {
    pub fn id(&self) -> Option<ProbeId> {
        self.current.as_ref().map(|control| control.id)
    }

    pub fn order(&mut self, id: ProbeId) {
        self.current = Some(ControlLifetime { id, opened: None, last_answer: None });
    }

    pub fn opened(&mut self, at: Duration) {
        if let Some(control) = &mut self.current {
            control.opened = Some(at);
        }
    }

    pub fn failed(&mut self) {
        self.current = None;
    }

    pub fn record_answer(&mut self, at: Duration) {
        if let Some(control) = &mut self.current {
            control.last_answer = Some(at);
        }
    }

    /// Replaces the control by the second one: the earlier ones ended by idleness, not by age.
    pub fn replace(&mut self, (id, opened, last_answer): (ProbeId, Duration, Option<Duration>)) {
        self.current = Some(ControlLifetime { id, opened: Some(opened), last_answer });
        self.ages.clear();
    }

    /// When the current control opened.
    pub fn opened_at(&self) -> Option<Duration> {
        self.current.as_ref()?.opened
    }

    /// Forgets the ages: something else ended those controls.
    pub fn forget_ages(&mut self) {
        self.ages.clear();
    }

    /// How long the current control must be watched to see a lifetime slightly longer than an idle timeout; if a control has
    /// ended, one as long as the timeout. `None` if a control has lived long enough.
    pub fn watched_until(&self, timeout: Duration, plan: &SearchPlan) -> Option<Duration> {
        let control = self.current.as_ref()?;
        let factor = if self.ages.is_empty() { LIFETIME_SEARCH_FACTOR } else { 1.0 };
        let age = timeout.mul_f64(factor) + age_tolerance(timeout, plan);
        let enough = control.opened? + age;
        let has_lived = control.last_answer.is_some_and(|answer| answer >= enough)
            || self.ages.iter().any(|old| old.lo >= age);
        (!has_lived).then(|| enough + plan.answer_timeout)
    }

    /// How long the current control must be watched to know whether its predecessors ended by age. `None` if
    /// none has ended or there is no control.
    pub fn age_known_at(&self, plan: &SearchPlan) -> Option<Duration> {
        let age = self.ages.iter().map(|age| age.hi).max()?;
        Some(self.opened_at()? + age + age_tolerance(age, plan) + plan.answer_timeout)
    }

    pub fn is_open(&self) -> bool {
        self.current.as_ref().is_some_and(|control| control.opened.is_some())
    }

    /// Records its end: when it was last alive, and when it was gone.
    pub fn ended(&mut self, last_alive: Duration, found_dead: Duration, plan: &SearchPlan) -> ControlVerdict {
        let Some(control) = self.current.take() else {
            return ControlVerdict::Single { alive_at: last_alive };
        };
        let old = |moment: Duration| moment.saturating_sub(control.opened.unwrap_or(last_alive));
        let age = LifetimeCap { lo: old(last_alive), hi: old(found_dead) };
        let same = self.ages.iter().copied().find(|other| is_same(other, &age));
        self.ages.push(age);
        match same {
            Some(_) if age.lo < plan.control_interval * 2 => ControlVerdict::EndedAtOnceTwice,
            Some(other) => {
                ControlVerdict::SameAge(LifetimeCap { lo: other.lo.min(age.lo), hi: other.hi.max(age.hi) })
            }
            None => {
                ControlVerdict::Single { alive_at: control.last_answer.unwrap_or(last_alive).min(last_alive) }
            }
        }
    }

    /// The ages at which controls ended.
    pub fn ages(&self) -> &[LifetimeCap] {
        &self.ages
    }

    /// If a control ended at about this timeout or a little later: how long to wait until the current control
    /// shows whether that age is a rule.
    pub fn age_check_until(&self, lo: Option<Duration>, hi: Duration, plan: &SearchPlan) -> Option<Duration> {
        let near = |age: &Duration| {
            let slack = age_tolerance(*age, plan);
            *age <= hi.mul_f64(LIFETIME_SEARCH_FACTOR) + slack && lo.is_none_or(|lo| lo <= *age + slack)
        };
        let age = self.ages.iter().map(|age| age.hi).filter(near).max()?;
        let known_at =
            self.current.as_ref()?.opened? + age + age_tolerance(age, plan) * 2 + plan.answer_timeout;
        Some(known_at)
    }
}

/// Whether a connection of this age outlived a lifetime.
pub(super) fn is_outlived(lifetime: &LifetimeCap, age: Duration) -> bool {
    !is_same(lifetime, &LifetimeCap { lo: age, hi: age }) && age > lifetime.hi
}

/// Whether two ages can be the same, to 2 % and at least 300 ms. A visible end's age is known more exactly
/// than that of a control found dead. Two outages further apart are no lifetime.
pub(super) fn is_same(one: &LifetimeCap, other: &LifetimeCap) -> bool {
    let near = age_slack(one.hi.max(other.hi));
    one.lo <= other.hi + near && other.lo <= one.hi + near
}

pub(super) fn age_slack(age: Duration) -> Duration {
    age.mul_f64(0.02).max(Duration::from_millis(300))
}

/// How far from an age another one may lie: 2 %, at least three control intervals.
fn age_tolerance(age: Duration, plan: &SearchPlan) -> Duration {
    age.mul_f64(0.02).max(plan.control_interval * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// The verdict on the second of two controls, each opened at 0, last alive and gone at these moments
    /// (ms).
    fn second(first: (u64, u64), second: (u64, u64)) -> ControlVerdict {
        let (mut control, plan) = (ControlState::default(), SearchPlan::default());
        let mut verdicts = [first, second].map(|(last_alive, found_dead)| {
            control.order(ProbeId(1));
            control.opened(Duration::ZERO);
            control.ended(ms(last_alive), ms(found_dead), &plan)
        });
        verdicts.reverse();
        verdicts[0]
    }

    #[test]
    fn visible_ends_share_an_age_only_if_close() {
        let lifetime = LifetimeCap { lo: ms(4_980), hi: ms(5_010) };
        assert_eq!(second((4_980, 4_980), (5_010, 5_010)), ControlVerdict::SameAge(lifetime));
        assert!(
            matches!(second((3_984, 3_984), (4_400, 4_400)), ControlVerdict::Single { .. }),
            "two restarts"
        );
    }

    /// Known alive at 4.5 s and gone at 5 s; the next control alive at 4.9 s and gone at 5.4 s.
    #[test]
    fn unseen_ends_share_an_age_if_their_ranges_overlap() {
        let lifetime = LifetimeCap { lo: ms(4_500), hi: ms(5_400) };
        assert_eq!(second((4_500, 5_000), (4_900, 5_400)), ControlVerdict::SameAge(lifetime));
    }
}
