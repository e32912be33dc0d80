//! What `wscheck probe-zombie` will do.

use std::time::Duration;

use crate::domain::connection::target::Target;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::presets::PresetSelection;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::run::expectation::Expectation;
use crate::domain::zombie::Behaviour;
use crate::domain::zombie::report::ZombieInfo;
use crate::net::client::observer::ObserverConfig;
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;

/// What will be done.
#[derive(Clone)]
pub struct ZombiePlan {
    pub target: Target,
    pub dial: DialPlan,
    /// Said and awaited on each connection before it begins to die.
    pub greeting: Preamble,
    /// Each client is waited for so long at most.
    pub max: Duration,
    /// How often the control, and the client of Pings only, send something.
    pub every: Duration,
    /// How long the control may go unanswered.
    pub patience: Duration,
    /// What the control says, and what answers it.
    pub say: Template,
    /// Whether it says anything by messages.
    pub talks: bool,
    pub answer: Pattern,
    /// What the server's heartbeats in messages look like.
    pub shapes: KnownPings,
    pub expectation: Option<Expectation>,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
}

impl ZombiePlan {
    /// How often to send, for a run of this length: often enough to be alive to any server that reaps within it, and
    /// no more than about four times a second. It is no round number, for those are the servers': what they do at an
    /// interval of ours might be our own doing.
    pub fn usual_every(max: Duration) -> Duration {
        (max / 22).clamp(Duration::from_millis(220), Duration::from_millis(4400))
    }

    pub(super) fn info(&self) -> ZombieInfo {
        ZombieInfo {
            url: self.target.to_string(),
            max: self.max,
            every: self.every,
            expectation: self.expectation.clone(),
            preset: self.preset.clone(),
        }
    }

    /// How a client of this kind behaves.
    pub(super) fn config(&self, way: Behaviour) -> ObserverConfig {
        let sends = matches!(way, Behaviour::Control | Behaviour::PingsOnly);
        ObserverConfig {
            shapes: self.shapes.clone(),
            answers_messages: matches!(way, Behaviour::Control | Behaviour::Quiet),
            pings: sends.then_some(self.every),
            messages: way == Behaviour::Control && self.talks,
            ask: self.say.clone(),
            answer: self.answer.clone(),
            // The control says it as its message; who dies keeps nothing up.
            convention: ProtocolProfile { upkeep: None, ..self.greeting.convention.clone() },
        }
    }

    /// The size of the largest message to be sent, in bytes.
    pub(super) fn largest(&self) -> usize {
        self.greeting.largest().max(self.say.as_str().len()).max(1024)
    }
}
