//! Parameters of `wscheck listen`.

use crate::commands::connect::ConnectPlan;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{KeepaliveSpec, ProtocolProfile};
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::ListenInfo;
use crate::net::client::observer::ObserverConfig;

/// Parameters of a run.
#[derive(Clone)]
pub struct ListenPlan {
    /// What the report says of it. Without `answer` nothing is sent at all.
    pub info: ListenInfo,
    /// Events of the server during the preamble count, too.
    pub connect: ConnectPlan,
    /// The message to send between heartbeats; `None`: none.
    pub stimulus: Option<Template>,
    /// Shapes of app pings.
    pub known_pings: KnownPings,
    /// Keepalive message for the server, and the pattern of its answer.
    pub alive: Option<KeepaliveSpec>,
    pub pong: Pattern,
}

impl ListenPlan {
    pub(super) fn config(&self) -> ObserverConfig {
        ObserverConfig {
            known_pings: self.known_pings.clone(),
            answers_messages: self.info.answer,
            pings: None,
            messages: false,
            ask: self.stimulus.clone().unwrap_or_default(),
            answer: self.pong.clone(),
            profile: ProtocolProfile {
                keepalive: self.alive.clone(),
                ..self.connect.preamble.profile.clone()
            },
        }
    }

    /// Size of the largest message to send, in bytes.
    pub(super) fn largest(&self) -> usize {
        let stimulus = self.stimulus.as_ref().map_or(0, |stimulus| stimulus.as_str().len());
        self.connect.preamble.largest().max(stimulus).max(1024)
    }
}
