//! What the report says, whatever the command.

use std::time::Duration;

use crate::domain::client_test::activity::{ClientActivity, SpanReading};
use crate::domain::client_test::metrics::CLIENT_METRICS;
use crate::domain::client_test::report::{ClientTestReport, FaultTest};
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::domain::run::criterion::CriterionState;
use crate::domain::run::metric::MetricValue;
use crate::domain::run::run_result::RunResult;
use crate::output::view::{Cell, Column, Phrase, Rows, Section, Table, View};

/// Where there is nothing to show.
const NOTHING: &str = "-";

pub fn view(report: &ClientTestReport) -> View {
    let several = report.tests.len() > 1;
    View {
        interrupted: report.interrupted,
        headline: headline(report),
        reasons: report.reasons(),
        criteria: report.criteria(),
        tables: if several { vec![table(report)] } else { Vec::new() },
        sections: report.tests.iter().map(|test| section(test, several)).collect(),
        metrics: report.tests.iter().flat_map(metrics).collect(),
        ..View::new(report.command.clone(), report.started_at, report.elapsed, report.result())
    }
}

fn headline(report: &ClientTestReport) -> Phrase {
    let result = report.result();
    let passed = report.tests.iter().filter(|test| test.result == RunResult::Passed).count();
    let claim = match (report.tests.as_slice(), result) {
        (_, RunResult::Unreachable) => "the client did not connect".to_string(),
        ([only], RunResult::Passed) => format!("the client survived {}", only.fault),
        ([only], RunResult::Failed | RunResult::Usage) => {
            format!("the client did not survive {}", only.fault)
        }
        ([only], RunResult::Inconclusive | RunResult::Interrupted { .. }) => {
            format!("cannot tell whether the client survives {}", only.fault)
        }
        (several, _) => format!("the client survived {passed} of {}", counted(several.len() as u64, "fault")),
    };
    let others = report.tests.iter().filter(|test| test.result != RunResult::Passed).map(|test| test.fault);
    let others: Vec<&str> = others.collect();
    let rest = match report.tests.len() {
        0 | 1 => String::new(),
        _ if others.is_empty() || result == RunResult::Unreachable => String::new(),
        _ => format!(", not {}", others.join(", ")),
    };
    Phrase::new(claim, result.into(), rest)
}

/// A row for each fault: what the client did, and the result.
fn table(report: &ClientTestReport) -> Table {
    let names =
        ["fault", "result", "connected", "pings answered", "noticed after", "back after", "closed properly"];
    Table {
        name: "faults".into(),
        columns: names.map(Column::text).to_vec(),
        rows: report.tests.iter().map(cells).collect(),
        note: None,
    }
}

fn cells(test: &FaultTest) -> Vec<Cell> {
    let activity = &test.activity;
    let connected = if activity.clients > 0 { "yes" } else { "no" };
    let texts = [
        connected.to_string(),
        answered(activity),
        span(activity.silence()),
        back(test),
        closed_properly(activity),
    ];
    let result = Cell { text: test.result.label().to_string(), tone: test.result.into() };
    [Cell::from(test.fault.to_string()), result].into_iter().chain(texts.map(Cell::from)).collect()
}

/// `9 of 10`
fn answered(activity: &ClientActivity) -> String {
    part(activity.pings.ok, activity.pings.judged())
}

/// `2 of 2`
fn closed_properly(activity: &ClientActivity) -> String {
    part(activity.closed_cleanly, activity.closable)
}

fn part(part: u64, whole: u64) -> String {
    if whole == 0 { NOTHING.to_string() } else { format!("{part} of {whole}") }
}

/// `1.2 s`, or `not in 12 s`; `never` of a client that has exited, or that never noticed the silence.
fn back(test: &FaultTest) -> String {
    match (test.activity.return_delay(), test.activity.silence()) {
        (SpanReading::None, SpanReading::AtLeast(_)) => "never".to_string(),
        (SpanReading::AtLeast(_), _) if test.exit.is_some() => "never".to_string(),
        (reading, _) => span(reading),
    }
}

fn span(reading: SpanReading) -> String {
    match reading {
        SpanReading::Longest(span) => format::duration(span),
        SpanReading::AtLeast(span) => format!("not in {}", format::duration(span)),
        SpanReading::None => NOTHING.to_string(),
    }
}

/// The details of one fault. The criteria of a single one are shown above.
fn section(test: &FaultTest, several: bool) -> Section {
    let (activity, mut rows) = (&test.activity, Rows::default());
    rows.add("server", test.meaning.clone());
    rows.add("connected", connections(activity));
    rows.add("answered", format!("{} pings in time", answered(activity)));
    rows.add("noticed", after("the client ended the silent connection", activity.silence()));
    rows.add("came back", after("the client opened a new connection", activity.return_delay()));
    let closed = match closed_properly(activity).as_str() {
        "-" => "no connection was closed".to_string(),
        some => format!("{some} connections with a close handshake"),
    };
    rows.add("closed", closed);
    rows.add("client", client(test));
    if several {
        rows.add_all(
            "criteria",
            test.criteria.iter().map(|one| {
                let sign = match one.state {
                    CriterionState::Met => "✓",
                    CriterionState::NotMet => "✗",
                    CriterionState::Unknown => "?",
                };
                format!("{sign} {}: {}", one.wanted, one.found)
            }),
        );
    }
    Section { title: test.fault.to_string(), rows, ..Section::default() }
}

fn connections(activity: &ClientActivity) -> String {
    let rejected = match activity.rejected {
        0 => String::new(),
        number => format!(", {number} gave up or were rejected before"),
    };
    format!("{}{rejected}", counted(activity.clients, "connection"))
}

fn after(what: &str, reading: SpanReading) -> String {
    let shown = |span: Duration| format::duration(span);
    match reading {
        SpanReading::Longest(span) => format!("{what} after {}", shown(span)),
        SpanReading::AtLeast(span) => format!("no: {} passed", shown(span)),
        SpanReading::None => NOTHING.to_string(),
    }
}

fn client(test: &FaultTest) -> String {
    match test.exit {
        Some(exit) => exit.to_string(),
        None => format!("ran until wscheck ended it, after {}", format::duration(test.elapsed)),
    }
}

/// The figures of one fault.
fn metrics(test: &FaultTest) -> Vec<MetricValue> {
    let labels = || vec![("fault", test.fault.to_string())];
    CLIENT_METRICS.iter().map(|metric| metric.value(&test.activity, labels())).collect()
}
