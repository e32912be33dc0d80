//! NDJSON: one event a line, as it happens; the last line is the document that JSON prints.

use std::marker::PhantomData;
use std::time::SystemTime;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::envelope::DocumentBody;
pub use super::json::EventBody;
use super::json::{SCHEMA_VERSION, Timestamp, compact};
use crate::domain::ping::event::ConnId;

/// The name of an event: a constant of its line's type.
#[derive(Debug)]
pub struct EventName<B>(PhantomData<B>);

impl<B: EventBody> Serialize for EventName<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(B::EVENT)
    }
}

/// A line about one connection.
#[derive(Debug, Serialize)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(rename = "{B}Line", bound = "B: EventBody + schemars::JsonSchema")
)]
pub struct ConnectionLine<B: EventBody> {
    event: EventName<B>,
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u32,
    at: Timestamp,
    /// The name of the group in the configuration file of `watch`; left out elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    connection: ConnectionId,
    #[serde(flatten)]
    body: B,
}

/// A line about the whole run.
#[derive(Debug, Serialize)]
#[cfg_attr(
    test,
    derive(schemars::JsonSchema),
    schemars(rename = "{B}Line", bound = "B: EventBody + schemars::JsonSchema")
)]
pub struct RunLine<B: EventBody> {
    event: EventName<B>,
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u32,
    at: Timestamp,
    /// The name of the group in the configuration file of `watch`; left out elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(flatten)]
    body: B,
}

/// The report so far, because the user asked for it (SIGQUIT or SIGUSR1).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(bound = "B: DocumentBody + schemars::JsonSchema"))]
pub struct Interim<B: DocumentBody> {
    #[cfg_attr(test, schemars(with = "super::envelope::Envelope<B>"))]
    report: Value,
    #[serde(skip)]
    of: PhantomData<B>,
}

impl<B: DocumentBody> EventBody for Interim<B> {
    const EVENT: &'static str = "interim";
}

/// The connection that a line is about; both numbers count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ConnectionId {
    pub target: usize,
    pub index: usize,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident = $event:literal {
        $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)?
    })*) => {$(
        #[derive(Debug, Serialize)]
        #[cfg_attr(test, derive(::schemars::JsonSchema))]
        $(#[$doc])*
        pub struct $name { $($(#[$meta])* pub $field: $type),* }

        impl EventBody for $name {
            const EVENT: &'static str = $event;
        }
    )*};
}

pub(super) use bodies;

/// The line, with the name of the group that it is of.
pub fn in_group(line: &str, group: &str) -> String {
    line.replacen('{', &format!("{{\"group\":{},", serde_json::json!(group)), 1)
}

/// A line about the whole run.
pub fn run_line<B: EventBody>(at: SystemTime, body: B) -> String {
    compact(&RunLine {
        event: EventName(PhantomData),
        schema_version: SCHEMA_VERSION,
        at: at.into(),
        group: None,
        body,
    })
}

/// A line with the report so far.
pub fn interim_line<B: DocumentBody>(at: SystemTime, report: Value) -> String {
    run_line(at, Interim::<B> { report, of: PhantomData })
}

/// A line about one connection.
pub fn connection_line<B: EventBody>(id: ConnId, at: SystemTime, body: B) -> String {
    let connection = ConnectionId { target: id.target, index: id.index };
    compact(&ConnectionLine {
        event: EventName(PhantomData),
        schema_version: SCHEMA_VERSION,
        at: at.into(),
        group: None,
        connection,
        body,
    })
}
