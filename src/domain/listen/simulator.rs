//! Simulates servers of every kind, with client traffic: what the findings claim is true.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::stats::interval::tolerance;

/// What a simulated server counts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SimCounting {
    FixedClock,
    /// The same, but its tick skips a client that sent since the last tick.
    SkippingTheActive,
    FromItsOwn,
    FromWhatItHears,
    FromBoth,
    AtRandom,
}

const ALL: [SimCounting; 6] = [
    SimCounting::FixedClock,
    SimCounting::SkippingTheActive,
    SimCounting::FromItsOwn,
    SimCounting::FromWhatItHears,
    SimCounting::FromBoth,
    SimCounting::AtRandom,
];

impl SimCounting {
    fn origin(self) -> Option<IntervalOrigin> {
        match self {
            SimCounting::FixedClock | SimCounting::SkippingTheActive => Some(IntervalOrigin::FixedClock),
            SimCounting::FromItsOwn | SimCounting::FromWhatItHears | SimCounting::FromBoth => {
                Some(IntervalOrigin::LastTraffic)
            }
            SimCounting::AtRandom => None,
        }
    }

    /// The effect of client traffic, if the server answers it or does not.
    fn effect(self, answers: bool) -> Option<TrafficEffect> {
        match self {
            SimCounting::FixedClock => Some(TrafficEffect::Unmoved),
            SimCounting::FromItsOwn if !answers => Some(TrafficEffect::Unmoved),
            SimCounting::SkippingTheActive => Some(TrafficEffect::Skipped),
            SimCounting::FromItsOwn | SimCounting::FromWhatItHears | SimCounting::FromBoth => {
                Some(TrafficEffect::Postponed)
            }
            SimCounting::AtRandom => None,
        }
    }
}

/// A server and its planned messages, in milliseconds since the opening.
#[derive(Debug, Clone)]
struct SimPinger {
    counts: SimCounting,
    interval: u64,
    due: u64,
    was_spoken_to: bool,
    messages: Vec<u64>,
    dice: Vec<u64>,
}

impl SimPinger {
    fn next_message(&self) -> u64 {
        self.messages.first().copied().unwrap_or(u64::MAX)
    }

    fn says(&mut self, at: u64) {
        if matches!(self.counts, SimCounting::FromItsOwn | SimCounting::FromBoth) {
            self.due = at + self.interval;
        }
    }

    fn hears(&mut self, at: u64) {
        self.was_spoken_to = true;
        if matches!(self.counts, SimCounting::FromWhatItHears | SimCounting::FromBoth) {
            self.due = at + self.interval;
        }
    }

    /// Whether a due heartbeat is sent now.
    fn ticks(&mut self) -> bool {
        let dice = if self.counts == SimCounting::AtRandom { self.dice.pop() } else { None };
        self.due += dice.unwrap_or(self.interval);
        !(std::mem::take(&mut self.was_spoken_to) && self.counts == SimCounting::SkippingTheActive)
    }
}

/// A client that listens and sends.
struct SimListener {
    listening: ListenState,
    talk: Option<Stimulus>,
}

impl SimListener {
    fn due(&self) -> Option<u64> {
        let due = self.talk.as_ref()?.due(&self.listening.clock()?)?;
        Some(due.as_millis() as u64)
    }

    fn hears(&mut self, at: u64, event_kind: ServerEventKind) {
        let before = self.listening.arrivals(event_kind).map(|arrivals| arrivals.last);
        self.listening.record_event(ms(at), &ServerEvent::plain(event_kind, UntrustedText::new("x")));
        if let (Some(talk), Some(before), ServerEventKind::Ping) = (&mut self.talk, before, event_kind) {
            talk.record_heartbeat(before, ms(at));
        }
    }

    fn speaks(&mut self, at: u64) {
        let last = self.listening.clock().map(|clock| clock.last);
        self.listening.record_client_message(ms(at));
        self.talk.iter_mut().zip(last).for_each(|(talk, last)| talk.record_sent(last));
    }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Forty intervals of it, and the findings.
fn simulated(mut server: SimPinger, talks: bool, answers: bool) -> ListenFindings {
    let mut client = SimListener {
        listening: ListenState::new(Duration::ZERO, false),
        talk: talks.then(Stimulus::default),
    };
    let (until, mut now) = (server.interval * 40, 0);
    loop {
        let talk = client.due().map_or(u64::MAX, |due| due.max(now + 1));
        let message = server.next_message();
        now = message.min(server.due).min(talk);
        if now > until {
            let how = ObservationConditions {
                listened: ms(until),
                answered: true,
                ..ObservationConditions::default()
            };
            return client.listening.findings(&how);
        }
        if now == message {
            server.messages.remove(0);
            server.says(now);
            client.hears(now, ServerEventKind::Message);
        } else if now == server.due {
            if server.ticks() {
                client.hears(now, ServerEventKind::Ping);
            }
        } else {
            client.speaks(now);
            server.hears(now);
            if answers {
                server.says(now);
                client.listening.answered(ms(now));
            }
        }
    }
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
        SimPinger { counts, interval, due, was_spoken_to: false, messages, dice }
    }
}

proptest! {
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
        let origins = [None, counts.origin(), Some(IntervalOrigin::FixedClock).filter(|_| is_alike)];
        prop_assert!(origins.contains(&findings.origin), "{case} {findings:?}");
        let effect = findings.heartbeat().and_then(|kind| kind.by_client).map(|effects| effects.effect);
        let is_so = [None, Some(TrafficEffect::Mixed), counts.effect(answers)].contains(&effect);
        prop_assert!(is_so, "{case} {findings:?}");
    }
}

/// A server whose messages come in the middle of some gaps.
fn plain(counts: SimCounting) -> SimPinger {
    let messages = vec![13_000, 25_000, 41_000, 48_000, 85_000, 104_500];
    SimPinger { counts, interval: 10_000, due: 10_000, was_spoken_to: false, messages, dice: Vec::new() }
}

#[test]
fn common_servers_are_recognized() {
    for counts in ALL.into_iter().filter(|counts| *counts != SimCounting::AtRandom) {
        let findings = simulated(plain(counts), true, false);
        let effect = findings.heartbeat().and_then(|kind| kind.by_client).map(|effects| effects.effect);
        assert_eq!(findings.interval().map(|interval| interval.median), Some(ms(10_000)), "{counts:?}");
        assert_eq!((effect, findings.origin), (counts.effect(false), counts.origin()), "{counts:?}");
    }
}
