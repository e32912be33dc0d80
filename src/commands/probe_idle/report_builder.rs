//! What a run comes to.

use crate::domain::run::run_result::RunResult;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::driver::SearchResult;
use super::followup::FollowupResult;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::format::{duration, exact_duration as show};
use crate::domain::idle::middleboxes::{CutObservation, ProductNaming, consistent_with};
use crate::domain::idle::refresh::{KeepaliveOutcome, RefreshConclusion, RefreshResults};
use crate::domain::idle::report::{Direction, IdleInfo, IdleReport, TwoEnded, VerifyOutcome};
use crate::domain::idle::{
    CutManner, IdleFindings, IdleVerdict, LifetimeCap, Recommendation, ResetBy, VisibleEnd,
};
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// All that a run gathered.
pub struct ReportBuilder {
    pub info: Arc<IdleInfo>,
    pub started_at: SystemTime,
    pub start: Instant,
    pub opened: Option<Arc<ConnectInfo>>,
    pub error: Option<Arc<ConnectError>>,
    pub two_ended: Option<TwoEnded>,
    /// `None`: there was no search.
    pub catch: Option<SearchResult>,
    pub after: FollowupResult,
    /// What was done otherwise than asked.
    pub notes: Vec<String>,
    /// The user ended it before there was a search.
    pub interrupted: bool,
}

impl ReportBuilder {
    pub fn new(info: Arc<IdleInfo>, started_at: SystemTime) -> ReportBuilder {
        ReportBuilder {
            info,
            started_at,
            start: Instant::now(),
            opened: None,
            error: None,
            two_ended: None,
            catch: None,
            after: FollowupResult::default(),
            notes: Vec::new(),
            interrupted: false,
        }
    }

    pub fn report(self) -> IdleReport {
        let elapsed = self.start.elapsed();
        let control_cut = self.catch.as_ref().and_then(|catch| catch.control_cut.clone());
        let failed = self.catch.as_ref().and_then(|catch| catch.error.clone());
        let findings = match self.catch {
            Some(catch) => settled(catch.findings, self.after.refresh.as_ref(), self.info.search.min),
            None => nothing_found(elapsed, self.interrupted, self.error.as_deref()),
        };
        let naming =
            naming(&findings, control_cut.as_ref(), self.opened.as_deref(), self.after.refresh.as_ref());
        let expectation = self.info.expectation.clone().map(|expected| {
            let truth = expected.met(&findings);
            (expected, truth)
        });
        let partial = findings.partial || self.after.interrupted;
        let mut reasons = findings.reasons.clone();
        let verdict = match (&self.opened, partial) {
            (None, true) => RunResult::Interrupted { measured: false },
            (None, false) => RunResult::Unreachable,
            (Some(_), true) => {
                interrupted(expectation.as_ref(), &findings, &self.after, elapsed, &mut reasons)
            }
            (Some(_), false) if !findings.is_conclusive() => {
                if let Some((expected, Truth::Unknown(why))) = &expectation {
                    reasons.push(untold(expected, why));
                }
                RunResult::Inconclusive
            }
            (Some(_), _) => judge(expectation.as_ref(), &findings, &self.after, &mut reasons),
        };
        IdleReport {
            url: self.info.url.clone(),
            started_at: self.started_at,
            elapsed,
            naming,
            prescription: Recommendation::of(&findings),
            lost: lost(self.two_ended, findings.manner.as_ref()),
            info: self.info,
            opened: self.opened,
            error: self.error.or(failed),
            findings,
            refresh: self.after.refresh,
            verified: self.after.verified,
            expectation,
            two_ended: self.two_ended,
            verdict,
            reasons,
            notes: self.notes.into_iter().chain(self.after.untried).collect(),
            partial,
        }
    }
}

/// The findings in the light of what followed.
fn settled(findings: IdleFindings, refresh: Option<&RefreshResults>, min: Duration) -> IdleFindings {
    match findings.verdict {
        IdleVerdict::LifetimeCap => outlived(findings, refresh),
        IdleVerdict::Inconclusive if findings.lifetime_or_idle.is_some() => outlived(findings, refresh),
        IdleVerdict::Inconclusive => {
            // What is shorter than any span that was to be tried answers nothing.
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

/// What a connection outlived was no lifetime. Where messages did it and Pings did not, it is the idle timeout
/// of a server that counts only messages, and every connection of the search was idle to it.
fn outlived(findings: IdleFindings, refresh: Option<&RefreshResults>) -> IdleFindings {
    let survivor =
        refresh.and_then(|refresh| refresh.rows.iter().find(|row| row.outcome == KeepaliveOutcome::Survived));
    let (Some(refresh), Some(survivor), Some(LifetimeCap { lo: age, hi: gone })) =
        (refresh, survivor, findings.lifetime.or(findings.lifetime_or_idle))
    else {
        return findings;
    };
    let (verdict, reset_by, reason) = match refresh.conclusion {
        RefreshConclusion::MessagesOnly => (
            IdleVerdict::IdleTimeout,
            Some(ResetBy::Messages),
            format!(
                "what ended at the age of {} was outlived by app messages: Ping frames do not count",
                show(age)
            ),
        ),
        _ => (
            IdleVerdict::Inconclusive,
            None,
            format!(
                "connections that were never idle ended at the age of {}, but {} outlived it",
                show(age),
                survivor.method.label().replace('_', " ")
            ),
        ),
    };
    let hi = findings.bracket.hi.or(findings.spread.map(|spread| spread.max)).or(Some(gone));
    let bracket = Bracket { hi, ..findings.bracket };
    let reasons = vec![reason];
    IdleFindings { verdict, reasons, bracket, reset_by, lifetime: None, lifetime_or_idle: None, ..findings }
}

/// The findings of a run that never came to search.
fn nothing_found(elapsed: Duration, partial: bool, error: Option<&ConnectError>) -> IdleFindings {
    let why = error.map_or_else(|| "interrupted".to_string(), ConnectError::to_string);
    IdleFindings {
        verdict: IdleVerdict::Inconclusive,
        reasons: vec![why],
        bracket: Bracket::default(),
        spread: None,
        manner: None,
        lingers: false,
        lifetime: None,
        lifetime_or_idle: None,
        reset_by: None,
        chatter: None,
        provisional: None,
        survived: Vec::new(),
        died: Vec::new(),
        incidents: Vec::new(),
        void_rounds: 0,
        connections: 0,
        partial,
        elapsed,
    }
}

/// What a run is worth that the user ended before it was complete: only what was not as expected is decided.
fn interrupted(
    expectation: Option<&(Expectation, Truth)>,
    findings: &IdleFindings,
    after: &FollowupResult,
    elapsed: Duration,
    reasons: &mut Vec<String>,
) -> RunResult {
    let lacking = if after.interrupted {
        "all was tried that was to follow the search"
    } else {
        "the search was complete"
    };
    let progress = format!("interrupted after {}, before {lacking}", duration(elapsed));
    let verdict = judge(expectation, findings, after, reasons);
    if verdict == RunResult::Failed {
        reasons.push(progress);
        return verdict;
    }
    reasons.insert(0, progress);
    RunResult::Interrupted { measured: true }
}

/// What a measured run is worth: a false expectation and a broken prescription are found wanting; what cannot
/// be known is inconclusive.
fn judge(
    expectation: Option<&(Expectation, Truth)>,
    findings: &IdleFindings,
    after: &FollowupResult,
    reasons: &mut Vec<String>,
) -> RunResult {
    let expected = match expectation {
        None | Some((_, Truth::True(_) | Truth::TrueOfBounds(_))) => RunResult::Passed,
        Some((expected, Truth::False)) => {
            reasons.push(format!("expected {expected}, but {}", told(findings.bracket)));
            RunResult::Failed
        }
        Some((expected, Truth::Unknown(why))) => {
            reasons.push(untold(expected, why));
            RunResult::Inconclusive
        }
    };
    let verified = match after.verified.as_ref().map(|verified| &verified.outcome) {
        None | Some(VerifyOutcome::Held) => RunResult::Passed,
        Some(VerifyOutcome::Ended(ending)) => {
            reasons
                .push(format!("the connection held at the prescribed interval ended all the same: {ending}"));
            RunResult::Failed
        }
        Some(VerifyOutcome::Unknown(why)) => {
            reasons.push(format!("the prescription could not be verified: {why}"));
            RunResult::Inconclusive
        }
    };
    RunResult::of_several(&[expected, verified])
}

/// Why it is not known whether an expectation is met.
fn untold(expected: &Expectation, why: &str) -> String {
    format!("whether it is {expected} cannot be told: {why}")
}

/// What a bracket that decides says.
fn told(bracket: Bracket) -> String {
    match (bracket.lo, bracket.hi) {
        (Some(lo), Some(hi)) => {
            format!("the timeout is longer than {} and at most {}", show(lo), show(hi))
        }
        (None, Some(hi)) => format!("idle connections are cut after {} at the latest", show(hi)),
        (Some(lo), None) => format!("an idle span of {} survived", show(lo)),
        (None, None) => "nothing is known of the timeout".to_string(),
    }
}

/// The direction that a cut lost; only a two-ended run can tell.
fn lost(two_ended: Option<TwoEnded>, manner: Option<&CutManner>) -> Option<Direction> {
    manner.filter(|_| two_ended == Some(TwoEnded::Agreed)).and_then(Direction::lost_by)
}

/// The products that the whole run's evidence names.
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
    observed.map(|observed| consistent_with(&observed)).unwrap_or_default()
}
