//! The control connection, which is never idle: whether the path was there, and how old a connection may
//! become.

use std::time::Duration;

use super::finding::LifetimeCap;
use super::plan::SearchPlan;
use super::probe::ProbeId;

/// A lifetime that is longer than an idle timeout by no more than this factor is looked for beside it.
const BEYOND: f64 = 1.35;

/// The control, and the deaths of those before it.
#[derive(Debug, Clone, Default)]
pub(super) struct ControlState {
    current: Option<ControlLifetime>,
    /// The ages at which controls died.
    ages: Vec<LifetimeCap>,
}

#[derive(Debug, Clone)]
struct ControlLifetime {
    id: ProbeId,
    opened: Option<Duration>,
    last_beat: Option<Duration>,
}

/// What a control's death means, as far as it can be told by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ControlVerdict {
    /// Another control died at this age, too.
    SameAge(LifetimeCap),
    /// Two controls died before they could be asked twice.
    Stillborn,
    /// The only one so far to die at its age. It had been alive at this moment.
    Lone { alive_at: Duration },
}

impl ControlState {
    pub fn id(&self) -> Option<ProbeId> {
        self.current.as_ref().map(|life| life.id)
    }

    pub fn order(&mut self, id: ProbeId) {
        self.current = Some(ControlLifetime { id, opened: None, last_beat: None });
    }

    pub fn opened(&mut self, at: Duration) {
        if let Some(life) = &mut self.current {
            life.opened = Some(at);
        }
    }

    pub fn failed(&mut self) {
        self.current = None;
    }

    pub fn beat(&mut self, at: Duration) {
        if let Some(life) = &mut self.current {
            life.last_beat = Some(at);
        }
    }

    /// The second control takes its place: what ended before was idle, and not old.
    pub fn replace(&mut self, (id, opened, last_beat): (ProbeId, Duration, Option<Duration>)) {
        self.current = Some(ControlLifetime { id, opened: Some(opened), last_beat });
        self.ages.clear();
    }

    /// When the present one opened.
    pub fn opened_at(&self) -> Option<Duration> {
        self.current.as_ref()?.opened
    }

    /// The deaths were none of age.
    pub fn forget_ages(&mut self) {
        self.ages.clear();
    }

    /// Until when the first control must be watched to see a lifetime that is little longer than an idle timeout; `None`
    /// where one has died, or the present one is known to have lived on.
    pub fn watched_until(&self, timeout: Duration, plan: &SearchPlan) -> Option<Duration> {
        let life = self.current.as_ref().filter(|_| self.ages.is_empty())?;
        let age = timeout.mul_f64(BEYOND) + tolerance(timeout, plan);
        let enough = life.opened? + age;
        life.last_beat.is_none_or(|beat| beat < enough).then(|| enough + plan.answer_timeout)
    }

    /// Until when the present control must be watched to tell whether the deaths of those before it were of age; `None`
    /// where none has died, or there is no control.
    pub fn told_at(&self, plan: &SearchPlan) -> Option<Duration> {
        let age = self.ages.iter().map(|age| age.hi).max()?;
        Some(self.opened_at()? + age + tolerance(age, plan) + plan.answer_timeout)
    }

    pub fn is_open(&self) -> bool {
        self.current.as_ref().is_some_and(|life| life.opened.is_some())
    }

    /// It ended: it was alive at the first of these moments, and gone at the second.
    pub fn ended(&mut self, last: Duration, gone: Duration, plan: &SearchPlan) -> ControlVerdict {
        let Some(life) = self.current.take() else { return ControlVerdict::Lone { alive_at: last } };
        let old = |moment: Duration| moment.saturating_sub(life.opened.unwrap_or(last));
        let age = LifetimeCap { lo: old(last), hi: old(gone) };
        let same = self.ages.iter().copied().find(|other| is_same(other, &age));
        self.ages.push(age);
        match same {
            Some(_) if age.lo < plan.control_interval * 2 => ControlVerdict::Stillborn,
            Some(other) => {
                ControlVerdict::SameAge(LifetimeCap { lo: other.lo.min(age.lo), hi: other.hi.max(age.hi) })
            }
            None => ControlVerdict::Lone { alive_at: life.last_beat.unwrap_or(last).min(last) },
        }
    }

    /// The ages at which controls died.
    pub fn ages(&self) -> &[LifetimeCap] {
        &self.ages
    }

    /// Whether a control died about here or somewhat older, and the present one is not old enough to tell whether that is
    /// a rule; then until when to wait.
    pub fn untold(&self, lo: Option<Duration>, hi: Duration, plan: &SearchPlan) -> Option<Duration> {
        let near = |age: &Duration| {
            let slack = tolerance(*age, plan);
            *age <= hi.mul_f64(BEYOND) + slack && lo.is_none_or(|lo| lo <= *age + slack)
        };
        let age = self.ages.iter().map(|age| age.hi).filter(near).max()?;
        let told = self.current.as_ref()?.opened? + age + tolerance(age, plan) * 2 + plan.answer_timeout;
        Some(told)
    }
}

/// Whether a connection of this age has outlived a lifetime.
pub(super) fn is_outlived(lifetime: &LifetimeCap, age: Duration) -> bool {
    !is_same(lifetime, &LifetimeCap { lo: age, hi: age }) && age > lifetime.hi
}

/// Whether two ages can be the same, to 2 % and at least 300 ms: what was seen to end is known more exactly
/// than what was found dead. Two outages that are further apart are no lifetime.
pub(super) fn is_same(one: &LifetimeCap, other: &LifetimeCap) -> bool {
    let near = age_slack(one.hi.max(other.hi));
    one.lo <= other.hi + near && other.lo <= one.hi + near
}

/// How far two ages can be apart and still be the same.
pub(super) fn age_slack(age: Duration) -> Duration {
    age.mul_f64(0.02).max(Duration::from_millis(300))
}

/// How far from an age to look for its like: 2 %, at least three intervals of the control.
fn tolerance(age: Duration, plan: &SearchPlan) -> Duration {
    age.mul_f64(0.02).max(plan.control_interval * 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// The fate of the second of two controls, each opened at 0, alive and gone at these moments.
    fn second(first: (u64, u64), second: (u64, u64)) -> ControlVerdict {
        let (mut control, plan) = (ControlState::default(), SearchPlan::default());
        let mut fates = [first, second].map(|(last, gone)| {
            control.order(ProbeId(1));
            control.opened(Duration::ZERO);
            control.ended(ms(last), ms(gone), &plan)
        });
        fates.reverse();
        fates[0]
    }

    #[test]
    fn visible_ends_share_an_age_only_if_close() {
        let lifetime = LifetimeCap { lo: ms(4_980), hi: ms(5_010) };
        assert_eq!(second((4_980, 4_980), (5_010, 5_010)), ControlVerdict::SameAge(lifetime));
        assert!(
            matches!(second((3_984, 3_984), (4_400, 4_400)), ControlVerdict::Lone { .. }),
            "two restarts"
        );
    }

    /// Alive at 4.5 s, gone at 5 s: the next may be known alive at 4.9 s, and gone at 5.4 s.
    #[test]
    fn what_was_found_dead_is_the_same_age_when_the_spans_overlap() {
        let lifetime = LifetimeCap { lo: ms(4_500), hi: ms(5_400) };
        assert_eq!(second((4_500, 5_000), (4_900, 5_400)), ControlVerdict::SameAge(lifetime));
    }
}
