//! The policies that libraries come with. What is found may be consistent with one of them; somebody may as well have
//! configured the same.

use std::time::Duration;

use super::policy::{HeartbeatPolicy, IdlePolicy, Needs, Policy, Reaping};
use crate::domain::ending::How;
use crate::domain::listen::Sound;

/// A measured span is this far off at most, or by this part.
const SLACK: Duration = Duration::from_millis(250);
const PART: f64 = 0.05;
/// So many are named.
const MOST: usize = 3;

/// What a library does unless told otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Library {
    pub id: &'static str,
    pub name: &'static str,
    pub habit: Habit,
    /// It always says goodbye by this close code; `None`: not always, or none that is known.
    pub closes: Option<u16>,
    /// In words: `pings every 54 s, reads for 60 s at most`.
    pub words: &'static str,
    pub source: &'static str,
}

/// A policy as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Habit {
    /// Heartbeats of this kind, this often; from the first unanswered one to the end (`None`: it never gives up).
    Beats { sound: Sound, interval: Duration, total: Option<Duration> },
    /// A timer, at most so much later than its value.
    Idle { after: Duration, coarse: Duration, needs: Needs },
}

const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn pings(interval: u64, total: u64) -> Habit {
    Habit::Beats { sound: Sound::Ping, interval: s(interval), total: Some(s(total)) }
}

const fn asks(interval: u64, total: u64) -> Habit {
    Habit::Beats { sound: Sound::AppPing, interval: s(interval), total: Some(s(total)) }
}

/// All that are known.
pub const LIBRARIES: &[Library] = &[
    Library {
        id: "ws.is_alive",
        name: "Node ws, the README's isAlive sample",
        habit: pings(30, 30),
        closes: None,
        words: "pings every 30 s and terminates who has not answered by the next",
        source: "websockets/ws README, \"How to detect and close broken connections?\"",
    },
    Library {
        id: "python.websockets",
        name: "Python websockets",
        habit: pings(20, 20),
        closes: Some(1011),
        words: "ping_interval=20, ping_timeout=20; closes 1011 \"keepalive ping timeout\"",
        source: "websockets.readthedocs.io: topics/timeouts, faq/common",
    },
    Library {
        id: "uvicorn",
        name: "uvicorn (with websockets)",
        habit: pings(20, 20),
        closes: None,
        words: "ws_ping_interval 20, ws_ping_timeout 20",
        source: "encode/uvicorn@e6c7ce791fc6 uvicorn/config.py:190-191",
    },
    Library {
        id: "gorilla.chat",
        name: "gorilla/websocket, the chat example",
        habit: pings(54, 6),
        closes: None,
        words: "pongWait 60 s, pingPeriod 54 s: a read deadline that Pongs extend",
        source: "gorilla/websocket examples/chat/client.go",
    },
    Library {
        id: "graphql-ws",
        name: "graphql-ws on ws",
        habit: pings(12, 12),
        closes: None,
        words: "pings every 12 s and terminates who has not answered by the next",
        source: "enisdenjo/graphql-ws@af4f5c9df60d src/use/ws.ts:53",
    },
    Library {
        id: "daphne",
        name: "Django Channels daphne",
        habit: pings(20, 30),
        closes: None,
        words: "pings every 20 s and waits 30 s for the pong",
        source: "django/daphne@c19f2f4301cc daphne/server.py:56",
    },
    Library {
        id: "webpack-dev-server",
        name: "webpack-dev-server",
        habit: pings(1, 1),
        closes: None,
        words: "pings every second and terminates who has not answered by the next",
        source: "webpack/webpack-dev-server@f78499fbb2f3 lib/servers/WebsocketServer.js:8,60-72",
    },
    Library {
        id: "engine.io",
        name: "Engine.IO 4 (Socket.IO 3 and 4)",
        habit: asks(25, 20),
        closes: None,
        words: "pingInterval 25 s, pingTimeout 20 s",
        source: "socketio/engine.io-protocol@f21de7b00ed0 README.md",
    },
    Library {
        id: "centrifugo",
        name: "Centrifugo",
        habit: asks(25, 8),
        closes: Some(3012),
        words: "asks every 25 s and closes 3012 \"no pong\" after 8 s",
        source: "centrifugal/centrifugal.dev@910fa94598b3 docs/transports/websocket.md:145-166",
    },
    Library {
        id: "meteor",
        name: "Meteor DDP",
        habit: asks(15, 15),
        closes: None,
        words: "heartbeatInterval 15 s, heartbeatTimeout 15 s",
        source: "meteor/meteor@024061123a49 packages/ddp-server/livedata_server.js:1475",
    },
    Library {
        id: "gatewayworker",
        name: "GatewayWorker, the sample configuration",
        habit: Habit::Beats { sound: Sound::AppPing, interval: s(10), total: None },
        closes: None,
        words: "pingInterval 10 s; without pingNotResponseLimit nobody is given up",
        source: "GatewayWorker's Applications/*/start_gateway.php (pingInterval, pingData)",
    },
    Library {
        id: "phoenix",
        name: "Phoenix, Cowboy",
        habit: Habit::Idle { after: s(60), coarse: s(6), needs: Needs::AnyFrame },
        closes: Some(1000),
        words: "a timer of 60 s since the client's last frame; closes 1000 under Cowboy",
        source: "phoenixframework/phoenix@167c46950cf5 lib/phoenix/transports/websocket.ex:31",
    },
    Library {
        id: "workerman",
        name: "Workerman, the manual's heartbeat example",
        habit: Habit::Idle { after: s(55), coarse: s(10), needs: Needs::Messages },
        closes: None,
        words: "HEARTBEAT_TIME 55 s since the client's last message, looked at every 10 s",
        source: "the Workerman manual, faq/heartbeat",
    },
];

impl Library {
    /// Whether a policy looks as if it were this one, and the way in which it let go of the mute client does.
    pub fn fits(&self, policy: &Policy, ending: Option<&How>) -> bool {
        let code = match ending {
            Some(How::CloseFrame { code, .. }) => *code,
            Some(_) | None => None,
        };
        (self.closes.is_none() || ending.is_none() || self.closes == code) && self.is_so(policy)
    }

    fn is_so(&self, policy: &Policy) -> bool {
        match (self.habit, policy) {
            (Habit::Beats { sound, interval, total }, Policy::Heartbeat(found)) => {
                found.beats.sound == sound
                    && found.beats.interval.is_some_and(|found| is_near(found, interval))
                    && reaps_so(found, total)
            }
            // Those that are known so send no heartbeats.
            (Habit::Idle { after, coarse, needs }, Policy::Idle(found, None)) => {
                is_idle_so(found, after, coarse, needs)
            }
            (Habit::Beats { .. } | Habit::Idle { .. }, _) => false,
        }
    }
}

fn reaps_so(found: &HeartbeatPolicy, wanted: Option<Duration>) -> bool {
    match (found.reaping, wanted) {
        (Reaping::Never { .. }, None) => true,
        (Reaping::After { total, .. }, Some(wanted)) => is_near(total, wanted),
        (Reaping::Never { .. }, Some(_)) | (Reaping::After { .. }, None) => false,
    }
}

fn is_idle_so(found: &IdlePolicy, after: Duration, coarse: Duration, needs: Needs) -> bool {
    let latest = after + coarse;
    let late = found.after > after && found.after <= latest + SLACK;
    found.needs == needs && (late || is_near(found.after, after))
}

fn is_near(found: Duration, wanted: Duration) -> bool {
    found.abs_diff(wanted) <= wanted.mul_f64(PART).max(SLACK)
}

/// Those that a policy is consistent with, and how the mute client was let go; at most three.
pub fn consistent_with(policy: &Policy, ending: Option<&How>) -> Vec<&'static Library> {
    LIBRARIES.iter().filter(|library| library.fits(policy, ending)).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::super::beats::Beats;
    use super::super::edge::Edge;
    use super::*;
    use crate::domain::peer_text::PeerText;

    fn beats(sound: Sound, interval: u64, total: Option<u64>) -> Policy {
        let ms = Duration::from_millis;
        let reaping = match total.map(ms) {
            Some(total) => Reaping::After { misses: 1, timeout: total, total },
            None => Reaping::Never { waited: ms(60_000) },
        };
        let interval = Some(ms(interval));
        let beats = Beats { sound, interval, skips_active: None };
        Policy::Heartbeat(HeartbeatPolicy { beats, reaping, idle: None })
    }

    fn named(policy: Policy) -> Vec<&'static str> {
        consistent_with(&policy, None).iter().map(|library| library.id).collect()
    }

    #[test]
    fn defaults_are_recognised_within_five_per_cent() {
        assert_eq!(named(beats(Sound::Ping, 30_400, Some(29_900))), ["ws.is_alive"]);
        assert_eq!(named(beats(Sound::Ping, 20_001, Some(20_004))), ["python.websockets", "uvicorn"]);
        assert_eq!(named(beats(Sound::Ping, 54_000, Some(6_010))), ["gorilla.chat"]);
        assert_eq!(named(beats(Sound::AppPing, 25_003, Some(20_010))), ["engine.io"]);
        assert_eq!(named(beats(Sound::AppPing, 10_000, None)), ["gatewayworker"]);
        assert!(named(beats(Sound::Ping, 33_000, Some(30_000))).is_empty());
        assert!(named(beats(Sound::AppPing, 20_000, Some(20_000))).is_empty(), "another kind of ping");
    }

    #[test]
    fn timers_are_recognised_by_what_they_need() {
        let idle = |after: u64, needs| {
            Policy::Idle(IdlePolicy { after: s(after), edge: Edge::Unknown, needs }, None)
        };
        assert_eq!(named(idle(64, Needs::AnyFrame)), ["phoenix"]);
        assert_eq!(named(idle(62, Needs::Messages)), ["workerman"]);
        assert!(named(idle(70, Needs::AnyFrame)).is_empty());
        let Policy::Idle(found, _) = idle(62, Needs::Messages) else { unreachable!() };
        let beats = Beats { sound: Sound::Ping, interval: None, skips_active: None };
        assert!(named(Policy::Idle(found, Some(beats))).is_empty(), "Workerman sends none");
        assert!(named(Policy::KeepsAll).is_empty() && named(Policy::Unknown).is_empty());
    }

    #[test]
    fn one_that_always_says_goodbye_did_not_send_a_bare_fin() {
        let idle = IdlePolicy { after: s(60), edge: Edge::Unknown, needs: Needs::AnyFrame };
        let named = |how: How| consistent_with(&Policy::Idle(idle, None), Some(&how)).len();
        let close = |code| How::CloseFrame { code: Some(code), reason: PeerText::default() };
        assert_eq!((named(close(1000)), named(close(1011)), named(How::Fin)), (1, 0, 0));
    }

    #[test]
    fn every_library_has_a_name_of_its_own_and_a_source() {
        for (n, library) in LIBRARIES.iter().enumerate() {
            assert!(LIBRARIES[..n].iter().all(|other| other.id != library.id), "{}", library.id);
            assert!(!library.source.is_empty() && !library.words.is_empty(), "{}", library.id);
        }
    }
}
