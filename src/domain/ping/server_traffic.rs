//! What a connection told of its server besides the answers: how often it asks, and what it says that is neither.

use std::collections::VecDeque;
use std::time::Duration;

use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::presets::resembles;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::heartbeat::unmatched::{NearestMessage, UnmatchedMessages};
use crate::domain::nanos::Nanos;
use crate::domain::stats::interval::Interval;

/// So many of the latest gaps between the server's heartbeats are remembered.
const MAX_GAPS: usize = 32;
/// So much of the last message is remembered, in bytes.
const MAX_LAST_MESSAGE_BYTES: usize = 512;
/// So many of the first messages are compared with what is known.
const MAX_COMPARED_MESSAGES: u32 = 4;

/// What was heard besides answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerTraffic {
    /// How often the server sends heartbeats by itself, of each kind of which two came.
    pub intervals: Vec<(HeartbeatKind, Interval)>,
    /// The first message that was neither an answer nor known.
    pub stranger: Option<UntrustedText>,
    /// The presets that such messages are typical of.
    pub looks_like: Vec<&'static str>,
    /// The message that comes nearest to an answer without being one.
    pub nearest: Option<NearestMessage>,
    /// The first answer whose id or number is none of ours.
    pub foreign: Option<UntrustedText>,
    /// The last message that was neither an answer nor known.
    pub last: Option<UntrustedText>,
    /// What came in place of Pongs.
    pub substitute: Option<Substitute>,
    /// A frame that had not come in whole when we ended the connection, so that no reply could come.
    pub incomplete: Option<IncompleteData>,
    /// How long after the first Ping the connection ended, where that was the only one and nothing answered it.
    pub ended_after_ping: Option<Duration>,
}

impl ServerTraffic {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == ServerTraffic::default()
    }

    /// How often the server asks or calls by messages, or else by frames.
    pub fn interval(&self) -> Option<(HeartbeatKind, Interval)> {
        let app = self.intervals.iter().find(|(kind, _)| *kind == HeartbeatKind::App);
        app.or(self.intervals.first()).copied()
    }
}

/// Listens on one connection, in bounded memory.
#[derive(Debug, Default)]
pub struct ServerTrafficRecorder {
    /// Whether messages are compared with what is known: only where a finding may rest on it, for it costs time.
    curious: bool,
    rhythms: Vec<HeartbeatGaps>,
    stranger: Option<UntrustedText>,
    compared: u32,
    looks_like: Vec<&'static str>,
    unmatched: UnmatchedMessages,
    foreign: Option<UntrustedText>,
    /// The beginning of the last message; used again and again, so that a flood allocates nothing.
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
    /// `curious`: other messages are of interest.
    pub fn new(curious: bool) -> ServerTrafficRecorder {
        ServerTrafficRecorder { curious, ..ServerTrafficRecorder::default() }
    }

    /// The server sent a heartbeat of this kind, when the connection was so old.
    pub fn beat(&mut self, kind: HeartbeatKind, age: Duration) {
        let Some(rhythm) = self.rhythms.iter_mut().find(|rhythm| rhythm.kind == kind) else {
            // Mostly it is the only one, on each of thousands of connections.
            self.rhythms.reserve_exact(1);
            self.rhythms.push(HeartbeatGaps { kind, last: age, gaps: VecDeque::new() });
            return;
        };
        if rhythm.gaps.len() == MAX_GAPS {
            rhythm.gaps.pop_front();
        }
        rhythm.gaps.push_back(age.saturating_sub(rhythm.last).into());
        rhythm.last = age;
    }

    /// A message came that is neither an answer nor a heartbeat.
    pub fn stranger(&mut self, message: MessageRef<'_>) {
        self.remember_last(message);
        if !self.curious || self.compared == MAX_COMPARED_MESSAGES {
            return;
        }
        self.compared += 1;
        self.stranger.get_or_insert_with(|| shown(message));
        for preset in resembles(message) {
            if !self.looks_like.contains(&preset.name) {
                self.looks_like.push(preset.name);
            }
        }
    }

    /// Whether it wants to know how a message differs from an answer.
    pub fn wants_difference(&self) -> bool {
        self.curious && self.unmatched.is_curious()
    }

    /// A message differs so from an answer.
    pub fn unmatched(&mut self, message: MessageRef<'_>, difference: Difference) {
        self.unmatched.compare(message, difference);
    }

    /// An answer came whose id or number is none of ours.
    pub fn foreign(&mut self, message: MessageRef<'_>) {
        self.foreign.get_or_insert_with(|| shown(message));
    }

    fn remember_last(&mut self, message: MessageRef<'_>) {
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
                // A character may be cut in two.
                let text = if is_cut { text.trim_end_matches('\u{fffd}') } else { &text };
                Some(shown(MessageRef::Text(text)))
            }
        }
    }

    /// What it comes to.
    pub fn overheard(&self) -> ServerTraffic {
        let interval = |rhythm: &HeartbeatGaps| {
            Some((rhythm.kind, Interval::of(rhythm.gaps.iter().map(|gap| Duration::from(*gap)))?))
        };
        ServerTraffic {
            intervals: self.rhythms.iter().filter_map(interval).collect(),
            stranger: self.stranger.clone(),
            looks_like: self.looks_like.clone(),
            nearest: self.unmatched.nearest().cloned(),
            foreign: self.foreign.clone(),
            last: self.last(),
            substitute: None,
            incomplete: None,
            ended_after_ping: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_interval_is_the_median_of_its_gaps() {
        let mut listener = ServerTrafficRecorder::default();
        listener.beat(HeartbeatKind::App, Duration::from_secs(25));
        assert!(listener.overheard().is_empty(), "an interval needs more");
        listener.beat(HeartbeatKind::App, Duration::from_secs(50));
        listener.beat(HeartbeatKind::Protocol, Duration::from_secs(51));
        let (kind, interval) = listener.overheard().interval().unwrap();
        assert_eq!((kind, interval.median, interval.gaps), (HeartbeatKind::App, Duration::from_secs(25), 1));
    }

    #[test]
    fn a_strangers_words_are_compared_with_what_is_known() {
        let mut listener = ServerTrafficRecorder::new(true);
        listener.stranger(MessageRef::Text("hello"));
        listener.stranger(MessageRef::Text(r#"{"type":"connection_ack"}"#));
        let overheard = listener.overheard();
        assert_eq!(overheard.stranger, Some(UntrustedText::new("hello")));
        assert_eq!(overheard.looks_like, ["graphql-ws"]);
    }

    #[test]
    fn who_is_not_curious_compares_nothing() {
        let mut listener = ServerTrafficRecorder::new(false);
        listener.stranger(MessageRef::Text(r#"{"type":"connection_ack"}"#));
        let overheard = listener.overheard();
        assert_eq!((overheard.stranger, overheard.looks_like.is_empty()), (None, true));
        assert_eq!(
            overheard.last,
            Some(UntrustedText::new(r#"{"type":"connection_ack"}"#)),
            "the last is kept anyway"
        );
    }

    #[test]
    fn last_message_is_kept_within_its_bound() {
        let mut listener = ServerTrafficRecorder::new(false);
        let long = format!("{}é", "x".repeat(MAX_LAST_MESSAGE_BYTES - 1));
        listener.stranger(MessageRef::Text(&long));
        assert!(listener.last.len() <= MAX_LAST_MESSAGE_BYTES);
        assert!(!listener.overheard().last.unwrap().as_str().contains('\u{fffd}'));
        listener.stranger(MessageRef::Text("bye"));
        assert_eq!(listener.overheard().last, Some(UntrustedText::new("bye")));
    }

    #[test]
    fn a_flood_costs_no_more_than_its_first_messages() {
        let mut listener = ServerTrafficRecorder::new(true);
        (0..100_000).for_each(|n| {
            listener.stranger(MessageRef::Text("x"));
            listener.beat(HeartbeatKind::App, Duration::from_secs(n));
        });
        assert_eq!(listener.compared, MAX_COMPARED_MESSAGES);
        assert_eq!(listener.rhythms[0].gaps.len(), MAX_GAPS);
    }
}
