//! Parameters of `wscheck probe-zombie`.

use std::time::Duration;

use crate::domain::connection::target::Target;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::presets::PresetSelection;
use crate::domain::run::expectation::Expectation;
use crate::domain::zombie::Behaviour;
use crate::domain::zombie::report::ZombieInfo;
use crate::net::client::observer::ObserverConfig;
use crate::net::client::preamble::Preamble;
use crate::net::connect::dial::DialPlan;

/// Parameters of a run.
#[derive(Clone)]
pub struct ZombiePlan {
    pub target: Target,
    pub dial: DialPlan,
    /// Sent and awaited on each connection before its client falls silent.
    pub preamble: Preamble,
    /// Maximum time to wait for each client.
    pub max: Duration,
    /// Interval at which the control and the pings-only client send.
    pub every: Duration,
    /// How long the control may go unanswered.
    pub answer_timeout: Duration,
    /// The message of the control, and the pattern of its answer.
    pub say: Template,
    /// Whether the control sends messages.
    pub talks: bool,
    pub answer: Pattern,
    /// Shapes of the server's app pings.
    pub known_pings: KnownPings,
    pub expectation: Option<Expectation>,
    /// The chosen preset, if any.
    pub preset: Option<PresetSelection>,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
}

impl ZombiePlan {
    /// The default interval for a run of this length: short enough that any server which closes dead clients within it
    /// sees the control alive, and at most about four sends a second. It is not a round number, because servers use
    /// those: an effect at our own interval might be caused by us.
    pub fn default_interval(max: Duration) -> Duration {
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

    /// The observer configuration of a behaviour.
    pub(super) fn config(&self, behaviour: Behaviour) -> ObserverConfig {
        let sends = matches!(behaviour, Behaviour::Control | Behaviour::PingsOnly);
        ObserverConfig {
            known_pings: self.known_pings.clone(),
            answers_messages: matches!(behaviour, Behaviour::Control | Behaviour::Quiet),
            pings: sends.then_some(self.every),
            messages: behaviour == Behaviour::Control && self.talks,
            ask: self.say.clone(),
            answer: self.answer.clone(),
            // The control sends the keepalive as its message; silent clients send none.
            profile: ProtocolProfile { keepalive: None, ..self.preamble.profile.clone() },
        }
    }

    /// Size of the largest message to send, in bytes.
    pub(super) fn largest(&self) -> usize {
        self.preamble.largest().max(self.say.as_str().len()).max(1024)
    }
}
