//! What traffic between two heartbeats does to the second.

use std::time::Duration;

use super::interval::{Interval, tolerance};

/// The most that are remembered.
const REMEMBERED: usize = 64;
/// So large a part of them must say the same.
const MOST: f64 = 0.8;

/// Traffic between two heartbeats, and when the second came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disturbance {
    /// From the first heartbeat to the traffic.
    pub after: Duration,
    /// From the traffic to the second heartbeat.
    pub until: Duration,
}

/// What the traffic did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing: the second came one interval after the first.
    Unmoved,
    /// The second came one interval after the traffic.
    Postponed,
    /// The second was left out, or came later still: more than one interval after the traffic.
    Skipped,
    /// Now this, now that, or neither.
    Mixed,
}

impl Effect {
    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Effect::Unmoved => "unmoved",
            Effect::Postponed => "postponed",
            Effect::Skipped => "skipped",
            Effect::Mixed => "mixed",
        }
    }
}

impl Disturbance {
    /// Whether the gap is as long as so many of these.
    fn is_by_ticks(&self, tick: Duration) -> bool {
        let (gap, tick_s) = (self.after + self.until, tick.as_secs_f64().max(1e-9));
        let ticks = (gap.as_secs_f64() / tick_s).round().max(1.0);
        gap.abs_diff(tick.mul_f64(ticks)) <= tolerance(tick)
    }

    /// What it did to a server whose interval is this.
    pub fn effect(&self, interval: Duration) -> Effect {
        let slack = tolerance(interval);
        if (self.after + self.until).abs_diff(interval) <= slack {
            Effect::Unmoved
        } else if self.until.abs_diff(interval) <= slack {
            Effect::Postponed
        } else if self.until > interval {
            Effect::Skipped
        } else {
            Effect::Mixed
        }
    }
}

/// What all of them came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effects {
    pub effect: Effect,
    /// So often it was that...
    pub count: usize,
    /// ... of so many times.
    pub of: usize,
    /// All the gaps are as long as so many ticks of an interval, or of half of one.
    pub by_ticks: bool,
    /// The longest span from the traffic to the next heartbeat, in intervals.
    pub longest: f64,
}

impl Effects {
    /// Of these; `None` of none. What came with the first heartbeat tells nothing: one interval after the one is one after
    /// the other.
    pub fn of(disturbances: &[Disturbance], interval: &Interval) -> Option<Effects> {
        let clear = tolerance(interval.median) * 2;
        let disturbances: Vec<Disturbance> =
            disturbances.iter().filter(|one| one.after > clear).copied().collect();
        let longest = disturbances.iter().map(|disturbance| disturbance.until).max()?;
        let longest = longest.as_secs_f64() / interval.median.as_secs_f64().max(1e-9);
        let seen: Vec<Effect> = disturbances.iter().map(|one| one.effect(interval.median)).collect();
        let is_most = |effect: &Effect| {
            seen.iter().filter(|one| *one == effect).count() as f64 >= seen.len() as f64 * MOST
        };
        let all = [Effect::Unmoved, Effect::Postponed, Effect::Skipped];
        let effect = all.into_iter().find(is_most).unwrap_or(Effect::Mixed);
        let of = seen.len();
        let agreeing = seen.iter().filter(|one| **one == effect).count();
        let count = if effect == Effect::Mixed { of } else { agreeing };
        // GatewayWorker ticks twice in an interval.
        let ticks = [interval.median, interval.median / 2];
        let by_ticks = ticks.into_iter().any(|tick| disturbances.iter().all(|one| one.is_by_ticks(tick)));
        Some(Effects { effect, count, of, by_ticks, longest })
    }
}

/// Remembers one, and of many the latest.
pub fn remember(disturbances: &mut Vec<Disturbance>, one: Disturbance) {
    if disturbances.len() == REMEMBERED {
        disturbances.remove(0);
    }
    disturbances.push(one);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn effect(after: u64, until: u64) -> Effect {
        Disturbance { after: ms(after), until: ms(until) }.effect(ms(10_000))
    }

    #[test]
    fn what_moves_a_heartbeat_is_told_from_what_does_not() {
        assert_eq!(effect(3000, 7000), Effect::Unmoved);
        assert_eq!(effect(3000, 10_000), Effect::Postponed);
        assert_eq!(effect(7000, 10_050), Effect::Postponed);
        // GatewayWorker: the first step of half an interval that is an interval after the message.
        assert_eq!((effect(3000, 12_000), effect(7000, 13_000)), (Effect::Skipped, Effect::Skipped));
        // A fixed clock whose tick passes over who has spoken since the last.
        assert_eq!((effect(3000, 17_000), effect(7000, 13_000)), (Effect::Skipped, Effect::Skipped));
        assert_eq!(effect(3000, 2000), Effect::Mixed);
    }

    #[test]
    fn they_must_agree() {
        let interval = Interval::of([ms(10_000)]).unwrap();
        let unmoved = Disturbance { after: ms(3000), until: ms(7000) };
        let skipped = Disturbance { after: ms(7000), until: ms(13_000) };
        let of = |all: &[Disturbance]| Effects::of(all, &interval).map(|effects| effects.effect);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[Disturbance { after: ms(500), until: ms(10_000) }]), None, "it is both");
        assert_eq!(of(&[unmoved, skipped]), Some(Effect::Mixed));
        let most = Effects::of(&[unmoved, unmoved, unmoved, unmoved, skipped], &interval).unwrap();
        assert_eq!((most.effect, most.count, most.of), (Effect::Unmoved, 4, 5));
        assert_eq!(Effects::of(&[unmoved, skipped], &interval).unwrap().longest, 1.3);
    }

    proptest! {
        /// A simulated server of each kind is always told right, whenever the client speaks between a tenth
        /// and nine tenths of the interval.
        #[test]
        fn every_kind_of_server_is_recognised(interval in 500_u64..60_000, part in 0.2_f64..0.45) {
            let spoken = (interval as f64 * part) as u64;
            let told = |next: u64| {
                Disturbance { after: ms(spoken), until: ms(next - spoken) }.effect(ms(interval))
            };
            prop_assert_eq!(told(interval), Effect::Unmoved);
            prop_assert_eq!(told(spoken + interval), Effect::Postponed);
            prop_assert_eq!(told(interval * 2), Effect::Skipped);
        }
    }
}
