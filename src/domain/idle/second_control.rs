//! The second control, which sends both Ping frames and messages. If the control sends one kind of heartbeat
//! and ends at a certain age, that age is a lifetime or an idle timeout which that kind does not reset. The
//! second control tells the two apart.

use std::time::Duration;

use super::control::{age_slack, is_same};
use super::finding::LifetimeCap;
use super::plan::SearchPlan;
use super::probe::ProbeId;

/// Failures to open after which the second control is given up.
const MAX_OPEN_FAILURES: u32 = 2;

#[derive(Debug, Clone, Default)]
pub(super) struct SecondControl {
    id: Option<ProbeId>,
    opened: Option<Duration>,
    last_answer: Option<Duration>,
    ended: Option<LifetimeCap>,
    failures: u32,
}

/// What the second control shows about an age at which controls ended twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondControlVerdict {
    /// It became older, so the first control was idle to the timer.
    Outlived,
    /// It ended at the same age: a lifetime.
    SameAge(LifetimeCap),
    /// It ended earlier or never opened, so it shows nothing.
    Nothing,
    /// It is too young to decide before this moment.
    Wait { until: Duration },
}

impl SecondControl {
    /// Whether to open it: it was never opened, or opening failed.
    pub fn is_wanted(&self) -> bool {
        self.id.is_none() && self.failures < MAX_OPEN_FAILURES
    }

    pub fn id(&self) -> Option<ProbeId> {
        self.id
    }

    /// Whether it counts against the connection limit.
    pub fn is_present(&self) -> bool {
        self.id.is_some() && self.ended.is_none()
    }

    pub fn order(&mut self, id: ProbeId) {
        self.id = Some(id);
    }

    pub fn opened(&mut self, at: Duration) {
        self.opened = Some(at);
    }

    pub fn failed(&mut self) {
        (self.id, self.failures) = (None, self.failures + 1);
    }

    pub fn record_answer(&mut self, at: Duration) {
        self.last_answer = Some(at);
    }

    /// Records its end: when it was last alive, and when it was gone.
    pub fn ended(&mut self, last_alive: Duration, found_dead: Duration) {
        let opened = self.opened.unwrap_or(last_alive);
        let age = |moment: Duration| moment.saturating_sub(opened);
        self.ended = Some(LifetimeCap { lo: age(last_alive), hi: age(found_dead) });
    }

    /// Forgets an end between these two moments, which another event explains; the second control may be
    /// opened again.
    pub fn forget_end(&mut self, from: Duration, to: Duration) {
        let moment = self.opened.zip(self.ended).map(|(opened, age)| opened + age.hi);
        if moment.is_some_and(|moment| (from..=to).contains(&moment)) {
            *self = SecondControl { failures: self.failures, ..SecondControl::default() };
        }
    }

    /// Its id, when it opened and when it last answered: what the control needs to be replaced by it.
    pub fn open_state(&self) -> Option<(ProbeId, Duration, Option<Duration>)> {
        Some((self.id?, self.opened?, self.last_answer))
    }

    /// What it shows at this moment about an age at which controls ended twice.
    pub fn verdict(&self, age: LifetimeCap, now: Duration, plan: &SearchPlan) -> SecondControlVerdict {
        let limit = age.hi + age_slack(age.hi);
        let reached = self.opened.zip(self.last_answer).map(|(opened, answer)| answer.saturating_sub(opened));
        match self.ended {
            _ if reached > Some(limit) => SecondControlVerdict::Outlived,
            Some(own) if is_same(&own, &age) => {
                SecondControlVerdict::SameAge(LifetimeCap { lo: own.lo.min(age.lo), hi: own.hi.max(age.hi) })
            }
            Some(_) => SecondControlVerdict::Nothing,
            None if self.id.is_none() && !self.is_wanted() => SecondControlVerdict::Nothing,
            None => {
                let due = self.opened.map_or(now, |opened| opened + limit);
                SecondControlVerdict::Wait { until: due.max(now) + plan.control_interval }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// The verdict on an age of 4 s, for a second control opened at 0 with these answers and this end (ms).
    fn verdict(answers: &[u64], ended: Option<(u64, u64)>) -> SecondControlVerdict {
        let (mut second, plan) = (SecondControl::default(), SearchPlan::default());
        second.order(ProbeId(9));
        second.opened(Duration::ZERO);
        answers.iter().for_each(|at| second.record_answer(ms(*at)));
        if let Some((last_alive, found_dead)) = ended {
            second.ended(ms(last_alive), ms(found_dead));
        }
        second.verdict(LifetimeCap { lo: ms(4000), hi: ms(4010) }, ms(4100), &plan)
    }

    #[test]
    fn older_second_control_shows_an_idle_timer() {
        assert_eq!(verdict(&[3900, 4400], None), SecondControlVerdict::Outlived);
        assert_eq!(verdict(&[3900, 4400], Some((4500, 4500))), SecondControlVerdict::Outlived);
    }

    #[test]
    fn second_control_of_the_same_age_shows_a_lifetime() {
        let age = LifetimeCap { lo: ms(4000), hi: ms(4200) };
        assert_eq!(verdict(&[3900], Some((4200, 4200))), SecondControlVerdict::SameAge(age));
    }

    #[test]
    fn second_control_that_ended_early_shows_nothing() {
        assert_eq!(verdict(&[], Some((500, 500))), SecondControlVerdict::Nothing);
    }

    #[test]
    fn young_second_control_is_awaited() {
        assert_eq!(verdict(&[3900], None), SecondControlVerdict::Wait { until: ms(4810) });
    }

    #[test]
    fn second_control_that_never_opens_is_given_up() {
        let (mut second, plan) = (SecondControl::default(), SearchPlan::default());
        let age = LifetimeCap { lo: ms(4000), hi: ms(4010) };
        for _ in 0..MAX_OPEN_FAILURES {
            assert!(second.is_wanted());
            second.order(ProbeId(9));
            second.failed();
        }
        assert_eq!(second.verdict(age, ms(4100), &plan), SecondControlVerdict::Nothing);
    }
}
