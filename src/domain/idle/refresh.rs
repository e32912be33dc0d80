//! What keeps the path open: one connection for each keepalive method, held for several timeouts.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use crate::domain::connection::http2::HttpChoice;

/// A way to keep a connection open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum KeepaliveMethod {
    /// A Ping frame, which the server answers: bytes both ways.
    PingPong,
    /// An unsolicited Pong frame: bytes from the client only (RFC 6455 5.5.3).
    UnsolicitedPong,
    /// TCP keepalive: packets both ways, but no bytes of the stream.
    TcpKeepalive,
    /// An application message and the server's answer.
    AppMessage,
    /// A PING frame of HTTP/2 and its acknowledgement: bytes both ways to what ends HTTP/2, and none of the WebSocket.
    Http2Ping,
}

impl KeepaliveMethod {
    /// The methods that a connection of this HTTP has.
    pub fn all(http: HttpChoice) -> impl Iterator<Item = KeepaliveMethod> {
        KeepaliveMethod::iter()
            .filter(move |method| *method != KeepaliveMethod::Http2Ping || http != HttpChoice::Http1)
    }
}

/// A method must keep its connection for this many timeouts.
pub const HELD_TIMEOUTS: f64 = 2.5;

/// From the bracket's ends: how long to hold each connection, and how often to send.
pub fn schedule(lo: Duration, hi: Duration) -> (Duration, Duration) {
    (hi.mul_f64(HELD_TIMEOUTS), lo / 2)
}

/// The result for one keepalive method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepaliveOutcome {
    /// The connection answered at the end.
    Survived,
    /// The connection was lost; `how`, in words.
    Died { after: Duration, how: String },
    /// It was not tried, or the result is unclear; `why`, in words.
    Unknown { why: String },
}

impl KeepaliveOutcome {
    /// Whether the connection survived; `None` if that is unknown.
    pub fn survived(&self) -> Option<bool> {
        match self {
            KeepaliveOutcome::Survived => Some(true),
            KeepaliveOutcome::Died { .. } => Some(false),
            KeepaliveOutcome::Unknown { .. } => None,
        }
    }
}

/// One keepalive method and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodResult {
    pub method: KeepaliveMethod,
    /// The interval; `None` if nothing was sent.
    pub every: Option<Duration>,
    /// How long the connection was to be held.
    pub held: Duration,
    pub outcome: KeepaliveOutcome,
}

/// The results of all methods, and the conclusion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshResults {
    /// In the order of [`KeepaliveMethod`].
    pub rows: Vec<MethodResult>,
    pub conclusion: RefreshConclusion,
}

impl RefreshResults {
    /// The results in order, with their conclusion.
    pub fn of(mut rows: Vec<MethodResult>) -> RefreshResults {
        rows.sort_by_key(|row| row.method);
        let mut results = RefreshResults { rows, conclusion: RefreshConclusion::Untried };
        results.conclusion = RefreshConclusion::of(|method| results.kept_by(method));
        results
    }

    /// Whether a method kept its connection open; `None` if it was not tried or the result is unclear.
    pub fn kept_by(&self, method: KeepaliveMethod) -> Option<bool> {
        self.rows.iter().find(|row| row.method == method)?.outcome.survived()
    }
}

/// What the results show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RefreshConclusion {
    /// TCP keepalive suffices: a NAT or a load balancer below the application.
    BelowApplication,
    /// Any byte from the client suffices; no answer is needed.
    AnyByte,
    /// Bytes from the client alone are not enough: the server's answers count, alone or as well.
    ServerToClient,
    /// Pings do not count, messages do: the server's own rule.
    MessagesOnly,
    /// Nothing helps: a lifetime.
    Lifetime,
    /// Ping frames keep it open; the methods tried show no more.
    Pings,
    /// Messages keep it open; whether Pings would was not tried.
    Messages,
    /// Pings do not keep it open; whether messages would was not tried.
    NotPings,
    /// The results contradict each other.
    Contradictory,
    /// No method was tried that decides.
    Untried,
}

impl RefreshConclusion {
    /// Concludes from the most informative method to the least.
    pub fn of(kept: impl Fn(KeepaliveMethod) -> Option<bool>) -> RefreshConclusion {
        let yes = |method| kept(method) == Some(true);
        let no = |method| kept(method) == Some(false);
        let (ping, pong) = (KeepaliveMethod::PingPong, KeepaliveMethod::UnsolicitedPong);
        let (tcp, app) = (KeepaliveMethod::TcpKeepalive, KeepaliveMethod::AppMessage);
        let bytes_fail = no(ping) && no(app);
        if (yes(tcp) && bytes_fail) || (yes(pong) && no(ping)) {
            RefreshConclusion::Contradictory
        } else if yes(tcp) {
            RefreshConclusion::BelowApplication
        } else if yes(pong) {
            RefreshConclusion::AnyByte
        } else if yes(ping) && no(pong) {
            RefreshConclusion::ServerToClient
        } else if yes(ping) {
            RefreshConclusion::Pings
        } else if no(ping) && yes(app) {
            RefreshConclusion::MessagesOnly
        } else if yes(app) {
            RefreshConclusion::Messages
        } else if bytes_fail {
            RefreshConclusion::Lifetime
        } else if no(ping) {
            RefreshConclusion::NotPings
        } else {
            RefreshConclusion::Untried
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One letter a method, in the table's order: `y` kept open, `n` not, `-` unclear.
    fn conclude(kept: &str) -> RefreshConclusion {
        let row = |(method, kept)| MethodResult {
            method,
            every: None,
            held: Duration::ZERO,
            outcome: outcome(kept),
        };
        RefreshResults::of(KeepaliveMethod::iter().zip(kept.chars()).map(row).collect()).conclusion
    }

    fn outcome(kept: char) -> KeepaliveOutcome {
        match kept {
            'y' => KeepaliveOutcome::Survived,
            'n' => KeepaliveOutcome::Died { after: Duration::ZERO, how: String::new() },
            _ => KeepaliveOutcome::Unknown { why: String::new() },
        }
    }

    #[test]
    fn surviving_methods_show_where_the_cut_is() {
        let rows = [
            ("yyyy", RefreshConclusion::BelowApplication),
            ("yyy-", RefreshConclusion::BelowApplication),
            ("yyny", RefreshConclusion::AnyByte),
            ("yn-y", RefreshConclusion::ServerToClient),
            ("ynny", RefreshConclusion::ServerToClient),
            ("nnny", RefreshConclusion::MessagesOnly),
            ("n--y", RefreshConclusion::MessagesOnly),
            ("nnnn", RefreshConclusion::Lifetime),
            ("nnn-", RefreshConclusion::NotPings),
            ("y---", RefreshConclusion::Pings),
            ("---y", RefreshConclusion::Messages),
            ("----", RefreshConclusion::Untried),
            ("--n-", RefreshConclusion::Untried),
            ("nnyn", RefreshConclusion::Contradictory),
            ("nyny", RefreshConclusion::Contradictory),
        ];
        for (row, conclusion) in rows {
            assert_eq!(conclude(row), conclusion, "{row}");
        }
    }

    #[test]
    fn refresh_sends_twice_per_timeout_and_holds_two_and_a_half() {
        let seconds = Duration::from_secs;
        assert_eq!(schedule(seconds(58), seconds(60)), (seconds(150), seconds(29)));
    }
}
