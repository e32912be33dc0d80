//! One thing that a server said unasked.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::periodic::RepeatedContent;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::template::Payload;

/// What kind of thing it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ServerEventKind {
    /// A Ping frame.
    Ping,
    /// A message that asks for an answer.
    AppPing,
    /// A Pong frame that answers nothing.
    #[strum(serialize = "unsolicited_pong")]
    Pong,
    /// A message that only keeps the path busy: a comment, or nothing at all.
    KeepAlive,
    /// Any other message: traffic, and no heartbeat.
    Message,
}

impl ServerEventKind {
    /// Whether it is a heartbeat, and no ordinary traffic.
    pub fn is_heartbeat(self) -> bool {
        self != ServerEventKind::Message
    }

    /// Whether it asks for an answer, so that who does not answer can be found out.
    pub fn asks(self) -> bool {
        matches!(self, ServerEventKind::Ping | ServerEventKind::AppPing)
    }
}

/// What tells one kind of thing that a server says from another: two that look different have clocks of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServerEventClass {
    pub sound: ServerEventKind,
    /// The name of the known shape that it has, of an app ping or a keep-alive.
    pub shape: Option<&'static str>,
}

impl From<ServerEventKind> for ServerEventClass {
    /// The one without a shape.
    fn from(sound: ServerEventKind) -> ServerEventClass {
        ServerEventClass { sound, shape: None }
    }
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerEvent {
    pub sound: ServerEventKind,
    /// The payload, safe to show; bytes that are no text are shown in hex.
    pub text: UntrustedText,
    /// The name of the known shape that it has, of an app ping or a keep-alive.
    pub shape: Option<&'static str>,
    /// What a good client says to it; Pong frames are the library's own business.
    pub reply: Option<Payload>,
    /// The message itself, where it has no known shape and may be a heartbeat all the same.
    pub content: Option<RepeatedContent>,
}

impl ServerEvent {
    /// Which kind of thing it is.
    pub fn kind(&self) -> ServerEventClass {
        ServerEventClass { sound: self.sound, shape: self.shape }
    }

    /// Something of no known shape, to which nothing is to be said.
    pub fn plain(sound: ServerEventKind, text: UntrustedText) -> ServerEvent {
        ServerEvent { sound, text, shape: None, reply: None, content: None }
    }
}
