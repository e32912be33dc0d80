//! What keeps the path open: one connection for each kind of keep-alive, held past several timeouts.

use std::time::Duration;

/// A way to keep a connection open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// A Ping frame, which the server answers: bytes both ways.
    PingPong,
    /// A Pong frame that nobody asked for: bytes from the client only (RFC 6455 5.5.3).
    UnsolicitedPong,
    /// TCP keepalive: packets both ways, but no bytes of the stream.
    TcpKeepalive,
    /// An ordinary message, and what the server answers.
    AppMessage,
}

impl Method {
    /// All of them, in the table's order.
    pub const ALL: [Method; 4] =
        [Method::PingPong, Method::UnsolicitedPong, Method::TcpKeepalive, Method::AppMessage];

    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Method::PingPong => "ping_pong",
            Method::UnsolicitedPong => "unsolicited_pong",
            Method::TcpKeepalive => "tcp_keepalive",
            Method::AppMessage => "app_message",
        }
    }
}

/// So many timeouts long a connection is kept, to say that a method keeps it.
pub const TIMEOUTS: f64 = 2.5;

/// How long to hold each connection, and how often to refresh it: from the bracket's ends.
pub fn schedule(lo: Duration, hi: Duration) -> (Duration, Duration) {
    (hi.mul_f64(TIMEOUTS), lo / 2)
}

/// What became of the connection that was kept in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was there when it was asked at the end.
    Survived,
    /// It was lost; `how`, in words.
    Died { after: Duration, how: String },
    /// It was not tried, or tells nothing; `why`, in words.
    Untold { why: String },
}

/// One method, tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub method: Method,
    /// How often something was sent; `None`: nothing was.
    pub every: Option<Duration>,
    /// For how long it was to be held.
    pub held: Duration,
    pub fate: Fate,
}

/// What was tried, and what follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refresh {
    /// In the order of [`Method::ALL`].
    pub rows: Vec<Row>,
    pub conclusion: Conclusion,
}

impl Refresh {
    /// The conclusion of these rows.
    pub fn of(mut rows: Vec<Row>) -> Refresh {
        rows.sort_by_key(|row| row.method);
        let conclusion = Conclusion::of(|method| kept(&rows, method));
        Refresh { rows, conclusion }
    }
}

/// Whether a method kept its connection; `None`: not tried, or not to be told.
fn kept(rows: &[Row], method: Method) -> Option<bool> {
    match rows.iter().find(|row| row.method == method)?.fate {
        Fate::Survived => Some(true),
        Fate::Died { .. } => Some(false),
        Fate::Untold { .. } => None,
    }
}

/// What follows from who survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Conclusion {
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

impl Conclusion {
    /// What these survivals say, from the most telling method to the least.
    pub fn of(kept: impl Fn(Method) -> Option<bool>) -> Conclusion {
        let yes = |method| kept(method) == Some(true);
        let no = |method| kept(method) == Some(false);
        let (ping, pong) = (Method::PingPong, Method::UnsolicitedPong);
        let (tcp, app) = (Method::TcpKeepalive, Method::AppMessage);
        let bytes_fail = no(ping) && no(app);
        match () {
            () if yes(tcp) && bytes_fail => Conclusion::Contradictory,
            () if yes(pong) && no(ping) => Conclusion::Contradictory,
            () if yes(tcp) => Conclusion::BelowApplication,
            () if yes(pong) => Conclusion::AnyByte,
            () if yes(ping) && no(pong) => Conclusion::ServerToClient,
            () if yes(ping) => Conclusion::Pings,
            () if no(ping) && yes(app) => Conclusion::MessagesOnly,
            () if yes(app) => Conclusion::Messages,
            () if bytes_fail => Conclusion::Lifetime,
            () if no(ping) => Conclusion::NotPings,
            () => Conclusion::Untried,
        }
    }

    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Conclusion::BelowApplication => "below_application",
            Conclusion::AnyByte => "any_byte",
            Conclusion::ServerToClient => "server_to_client",
            Conclusion::MessagesOnly => "messages_only",
            Conclusion::Lifetime => "lifetime",
            Conclusion::Pings => "pings",
            Conclusion::Messages => "messages",
            Conclusion::NotPings => "not_pings",
            Conclusion::Contradictory => "contradictory",
            Conclusion::Untried => "untried",
        }
    }

    /// What it means and what to do, as a lower-case fragment.
    pub fn sentence(self) -> &'static str {
        match self {
            Conclusion::BelowApplication => {
                "TCP keepalive suffices, so the cut is below the application: a NAT or a balancer; enable TCP \
                 keepalive, or send any heartbeat"
            }
            Conclusion::AnyByte => "bytes from the client suffice: any heartbeat of the client keeps it open",
            Conclusion::ServerToClient => {
                "what only the client sends is not enough: the server's bytes count, alone or as well; have \
                 heartbeats answered, or let the server send them"
            }
            Conclusion::MessagesOnly => {
                "Ping frames do not count, messages do: it is the server's own rule; send app heartbeats"
            }
            Conclusion::Lifetime => "nothing keeps it open: a lifetime; reconnect before it ends",
            Conclusion::Pings => "Ping frames keep it open",
            Conclusion::Messages => "messages keep it open; whether Ping frames would was not tried",
            Conclusion::NotPings => {
                "Ping frames do not keep it open: a lifetime, or a server that counts only messages; an app \
                 heartbeat would tell"
            }
            Conclusion::Contradictory => {
                "the survivals contradict each other: something else cut a connection"
            }
            Conclusion::Untried => "nothing was tried that decides",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `y` kept, `n` not, `-` not to be told, in the table's order.
    fn conclude(told: &str) -> Conclusion {
        let row = |(method, told)| Row { method, every: None, held: Duration::ZERO, fate: fate(told) };
        Refresh::of(Method::ALL.into_iter().zip(told.chars()).map(row).collect()).conclusion
    }

    fn fate(told: char) -> Fate {
        match told {
            'y' => Fate::Survived,
            'n' => Fate::Died { after: Duration::ZERO, how: String::new() },
            _ => Fate::Untold { why: String::new() },
        }
    }

    #[test]
    fn what_survives_says_where_the_cut_is() {
        let rows = [
            ("yyyy", Conclusion::BelowApplication),
            ("yyy-", Conclusion::BelowApplication),
            ("yyny", Conclusion::AnyByte),
            ("yn-y", Conclusion::ServerToClient),
            ("ynny", Conclusion::ServerToClient),
            ("nnny", Conclusion::MessagesOnly),
            ("n--y", Conclusion::MessagesOnly),
            ("nnnn", Conclusion::Lifetime),
            ("nnn-", Conclusion::NotPings),
            ("y---", Conclusion::Pings),
            ("---y", Conclusion::Messages),
            ("----", Conclusion::Untried),
            ("--n-", Conclusion::Untried),
            ("nnyn", Conclusion::Contradictory),
            ("nyny", Conclusion::Contradictory),
        ];
        for (row, conclusion) in rows {
            assert_eq!(conclude(row), conclusion, "{row}");
        }
    }

    #[test]
    fn a_connection_is_refreshed_twice_in_a_timeout_and_held_for_two_and_a_half() {
        let seconds = Duration::from_secs;
        assert_eq!(schedule(seconds(58), seconds(60)), (seconds(150), seconds(29)));
    }
}
