//! What the report says, whatever the command.

use std::time::Duration;

use super::findings;
use super::log::{held_back, how, kept_for, name, never_opened};
use super::metrics::metrics;
use crate::domain::format::{self, counted};
use crate::domain::run::criterion::Criterion;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;
use crate::domain::zombie::report::ZombieReport;
use crate::domain::zombie::{ClientEnd, ClientRecord, ZombieFinding, ZombieVerdict};
use crate::output::view::{
    Chart, Lane, Lanes, Phrase, Rows, Section, ShownFinding, Table, Tone, View, connection,
};

pub fn view(report: &ZombieReport) -> View {
    let conclusion = report.findings.conclusion();
    let clients = report.findings.clients.iter().map(cells);
    View {
        subject: report.info.url.clone(),
        started_at: report.started_at,
        elapsed: report.elapsed.into(),
        interrupted: report.partial,
        done: None,
        is_already_said: never_opened(report).is_some(),
        headline: headline(report, conclusion.as_ref()),
        result: report.verdict,
        reasons: findings::reasons(report),
        criteria: report.expectation.as_ref().map(criterion).into_iter().collect(),
        findings: report.all_findings().iter().map(|finding| shown(finding, conclusion.as_ref())).collect(),
        is_checklist: false,
        evidence: Rows::default(),
        tables: vec![Table::of_texts("clients", ["client", "kept for", "unanswered", "result"], clients)],
        charts: vec![Chart::Lanes(lanes(report))],
        sections: vec![section(report)],
        about_run: about_run(report),
        metrics: metrics(report),
        parts: Vec::new(),
    }
}

fn shown(finding: &ZombieFinding, conclusion: Option<&ZombieFinding>) -> ShownFinding {
    let in_headline = Some(finding) == conclusion;
    ShownFinding { in_headline, ..ShownFinding::new(finding, findings::explain(finding)) }
}

fn headline(report: &ZombieReport, conclusion: Option<&ZombieFinding>) -> Phrase {
    if let Some(error) = never_opened(report) {
        return connection::not_opened(error);
    }
    let so_far = if report.partial { " (so far: the run was interrupted)" } else { "" };
    let tone = match report.findings.verdict {
        ZombieVerdict::ZombiesKept => Tone::Bad,
        ZombieVerdict::ReapsDeadClients | ZombieVerdict::Inconclusive => Tone::Neutral,
    };
    let explanation = conclusion.map(findings::explain).unwrap_or_default();
    let (claim, detail) = explanation.headline().unwrap_or(("inconclusive", ""));
    Phrase::new(claim, tone, format!("{detail}{so_far}"))
}

fn cells(client: &ClientRecord) -> [String; 4] {
    let outcome = match &client.end {
        ClientEnd::Unopened { why } => format!("not opened: {why}"),
        ClientEnd::Kept { .. } if client.last_ping_unanswered => {
            "still connected, but its last Ping was not answered".to_string()
        }
        ClientEnd::Kept { proven: true, .. } => "still there".to_string(),
        ClientEnd::Kept { proven: false, .. } => {
            "no end seen; the run ended before the peer answered the check".to_string()
        }
        ClientEnd::Lost { after } => {
            format!("lost: the peer no longer had this connection after {}", format::duration(*after))
        }
        ClientEnd::HeldBack { window, .. } => held_back(*window),
        ClientEnd::Ended { ending, at_latest: true, .. } => format!("{}; seen only then", how(ending)),
        ClientEnd::Ended { ending, .. } => how(ending),
    };
    let opened = client.was_open();
    let unanswered =
        client.unanswered().filter(|_| opened).map_or_else(|| "-".to_string(), |n| n.to_string());
    [name(client.behaviour).to_string(), kept_for(&client.end), unanswered, outcome]
}

/// A bar for each client: how long it stayed connected.
fn lanes(report: &ZombieReport) -> Lanes {
    let lane = |client: &ClientRecord| {
        let [label, _, _, text] = cells(client);
        let (lasted, tone) = match client.end {
            ClientEnd::Kept { so_far, .. } => (so_far, Tone::Neutral),
            ClientEnd::Ended { after, .. } => (after, Tone::Good),
            ClientEnd::Lost { after } | ClientEnd::HeldBack { after, .. } => (after, Tone::Bad),
            ClientEnd::Unopened { .. } => (Duration::ZERO, Tone::Bad),
        };
        Lane { label, lasted_ms: lasted.into(), tone, text }
    };
    let title = "How long each client stayed connected".to_string();
    Lanes { title, lanes: report.findings.clients.iter().map(lane).collect() }
}

fn section(report: &ZombieReport) -> Section {
    let mut rows = Rows::default();
    rows.add_some("hint", never_opened(report).and_then(|error| error.hint.clone()));
    connection::opened(&mut rows, report.opened.as_deref());
    connection::preset(&mut rows, report.info.preset.as_ref());
    Section { title: report.info.url.clone(), rows, ..Section::default() }
}

fn about_run(report: &ZombieReport) -> Rows {
    let mut rows = Rows::default();
    let clients = report.findings.clients.iter().filter(|client| client.was_open()).count() as u64;
    rows.add("run", format!("{}, {}", counted(clients, "connection"), format::duration(report.elapsed)));
    rows
}

fn criterion((expected, truth): &(Expectation, Truth)) -> Criterion {
    Criterion::wants("--expect", format!("dead clients are closed {}", expected.words()), truth)
}
