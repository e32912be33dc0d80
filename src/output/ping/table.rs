//! Several targets at a glance: a row each.

use std::time::Duration;

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, presets,
};
use strum::IntoEnumIterator;

use super::figures::loss_percent;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{KindReport, PingReport, TargetReport};
use crate::domain::stats::RttSummary;
use crate::output::human::Styler;
use crate::output::time_unit::RTT_UNIT;

/// The columns. Those that the figures can best do without are hidden first when the terminal is narrow.
///
/// From `ok` to `in flight` they add up to `sent`; `unanswered` is missed and superseded.
const HEADER: [&str; 14] = [
    "target",
    "status",
    "kind",
    "sent",
    "ok",
    "late",
    "superseded",
    "missed",
    "in flight",
    "unanswered",
    "loss",
    "p50",
    "p95",
    "max",
];
const KIND_COLUMN: usize = 2;
/// From here on the columns hold numbers, which are never broken.
const FIRST_NUMBER_COLUMN: usize = 3;
/// Columns to do without, the least needed first: max, sent, in flight, ok, superseded, p95, late, missed, p50. The sum goes
/// before its parts; `unanswered` and `loss` stay.
const DROPPABLE_COLUMNS: [usize; 9] = [13, 3, 8, 4, 6, 12, 5, 7, 11];
/// The least width for the target and the status together.
const MIN_TEXT_COLUMNS_WIDTH: usize = 36;

/// One row a target, with its connections by status, and each kind's figures on a line of its own.
pub fn table(report: &PingReport, paint: Styler, width: Option<usize>) -> String {
    let mut table = Table::new();
    table.force_no_tty();
    if paint.color {
        table.enforce_styling();
    }
    table.set_header(header());
    for target in &report.targets {
        table.add_row(row(target, &report.info.kinds, paint));
    }
    set_columns(&mut table, report.info.kinds.len());
    fit(&mut table, width);
    table.lines().map(|line| line.trim_end().to_string() + "\n").collect()
}

fn set_columns(table: &mut Table, kinds: usize) {
    for column in table.column_iter_mut().skip(FIRST_NUMBER_COLUMN) {
        column.set_cell_alignment(CellAlignment::Right);
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 2));
    });
    if kinds < 2 {
        hide(table, KIND_COLUMN);
    }
}

fn hide(table: &mut Table, column: usize) {
    if let Some(column) = table.column_mut(column) {
        column.set_constraint(ColumnConstraint::Hidden);
    }
}

/// A table wider than the terminal does without some columns and wraps the words of others; then it needs lines
/// between its rows.
fn fit(table: &mut Table, width: Option<usize>) {
    let rule = LineStyle::none().fill('─');
    let plain = presets::NOTHING.header_separator(rule);
    match width.filter(|width| *width < shown_width(table, 0)) {
        None => table.load_style(plain),
        Some(width) => {
            shed(table, width);
            table
                .load_style(plain.row_separator(LineStyle::none().fill('╌')))
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(width).unwrap_or(u16::MAX))
        }
    };
}

fn shed(table: &mut Table, width: usize) {
    for column in DROPPABLE_COLUMNS {
        if MIN_TEXT_COLUMNS_WIDTH + shown_width(table, KIND_COLUMN) <= width {
            return;
        }
        hide(table, column);
    }
}

/// The width of the columns from `first` on that are not hidden.
fn shown_width(table: &Table, first: usize) -> usize {
    let widths = table.column_max_content_widths();
    let columns = table.column_iter().zip(widths).skip(first);
    columns.filter(|(column, _)| !column.is_hidden()).map(|(_, width)| usize::from(width) + 2).sum()
}

fn header() -> Vec<Cell> {
    let named = |name: &str| match name {
        "p50" | "p95" | "max" => format!("{name} {}", RTT_UNIT.symbol()),
        other => other.to_string(),
    };
    HEADER.iter().map(|name| Cell::new(named(name))).collect()
}

fn row(target: &TargetReport, kinds: &[HeartbeatKind], paint: Styler) -> Vec<Cell> {
    let reports: Vec<Option<&KindReport>> =
        kinds.iter().map(|kind| target.kinds.iter().find(|report| report.kind == *kind)).collect();
    let lines = |show: &dyn Fn(&KindReport) -> String| {
        let line = |report: &Option<&KindReport>| report.map_or_else(|| "-".to_string(), show);
        Cell::new(reports.iter().map(line).collect::<Vec<_>>().join("\n"))
    };
    let rtt = |report: &KindReport, pick: fn(&RttSummary) -> Duration| {
        report.rtt.as_ref().map_or_else(|| "-".to_string(), |rtt| RTT_UNIT.number(pick(rtt)))
    };
    vec![
        Cell::new(&target.url),
        status(target, paint),
        Cell::new(kinds.iter().map(|kind| kind.label()).collect::<Vec<_>>().join("\n")),
        lines(&|report| report.counts.sent().to_string()),
        lines(&|report| report.counts.ok.to_string()),
        lines(&|report| report.counts.late.to_string()),
        lines(&|report| report.counts.superseded.to_string()),
        lines(&|report| report.counts.missed.to_string()),
        lines(&|report| report.counts.in_flight.to_string()),
        lines(&|report| report.counts.unanswered().to_string()),
        lines(&|report| loss_percent(&report.counts)),
        lines(&|report| rtt(report, |rtt| rtt.p50)),
        lines(&|report| rtt(report, |rtt| rtt.p95)),
        lines(&|report| rtt(report, |rtt| rtt.max)),
    ]
}

fn status(target: &TargetReport, paint: Styler) -> Cell {
    let count = |status: Status| target.connections.iter().filter(|c| c.status == status).count();
    let counts: Vec<(Status, usize)> = Status::iter().rev().map(|status| (status, count(status))).collect();
    let cell = Cell::new(match count(target.status) {
        // The loss over all connections is worse than that on any one.
        0 => format!("{}: {}", target.status.label(), by_status(&counts)),
        _ => by_status(&counts),
    });
    if !paint.color {
        return cell;
    }
    match target.status {
        Status::Healthy => cell.fg(Color::Green),
        Status::Degraded => cell.fg(Color::Yellow),
        Status::Poor | Status::Critical => cell.fg(Color::Red),
        Status::Unknown => cell.add_attribute(Attribute::Dim),
        Status::Timeout | Status::Dead => cell.fg(Color::Red).add_attribute(Attribute::Bold),
    }
}

/// `1 dead, 3 healthy`: in the order given, without those that do not occur.
pub fn by_status(counts: &[(Status, usize)]) -> String {
    let some = counts.iter().filter(|(_, count)| *count > 0);
    some.map(|(status, count)| format!("{count} {}", status.label())).collect::<Vec<_>>().join(", ")
}
