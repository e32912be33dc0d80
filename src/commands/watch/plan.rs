//! Parameters of `wscheck watch`.

use super::hook::HookPlan;
use super::metrics::MetricsPlan;
use crate::commands::config_reload::ConfigReload;
use crate::commands::kept::KeptConnection;

/// Parameters of a watch; always valid: at least one group.
pub struct WatchPlan {
    /// The configuration file, if there is one.
    pub file: Option<String>,
    /// The targets with the same options. Each is opened again for ever.
    pub groups: Vec<KeptConnection>,
    /// `None`: there is no file to read again.
    pub reload: Option<ConfigReload<Vec<KeptConnection>>>,
    /// Where metrics are served.
    pub metrics: Option<MetricsPlan>,
    /// What is run at each change.
    pub on_change: Option<HookPlan>,
}

impl WatchPlan {
    /// Connections of all groups together.
    pub fn connections(&self) -> usize {
        self.groups.iter().map(|group| group.plan.connections()).sum()
    }
}
