//! An event that a server sent by itself.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::periodic::RepeatedContent;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::template::Payload;

/// The kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ServerEventKind {
    /// A Ping frame.
    Ping,
    /// A message that asks for an answer.
    AppPing,
    /// An unsolicited Pong frame.
    #[strum(serialize = "unsolicited_pong")]
    Pong,
    /// A message that only keeps the path busy: a comment, or an empty message.
    KeepAlive,
    /// Any other message: traffic, not a heartbeat.
    Message,
}

impl ServerEventKind {
    /// Whether it is a heartbeat rather than ordinary traffic.
    pub fn is_heartbeat(self) -> bool {
        self != ServerEventKind::Message
    }

    /// Whether it asks for an answer, so that the server can detect clients that do not answer.
    pub fn asks(self) -> bool {
        matches!(self, ServerEventKind::Ping | ServerEventKind::AppPing)
    }
}

/// What distinguishes the server's events; each class has its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerEventClass {
    pub event_kind: ServerEventKind,
    /// The name of the known form of an app ping or a keep-alive.
    pub shape: Option<&'static str>,
}

impl From<ServerEventKind> for ServerEventClass {
    /// The class without a known form.
    fn from(event_kind: ServerEventKind) -> ServerEventClass {
        ServerEventClass { event_kind, shape: None }
    }
}

/// The event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEvent {
    pub event_kind: ServerEventKind,
    /// The payload, safe to show; binary data in hex.
    pub text: UntrustedText,
    /// The name of the known form of an app ping or a keep-alive.
    pub shape: Option<&'static str>,
    /// What a healthy client answers; `None` for Ping frames, which the WebSocket library answers.
    pub reply: Option<Payload>,
    /// The message itself, if it has no known form but may be a heartbeat.
    pub content: Option<RepeatedContent>,
}

impl ServerEvent {
    pub fn kind(&self) -> ServerEventClass {
        ServerEventClass { event_kind: self.event_kind, shape: self.shape }
    }

    /// An event of no known form that needs no answer.
    pub fn plain(event_kind: ServerEventKind, text: UntrustedText) -> ServerEvent {
        ServerEvent { event_kind, text, shape: None, reply: None, content: None }
    }
}
