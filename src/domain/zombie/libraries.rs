//! The default policies of libraries. A policy may match one of them because someone configured the same
//! values.

use std::fmt;
use std::time::Duration;

use super::policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::middleboxes::names_a_hop;
use crate::domain::listen::ServerEventKind;

/// Maximum deviation of a measured time, absolute or as a fraction.
const MAX_DEVIATION: Duration = Duration::from_millis(250);
const MAX_DEVIATION_PART: f64 = 0.05;
/// Maximum number of libraries named.
const MAX_NAMED_LIBRARIES: usize = 3;

/// A library's default behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Library {
    pub id: &'static str,
    pub name: &'static str,
    pub habit: LibraryTiming,
    pub goodbye: Goodbye,
    /// What the response's `Server` header contains, in lower case, if the library sends one.
    pub server: Option<&'static str>,
    /// For example `pings every 54 s, reads for 60 s at most`.
    pub words: &'static str,
    pub source: &'static str,
}

/// How a library closes a client that does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goodbye {
    /// Always by a close frame with this code.
    Frame(u16),
    /// Always by a close frame with this code and this reason, which no other library uses.
    Words(u16, &'static str),
    /// It closes TCP without a close frame.
    Terminates,
    /// Not always the same way, or unknown.
    Unknown,
}

impl Goodbye {
    /// Whether the library may have closed a client like this; an unseen end excludes nothing.
    fn allows(self, ending: Option<&CloseKind>) -> bool {
        let Some(ending) = ending else { return true };
        match (self, ending) {
            (Goodbye::Unknown, _)
            | (Goodbye::Terminates, CloseKind::Fin | CloseKind::Rst | CloseKind::TlsClose) => true,
            (Goodbye::Frame(its), CloseKind::CloseFrame { code, .. }) => *code == Some(its),
            (Goodbye::Words(..), CloseKind::CloseFrame { .. }) => self.is_unique(Some(ending)),
            (Goodbye::Terminates | Goodbye::Frame(_) | Goodbye::Words(..), _) => false,
        }
    }

    /// Whether the close reason is unique to this library.
    fn is_unique(self, ending: Option<&CloseKind>) -> bool {
        match (self, ending) {
            (Goodbye::Words(its, words), Some(CloseKind::CloseFrame { code, reason })) => {
                *code == Some(its) && reason.as_str().contains(words)
            }
            (_, _) => false,
        }
    }
}

impl fmt::Display for Goodbye {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Goodbye::Frame(code) => write!(f, "closes with close frame {code}"),
            Goodbye::Words(code, words) => write!(f, "closes with close frame {code} \"{words}\""),
            Goodbye::Terminates => f.write_str("terminates without a close frame"),
            Goodbye::Unknown => f.write_str("how it closes is not known"),
        }
    }
}

/// A library that a policy is consistent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LibraryMatch {
    pub library: &'static Library,
    /// The policy is its default; otherwise its close reason or its header names it.
    pub is_default: bool,
}

/// A policy as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryTiming {
    /// Heartbeats of this kind and interval, and the time from the first unanswered one to the end (`None`:
    /// never).
    Beats { event_kind: ServerEventKind, interval: Duration, total: Option<Duration> },
    /// A timer, and how late it may fire.
    Idle { after: Duration, coarse: Duration, needs: RequiredTraffic },
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn pings(interval: u64, total: u64) -> LibraryTiming {
    LibraryTiming::Beats { event_kind: ServerEventKind::Ping, interval: s(interval), total: Some(s(total)) }
}

const fn asks(interval: u64, total: u64) -> LibraryTiming {
    LibraryTiming::Beats {
        event_kind: ServerEventKind::AppPing,
        interval: s(interval),
        total: Some(s(total)),
    }
}

/// How the Python library `websockets` and its users close.
const KEEPALIVE: Goodbye = Goodbye::Words(1011, "keepalive ping timeout");

pub const LIBRARIES: &[Library] = &[
    Library {
        id: "ws.is_alive",
        name: "Node ws, the README's isAlive sample",
        habit: pings(30, 30),
        goodbye: Goodbye::Terminates,
        server: None,
        words: "pings every 30 s and terminates clients that have not answered by the next",
        source: "websockets/ws README, \"How to detect and close broken connections?\"",
    },
    Library {
        id: "python.websockets",
        name: "Python websockets",
        habit: pings(20, 20),
        goodbye: KEEPALIVE,
        server: Some("websockets/"),
        words: "ping_interval=20, ping_timeout=20",
        source: "websockets.readthedocs.io: topics/timeouts, faq/common",
    },
    Library {
        id: "uvicorn",
        name: "uvicorn (with websockets)",
        habit: pings(20, 20),
        goodbye: KEEPALIVE,
        server: Some("uvicorn"),
        words: "ws_ping_interval 20, ws_ping_timeout 20",
        source: "encode/uvicorn@e6c7ce791fc6 uvicorn/config.py:190-191",
    },
    Library {
        id: "gorilla.chat",
        name: "gorilla/websocket, the chat example",
        habit: pings(54, 6),
        goodbye: Goodbye::Unknown,
        server: None,
        words: "pongWait 60 s, pingPeriod 54 s: a read deadline that Pongs extend",
        source: "gorilla/websocket examples/chat/client.go",
    },
    Library {
        id: "graphql-ws",
        name: "graphql-ws on ws",
        habit: pings(12, 12),
        goodbye: Goodbye::Terminates,
        server: None,
        words: "pings every 12 s and terminates clients that have not answered by the next",
        source: "enisdenjo/graphql-ws@af4f5c9df60d src/use/ws.ts:53",
    },
    Library {
        id: "daphne",
        name: "Django Channels daphne",
        habit: pings(20, 30),
        goodbye: Goodbye::Unknown,
        server: Some("daphne"),
        words: "pings every 20 s and waits 30 s for the pong",
        source: "django/daphne@c19f2f4301cc daphne/server.py:56",
    },
    Library {
        id: "webpack-dev-server",
        name: "webpack-dev-server",
        habit: pings(1, 1),
        goodbye: Goodbye::Terminates,
        server: None,
        words: "pings every second and terminates clients that have not answered by the next",
        source: "webpack/webpack-dev-server@f78499fbb2f3 lib/servers/WebsocketServer.js:8,60-72",
    },
    Library {
        id: "engine.io",
        name: "Engine.IO 4 (Socket.IO 3 and 4)",
        habit: asks(25, 20),
        goodbye: Goodbye::Unknown,
        server: None,
        words: "pingInterval 25 s, pingTimeout 20 s",
        source: "socketio/engine.io-protocol@f21de7b00ed0 README.md",
    },
    Library {
        id: "centrifugo",
        name: "Centrifugo",
        habit: asks(25, 8),
        goodbye: Goodbye::Words(3012, "no pong"),
        server: None,
        words: "asks every 25 s and closes after 8 s",
        source: "centrifugal/centrifugal.dev@910fa94598b3 docs/transports/websocket.md:145-166",
    },
    Library {
        id: "meteor",
        name: "Meteor DDP",
        habit: asks(15, 15),
        goodbye: Goodbye::Unknown,
        server: None,
        words: "heartbeatInterval 15 s, heartbeatTimeout 15 s",
        source: "meteor/meteor@024061123a49 packages/ddp-server/livedata_server.js:1475",
    },
    Library {
        id: "gatewayworker",
        name: "GatewayWorker, the sample configuration",
        habit: LibraryTiming::Beats { event_kind: ServerEventKind::AppPing, interval: s(10), total: None },
        goodbye: Goodbye::Unknown,
        server: None,
        words: "pingInterval 10 s; without pingNotResponseLimit no client is closed",
        source: "GatewayWorker's Applications/*/start_gateway.php (pingInterval, pingData)",
    },
    Library {
        id: "phoenix",
        name: "Phoenix, Cowboy",
        habit: LibraryTiming::Idle { after: s(60), coarse: s(6), needs: RequiredTraffic::AnyFrame },
        goodbye: Goodbye::Frame(1000),
        server: Some("cowboy"),
        words: "a timer of 60 s since the client's last frame",
        source: "phoenixframework/phoenix@167c46950cf5 lib/phoenix/transports/websocket.ex:31",
    },
    Library {
        id: "workerman",
        name: "Workerman, the manual's heartbeat example",
        habit: LibraryTiming::Idle { after: s(55), coarse: s(10), needs: RequiredTraffic::Messages },
        goodbye: Goodbye::Unknown,
        server: None,
        words: "HEARTBEAT_TIME 55 s since the client's last message, checked every 10 s",
        source: "the Workerman manual, faq/heartbeat",
    },
];

impl Library {
    /// Whether a policy and the mute client's end match this library.
    fn fit(
        &'static self,
        policy: &ReapingPolicy,
        ending: Option<&CloseKind>,
        server: ServerHeader,
    ) -> Option<LibraryMatch> {
        let is_named = match server {
            ServerHeader::Says(name) => self.server.is_some_and(|own| name.contains(own)),
            ServerHeader::Unknown => false,
        };
        let contradicts = matches!(server, ServerHeader::Says(_)) && !is_named;
        if contradicts || !self.goodbye.allows(ending) {
            return None;
        }
        let is_default = self.matches(policy);
        let is_unique = self.goodbye.is_unique(ending);
        let is_known = match policy {
            // Its close reason decides what is otherwise unclear.
            ReapingPolicy::Unknown => is_unique,
            ReapingPolicy::Heartbeat(_) | ReapingPolicy::Idle(..) | ReapingPolicy::KeepsAll => {
                (is_named || is_unique) && self.is_same_kind(policy)
            }
        };
        (is_default || is_known).then_some(LibraryMatch { library: self, is_default })
    }

    /// Whether a policy is of this library's kind, at any interval.
    fn is_same_kind(&self, policy: &ReapingPolicy) -> bool {
        match (self.habit, policy) {
            (LibraryTiming::Beats { event_kind, .. }, ReapingPolicy::Heartbeat(found)) => {
                found.beats.event_kind == event_kind
            }
            (LibraryTiming::Beats { event_kind, .. }, ReapingPolicy::Idle(_, Some(beats))) => {
                beats.event_kind == event_kind
            }
            (LibraryTiming::Idle { needs, .. }, ReapingPolicy::Idle(found, None)) => found.needs == needs,
            (LibraryTiming::Beats { .. } | LibraryTiming::Idle { .. }, _) => false,
        }
    }

    fn matches(&self, policy: &ReapingPolicy) -> bool {
        match (self.habit, policy) {
            (LibraryTiming::Beats { event_kind, interval, total }, ReapingPolicy::Heartbeat(found)) => {
                found.beats.event_kind == event_kind
                    && found.beats.interval.is_some_and(|found| is_near(found, interval))
                    && is_reaping_like(found, total)
            }
            // The known libraries of this kind send no heartbeats.
            (LibraryTiming::Idle { after, coarse, needs }, ReapingPolicy::Idle(found, None)) => {
                is_idle_like(found, after, coarse, needs)
            }
            (LibraryTiming::Beats { .. } | LibraryTiming::Idle { .. }, _) => false,
        }
    }
}

fn is_reaping_like(found: &HeartbeatPolicy, wanted: Option<Duration>) -> bool {
    match (found.reaping, wanted) {
        (ReapingRule::Never { .. }, None) => true,
        (ReapingRule::After { total, .. }, Some(wanted)) => is_near(total, wanted),
        (ReapingRule::Never { .. }, Some(_)) | (ReapingRule::After { .. }, None) => false,
    }
}

fn is_idle_like(found: &IdlePolicy, after: Duration, coarse: Duration, needs: RequiredTraffic) -> bool {
    let latest = after + coarse;
    let late = found.after > after && found.after <= latest + MAX_DEVIATION;
    found.needs == needs && (late || is_near(found.after, after))
}

fn is_near(found: Duration, wanted: Duration) -> bool {
    found.abs_diff(wanted) <= wanted.mul_f64(MAX_DEVIATION_PART).max(MAX_DEVIATION)
}

/// What the `Server` header shows about the server itself.
#[derive(Debug, Clone, Copy)]
enum ServerHeader<'a> {
    /// This value, in lower case. Excludes libraries that send no such header or another one.
    Says(&'a str),
    /// There is none, or a proxy's header hides it.
    Unknown,
}

/// The libraries consistent with a policy, the mute client's close and the response headers; at most three.
pub fn consistent_with(
    policy: &ReapingPolicy,
    ending: Option<&CloseKind>,
    headers: &[(String, UntrustedText)],
) -> Vec<LibraryMatch> {
    let own = headers.iter().find(|header| header.0 == "server" && !names_a_hop(header));
    let own = own.map(|(_, value)| value.as_str().to_lowercase());
    let server = own.as_deref().map_or(ServerHeader::Unknown, ServerHeader::Says);
    let fits = LIBRARIES.iter().filter_map(|library| library.fit(policy, ending, server));
    fits.take(MAX_NAMED_LIBRARIES).collect()
}

#[cfg(test)]
mod tests {
    use super::super::server_schedule::ServerSchedule;
    use super::super::timer_kind::TimerKind;
    use super::*;

    fn beats(event_kind: ServerEventKind, interval: u64, total: Option<u64>) -> ReapingPolicy {
        let ms = Duration::from_millis;
        let reaping = match total.map(ms) {
            Some(total) => ReapingRule::After { misses: 1, timeout: total, total },
            None => ReapingRule::Never { waited: ms(60_000) },
        };
        let interval = Some(ms(interval));
        let beats = ServerSchedule { event_kind, interval, skips_active: None };
        ReapingPolicy::Heartbeat(HeartbeatPolicy { beats, reaping, idle: None })
    }

    fn named(policy: ReapingPolicy) -> Vec<&'static str> {
        consistent_with(&policy, None, &[]).iter().map(|found| found.library.id).collect()
    }

    #[test]
    fn defaults_are_recognized_within_five_percent() {
        assert_eq!(named(beats(ServerEventKind::Ping, 30_400, Some(29_900))), ["ws.is_alive"]);
        assert_eq!(
            named(beats(ServerEventKind::Ping, 20_001, Some(20_004))),
            ["python.websockets", "uvicorn"]
        );
        assert_eq!(named(beats(ServerEventKind::Ping, 54_000, Some(6_010))), ["gorilla.chat"]);
        assert_eq!(named(beats(ServerEventKind::AppPing, 25_003, Some(20_010))), ["engine.io"]);
        assert_eq!(named(beats(ServerEventKind::AppPing, 10_000, None)), ["gatewayworker"]);
        assert!(named(beats(ServerEventKind::Ping, 33_000, Some(30_000))).is_empty());
        assert!(
            named(beats(ServerEventKind::AppPing, 20_000, Some(20_000))).is_empty(),
            "another kind of ping"
        );
    }

    #[test]
    fn timers_are_recognized_by_required_traffic() {
        let idle = |after: u64, needs| {
            ReapingPolicy::Idle(IdlePolicy { after: s(after), edge: TimerKind::Unknown, needs }, None)
        };
        assert_eq!(named(idle(64, RequiredTraffic::AnyFrame)), ["phoenix"]);
        assert_eq!(named(idle(62, RequiredTraffic::Messages)), ["workerman"]);
        assert!(named(idle(70, RequiredTraffic::AnyFrame)).is_empty());
        let ReapingPolicy::Idle(found, _) = idle(62, RequiredTraffic::Messages) else { unreachable!() };
        let beats = ServerSchedule { event_kind: ServerEventKind::Ping, interval: None, skips_active: None };
        assert!(named(ReapingPolicy::Idle(found, Some(beats))).is_empty(), "Workerman sends none");
        assert!(named(ReapingPolicy::KeepsAll).is_empty() && named(ReapingPolicy::Unknown).is_empty());
    }

    #[test]
    fn library_with_a_close_frame_is_excluded_by_a_fin() {
        let idle = IdlePolicy { after: s(60), edge: TimerKind::Unknown, needs: RequiredTraffic::AnyFrame };
        let named = |how: CloseKind| consistent_with(&ReapingPolicy::Idle(idle, None), Some(&how), &[]).len();
        let close = |code| CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::default() };
        assert_eq!((named(close(1000)), named(close(1011)), named(CloseKind::Fin)), (1, 0, 0));
    }

    fn closes(code: u16, reason: &str) -> CloseKind {
        CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new(reason) }
    }

    fn named_after(
        policy: &ReapingPolicy,
        how: &CloseKind,
        server: Option<&str>,
    ) -> Vec<(&'static str, bool)> {
        let headers: Vec<_> =
            server.map(|name| ("server".to_string(), UntrustedText::new(name))).into_iter().collect();
        let found = consistent_with(policy, Some(how), &headers);
        found.iter().map(|found| (found.library.id, found.is_default)).collect()
    }

    const PYTHON: Option<&str> = Some("Python/3.11 websockets/17.4");

    #[test]
    fn unique_close_reason_names_a_library_at_any_interval() {
        let goodbye = closes(1011, "keepalive ping timeout");
        for (interval, total) in [(1000, 1000), (500, 2000), (7000, 3000), (90_000, 30_000)] {
            let policy = beats(ServerEventKind::Ping, interval, Some(total));
            assert_eq!(named_after(&policy, &goodbye, PYTHON), [("python.websockets", false)]);
            let bare = [("python.websockets", false), ("uvicorn", false)];
            assert_eq!(named_after(&policy, &goodbye, None), bare);
            assert_eq!(named_after(&policy, &goodbye, Some("uvicorn")), [("uvicorn", false)]);
        }
        let default = beats(ServerEventKind::Ping, 20_000, Some(20_000));
        assert_eq!(named_after(&default, &goodbye, PYTHON), [("python.websockets", true)]);
        assert_eq!(named_after(&ReapingPolicy::Unknown, &goodbye, PYTHON), [("python.websockets", false)]);
        assert_eq!(
            named_after(&ReapingPolicy::Unknown, &CloseKind::Fin, PYTHON),
            [],
            "a header alone says nothing"
        );
        assert_eq!(named_after(&ReapingPolicy::KeepsAll, &goodbye, None), []);
    }

    #[test]
    fn terminating_library_is_excluded_by_a_close_frame() {
        let policy = beats(ServerEventKind::Ping, 1000, Some(1000));
        assert_eq!(named_after(&policy, &CloseKind::Fin, None), [("webpack-dev-server", true)]);
        assert_eq!(named_after(&policy, &CloseKind::Rst, None), [("webpack-dev-server", true)]);
        assert_eq!(named_after(&policy, &closes(1011, "keepalive ping timeout"), PYTHON).len(), 1);
        assert_eq!(named_after(&policy, &closes(1001, ""), None), []);
        let half_minute = beats(ServerEventKind::Ping, 30_000, Some(30_000));
        assert_eq!(named_after(&half_minute, &closes(1000, "timeout"), None), []);
    }

    #[test]
    fn other_header_or_close_reason_excludes_a_library() {
        let policy = beats(ServerEventKind::Ping, 20_000, Some(20_000));
        let goodbye = closes(1011, "internal error");
        assert_eq!(named_after(&policy, &goodbye, PYTHON), [], "its words are others");
        assert_eq!(named_after(&policy, &CloseKind::Fin, PYTHON), [], "it closes with a frame");
        let second = beats(ServerEventKind::Ping, 1000, Some(1000));
        assert_eq!(
            named_after(&second, &CloseKind::Fin, Some("uvicorn")),
            [],
            "webpack-dev-server is no uvicorn"
        );
        assert_eq!(
            named_after(&second, &CloseKind::Fin, Some("Python/3.11 aiohttp/3.9.1")),
            [],
            "nor aiohttp"
        );
        assert_eq!(
            named_after(&second, &CloseKind::Fin, Some("nginx")),
            [("webpack-dev-server", true)],
            "a hop's"
        );
        assert_eq!(named_after(&second, &CloseKind::Fin, None), [("webpack-dev-server", true)]);
    }

    #[test]
    fn every_library_has_a_unique_id_and_a_source() {
        for (n, library) in LIBRARIES.iter().enumerate() {
            assert!(LIBRARIES[..n].iter().all(|other| other.id != library.id), "{}", library.id);
            assert!(!library.source.is_empty() && !library.words.is_empty(), "{}", library.id);
        }
    }
}
