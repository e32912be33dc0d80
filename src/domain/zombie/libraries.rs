//! Which libraries' defaults a server's behaviour is consistent with. It may match one because someone configured the
//! same values.

use std::time::Duration;

use super::policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
use crate::domain::catalogue::{Goodbye, ReapingDefault, ReapingTiming, TimerReset, reaping_defaults};
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::idle::product_naming::names_a_hop;
use crate::domain::listen::ServerEventKind;

/// Maximum deviation of a measured time, absolute or as a fraction.
const MAX_DEVIATION: Duration = Duration::from_millis(250);
const MAX_DEVIATION_PART: f64 = 0.05;
/// Maximum number of libraries named.
const MAX_NAMED_LIBRARIES: usize = 3;

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

/// A library that a policy is consistent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LibraryMatch {
    pub library: &'static ReapingDefault,
    /// The policy is its default; otherwise its close reason or its header names it.
    pub is_default: bool,
}

impl ReapingDefault {
    /// Whether a policy and the mute client's end match this library. `server`: what the `Server` header says about the
    /// server itself, in lower case; it excludes libraries that send no such header or another one. `None` if there is none,
    /// or a proxy's header hides it.
    fn fit(
        &'static self,
        policy: &ReapingPolicy,
        ending: Option<&CloseKind>,
        server: Option<&str>,
    ) -> Option<LibraryMatch> {
        let is_named = server.zip(self.server).is_some_and(|(name, own)| name.contains(own));
        let contradicts = server.is_some() && !is_named;
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
        match (self.timing, policy) {
            (ReapingTiming::Beats { kind, .. }, ReapingPolicy::Heartbeat(found)) => {
                found.beats.event_kind == heartbeat_event(kind)
            }
            (ReapingTiming::Beats { kind, .. }, ReapingPolicy::Idle(_, Some(beats))) => {
                beats.event_kind == heartbeat_event(kind)
            }
            (ReapingTiming::Idle { resets, .. }, ReapingPolicy::Idle(found, None)) => {
                Some(found.needs) == required_traffic(resets)
            }
            (ReapingTiming::Beats { .. } | ReapingTiming::Idle { .. }, _) => false,
        }
    }

    fn matches(&self, policy: &ReapingPolicy) -> bool {
        let is_like = match (self.timing, policy) {
            (ReapingTiming::Beats { interval, total, .. }, ReapingPolicy::Heartbeat(found)) => {
                found.beats.interval.is_some_and(|found| is_near(found, interval))
                    && is_reaping_like(found, total)
            }
            // The known libraries of this kind send no heartbeats.
            (ReapingTiming::Idle { after, coarse, .. }, ReapingPolicy::Idle(found, None)) => {
                is_idle_like(found, after, coarse)
            }
            (ReapingTiming::Beats { .. } | ReapingTiming::Idle { .. }, _) => false,
        };
        is_like && self.is_same_kind(policy)
    }
}

/// How a server's heartbeats of this kind arrive.
fn heartbeat_event(kind: HeartbeatKind) -> ServerEventKind {
    match kind {
        HeartbeatKind::Protocol | HeartbeatKind::Http2 => ServerEventKind::Ping,
        HeartbeatKind::App => ServerEventKind::AppPing,
    }
}

/// What a client must send to reset such a timer; `None` if what a client sends does not decide.
fn required_traffic(resets: TimerReset) -> Option<RequiredTraffic> {
    match resets {
        TimerReset::ClientToServer => Some(RequiredTraffic::AnyFrame),
        TimerReset::MessagesOnly => Some(RequiredTraffic::Messages),
        TimerReset::Either
        | TimerReset::ServerToClient
        | TimerReset::EachDirection
        | TimerReset::TcpKeepaliveToo
        | TimerReset::Pong
        | TimerReset::Nothing => None,
    }
}

fn is_reaping_like(found: &HeartbeatPolicy, wanted: Option<Duration>) -> bool {
    match (found.reaping, wanted) {
        (ReapingRule::Never { .. }, None) => true,
        (ReapingRule::After { total, .. }, Some(wanted)) => is_near(total, wanted),
        (ReapingRule::Never { .. }, Some(_)) | (ReapingRule::After { .. }, None) => false,
    }
}

fn is_idle_like(found: &IdlePolicy, after: Duration, coarse: Duration) -> bool {
    let latest = after + coarse;
    let late = found.after > after && found.after <= latest + MAX_DEVIATION;
    late || is_near(found.after, after)
}

fn is_near(found: Duration, wanted: Duration) -> bool {
    found.abs_diff(wanted) <= wanted.mul_f64(MAX_DEVIATION_PART).max(MAX_DEVIATION)
}

/// The libraries consistent with a policy, the mute client's close and the response headers; at most three.
pub fn consistent_with(
    policy: &ReapingPolicy,
    ending: Option<&CloseKind>,
    headers: &[(String, UntrustedText)],
) -> Vec<LibraryMatch> {
    let own = headers.iter().find(|header| header.0 == "server" && !names_a_hop(header));
    let own = own.map(|(_, value)| value.as_str().to_lowercase());
    let fits = reaping_defaults().filter_map(|library| library.fit(policy, ending, own.as_deref()));
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
            ReapingPolicy::Idle(
                IdlePolicy { after: Duration::from_secs(after), edge: TimerKind::Unknown, needs },
                None,
            )
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
        let idle = IdlePolicy {
            after: Duration::from_secs(60),
            edge: TimerKind::Unknown,
            needs: RequiredTraffic::AnyFrame,
        };
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
}
