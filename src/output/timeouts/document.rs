//! The table of known timers in JSON.

use super::TimeoutListing;
use crate::domain::catalogue::{
    Confidence, CutKind, ProductFamily, SettingChange, Timeout, TimeoutKind, TimeoutValue, TimerReset,
    TypicalSetting,
};
use crate::output::json::{Ms, Name, SCHEMA_VERSION, WSCHECK_VERSION, document, ms};

document! {
    /// What `wscheck timeouts -o json` prints.
    pub struct TimeoutsDocument from listing: &TimeoutListing {
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        #[cfg_attr(test, schemars(extend("const" = "timeouts")))]
        command: &'static str = "timeouts",
        wscheck_version: &'static str = WSCHECK_VERSION,
        /// The requested product; null for the whole table.
        product: Option<String> = listing.product.clone(),
        timeouts: Vec<TimeoutEntry> =
            listing.timeouts.iter().copied().map(TimeoutEntry::from).collect::<Vec<_>>(),
    }

    /// A line of `wscheck timeouts -o ndjson`; the document is the last line.
    pub struct TimeoutLine from timeout: &Timeout {
        #[cfg_attr(test, schemars(extend("const" = "timeout")))]
        event: &'static str = "timeout",
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        timeout: TimeoutEntry = timeout,
    }

    /// A timer that can end a WebSocket, or that people often blame for it.
    pub struct TimeoutEntry from timeout: &Timeout {
        /// Unique in the table.
        id: &'static str = timeout.id,
        product: &'static str = timeout.product,
        /// Its place on the path.
        family: Name<ProductFamily> = timeout.family,
        /// What the timer measures: time without traffic, the age of the connection, or something else that is often
        /// mistaken for these.
        kind: Name<TimeoutKind> = timeout.kind,
        setting: &'static str = timeout.setting,
        /// The value without configuration.
        default: Name<TimeoutValue> = timeout.value,
        /// Null unless `default` is `after`.
        default_ms: Option<Ms> = ms(timeout.value.span()),
        /// Other common values.
        typical: Vec<TypicalValue> =
            timeout.typical.iter().map(TypicalValue::from).collect::<Vec<_>>(),
        /// The minimum that can be set; null when there is no minimum or it is unknown.
        least_ms: Option<Ms> = ms(timeout.least),
        /// The maximum that can be set; null when there is no maximum or it is unknown.
        most_ms: Option<Ms> = ms(timeout.most),
        /// How long after the timer the end may become visible; null when it is immediate.
        late_by_ms: Option<Ms> = ms(Some(timeout.coarse + timeout.delay).filter(|late| !late.is_zero())),
        /// Which traffic restarts the timer; null when there is no timer or it is unknown.
        resets: Option<Name<TimerReset>> = timeout.resets.map(Name),
        resets_in_words: Option<&'static str> = non_empty(timeout.resets_note),
        /// Whether Ping and Pong frames count as traffic; null when it does not matter or is unknown.
        pings_count: Option<bool> = timeout.pings_count,
        /// How it cuts connections, the most usual first; empty if it never does.
        cuts: Vec<CutEntry> = timeout.cuts.iter().map(|cut| (*cut).into()).collect::<Vec<CutEntry>>(),
        cuts_in_words: Option<&'static str> = non_empty(timeout.cut_note),
        /// Whether the value can be set; null when there is nothing to set.
        changeable: Option<bool> = change(timeout).0,
        /// A configuration line or a command that sets the value.
        change: Option<&'static str> = change(timeout).1,
        /// A popular claim that the facts contradict, and how.
        folklore: Option<&'static str> = timeout.folklore,
        note: Option<&'static str> = timeout.note,
        source: &'static str = timeout.source,
        /// How reliable the entry is.
        confidence: Name<Confidence> = timeout.confidence,
    }

    /// A value that is not the default but is often found.
    pub struct TypicalValue from typical: &TypicalSetting {
        value_ms: Ms = typical.value,
        whose: &'static str = typical.whose,
    }

    /// How a connection is cut.
    pub struct CutEntry from cut: CutKind {
        /// How the connection is cut.
        how: Name<CutKind> = cut,
        /// The close frame's code or the HTTP status, where `how` has one.
        code: Option<u16> = code(cut),
    }
}

fn code(cut: CutKind) -> Option<u16> {
    match cut {
        CutKind::CloseFrame(code) | CutKind::HttpError(code) => Some(code),
        CutKind::Fin
        | CutKind::HalfClose
        | CutKind::Rst
        | CutKind::ClosesTcp
        | CutKind::Closes
        | CutKind::Silent
        | CutKind::RstOnUse => None,
    }
}

/// Whether the value can be set, and how.
fn change(timeout: &Timeout) -> (Option<bool>, Option<&'static str>) {
    match timeout.change {
        SettingChange::Set(example) => (Some(true), Some(example)),
        SettingChange::Fixed => (Some(false), None),
        SettingChange::Nothing => (None, None),
    }
}

fn non_empty(words: &'static str) -> Option<&'static str> {
    Some(words).filter(|words| !words.is_empty())
}
