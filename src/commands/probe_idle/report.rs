//! The report of a run, from the results of its steps.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::driver::SearchResult;
use super::followup::FollowupResult;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, HttpVersion};
use crate::domain::format::duration as show;
use crate::domain::idle::product_naming::{CutObservation, NotCompared, ProductNaming, consistent_with};
use crate::domain::idle::refresh::{KeepaliveOutcome, RefreshConclusion, RefreshResults};
use crate::domain::idle::report::{Direction, IdleInfo, IdleReport, TwoEnded, VerifyOutcome};
use crate::domain::idle::{
    CutManner, IdleFinding, IdleFindings, IdleReason, IdleVerdict, LifetimeCap, Recommendation, ResetBy,
    UndecidedCause, VisibleEnd,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// The results of a run's steps.
#[derive(Default)]
pub struct RunSteps {
    pub opened: Option<Arc<ConnectInfo>>,
    pub error: Option<Arc<ConnectError>>,
    pub two_ended: Option<TwoEnded>,
    /// `None` if no search ran.
    pub search: Option<SearchResult>,
    pub followup: FollowupResult,
    /// Deviations from what was requested.
    pub notes: Vec<IdleFinding>,
    /// The user interrupted before the search.
    pub interrupted: bool,
}

impl RunSteps {
    pub fn report(self, info: Arc<IdleInfo>, started_at: SystemTime, elapsed: Duration) -> IdleReport {
        let (findings, control_end, failed) = match self.search {
            Some(SearchResult { findings, control_end, error, .. }) => {
                let refresh = self.followup.refresh.as_ref();
                (revise_findings(findings, refresh, info.search.min), control_end, error)
            }
            None => (without_search(elapsed, self.interrupted, self.error.as_deref()), None, None),
        };
        let naming =
            naming(&findings, control_end.as_ref(), self.opened.as_deref(), self.followup.refresh.as_ref());
        let expectation = info.expectation.clone().map(|expected| {
            let truth = expected.met(&findings);
            (expected, truth)
        });
        let partial = findings.partial || self.followup.interrupted;
        let mut reasons = findings.reasons.clone();
        let verdict = match (&self.opened, partial) {
            (None, true) => RunResult::Interrupted { measured: false },
            (None, false) => RunResult::Unreachable,
            (Some(_), true) => {
                interrupted(expectation.as_ref(), &findings, &self.followup, elapsed, &mut reasons)
            }
            (Some(_), false) if !findings.is_conclusive() => {
                if let Some((expected, Truth::Unknown(why))) = &expectation {
                    reasons.push(unknown_reason(expected, why).into());
                }
                RunResult::Inconclusive
            }
            (Some(_), _) => judge(expectation.as_ref(), &findings, &self.followup, &mut reasons),
        };
        IdleReport {
            started_at,
            elapsed,
            naming,
            recommendation: Recommendation::of(&findings),
            lost: lost_direction(self.two_ended, findings.manner.as_ref()),
            info,
            opened: self.opened,
            error: self.error.or(failed),
            findings,
            refresh: self.followup.refresh,
            verified: self.followup.verified,
            expectation,
            two_ended: self.two_ended,
            verdict,
            reasons,
            notes: self.notes.into_iter().chain(self.followup.skipped).collect(),
            partial,
        }
    }
}

/// Revises the findings by the followup's results.
fn revise_findings(findings: IdleFindings, refresh: Option<&RefreshResults>, min: Duration) -> IdleFindings {
    let contradicts = refresh.is_some_and(|refresh| refresh.conclusion == RefreshConclusion::Contradictory);
    match findings.verdict {
        // Which traffic resets the timer is not known then.
        IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy if contradicts => {
            IdleFindings { reset_by: None, ..findings }
        }
        IdleVerdict::LifetimeCap => revise_lifetime(findings, refresh),
        IdleVerdict::Inconclusive if findings.lifetime_or_idle.is_some() => {
            revise_lifetime(findings, refresh)
        }
        IdleVerdict::Inconclusive => {
            // Spans shorter than the minimum to be tried prove nothing.
            let lo = findings.bracket.lo.filter(|lo| *lo >= min);
            IdleFindings { bracket: Bracket { lo, ..findings.bracket }, ..findings }
        }
        IdleVerdict::IdleTimeout
        | IdleVerdict::NoTimeoutUpToMax
        | IdleVerdict::ServerKeepsItBusy
        | IdleVerdict::ServerPolicy
        | IdleVerdict::Stochastic => findings,
    }
}

/// Revises a lifetime that a connection outlived. If messages outlived it and Pings did not, it is the idle timeout of
/// a server that counts only messages; all connections of the search were idle to it.
fn revise_lifetime(findings: IdleFindings, refresh: Option<&RefreshResults>) -> IdleFindings {
    let survivor =
        refresh.and_then(|refresh| refresh.rows.iter().find(|row| row.outcome == KeepaliveOutcome::Survived));
    let (Some(refresh), Some(survivor), Some(LifetimeCap { lo: age, hi: upper })) =
        (refresh, survivor, findings.lifetime.or(findings.lifetime_or_idle))
    else {
        return findings;
    };
    let (verdict, reset_by, undecided, reason) = if refresh.conclusion == RefreshConclusion::MessagesOnly {
        let why = format!(
            "app messages outlived the age of {} at which connections ended: Ping frames do not count",
            show(age)
        );
        (IdleVerdict::IdleTimeout, Some(ResetBy::Messages), None, IdleReason::Text(why))
    } else {
        let cause = UndecidedCause::LifetimeOutlived { age, by: survivor.method };
        (IdleVerdict::Inconclusive, None, Some(cause.clone()), cause.into())
    };
    let hi = findings.bracket.hi.or(findings.spread.map(|spread| spread.max)).or(Some(upper));
    let bracket = Bracket { hi, ..findings.bracket };
    let reasons = vec![reason];
    IdleFindings {
        verdict,
        reasons,
        undecided,
        bracket,
        reset_by,
        lifetime: None,
        lifetime_or_idle: None,
        ..findings
    }
}

/// The findings of a run without a search.
fn without_search(elapsed: Duration, partial: bool, error: Option<&ConnectError>) -> IdleFindings {
    let why = error.map_or_else(|| UndecidedCause::Interrupted.into(), |error| error.to_string().into());
    let undecided = partial.then_some(UndecidedCause::Interrupted);
    IdleFindings { reasons: vec![why], undecided, partial, elapsed, ..IdleFindings::default() }
}

/// The result of an interrupted run: only a failed expectation is certain.
fn interrupted(
    expectation: Option<&(Expectation, Truth)>,
    findings: &IdleFindings,
    followup: &FollowupResult,
    elapsed: Duration,
    reasons: &mut Vec<IdleReason>,
) -> RunResult {
    let steps = if followup.interrupted { "the steps after the search were" } else { "the search was" };
    let progress = format!("interrupted after {}, before {steps} complete", show(elapsed));
    let verdict = judge(expectation, findings, followup, reasons);
    if verdict == RunResult::Failed {
        reasons.push(progress.into());
        return verdict;
    }
    reasons.insert(0, progress.into());
    RunResult::Interrupted { measured: true }
}

/// The result of a complete run: an unmet expectation or a broken recommendation fails; what is unknown is
/// inconclusive.
fn judge(
    expectation: Option<&(Expectation, Truth)>,
    findings: &IdleFindings,
    followup: &FollowupResult,
    reasons: &mut Vec<IdleReason>,
) -> RunResult {
    let expected = match expectation {
        None | Some((_, Truth::True(_) | Truth::TrueOfBounds(_))) => RunResult::Passed,
        Some((expected, Truth::False(_))) => {
            let found = describe_bracket(findings.bracket);
            reasons.push(format!("expected {expected}, but {found}").into());
            RunResult::Failed
        }
        Some((expected, Truth::Unknown(why))) => {
            reasons.push(unknown_reason(expected, why).into());
            RunResult::Inconclusive
        }
    };
    let verified = match followup.verified.as_ref().map(|verified| &verified.outcome) {
        None | Some(VerifyOutcome::Held) => RunResult::Passed,
        Some(VerifyOutcome::Ended(ending)) => {
            let why = format!("the connection kept at the recommended interval ended nevertheless: {ending}");
            reasons.push(why.into());
            RunResult::Failed
        }
        Some(VerifyOutcome::Unknown(why)) => {
            reasons.push(format!("the recommendation could not be verified: {why}").into());
            RunResult::Inconclusive
        }
    };
    RunResult::of_several(&[expected, verified])
}

/// Explains why it is unknown whether an expectation is met.
fn unknown_reason(expected: &Expectation, why: &str) -> String {
    format!("it is unknown whether it is {expected}: {why}")
}

/// Describes a bracket that decides.
fn describe_bracket(bracket: Bracket) -> String {
    match (bracket.lo, bracket.hi) {
        (Some(lo), Some(hi)) => {
            format!("the timeout is longer than {} and at most {}", show(lo), show(hi))
        }
        (None, Some(hi)) => format!("idle connections are cut after {} at the latest", show(hi)),
        (Some(lo), None) => format!("an idle span of {} survived", show(lo)),
        (None, None) => "the timeout is unknown".to_string(),
    }
}

/// The direction in which data was lost; known only in two-ended mode.
fn lost_direction(two_ended: Option<TwoEnded>, manner: Option<&CutManner>) -> Option<Direction> {
    manner.filter(|_| two_ended == Some(TwoEnded::Agreed)).and_then(Direction::lost_by)
}

/// The products that match the run's evidence.
fn naming(
    findings: &IdleFindings,
    control: Option<&VisibleEnd>,
    opened: Option<&ConnectInfo>,
    refresh: Option<&RefreshResults>,
) -> ProductNaming {
    let headers = opened.map_or(&[][..], |opened| &opened.headers);
    let observed = match findings.verdict {
        IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy => CutObservation::idle(findings, headers),
        IdleVerdict::LifetimeCap => CutObservation::lifetime(findings, control, headers),
        IdleVerdict::NoTimeoutUpToMax
        | IdleVerdict::ServerKeepsItBusy
        | IdleVerdict::Stochastic
        | IdleVerdict::Inconclusive => None,
    };
    let through_proxy = opened.is_some_and(|opened| opened.proxy.is_some());
    let observed = observed.map(|observed| CutObservation { refresh, through_proxy, ..observed });
    let over_http2 = opened.is_some_and(|opened| opened.http == HttpVersion::Http2);
    // The table says how products cut connections of HTTP/1.1; a stream that is silent is not a path that drops.
    let is_unanswered = matches!(
        findings.manner,
        Some(CutManner::Silent { acked: None } | CutManner::ClientUnheard { acked: None })
    );
    let not_compared = match over_http2 {
        true => Some(NotCompared::Http2),
        false => is_unanswered.then_some(NotCompared::AcknowledgementUnknown),
    };
    let compared = observed.as_ref().filter(|_| not_compared.is_none());
    let naming = ProductNaming { not_compared, ..compared.map(consistent_with).unwrap_or_default() };
    tracing::info!(target: "inference", of = "product naming", ?observed, ?naming);
    naming
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::NeededTraffic;
    use crate::domain::idle::refresh::{KeepaliveMethod, MethodResult};

    /// The keepalive methods beside what the controls showed, Ping frames having survived.
    fn pings_survived(known: &[(KeepaliveMethod, bool)]) -> RefreshResults {
        let row = MethodResult {
            method: KeepaliveMethod::PingPong,
            every: None,
            held: Duration::ZERO,
            outcome: KeepaliveOutcome::Survived,
        };
        RefreshResults::of(vec![row], known)
    }

    #[test]
    fn contradiction_withdraws_what_resets_the_timer() {
        let verdict = IdleVerdict::IdleTimeout;
        let found = || IdleFindings { verdict, reset_by: Some(ResetBy::Messages), ..IdleFindings::default() };
        let refresh = pings_survived(&[(KeepaliveMethod::PingPong, false)]);
        let revised = revise_findings(found(), Some(&refresh), Duration::ZERO);
        assert_eq!((revised.verdict, revised.reset_by), (IdleVerdict::IdleTimeout, None));
        let traffic = NeededTraffic::of(revised.reset_by, Some(refresh.conclusion));
        assert_eq!(traffic, NeededTraffic::Both);
        let agreeing = pings_survived(&[(KeepaliveMethod::PingPong, true)]);
        let kept = revise_findings(found(), Some(&agreeing), Duration::ZERO);
        assert_eq!(kept.reset_by, Some(ResetBy::Messages));
    }
}
