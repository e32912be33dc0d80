//! The table of known timers for people.

use comfy_table::{ColumnConstraint, ContentArrangement, LineStyle, Table, Width, presets};
use strum::IntoEnumIterator;

use super::TimeoutListing;
use crate::domain::idle::middleboxes::{Middlebox, SettingChange, TimeoutKind, span};
use crate::domain::label::Label;
use crate::output::human::HumanOptions;
use crate::output::human::{LabelledRows, Styler};

const HEADER: [&str; 5] = ["product", "setting", "default", "what resets it", "how it cuts"];
const DEFAULT_COLUMN: usize = 2;
/// The column that is hidden on a terminal narrower than [`MIN_FULL_WIDTH`].
const CUTS_COLUMN: usize = 4;
const MIN_FULL_WIDTH: usize = 90;

/// The table of all timers, or a product's timers with all their fields.
pub fn show(listing: &TimeoutListing, options: HumanOptions) -> String {
    let paint = Styler { color: options.color };
    match &listing.product {
        None => glance(&listing.middleboxes, paint, options.width),
        Some(_) => {
            let full = listing.middleboxes.iter().map(|middlebox| full(middlebox, paint, options.width));
            full.collect::<Vec<_>>().join("\n")
        }
    }
}

fn glance(middleboxes: &[&'static Middlebox], paint: Styler, width: Option<usize>) -> String {
    let mut text = String::new();
    for kind in TimeoutKind::iter() {
        let mut rows: Vec<&Middlebox> =
            middleboxes.iter().copied().filter(|middlebox| middlebox.kind == kind).collect();
        rows.sort_by_key(|middlebox| (middlebox.product.to_lowercase(), middlebox.id));
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

/// The table in its natural width, wrapped if the terminal is narrower; wrapped rows need lines between them.
fn table(rows: &[&Middlebox], width: Option<usize>) -> String {
    let mut table = Table::new();
    table.force_no_tty().set_header(HEADER).add_rows(rows.iter().map(|middlebox| cells(middlebox)));
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    let plain = presets::NOTHING.header_separator(LineStyle::none().fill('─'));
    let natural: usize = table.column_max_content_widths().iter().map(|width| usize::from(*width) + 2).sum();
    match width.filter(|width| *width < natural) {
        None => table.load_style(plain),
        Some(width) => {
            constrain(&mut table, DEFAULT_COLUMN, ColumnConstraint::UpperBoundary(Width::Fixed(14)));
            if width < MIN_FULL_WIDTH {
                constrain(&mut table, CUTS_COLUMN, ColumnConstraint::Hidden);
            }
            table
                .load_style(plain.row_separator(LineStyle::none().fill('╌')))
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        }
    };
    table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn constrain(table: &mut Table, column: usize, constraint: ColumnConstraint) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(constraint);
    }
}

fn cells(middlebox: &Middlebox) -> [String; 5] {
    let resets = middlebox.resets.map_or_else(|| "-".to_string(), |resets| resets.to_string());
    [
        middlebox.product.to_string(),
        middlebox.setting.to_string(),
        default(middlebox),
        resets,
        cuts(middlebox),
    ]
}

/// `60 s`, `unset, often 50 s or 60 s`.
fn default(middlebox: &Middlebox) -> String {
    let often: Vec<String> = middlebox.typical.iter().map(|typical| span(typical.value)).collect();
    if often.is_empty() {
        middlebox.value.to_string()
    } else {
        format!("{}, often {}", middlebox.value, often.join(" or "))
    }
}

fn cuts(middlebox: &Middlebox) -> String {
    match middlebox.cuts {
        [] => "-".to_string(),
        cuts => cuts.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "),
    }
}

fn full(middlebox: &Middlebox, paint: Styler, width: Option<usize>) -> String {
    let mut rows = LabelledRows::new(paint, width);
    rows.add("id", middlebox.id);
    rows.add("kind", &format!("{} ({})", middlebox.kind.label(), middlebox.family.label()));
    rows.add("setting", middlebox.setting);
    rows.add("default", &told_default(middlebox));
    for typical in middlebox.typical {
        rows.add("often", &format!("{}: {}", span(typical.value), typical.whose));
    }
    rows.add_some("resets", words(middlebox.resets.map(|resets| resets.to_string()), middlebox.resets_note));
    rows.add_some("ping frames", middlebox.pings_count.map(told_pings));
    let cuts = (!middlebox.cuts.is_empty()).then(|| cuts(middlebox));
    rows.add_some("cuts", words(cuts, middlebox.cut_note));
    match middlebox.change {
        SettingChange::Set(example) => rows.add("change", example),
        SettingChange::Fixed => rows.add("change", "cannot be changed"),
        SettingChange::Nothing => {}
    }
    rows.add_some("log", middlebox.log.map(str::to_string));
    rows.add_some("folklore", middlebox.folklore.map(str::to_string));
    rows.add_some("note", middlebox.note.map(str::to_string));
    rows.add("source", middlebox.source);
    rows.add("confidence", middlebox.confidence.label());
    format!("{}\n{}", paint.strong(middlebox.product), rows.into_text())
}

fn told_default(middlebox: &Middlebox) -> String {
    let least = middlebox.least.map(|least| format!(", at least {}", span(least))).unwrap_or_default();
    let most = middlebox.most.map(|most| format!(", at most {}", span(most))).unwrap_or_default();
    let late = match (middlebox.coarse.is_zero(), middlebox.delay.is_zero()) {
        (true, true) => String::new(),
        (false, _) => format!(", and up to {} late", span(middlebox.coarse)),
        (true, false) => format!(", and the end is seen {} later", span(middlebox.delay)),
    };
    format!("{}{least}{most}{late}", middlebox.value)
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
