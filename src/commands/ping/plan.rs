//! What `wscheck ping` will do.

use std::time::Duration;

use crate::domain::connection::backoff::Backoff;
use crate::domain::connection::target::Target;
use crate::domain::heartbeat::presets::PresetSelection;
use crate::domain::ping::ramp::Ramp;
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::verdict::PassCriteria;
use crate::net::client::preamble::Preamble;
use crate::net::client::session::plan::SessionPlan;
use crate::net::connect::dial::DialPlan;

/// What will be done. Always valid: at least one target and one connection, an interval above zero.
#[derive(Clone)]
pub struct PingPlan {
    pub targets: Vec<Target>,
    pub connections_each: usize,
    /// How fast they are opened; `None`: as fast as a few at a time can be.
    pub ramp: Option<Ramp>,
    /// How many of the worst connections are listed.
    pub worst: usize,
    pub dial: DialPlan,
    pub greeting: Preamble,
    pub session: SessionPlan,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
    /// The whole run ends after this.
    pub deadline: Option<Duration>,
    pub reconnect: Option<Backoff>,
    pub policy: PassCriteria,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetSelection>,
}

impl PingPlan {
    /// Connections to all targets together.
    pub fn connections(&self) -> usize {
        self.targets.len() * self.connections_each
    }

    pub(super) fn info(&self) -> RunInfo {
        RunInfo {
            targets: self.targets.iter().map(Target::to_string).collect(),
            connections_each: self.connections_each,
            worst: self.worst,
            kinds: self.session.kinds.clone(),
            interval: self.session.interval,
            timeout: self.session.timeout,
            count: self.session.count,
            deadline: self.deadline,
            preset: self.preset.clone(),
        }
    }
}
