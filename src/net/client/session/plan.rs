//! Parameters of a session; always valid.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::classifier::Classifier;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::ping::health::StatusLimits;

/// Parameters of a session.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    pub kinds: Vec<HeartbeatKind>,
    /// `None`: each heartbeat leaves when the one before was answered or missed.
    pub interval: Option<Duration>,
    /// The interval of extra heartbeats while the status is worse than healthy; the first follows a missed one at once.
    /// `None`: there are no extra ones.
    pub degraded_interval: Option<Duration>,
    pub timeout: Duration,
    /// Number of heartbeats of each kind; `None`: unlimited.
    pub count: Option<u64>,
    /// Shared by all connections; there may be thousands.
    pub limits: Arc<StatusLimits>,
    /// Request of app heartbeats, and the pattern of their answers.
    pub ask: Template,
    pub answer: Pattern,
    /// Whether the server's own app pings are answered.
    pub answer_pings: bool,
    /// Close codes of the peer that do not make the connection dead.
    pub expected_close: Vec<u16>,
    /// How many messages of the peer to report as they come.
    pub shown_messages: u8,
    /// How the server's heartbeat protocol works.
    pub profile: ProtocolProfile,
}

impl SessionPlan {
    /// Whether a finding may depend on server messages that are not answers.
    pub(super) fn inspects_server_traffic(&self) -> bool {
        self.profile.name.is_some() || self.kinds.contains(&HeartbeatKind::App)
    }

    /// The classifier that tells answers from other messages on one connection.
    pub(super) fn classifier(&self, nonce: u64) -> Classifier {
        let classifier = if self.kinds.contains(&HeartbeatKind::App) {
            Classifier::new(self.ask.clone(), self.answer.clone(), self.answer_pings, nonce)
        } else {
            Classifier::without_asks(self.answer_pings)
        };
        classifier.speaking(&self.profile)
    }
}
