//! What a preset says.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::heartbeat::framing::Framing;

/// One service's or library's convention of heartbeats, as its own papers or sources have it. The texts are templates
/// and patterns, as the command line takes them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Preset {
    pub name: &'static str,
    /// Other names under which it is found.
    pub aliases: &'static [&'static str],
    /// What it is.
    pub title: &'static str,
    /// A URL of its kind, for a ready command line.
    pub url: &'static str,
    /// The path that is used if the URL has none.
    pub path: Option<&'static str>,
    /// Required query parameters.
    pub query: &'static [(&'static str, &'static str)],
    /// What is offered, in order of preference.
    pub subprotocols: &'static [&'static str],
    /// The server wants the Origin header of a page of its own.
    pub own_origin: bool,
    pub framing: Framing,
    /// What the server says first, before anything is said to it.
    pub first: Option<&'static str>,
    /// What is said then; `{host}` is the URL's host.
    pub hello: &'static [&'static str],
    /// The message that must arrive before heartbeats begin.
    pub awaited: Option<&'static str>,
    /// What only the user knows, to be said instead of the hello.
    pub needs: Option<&'static str>,
    /// `None`: no message of ours is answered by design.
    pub ask: Option<PresetRequest>,
    /// How often to ask; `None`: as often as one likes.
    pub every: Option<Duration>,
    /// How long an answer may take.
    pub timeout: Option<Duration>,
    /// What is sent without an answer, and how often.
    pub keepalive: Option<(&'static str, Duration)>,
    /// Heartbeats that the server sends by itself.
    pub server: &'static [ServerMessage],
    /// Nothing of its own: it may ask as many servers do, and is answered in kind.
    pub usual: bool,
    /// How often, where it says so by default.
    pub server_every: Option<Duration>,
    /// Where its hello says how often: the number at `{seq}`, in this unit.
    pub announces: Option<(&'static str, Duration)>,
    pub traps: &'static [ForbiddenSend],
    /// Messages by which it is known.
    pub marks: &'static [&'static str],
    pub note: &'static str,
    pub source: &'static str,
    pub verified: VerificationLevel,
}

/// An ask, and what answers it: a message that one of these patterns matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PresetRequest {
    pub ping: &'static str,
    pub pongs: &'static [&'static str],
}

/// What a server says by itself, and what it wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerMessage {
    pub looks: &'static str,
    /// `None`: nothing.
    pub reply: Option<&'static str>,
}

/// What must not be sent, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForbiddenSend {
    pub never: ForbiddenAction,
    pub why: &'static str,
}

/// What must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ForbiddenAction {
    /// This message.
    Text(&'static str),
    /// Any message of ours.
    Messages,
    PingFrames,
    /// Heartbeats in quicker succession.
    FasterThan(Duration),
}

/// How reliable the entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum VerificationLevel {
    /// Tests drive a real server of its kind by it.
    Live,
    /// Its source or paper was read, and tests hold its wire text.
    FromSource,
}

/// Who begins an app heartbeat: the client, the server or both. `frames`: there are none, only Ping frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum HeartbeatStarter {
    /// The client asks, the server answers.
    Client,
    /// The server sends messages; the client answers them or only listens.
    Server,
    /// Both sides ask.
    Both,
    /// No messages: only Ping frames are used.
    Frames,
}

impl Preset {
    /// What an entry has that says nothing else.
    pub(super) const BLANK: Preset = Preset {
        name: "",
        aliases: &[],
        title: "",
        url: "wss://example.org/ws",
        path: None,
        query: &[],
        subprotocols: &[],
        own_origin: false,
        framing: Framing::Message,
        first: None,
        hello: &[],
        awaited: None,
        needs: None,
        ask: None,
        every: None,
        timeout: None,
        keepalive: None,
        server: &[],
        usual: false,
        server_every: None,
        announces: None,
        traps: &[],
        marks: &[],
        note: "",
        source: "",
        verified: VerificationLevel::FromSource,
    };

    /// Who starts.
    pub fn starter(&self) -> HeartbeatStarter {
        let client = self.ask.is_some() || self.keepalive.is_some();
        match (client, self.server.is_empty() && !self.usual) {
            (true, true) => HeartbeatStarter::Client,
            (false, false) => HeartbeatStarter::Server,
            (true, false) => HeartbeatStarter::Both,
            (false, true) => HeartbeatStarter::Frames,
        }
    }

    /// Why there is no app RTT, where there is none by design.
    pub fn why_no_app_rtt(&self) -> Option<&'static str> {
        match (self.ask, self.starter()) {
            (Some(_), _) => None,
            (None, HeartbeatStarter::Server) if self.server.iter().any(|says| says.reply.is_some()) => {
                Some("the server asks, and nothing that a client sends is answered by design")
            }
            (None, HeartbeatStarter::Server) => {
                Some("the server's heartbeats are one-way, and a client sends none")
            }
            (None, HeartbeatStarter::Client | HeartbeatStarter::Both) => {
                Some("heartbeats are one-way: none has an answer")
            }
            (None, HeartbeatStarter::Frames) => Some("its heartbeats are Ping frames"),
        }
    }
}

/// An ask with one answer.
pub(super) const fn ask(ping: &'static str, pongs: &'static [&'static str]) -> Option<PresetRequest> {
    Some(PresetRequest { ping, pongs })
}

/// What the server says and wants answered.
pub(super) const fn asks(looks: &'static str, reply: &'static str) -> ServerMessage {
    ServerMessage { looks, reply: Some(reply) }
}

/// What the server says and wants no answer to.
pub(super) const fn calls(looks: &'static str) -> ServerMessage {
    ServerMessage { looks, reply: None }
}

/// What must not be sent.
pub(super) const fn trap(never: ForbiddenAction, why: &'static str) -> ForbiddenSend {
    ForbiddenSend { never, why }
}
