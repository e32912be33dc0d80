//! Parameters of `wscheck ping`.

use std::time::Duration;

use crate::domain::connection::backoff::Backoff;
use crate::domain::connection::target::Target;
use crate::domain::ping::ramp::Ramp;
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::verdict::PassCriteria;
use crate::domain::presets::PresetSelection;
use crate::net::client::preamble::Preamble;
use crate::net::client::session::plan::SessionPlan;
use crate::net::connect::dial::DialPlan;
use crate::net::fresh_inputs::InputSources;

/// Parameters of a run. Always valid: at least one target and one connection, an interval above zero.
#[derive(Clone)]
pub struct PingPlan {
    pub targets: Vec<Target>,
    pub connections_each: usize,
    /// How fast connections are opened; `None`: as fast as the limit on concurrent openings allows.
    pub ramp: Option<Ramp>,
    /// How many of the worst connections are listed.
    pub worst: usize,
    /// Whether the JSON document lists every connection.
    pub lists_all: bool,
    pub dial: DialPlan,
    pub preamble: Preamble,
    /// What is read anew before each opening, of these targets and of no others.
    pub inputs: InputSources,
    pub session: SessionPlan,
    /// Largest message accepted from the server, in bytes.
    pub max_message_size: usize,
    /// Ends the run after this time.
    pub deadline: Option<Duration>,
    pub reconnect: Option<Backoff>,
    /// A silence of this length after a heartbeat left is an outage.
    pub outage_after: Duration,
    pub policy: PassCriteria,
    /// The chosen preset, if any.
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
            lists_all: self.lists_all,
            kinds: self.session.kinds.clone(),
            interval: self.session.interval,
            timeout: self.session.timeout,
            outage_after: self.outage_after,
            count: self.session.count,
            deadline: self.deadline,
            preset: self.preset.clone(),
            demands: self.policy.demands(),
        }
    }
}
