//! What `wscheck listen` will do.

use std::time::Duration;

use crate::domain::connection::target::Target;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::presets::PresetSelection;
use crate::domain::heartbeat::protocol_profile::{KeepaliveSpec, ProtocolProfile};
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::ListenInfo;
use crate::net::client::observer::ObserverConfig;
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;

/// What will be done.
#[derive(Clone)]
pub struct ListenPlan {
    pub target: Target,
    pub dial: DialPlan,
    /// Said and awaited first; what comes meanwhile is heard too.
    pub greeting: Preamble,
    pub listen_for: Duration,
    /// Or until so many heartbeats of one kind were heard.
    pub count: Option<u64>,
    /// False: nothing is answered, and nothing leaves at all.
    pub answer: bool,
    /// What the client says between heartbeats; `None`: nothing.
    pub talk: Option<Template>,
    /// What heartbeats in messages look like.
    pub shapes: KnownPings,
    /// What is said now and then, so that the server does not take the client for dead; and what answers it.
    pub alive: Option<KeepaliveSpec>,
    pub pong: Pattern,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
}

impl ListenPlan {
    pub(super) fn info(&self) -> ListenInfo {
        ListenInfo {
            url: self.target.to_string(),
            listen_for: self.listen_for,
            count: self.count,
            answer: self.answer,
            talk: self.talk.is_some(),
            preset: self.preset.clone(),
        }
    }

    pub(super) fn config(&self) -> ObserverConfig {
        ObserverConfig {
            shapes: self.shapes.clone(),
            answers_messages: self.answer,
            pings: None,
            messages: false,
            ask: self.talk.clone().unwrap_or_default(),
            answer: self.pong.clone(),
            convention: ProtocolProfile { upkeep: self.alive.clone(), ..self.greeting.convention.clone() },
        }
    }

    /// The size of the largest message to be sent, in bytes.
    pub(super) fn largest(&self) -> usize {
        let talk = self.talk.as_ref().map_or(0, |talk| talk.as_str().len());
        self.greeting.largest().max(talk).max(1024)
    }
}
