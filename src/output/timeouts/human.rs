//! The table of known timers for people.

use strum::IntoEnumIterator;

use super::TimeoutListing;
use crate::domain::catalogue::{SettingChange, Timeout, TimeoutKind, span};
use crate::domain::label::Label;
use crate::output::human::HumanOptions;
use crate::output::human::{LabelledRows, Styler};
use crate::output::listing::ListingTable;

const HEADER: [&str; 5] = ["product", "setting", "default", "what resets it", "how it cuts"];
const DEFAULT_COLUMN: usize = 2;
/// The column that is hidden on a terminal narrower than [`MIN_FULL_WIDTH`].
const CUTS_COLUMN: usize = 4;
const MIN_FULL_WIDTH: usize = 90;

/// The table of all timers, or a product's timers with all their fields.
pub fn show(listing: &TimeoutListing, options: HumanOptions) -> String {
    let paint = Styler { color: options.color };
    match &listing.product {
        None => glance(&listing.timeouts, paint, options.width),
        Some(_) => {
            let full = listing.timeouts.iter().map(|timeout| full(timeout, paint, options.width));
            full.collect::<Vec<_>>().join("\n")
        }
    }
}

fn glance(timeouts: &[&'static Timeout], paint: Styler, width: Option<usize>) -> String {
    let mut text = String::new();
    for kind in TimeoutKind::iter() {
        let mut rows: Vec<&Timeout> =
            timeouts.iter().copied().filter(|timeout| timeout.kind == kind).collect();
        rows.sort_by_key(|timeout| (timeout.product.to_lowercase(), timeout.id));
        text.push_str(&format!("{}\n{}\n", paint.strong(heading(kind)), table(&rows, width)));
    }
    text + "The sources, and what to change: wscheck timeouts PRODUCT\n"
}

fn heading(kind: TimeoutKind) -> &'static str {
    match kind {
        TimeoutKind::Idle => "Idle timeouts: heartbeats help",
        TimeoutKind::Lifetime => "Lifetimes: no heartbeat helps",
        TimeoutKind::Other => "Other timers, often taken for one of these",
    }
}

fn table(rows: &[&Timeout], width: Option<usize>) -> String {
    let rows = rows.iter().map(|timeout| cells(timeout)).collect();
    let table = ListingTable {
        header: HEADER,
        rows,
        hidden_below: (CUTS_COLUMN, MIN_FULL_WIDTH),
        kept_at: None,
        cut_at: Some((DEFAULT_COLUMN, 14)),
        has_row_lines: true,
    };
    table.into_text(width)
}

fn cells(timeout: &Timeout) -> [String; 5] {
    let resets = timeout.resets.map_or_else(|| "-".to_string(), |resets| resets.to_string());
    [timeout.product.to_string(), timeout.setting.to_string(), default(timeout), resets, cuts(timeout)]
}

/// `60 s`, `unset, often 50 s or 60 s`.
fn default(timeout: &Timeout) -> String {
    let often: Vec<String> = timeout.typical.iter().map(|typical| span(typical.value)).collect();
    if often.is_empty() {
        timeout.value.to_string()
    } else {
        format!("{}, often {}", timeout.value, often.join(" or "))
    }
}

fn cuts(timeout: &Timeout) -> String {
    match timeout.cuts {
        [] => "-".to_string(),
        cuts => cuts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
    }
}

/// A timer with all its fields.
pub fn full(timeout: &Timeout, paint: Styler, width: Option<usize>) -> String {
    let mut rows = LabelledRows::new(paint, width);
    rows.add("id", timeout.id);
    rows.add("kind", &format!("{} ({})", timeout.kind.label(), timeout.family.label()));
    rows.add("setting", timeout.setting);
    rows.add("default", &told_default(timeout));
    for typical in timeout.typical {
        rows.add("often", &format!("{}: {}", span(typical.value), typical.whose));
    }
    rows.add_some("resets", words(timeout.resets.map(|resets| resets.to_string()), timeout.resets_note));
    rows.add_some("ping frames", timeout.pings_count.map(told_pings));
    let cuts = (!timeout.cuts.is_empty()).then(|| cuts(timeout));
    rows.add_some("cuts", words(cuts, timeout.cut_note));
    match timeout.change {
        SettingChange::Set(example) => rows.add("change", example),
        SettingChange::Fixed => rows.add("change", "cannot be changed"),
        SettingChange::Nothing => {}
    }
    rows.add_some("log", timeout.log.map(str::to_string));
    rows.add_some("folklore", timeout.folklore.map(str::to_string));
    rows.add_some("note", timeout.note.map(str::to_string));
    rows.add("source", timeout.source);
    rows.add("confidence", timeout.confidence.label());
    format!("{}\n{}", paint.strong(timeout.product), rows.into_text())
}

fn told_default(timeout: &Timeout) -> String {
    let least = timeout.least.map(|least| format!(", at least {}", span(least))).unwrap_or_default();
    let most = timeout.most.map(|most| format!(", at most {}", span(most))).unwrap_or_default();
    let late = match (timeout.coarse.is_zero(), timeout.delay.is_zero()) {
        (true, true) => String::new(),
        (false, _) => format!(", and up to {} late", span(timeout.coarse)),
        (true, false) => format!(", and the end is seen {} later", span(timeout.delay)),
    };
    format!("{}{least}{most}{late}", timeout.value)
}

fn told_pings(count: bool) -> String {
    if count { "count as traffic".to_string() } else { "do not help".to_string() }
}

/// A short name and the words for it: either may be missing.
fn words(name: Option<String>, words: &str) -> Option<String> {
    match (name, words) {
        (None, "") => None,
        (None, words) => Some(words.to_string()),
        (Some(name), "") => Some(name),
        (Some(name), words) => Some(format!("{name}: {words}")),
    }
}
