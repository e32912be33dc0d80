//! What the keepalive methods show together: the timers that would give every result.
//!
//! 1. A result, or what the controls of the search showed, rules out each timer that would give another one.
//! 2. The conclusion is the first in the table whose timers include all that are left: it claims no more than they share.
//! 3. If none is left, the results contradict each other, and nothing is concluded.

use strum::{EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use super::keepalive_method::KeepaliveMethod;

/// What resets a timer, as far as the methods can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
enum Timer {
    /// Packets: that of a NAT or a balancer below the application.
    Packets,
    /// Bytes of the connection; the client's suffice.
    ConnectionBytes,
    /// Bytes of the connection; the client's alone do not suffice.
    AnsweredConnectionBytes,
    /// Bytes of the WebSocket; the client's suffice.
    WebSocketBytes,
    /// Bytes of the WebSocket, but not a lone Pong: the server's bytes count, or Pongs do not.
    AnsweredWebSocketBytes,
    PongsAndMessages,
    Messages,
    PingsAndPongs,
    Pings,
    Pongs,
    /// Nothing: a lifetime.
    Nothing,
}

impl Timer {
    /// Whether a method resets it: the connection stays open.
    fn is_reset_by(self, method: KeepaliveMethod) -> bool {
        let [ping, pong, tcp, app, http2] = match self {
            Timer::Packets => [true, true, true, true, true],
            Timer::ConnectionBytes => [true, true, false, true, true],
            Timer::AnsweredConnectionBytes => [true, false, false, true, true],
            Timer::WebSocketBytes => [true, true, false, true, false],
            Timer::AnsweredWebSocketBytes => [true, false, false, true, false],
            Timer::PongsAndMessages => [false, true, false, true, false],
            Timer::Messages => [false, false, false, true, false],
            Timer::PingsAndPongs => [true, true, false, false, false],
            Timer::Pings => [true, false, false, false, false],
            Timer::Pongs => [false, true, false, false, false],
            Timer::Nothing => [false, false, false, false, false],
        };
        match method {
            KeepaliveMethod::PingPong => ping,
            KeepaliveMethod::UnsolicitedPong => pong,
            KeepaliveMethod::TcpKeepalive => tcp,
            KeepaliveMethod::AppMessage => app,
            KeepaliveMethod::Http2Ping => http2,
        }
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
    /// A lone Pong of the client is not enough: the server's answers count, alone or as well, or Pongs do not.
    ServerToClient,
    /// PINGs of HTTP/2 keep it open, so any heartbeat does; the methods tried show no more.
    Connection,
    /// Pongs count and Ping frames do not: the server's own rule.
    PongsNotPings,
    /// Pings do not count, messages do: the server's own rule.
    MessagesOnly,
    /// Pings count, messages do not: the server's own rule.
    PingsOnly,
    /// Nothing helps: a lifetime.
    Lifetime,
    /// Neither Pings nor messages keep it open: a lifetime, or a rule of the server.
    NotPingsNorMessages,
    /// Pings and lone Pongs keep it open; whether messages would was not tried.
    ControlFrames,
    /// Pings keep it open and lone Pongs do not; whether messages would was not tried.
    PingsNotPongs,
    /// Ping frames keep it open; the methods tried show no more.
    Pings,
    /// Messages keep it open; whether Pings would was not tried.
    Messages,
    /// Pings do not keep it open; whether messages would was not tried.
    NotPings,
    /// The results contradict each other, or what the controls showed.
    Contradictory,
    /// No method was tried that decides.
    Untried,
}

/// The timers that each conclusion allows, the most special conclusion first.
const CONCLUSIONS: &[(RefreshConclusion, &[Timer])] = {
    use RefreshConclusion as C;
    use Timer::*;
    &[
        (C::BelowApplication, &[Packets]),
        (C::AnyByte, &[Packets, ConnectionBytes, WebSocketBytes]),
        (C::ServerToClient, &[AnsweredConnectionBytes, AnsweredWebSocketBytes]),
        (C::Connection, &[Packets, ConnectionBytes, AnsweredConnectionBytes]),
        (C::PongsNotPings, &[PongsAndMessages, Pongs]),
        (C::MessagesOnly, &[PongsAndMessages, Messages]),
        (C::PingsOnly, &[PingsAndPongs, Pings]),
        (C::Lifetime, &[Nothing]),
        (C::NotPingsNorMessages, &[Pongs, Nothing]),
        (C::ControlFrames, &[Packets, ConnectionBytes, WebSocketBytes, PingsAndPongs]),
        (C::PingsNotPongs, &[AnsweredConnectionBytes, AnsweredWebSocketBytes, Pings]),
        (
            C::Pings,
            &[
                Packets,
                ConnectionBytes,
                AnsweredConnectionBytes,
                WebSocketBytes,
                AnsweredWebSocketBytes,
                PingsAndPongs,
                Pings,
            ],
        ),
        (
            C::Messages,
            &[
                Packets,
                ConnectionBytes,
                AnsweredConnectionBytes,
                WebSocketBytes,
                AnsweredWebSocketBytes,
                PongsAndMessages,
                Messages,
            ],
        ),
        (C::NotPings, &[PongsAndMessages, Messages, Pongs, Nothing]),
    ]
};

impl RefreshConclusion {
    /// Concludes from what each method showed; `None` where one was not tried, or is unclear.
    pub(super) fn of(kept: impl Fn(KeepaliveMethod) -> Option<bool>) -> RefreshConclusion {
        let left = timers_left(kept);
        let is_allowed = |allowed: &[Timer]| left.iter().all(|timer| allowed.contains(timer));
        match left.as_slice() {
            [] => RefreshConclusion::Contradictory,
            _ => CONCLUSIONS
                .iter()
                .find(|(_, allowed)| is_allowed(allowed))
                .map_or(RefreshConclusion::Untried, |(conclusion, _)| *conclusion),
        }
    }
}

/// The timers that give all these results.
fn timers_left(kept: impl Fn(KeepaliveMethod) -> Option<bool>) -> Vec<Timer> {
    let agrees = |timer: &Timer| {
        KeepaliveMethod::iter()
            .all(|method| kept(method).is_none_or(|kept| kept == timer.is_reset_by(method)))
    };
    Timer::iter().filter(agrees).collect()
}

/// What a timer over HTTP/2 belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimerScope {
    /// To the connection of HTTP/2, since its PINGs reset it.
    Connection,
    /// To the stream, or to a hop behind the one that ends HTTP/2: PINGs do not reset it, and something else does.
    Stream,
}

impl TimerScope {
    /// What the timer belongs to, from the same results; `None` if PINGs of HTTP/2 were not tried, or if that does not show it.
    pub(super) fn of(kept: impl Fn(KeepaliveMethod) -> Option<bool>) -> Option<TimerScope> {
        let is_kept = kept(KeepaliveMethod::Http2Ping)?;
        let left = timers_left(kept);
        // A lifetime ends connections of every kind.
        let is_unclear = left.is_empty() || left.contains(&Timer::Nothing);
        let scope = if is_kept { TimerScope::Connection } else { TimerScope::Stream };
        (!is_unclear).then_some(scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A result of each method, in the order of [`KeepaliveMethod`]: `y` kept open, `n` not, `-` unclear.
    fn kept(results: &str) -> impl Fn(KeepaliveMethod) -> Option<bool> + '_ {
        |method| match results.as_bytes()[method as usize] {
            b'y' => Some(true),
            b'n' => Some(false),
            _ => None,
        }
    }

    fn all_combinations() -> Vec<String> {
        (0..KeepaliveMethod::iter().count()).fold(vec![String::new()], |all, _| {
            all.iter().flat_map(|row| ['y', 'n', '-'].map(|result| format!("{row}{result}"))).collect()
        })
    }

    /// What the words of a conclusion claim of each method.
    fn claimed(conclusion: RefreshConclusion) -> &'static str {
        match conclusion {
            RefreshConclusion::BelowApplication => "yyyyy",
            RefreshConclusion::AnyByte => "yy-y-",
            RefreshConclusion::ServerToClient => "ynny-",
            RefreshConclusion::Connection => "y--yy",
            RefreshConclusion::PongsNotPings => "nyn-n",
            RefreshConclusion::MessagesOnly => "n-nyn",
            RefreshConclusion::PingsOnly => "y-nnn",
            RefreshConclusion::Lifetime => "nnnnn",
            RefreshConclusion::NotPingsNorMessages => "n-nnn",
            RefreshConclusion::ControlFrames => "yy---",
            RefreshConclusion::PingsNotPongs => "ynn--",
            RefreshConclusion::Pings => "y----",
            RefreshConclusion::Messages => "---y-",
            RefreshConclusion::NotPings => "n-n-n",
            RefreshConclusion::Contradictory | RefreshConclusion::Untried => "-----",
        }
    }

    #[test]
    fn no_combination_of_results_claims_more_than_each_timer_it_leaves() {
        for row in all_combinations() {
            let (conclusion, left) = (RefreshConclusion::of(kept(&row)), timers_left(kept(&row)));
            let claim = claimed(conclusion);
            for method in KeepaliveMethod::iter() {
                let Some(claim) = kept(claim)(method) else { continue };
                assert_ne!(kept(&row)(method), Some(!claim), "{row}: {conclusion:?} against {method:?}");
                let holds = left.iter().all(|timer| timer.is_reset_by(method) == claim);
                assert!(holds, "{row}: {conclusion:?} of {method:?}, but perhaps {left:?}");
            }
            assert_eq!(left.is_empty(), conclusion == RefreshConclusion::Contradictory, "{row}");
        }
    }

    #[test]
    fn each_conclusion_follows_from_some_results() {
        let all: Vec<_> = all_combinations().iter().map(|row| RefreshConclusion::of(kept(row))).collect();
        for conclusion in RefreshConclusion::iter() {
            assert!(all.contains(&conclusion), "{conclusion:?}");
        }
        assert_eq!(all.len(), 243);
    }

    #[test]
    fn scope_follows_from_the_pings_of_http2() {
        for row in all_combinations() {
            let expected = match (RefreshConclusion::of(kept(&row)), row.as_bytes()[4]) {
                (RefreshConclusion::Contradictory | RefreshConclusion::Lifetime, _) | (_, b'-') => None,
                (_, b'y') => Some(TimerScope::Connection),
                (_, _) if timers_left(kept(&row)).contains(&Timer::Nothing) => None,
                (_, _) => Some(TimerScope::Stream),
            };
            assert_eq!(TimerScope::of(kept(&row)), expected, "{row}");
        }
    }

    #[test]
    fn surviving_methods_show_where_the_cut_is() {
        use RefreshConclusion as C;
        let rows = [
            ("yyyy-", C::BelowApplication),
            ("yyyyy", C::BelowApplication),
            ("yyy--", C::BelowApplication),
            ("yyny-", C::AnyByte),
            ("yynyy", C::AnyByte),
            ("yynyn", C::AnyByte),
            ("yn-y-", C::ServerToClient),
            ("ynnyy", C::ServerToClient),
            ("ynnyn", C::ServerToClient),
            ("----y", C::Connection),
            ("nyny-", C::PongsNotPings),
            ("nnnyn", C::MessagesOnly),
            ("n--y-", C::MessagesOnly),
            ("y--n-", C::PingsOnly),
            ("nnnn-", C::Lifetime),
            ("n--n-", C::NotPingsNorMessages),
            ("yyn--", C::ControlFrames),
            ("yn---", C::PingsNotPongs),
            ("y----", C::Pings),
            ("---y-", C::Messages),
            ("nnn-n", C::NotPings),
            ("-----", C::Untried),
            ("--n--", C::Untried),
            ("----n", C::Untried),
            ("nnyn-", C::Contradictory),
            ("nnnyy", C::Contradictory),
            ("n---y", C::Contradictory),
            ("--y-n", C::Contradictory),
        ];
        for (row, conclusion) in rows {
            assert_eq!(RefreshConclusion::of(kept(row)), conclusion, "{row}");
        }
    }
}
