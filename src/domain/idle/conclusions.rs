//! The findings of a search, from its report.

use std::time::Duration;

use super::finding::{CutManner, IdleFindings, IdleVerdict, ResetBy};
use super::idle_finding::{IdleFinding, NeededTraffic, VoidCause};
use super::incident::{Incident, IncidentKind};
use super::product_naming::ProductNaming;
use super::refresh::RefreshResults;
use super::report::{IdleReport, TwoEnded, Verification, VerifyOutcome};

/// All findings of a run: the conclusion first, then its details, then where the run differed from the request.
pub fn findings_of(report: &IdleReport) -> Vec<IdleFinding> {
    let findings = &report.findings;
    let two_ended = (report.two_ended == Some(TwoEnded::Refused)).then_some(IdleFinding::TwoEndedRefused);
    let mut all: Vec<IdleFinding> = conclusion(report).into_iter().collect();
    all.extend(timer_details(findings, report.info.search.min));
    all.extend(above_tcp(report));
    all.extend(report.lost.map(|direction| IdleFinding::DirectionLost { direction }));
    all.extend(report.refresh.as_ref().map(|RefreshResults { conclusion, scope, .. }| {
        IdleFinding::KeepaliveMethodsCompared { conclusion: *conclusion, scope: *scope }
    }));
    all.extend(products(&report.naming, findings));
    all.extend(
        findings.incidents.iter().filter(|incident| !is_explained(findings, incident)).map(self::incident),
    );
    all.extend(rounds_void(findings));
    all.extend(report.verified.as_ref().map(verified));
    all.extend(two_ended);
    all.extend(report.notes.iter().cloned());
    all
}

/// The answer; `None` if nothing opened, or if the incidents say why there is none.
fn conclusion(report: &IdleReport) -> Option<IdleFinding> {
    let (findings, advice) = (&report.findings, report.recommendation);
    let bracket = findings.bracket;
    let refresh = report.refresh.as_ref().map(|refresh| refresh.conclusion);
    let traffic = NeededTraffic::of(findings.reset_by, refresh);
    Some(match findings.verdict {
        IdleVerdict::IdleTimeout => {
            IdleFinding::IdleTimeout { bracket, manner: findings.manner.clone(), advice, traffic }
        }
        IdleVerdict::LifetimeCap => IdleFinding::LifetimeCap { age: findings.lifetime, advice },
        IdleVerdict::NoTimeoutUpToMax => {
            let longest = bracket.lo.or(findings.survived.last().copied());
            IdleFinding::NoTimeoutUpToMax { longest, advice }
        }
        IdleVerdict::ServerKeepsItBusy => {
            IdleFinding::ServerKeepsItBusy { activity: findings.server_activity, advice, traffic }
        }
        IdleVerdict::ServerPolicy => {
            let visible_end = findings.stated_close.clone();
            IdleFinding::ServerPolicy { bracket, visible_end, advice, traffic }
        }
        IdleVerdict::Stochastic => IdleFinding::Stochastic { spread: findings.spread },
        IdleVerdict::Inconclusive => IdleFinding::Undecided(findings.undecided.clone()?),
    })
}

/// Visible ends further apart than this come from a coarse timer.
const COARSE_TIMER_SPREAD: Duration = Duration::from_millis(200);

/// What else is known about the timer.
fn timer_details(findings: &IdleFindings, min: Duration) -> Vec<IdleFinding> {
    let has_timeout = matches!(findings.verdict, IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy);
    let lifetime = findings.lifetime.filter(|_| findings.verdict != IdleVerdict::LifetimeCap);
    let hi = findings.bracket.hi.filter(|_| has_timeout);
    let coarse = findings.spread.filter(|spread| {
        hi.is_some() && spread.count > 1 && spread.max.saturating_sub(spread.min) > COARSE_TIMER_SPREAD
    });
    let details = [
        hi.and_then(|hi| only_some_cut(hi, findings)),
        findings.reset_by.filter(|_| has_timeout).map(|reset_by| match reset_by {
            ResetBy::Messages => IdleFinding::OnlyMessagesResetTimer,
            ResetBy::Pings => IdleFinding::OnlyPingsResetTimer,
        }),
        hi.filter(|hi| *hi <= min).map(|_| IdleFinding::TimeoutBelowMin { min }),
        coarse.map(|spread| IdleFinding::TimerIsCoarse { spread }),
        findings.stops_forwarding_before_closing.then_some(IdleFinding::StopsForwardingBeforeClosing),
        lifetime.map(|age| IdleFinding::AlsoLifetimeCap { age }),
        findings
            .server_activity
            .and_then(|activity| activity.closes_silent_after)
            .map(|age| IdleFinding::ServerClosesSilentClients { age }),
    ];
    details.into_iter().flatten().collect()
}

/// Whether TCP acknowledged what was sent after the silence and not answered.
fn above_tcp(report: &IdleReport) -> Option<IdleFinding> {
    let verdict = report.findings.verdict;
    let is_cut =
        matches!(verdict, IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy | IdleVerdict::Stochastic);
    let acked = report.findings.manner.as_ref().and_then(CutManner::acked);
    let through_proxy = report.opened.as_ref().is_some_and(|opened| opened.proxy.is_some());
    (is_cut && acked == Some(true)).then_some(IdleFinding::CutAboveTcp { through_proxy })
}

/// Whether connections survived a clearly longer silence.
fn only_some_cut(hi: Duration, findings: &IdleFindings) -> Option<IdleFinding> {
    let survived_longer = findings.survived.iter().filter(|span| **span > hi.mul_f64(1.05)).count();
    (findings.verdict == IdleVerdict::IdleTimeout && survived_longer > 0)
        .then_some(IdleFinding::OnlySomeConnectionsCut { survived_longer })
}

fn products(naming: &ProductNaming, findings: &IdleFindings) -> Vec<IdleFinding> {
    let ProductNaming { candidates, undecided, ruled_out, not_compared } = naming;
    let likely = candidates.iter().cloned().map(|candidate| IdleFinding::LikelyProduct { candidate });
    let possible = (!undecided.is_empty()).then(|| IdleFinding::PossibleProducts {
        candidates: undecided.clone(),
        manner: findings.manner.clone(),
    });
    let is_measured = findings.verdict == IdleVerdict::LifetimeCap
        || (findings.verdict == IdleVerdict::IdleTimeout && findings.bracket.hi.is_some());
    let is_unknown = is_measured && candidates.is_empty() && undecided.is_empty();
    let others =
        ruled_out.iter().cloned().map(|ruled_out| IdleFinding::HeaderNamesOtherProduct { ruled_out });
    let unknown = is_unknown.then_some(IdleFinding::NoKnownTimerFits { not_compared: *not_compared });
    likely.chain(possible).chain(unknown).chain(others).collect()
}

/// Whether ends of different age at one moment have another explanation than an event: an age, a control whose heartbeats
/// do not count, or a timer that is checked now and then.
fn is_explained(findings: &IdleFindings, incident: &Incident) -> bool {
    let has_age = findings.lifetime.is_some() || findings.lifetime_or_idle.is_some();
    let is_checked = findings.spread.is_some_and(|spread| spread.max - spread.min > COARSE_TIMER_SPREAD);
    incident.kind == IncidentKind::OneMoment && (has_age || findings.reset_by.is_some() || is_checked)
}

fn incident(incident: &Incident) -> IdleFinding {
    let (kind, incident) = (incident.kind, incident.clone());
    match kind {
        IncidentKind::OneMoment => IdleFinding::EndedAtOneMoment { incident },
        IncidentKind::PathLost => IdleFinding::PathLost { incident },
        IncidentKind::EndedAtOnce => IdleFinding::EndedRightAfterOpening { incident },
        IncidentKind::Violation => IdleFinding::ServerBrokeProtocol { incident },
    }
}

/// Rounds that do not count, unless the age of the connections explains them.
fn rounds_void(findings: &IdleFindings) -> Option<IdleFinding> {
    let is_age = findings.verdict == IdleVerdict::LifetimeCap || findings.lifetime_or_idle.is_some();
    let has = |kind| findings.incidents.iter().any(|incident| incident.kind == kind);
    let cause = if has(IncidentKind::OneMoment) {
        VoidCause::OneMoment
    } else if has(IncidentKind::PathLost) {
        VoidCause::ControlUnanswered
    } else {
        VoidCause::ControlDied
    };
    let rounds = findings.void_rounds;
    (rounds > 0 && !is_age).then_some(IdleFinding::RoundsVoid { rounds, cause })
}

fn verified(verification: &Verification) -> IdleFinding {
    let verification = verification.clone();
    match verification.outcome {
        VerifyOutcome::Held => IdleFinding::RecommendationHeld { verification },
        VerifyOutcome::Ended(_) => IdleFinding::RecommendationFailed { verification },
        VerifyOutcome::Unknown(_) => IdleFinding::RecommendationUnverified { verification },
    }
}
