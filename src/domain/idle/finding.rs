//! The findings of a search.

use std::fmt;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

pub use super::lifetime_cap::LifetimeCap;
use super::probe::{DeathCause, VisibleEnd};
use super::reason::IdleReason;
use super::undecided::UndecidedCause;
use crate::domain::format::{at_least, at_most, duration as show};
use crate::domain::idle::incident::Incident;
use crate::domain::label::Label;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// What the path does with an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IdleVerdict {
    /// The path cuts connections that are idle for too long.
    IdleTimeout,
    /// Connections end at a certain age, idle or not. No heartbeat helps.
    LifetimeCap,
    /// The longest span tried survived.
    NoTimeoutUpToMax,
    /// The server sends by itself, so the path is never idle for long.
    ServerKeepsItBusy,
    /// The server's own rule: a close frame with an application's code.
    ServerPolicy,
    /// Idle connections die, but after no particular span.
    Stochastic,
    /// The evidence does not support an answer.
    #[default]
    Inconclusive,
}

impl fmt::Display for LifetimeCap {
    /// An age; as a range where the end was not seen.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LifetimeCap { lo, hi } = self;
        let is_exact = hi.saturating_sub(*lo) <= hi.mul_f64(0.01).max(Duration::from_millis(50));
        if is_exact { f.write_str(&show(*lo)) } else { write!(f, "{} to {}", at_least(*lo), at_most(*hi)) }
    }
}

/// The spread of the idle spans after which connections were seen to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndSpread {
    pub count: usize,
    pub min: Duration,
    /// The lower of the middle two if the count is even.
    pub median: Duration,
    pub max: Duration,
}

impl EndSpread {
    /// The spread of these spans; `None` if there are none.
    pub fn of(spans: &[Duration]) -> Option<EndSpread> {
        let mut sorted = spans.to_vec();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = *sorted.get((sorted.len() - 1) / 2)?;
        Some(EndSpread { count: sorted.len(), min, median, max })
    }
}

/// How idle connections were cut.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(CutMannerName), strum(serialize_all = "snake_case"))]
pub enum CutManner {
    /// They were seen to end while silent.
    Visible(VisibleEnd),
    /// Nothing was seen; a question was not answered.
    Silent {
        /// Whether TCP acknowledged the question: then the path carries packets both ways, and the cut is above TCP. `None`
        /// if that is unknown.
        acked: Option<bool>,
    },
    /// Nothing was seen until a question was answered by this end.
    #[strum_discriminants(strum(serialize = "rst_on_use"))]
    OnUse(VisibleEnd),
    /// Only the server's direction was lost; a question from the client restored the connection.
    ServerUnheard,
    /// Only the client's direction was lost.
    ClientUnheard {
        /// Whether TCP acknowledged the question; `None` if that is unknown.
        acked: Option<bool>,
    },
}

impl CutManner {
    /// The visible end, if there was one.
    pub fn visible_end(&self) -> Option<&VisibleEnd> {
        match self {
            CutManner::Visible(visible_end) | CutManner::OnUse(visible_end) => Some(visible_end),
            CutManner::Silent { .. } | CutManner::ServerUnheard | CutManner::ClientUnheard { .. } => None,
        }
    }

    /// Whether TCP acknowledged what was not answered; `None` if that is unknown, or if nothing stayed unanswered.
    pub fn acked(&self) -> Option<bool> {
        match self {
            CutManner::Silent { acked } | CutManner::ClientUnheard { acked } => *acked,
            CutManner::Visible(_) | CutManner::OnUse(_) | CutManner::ServerUnheard => None,
        }
    }

    /// The same manner, whatever TCP acknowledged.
    pub(super) fn regardless_of_acks(&self) -> CutManner {
        self.clone().with_acked(None)
    }

    pub(super) fn with_acked(self, acked: Option<bool>) -> CutManner {
        match self {
            CutManner::Silent { .. } => CutManner::Silent { acked },
            CutManner::ClientUnheard { .. } => CutManner::ClientUnheard { acked },
            other @ (CutManner::Visible(_) | CutManner::OnUse(_) | CutManner::ServerUnheard) => other,
        }
    }
}

impl From<&DeathCause> for CutManner {
    fn from(death: &DeathCause) -> CutManner {
        match death {
            DeathCause::Unanswered { acked } => CutManner::Silent { acked: *acked },
            DeathCause::CutOnUse(visible_end) => CutManner::OnUse(visible_end.clone()),
            DeathCause::ServerUnheard => CutManner::ServerUnheard,
            DeathCause::ClientUnheard { acked } => CutManner::ClientUnheard { acked: *acked },
        }
    }
}

/// The only kind of heartbeat that resets the timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ResetBy {
    /// Messages reset it, Ping frames do not.
    Messages,
    /// Ping frames reset it, messages do not.
    Pings,
}

/// The approximate timeout, not yet confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvisionalTimeout {
    /// The median of the visible ends so far: an upper bound.
    pub timeout: Duration,
    /// The number of visible ends.
    pub samples: usize,
    /// When it was known: time since the start of the run.
    pub at: Duration,
}

/// What the server sends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerActivity {
    /// The median of the gaps.
    pub period: Duration,
    /// The longest quiet gap that ended with a message of the server: an idle span of that length survives.
    pub longest_gap: Duration,
    /// How many messages it sent, on all connections together.
    pub count: usize,
    /// The median age at which it closed clients that had sent nothing.
    pub closes_silent_after: Option<Duration>,
    /// The server sent requests, and wscheck answered them.
    pub answered: bool,
}

/// The findings; by default nothing was found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IdleFindings {
    pub verdict: IdleVerdict,
    /// Why.
    pub reasons: Vec<IdleReason>,
    /// Why there is no answer; `None` if there is one, or if the incidents say why.
    pub undecided: Option<UndecidedCause>,
    pub bracket: Bracket,
    /// The visible ends that belong together; for a stochastic path, all deaths.
    pub spread: Option<EndSpread>,
    pub manner: Option<CutManner>,
    /// The last close frame that stated the server's reason.
    pub stated_close: Option<VisibleEnd>,
    /// The path drops connections before they are seen to end: data sent in between is lost.
    pub stops_forwarding_before_closing: bool,
    /// The age at which connections end: for [`IdleVerdict::LifetimeCap`], or beside a shorter idle timeout.
    pub lifetime: Option<LifetimeCap>,
    /// With [`IdleVerdict::Inconclusive`]: the age at which connections ended that sent one kind of
    /// heartbeat. It is a lifetime, or an idle timeout that only the other, untried kind resets.
    pub lifetime_or_idle: Option<LifetimeCap>,
    /// The only kind of heartbeat that resets the timer; `None` if every kind tried does.
    pub reset_by: Option<ResetBy>,
    pub server_activity: Option<ServerActivity>,
    pub provisional: Option<ProvisionalTimeout>,
    /// The spans that were asked and answered, ascending.
    pub survived: Vec<Duration>,
    /// The spans that were not answered, ascending, with how; includes refuted deaths.
    pub died: Vec<(Duration, CutManner)>,
    /// What ended connections but is no timeout.
    pub incidents: Vec<Incident>,
    /// Rounds that do not count because the path failed.
    pub void_rounds: u32,
    /// Connections that opened.
    pub connections: u32,
    /// The search was interrupted; these are the findings so far.
    pub partial: bool,
    pub elapsed: Duration,
}

impl IdleFindings {
    /// Whether the evidence supports an answer.
    pub fn is_conclusive(&self) -> bool {
        self.verdict != IdleVerdict::Inconclusive && !self.partial
    }
}

impl Expectation {
    /// Whether the findings meet the expectation. A path without a timeout up to the longest span, or kept
    /// busy by the server, has only a lower end. A lifetime, random deaths or an inconclusive search show
    /// nothing about the timeout.
    pub fn met(&self, findings: &IdleFindings) -> Truth {
        match findings.verdict {
            IdleVerdict::IdleTimeout
            | IdleVerdict::ServerPolicy
            | IdleVerdict::NoTimeoutUpToMax
            | IdleVerdict::ServerKeepsItBusy => self.met_by(&findings.bracket),
            verdict @ (IdleVerdict::LifetimeCap | IdleVerdict::Stochastic | IdleVerdict::Inconclusive) => {
                Truth::Unknown(format!("no idle timeout was found: {}", verdict.label()))
            }
        }
    }
}
