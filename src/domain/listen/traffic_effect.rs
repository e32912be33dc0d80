//! How traffic between two heartbeats affects the second.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::stats::interval::{Interval, tolerance};

/// Maximum number of samples kept.
const MAX_SAMPLES: usize = 64;
/// Fraction of the samples that must agree.
const MIN_AGREEING_FRACTION: f64 = 0.8;
/// Samples that agree this often if heartbeats come at any time show nothing.
const MAX_CHANCE: f64 = 1.0 / 50.0;

/// Traffic between two heartbeats, and when the second came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StimulusSample {
    /// From the first heartbeat to the traffic.
    pub after: Duration,
    /// From the traffic to the second heartbeat.
    pub until: Duration,
}

/// The effect of the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TrafficEffect {
    /// None: the second came one interval after the first.
    Unmoved,
    /// The second came one interval after the traffic.
    Postponed,
    /// The second was skipped or came even later: more than one interval after the traffic.
    Skipped,
    /// Different effects, or none of these.
    Mixed,
}

impl StimulusSample {
    /// How far the gap is from a whole number of ticks.
    fn off_tick(&self, tick: Duration) -> Duration {
        let (gap, tick_s) = (self.after + self.until, tick.as_secs_f64().max(1e-9));
        let ticks = (gap.as_secs_f64() / tick_s).round().max(1.0);
        gap.abs_diff(tick.mul_f64(ticks))
    }

    /// How far it is from what the effect predicts; for a skipped one: from a tick.
    fn deviation(&self, effect: TrafficEffect, tick: Duration) -> Duration {
        match effect {
            TrafficEffect::Unmoved => (self.after + self.until).abs_diff(tick),
            TrafficEffect::Postponed => self.until.abs_diff(tick),
            TrafficEffect::Skipped | TrafficEffect::Mixed => self.off_tick(tick),
        }
    }

    /// The effect on a server with this interval.
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

/// The effect in all samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrafficEffects {
    pub effect: TrafficEffect,
    /// How many samples show it ...
    pub count: usize,
    /// ... of how many.
    pub of: usize,
    /// Chance hardly explains it. For a skipped one: all gaps are whole numbers of intervals, or of half intervals.
    pub is_proven: bool,
    /// The longest span from the traffic to the next heartbeat, in intervals.
    pub longest: f64,
}

impl TrafficEffects {
    /// The effect in these samples; `None` if there are none. Traffic together with the first heartbeat shows
    /// nothing: one interval after either is the same time.
    pub fn of(samples: &[StimulusSample], interval: &Interval) -> Option<TrafficEffects> {
        let clear = tolerance(interval.median) * 2;
        let samples: Vec<StimulusSample> = samples.iter().filter(|one| one.after > clear).copied().collect();
        let longest = samples.iter().map(|sample| sample.until).max()?;
        let longest = longest.as_secs_f64() / interval.median.as_secs_f64().max(1e-9);
        let seen: Vec<TrafficEffect> = samples.iter().map(|one| one.effect(interval.median)).collect();
        let is_most = |effect: &TrafficEffect| {
            seen.iter().filter(|one| *one == effect).count() as f64
                >= seen.len() as f64 * MIN_AGREEING_FRACTION
        };
        let all = [TrafficEffect::Unmoved, TrafficEffect::Postponed, TrafficEffect::Skipped];
        let effect = all.into_iter().find(is_most).unwrap_or(TrafficEffect::Mixed);
        let of = seen.len();
        let agreeing = seen.iter().filter(|one| **one == effect).count();
        let count = if effect == TrafficEffect::Mixed { of } else { agreeing };
        let is_proven = match effect {
            TrafficEffect::Unmoved | TrafficEffect::Postponed => {
                let such = samples.iter().filter(|one| one.effect(interval.median) == effect);
                is_no_accident(such, effect, interval.median)
            }
            // GatewayWorker ticks twice an interval.
            TrafficEffect::Skipped => [interval.median, interval.median / 2].into_iter().any(|tick| {
                samples.iter().all(|one| one.off_tick(tick) <= tolerance(tick))
                    && is_no_accident(samples.iter(), effect, tick)
            }),
            TrafficEffect::Mixed => false,
        };
        Some(TrafficEffects { effect, count, of, is_proven, longest })
    }
}

/// Whether heartbeats that come at any time would hardly come as close to what the effect predicts as all of these: each
/// does with the probability of twice the largest deviation, as a part of the tick.
fn is_no_accident<'a>(
    samples: impl Iterator<Item = &'a StimulusSample>,
    effect: TrafficEffect,
    tick: Duration,
) -> bool {
    let deviations: Vec<Duration> = samples.map(|one| one.deviation(effect, tick)).collect();
    let largest = deviations.iter().max().copied().unwrap_or_default();
    let chance = largest.as_secs_f64() * 2.0 / tick.as_secs_f64().max(1e-9);
    !deviations.is_empty() && chance.powf(deviations.len() as f64) <= MAX_CHANCE
}

/// Adds a sample; drops the oldest beyond [`MAX_SAMPLES`].
pub fn push_sample(samples: &mut Vec<StimulusSample>, one: StimulusSample) {
    if samples.len() == MAX_SAMPLES {
        samples.remove(0);
    }
    samples.push(one);
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
    fn traffic_effects_are_distinguished() {
        assert_eq!(effect(3000, 7000), TrafficEffect::Unmoved);
        assert_eq!(effect(3000, 10_000), TrafficEffect::Postponed);
        assert_eq!(effect(7000, 10_050), TrafficEffect::Postponed);
        // GatewayWorker: the first half-interval tick at least one interval after the message.
        assert_eq!(
            (effect(3000, 12_000), effect(7000, 13_000)),
            (TrafficEffect::Skipped, TrafficEffect::Skipped)
        );
        // A fixed clock whose tick skips clients that sent since the last tick.
        assert_eq!(
            (effect(3000, 17_000), effect(7000, 13_000)),
            (TrafficEffect::Skipped, TrafficEffect::Skipped)
        );
        assert_eq!(effect(3000, 2000), TrafficEffect::Mixed);
    }

    #[test]
    fn samples_must_agree() {
        let interval = Interval::of([ms(10_000)]).unwrap();
        let unmoved = StimulusSample { after: ms(3000), until: ms(7000) };
        let skipped = StimulusSample { after: ms(7000), until: ms(13_000) };
        let of = |all: &[StimulusSample]| TrafficEffects::of(all, &interval).map(|effects| effects.effect);
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[StimulusSample { after: ms(500), until: ms(10_000) }]), None, "it is both");
        assert_eq!(of(&[unmoved, skipped]), Some(TrafficEffect::Mixed));
        let most = TrafficEffects::of(&[unmoved, unmoved, unmoved, unmoved, skipped], &interval).unwrap();
        assert_eq!((most.effect, most.count, most.of), (TrafficEffect::Unmoved, 4, 5));
        assert!(most.is_proven);
        assert_eq!(TrafficEffects::of(&[unmoved, skipped], &interval).unwrap().longest, 1.3);
    }

    /// 2 * 0.09 = 0.18: one or two such samples may be chance, three are not.
    #[test]
    fn samples_that_agree_loosely_prove_nothing_alone() {
        let interval = Interval::of([ms(10_000)]).unwrap();
        let is_proven = |until: u64, count| {
            TrafficEffects::of(&vec![StimulusSample { after: ms(3000), until: ms(until) }; count], &interval)
                .unwrap()
                .is_proven
        };
        assert_eq!([1, 2, 3].map(|count| is_proven(7900, count)), [false, false, true]);
        assert!(is_proven(7050, 1), "1 % off");
        assert_eq!([2, 3].map(|count| is_proven(16_500, count)), [true, true], "skipped, near the tick");
        assert!(!is_proven(14_500, 5), "off the tick");
    }

    proptest! {
        /// Each kind of simulated server is recognized, at any stimulus position from 0.2 to 0.45 of the
        /// interval.
        #[test]
        fn every_kind_of_server_is_recognized(interval in 500_u64..60_000, part in 0.2_f64..0.45) {
            let sent_count = (interval as f64 * part) as u64;
            let found = |next: u64| {
                StimulusSample { after: ms(sent_count), until: ms(next - sent_count) }.effect(ms(interval))
            };
            prop_assert_eq!(found(interval), TrafficEffect::Unmoved);
            prop_assert_eq!(found(sent_count + interval), TrafficEffect::Postponed);
            prop_assert_eq!(found(interval * 2), TrafficEffect::Skipped);
        }
    }
}
