//! The catalogue of products for people.

use super::ProductListing;
use crate::domain::catalogue::{
    HeaderMark, KnownPing, Product, ProductMarks, ReapingDefault, ReapingTiming, TimeoutKind, TimeoutValue,
    span,
};
use crate::output::human::HumanOptions;
use crate::output::human::{LabelledRows, Styler};
use crate::output::listing::ListingTable;
use crate::output::{presets, timeouts};

const HEADER: [&str; 4] = ["id", "product", "timeouts", "presets"];
const PRESETS_COLUMN: usize = 3;
const MIN_FULL_WIDTH: usize = 80;

/// The table of all products, or products with all that is known of them.
pub fn show(listing: &ProductListing, options: HumanOptions) -> String {
    let paint = Styler { color: options.color };
    match &listing.name {
        None => format!("{}\n{}", paint.strong(HEADING), glance(&listing.products, options.width)),
        Some(_) => {
            let full = listing.products.iter().map(|product| full(product, paint, options.width));
            full.collect::<Vec<_>>().join("\n")
        }
    }
}

/// There are timers, but none is on by itself.
const NO_DEFAULT: &str = "none by default";
const HEADING: &str = "Known products and services";

fn glance(products: &[&'static Product], width: Option<usize>) -> String {
    let table = ListingTable {
        header: HEADER,
        rows: products.iter().map(|product| cells(product)).collect(),
        hidden_below: (PRESETS_COLUMN, MIN_FULL_WIDTH),
        kept_at: Some((0, 20)),
        cut_at: None,
        has_row_lines: false,
    };
    table.into_text(width) + "All that is known, with sources: wscheck products NAME\n"
}

fn cells(product: &Product) -> [String; 4] {
    let presets = product.speaks.iter().map(|preset| preset.name);
    [
        product.id.to_string(),
        product.name.to_string(),
        timeouts_in_short(product),
        joined(presets).unwrap_or_else(|| "-".to_string()),
    ]
}

/// The default of each idle timeout and lifetime, and when a client that does not answer is closed: `60 s idle, 24h lifetime`.
fn timeouts_in_short(product: &Product) -> String {
    let timers = product.timeouts.iter().filter_map(|timeout| {
        let is_told = timeout.value.span().is_some() || timeout.value == TimeoutValue::Unpublished;
        match timeout.kind {
            TimeoutKind::Idle if is_told => Some(format!("{} idle", timeout.value)),
            TimeoutKind::Lifetime if is_told => Some(format!("{} lifetime", timeout.value)),
            TimeoutKind::Idle | TimeoutKind::Lifetime => Some(NO_DEFAULT.to_string()),
            TimeoutKind::Other => None,
        }
    });
    let reaping = product.reaping.iter().filter_map(|reaping| match reaping.timing {
        ReapingTiming::Beats { total: Some(total), .. } => Some(format!("{} unanswered", span(total))),
        // Told as an idle timeout by the same product, or by the manual's example.
        ReapingTiming::Idle { after, .. } => Some(format!("{} idle", span(after))),
        ReapingTiming::Beats { total: None, .. } => None,
    });
    let mut shown: Vec<String> = Vec::new();
    for text in timers.chain(reaping) {
        if !shown.contains(&text) {
            shown.push(text);
        }
    }
    if shown.len() > 1 {
        shown.retain(|text| text != NO_DEFAULT);
    }
    if shown.is_empty() { "-".to_string() } else { shown.join(", ") }
}

fn joined<'a>(names: impl Iterator<Item = &'a str>) -> Option<String> {
    let names: Vec<&str> = names.collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn full(product: &Product, paint: Styler, width: Option<usize>) -> String {
    let mut rows = LabelledRows::new(paint, width);
    rows.add("id", product.id);
    for marks in marks(product) {
        rows.add("shows itself", &marks);
    }
    for ping in product.pings {
        rows.add("heartbeat", &known_ping(ping));
    }
    let mut parts = vec![format!("{}\n{}", paint.strong(product.name), rows.into_text())];
    parts.extend(product.speaks.iter().map(|preset| presets::full(preset, paint, width)));
    parts.extend(product.timeouts.iter().map(|timeout| timeouts::full(timeout, paint, width)));
    parts.extend(product.reaping.iter().map(|reaping| dead_clients(reaping, paint, width)));
    parts.join("\n")
}

/// `{"msg":"ping"}, answered by {"msg":"pong"}`
fn known_ping(ping: &KnownPing) -> String {
    let looks = if ping.looks == EMPTY { "an empty message" } else { ping.looks };
    let reply = ping.reply.map_or(", no answer".to_string(), |reply| format!(", answered by {reply}"));
    let after = ping.after.map(|after| format!(", after {after}")).unwrap_or_default();
    format!("{looks}{reply}{after}")
}

/// The pattern of an empty text.
const EMPTY: &str = "text:";

/// By which headers of the upgrade response its timers' products are known, each once.
fn marks(product: &Product) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for text in product.timeouts.iter().filter_map(|timeout| marks_in_words(timeout.shows)) {
        if !told.contains(&text) {
            told.push(text);
        }
    }
    told
}

/// `None`: it does not show itself.
fn marks_in_words(marks: ProductMarks) -> Option<String> {
    let listed = |marks: &[HeaderMark]| marks.iter().map(mark).collect::<Vec<_>>().join(" or ");
    match marks {
        ProductMarks::Never => None,
        ProductMarks::Usually(marks) => Some(format!("usually by {}", listed(marks))),
        ProductMarks::Yields(marks) => {
            Some(format!("by {}, unless the server behind it sends a Server header", listed(marks)))
        }
        ProductMarks::Behind(marks) => {
            Some(format!("only by a server of its kind behind it: {}", listed(marks)))
        }
        ProductMarks::Always(marks) => Some(format!("always by {}", listed(marks))),
    }
}

/// `server: nginx`, `cf-ray`, `x-envoy-*`
fn mark(mark: &HeaderMark) -> String {
    let name = if mark.header.ends_with('-') { format!("{}*", mark.header) } else { mark.header.to_string() };
    if mark.contains.is_empty() { name } else { format!("{name}: {}", mark.contains) }
}

fn dead_clients(reaping: &ReapingDefault, paint: Styler, width: Option<usize>) -> String {
    let mut rows = LabelledRows::new(paint, width);
    rows.add("id", reaping.id);
    rows.add("defaults", reaping.words);
    rows.add("cuts", &reaping.goodbye.to_string());
    rows.add_some("header", reaping.server.map(|server| format!("server: {server}")));
    rows.add("source", reaping.source);
    format!("{}\n{}", paint.strong(&format!("Dead clients: {}", reaping.name)), rows.into_text())
}
