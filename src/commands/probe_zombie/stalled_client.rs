//! How and when a client ended that did not read.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::unread_backlog::UnreadBacklog;
use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::zombie::ClientEnd;
use crate::net::transport::tcp_liveness::Liveness;

/// Bytes this shortly before the end may be TLS's close_notify instead of a WebSocket close.
const CLOSE_NOTIFY_WINDOW: Duration = Duration::from_millis(50);

/// A stalled client at the end of its observation.
pub struct StalledClient {
    /// When it stopped reading.
    pub began: Instant,
    pub opened: Instant,
    /// How long it stalled, until the connection ended or the time was over.
    pub after: Duration,
    /// The operating system reported the end.
    pub is_end_seen: bool,
    /// Result of the liveness check.
    pub liveness: Liveness,
    /// When the backlog was read completely.
    pub read_until: Instant,
    /// Whether it used TLS.
    pub secure: bool,
}

impl StalledClient {
    /// The client's end, given what it found when it read the backlog.
    pub fn end(&self, backlog: UnreadBacklog) -> ClientEnd {
        // If only reading revealed the end, it may have come at any time until then.
        let end_found_at = if self.is_end_seen { self.after } else { self.read_until - self.began };
        match backlog.ending {
            ending if self.liveness == Liveness::Over => found_over(ending, end_found_at),
            None if self.liveness == Liveness::Unheard => ClientEnd::Lost { after: self.after },
            None => ClientEnd::Kept { so_far: self.after, proven: self.liveness != Liveness::Unfinished },
            Some(ending) => self.ended(ending, backlog.last_bytes_at, end_found_at),
        }
    }

    /// An end with a time. After a close frame the connection may have ended long ago, unobserved; but nothing came
    /// after the frame, so the last bytes date it.
    fn ended(&self, ending: CloseCause, last_bytes_at: Option<Instant>, end_found_at: Duration) -> ClientEnd {
        let is_regular_close = matches!(
            ending.how,
            CloseKind::CloseFrame { .. }
                | CloseKind::Violation { close: Some(_), .. }
                | CloseKind::TlsClose
                | CloseKind::TlsAlert { .. }
        );
        let close_time = last_bytes_at
            .filter(|last_bytes_at| is_regular_close && self.is_before_close_notify(*last_bytes_at));
        let after = close_time
            .map_or(end_found_at, |last_bytes_at| last_bytes_at.saturating_duration_since(self.began));
        let at_latest = close_time.is_none() && (is_regular_close || !self.is_end_seen);
        let ending = Arc::new(CloseCause { age: after + (self.began - self.opened), ..ending });
        ClientEnd::Ended { after, ending, at_latest }
    }

    /// Whether the last bytes are too early to be TLS's close_notify.
    fn is_before_close_notify(&self, last_bytes_at: Instant) -> bool {
        !self.secure || !self.is_end_seen || last_bytes_at + CLOSE_NOTIFY_WINDOW < self.began + self.after
    }
}

/// A connection that had ended when it was checked. A close was already on its way; but an RST does not tell how long
/// ago the connection was dropped, nor by whom.
pub fn found_over(ending: Option<CloseCause>, after: Duration) -> ClientEnd {
    match ending.filter(|ending| ending.is_by_peers_hand() && !matches!(ending.how, CloseKind::Rst)) {
        Some(ending) => ClientEnd::Ended { after, ending: Arc::new(ending), at_latest: true },
        None => ClientEnd::Lost { after },
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::connection::close_cause::ClosedBy;
    use crate::domain::connection::untrusted_text::UntrustedText;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn regular_close() -> CloseKind {
        CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() }
    }

    /// The time in milliseconds, and whether it is an upper bound, if it ended so and the last bytes came then.
    fn dated_end(stalled: &StalledClient, how: CloseKind, last_bytes_at: Option<u64>) -> (u64, bool) {
        let (who, at) = (ClosedBy::Peer, SystemTime::UNIX_EPOCH);
        let ending =
            CloseCause { who, how, reply: None, os_error: None, tcp: None, age: ms(0), idle: ms(0), at };
        let last_bytes_at = last_bytes_at.map(|last_bytes_at| stalled.began + ms(last_bytes_at));
        match stalled.end(UnreadBacklog { ending: Some(ending), unread: 0, last_bytes_at }) {
            ClientEnd::Ended { after, ending, at_latest } => {
                assert_eq!(ending.age, after + ms(100), "it was greeted for 100 ms");
                (after.as_millis() as u64, at_latest)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Ended after five seconds, or observed for as long; reading the backlog took another second.
    fn stalled(is_end_seen: bool, secure: bool) -> StalledClient {
        let opened = Instant::now();
        let began = opened + ms(100);
        let liveness = if is_end_seen { Liveness::Unknown } else { Liveness::Replied };
        StalledClient {
            began,
            opened,
            after: ms(5000),
            is_end_seen,
            liveness,
            read_until: began + ms(6000),
            secure,
        }
    }

    #[test]
    fn end_reported_by_the_system_is_dated_by_it() {
        assert_eq!(dated_end(&stalled(true, false), CloseKind::Fin, Some(3000)), (5000, false));
        assert_eq!(
            dated_end(&stalled(false, false), CloseKind::Fin, None),
            (6000, true),
            "it came while it was read"
        );
    }

    #[test]
    fn close_is_dated_by_the_last_bytes() {
        for is_end_seen in [true, false] {
            assert_eq!(dated_end(&stalled(is_end_seen, false), regular_close(), Some(3000)), (3000, false));
            assert_eq!(
                dated_end(&stalled(is_end_seen, true), CloseKind::TlsClose, Some(3000)),
                (3000, false)
            );
        }
        assert_eq!(
            dated_end(&stalled(true, false), regular_close(), None),
            (5000, true),
            "the last data time is unknown"
        );
        assert_eq!(dated_end(&stalled(false, false), regular_close(), None), (6000, true));
    }

    #[test]
    fn bytes_at_the_end_may_be_close_notify() {
        assert_eq!(dated_end(&stalled(true, true), regular_close(), Some(4990)), (5000, true));
        assert_eq!(dated_end(&stalled(true, false), regular_close(), Some(4990)), (4990, false));
    }

    #[test]
    fn forgotten_connection_was_not_kept() {
        let nothing = || UnreadBacklog { ending: None, unread: 0, last_bytes_at: None };
        let kept = |proven| ClientEnd::Kept { so_far: ms(5000), proven };
        assert_eq!(stalled(false, false).end(nothing()), kept(true));
        let hurried = StalledClient { liveness: Liveness::Unfinished, ..stalled(false, false) };
        assert_eq!(hurried.end(nothing()), kept(false));
        let lost = StalledClient { liveness: Liveness::Unheard, ..stalled(false, false) };
        assert_eq!(lost.end(nothing()), ClientEnd::Lost { after: ms(5000) });
    }
}
