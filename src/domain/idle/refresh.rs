//! What keeps the path open: one connection for each kind of keep-alive, held past several timeouts.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// A way to keep a connection open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum KeepaliveMethod {
    /// A Ping frame, which the server answers: bytes both ways.
    PingPong,
    /// A Pong frame that nobody asked for: bytes from the client only (RFC 6455 5.5.3).
    UnsolicitedPong,
    /// TCP keepalive: packets both ways, but no bytes of the stream.
    TcpKeepalive,
    /// An ordinary message, and what the server answers.
    AppMessage,
}

/// So many timeouts long a connection is kept, to say that a method keeps it.
pub const TIMEOUTS_HELD: f64 = 2.5;

/// How long to hold each connection, and how often to refresh it: from the bracket's ends.
pub fn schedule(lo: Duration, hi: Duration) -> (Duration, Duration) {
    (hi.mul_f64(TIMEOUTS_HELD), lo / 2)
}

/// What became of the connection that was kept in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeepaliveOutcome {
    /// It was there when it was asked at the end.
    Survived,
    /// It was lost; `how`, in words.
    Died { after: Duration, how: String },
    /// It was not tried, or tells nothing; `why`, in words.
    Untold { why: String },
}

/// One method, tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodResult {
    pub method: KeepaliveMethod,
    /// How often something was sent; `None`: nothing was.
    pub every: Option<Duration>,
    /// For how long it was to be held.
    pub held: Duration,
    pub fate: KeepaliveOutcome,
}

/// What was tried, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshResults {
    /// In the order of [`KeepaliveMethod`].
    pub rows: Vec<MethodResult>,
    pub conclusion: RefreshConclusion,
}

impl RefreshResults {
    /// The conclusion of these rows.
    pub fn of(mut rows: Vec<MethodResult>) -> RefreshResults {
        rows.sort_by_key(|row| row.method);
        let conclusion = RefreshConclusion::of(|method| kept(&rows, method));
        RefreshResults { rows, conclusion }
    }
}

/// Whether a method kept its connection; `None`: not tried, or not to be told.
fn kept(rows: &[MethodResult], method: KeepaliveMethod) -> Option<bool> {
    match rows.iter().find(|row| row.method == method)?.fate {
        KeepaliveOutcome::Survived => Some(true),
        KeepaliveOutcome::Died { .. } => Some(false),
        KeepaliveOutcome::Untold { .. } => None,
    }
}

/// What follows from who survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RefreshConclusion {
    /// TCP keepalive suffices: a NAT or a balancer below the application.
    BelowApplication,
    /// Any byte from the client suffices; no answer is needed.
    AnyByte,
    /// What only the client sends is not enough: what the server answers counts, alone or as well.
    ServerToClient,
    /// Pings do not count, messages do: the server's own rule.
    MessagesOnly,
    /// Nothing helps: a lifetime.
    Lifetime,
    /// Ping frames keep it open; more cannot be told from what was tried.
    Pings,
    /// Messages keep it open; whether Pings would was not tried.
    Messages,
    /// Pings do not keep it open; whether messages would was not tried.
    NotPings,
    /// The survivals contradict each other.
    Contradictory,
    /// Nothing that decides was tried.
    Untried,
}

impl RefreshConclusion {
    /// What these survivals say, from the most telling method to the least.
    pub fn of(kept: impl Fn(KeepaliveMethod) -> Option<bool>) -> RefreshConclusion {
        let yes = |method| kept(method) == Some(true);
        let no = |method| kept(method) == Some(false);
        let (ping, pong) = (KeepaliveMethod::PingPong, KeepaliveMethod::UnsolicitedPong);
        let (tcp, app) = (KeepaliveMethod::TcpKeepalive, KeepaliveMethod::AppMessage);
        let bytes_fail = no(ping) && no(app);
        match () {
            () if yes(tcp) && bytes_fail => RefreshConclusion::Contradictory,
            () if yes(pong) && no(ping) => RefreshConclusion::Contradictory,
            () if yes(tcp) => RefreshConclusion::BelowApplication,
            () if yes(pong) => RefreshConclusion::AnyByte,
            () if yes(ping) && no(pong) => RefreshConclusion::ServerToClient,
            () if yes(ping) => RefreshConclusion::Pings,
            () if no(ping) && yes(app) => RefreshConclusion::MessagesOnly,
            () if yes(app) => RefreshConclusion::Messages,
            () if bytes_fail => RefreshConclusion::Lifetime,
            () if no(ping) => RefreshConclusion::NotPings,
            () => RefreshConclusion::Untried,
        }
    }

    /// What it means and what to do, as a lower-case fragment.
    pub fn sentence(self) -> &'static str {
        match self {
            RefreshConclusion::BelowApplication => {
                "TCP keepalive suffices, so the cut is below the application: a NAT or a balancer; enable TCP \
                 keepalive, or send any heartbeat"
            }
            RefreshConclusion::AnyByte => {
                "bytes from the client suffice: any heartbeat of the client keeps it open"
            }
            RefreshConclusion::ServerToClient => {
                "what only the client sends is not enough: the server's bytes count, alone or as well; have \
                 heartbeats answered, or let the server send them"
            }
            RefreshConclusion::MessagesOnly => {
                "Ping frames do not count, messages do: it is the server's own rule; send app heartbeats"
            }
            RefreshConclusion::Lifetime => "nothing keeps it open: a lifetime; reconnect before it ends",
            RefreshConclusion::Pings => "Ping frames keep it open",
            RefreshConclusion::Messages => "messages keep it open; whether Ping frames would was not tried",
            RefreshConclusion::NotPings => {
                "Ping frames do not keep it open: a lifetime, or a server that counts only messages; an app \
                 heartbeat would tell"
            }
            RefreshConclusion::Contradictory => {
                "the survivals contradict each other: something else cut a connection"
            }
            RefreshConclusion::Untried => "nothing was tried that decides",
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::*;

    /// `y` kept, `n` not, `-` not to be told, in the table's order.
    fn conclude(told: &str) -> RefreshConclusion {
        let row =
            |(method, told)| MethodResult { method, every: None, held: Duration::ZERO, fate: fate(told) };
        RefreshResults::of(KeepaliveMethod::iter().zip(told.chars()).map(row).collect()).conclusion
    }

    fn fate(told: char) -> KeepaliveOutcome {
        match told {
            'y' => KeepaliveOutcome::Survived,
            'n' => KeepaliveOutcome::Died { after: Duration::ZERO, how: String::new() },
            _ => KeepaliveOutcome::Untold { why: String::new() },
        }
    }

    #[test]
    fn what_survives_says_where_the_cut_is() {
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
