//! How long after the server's last event its heartbeats come.

use std::time::Duration;

use super::server_event::ServerEventKind;
use super::traffic_effect::{StimulusSample, TrafficEffects, push_sample};
use super::window::SpanWindow;
use crate::domain::stats::interval::{Interval, TIMER_JITTER, tolerance};

/// Shorter spans agree within the timers' jitter alone: a server that sends without pause has always just
/// sent something.
const MIN_SPAN: Duration = Duration::from_millis(250);
/// Fewer spans are no evidence.
const MIN_SPANS: usize = 3;

/// The spans from the server's last event of any kind to each heartbeat of one kind.
///
/// A server that counts from its own traffic sends them one interval after that, however far they are apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SinceTraffic {
    spans: SpanWindow,
    /// How many started with an ordinary message ...
    after_messages: u64,
    /// ... and how many with a heartbeat: only these show that heartbeats come without other traffic.
    after_heartbeats: u64,
    /// Client traffic within such a span, which is therefore not counted.
    by_client: Vec<StimulusSample>,
}

/// What the spans show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinceTrafficEvidence {
    /// They confirm an interval.
    Counted(Interval),
    /// They agree, but there are too few, or none starts with a heartbeat.
    Hinted(Interval),
    /// Nothing: they differ, or a longer silence without a heartbeat contradicts them.
    Nothing,
}

impl SinceTraffic {
    /// Records a heartbeat this long after the server's last event, which was of kind `last`.
    pub fn note(&mut self, span: Duration, last: ServerEventKind) {
        self.spans.push(span);
        if last.is_heartbeat() { self.after_heartbeats += 1 } else { self.after_messages += 1 }
    }

    /// Records client traffic between the server's last event and the heartbeat.
    pub fn record_client_traffic(&mut self, by_client: StimulusSample) {
        push_sample(&mut self.by_client, by_client);
    }

    /// The effect of client traffic, if the server counts from its own.
    pub fn by_client(&self, interval: &Interval) -> Option<TrafficEffects> {
        TrafficEffects::of(&self.by_client, interval)
    }

    /// The interval, if all spans agree.
    pub fn common_interval(&self) -> Option<Interval> {
        let interval = self.spans.interval()?;
        (interval.gaps >= 2 && interval.median >= MIN_SPAN && interval.is_strict()).then_some(interval)
    }

    /// What the spans show, compared with the gaps between heartbeats and the longest silence since the
    /// server's first event. Few gaps may agree by accident.
    pub fn evaluate(&self, gaps: Option<Interval>, longest_pause: Duration) -> SinceTrafficEvidence {
        let is_better_than_gaps = |spans: &Interval| {
            let is_looser = |gaps: &Interval| gaps.spread() > spans.spread() * 2 + TIMER_JITTER;
            // If the few gaps are as long as the spans, most spans are these gaps.
            let is_accident = |gaps: &Interval| gaps.gaps < MIN_SPANS && !gaps.fits(spans.median);
            gaps.is_none_or(|gaps| is_looser(&gaps) || is_accident(&gaps))
                && is_never_overdue(spans, longest_pause)
        };
        match self.common_interval().filter(|_| self.after_messages > 0).filter(is_better_than_gaps) {
            None => SinceTrafficEvidence::Nothing,
            Some(spans)
                if spans.gaps >= MIN_SPANS && spans.is_beyond_chance() && self.after_heartbeats > 0 =>
            {
                SinceTrafficEvidence::Counted(spans)
            }
            Some(spans) => SinceTrafficEvidence::Hinted(spans),
        }
    }

    /// Whether counting from its own traffic also explains these gaps: each heartbeat came equally long after
    /// a message.
    pub fn explains(&self, gaps: &Interval, longest_quiet: Duration) -> bool {
        let explains = |spans: Interval| !gaps.fits(spans.median) && is_never_overdue(&spans, longest_quiet);
        self.after_messages > 0 && self.common_interval().is_some_and(explains)
    }
}

/// Whether no silence was so long that the next heartbeat was overdue.
fn is_never_overdue(spans: &Interval, longest_quiet: Duration) -> bool {
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
        let found = |spans: &[(u64, ServerEventKind)]| match since(spans).evaluate(None, s(10)) {
            SinceTrafficEvidence::Counted(interval) => Some(interval.median),
            SinceTrafficEvidence::Hinted(_) | SinceTrafficEvidence::Nothing => None,
        };
        assert_eq!(found(&[(10_000, Message), (10_010, Ping), (10_000, Message)]), Some(s(10)));
        assert_eq!(found(&[(10_000, Message), (10_000, Ping)]), None, "two are too few");
        assert_eq!(found(&[(10_000, Message); 9]), None, "unknown whether they come in a silence");
        assert_eq!(found(&[(10_000, Ping); 9]), None, "they show nothing that the gaps do not");
        assert_eq!(found(&[(10_000, Message), (10_000, Ping), (10_000, Ping), (4000, Message)]), None);
    }

    #[test]
    fn longer_silence_contradicts_and_equal_gaps_win() {
        use ServerEventKind::{Message, Ping};
        let since = since(&[(1000, Message), (1000, Ping), (1000, Message)]);
        assert!(matches!(
            since.evaluate(None, Duration::from_millis(1100)),
            SinceTrafficEvidence::Counted(_)
        ));
        assert_eq!(since.evaluate(None, Duration::from_millis(1101)), SinceTrafficEvidence::Nothing);
        assert_eq!(since.evaluate(Interval::of([s(30); 3]), s(1)), SinceTrafficEvidence::Nothing);
        assert!(
            matches!(since.evaluate(Interval::of([s(30); 2]), s(1)), SinceTrafficEvidence::Counted(_)),
            "an accident"
        );
        assert!(matches!(
            since.evaluate(Interval::of([s(30), s(32)]), s(1)),
            SinceTrafficEvidence::Counted(_)
        ));
    }

    #[test]
    fn server_sending_without_pause_shows_nothing() {
        use ServerEventKind::{Message, Ping};
        let since = since(&[(5, Message), (3, Message), (9, Ping), (4, Message)]);
        assert_eq!(since.evaluate(None, Duration::from_millis(20)), SinceTrafficEvidence::Nothing);
    }
}
