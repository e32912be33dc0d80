//! What a search came to, as values.

use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::probe::{DeathCause, VisibleEnd};
use crate::domain::idle::incident::Incident;
use crate::domain::label::Label;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::expectation::Expectation;
use crate::domain::run::truth::Truth;

/// What the path does with an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IdleVerdict {
    /// Something cuts connections that are idle for too long.
    IdleTimeout,
    /// Connections end at a certain age, idle or not. No heartbeat helps.
    LifetimeCap,
    /// The longest span that was tried survived.
    NoTimeoutUpToMax,
    /// The server speaks by itself, so the path is never idle for long.
    ServerKeepsItBusy,
    /// The server's own rule: a close frame with an application's code.
    ServerPolicy,
    /// Idle connections die, but at no particular span.
    Stochastic,
    /// The evidence does not support an answer.
    Inconclusive,
}

/// The age at which connections end, idle or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LifetimeCap {
    /// So old they were known to be alive.
    pub lo: Duration,
    /// So old they were known to be gone; the same, where the end itself was seen.
    pub hi: Duration,
}

/// The idle spans after which connections were seen to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndSpread {
    pub count: usize,
    pub min: Duration,
    /// The lower of the middle two, where the count is even.
    pub median: Duration,
    pub max: Duration,
}

impl EndSpread {
    /// Of these spans; `None` of none.
    pub fn of(spans: &[Duration]) -> Option<EndSpread> {
        let mut sorted = spans.to_vec();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = *sorted.get((sorted.len() - 1) / 2)?;
        Some(EndSpread { count: sorted.len(), min, median, max })
    }
}

/// How the idle connections were cut.
#[derive(Debug, Clone, PartialEq, Eq, EnumDiscriminants)]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(CutMannerName), strum(serialize_all = "snake_case"))]
pub enum CutManner {
    /// They were seen to end while they were silent.
    Visible(VisibleEnd),
    /// Nothing was seen; when they were asked, nothing answered.
    Silent,
    /// Nothing was seen until they were used; the use was answered with this cut.
    #[strum_discriminants(strum(serialize = "rst_on_use"))]
    OnUse(VisibleEnd),
    /// Only what the server said was lost; asking from our side revived the connection.
    ServerUnheard,
    /// Only what we said was lost.
    ClientUnheard,
}

impl CutManner {
    /// The ending that was seen, where one was.
    pub fn cut(&self) -> Option<&VisibleEnd> {
        match self {
            CutManner::Visible(cut) | CutManner::OnUse(cut) => Some(cut),
            CutManner::Silent | CutManner::ServerUnheard | CutManner::ClientUnheard => None,
        }
    }
}

impl From<&DeathCause> for CutManner {
    fn from(death: &DeathCause) -> CutManner {
        match death {
            DeathCause::Unanswered => CutManner::Silent,
            DeathCause::CutOnUse(cut) => CutManner::OnUse(cut.clone()),
            DeathCause::ServerUnheard => CutManner::ServerUnheard,
            DeathCause::ClientUnheard => CutManner::ClientUnheard,
        }
    }
}

/// The only kind of heartbeat that resets the timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ResetBy {
    /// Ping frames do not reset it, messages do.
    Messages,
    /// Messages do not reset it, Ping frames do.
    Pings,
}

/// About when connections end, before it is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvisionalTimeout {
    /// The median of the visible ends so far: an upper bound.
    pub timeout: Duration,
    /// From how many ends.
    pub samples: usize,
    /// When it was known, since the run's start.
    pub at: Duration,
}

/// How the server speaks unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerActivity {
    /// The median of the gaps.
    pub period: Duration,
    /// The longest quiet gap that ended with the server's words: so long an idle span survives.
    pub longest_gap: Duration,
    /// How often it spoke, all connections together.
    pub count: usize,
    /// How old clients were that it let go all the same, since they had said nothing: the median.
    pub lets_go: Option<Duration>,
    /// The server asked by messages, and was answered.
    pub answered: bool,
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq)]
pub struct IdleFindings {
    pub verdict: IdleVerdict,
    /// Why, in lower-case fragments.
    pub reasons: Vec<String>,
    pub bracket: Bracket,
    /// The visible ends that belong together; of a stochastic path, all deaths.
    pub spread: Option<EndSpread>,
    pub manner: Option<CutManner>,
    /// The hop lets go before it says so: what is sent in between is lost.
    pub lingers: bool,
    /// The age at which connections end: of [`ZombieVerdict::LifetimeCap`], and where an idle timeout is shorter than it.
    pub lifetime: Option<LifetimeCap>,
    /// The age at which connections ended that sent one kind of heartbeat, where the other kind was not tried: a lifetime,
    /// or an idle timer that only the other kind resets. Of [`ZombieVerdict::Inconclusive`].
    pub lifetime_or_idle: Option<LifetimeCap>,
    /// The only kind of heartbeat that resets the timer; `None`: any that was tried.
    pub reset_by: Option<ResetBy>,
    pub chatter: Option<ServerActivity>,
    pub provisional: Option<ProvisionalTimeout>,
    /// The spans that were asked and answered, ascending.
    pub survived: Vec<Duration>,
    /// The spans that were not, ascending, each with how; random deaths that were refuted included.
    pub died: Vec<(Duration, CutManner)>,
    /// What ended connections and is no timeout.
    pub incidents: Vec<Incident>,
    /// Rounds that did not count because the control died.
    pub void_rounds: u32,
    /// Connections that were opened.
    pub connections: u32,
    /// It was interrupted: this is what was known.
    pub partial: bool,
    pub elapsed: Duration,
}

impl IdleFindings {
    /// Whether the evidence supports an answer.
    pub fn conclusive(&self) -> bool {
        self.verdict != IdleVerdict::Inconclusive && !self.partial
    }
}

impl Expectation {
    /// Whether what was found meets it. A path without a timeout up to the longest span, or one that the
    /// server keeps busy, has a lower end only; a lifetime, chance or an inconclusive search says nothing
    /// of the timeout.
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
