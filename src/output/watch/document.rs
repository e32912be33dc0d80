//! The JSON document of a watch: that of `ping`, or one of several groups; and the changes of this host.

use serde::Serialize;

use super::ndjson_events::HostChanged;
use super::view::checks;
use crate::domain::watch::report::{HostChanges, RemovedGroups, WatchReport};
use crate::output::checks::ChecksDocument;
use crate::output::envelope::DocumentBody;
use crate::output::json::Timestamp;
use crate::output::ping::PingDocument;

/// What `wscheck watch -o json` prints beside the envelope.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct WatchDocument {
    #[serde(flatten)]
    watched: WatchedDocument,
    /// Targets that another reading of the configuration file removed. They are not among the criteria.
    removed_targets: RemovedTargetsDocument,
    host_changes: HostChangesDocument,
}

impl DocumentBody for WatchDocument {
    const COMMAND: &'static str = "watch";
}

/// What was watched.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
enum WatchedDocument {
    /// The targets of the command line.
    OfCommandLine(Box<PingDocument>),
    /// The targets of a configuration file, each with its own document.
    OfFile(ChecksDocument),
}

/// The changes of this host's network, and its resumes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "HostChanges"))]
struct HostChangesDocument {
    count: u64,
    /// The latest 100, in order.
    latest: Vec<HostChangeDocument>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "HostChange"))]
struct HostChangeDocument {
    at: Timestamp,
    #[serde(flatten)]
    changed: HostChanged,
}

/// The targets that were removed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "RemovedTargets"))]
struct RemovedTargetsDocument {
    count: u64,
    /// The latest 100, in order.
    latest: Vec<RemovedTargetDocument>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "RemovedTarget"))]
struct RemovedTargetDocument {
    /// When its connections had ended.
    at: Timestamp,
    name: String,
    /// What became of it until then.
    report: PingDocument,
}

impl WatchDocument {
    pub fn new(report: &WatchReport) -> WatchDocument {
        let watched = match report.only() {
            Some(only) => WatchedDocument::OfCommandLine(Box::new(PingDocument::from(only))),
            None => WatchedDocument::OfFile((&checks(report)).into()),
        };
        let removed_targets = (&report.removed).into();
        WatchDocument { watched, removed_targets, host_changes: (&report.changes).into() }
    }
}

impl From<&RemovedGroups> for RemovedTargetsDocument {
    fn from(removed: &RemovedGroups) -> RemovedTargetsDocument {
        let latest = removed.latest.iter().map(|(at, group)| RemovedTargetDocument {
            at: (*at).into(),
            name: group.name.clone().unwrap_or_default(),
            report: PingDocument::from(&group.report),
        });
        RemovedTargetsDocument { count: removed.count, latest: latest.collect() }
    }
}

impl From<&HostChanges> for HostChangesDocument {
    fn from(changes: &HostChanges) -> HostChangesDocument {
        let latest = changes.latest.iter();
        let latest = latest.map(|(at, event)| HostChangeDocument { at: (*at).into(), changed: event.into() });
        HostChangesDocument { count: changes.count, latest: latest.collect() }
    }
}
