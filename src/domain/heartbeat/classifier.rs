//! Classifies the messages of a server: answer, echo, the server's own ping, or ordinary.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::difference::Difference;
use super::framing::Framing;
use super::inbound::{InboundMessage, MessageRef};
use super::json_pattern::PlaceholderValue;
use super::pattern::{Captures, Pattern, PatternMatch};
use super::protocol_profile::{ProtocolProfile, ServerRequests};
use super::template::{Payload, PlaceholderName, RequestKeys, Template};

/// How many of the latest requests' times are kept: at 100 requests a second, the last 40 seconds.
const MAX_REMEMBERED_REQUESTS: usize = 4096;

/// Maximum length of a message searched for relayed requests, in bytes, so that a flood stays cheap.
const MAX_RELAYED_BYTES: usize = 16 * 1024;

/// How an answer identifies its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correlation {
    /// It carries the id or the number of this request.
    Exact { seq: u64 },
    /// It carries the time of one of our requests; two requests within a millisecond share it.
    Stamp { now_ms: u64 },
    /// It carries a foreign id or number.
    Foreign,
    /// It carries no key, so it is matched in order.
    None,
}

/// The classification of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MessageMeaning {
    Answer(Correlation),
    /// Our own request returned: the server echoes and does not answer.
    Echo,
    /// The server's own heartbeat, and the expected answer; `None` if wscheck must not answer.
    ServerPing {
        reply: Option<Payload>,
    },
    Ordinary,
}

/// A form of JSON pings that servers send. The answer is the same object with another value in one field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerPingShape {
    pub field: &'static str,
    pub ping: &'static str,
    pub pong: &'static str,
}

/// The server pings that wscheck answers in the same form.
pub const SERVER_PING_SHAPES: &[ServerPingShape] = &[
    ServerPingShape { field: "type", ping: "ping", pong: "pong" },
    ServerPingShape { field: "event", ping: "ping", pong: "pong" },
];

/// The common part of one connection's ids: `{nonce:016x}-{seq}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nonce(u64);

/// The origin of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum IdOwner {
    Us {
        seq: u64,
    },
    /// It has the form of our ids: another connection of wscheck sent it, and the server relayed it.
    AnotherOfUs,
    Alien,
}

impl Nonce {
    fn id(self, seq: u64) -> String {
        format!("{:016x}-{seq}", self.0)
    }

    fn owner(self, id: &str) -> IdOwner {
        let Some((nonce, seq)) = id.split_once('-') else { return IdOwner::Alien };
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        match seq.parse() {
            Ok(seq) if self.id(seq) == id => IdOwner::Us { seq },
            Ok(_) if nonce.len() == 16 && nonce.bytes().all(is_hex) => IdOwner::AnotherOfUs,
            Ok(_) | Err(_) => IdOwner::Alien,
        }
    }
}

/// Distinguishes answers, echoes, the server's pings and ordinary messages on one connection.
///
/// The first test that applies:
///
/// 1. The pattern matches: an answer (first, because a user may accept the echo as the answer).
/// 2. It has the form of our request with our keys, or equals our last request: an echo.
/// 3. It is a ping of the protocol, or else one of [`SERVER_PING_SHAPES`]: the server's ping.
/// 4. Otherwise it is ordinary.
#[derive(Debug)]
pub struct Classifier {
    asks: Option<Box<SentRequests>>,
    answer_pings: bool,
    framing: Framing,
    server: ServerRequests,
}

impl Classifier {
    /// For a connection with app heartbeats. `nonce` is a random number unique to this connection.
    pub fn new(template: Template, pattern: Pattern, answer_pings: bool, nonce: u64) -> Classifier {
        let asks = Some(Box::new(SentRequests::new(template, pattern, Nonce(nonce))));
        Classifier { asks, ..Classifier::without_asks(answer_pings) }
    }

    /// For a connection without app heartbeats.
    pub fn without_asks(answer_pings: bool) -> Classifier {
        let (framing, server) = (Framing::default(), ServerRequests::default());
        Classifier { asks: None, answer_pings, framing, server }
    }

    /// Uses a known protocol's server pings.
    pub fn speaking(self, profile: &ProtocolProfile) -> Classifier {
        Classifier { framing: profile.framing, server: profile.asks.clone(), ..self }
    }

    /// The request message of heartbeat `seq`, kept to recognize answers and echoes. `now_ms`: wall clock in
    /// milliseconds since 1970. `None` without app heartbeats.
    pub fn ask(&mut self, seq: u64, now_ms: u64) -> Option<Payload> {
        self.asks.as_mut().map(|asks| asks.ask(seq, now_ms))
    }

    /// Classifies a message, which may contain several units. `now_ms`: wall clock, for replies that carry
    /// it.
    pub fn read(&mut self, message: MessageRef<'_>, now_ms: u64) -> Vec<MessageMeaning> {
        let units = self.framing.units(message);
        units.map(|unit| self.classify_at(&InboundMessage::new(unit), now_ms)).collect()
    }

    /// Whether a message contains a request of this or another connection of wscheck, relayed by the server.
    /// Recognized by the id, so only for requests that have one.
    pub fn is_sent_on(&self, message: MessageRef<'_>) -> bool {
        let carries = |asks: &SentRequests| asks.carries_an_id(message, self.framing);
        self.asks.as_deref().is_some_and(carries)
    }

    /// How a message differs from an answer; `None` if it is one, or before the first request.
    pub fn difference(&self, message: MessageRef<'_>) -> Option<Difference> {
        let asks = self.asks.as_deref().filter(|asks| asks.asked.is_some())?;
        let mut units = self.framing.units(message);
        units.find_map(|unit| asks.pattern.difference(&InboundMessage::new(unit)))
    }

    /// Classifies one unit of a message.
    fn classify_at(&mut self, incoming: &InboundMessage, now_ms: u64) -> MessageMeaning {
        let ours = self.asks.as_mut().and_then(|asks| asks.classify(incoming));
        ours.or_else(|| self.server_ask(incoming, now_ms)).unwrap_or(MessageMeaning::Ordinary)
    }

    fn server_ask(&self, incoming: &InboundMessage, now_ms: u64) -> Option<MessageMeaning> {
        let ServerRequests::Known(asks) = &self.server else { return self.server_ping(incoming) };
        let reply = asks.iter().find_map(|ask| ask.hear(incoming, now_ms))?;
        Some(MessageMeaning::ServerPing { reply: reply.filter(|_| self.answer_pings) })
    }

    /// Classifies a message.
    #[cfg(test)]
    fn classify(&mut self, incoming: &InboundMessage) -> MessageMeaning {
        self.classify_at(incoming, 0)
    }

    fn server_ping(&self, incoming: &InboundMessage) -> Option<MessageMeaning> {
        let Value::Object(object) = incoming.json()? else { return None };
        let asks = |ping: &&ServerPingShape| {
            let value = field(object, ping.field).and_then(|(_, value)| value.as_str());
            value.is_some_and(|value| value.eq_ignore_ascii_case(ping.ping))
        };
        let ping = SERVER_PING_SHAPES.iter().find(asks)?;
        let reply = answer_in_kind(object, ping.field, ping.pong).filter(|_| self.answer_pings);
        Some(MessageMeaning::ServerPing { reply: reply.map(|reply| Payload::Text(reply.to_string())) })
    }
}

/// The field of this name, or else the same in other letter case, with its name as written.
pub fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<(&'a String, &'a Value)> {
    let alike = || object.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
    object.get_key_value(name).or_else(alike)
}

/// The same object with another text in this field, in the letter case of the replaced text. `None` if that
/// case is unclear.
pub fn answer_in_kind(object: &Map<String, Value>, name: &str, text: &str) -> Option<Value> {
    let (name, value) = field(object, name)?;
    let text = in_case_of(value.as_str()?, text)?;
    let mut answer = object.clone();
    answer.insert(name.clone(), text.into());
    Some(Value::Object(answer))
}

/// A lower-case text in the letter case of another: `PONG` for `PING`, `Pong` for `Ping`.
pub fn in_case_of(model: &str, text: &str) -> Option<String> {
    let capitalized = |text: &str| {
        let mut begins = true;
        let mut capital = |c: char| {
            let c = if begins { c.to_ascii_uppercase() } else { c };
            begins = !c.is_alphanumeric();
            c
        };
        text.chars().map(&mut capital).collect::<String>()
    };
    let small = model.to_ascii_lowercase();
    match model {
        _ if model == small => Some(text.to_string()),
        _ if model == model.to_ascii_uppercase() => Some(text.to_ascii_uppercase()),
        _ if model == capitalized(&small) => Some(capitalized(text)),
        _ => None,
    }
}

/// The state of our own requests.
#[derive(Debug)]
struct SentRequests {
    template: Template,
    pattern: Pattern,
    nonce: Nonce,
    /// The template as a pattern, to recognize echoes. `None` if it cannot be one.
    echo: Option<Pattern>,
    /// The request's JSON values with keys, those that identify a request first.
    places: Vec<PlaceholderValue>,
    /// The first and the last number sent.
    asked: Option<(u64, u64)>,
    stamps: VecDeque<u64>,
    last: Option<Payload>,
    /// Requests neither answered nor echoed: as many echoes without keys may be ours.
    open: u64,
    /// The server puts its own clock in place of the request's time, so an equal time is chance.
    server_has_own_clock: bool,
}

impl SentRequests {
    fn new(template: Template, pattern: Pattern, nonce: Nonce) -> SentRequests {
        let echo = template.as_str().parse::<Pattern>().ok();
        let mut places = echo.as_ref().map_or_else(Vec::new, Pattern::json_places);
        places.sort_by_key(|place| !names_one_ask(place));
        SentRequests {
            template,
            pattern,
            nonce,
            echo,
            places,
            asked: None,
            stamps: VecDeque::new(),
            last: None,
            open: 0,
            server_has_own_clock: false,
        }
    }

    fn ask(&mut self, seq: u64, now_ms: u64) -> Payload {
        let first = self.asked.map_or(seq, |(first, _)| first);
        self.asked = Some((first, seq));
        if self.stamps.len() == MAX_REMEMBERED_REQUESTS {
            self.stamps.pop_front();
        }
        self.stamps.push_back(now_ms);
        self.open = self.open.saturating_add(1);
        let payload = self.template.render(&RequestKeys { seq, id: self.nonce.id(seq), now_ms });
        self.last = Some(payload.clone());
        payload
    }

    fn classify(&mut self, incoming: &InboundMessage) -> Option<MessageMeaning> {
        let meaning = match self.pattern.find(incoming) {
            Some(PatternMatch { captures, has_places: true }) => {
                MessageMeaning::Answer(self.owned(&captures).unwrap_or(Correlation::Foreign))
            }
            Some(_) => MessageMeaning::Answer(self.derived(incoming)),
            None => self.own_ask(incoming)?,
        };
        if meaning != MessageMeaning::Ordinary {
            self.open = self.open.saturating_sub(1);
        }
        Some(meaning)
    }

    /// Looks for keys where the request has them. A foreign time does not make an answer foreign: many
    /// servers put their own clock into answers.
    fn derived(&mut self, incoming: &InboundMessage) -> Correlation {
        let Some(document) = incoming.json() else { return Correlation::None };
        let mut without = Correlation::None;
        for place in &self.places {
            let Some(value) = place.find(document) else { continue };
            match place.read(value).and_then(|captures| self.owned(&captures)) {
                Some(Correlation::Stamp { .. }) if self.server_has_own_clock => {}
                Some(correlation) => return correlation,
                None if names_one_ask(place) => without = Correlation::Foreign,
                None => self.server_has_own_clock = true,
            }
        }
        without
    }

    /// The request identified by the first key that is ours: id, number, time.
    fn owned(&self, captures: &Captures) -> Option<Correlation> {
        let by_id = captures.id.as_deref().and_then(|id| match self.nonce.owner(id) {
            IdOwner::Us { seq } => Some(seq),
            IdOwner::AnotherOfUs | IdOwner::Alien => None,
        });
        let seq = by_id.filter(|seq| self.was_asked(*seq));
        let seq = seq.or(captures.seq.filter(|seq| self.was_asked(*seq)));
        let stamp = || captures.now_ms.filter(|now_ms| self.stamps.contains(now_ms));
        seq.map(|seq| Correlation::Exact { seq })
            .or_else(|| stamp().map(|now_ms| Correlation::Stamp { now_ms }))
    }

    fn was_asked(&self, seq: u64) -> bool {
        self.asked.is_some_and(|(first, last)| (first..=last).contains(&seq))
    }

    /// Recognizes our own request returned, or that of another connection of wscheck relayed by the server.
    /// The latter is ordinary, not a ping of the server.
    fn own_ask(&self, incoming: &InboundMessage) -> Option<MessageMeaning> {
        if self.open > 0 && self.is_last_ask(incoming.message()) {
            return Some(MessageMeaning::Echo);
        }
        let captures = self.echo.as_ref()?.matches(incoming)?;
        match captures.id.as_deref().map(|id| self.nonce.owner(id)) {
            Some(IdOwner::Us { .. }) => Some(MessageMeaning::Echo),
            Some(IdOwner::AnotherOfUs) => Some(MessageMeaning::Ordinary),
            Some(IdOwner::Alien) => None,
            None => self.owned(&captures).map(|_| MessageMeaning::Echo),
        }
    }

    fn carries_an_id(&self, message: MessageRef<'_>, framing: Framing) -> bool {
        if !self.template.as_str().contains("{id}") || message.size() > MAX_RELAYED_BYTES {
            return false;
        }
        let id = |unit| self.echo.as_ref()?.matches(&InboundMessage::new(unit))?.id;
        framing.units(message).filter_map(id).any(|id| self.nonce.owner(&id) != IdOwner::Alien)
    }

    fn is_last_ask(&self, message: MessageRef) -> bool {
        match (&self.last, message) {
            (Some(Payload::Text(ask)), MessageRef::Text(text)) => ask == text,
            (Some(Payload::Binary(ask)), MessageRef::Binary(bytes)) => ask == bytes,
            (Some(_), _) | (None, _) => false,
        }
    }
}

/// Whether it identifies one request: an id or number does; a time may belong to several, or be the server's.
fn names_one_ask(place: &PlaceholderValue) -> bool {
    [PlaceholderName::Id, PlaceholderName::Seq, PlaceholderName::Seq1].into_iter().any(|key| place.has(key))
}

#[cfg(test)]
mod tests {
    use super::super::protocol_profile::ServerRequest;
    use super::*;
    use proptest::prelude::*;

    const NONCE: u64 = 0xab;
    const NOW: u64 = 1_700_000_000_000;

    /// A classifier that has sent requests `0..count`, one every 10 ms.
    fn asking(template: &str, pattern: &str, count: u64) -> Classifier {
        let template = template.parse().unwrap();
        let mut classifier = Classifier::new(template, pattern.parse().unwrap(), true, NONCE);
        for seq in 0..count {
            classifier.ask(seq, NOW + 10 * seq);
        }
        classifier
    }

    fn by_default(count: u64) -> Classifier {
        asking(Template::default().as_str(), &Pattern::default().to_string(), count)
    }

    fn meaning(classifier: &mut Classifier, text: &str) -> MessageMeaning {
        classifier.classify(&InboundMessage::new(MessageRef::Text(text)))
    }

    fn correlation(classifier: &mut Classifier, text: &str) -> Correlation {
        match meaning(classifier, text) {
            MessageMeaning::Answer(correlation) => correlation,
            other => panic!("{other:?} is no answer"),
        }
    }

    fn text(payload: Option<Payload>) -> String {
        match payload {
            Some(Payload::Text(text)) => text,
            other => panic!("{other:?} is no text"),
        }
    }

    #[test]
    fn answer_with_our_id_is_matched_exactly() {
        let answer = r#"{"type":"pong","id":"00000000000000ab-3","timestamp":5}"#;
        assert_eq!(correlation(&mut by_default(5), answer), Correlation::Exact { seq: 3 });
    }

    #[test]
    fn answer_with_our_time_is_matched_by_time() {
        let mut classifier = by_default(5);
        for answer in [
            r#"{"type":"pong","timestamp":1700000000020}"#,
            r#"{"type":"pong","timestamp":"1700000000020"}"#,
            r#"{"type":"pong","id":null,"timestamp":1700000000020}"#,
            r#"{"type":"pong","id":"srv-9","timestamp":1700000000020}"#,
        ] {
            assert_eq!(correlation(&mut classifier, answer), Correlation::Stamp { now_ms: NOW + 20 });
        }
    }

    #[test]
    fn answer_without_keys_is_matched_in_order() {
        assert_eq!(correlation(&mut by_default(5), r#"{"type":"pong"}"#), Correlation::None);
    }

    #[test]
    fn unknown_id_is_foreign() {
        let mut classifier = by_default(5);
        for id in ["\"00000000000000ac-3\"", "\"x\"", "7", "{}", "\"00000000000000ab-5\""] {
            let answer = format!(r#"{{"type":"pong","id":{id}}}"#);
            assert_eq!(correlation(&mut classifier, &answer), Correlation::Foreign, "{id}");
        }
    }

    #[test]
    fn server_clock_answers_are_matched_in_order() {
        let mut classifier = by_default(5);
        let answer = |now_ms: u64| format!(r#"{{"type":"pong","timestamp":{now_ms}}}"#);
        assert_eq!(correlation(&mut classifier, &answer(NOW + 1)), Correlation::None);
        assert_eq!(correlation(&mut classifier, &answer(NOW + 20)), Correlation::None);
    }

    #[test]
    fn pattern_placeholder_wins_over_the_request() {
        let mut classifier = asking(r#"{"n":{seq},"id":"{id}"}"#, r#"{"re":{seq}}"#, 5);
        assert_eq!(correlation(&mut classifier, r#"{"re":2,"n":4}"#), Correlation::Exact { seq: 2 });
        assert_eq!(correlation(&mut classifier, r#"{"re":9,"n":4}"#), Correlation::Foreign);
    }

    #[test]
    fn literal_answer_is_matched_by_pattern_placeholders() {
        let mut classifier = asking("ping {seq}", "pong {seq}", 5);
        assert_eq!(correlation(&mut classifier, "pong 4"), Correlation::Exact { seq: 4 });
        assert_eq!(correlation(&mut classifier, "pong 5"), Correlation::Foreign);
        let mut classifier = asking("ping {seq}", "pong", 5);
        assert_eq!(correlation(&mut classifier, "pong"), Correlation::None);
    }

    #[test]
    fn nested_key_is_read_at_the_same_path() {
        let mut classifier = asking(r#"[null,"{seq}","t",{"at":{now_ms}}]"#, r#"[null,{seq},"t",{}]"#, 0);
        assert_eq!(meaning(&mut classifier, "[]"), MessageMeaning::Ordinary);
        let mut classifier = asking(r#"{"d":{"at":{now_ms}}}"#, r#"{"ok":true}"#, 2);
        let answer = r#"{"ok":true,"d":{"at":1700000000010},"at":1700000000000}"#;
        assert_eq!(correlation(&mut classifier, answer), Correlation::Stamp { now_ms: NOW + 10 });
    }

    #[test]
    fn returned_default_request_is_always_an_echo() {
        let mut classifier = by_default(3);
        let ask = text(classifier.ask(3, NOW));
        assert_eq!(meaning(&mut classifier, &ask), MessageMeaning::Echo);
        assert_eq!(meaning(&mut classifier, &ask), MessageMeaning::Echo);
        let rewritten =
            r#"{"timestamp":1700000000010, "id":"00000000000000ab-1", "type":"ping", "from":"us"}"#;
        assert_eq!(meaning(&mut classifier, rewritten), MessageMeaning::Echo);
    }

    #[test]
    fn echo_accepted_by_the_pattern_is_the_answer() {
        let mut classifier = asking(Template::default().as_str(), r#"{"type":"ping","id":"{id}"}"#, 3);
        let ask = text(classifier.ask(3, NOW));
        assert_eq!(correlation(&mut classifier, &ask), Correlation::Exact { seq: 3 });
    }

    #[test]
    fn request_of_another_connection_is_ordinary() {
        let mut other = Classifier::new(Template::default(), Pattern::default(), true, 0xcd);
        let ask = text(other.ask(0, NOW));
        assert_eq!(meaning(&mut by_default(3), &ask), MessageMeaning::Ordinary);
    }

    #[test]
    fn relayed_request_is_recognized_by_its_id() {
        let mut other = Classifier::new(Template::default(), Pattern::default(), true, 0xcd);
        let ask = text(other.ask(0, NOW));
        let rewritten = ask.replace('{', r#"{"from":"somebody","#);
        let is_sent_on = |text: &str| by_default(3).is_sent_on(MessageRef::Text(text));
        assert_eq!([is_sent_on(&ask), is_sent_on(&rewritten)], [true, true]);
        for text in [r#"{"type":"ping"}"#, r#"{"type":"ping","id":"7","timestamp":5}"#, "ping"] {
            assert!(!is_sent_on(text), "{text}");
        }
        let long = ask.replace('{', &format!(r#"{{"history":"{}","#, "x".repeat(MAX_RELAYED_BYTES)));
        assert!(!is_sent_on(&long), "no relay of a heartbeat is so long");
        assert!(!asking("ping", "pong", 1).is_sent_on(MessageRef::Text("ping")), "it has none");
    }

    #[test]
    fn every_kind_of_request_is_recognized_as_an_echo() {
        for template in ["ping", "ping {seq}", "x{now_ms}", r#"{"op":"ping"}"#, r#"{"n":{seq}}"#, "{seq}{id}"]
        {
            let mut classifier = asking(template, "pong", 2);
            let ask = text(classifier.ask(2, NOW + 20));
            assert_eq!(meaning(&mut classifier, &ask), MessageMeaning::Echo, "{template}");
        }
        let mut classifier = asking("hex:c000", "hex:d000", 1);
        assert_eq!(
            classifier.classify(&InboundMessage::new(MessageRef::Binary(&[0xc0, 0]))),
            MessageMeaning::Echo
        );
        assert_eq!(
            classifier.classify(&InboundMessage::new(MessageRef::Binary(&[0xc0]))),
            MessageMeaning::Ordinary
        );
    }

    #[test]
    fn ping_like_our_answered_request_is_the_servers() {
        let mut classifier = asking(r#"{"type":"ping"}"#, r#"{"type":"pong"}"#, 1);
        assert_eq!(correlation(&mut classifier, r#"{"type":"pong"}"#), Correlation::None);
        assert!(matches!(meaning(&mut classifier, r#"{"type":"ping"}"#), MessageMeaning::ServerPing { .. }));
    }

    #[test]
    fn server_ping_is_answered_in_the_same_form() {
        let replies = [
            (r#"{"type":"ping"}"#, r#"{"type":"pong"}"#),
            (r#"{"event":"ping"}"#, r#"{"event":"pong"}"#),
            (r#"{"id":7,"type":"ping","time":1.5}"#, r#"{"id":7,"type":"pong","time":1.5}"#),
            (r#"{"Type":"Ping"}"#, r#"{"Type":"Pong"}"#),
            (r#"{"TYPE":"PING","n":1}"#, r#"{"TYPE":"PONG","n":1}"#),
        ];
        for (ping, pong) in replies {
            let reply = Some(Payload::Text(pong.to_string()));
            assert_eq!(meaning(&mut by_default(1), ping), MessageMeaning::ServerPing { reply });
        }
    }

    #[test]
    fn ping_in_odd_letter_case_is_not_answered() {
        let meaning = meaning(&mut by_default(1), r#"{"type":"pINg"}"#);
        assert_eq!(meaning, MessageMeaning::ServerPing { reply: None });
    }

    #[test]
    fn server_ping_is_not_answered_if_disabled() {
        let mut classifier = Classifier::without_asks(false);
        assert_eq!(
            meaning(&mut classifier, r#"{"type":"ping"}"#),
            MessageMeaning::ServerPing { reply: None }
        );
        assert_eq!(classifier.ask(0, NOW), None);
    }

    #[test]
    fn message_may_contain_several_units() {
        let profile = ProtocolProfile {
            framing: Framing::Lines,
            asks: ServerRequests::Known(vec![ServerRequest {
                pattern: "PING".parse().unwrap(),
                reply: Some("text:PONG\\r\\n".parse().unwrap()),
            }]),
            ..ProtocolProfile::default()
        };
        let mut classifier = asking("PING", "PONG", 2).speaking(&profile);
        let reply = || Some(Payload::Text("PONG\r\n".to_string()));
        assert_eq!(
            classifier.read(MessageRef::Text("PONG\r\nPONG\r\nPING\r\n+OK\r\n"), NOW),
            [
                MessageMeaning::Answer(Correlation::None),
                MessageMeaning::Answer(Correlation::None),
                MessageMeaning::ServerPing { reply: reply() },
                MessageMeaning::Ordinary,
            ]
        );
        assert_eq!(classifier.read(MessageRef::Text(r#"{"type":"ping"}"#), NOW), [MessageMeaning::Ordinary]);
    }

    #[test]
    fn other_messages_are_ordinary() {
        let mut classifier = by_default(3);
        for message in ["", "ping", "{}", r#"{"type":"Pings"}"#, r#"["ping"]"#, r#"{"type":["ping"]}"#] {
            assert_eq!(meaning(&mut classifier, message), MessageMeaning::Ordinary, "{message}");
        }
    }

    #[test]
    fn nothing_is_ours_before_the_first_request() {
        let mut classifier = by_default(0);
        let answer = r#"{"type":"pong","id":"00000000000000ab-0"}"#;
        assert_eq!(correlation(&mut classifier, answer), Correlation::Foreign);
    }

    proptest! {
        #[test]
        fn every_answer_with_an_id_finds_its_request(seq in 0_u64..200) {
            let answer = format!(r#"{{"type":"pong","id":"00000000000000ab-{seq}"}}"#);
            prop_assert_eq!(correlation(&mut by_default(200), &answer), Correlation::Exact { seq });
        }

        #[test]
        fn no_message_panics(message in "\\PC*") {
            meaning(&mut by_default(2), &message);
            by_default(2).classify(&InboundMessage::new(MessageRef::Binary(message.as_bytes())));
        }
    }
}
