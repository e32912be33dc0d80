//! What the reports of the other commands mean for `doctor`.

use std::time::Duration;

use super::doctor_finding::{DoctorFinding, LatencyFigures, Unchecked};
use super::evidence::PathEvidence;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply, ClosedBy};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::report::IdleReport;
use crate::domain::idle::{CutManner, IdleFinding, IdleVerdict, findings_of};
use crate::domain::label::Label;
use crate::domain::listen::ListenFinding;
use crate::domain::listen::report::ListenReport;
use crate::domain::ping::finding::PingFinding;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{ConnReport, KindReport, PingReport};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::finding::{Finding, Severity};
use crate::domain::zombie::ZombieFinding;
use crate::domain::zombie::report::ZombieReport;

/// A check that was made and came to no answer.
pub fn no_answer(why: impl Into<String>) -> DoctorFinding {
    DoctorFinding::NotChecked(Unchecked::NoAnswer(why.into()))
}

fn not_opened(error: Option<&ConnectError>) -> Vec<DoctorFinding> {
    vec![match error {
        Some(error) => no_answer(format!("its connection did not open: {}: {}", error.phase, error.cause)),
        None => no_answer("no connection opened in the time"),
    }]
}

fn connection(report: &PingReport) -> Option<&ConnReport> {
    report.targets.first()?.connections.first()
}

fn kind(report: &PingReport, wanted: HeartbeatKind) -> Option<&KindReport> {
    report.kinds.iter().find(|kind| kind.kind == wanted)
}

/// Findings about whether Pings are answered at all belong to the protocol; the others to the latency.
fn is_about_pings(finding: &PingFinding) -> bool {
    matches!(
        finding,
        PingFinding::WrongPongPayload { .. }
            | PingFinding::PingsReturned { .. }
            | PingFinding::MessagesInsteadOfPongs { .. }
            | PingFinding::EndedAfterPing { .. }
            | PingFinding::PingsUnanswered { .. }
            | PingFinding::OnlyPingsUnanswered { .. }
            | PingFinding::AllUnanswered { .. }
            | PingFinding::IncompleteFrame(_)
    )
}

/// Other checks look at these, or they are about this host alone.
fn is_elsewhere(finding: &PingFinding) -> bool {
    matches!(
        finding,
        PingFinding::CertificateExpires { .. }
            | PingFinding::CertificateExpired { .. }
            | PingFinding::CutWhenQuiet { .. }
            | PingFinding::SubprotocolNotChosen { .. }
            | PingFinding::SubprotocolHeaderEmpty
            | PingFinding::CompressionNotAgreed { .. }
    )
}

/// Whether Ping frames are answered as RFC 6455 5.5.3 demands.
pub fn pings(report: &PingReport) -> Vec<DoctorFinding> {
    let wrong: Vec<DoctorFinding> = report
        .findings
        .iter()
        .filter(|found| is_about_pings(&found.finding))
        .map(|found| DoctorFinding::Ping(found.finding.clone()))
        .collect();
    let counts = kind(report, HeartbeatKind::Protocol).map(|kind| kind.counts);
    match counts {
        _ if !wrong.is_empty() => wrong,
        Some(counts) if counts.ok + counts.late > 0 => {
            let (answered, missed) = (counts.ok + counts.late, counts.missed);
            vec![match missed {
                0 => DoctorFinding::PingsAnswered { answered, sent: counts.sent() },
                1.. => DoctorFinding::PingsPartlyAnswered { answered, missed },
            }]
        }
        Some(counts) if counts.judged() == 0 => vec![no_answer("no Ping frame was judged")],
        Some(_) => vec![no_answer("no Ping frame was answered before the connection ended")],
        None => {
            let why = "this convention does without Ping frames";
            vec![DoctorFinding::NotChecked(Unchecked::NotApplicable(why))]
        }
    }
}

/// Whether the last heartbeats stayed unanswered, so that nothing else is answered either.
pub fn is_unanswered(report: &PingReport) -> bool {
    report.kinds.iter().any(|kind| kind.missed_at_end > 0)
}

/// How the server reacted to the close frame at the end of the connection that was measured.
pub fn close_reply(report: &PingReport) -> Option<CloseReply> {
    connection(report)?.ending.as_ref()?.reply.clone()
}

/// Whether that was a close frame, as RFC 6455 5.5.1 demands.
pub fn close(reply: CloseReply) -> DoctorFinding {
    match reply {
        CloseReply::CloseFrame(_) => DoctorFinding::CloseAnswered(reply),
        CloseReply::NotSent => no_answer("no close frame could be sent"),
        CloseReply::Fin
        | CloseReply::Rst
        | CloseReply::TlsClose
        | CloseReply::Broken(_)
        | CloseReply::Nothing { .. } => DoctorFinding::CloseUnanswered(reply),
    }
}

/// RTT and loss.
pub fn latency_figures(report: &PingReport) -> LatencyFigures {
    let p50 = |wanted| Some(kind(report, wanted)?.rtt?.p50);
    let opened = connection(report).and_then(|connection| connection.opened.as_ref());
    LatencyFigures {
        protocol: p50(HeartbeatKind::Protocol),
        app: p50(HeartbeatKind::App),
        tcp: opened.filter(|info| info.proxy.is_none()).and_then(|info| info.phases.tcp),
        missed: report.kinds.iter().map(|kind| kind.counts.missed).sum(),
        judged: report.kinds.iter().map(|kind| kind.counts.judged()).sum(),
        status: report.status.label(),
        reason: report.status_reason.clone(),
    }
}

/// RTT and loss, and what is wrong with them.
pub fn latency(report: &PingReport) -> Vec<DoctorFinding> {
    let opened = connection(report).is_some_and(|connection| connection.opened.is_some());
    if !opened {
        let error = connection(report).and_then(|connection| connection.open_error.as_deref());
        return error
            .map_or_else(|| vec![no_answer("its connection did not open")], |error| not_opened(Some(error)));
    }
    let figures = latency_figures(report);
    let has_ended = connection(report).is_some_and(|connection| connection.lost.is_some());
    let headline = match report.status {
        // That it ended is another check's finding; what was measured before may be fine.
        Status::Dead | Status::Timeout if has_ended && figures.missed == 0 && figures.judged > 0 => {
            DoctorFinding::LatencyMeasured(LatencyFigures { status: "answered until it ended", ..figures })
        }
        Status::Dead if has_ended && figures.judged == 0 => {
            no_answer("the connection ended before a heartbeat was judged")
        }
        Status::Healthy | Status::Degraded => DoctorFinding::LatencyMeasured(figures),
        Status::Unknown => no_answer("no heartbeat was answered in time to judge"),
        Status::Poor | Status::Critical | Status::Timeout | Status::Dead => {
            DoctorFinding::LatencyUnhealthy(figures)
        }
    };
    let others = report.findings.iter().map(|found| &found.finding).filter(|finding| {
        finding.severity() >= Severity::Warning && !is_about_pings(finding) && !is_elsewhere(finding)
    });
    std::iter::once(headline).chain(others.cloned().map(DoctorFinding::Ping)).collect()
}

/// Which heartbeats the server sends.
pub fn server_heartbeats(report: &ListenReport) -> Vec<DoctorFinding> {
    if report.opened.is_none() {
        return not_opened(report.error.as_deref());
    }
    let wanted = |finding: &ListenFinding| {
        !matches!(finding, ListenFinding::CoversTimeouts { .. } | ListenFinding::NoHeartbeatSeen { .. })
    };
    // That idle connections end is another check's finding.
    let is_end = |finding: &ListenFinding| matches!(finding, ListenFinding::ConnectionEndedEarly { .. });
    let found: Vec<DoctorFinding> = report
        .all_findings()
        .into_iter()
        .filter(|finding| wanted(finding) && !is_end(finding))
        .map(DoctorFinding::Listen)
        .collect();
    match report.ending.as_ref() {
        _ if !found.is_empty() => found,
        Some(ending) => vec![no_answer(format!(
            "the connection ended after {} without a heartbeat",
            crate::domain::format::duration(ending.age)
        ))],
        None => vec![no_answer("the time was too short for a heartbeat")],
    }
}

/// The interval of the server's heartbeats: from the silent connection, or else from the one that sent Pings.
pub fn server_interval(evidence: &PathEvidence) -> Option<Duration> {
    let listened = evidence.listen.as_ref().and_then(|report| report.findings.interval());
    let pinged = || {
        let traffic = connection(evidence.ping.as_deref()?)?.server_traffic.as_ref()?;
        traffic
            .intervals
            .iter()
            .map(|(_, interval)| *interval)
            .find(|interval| interval.gaps >= 2 && interval.is_regular())
    };
    listened.or_else(pinged).map(|interval| interval.max)
}

/// The bounds of the idle timeout and how many connections show it; `None` if none was found.
pub fn idle_bracket(report: &IdleReport) -> Option<(Bracket, bool)> {
    let findings = &report.findings;
    match findings.verdict {
        IdleVerdict::IdleTimeout => Some((findings.bracket, true)),
        IdleVerdict::ServerPolicy if findings.bracket.hi.is_some() => Some((findings.bracket, true)),
        IdleVerdict::Inconclusive if report.partial => {
            unconfirmed(report).map(|(bracket, _)| (bracket, false))
        }
        IdleVerdict::ServerPolicy
        | IdleVerdict::Inconclusive
        | IdleVerdict::LifetimeCap
        | IdleVerdict::NoTimeoutUpToMax
        | IdleVerdict::ServerKeepsItBusy
        | IdleVerdict::Stochastic => None,
    }
}

/// What a search that was cut short had seen: at least two connections that ended after about the same silence.
fn unconfirmed(report: &IdleReport) -> Option<(Bracket, usize)> {
    let findings = &report.findings;
    let provisional = findings.provisional.filter(|provisional| provisional.samples >= 2)?;
    let lo = findings.bracket.lo.filter(|lo| *lo < provisional.timeout);
    Some((Bracket { lo, hi: Some(provisional.timeout) }, provisional.samples))
}

/// A loss of more than this on an active connection leaves no conclusion from questions that stay unanswered.
const MAX_LOSS: f64 = 0.05;

/// Whether so many Ping frames are lost that an unanswered one shows nothing.
pub fn loses_pings(report: &PingReport) -> bool {
    let counts = kind(report, HeartbeatKind::Protocol).map(|kind| kind.counts);
    let answered = counts.is_some_and(|counts| counts.ok + counts.late > 0);
    answered && counts.is_some_and(|counts| counts.missed as f64 > counts.judged() as f64 * MAX_LOSS)
}

/// Whether the verdict rests on questions that stayed unanswered.
fn rests_on_silence(report: &IdleReport) -> bool {
    let findings = &report.findings;
    let is_silent = matches!(findings.manner, Some(CutManner::Silent { .. }));
    findings.verdict == IdleVerdict::Stochastic || (findings.verdict == IdleVerdict::IdleTimeout && is_silent)
}

/// How long the path may be idle.
pub fn idle_timeout(
    report: &IdleReport,
    loses_pings: bool,
    held_back: Option<ExhaustedWindow>,
) -> Vec<DoctorFinding> {
    if loses_pings && rests_on_silence(report) {
        return vec![no_answer(
            "Ping frames are lost on active connections, too, so that an unanswered one shows no timeout",
        )];
    }
    if report.opened.is_none() {
        return not_opened(report.error.as_deref());
    }
    let is_inconclusive = report.findings.verdict == IdleVerdict::Inconclusive;
    let conclusion = (is_inconclusive && report.partial).then(|| match unconfirmed(report) {
        Some((bracket, samples)) => DoctorFinding::IdleTimeoutUnconfirmed { bracket, samples },
        None => survived_so_far(report, held_back),
    });
    let is_concluded = conclusion.is_some();
    let about_the_search = |finding: &IdleFinding| {
        matches!(
            finding,
            IdleFinding::KeepaliveMethodsSkipped { .. }
                | IdleFinding::VerificationSkipped { .. }
                | IdleFinding::PrecisionReduced { .. }
                | IdleFinding::AlsoLifetimeCap { .. }
        ) || (is_concluded && matches!(finding, IdleFinding::Undecided(_)))
            || is_limit(finding)
    };
    let all = findings_of(report).into_iter().filter(|finding| !about_the_search(finding));
    let limited = findings_of(report).iter().any(is_limit);
    let limit = limited.then(|| no_answer("too few connections could be open at once for the search"));
    let conclusion = conclusion.or(limit);
    let mut found: Vec<DoctorFinding> = conclusion.into_iter().chain(all.map(DoctorFinding::Idle)).collect();
    if found.is_empty() {
        found.push(no_answer("the search came to no answer"));
    }
    found
}

/// The search counts its own connections alone, and others were open.
fn is_limit(finding: &IdleFinding) -> bool {
    matches!(finding.label(), "connection_limit" | "limit_reached" | "too_few_connections")
}

/// The window that held back heartbeats of the path's connection, which were not sent.
pub fn held_back(report: &PingReport) -> Option<ExhaustedWindow> {
    let connection = connection(report)?;
    let is_unsent = connection.kinds.iter().any(|kind| kind.counts.unsent_window_exhausted > 0);
    let held_back = connection.server_traffic.as_ref().and_then(|traffic| traffic.held_back);
    is_unsent.then(|| held_back.map_or(ExhaustedWindow::Unknown, |held_back| held_back.window))
}

/// Nothing that flow control held back shows anything.
fn no_answer_held_back(window: ExhaustedWindow) -> DoctorFinding {
    no_answer(format!("the peer's flow control held heartbeats back ({})", window.sentence()))
}

/// A search that was cut short, and the silences that were survived.
fn survived_so_far(report: &IdleReport, held_back: Option<ExhaustedWindow>) -> DoctorFinding {
    let longest = report.findings.bracket.lo.or(report.findings.survived.last().copied());
    match longest {
        Some(longest) => no_answer(format!(
            "a silence of {} was survived; the time did not suffice for more",
            crate::domain::format::duration(longest)
        )),
        None => {
            held_back.map_or_else(|| no_answer("the time did not suffice for an answer"), no_answer_held_back)
        }
    }
}

/// How long the server keeps dead clients.
pub fn dead_clients(report: &ZombieReport) -> Vec<DoctorFinding> {
    if report.opened.is_none() {
        return not_opened(report.error.as_deref());
    }
    let found: Vec<DoctorFinding> = report
        .all_findings()
        .into_iter()
        .filter(|finding| !matches!(finding, ZombieFinding::Interrupted { .. }))
        .map(DoctorFinding::Zombie)
        .collect();
    if found.is_empty() {
        vec![no_answer("the server's policy does not follow from what was seen")]
    } else {
        found
    }
}

/// Whether a close frame says more than that the server goes away or is done (RFC 6455 7.4).
fn is_rejection(ending: &CloseCause) -> bool {
    match &ending.how {
        CloseKind::CloseFrame { code: Some(code), .. } => {
            ending.who == ClosedBy::Peer && !matches!(code, 1000 | 1001 | 1005 | 1006 | 1012)
        }
        _ => false,
    }
}

/// Whether connections end at a certain age.
pub fn lifetime(evidence: &PathEvidence) -> Vec<DoctorFinding> {
    let of_search = evidence.idle.as_ref().and_then(|report| report.findings.lifetime);
    if let Some(age) = of_search {
        return vec![DoctorFinding::Idle(IdleFinding::AlsoLifetimeCap { age })];
    }
    let Some(report) = evidence.ping.as_deref() else { return Vec::new() };
    let Some(connection) = connection(report).filter(|connection| connection.opened.is_some()) else {
        return Vec::new();
    };
    match &connection.lost {
        Some(ending) if is_rejection(ending) => {
            vec![DoctorFinding::ServerRejectsConnection(ending.clone())]
        }
        Some(ending) if ending.who == ClosedBy::Us || matches!(ending.how, CloseKind::Violation { .. }) => {
            vec![no_answer("the connection in use did not last to the end")]
        }
        Some(ending) => vec![DoctorFinding::ConnectionInUseEnded { ending: ending.clone() }],
        None => vec![match held_back(report) {
            Some(window) => no_answer_held_back(window),
            None => DoctorFinding::NoLifetimeSeen { watched: report.elapsed },
        }],
    }
}
