//! What a service's heartbeats are, besides our ask and its answer.

use std::time::Duration;

use super::framing::Framing;
use super::inbound::InboundMessage;
use super::pattern::{Captures, Pattern};
use super::template::{Payload, RequestKeys, Template};

/// How the other side speaks of heartbeats.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProtocolProfile {
    /// Whose it is; `None` where the user says it all.
    pub name: Option<&'static str>,
    pub framing: Framing,
    pub asks: ServerRequests,
    /// What is sent without an answer, so that the server does not take us for dead.
    pub upkeep: Option<KeepaliveSpec>,
    /// Where the server's hello says how often it will ask.
    pub announces: Option<IntervalAnnouncement>,
}

/// How a server's hello says how often it will ask.
#[derive(Debug, Clone, PartialEq)]
pub struct IntervalAnnouncement {
    /// The number is at its `{seq}`.
    pub pattern: Pattern,
    pub unit: Duration,
}

impl IntervalAnnouncement {
    /// The interval that a message announces, if it does.
    pub fn read(&self, incoming: &InboundMessage) -> Option<Duration> {
        let number = u32::try_from(self.pattern.matches(incoming)?.seq?).ok()?;
        self.unit.checked_mul(number)
    }
}

/// A message that is sent again and again, and never answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepaliveSpec {
    pub message: Template,
    pub every: Duration,
}

/// What the server says by itself to keep the connection alive.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ServerRequests {
    /// What many servers do; see [`super::message::SERVER_PING_SHAPES`].
    #[default]
    Usual,
    /// These and no others; the first that matches holds.
    Known(Vec<ServerRequest>),
}

/// One thing that the server says.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerRequest {
    pub pattern: Pattern,
    /// What it wants to hear, with the placeholders of what it said; `None`: nothing.
    pub reply: Option<Template>,
}

impl ServerRequest {
    /// What to reply when this is what came; `now_ms` is the wall clock in milliseconds since 1970.
    pub fn hear(&self, incoming: &InboundMessage, now_ms: u64) -> Option<Option<Payload>> {
        let captures = self.pattern.matches(incoming)?;
        Some(self.reply.as_ref().map(|reply| reply.render(&keys(&captures, now_ms))))
    }
}

/// An answer carries what the ping did.
pub fn keys(captures: &Captures, now_ms: u64) -> RequestKeys {
    RequestKeys {
        seq: captures.seq.unwrap_or_default(),
        id: captures.id.clone().unwrap_or_default(),
        now_ms: captures.now_ms.unwrap_or(now_ms),
    }
}

#[cfg(test)]
mod tests {
    use super::super::inbound::MessageRef;
    use super::*;

    #[test]
    fn the_reply_carries_what_the_ping_did() {
        let ask = ServerRequest {
            pattern: r#"{"ping":{now_ms}}"#.parse().unwrap(),
            reply: Some(r#"{"pong":{now_ms}}"#.parse().unwrap()),
        };
        let hear = |text: &str| ask.hear(&InboundMessage::new(MessageRef::Text(text)), 5);
        assert_eq!(hear(r#"{"ping":149}"#), Some(Some(Payload::Text(r#"{"pong":149}"#.to_string()))));
        assert_eq!(hear(r#"{"pong":149}"#), None);
    }

    #[test]
    fn an_interval_that_is_announced_is_read_in_its_unit() {
        let announcement =
            |text: &str, unit: Duration| IntervalAnnouncement { pattern: text.parse().unwrap(), unit };
        let read = |announcement: &IntervalAnnouncement, text: &str| {
            announcement.read(&InboundMessage::new(MessageRef::Text(text)))
        };
        let engine_io = announcement(r#"0{"pingInterval":{seq}}"#, Duration::from_millis(1));
        let hello = r#"0{"sid":"x","pingInterval":25000,"pingTimeout":20000}"#;
        assert_eq!(read(&engine_io, hello), Some(Duration::from_secs(25)));
        assert_eq!(read(&engine_io, r#"0{"pingInterval":99999999999}"#), None);
        assert_eq!(read(&engine_io, "2"), None);
        let centrifugo = announcement(r#"{"connect":{"ping":{seq}}}"#, Duration::from_secs(1));
        assert_eq!(read(&centrifugo, r#"{"id":1,"connect":{"ping":25}}"#), Some(Duration::from_secs(25)));
    }

    #[test]
    fn what_wants_no_reply_gets_none() {
        let ask = ServerRequest { pattern: "h".parse().unwrap(), reply: None };
        assert_eq!(ask.hear(&InboundMessage::new(MessageRef::Text("h")), 5), Some(None));
    }
}
