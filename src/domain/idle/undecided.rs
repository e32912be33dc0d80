//! Why a search found no answer.

use std::fmt;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::lifetime_cap::LifetimeCap;
use super::probe::VisibleEnd;
use super::refresh::KeepaliveMethod;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::format::{counted, duration as show};
use crate::domain::heartbeat::HeartbeatKind;

/// Why the evidence does not support an answer. The documentation of each variant is its meaning in the schema.
#[derive(Debug, Clone, PartialEq, Eq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(UndecidedCode), strum(serialize_all = "snake_case"))]
pub enum UndecidedCause {
    /// Further connections ended right after opening: the server seems to accept only a few per client.
    ConnectionLimit {
        /// How many it seems to accept.
        open: usize,
        ended: usize,
        visible_end: Option<VisibleEnd>,
        /// `--max-connections` of the run.
        allowed: usize,
    },
    /// Connections ended when the next one opened: the server seems to allow one session per client.
    SessionReplaced { ended: usize, visible_end: Option<VisibleEnd> },
    /// Every connection ended right after opening.
    NoConnectionStayed { within: Duration, visible_end: Option<VisibleEnd> },
    /// Every connection ended at an age below `--min`: an idle timeout or a maximum age shorter than that.
    AllEndBelowMin { shortest: Duration, longest: Duration, min: Duration, visible_end: Option<VisibleEnd> },
    /// Connections could be opened at first, and later none.
    ServerBecameUnreachable { why: String },
    /// The first connection opened, and every later one was refused.
    LaterConnectionsRefused { why: String },
    /// The server lets too few connections be open at once for a search.
    TooFewConnections { open: usize, why: String },
    /// The control connection, which is never idle, ended right after opening, twice.
    ControlEndedAtOnce { visible_end: VisibleEnd },
    /// The control connection got no answer to its first heartbeats, twice.
    ControlUnanswered { kind: HeartbeatKind },
    /// The peer's flow control of HTTP/2 held a heartbeat back, so that its missing answer shows nothing.
    HeldBackByFlowControl { window: ExhaustedWindow },
    /// The control connection, which is never idle, ended at the age of the others: a maximum age or restarts may
    /// explain all ends.
    ControlEndedToo { age: Duration },
    /// Several times, connections of different age ended at the same moment, as when a server restarts.
    RepeatedRestarts { rounds: u32, moments: Vec<Duration> },
    /// The control connection, which is never idle, was lost several times at different ages.
    PathUnsteady { rounds: u32, ages: Vec<Duration> },
    /// The spans after which connections ended do not agree on one timeout.
    EndsDisagree,
    /// Connections that kept sending Ping frames ended at one age: a maximum age, or an idle timeout that only messages
    /// reset.
    LifetimeOrIdleTimeout {
        age: LifetimeCap,
        /// Messages were tried, without a result.
        messages_tried: bool,
    },
    /// Connections that were never idle ended at one age, but a connection of `--refresh` became older.
    LifetimeOutlived { age: Duration, by: KeepaliveMethod },
    /// Some connections died and others survived longer spans; they are too few to know why.
    MixedOutcomes { deaths: DeathCount },
    /// The search reached its limit of time or connections before the evidence supported an answer.
    LimitReached { connections: u32, elapsed: Duration, deaths: DeathCount },
    /// The user ended the search before it had an answer.
    Interrupted,
}

/// How many of the silent connections died, and after which spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeathCount {
    /// The spans after which they died, ascending.
    pub spans: Vec<Duration>,
    pub survived: usize,
}

impl fmt::Display for DeathCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MAX_SHOWN: usize = 5;
        let (died, survived) = (self.spans.len(), self.survived);
        if died == 0 {
            return write!(f, "{survived} stayed silent and then answered; none died");
        }
        let all = counted((died + survived) as u64, "connection");
        let spans: Vec<_> = self.spans.iter().take(MAX_SHOWN).map(|span| show(*span)).collect();
        let more = if died > MAX_SHOWN { " and more" } else { "" };
        write!(f, "{died} of {all} died, after {}{more}", spans.join(", "))
    }
}
