//! The JSON document of a watch: that of `ping`, or one of several groups; and the changes of this host.

use schemars::JsonSchema;
use serde::Serialize;

use super::view::checks;
use crate::domain::watch::report::{HostChanges, WatchReport};
use crate::output::checks::ChecksDocument;
use crate::output::envelope::DocumentBody;
use crate::output::json::Timestamp;
use crate::output::ping::PingDocument;

/// What `wscheck watch -o json` prints beside the envelope.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WatchDocument {
    #[serde(flatten)]
    watched: WatchedDocument,
    host_changes: HostChangesDocument,
}

impl DocumentBody for WatchDocument {
    const COMMAND: &'static str = "watch";
}

/// What was watched.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
enum WatchedDocument {
    /// The targets of the command line.
    OfCommandLine(Box<PingDocument>),
    /// The targets of a configuration file, each with its own document.
    OfFile(ChecksDocument),
}

/// The changes of this host's network, and its resumes.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "HostChanges")]
struct HostChangesDocument {
    count: u64,
    /// The latest 100, in order.
    latest: Vec<HostChangeDocument>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "HostChange")]
struct HostChangeDocument {
    at: Timestamp,
    description: String,
}

impl WatchDocument {
    pub fn new(report: &WatchReport) -> WatchDocument {
        let watched = match report.only() {
            Some(only) => WatchedDocument::OfCommandLine(Box::new(PingDocument::new(only))),
            None => WatchedDocument::OfFile((&checks(report)).into()),
        };
        WatchDocument { watched, host_changes: (&report.changes).into() }
    }
}

impl From<&HostChanges> for HostChangesDocument {
    fn from(changes: &HostChanges) -> HostChangesDocument {
        let latest = changes.latest.iter();
        let latest =
            latest.map(|(at, event)| HostChangeDocument { at: (*at).into(), description: event.to_string() });
        HostChangesDocument { count: changes.count, latest: latest.collect() }
    }
}
