//! What a run is to measure.

use std::time::Duration;

use super::heartbeat::Kind;
use super::heartbeat::presets::PresetUse;

/// What is to be measured, told before anything is.
#[derive(Debug, Clone, PartialEq)]
pub struct RunInfo {
    /// The targets' URLs, redacted, in the order given.
    pub targets: Vec<String>,
    /// Connections to each target.
    pub connections_each: usize,
    pub kinds: Vec<Kind>,
    pub interval: Duration,
    pub timeout: Duration,
    /// Heartbeats of each kind on each connection; `None`: until stopped.
    pub count: Option<u64>,
    /// Whose heartbeats they are, where a preset was asked for.
    pub preset: Option<PresetUse>,
}
