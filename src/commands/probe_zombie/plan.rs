//! Parameters of `wscheck probe-zombie`.

use std::time::Duration;

use crate::commands::connect::ConnectPlan;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::zombie::Behaviour;
use crate::domain::zombie::report::ZombieInfo;
use crate::net::client::observer::ObserverConfig;

/// Parameters of a run.
#[derive(Clone)]
pub struct ZombiePlan {
    /// What the report says of it.
    pub info: ZombieInfo,
    /// The server, and how connections to it are opened.
    pub connect: ConnectPlan,
    /// How long the control may go unanswered.
    pub answer_timeout: Duration,
    /// The message of the control, and the pattern of its answer.
    pub say: Template,
    /// Whether the control sends messages.
    pub talks: bool,
    pub answer: Pattern,
    /// Shapes of the server's app pings.
    pub known_pings: KnownPings,
}

impl ZombiePlan {
    /// The default interval for a run of this length: short enough that any server which closes dead clients within it
    /// sees the control alive, and at most about four sends a second. It is not a round number, because servers use
    /// those: an effect at our own interval might be caused by us.
    pub fn default_interval(max: Duration) -> Duration {
        (max / 22).clamp(Duration::from_millis(220), Duration::from_millis(4400))
    }

    /// The observer configuration of a behaviour.
    pub(super) fn config(&self, behaviour: Behaviour) -> ObserverConfig {
        let sends = matches!(behaviour, Behaviour::Control | Behaviour::PingsOnly);
        ObserverConfig {
            known_pings: self.known_pings.clone(),
            answers_messages: matches!(behaviour, Behaviour::Control | Behaviour::Quiet),
            pings: sends.then_some(self.info.every),
            messages: behaviour == Behaviour::Control && self.talks,
            ask: self.say.clone(),
            answer: self.answer.clone(),
            // The control sends the keepalive as its message; silent clients send none.
            profile: ProtocolProfile { keepalive: None, ..self.connect.preamble.profile.clone() },
        }
    }

    /// Size of the largest message to send, in bytes.
    pub(super) fn largest(&self) -> usize {
        self.connect.preamble.largest().max(self.say.as_str().len()).max(1024)
    }
}
