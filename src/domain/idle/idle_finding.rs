//! What a run learned, as data. The sentences are made in `output`.

use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::finding::{CutManner, EndSpread, IdleFindings, IdleVerdict, LifetimeCap, ResetBy, ServerActivity};
use super::incident::{Incident, IncidentKind};
use super::middleboxes::{Candidate, ProductNaming, RuledOut};
use super::probe::VisibleEnd;
use super::recommendation::{Recommendation, three_quarters};
use super::refresh::{RefreshConclusion, RefreshResults};
use super::report::{Direction, IdleReport, TwoEnded, Verification, VerifyOutcome};
use super::undecided::UndecidedCause;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::finding::{Finding, Severity};

/// One thing that a run learned. The documentation of each variant is its meaning in the schema.
#[derive(Debug, Clone, PartialEq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(IdleFindingCode), strum(serialize_all = "snake_case"))]
pub enum IdleFinding {
    /// The path cuts connections that are idle for too long.
    IdleTimeout {
        bracket: Bracket,
        manner: Option<CutManner>,
        advice: Option<Recommendation>,
        traffic: NeededTraffic,
    },
    /// Connections end at a certain age, idle or not: no heartbeat helps.
    LifetimeCap { age: Option<LifetimeCap>, advice: Option<Recommendation> },
    /// The longest idle span that was tried survived.
    NoTimeoutUpToMax { longest: Option<Duration>, advice: Option<Recommendation> },
    /// The server sends by itself, so the path is never idle for long.
    ServerKeepsItBusy {
        activity: Option<ServerActivity>,
        advice: Option<Recommendation>,
        traffic: NeededTraffic,
    },
    /// The server ended connections with a close frame that has an application code or states a reason: probably its
    /// own rule, not a timer of a proxy.
    ServerPolicy {
        bracket: Bracket,
        visible_end: Option<VisibleEnd>,
        advice: Option<Recommendation>,
        traffic: NeededTraffic,
    },
    /// Idle connections end at different times: there is no fixed timeout.
    Stochastic { spread: Option<EndSpread> },
    #[strum(transparent)]
    #[strum_discriminants(strum(disabled))]
    Undecided(UndecidedCause),
    /// Connections end at an age too, beside a shorter idle timeout.
    AlsoLifetimeCap { age: LifetimeCap },
    /// Some connections survived a clearly longer silence than others that were cut: perhaps one of several nodes or
    /// paths differs.
    OnlySomeConnectionsCut { survived_longer: usize },
    /// Only messages reset the idle timer; Ping frames do not.
    OnlyMessagesResetTimer,
    /// Only Ping frames reset the idle timer; messages do not.
    OnlyPingsResetTimer,
    /// The timeout is not longer than the shortest silence that was tried.
    TimeoutBelowMin { min: Duration },
    /// Connections ended some time apart after the same silence: the timer ticks coarsely.
    TimerIsCoarse { spread: EndSpread },
    /// A hop stops forwarding some time before it closes the connection: what is sent in between is lost.
    StopsForwardingBeforeClosing,
    /// The direction in which data is lost after the timeout; known only from a two-ended run.
    DirectionLost { direction: Direction },
    /// The server closes clients that send nothing, although it sends messages itself.
    ServerClosesSilentClients { age: Duration },
    /// What the tried keepalive methods show about the traffic that keeps a connection open.
    KeepaliveMethodsCompared { conclusion: RefreshConclusion },
    /// The evidence fits a known timer of this product, and singles it out. It is no proof.
    LikelyProduct { candidate: Candidate },
    /// Known timers fit the evidence, and nothing singles one out.
    PossibleProducts { candidates: Vec<Candidate>, manner: Option<CutManner> },
    /// A response header names a product whose timers contradict the evidence.
    HeaderNamesOtherProduct { ruled_out: RuledOut },
    /// A cut was measured that no known timer fits.
    NoKnownTimerFits,
    /// Connections of different age ended at the same moment: a restart or another single event, not a timeout.
    EndedAtOneMoment { incident: Incident },
    /// The control was not answered for a while; connections that died meanwhile do not count.
    PathLost { incident: Incident },
    /// Connections ended right after opening, or when another one opened.
    EndedRightAfterOpening { incident: Incident },
    /// The server sent something that the protocol forbids or that is too large, so wscheck closed connections.
    ServerBrokeProtocol { incident: Incident },
    /// Rounds of the search do not count because the path failed.
    RoundsVoid { rounds: u32, cause: VoidCause },
    /// A connection with the recommended heartbeat stayed open for more than two timeouts.
    RecommendationHeld { verification: Verification },
    /// A connection with the recommended heartbeat ended too early.
    RecommendationFailed { verification: Verification },
    /// Whether the recommended heartbeat keeps a connection open is unknown.
    RecommendationUnverified { verification: Verification },
    /// The server does not support two-ended mode, so its direction was not tested alone.
    TwoEndedRefused,
    /// Two-ended mode tests one idle span at a time, whatever the strategy.
    OneSpanAtATime,
    /// Connections open too slowly for the requested precision, so the search was less precise.
    PrecisionReduced { precision: Duration },
    /// This host was stalled during the search: what ended meanwhile was read late.
    HostStalled { stall: Duration },
    /// Messages came, but none matched the pattern of the answer.
    AnswersNotRecognized { ask: String, answer: String, came: String },
    /// The keepalive methods were requested and not tried.
    KeepaliveMethodsSkipped { cause: SkipCause },
    /// The verification was requested and skipped.
    VerificationSkipped { cause: SkipCause },
}

/// Which traffic keeps a connection open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum NeededTraffic {
    /// Any heartbeat.
    Any,
    /// Messages.
    Messages,
    /// Ping frames.
    Pings,
    /// Heartbeats that the server answers.
    Answered,
}

impl NeededTraffic {
    fn of(reset_by: Option<ResetBy>, refresh: Option<RefreshConclusion>) -> NeededTraffic {
        match (reset_by, refresh) {
            (Some(ResetBy::Messages), _) | (None, Some(RefreshConclusion::MessagesOnly)) => {
                NeededTraffic::Messages
            }
            (Some(ResetBy::Pings), _) => NeededTraffic::Pings,
            (None, Some(RefreshConclusion::ServerToClient)) => NeededTraffic::Answered,
            (None, _) => NeededTraffic::Any,
        }
    }
}

/// Why rounds do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum VoidCause {
    /// Connections ended at the same moment.
    OneMoment,
    /// The control died at different ages.
    ControlDied,
    /// The control got no answer.
    ControlUnanswered,
}

/// Why a step after the search was skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum SkipCause {
    NoSilenceSurvived,
    NoUpperEndKnown,
    LifetimeUnknown,
    NothingWasCut,
    ServerKeepsItOpen,
    NoAnswerFound,
    NoIntervalIsCertain,
    NoHeartbeatPreventsLifetime,
    NoTimeoutFound,
    NoIntervalRecommended,
}

impl Finding for IdleFinding {
    fn severity(&self) -> Severity {
        match IdleFindingCode::from(self) {
            IdleFindingCode::NoTimeoutUpToMax
            | IdleFindingCode::ServerKeepsItBusy
            | IdleFindingCode::RecommendationHeld => Severity::Ok,
            IdleFindingCode::LikelyProduct
            | IdleFindingCode::PossibleProducts
            | IdleFindingCode::HeaderNamesOtherProduct
            | IdleFindingCode::NoKnownTimerFits
            | IdleFindingCode::TimerIsCoarse
            | IdleFindingCode::KeepaliveMethodsCompared
            | IdleFindingCode::OneSpanAtATime
            | IdleFindingCode::KeepaliveMethodsSkipped
            | IdleFindingCode::VerificationSkipped => Severity::Info,
            IdleFindingCode::IdleTimeout
            | IdleFindingCode::LifetimeCap
            | IdleFindingCode::ServerPolicy
            | IdleFindingCode::Undecided
            | IdleFindingCode::AlsoLifetimeCap
            | IdleFindingCode::OnlySomeConnectionsCut
            | IdleFindingCode::OnlyMessagesResetTimer
            | IdleFindingCode::OnlyPingsResetTimer
            | IdleFindingCode::TimeoutBelowMin
            | IdleFindingCode::StopsForwardingBeforeClosing
            | IdleFindingCode::DirectionLost
            | IdleFindingCode::ServerClosesSilentClients
            | IdleFindingCode::EndedAtOneMoment
            | IdleFindingCode::PathLost
            | IdleFindingCode::EndedRightAfterOpening
            | IdleFindingCode::RoundsVoid
            | IdleFindingCode::RecommendationUnverified
            | IdleFindingCode::TwoEndedRefused
            | IdleFindingCode::PrecisionReduced
            | IdleFindingCode::HostStalled
            | IdleFindingCode::AnswersNotRecognized => Severity::Warning,
            IdleFindingCode::Stochastic
            | IdleFindingCode::ServerBrokeProtocol
            | IdleFindingCode::RecommendationFailed => Severity::Problem,
        }
    }
}

/// All findings of a run: the conclusion first, then its details, then where the run differed from the request.
pub fn findings_of(report: &IdleReport) -> Vec<IdleFinding> {
    let findings = &report.findings;
    let two_ended = (report.two_ended == Some(TwoEnded::Refused)).then_some(IdleFinding::TwoEndedRefused);
    let mut all: Vec<IdleFinding> = conclusion(report).into_iter().collect();
    all.extend(timer_details(findings, report.info.search.min));
    all.extend(report.lost.map(|direction| IdleFinding::DirectionLost { direction }));
    all.extend(report.refresh.as_ref().map(|RefreshResults { conclusion, .. }| {
        IdleFinding::KeepaliveMethodsCompared { conclusion: *conclusion }
    }));
    all.extend(products(&report.naming, findings));
    all.extend(findings.incidents.iter().map(incident));
    all.extend(rounds_void(findings));
    all.extend(report.verified.as_ref().map(verified));
    all.extend(two_ended);
    all.extend(report.notes.iter().cloned());
    all
}

/// The answer; `None` if nothing opened, or if the incidents say why there is none.
fn conclusion(report: &IdleReport) -> Option<IdleFinding> {
    let (findings, advice) = (&report.findings, report.prescription);
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
            IdleFinding::ServerKeepsItBusy { activity: findings.chatter, advice, traffic }
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
        findings.lingers.then_some(IdleFinding::StopsForwardingBeforeClosing),
        lifetime.map(|age| IdleFinding::AlsoLifetimeCap { age }),
        findings
            .chatter
            .and_then(|activity| activity.lets_go)
            .map(|age| IdleFinding::ServerClosesSilentClients { age }),
    ];
    details.into_iter().flatten().collect()
}

/// Whether connections survived a clearly longer silence.
fn only_some_cut(hi: Duration, findings: &IdleFindings) -> Option<IdleFinding> {
    let survived_longer = findings.survived.iter().filter(|span| **span > hi.mul_f64(1.05)).count();
    (findings.verdict == IdleVerdict::IdleTimeout && survived_longer > 0)
        .then_some(IdleFinding::OnlySomeConnectionsCut { survived_longer })
}

fn products(naming: &ProductNaming, findings: &IdleFindings) -> Vec<IdleFinding> {
    let ProductNaming { candidates, undecided, ruled_out } = naming;
    let likely = candidates.iter().cloned().map(|candidate| IdleFinding::LikelyProduct { candidate });
    let possible = (!undecided.is_empty()).then(|| IdleFinding::PossibleProducts {
        candidates: undecided.clone(),
        manner: findings.manner.clone(),
    });
    let is_measured = match findings.verdict {
        IdleVerdict::IdleTimeout => findings.bracket.hi.is_some(),
        IdleVerdict::LifetimeCap => true,
        IdleVerdict::NoTimeoutUpToMax
        | IdleVerdict::ServerKeepsItBusy
        | IdleVerdict::ServerPolicy
        | IdleVerdict::Stochastic
        | IdleVerdict::Inconclusive => false,
    };
    let is_unknown = is_measured && candidates.is_empty() && undecided.is_empty();
    let others =
        ruled_out.iter().cloned().map(|ruled_out| IdleFinding::HeaderNamesOtherProduct { ruled_out });
    likely.chain(possible).chain(is_unknown.then_some(IdleFinding::NoKnownTimerFits)).chain(others).collect()
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
    let is_one_moment = findings.incidents.iter().any(|incident| incident.kind == IncidentKind::OneMoment);
    let cause = match findings.undecided {
        _ if is_one_moment => VoidCause::OneMoment,
        Some(UndecidedCause::PathUnsteady { .. }) => VoidCause::ControlDied,
        _ => VoidCause::ControlUnanswered,
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

impl UndecidedCause {
    /// The age before which to reconnect, or the interval at which to send messages, whichever of both it is.
    pub fn safe_age(&self) -> Option<Duration> {
        match self {
            UndecidedCause::LifetimeOrIdleTimeout { age, .. } => Some(three_quarters(age.lo)),
            _ => None,
        }
    }
}
