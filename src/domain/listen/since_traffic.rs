//! How long after the last that the server said its heartbeats come.

use std::time::Duration;

use super::server_event::ServerEventKind;
use super::traffic_effect::{StimulusSample, TrafficEffects, remember};
use super::window::SpanWindow;
use crate::domain::stats::interval::{Interval, TIMER_JITTER, tolerance};

/// Shorter spans agree by the jitter of timers alone: who talks without a pause has said something just before
/// whatever it says.
const MIN_SPAN: Duration = Duration::from_millis(250);
/// Fewer are no evidence.
const MIN_SPANS: usize = 3;

/// The spans from the last that the server said, whatever it was, to each heartbeat of one kind.
///
/// A server that counts from its own traffic sends them one interval after that, however far they are apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SinceTraffic {
    spans: SpanWindow,
    /// How many began with an ordinary message...
    after_messages: u64,
    /// ... and how many with a heartbeat: only these show that heartbeats come when nothing else is said.
    after_heartbeats: u64,
    /// The client's words in the middle of such a span, which is none for that.
    by_client: Vec<StimulusSample>,
}

/// What the spans say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinceTrafficSays {
    /// They bear an interval out.
    Counted(Interval),
    /// They agree, and too little was seen: too few, or none of them behind a heartbeat.
    Hinted(Interval),
    /// Nothing: they differ, or a silence without a heartbeat contradicts them.
    Nothing,
}

impl SinceTraffic {
    /// A heartbeat came so long after the last that the server said, which was that.
    pub fn note(&mut self, span: Duration, last: ServerEventKind) {
        self.spans.push(span);
        if last.is_heartbeat() { self.after_heartbeats += 1 } else { self.after_messages += 1 }
    }

    /// The client said something after the last that the server said, and then the heartbeat came.
    pub fn disturb(&mut self, by_client: StimulusSample) {
        remember(&mut self.by_client, by_client);
    }

    /// What the client's words did to a server that counts from what it says itself.
    pub fn by_client(&self, interval: &Interval) -> Option<TrafficEffects> {
        TrafficEffects::of(&self.by_client, interval)
    }

    /// What they come to where all of them agree.
    pub fn agreeing(&self) -> Option<Interval> {
        let interval = self.spans.interval()?;
        (interval.gaps >= 2 && interval.median >= MIN_SPAN && interval.is_strict()).then_some(interval)
    }

    /// What they say, against the gaps from heartbeat to heartbeat, and the longest silence there was since the server
    /// first said something. Few gaps agree by accident.
    pub fn bearing(&self, gaps: Option<Interval>, longest_pause: Duration) -> SinceTrafficSays {
        let is_plainer = |spans: &Interval| {
            let is_looser = |gaps: &Interval| gaps.spread() > spans.spread() * 2 + TIMER_JITTER;
            // Where few gaps are as long as the spans, most of these are the gaps themselves.
            let is_accident = |gaps: &Interval| gaps.gaps < MIN_SPANS && !gaps.fits(spans.median);
            gaps.is_none_or(|gaps| is_looser(&gaps) || is_accident(&gaps)) && holds(spans, longest_pause)
        };
        match self.agreeing().filter(|_| self.after_messages > 0).filter(is_plainer) {
            None => SinceTrafficSays::Nothing,
            Some(spans) if spans.gaps >= MIN_SPANS && self.after_heartbeats > 0 => {
                SinceTrafficSays::Counted(spans)
            }
            Some(spans) => SinceTrafficSays::Hinted(spans),
        }
    }

    /// Whether a server that counts from its own traffic may as well have sent heartbeats that are so far apart: each
    /// came as long after a message.
    pub fn explains(&self, gaps: &Interval, longest_quiet: Duration) -> bool {
        let explains = |spans: Interval| !gaps.fits(spans.median) && holds(&spans, longest_quiet);
        self.after_messages > 0 && self.agreeing().is_some_and(explains)
    }
}

/// Whether there was never a silence in which the next heartbeat was overdue.
fn holds(spans: &Interval, longest_quiet: Duration) -> bool {
    longest_quiet <= spans.median + tolerance(spans.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn since(spans: &[(u64, ServerEventKind)]) -> SinceTraffic {
        let mut since = SinceTraffic::default();
        spans.iter().for_each(|(millis, last)| since.note(Duration::from_millis(*millis), *last));
        since
    }

    #[test]
    fn three_spans_behind_both_kinds_confirm_the_clock() {
        use ServerEventKind::{Message, Ping};
        let told = |spans: &[(u64, ServerEventKind)]| match since(spans).bearing(None, s(10)) {
            SinceTrafficSays::Counted(interval) => Some(interval.median),
            SinceTrafficSays::Hinted(_) | SinceTrafficSays::Nothing => None,
        };
        assert_eq!(told(&[(10_000, Message), (10_010, Ping), (10_000, Message)]), Some(s(10)));
        assert_eq!(told(&[(10_000, Message), (10_000, Ping)]), None, "two are too few");
        assert_eq!(told(&[(10_000, Message); 9]), None, "nobody knows whether they come in a silence");
        assert_eq!(told(&[(10_000, Ping); 9]), None, "they show nothing that the gaps do not");
        assert_eq!(told(&[(10_000, Message), (10_000, Ping), (10_000, Ping), (4000, Message)]), None);
    }

    #[test]
    fn longer_silence_contradicts_and_equal_gaps_win() {
        use ServerEventKind::{Message, Ping};
        let since = since(&[(1000, Message), (1000, Ping), (1000, Message)]);
        assert!(matches!(since.bearing(None, Duration::from_millis(1100)), SinceTrafficSays::Counted(_)));
        assert_eq!(since.bearing(None, Duration::from_millis(1101)), SinceTrafficSays::Nothing);
        assert_eq!(since.bearing(Interval::of([s(30); 3]), s(1)), SinceTrafficSays::Nothing);
        assert!(
            matches!(since.bearing(Interval::of([s(30); 2]), s(1)), SinceTrafficSays::Counted(_)),
            "an accident"
        );
        assert!(matches!(since.bearing(Interval::of([s(30), s(32)]), s(1)), SinceTrafficSays::Counted(_)));
    }

    #[test]
    fn who_talks_without_a_pause_shows_nothing() {
        use ServerEventKind::{Message, Ping};
        let since = since(&[(5, Message), (3, Message), (9, Ping), (4, Message)]);
        assert_eq!(since.bearing(None, Duration::from_millis(20)), SinceTrafficSays::Nothing);
    }
}
