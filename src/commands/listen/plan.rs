//! Parameters of `wscheck listen`.

use std::time::Duration;

use crate::domain::connection::target::Target;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{KeepaliveSpec, ProtocolProfile};
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::ListenInfo;
use crate::domain::presets::PresetSelection;
use crate::net::client::observer::ObserverConfig;
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;

/// Parameters of a run.
#[derive(Clone)]
pub struct ListenPlan {
    pub target: Target,
    pub dial: DialPlan,
    /// Sent and awaited first; server events during it count, too.
    pub preamble: Preamble,
    pub listen_for: Duration,
    /// Stop after this many heartbeats of one kind.
    pub count: Option<u64>,
    /// Whether anything is answered; if false, nothing is sent at all.
    pub answer: bool,
    /// The message to send between heartbeats; `None`: none.
    pub stimulus: Option<Template>,
    /// Shapes of app pings.
    pub known_pings: KnownPings,
    /// Keepalive message for the server, and the pattern of its answer.
    pub alive: Option<KeepaliveSpec>,
    pub pong: Pattern,
    /// The chosen preset, if any.
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
            talk: self.stimulus.is_some(),
            preset: self.preset.clone(),
        }
    }

    pub(super) fn config(&self) -> ObserverConfig {
        ObserverConfig {
            known_pings: self.known_pings.clone(),
            answers_messages: self.answer,
            pings: None,
            messages: false,
            ask: self.stimulus.clone().unwrap_or_default(),
            answer: self.pong.clone(),
            profile: ProtocolProfile { keepalive: self.alive.clone(), ..self.preamble.profile.clone() },
        }
    }

    /// Size of the largest message to send, in bytes.
    pub(super) fn largest(&self) -> usize {
        let stimulus = self.stimulus.as_ref().map_or(0, |stimulus| stimulus.as_str().len());
        self.preamble.largest().max(stimulus).max(1024)
    }
}
