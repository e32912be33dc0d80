//! The table of known timers in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::TimeoutListing;
use crate::domain::idle::middleboxes::{
    Confidence, CutKind, Middlebox, ProductFamily, SettingChange, TimeoutKind, TimeoutValue, TimerReset,
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
    middleboxes: Vec<MiddleboxEntry>,
}

/// A line of `wscheck timeouts -o ndjson`; the document is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MiddleboxLine {
    #[schemars(extend("const" = "middlebox"))]
    event: &'static str,
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    middlebox: MiddleboxEntry,
}

/// A timer that can end a WebSocket, or that people often blame for it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct MiddleboxEntry {
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
            middleboxes: listing.middleboxes.iter().map(|middlebox| (*middlebox).into()).collect(),
        }
    }
}

impl MiddleboxLine {
    /// One entry as a line.
    pub fn new(middlebox: &Middlebox) -> MiddleboxLine {
        MiddleboxLine { event: "middlebox", schema_version: SCHEMA_VERSION, middlebox: middlebox.into() }
    }
}

impl From<&Middlebox> for MiddleboxEntry {
    fn from(middlebox: &Middlebox) -> MiddleboxEntry {
        let (changeable, change) = match middlebox.change {
            SettingChange::Set(example) => (Some(true), Some(example)),
            SettingChange::Fixed => (Some(false), None),
            SettingChange::Nothing => (None, None),
        };
        MiddleboxEntry {
            id: middlebox.id,
            product: middlebox.product,
            family: middlebox.family.into(),
            kind: middlebox.kind.into(),
            setting: middlebox.setting,
            default: middlebox.value.into(),
            default_ms: ms(middlebox.value.span()),
            typical: middlebox.typical.iter().map(TypicalValue::from).collect(),
            least_ms: ms(middlebox.least),
            most_ms: ms(middlebox.most),
            late_by_ms: ms(Some(middlebox.coarse + middlebox.delay).filter(|late| !late.is_zero())),
            resets: middlebox.resets.map(Name),
            resets_in_words: non_empty(middlebox.resets_note),
            pings_count: middlebox.pings_count,
            cuts: middlebox.cuts.iter().map(|cut| (*cut).into()).collect(),
            cuts_in_words: non_empty(middlebox.cut_note),
            changeable,
            change,
            folklore: middlebox.folklore,
            note: middlebox.note,
            source: middlebox.source,
            confidence: middlebox.confidence.into(),
        }
    }
}

fn non_empty(words: &'static str) -> Option<&'static str> {
    Some(words).filter(|words| !words.is_empty())
}
