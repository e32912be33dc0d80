//! What a search came to, as values.

use std::time::Duration;

use super::incident::Incident;
use super::probe::{Cut, Death};

/// What the path does with an idle connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
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

impl Verdict {
    /// All of them.
    pub const ALL: [Verdict; 7] = [
        Verdict::IdleTimeout,
        Verdict::LifetimeCap,
        Verdict::NoTimeoutUpToMax,
        Verdict::ServerKeepsItBusy,
        Verdict::ServerPolicy,
        Verdict::Stochastic,
        Verdict::Inconclusive,
    ];

    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Verdict::IdleTimeout => "idle_timeout",
            Verdict::LifetimeCap => "lifetime_cap",
            Verdict::NoTimeoutUpToMax => "no_timeout_up_to_max",
            Verdict::ServerKeepsItBusy => "server_keeps_it_busy",
            Verdict::ServerPolicy => "server_policy",
            Verdict::Stochastic => "stochastic",
            Verdict::Inconclusive => "inconclusive",
        }
    }
}

/// Between which idle spans the timeout lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bracket {
    /// An idle span that was asked and answered, below every span that was not.
    pub lo: Option<Duration>,
    /// The shortest span that is confirmed not to survive.
    pub hi: Option<Duration>,
}

impl Bracket {
    /// Whether a timeout of this length agrees with the bracket.
    pub fn contains(&self, timeout: Duration) -> bool {
        self.lo.is_none_or(|lo| lo <= timeout) && self.hi.is_none_or(|hi| timeout <= hi)
    }

    /// Upper less lower end, where both are known.
    pub fn width(&self) -> Option<Duration> {
        Some(self.hi?.saturating_sub(self.lo?))
    }
}

/// The age at which connections end, idle or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetime {
    /// So old they were known to be alive.
    pub lo: Duration,
    /// So old they were known to be gone; the same, where the end itself was seen.
    pub hi: Duration,
}

/// The idle spans after which connections were seen to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spread {
    pub count: usize,
    pub min: Duration,
    /// The lower of the middle two, where the count is even.
    pub median: Duration,
    pub max: Duration,
}

impl Spread {
    /// Of these spans; `None` of none.
    pub fn of(spans: &[Duration]) -> Option<Spread> {
        let mut sorted = spans.to_vec();
        sorted.sort_unstable();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let median = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Spread { count: sorted.len(), min, median, max })
    }
}

/// How the idle connections were cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manner {
    /// They were seen to end while they were silent.
    Visible(Cut),
    /// Nothing was seen; when they were asked, nothing answered.
    Silent,
    /// Nothing was seen until they were used; the use was answered with this cut.
    OnUse(Cut),
    /// Only what the server said was lost; asking from our side revived the connection.
    ServerUnheard,
    /// Only what we said was lost.
    ClientUnheard,
}

impl Manner {
    /// The name that scripts see.
    pub fn label(&self) -> &'static str {
        match self {
            Manner::Visible(_) => "visible",
            Manner::Silent => "silent",
            Manner::OnUse(_) => "rst_on_use",
            Manner::ServerUnheard => "server_unheard",
            Manner::ClientUnheard => "client_unheard",
        }
    }

    /// The ending that was seen, where one was.
    pub fn cut(&self) -> Option<&Cut> {
        match self {
            Manner::Visible(cut) | Manner::OnUse(cut) => Some(cut),
            Manner::Silent | Manner::ServerUnheard | Manner::ClientUnheard => None,
        }
    }
}

impl From<&Death> for Manner {
    fn from(death: &Death) -> Manner {
        match death {
            Death::Unanswered => Manner::Silent,
            Death::CutOnUse(cut) => Manner::OnUse(cut.clone()),
            Death::ServerUnheard => Manner::ServerUnheard,
            Death::ClientUnheard => Manner::ClientUnheard,
        }
    }
}

/// The only kind of heartbeat that resets the timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResetBy {
    /// Ping frames do not reset it, messages do.
    Messages,
    /// Messages do not reset it, Ping frames do.
    Pings,
}

impl ResetBy {
    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            ResetBy::Messages => "messages",
            ResetBy::Pings => "pings",
        }
    }
}

/// About when connections end, before it is confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provisional {
    /// The median of the visible ends so far: an upper bound.
    pub timeout: Duration,
    /// From how many ends.
    pub samples: usize,
    /// When it was known, since the run's start.
    pub at: Duration,
}

/// How the server speaks unasked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chatter {
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
pub struct Findings {
    pub verdict: Verdict,
    /// Why, in lower-case fragments.
    pub reasons: Vec<String>,
    pub bracket: Bracket,
    /// The visible ends that belong together; of a stochastic path, all deaths.
    pub spread: Option<Spread>,
    pub manner: Option<Manner>,
    /// The hop lets go before it says so: what is sent in between is lost.
    pub lingers: bool,
    /// The age at which connections end: of [`Verdict::LifetimeCap`], and where an idle timeout is shorter than it.
    pub lifetime: Option<Lifetime>,
    /// The age at which connections ended that sent one kind of heartbeat, where the other kind was not tried: a lifetime,
    /// or an idle timer that only the other kind resets. Of [`Verdict::Inconclusive`].
    pub lifetime_or_idle: Option<Lifetime>,
    /// The only kind of heartbeat that resets the timer; `None`: any that was tried.
    pub reset_by: Option<ResetBy>,
    pub chatter: Option<Chatter>,
    pub provisional: Option<Provisional>,
    /// The spans that were asked and answered, ascending.
    pub survived: Vec<Duration>,
    /// The spans that were not, ascending, each with how; random deaths that were refuted included.
    pub died: Vec<(Duration, Manner)>,
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

impl Findings {
    /// Whether the evidence supports an answer.
    pub fn conclusive(&self) -> bool {
        self.verdict != Verdict::Inconclusive && !self.partial
    }
}
