//! JSON documents that several commands share. They are separate from the domain's types, so that renaming those does
//! not break scripts; fields are only added.

mod close_cause;
mod connect_error;
mod connect_info;
mod document;
mod goaway;
mod heartbeat_figures;
mod names;
mod preset;
mod values;

use serde::Serialize;

pub use close_cause::{CloseReplyDocument, JsonEndingDocument};
pub(super) use close_cause::{broken_rule, close_frame};
pub use connect_error::{ErrorDocument, FailedOpening, FailureDocument, error_document};
pub use connect_info::{
    AttemptDocument, Headers, OpeningDocument, PhasesDocument, SharedHttp2Document, TlsDocument,
};
pub use document::EventBody;
pub(super) use document::document;
pub use goaway::GoawayDocument;
pub use heartbeat_figures::{ByKind, HostLag, JsonJitterDocument, JsonRttDocument};
pub use names::Name;
pub use preset::PresetName;
pub use values::{Checked, Count, FieldError, Ms, Text, Timestamp, ms, strings};

/// The version of all documents. It rises when a change breaks readers; new fields do not.
pub const SCHEMA_VERSION: u32 = 2;

/// The program's version, which every document contains.
pub const WSCHECK_VERSION: &str = env!("CARGO_PKG_VERSION");

/// A value on several indented lines.
pub fn pretty(value: &impl Serialize) -> String {
    line(serde_json::to_string_pretty(value))
}

/// A value on one line.
pub fn compact(value: &impl Serialize) -> String {
    line(serde_json::to_string(value))
}

fn line(json: serde_json::Result<String>) -> String {
    json.expect("a shape without maps of other keys than text has a JSON form") + "\n"
}
