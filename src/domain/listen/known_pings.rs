//! The heartbeats that servers send as messages, and the expected answers: a slice of definitions, and the
//! user's own.

use serde_json::{Map, Number, Value};

use super::periodic::RepeatedContent;
use super::server_event::{ServerEvent, ServerEventKind};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::classifier::{answer_in_kind, field, in_case_of};
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::inbound::shown;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{ProtocolProfile, ServerRequest, ServerRequests};
use crate::domain::heartbeat::template::{Payload, Template};

/// The form of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PingForm {
    /// This exact text, except white space and the record separator (0x1E) at its ends.
    Text(&'static str),
    /// A JSON object with this text in this field, ignoring case.
    Field(&'static str, &'static str),
    /// A JSON object with a number in this field.
    Number(&'static str),
    /// This text in one field, and a number in another.
    Stamped(&'static str, &'static str, &'static str),
}

/// What a healthy client answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PingReply {
    /// Nothing.
    Nothing,
    Text(&'static str),
    /// The same object, with this text in that field.
    Field(&'static str, &'static str),
    /// The number under this name.
    Number(&'static str),
}

/// A known heartbeat message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPing {
    /// Its name in reports.
    pub name: &'static str,
    looks: PingForm,
    reply: PingReply,
    /// Only valid after an Engine.IO handshake: by itself it may mean anything.
    engine_io: bool,
}

const fn shape(name: &'static str, looks: PingForm, reply: PingReply) -> KnownPing {
    KnownPing { name, looks, reply, engine_io: false }
}

/// The known forms, the more specific first. Sources: the protocols' documentation.
pub const KNOWN_PINGS: &[KnownPing] = &[
    KnownPing { engine_io: true, ..shape("Engine.IO 4", PingForm::Text("2"), PingReply::Text("3")) },
    shape("Action Cable", PingForm::Stamped("type", "ping", "message"), PingReply::Nothing),
    shape("type: ping", PingForm::Field("type", "ping"), PingReply::Field("type", "pong")),
    shape("Pusher", PingForm::Field("event", "pusher:ping"), PingReply::Field("event", "pusher:pong")),
    shape("event: ping", PingForm::Field("event", "ping"), PingReply::Field("event", "pong")),
    shape("op: ping", PingForm::Field("op", "ping"), PingReply::Field("op", "pong")),
    shape("Meteor DDP", PingForm::Field("msg", "ping"), PingReply::Field("msg", "pong")),
    shape("action: ping", PingForm::Field("action", "ping"), PingReply::Field("action", "pong")),
    shape("cmd: ping", PingForm::Field("cmd", "ping"), PingReply::Field("cmd", "pong")),
    shape("ping: number", PingForm::Number("ping"), PingReply::Number("pong")),
    shape("Centrifugo", PingForm::Text("{}"), PingReply::Text("{}")),
    shape("text ping", PingForm::Text("ping"), PingReply::Text("pong")),
    shape("text PING", PingForm::Text("PING"), PingReply::Text("PONG")),
    shape("text Ping", PingForm::Text("Ping"), PingReply::Text("Pong")),
    shape("GraphQL ka", PingForm::Field("type", "ka"), PingReply::Nothing),
    shape("type: heartbeat", PingForm::Field("type", "heartbeat"), PingReply::Nothing),
    shape("channel: heartbeat", PingForm::Field("channel", "heartbeat"), PingReply::Nothing),
    shape("SignalR", PingForm::Text(r#"{"type":6}"#), PingReply::Nothing),
    shape("SockJS", PingForm::Text("h"), PingReply::Nothing),
    shape("empty", PingForm::Text(""), PingReply::Nothing),
];

impl KnownPing {
    fn matches(&self, incoming: &InboundMessage) -> bool {
        let field =
            |name: &str| object(incoming).and_then(|object| field(object, name)).map(|(_, value)| value);
        let says = |name: &str, text: &str| {
            field(name).and_then(Value::as_str).is_some_and(|event| event.eq_ignore_ascii_case(text))
        };
        match self.looks {
            PingForm::Text(text) => incoming.text().is_some_and(|event| trim_framing(event) == text),
            PingForm::Field(name, text) => says(name, text),
            // Among other fields it is a data value, not a ping.
            PingForm::Number(name) => {
                object(incoming).is_some_and(|object| object.len() == 1)
                    && field(name).is_some_and(Value::is_number)
            }
            PingForm::Stamped(name, text, stamp) => {
                says(name, text) && field(stamp).is_some_and(Value::is_number)
            }
        }
    }

    fn event_kind(&self) -> ServerEventKind {
        match self.reply {
            PingReply::Nothing => ServerEventKind::KeepAlive,
            PingReply::Text(_) | PingReply::Field(_, _) | PingReply::Number(_) => ServerEventKind::AppPing,
        }
    }

    fn reply(&self, incoming: &InboundMessage) -> Option<Payload> {
        let text = match (self.reply, self.looks) {
            (PingReply::Nothing, _) => return None,
            (PingReply::Text(text), _) => text.to_string(),
            (PingReply::Field(name, text), _) => answer_in_kind(object(incoming)?, name, text)?.to_string(),
            (PingReply::Number(name), _) => {
                let (asked, _) = object(incoming)?.iter().next()?;
                format!("{{\"{}\":{}}}", in_case_of(asked, name)?, only_number(incoming.text()?)?)
            }
        };
        Some(Payload::Text(text))
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
    engine_io: bool,
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
        // Engine.IO's handshake comes first: `0{"sid":...}`.
        self.engine_io |= incoming.text().is_some_and(|text| text.starts_with("0{\"sid\""));
        let text = shown(incoming.message());
        if let Some(event) = self.as_added(incoming, now_ms, &text) {
            return event;
        }
        let known = KNOWN_PINGS.iter().filter(|shape| !self.only && (self.engine_io || !shape.engine_io));
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
    fn every_known_ping_has_a_unique_name() {
        for (n, shape) in KNOWN_PINGS.iter().enumerate() {
            assert!(KNOWN_PINGS[..n].iter().all(|other| other.name != shape.name), "{}", shape.name);
        }
    }
}
