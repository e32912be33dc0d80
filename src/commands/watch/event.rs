//! The events of a watch.

use std::sync::Arc;
use std::time::SystemTime;

use crate::domain::ping::event::Event;
use crate::domain::watch::group::{ConfigChange, Group};
use crate::domain::watch::hook_result::HookResult;
use crate::domain::watch::host_event::HostEvent;
use crate::domain::watch::report::WatchReport;

/// An event of a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchEvent {
    /// Of the connections of one group. Its reports are in those of the watch.
    OfGroup { group: Arc<Group>, event: Event },
    /// The configuration was read again.
    Reloaded(ConfigChange),
    /// The configuration has a mistake, and the one before stays.
    NotReloaded { at: SystemTime, why: String },
    /// All connections of a group that the configuration has no more have ended; always its last event.
    Removed { group: Arc<Group>, at: SystemTime },
    /// This host changed.
    Host { at: SystemTime, event: HostEvent },
    /// Changes of the network cannot be seen, for this reason.
    NetworkNotWatched { why: String },
    /// A command of `--on-change` ended.
    Hook { at: SystemTime, result: HookResult },
    /// The command of `--on-change` was not run for the last changes: the run ended first.
    HookSkipped { at: SystemTime, count: u64 },
    /// The figures so far, on request (SIGQUIT).
    Interim(Box<WatchReport>),
    /// The end; always the last event.
    Finished(Box<WatchReport>),
}
