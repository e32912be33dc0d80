//! What a server sent besides answers: how often it pings, and messages that are neither pings nor answers.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::held_back::HeldBack;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::heartbeat::unmatched::{NearestMessage, UnmatchedMessages};
use crate::domain::nanos::Nanos;
use crate::domain::presets::resembles;
use crate::domain::stats::interval::Interval;

/// Maximum number of gaps between server heartbeats kept.
const MAX_GAPS: usize = 32;
/// Maximum bytes of the last message kept.
const MAX_LAST_MESSAGE_BYTES: usize = 512;
/// How many of the first messages are compared with known formats.
const MAX_COMPARED_MESSAGES: u32 = 4;

/// What was received besides answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerTraffic {
    /// The interval of the server's heartbeats, for each kind of which two came.
    pub intervals: Vec<(HeartbeatKind, Interval)>,
    /// The first message that was neither an answer nor of a known format.
    pub first_other: Option<UntrustedText>,
    /// Presets for which such messages are typical.
    pub looks_like: Vec<&'static str>,
    /// The message most similar to an answer.
    pub nearest: Option<NearestMessage>,
    /// The first answer with a foreign id or number.
    pub foreign: Option<UntrustedText>,
    /// The last message that was neither an answer nor of a known format.
    pub last: Option<UntrustedText>,
    /// What came instead of Pongs.
    pub substitute: Option<Substitute>,
    /// A frame that was incomplete when wscheck closed the connection, so that no reply could come.
    pub incomplete: Option<IncompleteData>,
    /// How long after its only Ping, still unanswered, the connection ended.
    pub ended_after_ping: Option<Duration>,
    /// The heartbeats that the peer of HTTP/2 granted no room for, at first or at all.
    pub held_back: Option<HeldBack>,
}

impl ServerTraffic {
    pub fn is_empty(&self) -> bool {
        *self == ServerTraffic::default()
    }

    /// The interval of the server's messages, or else of its frames.
    pub fn interval(&self) -> Option<(HeartbeatKind, Interval)> {
        let app = self.intervals.iter().find(|(kind, _)| *kind == HeartbeatKind::App);
        app.or(self.intervals.first()).copied()
    }
}

/// What a server that gave no answer sent instead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnmatchedTraffic {
    /// The first message.
    pub first: Option<UntrustedText>,
    /// The message most similar to an answer, and how it differs.
    pub nearest: Option<NearestMessage>,
    /// The presets for which such messages are typical, unless the requested one is among them.
    pub looks_like: Vec<&'static str>,
}

impl UnmatchedTraffic {
    /// The preset to try instead.
    pub fn suggested_preset(&self) -> Option<&'static str> {
        self.looks_like.first().copied()
    }
}

impl fmt::Display for UnmatchedTraffic {
    /// A lower-case fragment.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.first, &self.nearest) {
            (Some(first), _) if !self.looks_like.is_empty() => {
                write!(f, "received '{first}', which looks like {}", self.looks_like.join(" or "))
            }
            (_, Some(nearest)) => write!(f, "the most similar one: {}", nearest.describe()),
            (Some(first), None) => write!(f, "the first received: '{first}'"),
            (None, None) => f.write_str("no message was received"),
        }
    }
}

/// Records the server's traffic on one connection, in bounded memory.
#[derive(Debug, Default)]
pub struct ServerTrafficRecorder {
    /// Whether to compare messages with known formats; this costs time, so only if a finding may need it.
    curious: bool,
    arrivals_by_form: Vec<HeartbeatGaps>,
    first_other: Option<UntrustedText>,
    compared: u32,
    looks_like: Vec<&'static str>,
    unmatched: UnmatchedMessages,
    foreign: Option<UntrustedText>,
    /// The start of the last message; the buffer is reused, so that a flood allocates nothing.
    last: Vec<u8>,
    last_is_text: bool,
}

#[derive(Debug)]
struct HeartbeatGaps {
    kind: HeartbeatKind,
    last: Duration,
    gaps: VecDeque<Nanos>,
}

impl ServerTrafficRecorder {
    /// `curious`: compare messages with known formats.
    pub fn new(curious: bool) -> ServerTrafficRecorder {
        ServerTrafficRecorder { curious, ..ServerTrafficRecorder::default() }
    }

    /// Records a heartbeat of the server; `age` is the connection's.
    pub fn record_heartbeat(&mut self, kind: HeartbeatKind, age: Duration) {
        let Some(arrivals) = self.arrivals_by_form.iter_mut().find(|arrivals| arrivals.kind == kind) else {
            // Usually the only one, on each of thousands of connections.
            self.arrivals_by_form.reserve_exact(1);
            self.arrivals_by_form.push(HeartbeatGaps { kind, last: age, gaps: VecDeque::new() });
            return;
        };
        if arrivals.gaps.len() == MAX_GAPS {
            arrivals.gaps.pop_front();
        }
        arrivals.gaps.push_back(age.saturating_sub(arrivals.last).into());
        arrivals.last = age;
    }

    /// Records a message that is neither an answer nor a heartbeat.
    pub fn record_unknown(&mut self, message: MessageRef<'_>) {
        self.keep_last(message);
        if !self.curious || self.compared == MAX_COMPARED_MESSAGES {
            return;
        }
        self.compared += 1;
        self.first_other.get_or_insert_with(|| shown(message));
        for preset in resembles(message) {
            if !self.looks_like.contains(&preset.name) {
                self.looks_like.push(preset.name);
            }
        }
    }

    /// Whether to compute how a message differs from an answer.
    pub fn wants_difference(&self) -> bool {
        self.curious && self.unmatched.is_curious()
    }

    /// Records how a message differs from an answer.
    pub fn record_unmatched(&mut self, message: MessageRef<'_>, difference: Difference) {
        self.unmatched.compare(message, difference);
    }

    /// Records an answer with a foreign id or number.
    pub fn record_foreign(&mut self, message: MessageRef<'_>) {
        self.foreign.get_or_insert_with(|| shown(message));
    }

    fn keep_last(&mut self, message: MessageRef<'_>) {
        let bytes = match message {
            MessageRef::Text(text) => text.as_bytes(),
            MessageRef::Binary(bytes) => bytes,
        };
        self.last_is_text = matches!(message, MessageRef::Text(_));
        self.last.clear();
        self.last.extend_from_slice(&bytes[..bytes.len().min(MAX_LAST_MESSAGE_BYTES)]);
    }

    fn last(&self) -> Option<UntrustedText> {
        let is_cut = self.last.len() == MAX_LAST_MESSAGE_BYTES;
        match (self.last.is_empty(), self.last_is_text) {
            (true, _) => None,
            (false, false) => Some(shown(MessageRef::Binary(&self.last))),
            (false, true) => {
                let text = String::from_utf8_lossy(&self.last);
                // A character may be cut off.
                let text = if is_cut { text.trim_end_matches('\u{fffd}') } else { &text };
                Some(shown(MessageRef::Text(text)))
            }
        }
    }

    pub fn server_traffic(&self) -> ServerTraffic {
        let interval = |arrivals: &HeartbeatGaps| {
            Some((arrivals.kind, Interval::of(arrivals.gaps.iter().map(|gap| Duration::from(*gap)))?))
        };
        ServerTraffic {
            intervals: self.arrivals_by_form.iter().filter_map(interval).collect(),
            first_other: self.first_other.clone(),
            looks_like: self.looks_like.clone(),
            nearest: self.unmatched.nearest().cloned(),
            foreign: self.foreign.clone(),
            last: self.last(),
            ..ServerTraffic::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_interval_is_the_median_of_its_gaps() {
        let mut listener = ServerTrafficRecorder::default();
        listener.record_heartbeat(HeartbeatKind::App, Duration::from_secs(25));
        assert!(listener.server_traffic().is_empty(), "an interval needs more");
        listener.record_heartbeat(HeartbeatKind::App, Duration::from_secs(50));
        listener.record_heartbeat(HeartbeatKind::Protocol, Duration::from_secs(51));
        let (kind, interval) = listener.server_traffic().interval().unwrap();
        assert_eq!((kind, interval.median, interval.gaps), (HeartbeatKind::App, Duration::from_secs(25), 1));
    }

    #[test]
    fn unknown_messages_are_compared_with_known_formats() {
        let mut listener = ServerTrafficRecorder::new(true);
        listener.record_unknown(MessageRef::Text("hello"));
        listener.record_unknown(MessageRef::Text(r#"{"type":"connection_ack"}"#));
        let server_traffic = listener.server_traffic();
        assert_eq!(server_traffic.first_other, Some(UntrustedText::new("hello")));
        assert_eq!(server_traffic.looks_like, ["graphql-ws"]);
    }

    #[test]
    fn no_comparison_unless_curious() {
        let mut listener = ServerTrafficRecorder::new(false);
        listener.record_unknown(MessageRef::Text(r#"{"type":"connection_ack"}"#));
        let server_traffic = listener.server_traffic();
        assert_eq!((server_traffic.first_other, server_traffic.looks_like.is_empty()), (None, true));
        assert_eq!(
            server_traffic.last,
            Some(UntrustedText::new(r#"{"type":"connection_ack"}"#)),
            "the last is kept anyway"
        );
    }

    #[test]
    fn last_message_is_kept_within_its_bound() {
        let mut listener = ServerTrafficRecorder::new(false);
        let long = format!("{}é", "x".repeat(MAX_LAST_MESSAGE_BYTES - 1));
        listener.record_unknown(MessageRef::Text(&long));
        assert!(listener.last.len() <= MAX_LAST_MESSAGE_BYTES);
        assert!(!listener.server_traffic().last.unwrap().as_str().contains('\u{fffd}'));
        listener.record_unknown(MessageRef::Text("bye"));
        assert_eq!(listener.server_traffic().last, Some(UntrustedText::new("bye")));
    }

    #[test]
    fn flood_compares_only_its_first_messages() {
        let mut listener = ServerTrafficRecorder::new(true);
        (0..100_000).for_each(|n| {
            listener.record_unknown(MessageRef::Text("x"));
            listener.record_heartbeat(HeartbeatKind::App, Duration::from_secs(n));
        });
        assert_eq!(listener.compared, MAX_COMPARED_MESSAGES);
        assert_eq!(listener.arrivals_by_form[0].gaps.len(), MAX_GAPS);
    }
}
