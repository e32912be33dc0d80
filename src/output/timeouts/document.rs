//! The table of known timers in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::TimeoutListing;
use crate::domain::catalogue::{
    Confidence, CutKind, ProductFamily, SettingChange, Timeout, TimeoutKind, TimeoutValue, TimerReset,
    TypicalSetting,
};
use crate::output::json::{Ms, Name, SCHEMA_VERSION, WSCHECK_VERSION, ms};

/// What `wscheck timeouts -o json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimeoutsDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[schemars(extend("const" = "timeouts"))]
    command: &'static str,
    wscheck_version: &'static str,
    /// The requested product; null for the whole table.
    product: Option<String>,
    timeouts: Vec<TimeoutEntry>,
}

/// A line of `wscheck timeouts -o ndjson`; the document is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimeoutLine {
    #[schemars(extend("const" = "timeout"))]
    event: &'static str,
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    timeout: TimeoutEntry,
}

/// A timer that can end a WebSocket, or that people often blame for it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TimeoutEntry {
    /// Unique in the table.
    id: &'static str,
    product: &'static str,
    /// Its place on the path.
    family: Name<ProductFamily>,
    /// What the timer measures: time without traffic, the age of the connection, or something else that is often
    /// mistaken for these.
    kind: Name<TimeoutKind>,
    setting: &'static str,
    /// The value without configuration.
    default: Name<TimeoutValue>,
    /// Null unless `default` is `after`.
    default_ms: Option<Ms>,
    /// Other common values.
    typical: Vec<TypicalValue>,
    /// The minimum that can be set; null when there is no minimum or it is unknown.
    least_ms: Option<Ms>,
    /// The maximum that can be set; null when there is no maximum or it is unknown.
    most_ms: Option<Ms>,
    /// How long after the timer the end may become visible; null when it is immediate.
    late_by_ms: Option<Ms>,
    /// Which traffic restarts the timer; null when there is no timer or it is unknown.
    resets: Option<Name<TimerReset>>,
    resets_in_words: Option<&'static str>,
    /// Whether Ping and Pong frames count as traffic; null when it does not matter or is unknown.
    pings_count: Option<bool>,
    /// How it cuts connections, the most usual first; empty if it never does.
    cuts: Vec<CutEntry>,
    cuts_in_words: Option<&'static str>,
    /// Whether the value can be set; null when there is nothing to set.
    changeable: Option<bool>,
    /// A configuration line or a command that sets the value.
    change: Option<&'static str>,
    /// A popular claim that the facts contradict, and how.
    folklore: Option<&'static str>,
    note: Option<&'static str>,
    source: &'static str,
    /// How reliable the entry is.
    confidence: Name<Confidence>,
}

/// A value that is not the default but is often found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct TypicalValue {
    value_ms: Ms,
    whose: &'static str,
}

/// How a connection is cut.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct CutEntry {
    /// How the connection is cut.
    how: Name<CutKind>,
    /// The close frame's code or the HTTP status, where `how` has one.
    code: Option<u16>,
}

impl From<CutKind> for CutEntry {
    fn from(cut: CutKind) -> CutEntry {
        let code = match cut {
            CutKind::CloseFrame(code) | CutKind::HttpError(code) => Some(code),
            CutKind::Fin
            | CutKind::HalfClose
            | CutKind::Rst
            | CutKind::ClosesTcp
            | CutKind::Closes
            | CutKind::Silent
            | CutKind::RstOnUse => None,
        };
        CutEntry { how: cut.into(), code }
    }
}

impl From<&TypicalSetting> for TypicalValue {
    fn from(typical: &TypicalSetting) -> TypicalValue {
        TypicalValue { value_ms: typical.value.into(), whose: typical.whose }
    }
}

impl TimeoutsDocument {
    /// The listing as a document.
    pub fn new(listing: &TimeoutListing) -> TimeoutsDocument {
        TimeoutsDocument {
            schema_version: SCHEMA_VERSION,
            command: "timeouts",
            wscheck_version: WSCHECK_VERSION,
            product: listing.product.clone(),
            timeouts: listing.timeouts.iter().map(|timeout| (*timeout).into()).collect(),
        }
    }
}

impl TimeoutLine {
    /// One entry as a line.
    pub fn new(timeout: &Timeout) -> TimeoutLine {
        TimeoutLine { event: "timeout", schema_version: SCHEMA_VERSION, timeout: timeout.into() }
    }
}

impl From<&Timeout> for TimeoutEntry {
    fn from(timeout: &Timeout) -> TimeoutEntry {
        let (changeable, change) = match timeout.change {
            SettingChange::Set(example) => (Some(true), Some(example)),
            SettingChange::Fixed => (Some(false), None),
            SettingChange::Nothing => (None, None),
        };
        TimeoutEntry {
            id: timeout.id,
            product: timeout.product,
            family: timeout.family.into(),
            kind: timeout.kind.into(),
            setting: timeout.setting,
            default: timeout.value.into(),
            default_ms: ms(timeout.value.span()),
            typical: timeout.typical.iter().map(TypicalValue::from).collect(),
            least_ms: ms(timeout.least),
            most_ms: ms(timeout.most),
            late_by_ms: ms(Some(timeout.coarse + timeout.delay).filter(|late| !late.is_zero())),
            resets: timeout.resets.map(Name),
            resets_in_words: non_empty(timeout.resets_note),
            pings_count: timeout.pings_count,
            cuts: timeout.cuts.iter().map(|cut| (*cut).into()).collect(),
            cuts_in_words: non_empty(timeout.cut_note),
            changeable,
            change,
            folklore: timeout.folklore,
            note: timeout.note,
            source: timeout.source,
            confidence: timeout.confidence.into(),
        }
    }
}

fn non_empty(words: &'static str) -> Option<&'static str> {
    Some(words).filter(|words| !words.is_empty())
}
