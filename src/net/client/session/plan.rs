//! What a session is to do; always valid.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::classifier::Classifier;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::ProtocolProfile;
use crate::domain::heartbeat::template::Template;
use crate::domain::ping::health::StatusLimits;

/// What a session does.
#[derive(Debug, Clone)]
pub struct SessionPlan {
    pub kinds: Vec<HeartbeatKind>,
    /// `None`: each leaves when the one before was answered or missed.
    pub interval: Option<Duration>,
    pub timeout: Duration,
    /// Heartbeats of each kind; `None`: without end.
    pub count: Option<u64>,
    /// Shared by all connections, of which there may be thousands.
    pub limits: Arc<StatusLimits>,
    /// What app heartbeats ask, and what answers them.
    pub ask: Template,
    pub answer: Pattern,
    /// Whether the server's own app pings are answered.
    pub answer_pings: bool,
    /// How the server speaks of heartbeats.
    pub convention: ProtocolProfile,
}

impl SessionPlan {
    /// Whether a finding may rest on what the server says besides answers.
    pub(super) fn is_curious(&self) -> bool {
        self.convention.name.is_some() || self.kinds.contains(&HeartbeatKind::App)
    }

    /// What tells answers from other messages on one connection.
    pub(super) fn classifier(&self, nonce: u64) -> Classifier {
        let classifier = if self.kinds.contains(&HeartbeatKind::App) {
            Classifier::new(self.ask.clone(), self.answer.clone(), self.answer_pings, nonce)
        } else {
            Classifier::without_asks(self.answer_pings)
        };
        classifier.speaking(&self.convention)
    }
}
