//! Simulates servers of every kind, with client traffic: what the findings claim is true.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::simulated_worlds::simulated_worlds;
use crate::domain::stats::interval::tolerance;
use simulated_server::{SimCounting, SimObserver, SimPinger, listen_to, ms};

#[expect(dead_code, reason = "these tests play a part of what is simulated")]
#[path = "../../../tests/simulators/listen.rs"]
mod simulated_server;

const ALL: [SimCounting; 6] = [
    SimCounting::FixedClock,
    SimCounting::SkippingTheActive,
    SimCounting::FromItsOwn,
    SimCounting::FromWhatItHears,
    SimCounting::FromBoth,
    SimCounting::AtRandom,
];

fn origin(counts: SimCounting) -> Option<IntervalOrigin> {
    match counts {
        SimCounting::FixedClock | SimCounting::SkippingTheActive => Some(IntervalOrigin::FixedClock),
        SimCounting::FromItsOwn | SimCounting::FromWhatItHears | SimCounting::FromBoth => {
            Some(IntervalOrigin::LastTraffic)
        }
        SimCounting::AtRandom => None,
    }
}

/// The effect of client traffic, if the server answers it or does not.
fn effect_of(counts: SimCounting, answers: bool) -> Option<TrafficEffect> {
    match counts {
        SimCounting::FixedClock => Some(TrafficEffect::Unmoved),
        SimCounting::FromItsOwn if !answers => Some(TrafficEffect::Unmoved),
        SimCounting::SkippingTheActive => Some(TrafficEffect::Skipped),
        SimCounting::FromItsOwn | SimCounting::FromWhatItHears | SimCounting::FromBoth => {
            Some(TrafficEffect::Postponed)
        }
        SimCounting::AtRandom => None,
    }
}

/// Forty intervals of it, and the findings.
fn simulated(server: SimPinger, talks: bool, is_answered: bool) -> ListenFindings {
    let client = SimObserver { talks, is_answered, ..SimObserver::new(server.interval * 40) };
    listen_to(server, &client).findings
}

/// The cumulated times of these fractions of the interval.
fn sums(interval: u64, parts: &[f64]) -> Vec<u64> {
    let sum = |sum: &mut u64, part: &f64| {
        *sum += ((part * interval as f64) as u64).max(1);
        Some(*sum)
    };
    parts.iter().scan(0, sum).collect()
}

prop_compose! {
    fn server()(
        counts in prop::sample::select(ALL.to_vec()),
        interval in 500_u64..60_000,
        dice in prop::collection::vec(0.1_f64..3.0, 400).no_shrink(),
        scarcity in 0.05_f64..4.0,
        messages in prop::collection::vec(0.02_f64..1.0, 0..200),
    ) -> SimPinger {
        let messages: Vec<f64> = messages.iter().map(|part| part * scarcity).collect();
        let dice: Vec<u64> = dice.iter().map(|part| (part * interval as f64) as u64).collect();
        let messages = sums(interval, &messages);
        let due = if counts == SimCounting::AtRandom { dice[0] } else { interval };
        SimPinger { due, messages, dice, ..SimPinger::new(counts, interval) }
    }
}

proptest! {
    #![proptest_config(simulated_worlds(256))]

    /// The findings never claim an interval, a clock or an effect that the server does not have, whatever
    /// else the two sides send.
    #[test]
    fn findings_are_true_of_the_server(server in server(), talks in any::<bool>(), answers in any::<bool>()) {
        let SimPinger { counts, interval, .. } = server;
        let case = format!("{:?}", server.messages);
        let findings = simulated(server, talks, answers);
        let found = findings.interval().map(|interval| interval.median);
        let is_right = |found: Duration| found.abs_diff(ms(interval)) <= tolerance(ms(interval));
        match counts {
            SimCounting::AtRandom => prop_assert_eq!(found, None),
            SimCounting::FixedClock => prop_assert!(found.is_some_and(is_right), "{case} {findings:?}"),
            _ => prop_assert!(found.is_none_or(is_right), "{case} {findings:?}"),
        }
        // A server that sends nothing else does not show that it counts from its own traffic.
        let by_server = findings.heartbeat().and_then(|kind| kind.by_server);
        let is_alike = counts == SimCounting::FromItsOwn && by_server.is_none();
        let origins = [None, origin(counts), Some(IntervalOrigin::FixedClock).filter(|_| is_alike)];
        prop_assert!(origins.contains(&findings.origin), "{case} {findings:?}");
        let effect = findings.heartbeat().and_then(|kind| kind.by_client).map(|effects| effects.effect);
        let is_so = [None, Some(TrafficEffect::Mixed), effect_of(counts, answers)].contains(&effect);
        prop_assert!(is_so, "{case} {findings:?}");
    }
}

/// A server whose messages come in the middle of some gaps.
fn plain(counts: SimCounting) -> SimPinger {
    let messages = vec![13_000, 25_000, 41_000, 48_000, 85_000, 104_500];
    SimPinger { messages, ..SimPinger::new(counts, 10_000) }
}

#[test]
fn common_servers_are_recognized() {
    for counts in ALL.into_iter().filter(|counts| *counts != SimCounting::AtRandom) {
        let findings = simulated(plain(counts), true, false);
        let effect = findings.heartbeat().and_then(|kind| kind.by_client).map(|effects| effects.effect);
        assert_eq!(findings.interval().map(|interval| interval.median), Some(ms(10_000)), "{counts:?}");
        assert_eq!((effect, findings.origin), (effect_of(counts, false), origin(counts)), "{counts:?}");
    }
}
