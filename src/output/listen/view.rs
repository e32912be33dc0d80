//! What the report says, whatever the command.

use super::findings::{self, one, shorten};
use super::interval_words::range;
use super::log::never_opened;
use super::metrics::metrics;
use crate::domain::format::{self, counted};
use crate::domain::listen::report::ListenReport;
use crate::domain::listen::{
    FirstHeartbeat, KindFindings, ListenFinding, ListenVerdict, PayloadVariation, ServerEventKind,
};
use crate::output::view::{Phrase, Rows, Section, ShownFinding, Tone, View, connection};

/// The most characters of a message that the report shows.
const MAX_REPORT_PAYLOAD: usize = 200;

pub fn view(report: &ListenReport) -> View {
    let conclusion = report.findings.conclusion();
    View {
        interrupted: report.partial,
        is_already_said: never_opened(report).is_some(),
        headline: headline(report, conclusion.as_ref()),
        reasons: findings::reasons(report),
        findings: report.all_findings().iter().map(|finding| shown(finding, conclusion.as_ref())).collect(),
        evidence: evidence(report),
        sections: vec![section(report)],
        metrics: metrics(report),
        ..View::new(report.info.url.clone(), report.started_at, report.elapsed, report.verdict)
    }
}

fn shown(finding: &ListenFinding, conclusion: Option<&ListenFinding>) -> ShownFinding {
    let in_headline = Some(finding) == conclusion;
    ShownFinding { in_headline, ..ShownFinding::new(finding, findings::explain(finding)) }
}

fn headline(report: &ListenReport, conclusion: Option<&ListenFinding>) -> Phrase {
    if let Some(error) = never_opened(report) {
        return connection::not_opened(error);
    }
    let explanation = conclusion.map(findings::explain).unwrap_or_default();
    let (claim, detail) = explanation.headline().unwrap_or(("inconclusive", ""));
    let so_far = if report.partial { " (so far: the run was interrupted)" } else { "" };
    Phrase::new(claim, Tone::Neutral, format!("{detail}{so_far}"))
}

/// What the server sent, and when.
fn evidence(report: &ListenReport) -> Rows {
    let found = &report.findings;
    let mut rows = Rows::default();
    rows.add_some("first", found.heartbeat().and_then(first));
    rows.add_some("sent", found.heartbeat().is_none().then(|| nothing_sent(report)).flatten());
    if found.kinds.is_empty() {
        let answers_only = found.longest_quiet < found.listened;
        rows.add("received", if answers_only { "only answers" } else { "nothing" });
    } else {
        rows.add_all("received", found.kinds.iter().map(received));
        rows.add("quiet", format!("at most {}", format::duration(found.longest_quiet)));
    }
    let pattern = found.periodic.as_ref().and_then(|periodic| periodic.pattern.as_deref());
    if let (ListenVerdict::PeriodicMessages, Some(pattern)) = (found.verdict, pattern) {
        rows.add_unbroken("try", findings::app_ping(pattern));
    }
    rows
}

/// Client messages are sent between two heartbeats, once the interval is known.
fn nothing_sent(report: &ListenReport) -> Option<String> {
    report
        .info
        .talk
        .then(|| "no client message was sent: there were no heartbeats to send it between".to_string())
}

fn first(kind: &KindFindings) -> Option<String> {
    let after = format::duration(kind.first?);
    Some(match kind.early? {
        FirstHeartbeat::AtOnce => format!("after {after}: together with the opening"),
        FirstHeartbeat::Early => format!("after {after}: early, less than an interval after the opening"),
        FirstHeartbeat::OnTime => format!("after {after}: one interval after the opening"),
        FirstHeartbeat::Late => format!("after {after}: late, more than an interval after the opening"),
    })
}

fn received(kind: &KindFindings) -> String {
    let shape = kind.shape.map(|shape| format!(" ({shape})")).unwrap_or_default();
    // Gaps in which the client spoke are none of the server's own, and are left out.
    let but = if kind.by_client.is_some() { " without client messages" } else { "" };
    let gaps = kind.interval.map(|interval| format!(", {} apart{but}", range(&interval))).unwrap_or_default();
    let sample = shorten(kind.sample.as_str(), MAX_REPORT_PAYLOAD);
    let payload = match kind.payloads {
        PayloadVariation::Empty => "without payload".to_string(),
        PayloadVariation::Constant => format!("always \"{sample}\""),
        PayloadVariation::Changing => format!("payloads differ, the first \"{sample}\"{}", last(kind)),
        PayloadVariation::Single => format!("\"{sample}\""),
    };
    format!("{}{shape}{gaps}; {payload}", counted(kind.count, one(kind.event_kind)))
}

/// What the server said last tells most where it ends the connection: an error, perhaps.
fn last(kind: &KindFindings) -> String {
    let latest = kind.latest.as_ref().filter(|_| kind.event_kind == ServerEventKind::Message);
    latest
        .map(|text| format!(", later \"{}\"", shorten(text.as_str(), MAX_REPORT_PAYLOAD)))
        .unwrap_or_default()
}

fn section(report: &ListenReport) -> Section {
    let mut rows = Rows::default();
    rows.add_some("hint", never_opened(report).and_then(|error| error.hint.clone()));
    let by_us = report.close_reply.as_ref().map(|reply| format!("wscheck sent close 1000; {reply}"));
    rows.add_some("ended", report.ending.as_deref().map(connection::ending).or(by_us));
    connection::opened(&mut rows, report.opened.as_deref());
    connection::preset(&mut rows, report.info.preset.as_ref());
    Section { title: report.info.url.clone(), rows, ..Section::default() }
}
