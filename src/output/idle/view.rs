//! What the report says, whatever the command.

use super::findings;
use super::format::{between, manner};
use super::log::never_opened;
use super::metrics::metrics;
use super::tables;
use super::trials::Trial;
use crate::domain::format::{self, at_least, counted, duration};
use crate::domain::idle::product_naming::Candidate;
use crate::domain::idle::report::{IdleReport, Verification, VerifyOutcome};
use crate::domain::idle::{EndSpread, IdleFinding, IdleFindings, IdleVerdict, findings_of};
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::output::view::{
    Chart, Explanation, Phrase, Rows, Section, ShownFinding, Tone, View, connection, most_severe_first,
};

pub fn view(report: &IdleReport, trials: &[Trial]) -> View {
    let all = findings_of(report);
    let refresh = report.refresh.as_ref().map(|refresh| tables::refresh(&refresh.rows));
    View {
        subject: report.info.url.clone(),
        started_at: report.started_at,
        elapsed: report.elapsed.into(),
        interrupted: report.partial,
        done: None,
        is_already_said: never_opened(report).is_some(),
        headline: headline(report, &all),
        result: report.verdict,
        reasons: report.reasons.iter().map(findings::reason).collect(),
        criteria: criteria(report),
        findings: most_severe_first(all.iter().map(shown).collect()),
        is_checklist: false,
        evidence: evidence(report),
        tables: refresh.into_iter().chain([tables::trials(trials)]).collect(),
        charts: vec![Chart::Lanes(tables::lanes(trials))],
        sections: vec![section(report)],
        about_run: about_run(report),
        metrics: metrics(report),
        parts: Vec::new(),
    }
}

fn shown(finding: &IdleFinding) -> ShownFinding {
    ShownFinding {
        in_headline: is_answer(finding) || matches!(finding, IdleFinding::Undecided(_)),
        ..ShownFinding::new(finding, findings::explain(finding))
    }
}

/// Whether the headline says what the finding says. What is undecided is a reason of the result.
fn is_answer(finding: &IdleFinding) -> bool {
    matches!(
        finding,
        IdleFinding::IdleTimeout { .. }
            | IdleFinding::LifetimeCap { .. }
            | IdleFinding::NoTimeoutUpToMax { .. }
            | IdleFinding::ServerKeepsItBusy { .. }
            | IdleFinding::ServerPolicy { .. }
            | IdleFinding::Stochastic { .. }
            | IdleFinding::OnlySomeConnectionsCut { .. }
            | IdleFinding::OnlyMessagesResetTimer
            | IdleFinding::OnlyPingsResetTimer
            | IdleFinding::ServerClosesSilentClients { .. }
    )
}

fn headline(report: &IdleReport, all: &[IdleFinding]) -> Phrase {
    if let Some(error) = never_opened(report) {
        return connection::not_opened(error);
    }
    let findings = &report.findings;
    let answers: Vec<Explanation> =
        all.iter().filter(|finding| is_answer(finding)).map(findings::explain).collect();
    let messages: Vec<&str> = answers.iter().map(|answer| answer.message.as_str()).collect();
    let text = if answers.is_empty() { inconclusive(findings) } else { messages.join("; ") };
    let claim = answers.first().map_or(Some("inconclusive"), |answer| answer.claim.as_deref());
    let claim = claim.unwrap_or_default();
    let rest = text.strip_prefix(claim).unwrap_or(&text);
    let so_far = if report.partial { " (so far: the run was interrupted)" } else { "" };
    Phrase::new(claim, Tone::Neutral, format!("{rest}{so_far}"))
}

/// What is known without an answer; the reason is at the end of the report.
fn inconclusive(findings: &IdleFindings) -> String {
    match (findings.lifetime_or_idle, findings.bracket.lo.or(findings.bracket.hi)) {
        (Some(age), _) => {
            format!("inconclusive: a lifetime of {age}, or an idle timeout of {age} that only messages reset")
        }
        (None, Some(_)) => {
            format!("inconclusive: if there is a timeout, it is {}", between(findings.bracket))
        }
        (None, None) => "inconclusive".to_string(),
    }
}

/// `3 connections ended, after 60.013 s (median), within 7 ms of each other`
fn samples(verdict: IdleVerdict, spread: EndSpread) -> String {
    let count = counted(spread.count as u64, "connection");
    let (min, median, max) =
        (format::duration(spread.min), format::duration(spread.median), format::duration(spread.max));
    let width = format::at_most(spread.max.saturating_sub(spread.min));
    if verdict == IdleVerdict::Stochastic {
        format!("{count} died, after {min} to {max} (median {median})")
    } else if spread.count == 1 {
        format!("{count} was seen to end, after {max}; one is an anecdote")
    } else {
        format!("{count} ended, after {median} (median), within {width} of each other")
    }
}

/// What supports the answer.
fn evidence(report: &IdleReport) -> Rows {
    let findings = &report.findings;
    let mut rows = Rows::default();
    rows.add_some("cut", findings.manner.as_ref().map(manner));
    rows.add_some("samples", findings.spread.map(|spread| samples(findings.verdict, spread)));
    rows.add_some("caveat", report.naming.candidates.first().and_then(Candidate::caveat));
    rows
}

fn section(report: &IdleReport) -> Section {
    let mut rows = Rows::default();
    rows.add_some("hint", never_opened(report).and_then(|error| error.hint.clone()));
    connection::opened(&mut rows, report.opened.as_deref());
    connection::preset(&mut rows, report.info.preset.as_ref());
    Section { title: report.info.url.clone(), rows, ..Section::default() }
}

fn about_run(report: &IdleReport) -> Rows {
    let mut rows = Rows::default();
    let connections = counted(report.findings.connections, "connection");
    rows.add("search", format!("{connections}, {}", duration(report.elapsed)));
    rows
}

fn criteria(report: &IdleReport) -> Vec<Criterion> {
    let expected = report
        .expectation
        .as_ref()
        .map(|(expected, truth)| Criterion::wants("--expect", format!("idle timeout {expected}"), truth));
    expected.into_iter().chain(report.verified.as_ref().map(verified)).collect()
}

/// `--verify` demands that the recommendation holds.
fn verified(verified: &Verification) -> Criterion {
    let (state, found) = match &verified.outcome {
        VerifyOutcome::Held => (CriterionState::Met, format!("it held for {}", duration(verified.held))),
        VerifyOutcome::Ended(ending) => {
            (CriterionState::NotMet, format!("after {}: {ending}", duration(verified.held)))
        }
        VerifyOutcome::Unknown(why) => (CriterionState::Unknown, why.clone()),
    };
    let wanted = format!(
        "a heartbeat every {} keeps a connection open for {}",
        at_least(verified.interval),
        duration(verified.wanted)
    );
    Criterion { option: Some("--verify".into()), wanted, found, state }
}
