//! What a run learned, as data. The sentences are made in `output`.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::direction::Direction;
use super::finding::{CutManner, EndSpread, LifetimeCap, ResetBy, ServerActivity};
use super::incident::Incident;
use super::probe::VisibleEnd;
use super::product_naming::{Candidate, NotCompared, RuledOut};
use super::recommendation::Recommendation;
use super::refresh::{RefreshConclusion, TimerScope};
use super::undecided::UndecidedCause;
use super::verification::Verification;
use crate::domain::connection::goaway::GoawaySummary;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::finding::findings;

findings! {
    /// One thing that a run learned. The documentation of each variant is its meaning in the schema.
    IdleFinding, IdleFindingCode {
        /// The path cuts connections that are idle for too long.
        Warning IdleTimeout {
            bracket: Bracket,
            manner: Option<CutManner>,
            advice: Option<Recommendation>,
            traffic: NeededTraffic,
        },
        /// Connections end at a certain age, idle or not: no heartbeat helps.
        Warning LifetimeCap { age: Option<LifetimeCap>, advice: Option<Recommendation> },
        /// The longest idle span that was tried survived.
        Ok NoTimeoutUpToMax { longest: Option<Duration>, advice: Option<Recommendation> },
        /// The server sends by itself, so the path is never idle for long.
        Ok ServerKeepsItBusy {
            activity: Option<ServerActivity>,
            advice: Option<Recommendation>,
            traffic: NeededTraffic,
        },
        /// The server ended connections with a close frame that has an application code or states a reason: probably its
        /// own rule, not a timer of a proxy.
        Warning ServerPolicy {
            bracket: Bracket,
            visible_end: Option<VisibleEnd>,
            advice: Option<Recommendation>,
            traffic: NeededTraffic,
        },
        /// Idle connections end at different times: there is no fixed timeout.
        Problem Stochastic { spread: Option<EndSpread> },
        #[strum(transparent)]
        #[strum_discriminants(strum(disabled))]
        Warning Undecided(UndecidedCause),
        /// Connections end at an age too, beside a shorter idle timeout.
        Warning AlsoLifetimeCap { age: LifetimeCap },
        /// Some connections survived a clearly longer silence than others that were cut: perhaps one of several nodes or
        /// paths differs.
        Warning OnlySomeConnectionsCut { survived_longer: usize },
        /// Only messages reset the idle timer; Ping frames do not.
        Warning OnlyMessagesResetTimer,
        /// Only Ping frames reset the idle timer; messages do not.
        Warning OnlyPingsResetTimer,
        /// The timeout is not longer than the shortest silence that was tried.
        Warning TimeoutBelowMin { min: Duration },
        /// Connections ended some time apart after the same silence: the timer ticks coarsely.
        Info TimerIsCoarse { spread: EndSpread },
        /// A hop stops forwarding some time before it closes the connection: what is sent in between is lost.
        Warning StopsForwardingBeforeClosing,
        /// TCP acknowledged what was sent after the silence, and nothing answered it: the path to what ends TCP, the server or the
        /// first proxy, did not drop the connection. With `through_proxy` that is the client's own HTTP proxy.
        Info CutAboveTcp { through_proxy: bool },
        /// The direction in which data is lost after the timeout; known only from a two-ended run.
        Warning DirectionLost { direction: Direction },
        /// The server closes clients that send nothing, although it sends messages itself.
        Warning ServerClosesSilentClients { age: Duration },
        /// What the tried keepalive methods show about the traffic that keeps a connection open.
        Info KeepaliveMethodsCompared { conclusion: RefreshConclusion, scope: Option<TimerScope> },
        /// The evidence fits a known timer of this product, and singles it out. It is no proof.
        Info LikelyProduct { candidate: Candidate },
        /// Known timers fit the evidence, and nothing singles one out.
        Info PossibleProducts { candidates: Vec<Candidate>, manner: Option<CutManner> },
        /// A response header names a product whose timers contradict the evidence.
        Info HeaderNamesOtherProduct { ruled_out: RuledOut },
        /// A cut was measured that no known timer fits, or that cannot be compared with the known timers.
        Info NoKnownTimerFits { not_compared: Option<NotCompared> },
        /// Connections of different age ended at the same moment, which counts for no timeout; what caused it was not seen.
        Warning EndedAtOneMoment { incident: Incident },
        /// The control was not answered for a while; connections that died meanwhile do not count.
        Warning PathLost { incident: Incident },
        /// Connections ended right after opening, or when another one opened.
        Warning EndedRightAfterOpening { incident: Incident },
        /// The server sent something that the protocol forbids or that is too large, so wscheck closed connections.
        Problem ServerBrokeProtocol { incident: Incident },
        /// Rounds of the search do not count because the path failed.
        Warning RoundsVoid { rounds: u32, cause: VoidCause },
        /// A connection with the recommended heartbeat stayed open for more than two timeouts.
        Ok RecommendationHeld { verification: Verification },
        /// A connection with the recommended heartbeat ended too early.
        Problem RecommendationFailed { verification: Verification },
        /// Whether the recommended heartbeat keeps a connection open is unknown.
        Warning RecommendationUnverified { verification: Verification },
        /// The server does not support two-ended mode, so its direction was not tested alone.
        Warning TwoEndedRefused,
        /// Two-ended mode tests one idle span at a time, whatever the strategy.
        Info OneSpanAtATime,
        /// Connections open too slowly for the requested precision, so the search was less precise.
        Warning PrecisionReduced { precision: Duration },
        /// The peer of HTTP/2 announced that it accepts no new streams on a connection (GOAWAY). WebSockets on it may go on for a while.
        Warning H2GoawayReceived { goaways: GoawaySummary },
        /// This host was stalled during the search: what ended meanwhile was read late.
        Warning HostStalled { stall: Duration },
        /// Messages came, but none matched the pattern of the answer.
        Warning AnswersNotRecognized { ask: String, answer: String, came: String },
        /// The keepalive methods were requested and not tried.
        Info KeepaliveMethodsSkipped { cause: SkipCause },
        /// The verification was requested and skipped.
        Info VerificationSkipped { cause: SkipCause },
    }
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
    /// Ping frames and messages, because it is unknown which of them count.
    Both,
}

impl NeededTraffic {
    /// From the controls of the search, and from the keepalive methods if they were tried.
    pub fn of(reset_by: Option<ResetBy>, refresh: Option<RefreshConclusion>) -> NeededTraffic {
        match (refresh, reset_by) {
            (Some(RefreshConclusion::Contradictory), _) => NeededTraffic::Both,
            (_, Some(ResetBy::Messages)) => NeededTraffic::Messages,
            (_, Some(ResetBy::Pings)) => NeededTraffic::Pings,
            (Some(RefreshConclusion::MessagesOnly | RefreshConclusion::PongsNotPings), None) => {
                NeededTraffic::Messages
            }
            (Some(RefreshConclusion::PingsOnly | RefreshConclusion::PingsNotPongs), None) => {
                NeededTraffic::Pings
            }
            (Some(RefreshConclusion::ServerToClient), None) => NeededTraffic::Answered,
            (_, None) => NeededTraffic::Any,
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
