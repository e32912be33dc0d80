//! An idle search for people: the answer first, then the evidence.

use std::collections::HashSet;

use super::format::{between, manner};
use super::trials::Trial;
use super::{HumanOptions, evidence, findings};
use crate::domain::connection::connect_info::{ConnectError, FailureKind};
use crate::domain::format::{self, counted};
use crate::domain::idle::middleboxes::Candidate;
use crate::domain::idle::report::{IdleEvent, IdleInfo, IdleReport};
use crate::domain::idle::{EndSpread, IdleFinding, IdleFindings, IdleVerdict, findings_of};
use crate::output::human::{self, LabelledRows, Styler, failed_opening, peer_address, phases};

/// The messages during a run, on stderr.
#[derive(Debug)]
pub struct SearchLog {
    quiet: bool,
    paint: Styler,
    /// The failures to open that were printed.
    reported: HashSet<FailureKind>,
}

impl SearchLog {
    pub fn new(options: HumanOptions) -> SearchLog {
        SearchLog {
            quiet: options.quiet,
            paint: Styler { color: options.stderr_color },
            reported: HashSet::new(),
        }
    }

    /// The message for an event during the run, newline included.
    pub fn lines(&mut self, event: &IdleEvent) -> Option<String> {
        match event {
            IdleEvent::Started { info, .. } => (!self.quiet).then(|| introduction(info)),
            IdleEvent::OpenFailed { error, .. } => self.open_failed(error),
            IdleEvent::Finished(report) => never_opened(report).and_then(|error| self.open_failed(error)),
            IdleEvent::Provisional(guess) => (!self.quiet).then(|| {
                let ends = counted(guess.samples as u64, "connection");
                format!("{ends} ended after about {}; confirming\n", format::duration(guess.timeout))
            }),
            IdleEvent::ProbeOpened { .. }
            | IdleEvent::Seen(_)
            | IdleEvent::Bracket { .. }
            | IdleEvent::Progress(_)
            | IdleEvent::Following { .. }
            | IdleEvent::RefreshRow { .. }
            | IdleEvent::VerifyBeat { .. }
            | IdleEvent::Verified { .. } => None,
        }
    }

    /// Each kind of failure once, in full.
    fn open_failed(&mut self, error: &ConnectError) -> Option<String> {
        self.reported.insert(error.kind).then(|| failed_opening(self.paint, error))
    }
}

/// `wscheck probe-idle ws://a.example/: searching idle times from 1 s to 5m with a precision of 1 s or 2 %; at most 16
/// connections at once, 264 in total, and 1230 s`
fn introduction(info: &IdleInfo) -> String {
    let search = &info.search;
    format!(
        "wscheck probe-idle {}: searching idle times from {} to {} with a precision of {}; at most {} connections at \
         once, {} in total, and {}\n",
        info.url,
        format::duration(search.min),
        format::duration(search.max),
        precision(info),
        search.max_connections,
        search.most_connections(),
        format::duration(search.longest())
    )
}

fn precision(info: &IdleInfo) -> String {
    let precision = info.search.precision;
    match (precision.absolute.is_zero(), precision.relative > 0.0) {
        (true, _) => format::exact_percent(precision.relative),
        (false, false) => format::duration(precision.absolute),
        (false, true) => format!(
            "{} or {}",
            format::duration(precision.absolute),
            format::exact_percent(precision.relative)
        ),
    }
}

/// Why nothing was measured.
fn never_opened(report: &IdleReport) -> Option<&ConnectError> {
    report.error.as_deref().filter(|_| report.opened.is_none())
}

/// The whole report; `None` if nothing opened, which was printed already.
pub fn report(report: &IdleReport, trials: &[Trial], options: HumanOptions) -> Option<String> {
    if never_opened(report).is_some() {
        return None;
    }
    let paint = Styler { color: options.color };
    let mut rows = LabelledRows::new(paint, options.width);
    rows.add_raw(&format!("{}\n", paint.strong(&format!("--- {} ---", report.url))));
    let findings = findings_of(report);
    answer(&mut rows, report, &findings, paint);
    consequences(&mut rows, &findings);
    evidence_rows(&mut rows, report, &findings);
    tables(&mut rows, report, trials, options.width);
    closing(&mut rows, report, &findings, paint);
    Some(rows.into_text())
}

/// Where the report shows a finding: the place and the label of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the first row.
    Answer,
    /// In a row among the evidence for the answer.
    Evidence(&'static str),
    /// With the events.
    Event,
    /// After what to do.
    Action(&'static str),
    /// At the end.
    Note,
    /// In the row on the search itself.
    Search,
    /// Elsewhere in other words: among the reasons, or below its table.
    Elsewhere,
}

fn place(finding: &IdleFinding) -> Place {
    match finding {
        IdleFinding::IdleTimeout { .. }
        | IdleFinding::LifetimeCap { .. }
        | IdleFinding::NoTimeoutUpToMax { .. }
        | IdleFinding::ServerKeepsItBusy { .. }
        | IdleFinding::ServerPolicy { .. }
        | IdleFinding::Stochastic { .. }
        | IdleFinding::OnlySomeConnectionsCut { .. }
        | IdleFinding::OnlyMessagesResetTimer
        | IdleFinding::OnlyPingsResetTimer
        | IdleFinding::ServerClosesSilentClients { .. } => Place::Answer,
        IdleFinding::TimerIsCoarse { .. } => Place::Evidence("timer"),
        IdleFinding::StopsForwardingBeforeClosing => Place::Evidence("late end"),
        IdleFinding::DirectionLost { .. } => Place::Evidence("lost"),
        IdleFinding::TwoEndedRefused => Place::Evidence("two-ended"),
        IdleFinding::LikelyProduct { .. }
        | IdleFinding::PossibleProducts { .. }
        | IdleFinding::NoKnownTimerFits => Place::Evidence("consistent"),
        IdleFinding::HeaderNamesOtherProduct { .. } => Place::Evidence("not named"),
        IdleFinding::AlsoLifetimeCap { .. } => Place::Evidence("lifetime"),
        IdleFinding::EndedAtOneMoment { .. }
        | IdleFinding::PathLost { .. }
        | IdleFinding::EndedRightAfterOpening { .. }
        | IdleFinding::ServerBrokeProtocol { .. } => Place::Event,
        IdleFinding::RecommendationHeld { .. }
        | IdleFinding::RecommendationFailed { .. }
        | IdleFinding::RecommendationUnverified { .. } => Place::Action("verified"),
        IdleFinding::OneSpanAtATime
        | IdleFinding::PrecisionReduced { .. }
        | IdleFinding::HostStalled { .. }
        | IdleFinding::AnswersNotRecognized { .. }
        | IdleFinding::KeepaliveMethodsSkipped { .. }
        | IdleFinding::VerificationSkipped { .. } => Place::Note,
        IdleFinding::RoundsVoid { .. } => Place::Search,
        IdleFinding::Undecided(_)
        | IdleFinding::TimeoutBelowMin { .. }
        | IdleFinding::KeepaliveMethodsCompared { .. } => Place::Elsewhere,
    }
}

/// The sentences of the findings at a place.
fn said(findings: &[IdleFinding], at: Place) -> impl Iterator<Item = String> {
    findings
        .iter()
        .filter(move |finding| place(finding) == at)
        .map(|finding| findings::explain(finding).message)
}

/// A row for each text; only the first has the label.
fn add_all(rows: &mut LabelledRows, label: &'static str, texts: impl Iterator<Item = String>) {
    for (index, text) in texts.enumerate() {
        rows.add(if index == 0 { label } else { "" }, &text);
    }
}

fn answer(rows: &mut LabelledRows, report: &IdleReport, all: &[IdleFinding], paint: Styler) {
    let findings = &report.findings;
    let so_far = if report.partial { " (interrupted: so far)" } else { "" };
    rows.add("answer", &format!("{}{so_far}", headline(findings, all, paint)));
}

/// What supports the answer, and what else was learned.
fn evidence_rows(rows: &mut LabelledRows, report: &IdleReport, all: &[IdleFinding]) {
    let findings = &report.findings;
    rows.add_some("cut", findings.manner.as_ref().map(manner));
    rows.add_some("samples", findings.spread.map(|spread| samples(findings.verdict, spread)));
    for label in ["timer", "late end", "lost", "two-ended"] {
        add_all(rows, label, said(all, Place::Evidence(label)));
    }
    let consistent = said(all, Place::Evidence("consistent"));
    add_all(rows, "consistent", consistent.map(|text| text.trim_start_matches("consistent ").to_string()));
    rows.add_some("caveat", report.naming.candidates.first().and_then(Candidate::caveat));
    rows.add_some("find out", all.iter().find_map(how_to_find_out));
    let likely = all.iter().filter(|finding| matches!(finding, IdleFinding::LikelyProduct { .. }));
    add_all(rows, "change", likely.filter_map(|finding| findings::explain(finding).remedy));
    add_all(rows, "not named", said(all, Place::Evidence("not named")));
    add_all(rows, "event", said(all, Place::Event).take(MAX_INCIDENTS));
    add_all(rows, "lifetime", said(all, Place::Evidence("lifetime")));
}

/// More incidents say no more to people.
const MAX_INCIDENTS: usize = 5;

/// How to find out which of several products cut.
fn how_to_find_out(finding: &IdleFinding) -> Option<String> {
    let is_several = matches!(finding, IdleFinding::PossibleProducts { .. });
    is_several.then(|| findings::explain(finding).remedy)?
}

/// The answer in one line, the verdict in bold.
fn headline(findings: &IdleFindings, all: &[IdleFinding], paint: Styler) -> String {
    let parts: Vec<String> = said(all, Place::Answer).collect();
    let text = if parts.is_empty() { inconclusive(findings) } else { parts.join("; ") };
    let head = verdict_words(findings.verdict);
    match text.strip_prefix(head) {
        Some(rest) => format!("{}{rest}", paint.strong(head)),
        None => text,
    }
}

/// With what the answer begins.
fn verdict_words(verdict: IdleVerdict) -> &'static str {
    match verdict {
        IdleVerdict::IdleTimeout => "idle timeout",
        IdleVerdict::LifetimeCap => "lifetime cap",
        IdleVerdict::NoTimeoutUpToMax => "no idle timeout up to",
        IdleVerdict::ServerKeepsItBusy => "the server keeps the path busy",
        IdleVerdict::ServerPolicy => "probably the server's own policy",
        IdleVerdict::Stochastic => "idle connections end at different times",
        IdleVerdict::Inconclusive => "inconclusive",
    }
}

/// What is known without an answer; the reason is at the end of the report.
fn inconclusive(findings: &IdleFindings) -> String {
    match (findings.lifetime_or_idle, findings.bracket.lo.or(findings.bracket.hi)) {
        (Some(age), _) => {
            let age = findings::age_range(age);
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
    match (verdict, spread.count) {
        (IdleVerdict::Stochastic, _) => format!("{count} died, after {min} to {max} (median {median})"),
        (_, 1) => format!("{count} was seen to end, after {max}; one is an anecdote"),
        _ => format!("{count} ended, after {median} (median), within {width} of each other"),
    }
}

/// What to do, and what was asked.
fn consequences(rows: &mut LabelledRows, all: &[IdleFinding]) {
    let conclusion = all.first().filter(|first| matches!(place(first), Place::Answer | Place::Elsewhere));
    rows.add_some("do", conclusion.and_then(|finding| findings::explain(finding).remedy));
    add_all(rows, "verified", said(all, Place::Action("verified")));
}

fn tables(rows: &mut LabelledRows, report: &IdleReport, trials: &[Trial], width: Option<usize>) {
    if let Some(refresh) = &report.refresh {
        rows.add_raw(
            &evidence::refresh(&refresh.rows, width).map(|table| format!("\n{table}")).unwrap_or_default(),
        );
        rows.add("conclusion", &findings::keepalive_methods(refresh.conclusion).line());
    }
    let table = evidence::trials(trials, width).map(|table| format!("\n{table}")).unwrap_or_default();
    rows.add_raw(&format!("{table}\n"));
}

fn closing(rows: &mut LabelledRows, report: &IdleReport, all: &[IdleFinding], paint: Styler) {
    let findings = &report.findings;
    if let Some(opened) = report.opened.as_deref() {
        let address = peer_address(opened).map(|address| format!(", {address}")).unwrap_or_default();
        rows.add("opened in", &format!("{}{address}", phases(&opened.phases)));
        human::facts(rows, opened);
    }
    human::preset(rows, report.info.preset.as_ref());
    add_all(rows, "note", said(all, Place::Note));
    let void: String = said(all, Place::Search).map(|void| format!("; {void}")).collect();
    let connections = counted(findings.connections, "connection");
    rows.add("search", &format!("{connections}, {}{void}", format::duration(report.elapsed)));
    human::conclusion(rows, &super::view::view(report), paint);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::idle::{Precision, SearchPlan};
    #[test]
    fn precision_is_shown_as_requested() {
        let precision_of = |absolute, relative| {
            let search = SearchPlan { precision: Precision { absolute, relative }, ..SearchPlan::default() };
            let url = "ws://a/".to_string();
            precision(&IdleInfo {
                url,
                search,
                refresh: false,
                verify: false,
                expectation: None,
                preset: None,
            })
        };
        let second = Duration::from_secs(1);
        assert_eq!(
            [precision_of(second, 0.02), precision_of(second, 0.0), precision_of(Duration::ZERO, 0.05)],
            ["1 s or 2 %", "1 s", "5 %"]
        );
    }
}
