//! The heartbeats that servers send as messages, and the expected answers: those of the catalogue, and the user's own.

use std::sync::LazyLock;

use serde_json::{Map, Number, Value};

use super::periodic::RepeatedContent;
use super::server_event::{ServerEvent, ServerEventKind};
use crate::domain::catalogue::{KnownPing, known_pings};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::classifier::{answer_in_kind, field, in_case_of};
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{ProtocolProfile, ServerRequest, ServerRequests};
use crate::domain::heartbeat::template::{Payload, Template};

/// The form of a message, read from the pattern of an entry of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PingForm {
    /// This exact text, except white space and the record separator (0x1E) at its ends.
    Text(&'static str),
    /// A JSON object with these texts in these fields, ignoring case, and numbers in the others.
    Fields(Vec<(String, Option<String>)>),
}

/// What a healthy client answers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PingReply {
    /// Nothing.
    Nothing,
    Text(&'static str),
    /// The same object, with this text in that field.
    Field(String, String),
    /// The number under this name.
    Number(String),
}

/// A known heartbeat message, read.
#[derive(Debug)]
struct RecognizedPing {
    name: &'static str,
    looks: PingForm,
    reply: PingReply,
    after: Option<Pattern>,
}

/// The known heartbeats, those with more fields first: they are the more specific ones.
static KNOWN_PINGS: LazyLock<Vec<RecognizedPing>> = LazyLock::new(|| {
    let mut pings: Vec<RecognizedPing> = known_pings().map(RecognizedPing::read).collect();
    pings.sort_by_key(|ping| match &ping.looks {
        PingForm::Fields(fields) => std::cmp::Reverse(fields.len()),
        PingForm::Text(_) => std::cmp::Reverse(0),
    });
    pings
});

/// A placeholder for a number, as a JSON value.
const NUMBER: &str = "{seq}";

/// The fields of a JSON object in the language of patterns: each a text, or a number; `None` of any other text.
fn fields(text: &str) -> Option<Vec<(String, Option<String>)>> {
    let json = text.replace(NUMBER, &format!("\"{NUMBER}\""));
    let object: Map<String, Value> = serde_json::from_str(&json).ok()?;
    let texts = object.into_iter().map(|(name, value)| {
        let text = value.as_str().map(str::to_string).filter(|text| text != NUMBER);
        (name, text)
    });
    Some(texts.collect())
}

/// The text that a literal pattern or template means.
fn literal(text: &'static str) -> &'static str {
    text.strip_prefix("text:").unwrap_or(text)
}

impl RecognizedPing {
    fn read(known: &'static KnownPing) -> RecognizedPing {
        let looks = fields(known.looks).map_or(PingForm::Text(literal(known.looks)), PingForm::Fields);
        let reply = match known.reply.map(|reply| (reply, fields(reply))) {
            None => PingReply::Nothing,
            Some((reply, None)) => PingReply::Text(literal(reply)),
            Some((reply, Some(fields))) => match fields.into_iter().next() {
                Some((name, Some(text))) => PingReply::Field(name, text),
                Some((name, None)) => PingReply::Number(name),
                None => PingReply::Text(reply),
            },
        };
        RecognizedPing {
            name: known.name,
            looks,
            reply,
            after: known.after.and_then(|text| text.parse().ok()),
        }
    }

    fn matches(&self, incoming: &InboundMessage) -> bool {
        match &self.looks {
            PingForm::Text(text) => incoming.text().is_some_and(|event| trim_framing(event) == *text),
            PingForm::Fields(fields) => object(incoming).is_some_and(|object| {
                // A number alone among other fields is a data value, not a ping.
                let is_number_alone = fields.iter().all(|(_, text)| text.is_none());
                (!is_number_alone || object.len() == fields.len())
                    && fields.iter().all(|(name, text)| says(object, name, text.as_deref()))
            }),
        }
    }

    fn event_kind(&self) -> ServerEventKind {
        match self.reply {
            PingReply::Nothing => ServerEventKind::KeepAlive,
            PingReply::Text(_) | PingReply::Field(_, _) | PingReply::Number(_) => ServerEventKind::AppPing,
        }
    }

    fn reply(&self, incoming: &InboundMessage) -> Option<Payload> {
        let text = match &self.reply {
            PingReply::Nothing => return None,
            PingReply::Text(text) => (*text).to_string(),
            PingReply::Field(name, text) => answer_in_kind(object(incoming)?, name, text)?.to_string(),
            PingReply::Number(name) => {
                let (asked, _) = object(incoming)?.iter().next()?;
                format!("{{\"{}\":{}}}", in_case_of(asked, name)?, only_number(incoming.text()?)?)
            }
        };
        Some(Payload::Text(text))
    }
}

/// Whether a field has this text, ignoring case; `None`: whether it has a number.
fn says(object: &Map<String, Value>, name: &str, text: Option<&str>) -> bool {
    let value = field(object, name).map(|(_, value)| value);
    match text {
        Some(text) => value.and_then(Value::as_str).is_some_and(|says| says.eq_ignore_ascii_case(text)),
        None => value.is_some_and(Value::is_number),
    }
}

/// The number in an object of one field, as text: it may have more digits than our number types.
fn only_number(object: &str) -> Option<&str> {
    let (_, value) = object.split_once(':')?;
    let value = value.trim_end().strip_suffix('}')?.trim();
    serde_json::from_str::<Number>(value).is_ok().then_some(value)
}

fn object<'a>(incoming: &'a InboundMessage) -> Option<&'a Map<String, Value>> {
    incoming.json().and_then(Value::as_object)
}

/// White space and record separators belong to the framing.
fn trim_framing(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\x1e' || c == '\0')
}

/// Recognizes the heartbeats among the messages of one connection.
#[derive(Debug, Clone, Default)]
pub struct KnownPings {
    /// The user's own heartbeat: its name and its answer.
    added: Vec<(&'static str, ServerRequest)>,
    /// Only the added ones count.
    only: bool,
    framing: Framing,
    /// Those that only count after another message, and had it.
    begun: Vec<&'static str>,
}

/// The name of the user's own form.
pub const ADDED_PING_NAME: &str = "as told";

impl KnownPings {
    /// The known forms and, if given, one more with its answer.
    pub fn with(added: Option<(Pattern, Option<Template>)>) -> KnownPings {
        let added = added.map(|(pattern, reply)| (ADDED_PING_NAME, ServerRequest { pattern, reply }));
        KnownPings { added: added.into_iter().collect(), ..KnownPings::default() }
    }

    /// For a peer with a known protocol: only that protocol's heartbeats, after the user's own.
    pub fn speaking(mut self, profile: &ProtocolProfile) -> KnownPings {
        self.framing = profile.framing;
        if let (Some(name), ServerRequests::Known(asks)) = (profile.name, &profile.asks) {
            self.added.extend(asks.iter().map(|ask| (name, ask.clone())));
            self.only = true;
        }
        self
    }

    /// The first heartbeat in a message that may contain several, and the answers to all of them.
    pub fn hear(&mut self, message: MessageRef<'_>, now_ms: u64) -> (ServerEvent, Vec<Payload>) {
        let units = self.framing.units(message);
        let mut event: Vec<ServerEvent> =
            units.map(|unit| self.recognise(&InboundMessage::new(unit), now_ms)).collect();
        let replies = event.iter().filter_map(|event| event.reply.clone()).collect();
        let first = event.iter().position(|event| event.event_kind.is_heartbeat()).unwrap_or(0);
        if event.is_empty() {
            (ServerEvent::plain(ServerEventKind::Message, shown(message)), replies)
        } else {
            (event.swap_remove(first), replies)
        }
    }

    /// Classifies a message; `now_ms` is the wall clock, for answers that carry it.
    pub fn recognise(&mut self, incoming: &InboundMessage, now_ms: u64) -> ServerEvent {
        self.note_beginning(incoming);
        let text = shown(incoming.message());
        if let Some(event) = self.as_added(incoming, now_ms, &text) {
            return event;
        }
        let counts = |ping: &RecognizedPing| ping.after.is_none() || self.begun.contains(&ping.name);
        let known = KNOWN_PINGS.iter().filter(|ping| !self.only && counts(ping));
        match known.into_iter().find(|shape| shape.matches(incoming)) {
            Some(shape) => {
                let reply = shape.reply(incoming);
                ServerEvent { shape: Some(shape.name), reply, ..ServerEvent::plain(shape.event_kind(), text) }
            }
            None => {
                let content = RepeatedContent::of(incoming.message());
                ServerEvent { content, ..ServerEvent::plain(ServerEventKind::Message, text) }
            }
        }
    }

    /// Notes the message after which a heartbeat counts.
    fn note_beginning(&mut self, incoming: &InboundMessage) {
        for ping in KNOWN_PINGS.iter() {
            let begins = |after: &Pattern| after.matches(incoming).is_some();
            if !self.begun.contains(&ping.name) && ping.after.as_ref().is_some_and(begins) {
                self.begun.push(ping.name);
            }
        }
    }

    fn as_added(&self, incoming: &InboundMessage, now_ms: u64, text: &UntrustedText) -> Option<ServerEvent> {
        let hear = |(name, ask): &(&'static str, ServerRequest)| Some((*name, ask.hear(incoming, now_ms)?));
        let (name, reply) = self.added.iter().find_map(hear)?;
        // What the user calls a ping is one, answered or not.
        let event_kind = if reply.is_some() || name == ADDED_PING_NAME {
            ServerEventKind::AppPing
        } else {
            ServerEventKind::KeepAlive
        };
        Some(ServerEvent { shape: Some(name), reply, ..ServerEvent::plain(event_kind, text.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::inbound::{MAX_SHOWN_BYTES, shown_bytes};

    fn event(shapes: &mut KnownPings, text: &str) -> (ServerEventKind, Option<&'static str>, Option<String>) {
        let event = shapes.recognise(&InboundMessage::new(MessageRef::Text(text)), 7);
        let reply = event.reply.map(|reply| match reply {
            Payload::Text(text) => text,
            Payload::Binary(bytes) => format!("{bytes:?}"),
        });
        (event.event_kind, event.shape, reply)
    }

    #[test]
    fn known_pings_are_recognized_and_answered() {
        for (wire, shape, reply) in [
            (r#"{"type":"ping","id":4}"#, "type: ping", r#"{"type":"pong","id":4}"#),
            (r#"{"event":"pusher:ping","data":{}}"#, "Pusher", r#"{"event":"pusher:pong","data":{}}"#),
            (r#"{"msg":"ping"}"#, "Meteor DDP", r#"{"msg":"pong"}"#),
            (r#"{"ping":1492420473027}"#, "ping: number", r#"{"pong":1492420473027}"#),
            (
                r#" { "ping" : 18446744073709551616.50 } "#,
                "ping: number",
                r#"{"pong":18446744073709551616.50}"#,
            ),
            (
                r#"{"type":"ping","ts":1764186000.1234567}"#,
                "type: ping",
                r#"{"type":"pong","ts":1764186000.1234567}"#,
            ),
            ("{}", "Centrifugo", "{}"),
            ("PING\r\n", "text PING", "PONG"),
            ("ping", "text ping", "pong"),
        ] {
            let found = event(&mut KnownPings::default(), wire);
            assert_eq!(found, (ServerEventKind::AppPing, Some(shape), Some(reply.to_string())), "{wire}");
        }
    }

    #[test]
    fn known_shapes_in_other_letter_case_count() {
        for (wire, shape, reply) in [
            (r#"{"type":"PING","id":4}"#, "type: ping", Some(r#"{"type":"PONG","id":4}"#)),
            (r#"{"Type":"Ping"}"#, "type: ping", Some(r#"{"Type":"Pong"}"#)),
            (r#"{"OP":"PING"}"#, "op: ping", Some(r#"{"OP":"PONG"}"#)),
            (r#"{"event":"Pusher:Ping"}"#, "Pusher", Some(r#"{"event":"Pusher:Pong"}"#)),
            (r#"{"Ping":17}"#, "ping: number", Some(r#"{"Pong":17}"#)),
        ] {
            let found = event(&mut KnownPings::default(), wire);
            assert_eq!(found, (ServerEventKind::AppPing, Some(shape), reply.map(str::to_string)), "{wire}");
        }
        let odd = event(&mut KnownPings::default(), r#"{"type":"pInG"}"#);
        assert_eq!(
            odd,
            (ServerEventKind::AppPing, Some("type: ping"), None),
            "the expected answer is unknown"
        );
        for (wire, shape) in [
            (r#"{"type":"HEARTBEAT"}"#, "type: heartbeat"),
            (r#"{"Type":"Heartbeat"}"#, "type: heartbeat"),
            (r#"{"Channel":"heartbeat"}"#, "channel: heartbeat"),
            (r#"{"TYPE":"KA"}"#, "GraphQL ka"),
        ] {
            assert_eq!(
                event(&mut KnownPings::default(), wire),
                (ServerEventKind::KeepAlive, Some(shape), None),
                "{wire}"
            );
        }
        let two = event(&mut KnownPings::default(), r#"{"Type":"order","type":"ping"}"#);
        assert_eq!(two.1, Some("type: ping"), "the exact name is meant");
    }

    #[test]
    fn ping_field_among_others_is_no_ping() {
        let found = event(&mut KnownPings::default(), r#"{"player":"bob","ping":37}"#);
        assert_eq!(found, (ServerEventKind::Message, None, None));
    }

    #[test]
    fn one_way_keep_alives_are_not_answered() {
        for (wire, shape) in [
            (r#"{"type":"ping","message":1700000000}"#, "Action Cable"),
            (r#"{"type":"ka"}"#, "GraphQL ka"),
            ("{\"type\":6}\x1e", "SignalR"),
            ("h", "SockJS"),
            ("\n", "empty"),
            ("", "empty"),
        ] {
            assert_eq!(
                event(&mut KnownPings::default(), wire),
                (ServerEventKind::KeepAlive, Some(shape), None),
                "{wire}"
            );
        }
    }

    #[test]
    fn text_2_is_a_ping_only_after_an_engine_io_handshake() {
        let mut shapes = KnownPings::default();
        assert_eq!(event(&mut shapes, "2"), (ServerEventKind::Message, None, None));
        assert_eq!(event(&mut shapes, r#"0{"sid":"x","pingInterval":25000}"#).0, ServerEventKind::Message);
        assert_eq!(
            event(&mut shapes, "2"),
            (ServerEventKind::AppPing, Some("Engine.IO 4"), Some("3".into()))
        );
    }

    #[test]
    fn user_pattern_comes_first_and_its_reply_carries_keys() {
        let pattern = r#"{"k":"hb","n":"{seq}"}"#.parse().unwrap();
        let answer = r#"{"k":"ok","n":{seq}}"#.parse().unwrap();
        let mut shapes = KnownPings::with(Some((pattern, Some(answer))));
        let found = event(&mut shapes, r#"{"k":"hb","n":"12"}"#);
        assert_eq!(
            found,
            (ServerEventKind::AppPing, Some(ADDED_PING_NAME), Some(r#"{"k":"ok","n":12}"#.into()))
        );
        assert_eq!(event(&mut shapes, r#"{"type":"ping"}"#).1, Some("type: ping"));
    }

    #[test]
    fn binary_data_is_shown_in_hex() {
        assert_eq!(shown_bytes(b"abc").as_str(), "abc");
        assert_eq!(shown_bytes(b"PING\r\n").as_str(), r"PING\r\n");
        assert_eq!(shown_bytes(&[0, 255]).as_str(), "hex:00ff");
        assert_eq!(shown_bytes(&[1; 100]).as_str().len(), 4 + 2 * MAX_SHOWN_BYTES + "…".len());
    }

    #[test]
    fn every_known_ping_is_written_in_the_language_of_patterns() {
        for ping in known_pings() {
            let read = RecognizedPing::read(ping);
            assert_eq!(known_pings().filter(|other| other.name == ping.name).count(), 1, "{}", ping.name);
            assert!(ping.looks.parse::<Pattern>().is_ok(), "{}", ping.looks);
            assert!(ping.reply.is_none_or(|reply| reply.parse::<Template>().is_ok()), "{}", ping.name);
            assert_eq!(read.after.is_some(), ping.after.is_some(), "{}", ping.name);
        }
    }
}
