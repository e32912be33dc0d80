//! A service's heartbeat protocol, besides our request and its reply.

use std::time::Duration;

use super::framing::Framing;
use super::inbound::InboundMessage;
use super::pattern::{Captures, Pattern};
use super::template::{Payload, RequestKeys, Template};

/// The heartbeat protocol of a peer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProtocolProfile {
    /// The preset's name; `None` if the user specified everything.
    pub name: Option<&'static str>,
    pub framing: Framing,
    pub asks: ServerRequests,
    /// What is sent without a reply, so that the server keeps the connection.
    pub keepalive: Option<KeepaliveSpec>,
    /// How the server's hello announces its ping interval.
    pub announces: Option<IntervalAnnouncement>,
}

/// How a server's hello announces its ping interval.
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

/// A message sent repeatedly and never answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepaliveSpec {
    pub message: Template,
    pub every: Duration,
}

/// The pings that the server sends by itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ServerRequests {
    /// The common ones; see [`super::classifier::SERVER_PING_SHAPES`].
    #[default]
    Usual,
    /// Only these; the first that matches applies.
    Known(Vec<ServerRequest>),
}

/// A ping of the server.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerRequest {
    pub pattern: Pattern,
    /// The expected answer, with the placeholders of the ping; `None`: none.
    pub reply: Option<Template>,
}

impl ServerRequest {
    /// The answer to this ping, if the message is one; `now_ms`: wall clock in milliseconds since 1970.
    pub fn hear(&self, incoming: &InboundMessage, now_ms: u64) -> Option<Option<Payload>> {
        let captures = self.pattern.matches(incoming)?;
        Some(self.reply.as_ref().map(|reply| reply.render(&keys(&captures, now_ms))))
    }
}

/// The keys of a ping's answer: those of the ping.
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
    fn reply_carries_the_keys_of_the_ping() {
        let ask = ServerRequest {
            pattern: r#"{"ping":{now_ms}}"#.parse().unwrap(),
            reply: Some(r#"{"pong":{now_ms}}"#.parse().unwrap()),
        };
        let hear = |text: &str| ask.hear(&InboundMessage::new(MessageRef::Text(text)), 5);
        assert_eq!(hear(r#"{"ping":149}"#), Some(Some(Payload::Text(r#"{"pong":149}"#.to_string()))));
        assert_eq!(hear(r#"{"pong":149}"#), None);
    }

    #[test]
    fn announced_interval_is_read_in_its_unit() {
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
    fn ping_without_expected_reply_gets_none() {
        let ask = ServerRequest { pattern: "h".parse().unwrap(), reply: None };
        assert_eq!(ask.hear(&InboundMessage::new(MessageRef::Text("h")), 5), Some(None));
    }
}
