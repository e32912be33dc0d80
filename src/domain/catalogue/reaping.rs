//! How servers treat clients that do not answer, by default.

use std::fmt;
use std::time::Duration;

use super::timeout::TimerReset;
use crate::domain::heartbeat::HeartbeatKind;

/// A library's default behaviour. A server may behave alike because someone configured the same values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReapingDefault {
    /// Unique: `ws.is_alive`.
    pub id: &'static str,
    pub name: &'static str,
    pub timing: ReapingTiming,
    pub goodbye: Goodbye,
    /// What the response's `Server` header contains, in lower case, if the library sends one.
    pub server: Option<&'static str>,
    /// For example `pings every 54 s, reads for 60 s at most`.
    pub words: &'static str,
    pub source: &'static str,
}

/// When a library gives a client up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReapingTiming {
    /// Heartbeats of this kind and interval, and the time from the first unanswered one to the end (`None`: never).
    Beats { kind: HeartbeatKind, interval: Duration, total: Option<Duration> },
    /// A timer that the client's traffic resets, and how late it may fire.
    Idle { after: Duration, coarse: Duration, resets: TimerReset },
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

/// Ping frames, and the time from an unanswered one to the end, in seconds.
pub(super) const fn pings(interval: u64, total: u64) -> ReapingTiming {
    let (interval, total) = (Duration::from_secs(interval), Some(Duration::from_secs(total)));
    ReapingTiming::Beats { kind: HeartbeatKind::Protocol, interval, total }
}

/// App pings, and the time from an unanswered one to the end, in seconds.
pub(super) const fn app_pings(interval: u64, total: u64) -> ReapingTiming {
    let (interval, total) = (Duration::from_secs(interval), Some(Duration::from_secs(total)));
    ReapingTiming::Beats { kind: HeartbeatKind::App, interval, total }
}
