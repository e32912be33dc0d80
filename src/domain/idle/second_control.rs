//! The second control, which sends Ping frames and messages. A control that sends one kind of heartbeat and ends at a
//! certain age shows one of two things: a lifetime, or an idle timer which that kind does not reset. The second control
//! tells them apart.

use std::time::Duration;

use super::control::{age_slack, is_same};
use super::finding::LifetimeCap;
use super::plan::SearchPlan;
use super::probe::ProbeId;

/// After so many failures to open, the second control is given up.
const MAX_OPEN_FAILURES: u32 = 2;

/// One connection that sends both kinds of heartbeats, and what is known of it.
#[derive(Debug, Clone, Default)]
pub(super) struct SecondControl {
    id: Option<ProbeId>,
    opened: Option<Duration>,
    last_beat: Option<Duration>,
    ended: Option<LifetimeCap>,
    failures: u32,
}

/// What the second control says of an age at which the first one ended twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecondControlVerdict {
    /// It became older: the first control was idle to the timer.
    Outlived,
    /// It ended at the same age: a lifetime.
    SameAge(LifetimeCap),
    /// It ended earlier, or never opened: it tells nothing.
    Nothing,
    /// It is too young to tell before this moment.
    Wait { until: Duration },
}

impl SecondControl {
    /// Whether it is to be opened: it was never, or that failed.
    pub fn is_wanted(&self) -> bool {
        self.id.is_none() && self.failures < MAX_OPEN_FAILURES
    }

    pub fn id(&self) -> Option<ProbeId> {
        self.id
    }

    /// Whether it takes a place among the connections.
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

    pub fn beat(&mut self, at: Duration) {
        self.last_beat = Some(at);
    }

    /// It ended: it was alive at the first of these moments, and gone at the second.
    pub fn ended(&mut self, last: Duration, gone: Duration) {
        let opened = self.opened.unwrap_or(last);
        let age = |moment: Duration| moment.saturating_sub(opened);
        self.ended = Some(LifetimeCap { lo: age(last), hi: age(gone) });
    }

    /// An end between these two moments was none of age: another one is to be opened.
    pub fn forget_end(&mut self, from: Duration, to: Duration) {
        let moment = self.opened.zip(self.ended).map(|(opened, age)| opened + age.hi);
        if moment.is_some_and(|moment| (from..=to).contains(&moment)) {
            *self = SecondControl { failures: self.failures, ..SecondControl::default() };
        }
    }

    /// When it was opened and when it answered last, for the one that takes its place as the control.
    pub fn life(&self) -> Option<(ProbeId, Duration, Option<Duration>)> {
        Some((self.id?, self.opened?, self.last_beat))
    }

    /// What it says at this moment of an age at which the first control ended twice.
    pub fn testimony(&self, age: LifetimeCap, now: Duration, plan: &SearchPlan) -> SecondControlVerdict {
        let limit = age.hi + age_slack(age.hi);
        let reached = self.opened.zip(self.last_beat).map(|(opened, beat)| beat.saturating_sub(opened));
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

    /// What a second control says of an age of 4 s, opened at 0, at these moments of beats and of its end.
    fn testimony(beats: &[u64], ended: Option<(u64, u64)>) -> SecondControlVerdict {
        let (mut second, plan) = (SecondControl::default(), SearchPlan::default());
        second.order(ProbeId(9));
        second.opened(Duration::ZERO);
        beats.iter().for_each(|at| second.beat(ms(*at)));
        ended.into_iter().for_each(|(last, gone)| second.ended(ms(last), ms(gone)));
        second.testimony(LifetimeCap { lo: ms(4000), hi: ms(4010) }, ms(4100), &plan)
    }

    #[test]
    fn an_older_second_control_shows_an_idle_timer() {
        assert_eq!(testimony(&[3900, 4400], None), SecondControlVerdict::Outlived);
        assert_eq!(testimony(&[3900, 4400], Some((4500, 4500))), SecondControlVerdict::Outlived);
    }

    #[test]
    fn a_second_control_of_the_same_age_shows_a_lifetime() {
        let age = LifetimeCap { lo: ms(4000), hi: ms(4200) };
        assert_eq!(testimony(&[3900], Some((4200, 4200))), SecondControlVerdict::SameAge(age));
    }

    #[test]
    fn a_second_control_that_ended_early_tells_nothing() {
        assert_eq!(testimony(&[], Some((500, 500))), SecondControlVerdict::Nothing);
    }

    #[test]
    fn a_young_second_control_is_waited_for() {
        assert_eq!(testimony(&[3900], None), SecondControlVerdict::Wait { until: ms(4810) });
    }

    #[test]
    fn a_second_control_that_never_opens_is_given_up() {
        let (mut second, plan) = (SecondControl::default(), SearchPlan::default());
        let age = LifetimeCap { lo: ms(4000), hi: ms(4010) };
        for _ in 0..MAX_OPEN_FAILURES {
            assert!(second.is_wanted());
            second.order(ProbeId(9));
            second.failed();
        }
        assert_eq!(second.testimony(age, ms(4100), &plan), SecondControlVerdict::Nothing);
    }
}
