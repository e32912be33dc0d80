//! Messages of a server: matched by patterns, classified, and compared with what presets are known by.

use super::{SEPARATOR, assert_harmless, forget_secrets};
use crate::domain::catalogue;
use crate::domain::heartbeat::classifier::{Classifier, MessageMeaning};
use crate::domain::heartbeat::framing::Framing;
use crate::domain::heartbeat::inbound::{InboundMessage, MessageRef, shown};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{ProtocolProfile, ServerRequests};
use crate::domain::heartbeat::template::{Payload, RequestKeys, Template};
use crate::domain::presets::{self, CompiledPreset, FingerprintInput};

const NOW_MS: u64 = 1_772_366_400_123;
/// So many units a message has at most.
const MAX_UNITS: usize = 4096;

/// The bytes as a text message, if they are text, and as a binary one.
fn both_types(bytes: &[u8]) -> impl Iterator<Item = MessageRef<'_>> {
    let text = std::str::from_utf8(bytes).ok().map(MessageRef::Text);
    text.into_iter().chain([MessageRef::Binary(bytes)])
}

fn message_of(payload: &Payload) -> MessageRef<'_> {
    match payload {
        Payload::Text(text) => MessageRef::Text(text),
        Payload::Binary(bytes) => MessageRef::Binary(bytes),
    }
}

/// A text, [`SEPARATOR`], and a message. The text is read as a pattern and as a template.
pub fn patterns(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == SEPARATOR);
    let Some(Ok(text)) = parts.next().map(std::str::from_utf8) else { return };
    let message = parts.next().unwrap_or_default();
    let template = text.parse::<Template>().inspect(render);
    if let Ok(pattern) = text.parse::<Pattern>() {
        assert_eq!(pattern.to_string(), text);
        both_types(message).for_each(|message| match_message(&pattern, message));
        if let Ok(template) = template {
            match_message(&pattern, message_of(&template.render(&keys(7))));
        }
        let either = Pattern::any_of(vec![Pattern::default(), pattern]).expect("two patterns");
        both_types(message).for_each(|message| match_message(&either, message));
    }
}

fn keys(seq: u64) -> RequestKeys {
    RequestKeys { seq, id: format!("0123456789abcdef-{seq}"), now_ms: NOW_MS }
}

fn render(template: &Template) {
    assert_eq!(template.to_string(), template.as_str());
    let payloads = [7, u64::MAX].map(|seq| template.render(&keys(seq)));
    assert!(template.has_keys() || payloads[0] == payloads[1]);
}

/// A message either matches, or differs.
fn match_message(pattern: &Pattern, message: MessageRef<'_>) {
    let message = InboundMessage::new(message);
    let difference = pattern.difference(&message);
    assert_eq!(pattern.matches(&message).is_some(), difference.is_none());
    difference.iter().flat_map(|difference| &difference.points).for_each(|point| assert_harmless(point));
}

/// What the server does next, in an input of [`classifier`].
enum ServerAction<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
    /// It waits for the next request.
    Awaits,
    /// It returns the last request.
    Echoes,
}

impl ServerAction<'_> {
    /// The first byte chooses.
    fn of(bytes: &[u8]) -> Option<ServerAction<'_>> {
        let (first, rest) = bytes.split_first()?;
        match (first & 3, std::str::from_utf8(rest)) {
            (0, Ok(text)) => Some(ServerAction::Text(text)),
            (0, Err(_)) | (1, _) => Some(ServerAction::Binary(rest)),
            (2, _) => Some(ServerAction::Awaits),
            (_, _) => Some(ServerAction::Echoes),
        }
    }
}

/// The first byte chooses the preset, the second whether pings are answered (bit 0) and what the URL and the subprotocol
/// are; then actions of the server, between [`SEPARATOR`]s.
pub fn classifier(data: &[u8]) {
    let [number, mode, rest @ ..] = data else { return };
    forget_secrets();
    let mut connection = Connection::new(*number, mode & 1 != 0);
    let mut fingerprint = FingerprintInput::default();
    if let Some(preset) = catalogue::presets().nth(usize::from(mode >> 1)) {
        fingerprint.resource = preset.path.unwrap_or("/").to_string();
        fingerprint.subprotocol = preset.subprotocols.first().map(|name| name.to_string());
    }
    for action in rest.split(|byte| *byte == SEPARATOR).filter_map(ServerAction::of) {
        match action {
            ServerAction::Awaits => connection.ask(),
            ServerAction::Echoes => connection.echo(),
            ServerAction::Text(text) => connection.receive(MessageRef::Text(text), &mut fingerprint),
            ServerAction::Binary(bytes) => connection.receive(MessageRef::Binary(bytes), &mut fingerprint),
        }
    }
    fingerprint.guess().evidence.iter().for_each(|text| assert_harmless(text));
}

/// A connection on which messages are classified.
struct Connection {
    classifier: Classifier,
    patterns: Vec<Pattern>,
    profile: ProtocolProfile,
    answers_pings: bool,
    seq: u64,
    last: Option<Payload>,
    /// Nothing came since the last request.
    is_open: bool,
}

impl Connection {
    /// Speaks the preset of this number, or the default where there is none.
    fn new(number: u8, answers_pings: bool) -> Connection {
        let compiled = catalogue::presets()
            .nth(number.into())
            .map(|preset| preset.compile("a.example").expect("a preset"));
        let CompiledPreset { first, awaited, ask, profile, .. } =
            compiled.unwrap_or_else(|| CompiledPreset {
                first: None,
                hello: Vec::new(),
                awaited: None,
                ask: Some((Template::default(), Pattern::default())),
                profile: ProtocolProfile::default(),
            });
        let patterns =
            ask.iter().map(|(_, pong)| pong.clone()).chain(first).chain(awaited).collect::<Vec<_>>();
        let classifier = match ask {
            Some((template, pattern)) => {
                Classifier::new(template, pattern, answers_pings, 0x0123_4567_89ab_cdef)
            }
            None => Classifier::without_asks(answers_pings),
        };
        let classifier = classifier.speaking(&profile);
        Connection { classifier, patterns, profile, answers_pings, seq: 0, last: None, is_open: false }
    }

    fn ask(&mut self) {
        self.last = self.classifier.ask(self.seq, NOW_MS + self.seq);
        (self.seq, self.is_open) = (self.seq + 1, true);
    }

    /// Our own request is not the server's ping, at least when it returns at once and whole. A line such as the `PING` of NATS
    /// may be either, and so may a later message without keys.
    fn echo(&mut self) {
        let Some(last) = &self.last else { return };
        self.classifier.is_sent_on(message_of(last));
        let meanings = self.classifier.read(message_of(last), NOW_MS);
        let is_ping = |meaning: &MessageMeaning| matches!(meaning, MessageMeaning::ServerPing { .. });
        let is_known = std::mem::take(&mut self.is_open) && self.profile.framing == Framing::Message;
        assert!(!is_known || !meanings.iter().any(is_ping));
    }

    fn receive(&mut self, message: MessageRef<'_>, fingerprint: &mut FingerprintInput) {
        self.is_open = false;
        let meanings = self.classifier.read(message, NOW_MS + self.seq);
        assert!(meanings.len() <= MAX_UNITS);
        let is_answered =
            |meaning: &MessageMeaning| matches!(meaning, MessageMeaning::ServerPing { reply: Some(_) });
        assert!(self.answers_pings || !meanings.iter().any(is_answered));
        self.classifier.is_sent_on(message);
        let points = self.classifier.difference(message).into_iter().flat_map(|found| found.points);
        points.for_each(|point| assert_harmless(&point));
        let inbound = InboundMessage::new(message);
        for pattern in &self.patterns {
            pattern.matches(&inbound);
        }
        self.profile.announces.as_ref().and_then(|announces| announces.read(&inbound));
        if let ServerRequests::Known(requests) = &self.profile.asks {
            requests.iter().for_each(|request| drop(request.hear(&inbound, NOW_MS)));
        }
        let shown = shown(message).to_string();
        assert_harmless(&shown);
        fingerprint.messages.push((presets::resembles(message), shown));
    }
}
