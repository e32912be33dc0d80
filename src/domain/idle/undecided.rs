//! Why a search found no answer.

use std::fmt;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::lifetime_cap::LifetimeCap;
use super::probe::VisibleEnd;
use super::refresh::KeepaliveMethod;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::format::{counted, duration as show};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;

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

/// How connections ended: ` (peer closed TCP (FIN) without a close frame)`.
fn how(visible_end: Option<&VisibleEnd>) -> String {
    visible_end.map_or_else(String::new, |end| {
        format!(" ({})", CloseCause::describe(ClosedBy::Peer, &end.how, None))
    })
}

/// Why there is nothing to search; names what the server sent, if wscheck closed because of it.
fn immediate_end(visible_end: &VisibleEnd) -> String {
    let twice = "the control connection ended at once, twice";
    let by = match visible_end.how {
        CloseKind::Violation { .. } => ClosedBy::Peer,
        CloseKind::TooLarge { .. } => ClosedBy::Us,
        CloseKind::CloseFrame { .. }
        | CloseKind::Fin
        | CloseKind::Rst
        | CloseKind::TlsClose
        | CloseKind::TlsAlert { .. }
        | CloseKind::Silent
        | CloseKind::Timeout
        | CloseKind::Error => return twice.to_string(),
    };
    format!("{twice}: {}", CloseCause::describe(by, &visible_end.how, None))
}

fn all_shown(times: &[Duration]) -> String {
    times.iter().map(|time| show(*time)).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for UndecidedCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            UndecidedCause::ConnectionLimit { open, ended, visible_end, .. } => {
                connection_limit(*open, *ended, visible_end.as_ref())
            }
            UndecidedCause::SessionReplaced { ended, visible_end } => {
                session_replaced(*ended, visible_end.as_ref())
            }
            UndecidedCause::NoConnectionStayed { within, visible_end } => {
                no_connection_stayed(*within, visible_end.as_ref())
            }
            UndecidedCause::AllEndBelowMin { shortest, longest, min, visible_end } => {
                all_end_below_min((*shortest, *longest), *min, visible_end.as_ref())
            }
            UndecidedCause::ServerBecameUnreachable { why } => {
                format!("the server became unreachable: {why}")
            }
            UndecidedCause::LaterConnectionsRefused { why } => later_connections_refused(why),
            UndecidedCause::TooFewConnections { open, why } => {
                format!("only {} could be open at once: {why}", counted(*open as u64, "connection"))
            }
            UndecidedCause::ControlEndedAtOnce { visible_end } => immediate_end(visible_end),
            UndecidedCause::ControlUnanswered { kind } => control_unanswered(*kind),
            UndecidedCause::ControlEndedToo { age } => control_ended_too(*age),
            UndecidedCause::RepeatedRestarts { rounds, moments } => repeated_restarts(*rounds, moments),
            UndecidedCause::PathUnsteady { rounds, ages } => {
                format!("{rounds} rounds were void: the control died at the age of {}", all_shown(ages))
            }
            UndecidedCause::EndsDisagree => "the connections' ends do not agree on a timeout".to_string(),
            UndecidedCause::LifetimeOrIdleTimeout { age, messages_tried } => {
                lifetime_or_idle_timeout(*age, *messages_tried)
            }
            UndecidedCause::LifetimeOutlived { age, by } => lifetime_outlived(*age, *by),
            UndecidedCause::MixedOutcomes { deaths } => {
                format!("{deaths}, and others survived longer spans: too few to know why")
            }
            UndecidedCause::LimitReached { connections, elapsed, deaths } => {
                let number = counted(u64::from(*connections), "connection");
                format!("undecided after {number} in {}, the limit: {deaths}", show(*elapsed))
            }
            UndecidedCause::Interrupted => "interrupted".to_string(),
        };
        f.write_str(&text)
    }
}

fn connection_limit(open: usize, ended: usize, visible_end: Option<&VisibleEnd>) -> String {
    let number = counted(open as u64, "connection");
    let accepted = if open == 1 { "one connection" } else { &number };
    format!(
        "{number} stayed open, and {} ended right after opening{}: perhaps the server accepts only {accepted} per client",
        counted(ended as u64, "connection"),
        how(visible_end)
    )
}

fn session_replaced(ended: usize, visible_end: Option<&VisibleEnd>) -> String {
    format!(
        "{} ended when the next one opened{}: perhaps the server allows one session per client, and a new one \
         replaces it",
        counted(ended as u64, "connection"),
        how(visible_end)
    )
}

fn no_connection_stayed(within: Duration, visible_end: Option<&VisibleEnd>) -> String {
    format!(
        "every connection ended right after opening{}, at most {} later: perhaps the server accepts one connection \
         per client, a ticket is valid only once, or the server expects a message first",
        how(visible_end),
        show(within)
    )
}

fn all_end_below_min(
    (shortest, longest): (Duration, Duration),
    min: Duration,
    visible_end: Option<&VisibleEnd>,
) -> String {
    format!(
        "every connection ended within {} of opening{}, none before {}: an idle timeout or a lifetime below --min {}",
        show(longest),
        how(visible_end),
        show(shortest),
        show(min)
    )
}

fn later_connections_refused(why: &str) -> String {
    format!(
        "the first connection opened, and every later one was refused ({why}): perhaps a ticket or token is valid \
         only once, or the server accepts one connection per client"
    )
}

fn control_unanswered(kind: HeartbeatKind) -> String {
    let what = match kind {
        HeartbeatKind::Protocol => "Ping frames",
        HeartbeatKind::App => "such messages",
    };
    format!("the control was not answered, twice: perhaps the server does not answer {what}")
}

fn control_ended_too(age: Duration) -> String {
    format!(
        "the control, which is never idle, ended at the age of {}, too: a lifetime or restarts may explain all ends",
        show(age)
    )
}

fn repeated_restarts(rounds: u32, moments: &[Duration]) -> String {
    format!(
        "{rounds} rounds were void: connections ended at the same moment {} into the run: the server restarts or \
         reloads, or the path fails",
        all_shown(moments)
    )
}

fn lifetime_or_idle_timeout(age: LifetimeCap, messages_tried: bool) -> String {
    let why = if messages_tried {
        "the connection that also sent messages ended earlier, or did not open"
    } else {
        "no messages were tried (--app-ping, --allow-messages)"
    };
    format!(
        "connections that sent Ping frames all the time ended at the age of {age}, too: a lifetime, or an idle \
         timeout that only messages reset; {why}"
    )
}

fn lifetime_outlived(age: Duration, by: KeepaliveMethod) -> String {
    format!(
        "connections that were never idle ended at the age of {}, but {} outlived it",
        show(age),
        by.words()
    )
}
