//! Parameters of `wscheck watch`.

use super::hook::HookPlan;
use crate::commands::ping::PingPlan;

/// Parameters of a watch; always valid: at least one group.
pub struct WatchPlan {
    /// The configuration file, if there is one.
    pub file: Option<String>,
    pub groups: Vec<WatchedGroup>,
    /// What is run at each change.
    pub on_change: Option<HookPlan>,
}

/// Targets that are watched with the same options.
pub struct WatchedGroup {
    /// Its name in the configuration file; `None` for targets of the command line.
    pub name: Option<String>,
    /// It reconnects for ever.
    pub plan: PingPlan,
}

impl WatchPlan {
    /// Connections of all groups together.
    pub fn connections(&self) -> usize {
        self.groups.iter().map(|group| group.plan.connections()).sum()
    }
}
