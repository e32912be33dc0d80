//! Messages of unknown form that come at an interval: perhaps heartbeats of a protocol not configured.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::common_pattern::{CommonPattern, literals};
use super::form::{MessageForm, PartValue};
use super::window::SpanWindow;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::stats::interval::{Interval, TIMER_JITTER};

/// Maximum number of forms distinguished; then forms seen least often are dropped.
const MAX_FORMS: usize = 16;
/// Longer messages are no heartbeats.
const MAX_MESSAGE_BYTES: usize = 512;
/// After this many messages, a form's common pattern no longer changes.
const MAX_MERGES: u64 = 64;
/// Shorter intervals may be regular by accident: timers on a busy machine are this late.
const MIN_INTERVAL: Duration = Duration::from_millis(4 * TIMER_JITTER.as_millis() as u64);
/// Messages have stopped if the next one is missing for this many intervals.
const STOPPED_AFTER_INTERVALS: f64 = 2.5;
/// A counter that restarts, or a clock that is set, decreases at most once in this many steps.
const RISES_PER_FALL: u64 = 10;
/// Words that occur in heartbeats.
const HEARTBEAT_WORDS: &[&str] = &[
    "heartbeat",
    "heart_beat",
    "ping",
    "pong",
    "keepalive",
    "keep-alive",
    "keep_alive",
    "alive",
    "\"hb\"",
    "noop",
    "~h~",
];

/// A message as received, to detect repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RepeatedContent {
    Text(Box<str>),
    Binary(Box<[u8]>),
}

impl RepeatedContent {
    /// `None` for a message that is empty or too long for a heartbeat.
    pub fn of(message: MessageRef<'_>) -> Option<RepeatedContent> {
        let is_one = (1..=MAX_MESSAGE_BYTES).contains(&message.size());
        is_one.then(|| match message {
            MessageRef::Text(text) => RepeatedContent::Text(text.into()),
            MessageRef::Binary(bytes) => RepeatedContent::Binary(bytes.into()),
        })
    }

    fn message(&self) -> MessageRef<'_> {
        match self {
            RepeatedContent::Text(text) => MessageRef::Text(text),
            RepeatedContent::Binary(bytes) => MessageRef::Binary(bytes),
        }
    }

    /// Its form. For binary messages: the first byte and the length.
    fn form(&self) -> MessageForm {
        match self {
            RepeatedContent::Text(text) => MessageForm::of(text),
            RepeatedContent::Binary(bytes) => {
                let kind = bytes.first().copied().unwrap_or_default();
                MessageForm {
                    hash: 1 << 63 | (bytes.len() as u64) << 8 | u64::from(kind),
                    places: Vec::new(),
                }
            }
        }
    }
}

/// How messages of one form differ; what is most like a heartbeat comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Sameness {
    /// They do not differ.
    Constant,
    /// Only counters, times and ids change.
    Counting,
    /// Other numbers change, as in prices.
    Changing,
}

/// Messages of one form that come at an interval.
#[derive(Debug, Clone, PartialEq)]
pub struct Periodic {
    pub count: u64,
    pub interval: Interval,
    /// The first message.
    pub sample: UntrustedText,
    pub sameness: Sameness,
    /// It contains a word typical of heartbeats.
    pub has_word: bool,
    /// A pattern that matches only this form, as `--app-ping` takes it.
    pub pattern: Option<String>,
}

impl Periodic {
    /// Whether it looks more like a heartbeat than like data.
    pub fn is_like_heartbeat(&self) -> bool {
        self.sameness != Sameness::Changing || self.has_word
    }
}

/// How a number in messages of one form changes.
#[derive(Debug, Clone, Default)]
struct NumberTrend {
    last: Option<f64>,
    rises: u64,
    falls: u64,
}

impl NumberTrend {
    fn push(&mut self, value: PartValue) {
        let PartValue::Number(number) = value else { return };
        let before = self.last.replace(number);
        self.rises += u64::from(before.is_some_and(|before| number > before));
        self.falls += u64::from(before.is_some_and(|before| number < before));
    }

    fn is_counter(&self) -> bool {
        self.falls * RISES_PER_FALL <= self.rises
    }
}

/// Messages of one form.
#[derive(Debug, Clone)]
struct FormRecord {
    hash: u64,
    first: RepeatedContent,
    latest: RepeatedContent,
    count: u64,
    at: Duration,
    gaps: SpanWindow,
    trends: Vec<NumberTrend>,
    changes: bool,
    pattern: CommonPattern,
}

impl FormRecord {
    fn begin(form: &MessageForm, content: &RepeatedContent, at: Duration) -> FormRecord {
        let mut form_record = FormRecord {
            hash: form.hash,
            first: content.clone(),
            latest: content.clone(),
            count: 1,
            at,
            gaps: SpanWindow::default(),
            trends: vec![NumberTrend::default(); form.places.len()],
            changes: false,
            pattern: CommonPattern::of(content.message()),
        };
        form_record.record_numbers(form);
        form_record
    }

    fn record_numbers(&mut self, form: &MessageForm) {
        self.trends.iter_mut().zip(&form.places).for_each(|(track, place)| track.push(place.value));
    }

    fn record_next(&mut self, form: &MessageForm, content: &RepeatedContent, at: Duration, is_late: bool) {
        if !is_late {
            self.gaps.push(at.saturating_sub(self.at));
        }
        (self.count, self.at) = (self.count + 1, at);
        if *content == self.latest {
            return;
        }
        self.changes = true;
        self.record_numbers(form);
        if self.count <= MAX_MERGES {
            let literals = match content {
                RepeatedContent::Text(text) => literals(text, form),
                RepeatedContent::Binary(_) => Vec::new(),
            };
            self.pattern.merge(content.message(), &literals);
        }
        self.latest = content.clone();
    }

    fn sameness(&self) -> Sameness {
        match (self.changes, self.trends.iter().all(NumberTrend::is_counter)) {
            (false, _) => Sameness::Constant,
            (true, true) if matches!(self.first, RepeatedContent::Text(_)) => Sameness::Counting,
            (true, _) => Sameness::Changing,
        }
    }

    fn has_word(&self) -> bool {
        let RepeatedContent::Text(text) = &self.first else { return false };
        let text = text.to_ascii_lowercase();
        HEARTBEAT_WORDS.iter().any(|word| text.contains(word))
    }

    /// The interval, if most gaps agree and the messages have not stopped before `until`.
    fn interval(&self, until: Duration) -> Option<Interval> {
        let interval = self.gaps.interval().filter(|interval| interval.median >= MIN_INTERVAL)?;
        let agrees = interval.is_regular() && interval.is_beyond_chance();
        let has_stopped = until.saturating_sub(self.at)
            > interval.max.max(interval.median.mul_f64(STOPPED_AFTER_INTERVALS));
        (agrees && !has_stopped).then_some(interval)
    }
}

/// Distinguishes the messages of one connection by their forms. Memory is bounded.
#[derive(Debug, Clone, Default)]
pub struct FormTable {
    forms: Vec<FormRecord>,
}

impl FormTable {
    /// Records a message; `is_late`: the gap before it is unknown.
    pub fn record_message(&mut self, at: Duration, content: &RepeatedContent, is_late: bool) {
        let form = content.form();
        if let Some(form_record) = self.forms.iter_mut().find(|form_record| form_record.hash == form.hash) {
            return form_record.record_next(&form, content, at, is_late);
        }
        if self.forms.len() == MAX_FORMS {
            let rarest = self
                .forms
                .iter()
                .enumerate()
                .min_by_key(|(_, form_record)| (form_record.count, form_record.at));
            let Some(index) = rarest.map(|(index, _)| index) else { return };
            self.forms.swap_remove(index);
        }
        self.forms.push(FormRecord::begin(&form, content, at));
    }

    /// The form that comes at an interval until `until`; of several, the one most like a heartbeat.
    pub fn periodic(&self, until: Duration) -> Option<Periodic> {
        let found =
            self.forms.iter().filter_map(|form_record| Some((form_record, form_record.interval(until)?)));
        let rank = |(form_record, _): &(&FormRecord, Interval)| {
            (!form_record.has_word(), form_record.sameness(), std::cmp::Reverse(form_record.count))
        };
        let (form_record, interval) = found.min_by_key(rank)?;
        let sample = match form_record.first.message() {
            MessageRef::Text(text) => UntrustedText::new(text),
            MessageRef::Binary(bytes) => crate::domain::heartbeat::inbound::shown_bytes(bytes),
        };
        Some(Periodic {
            count: form_record.count,
            interval,
            sample,
            sameness: form_record.sameness(),
            has_word: form_record.has_word(),
            pattern: form_record.pattern.pattern(form_record.latest.message()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// What these texts at these times (ms) show.
    fn found(texts: &[(u64, String)]) -> Option<Periodic> {
        let mut forms = FormTable::default();
        for (at, text) in texts {
            forms.record_message(ms(*at), &RepeatedContent::of(MessageRef::Text(text)).unwrap(), false);
        }
        forms.periodic(ms(texts.last()?.0 + 10))
    }

    fn every(interval: u64, count: u64, text: impl Fn(u64) -> String) -> Vec<(u64, String)> {
        (1..=count).map(|n| (n * interval, text(n))).collect()
    }

    #[test]
    fn unknown_heartbeats_are_found_whatever_counts_in_them() {
        type Text = fn(u64) -> String;
        let cases: [(Text, Sameness, &str); 8] = [
            (|_| r#"[0,"hb"]"#.into(), Sameness::Constant, r#"[0,"hb"]"#),
            (|_| r#"{"event":"heartbeat"}"#.into(), Sameness::Constant, r#"{"event":"heartbeat"}"#),
            (
                |n| format!(r#"{{"jsonrpc":"2.0","method":"ping","id":{n}}}"#),
                Sameness::Counting,
                r#"{"jsonrpc":"2.0","method":"ping"}"#,
            ),
            (|_| "PING :x".into(), Sameness::Constant, "PING :x"),
            (
                |n| format!("\"primus::ping::{}\"", 1_700_000_000_000 + n * 300),
                Sameness::Counting,
                "\"primus::ping::{any}\"",
            ),
            (
                |n| format!("~m~{}~m~~h~{n}", 3 + n.to_string().len()),
                Sameness::Counting,
                "~m~{any}~m~~h~{any}",
            ),
            (
                |n| format!(r#"{{"k":"hb","at":"2026-01-31T23:59:{:02}Z","id":"f{n}-{n}"}}"#, 50 + n % 10),
                Sameness::Counting,
                r#"{"k":"hb"}"#,
            ),
            (
                |n| format!(r#"{{"type":"status","n":{}}}"#, n % 200),
                Sameness::Counting,
                r#"{"type":"status"}"#,
            ),
        ];
        for (text, sameness, pattern) in cases {
            let periodic = found(&every(300, 12, text)).unwrap();
            assert_eq!((periodic.count, periodic.interval.median), (12, ms(300)), "{pattern}");
            assert_eq!((periodic.sameness, periodic.pattern.as_deref()), (sameness, Some(pattern)));
            assert!(periodic.is_like_heartbeat());
        }
    }

    #[test]
    fn prices_at_a_regular_rate_look_like_data() {
        let price = |n: u64| format!(r#"{{"type":"ticker","price":{}.5}}"#, 100 + (n * 37) % 11);
        let periodic = found(&every(300, 20, price)).unwrap();
        assert_eq!((periodic.sameness, periodic.is_like_heartbeat()), (Sameness::Changing, false));
        let load = |n: u64| format!(r#"{{"type":"heartbeat","load":{}}}"#, (n * 37) % 11);
        assert!(found(&every(300, 20, load)).unwrap().is_like_heartbeat());
    }

    #[test]
    fn heartbeat_is_found_beside_other_messages() {
        let mut texts = every(500, 9, |_| "tick-tock".to_string());
        texts.extend(
            [(130, "a b"), (220, "c"), (1777, "d"), (3456, "e f g")].map(|(at, text)| (at, text.to_string())),
        );
        texts.extend(every(333, 13, |n| format!(r#"{{"price":{}}}"#, (n * 7) % 5)));
        texts.sort();
        assert_eq!(found(&texts).unwrap().sample.as_str(), "tick-tock");
    }

    #[test]
    fn what_is_not_periodic_is_not_found() {
        assert_eq!(found(&every(300, 2, |_| "hb".into())), None, "one gap");
        assert_eq!(found(&every(50, 99, |_| "hb".into())), None, "regular by accident");
        let irregular = [100, 450, 500, 1400, 1500, 2600].map(|at| (at, "hb".to_string()));
        assert_eq!(found(&irregular), None);
        let client_sent_after = ["hello", "how are you", "fine", "and you", "bye"];
        let talk: Vec<(u64, String)> = client_sent_after
            .iter()
            .enumerate()
            .map(|(n, text)| (n as u64 * 300, text.to_string()))
            .collect();
        assert_eq!(found(&talk), None, "each is another");
        let mut forms = FormTable::default();
        (1..9).for_each(|n| forms.record_message(ms(n * 300), &RepeatedContent::Text("hb".into()), false));
        assert_eq!(forms.periodic(ms(4000)), None, "they have stopped");
    }

    #[test]
    fn memory_does_not_grow_with_forms() {
        let mut forms = FormTable::default();
        (0..5).for_each(|n| forms.record_message(ms(n * 300), &RepeatedContent::Text("hb".into()), false));
        for n in 0..1000_u32 {
            let letters: String =
                n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
            forms.record_message(ms(1200), &RepeatedContent::Text(letters.into()), false);
        }
        assert_eq!(forms.forms.len(), MAX_FORMS);
        assert!(forms.periodic(ms(1300)).is_some(), "the one that came more often is still there");
    }

    proptest! {
        #[test]
        fn pattern_of_any_periodic_message_matches_it(
            word in "[a-z\"{}\\[\\]:,~ ']{1,20}", sign in "[-:~ ]", interval in 100_u64..60_000, from in 0_u64..1_000_000
        ) {
            let texts = every(interval, 6, |n| format!("{word}{sign}{}", from + n));
            let periodic = found(&texts).unwrap();
            let matches = |pattern: &String| texts.iter().all(|(_, text)| {
                let incoming = crate::domain::heartbeat::inbound::InboundMessage::new(MessageRef::Text(text));
                pattern.parse::<crate::domain::heartbeat::pattern::Pattern>().unwrap().matches(&incoming).is_some()
            });
            prop_assert!(periodic.pattern.iter().all(matches), "{:?}", periodic.pattern);
        }
    }
}
