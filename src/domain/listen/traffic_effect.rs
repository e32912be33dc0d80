//! What traffic between two heartbeats does to the second.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::stats::interval::{Interval, tolerance};

/// The most that are remembered.
const MAX_SAMPLES: usize = 64;
/// So large a part of them must say the same.
const MIN_AGREEING_PART: f64 = 0.8;

/// Traffic between two heartbeats, and when the second came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StimulusSample {
    /// From the first heartbeat to the traffic.
    pub after: Duration,
    /// From the traffic to the second heartbeat.
    pub until: Duration,
}

/// What the traffic did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TrafficEffect {
    /// Nothing: the second came one interval after the first.
    Unmoved,
    /// The second came one interval after the traffic.
    Postponed,
    /// The second was left out, or came later still: more than one interval after the traffic.
    Skipped,
    /// Now this, now that, or neither.
    Mixed,
}

impl StimulusSample {
    /// Whether the gap is as long as so many of these.
    fn is_by_ticks(&self, tick: Duration) -> bool {
        let (gap, tick_s) = (self.after + self.until, tick.as_secs_f64().max(1e-9));
        let ticks = (gap.as_secs_f64() / tick_s).round().max(1.0);
        gap.abs_diff(tick.mul_f64(ticks)) <= tolerance(tick)
    }

    /// What it did to a server whose interval is this.
    pub fn effect(&self, interval: Duration) -> TrafficEffect {
        let slack = tolerance(interval);
        if (self.after + self.until).abs_diff(interval) <= slack {
            TrafficEffect::Unmoved
        } else if self.until.abs_diff(interval) <= slack {
            TrafficEffect::Postponed
        } else if self.until > interval {
            TrafficEffect::Skipped
        } else {
            TrafficEffect::Mixed
        }
    }
}

/// What all of them came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficEffects {
    pub effect: TrafficEffect,
    /// So often it was that...
    pub count: usize,
    /// ... of so many times.
    pub of: usize,
    /// All the gaps are as long as so many ticks of an interval, or of half of one.
    pub by_ticks: bool,
    /// The longest span from the traffic to the next heartbeat, in intervals.
    pub longest: f64,
}

impl TrafficEffects {
    /// Of these; `None` of none. What came with the first heartbeat tells nothing: one interval after the one is one after
    /// the other.
    pub fn of(disturbances: &[StimulusSample], interval: &Interval) -> Option<TrafficEffects> {
        let clear = tolerance(interval.median) * 2;
        let disturbances: Vec<StimulusSample> =
            disturbances.iter().filter(|one| one.after > clear).copied().collect();
        let longest = disturbances.iter().map(|disturbance| disturbance.until).max()?;
        let longest = longest.as_secs_f64() / interval.median.as_secs_f64().max(1e-9);
        let seen: Vec<TrafficEffect> = disturbances.iter().map(|one| one.effect(interval.median)).collect();
        let is_most = |effect: &TrafficEffect| {
            seen.iter().filter(|one| *one == effect).count() as f64 >= seen.len() as f64 * MIN_AGREEING_PART
        };
        let all = [TrafficEffect::Unmoved, TrafficEffect::Postponed, TrafficEffect::Skipped];
        let effect = all.into_iter().find(is_most).unwrap_or(TrafficEffect::Mixed);
        let of = seen.len();
        let agreeing = seen.iter().filter(|one| **one == effect).count();
        let count = if effect == TrafficEffect::Mixed { of } else { agreeing };
        // GatewayWorker ticks twice in an interval.
        let ticks = [interval.median, interval.median / 2];
        let by_ticks = ticks.into_iter().any(|tick| disturbances.iter().all(|one| one.is_by_ticks(tick)));
        Some(TrafficEffects { effect, count, of, by_ticks, longest })
    }
}

/// Remembers one, and of many the latest.
pub fn remember(disturbances: &mut Vec<StimulusSample>, one: StimulusSample) {
    if disturbances.len() == MAX_SAMPLES {
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

    fn effect(after: u64, until: u64) -> TrafficEffect {
        StimulusSample { after: ms(after), until: ms(until) }.effect(ms(10_000))
    }

    #[test]
    fn what_moves_a_heartbeat_is_told_from_what_does_not() {
        assert_eq!(effect(3000, 7000), TrafficEffect::Unmoved);
        assert_eq!(effect(3000, 10_000), TrafficEffect::Postponed);
        assert_eq!(effect(7000, 10_050), TrafficEffect::Postponed);
        // GatewayWorker: the first step of half an interval that is an interval after the message.
        assert_eq!(
            (effect(3000, 12_000), effect(7000, 13_000)),
            (TrafficEffect::Skipped, TrafficEffect::Skipped)
        );
        // A fixed clock whose tick passes over who has spoken since the last.
        assert_eq!(
            (effect(3000, 17_000), effect(7000, 13_000)),
            (TrafficEffect::Skipped, TrafficEffect::Skipped)
        );
        assert_eq!(effect(3000, 2000), TrafficEffect::Mixed);
    }

    #[test]
    fn they_must_agree() {
        let interval = Interval::of([ms(10_000)]).unwrap();
        let unmoved = StimulusSample { after: ms(3000), until: ms(7000) };
        let skipped = StimulusSample { after: ms(7000), until: ms(13_000) };
        let of = |all: &[StimulusSample]| TrafficEffects::of(all, &interval).map(|effects| effects.effect);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[StimulusSample { after: ms(500), until: ms(10_000) }]), None, "it is both");
        assert_eq!(of(&[unmoved, skipped]), Some(TrafficEffect::Mixed));
        let most = TrafficEffects::of(&[unmoved, unmoved, unmoved, unmoved, skipped], &interval).unwrap();
        assert_eq!((most.effect, most.count, most.of), (TrafficEffect::Unmoved, 4, 5));
        assert_eq!(TrafficEffects::of(&[unmoved, skipped], &interval).unwrap().longest, 1.3);
    }

    proptest! {
        /// A simulated server of each kind is always told right, whenever the client speaks between a tenth
        /// and nine tenths of the interval.
        #[test]
        fn every_kind_of_server_is_recognised(interval in 500_u64..60_000, part in 0.2_f64..0.45) {
            let spoken = (interval as f64 * part) as u64;
            let told = |next: u64| {
                StimulusSample { after: ms(spoken), until: ms(next - spoken) }.effect(ms(interval))
            };
            prop_assert_eq!(told(interval), TrafficEffect::Unmoved);
            prop_assert_eq!(told(spoken + interval), TrafficEffect::Postponed);
            prop_assert_eq!(told(interval * 2), TrafficEffect::Skipped);
        }
    }
}
