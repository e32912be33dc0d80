//! The events of a watch.

use std::time::SystemTime;

use crate::domain::ping::event::Event;
use crate::domain::watch::hook_result::HookResult;
use crate::domain::watch::host_event::HostEvent;
use crate::domain::watch::report::WatchReport;

/// An event of a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum WatchEvent {
    /// Of the connections of one group, by its index. Its reports are in those of the watch.
    OfGroup { group: usize, event: Event },
    /// This host changed.
    Host { at: SystemTime, event: HostEvent },
    /// Changes of the network cannot be seen, for this reason.
    NetworkNotWatched { why: String },
    /// A command of `--on-change` ended.
    Hook { at: SystemTime, result: HookResult },
    /// The figures so far, on request (SIGQUIT).
    Interim(Box<WatchReport>),
    /// The end; always the last event.
    Finished(Box<WatchReport>),
}
