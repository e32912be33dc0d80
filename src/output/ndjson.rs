//! NDJSON: one event a line, as it happens; the last line is the document that JSON prints.

use std::marker::PhantomData;
use std::time::SystemTime;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::envelope::{DocumentBody, Envelope};
use super::json::{SCHEMA_VERSION, Timestamp, compact};
use crate::domain::ping::event::ConnId;

/// What a line tells, beside when and of which connection.
pub trait EventBody: Serialize + JsonSchema {
    /// The event's name.
    const EVENT: &'static str;
}

/// The name of an event: a constant of its line's type.
#[derive(Debug)]
pub struct EventName<B>(PhantomData<B>);

impl<B: EventBody> Serialize for EventName<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(B::EVENT)
    }
}

impl<B: EventBody> JsonSchema for EventName<B> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        B::EVENT.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "const": B::EVENT })
    }
}

/// A line about one connection.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "{B}Line", bound = "B: EventBody")]
pub struct ConnectionLine<B: EventBody> {
    event: EventName<B>,
    #[schemars(extend("const" = SCHEMA_VERSION))]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "{B}Line", bound = "B: EventBody")]
pub struct RunLine<B: EventBody> {
    event: EventName<B>,
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    at: Timestamp,
    /// The name of the group in the configuration file of `watch`; left out elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    #[serde(flatten)]
    body: B,
}

/// The report so far, because the user asked for it (SIGQUIT or SIGUSR1).
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(bound = "B: DocumentBody")]
pub struct Interim<B: DocumentBody> {
    report: Envelope<B>,
}

impl<B: DocumentBody> EventBody for Interim<B> {
    const EVENT: &'static str = "interim";
}

/// The connection that a line is about; both numbers count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ConnectionId {
    target: usize,
    index: usize,
}

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident = $event:literal {
        $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)?
    })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Serialize, JsonSchema)]
        pub struct $name { $($(#[$meta])* $field: $type),* }

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
pub fn interim_line<B: DocumentBody>(at: SystemTime, report: Envelope<B>) -> String {
    run_line(at, Interim { report })
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
