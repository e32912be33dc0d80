//! What became of a client that did not read, and when.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::unread_backlog::UnreadBacklog;
use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::zombie::ClientEnd;
use crate::net::transport::tcp_liveness::Liveness;

/// What came so shortly before the connection was over may be TLS's goodbye, and not the WebSocket's.
const CLOSE_NOTIFY_WINDOW: Duration = Duration::from_millis(50);

/// A client that stalled, when it was waited for no more.
pub struct StalledClient {
    /// When it stopped reading...
    pub began: Instant,
    pub opened: Instant,
    /// ... and for how long, until it was over or long enough.
    pub after: Duration,
    /// The system told that it is over.
    pub seen: bool,
    /// What the peer's system said.
    pub proof: Liveness,
    /// Then there was no more to read.
    pub read_until: Instant,
    /// Over TLS.
    pub secure: bool,
}

impl StalledClient {
    /// What became of it, by what it found when it read on.
    pub fn fate(&self, backlog: UnreadBacklog) -> ClientEnd {
        // What only reading brought to light may have come while it was read.
        let found = if self.seen { self.after } else { self.read_until - self.began };
        match backlog.ending {
            ending if self.proof == Liveness::Over => found_over(ending, found),
            None if self.proof == Liveness::Unheard => ClientEnd::Lost { after: self.after },
            None => ClientEnd::Kept { so_far: self.after, proven: self.proof != Liveness::Unfinished },
            Some(ending) => self.ended(ending, backlog.came, found),
        }
    }

    /// The connection may have been over long after a goodbye came, for which nobody looked; but that was the last that
    /// came.
    fn ended(&self, ending: CloseCause, came: Option<Instant>, found: Duration) -> ClientEnd {
        let says_goodbye = matches!(
            ending.how,
            CloseKind::CloseFrame { .. }
                | CloseKind::Violation { close: Some(_), .. }
                | CloseKind::TlsClose
                | CloseKind::TlsAlert { .. }
        );
        let goodbye = came.filter(|came| says_goodbye && self.is_of_its_own(*came));
        let after = goodbye.map_or(found, |came| came.saturating_duration_since(self.began));
        let at_latest = goodbye.is_none() && (says_goodbye || !self.seen);
        let ending = Arc::new(CloseCause { age: after + (self.began - self.opened), ..ending });
        ClientEnd::Ended { after, ending, at_latest }
    }

    /// Whether what came then is not what TLS says at its end.
    fn is_of_its_own(&self, came: Instant) -> bool {
        !self.secure || !self.seen || came + CLOSE_NOTIFY_WINDOW < self.began + self.after
    }
}

/// It answered a question by that end. A goodbye had been on its way; but nobody knows for how long a connection that is
/// answered by an RST had been forgotten, and by whom.
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

    fn goodbye() -> CloseKind {
        CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() }
    }

    /// After so many milliseconds, and whether that is an upper bound, of one that ended so; the last bytes came then.
    fn told(stalled: &StalledClient, how: CloseKind, came: Option<u64>) -> (u64, bool) {
        let (who, at) = (ClosedBy::Peer, SystemTime::UNIX_EPOCH);
        let ending =
            CloseCause { who, how, reply: None, os_error: None, tcp: None, age: ms(0), idle: ms(0), at };
        let came = came.map(|came| stalled.began + ms(came));
        match stalled.fate(UnreadBacklog { ending: Some(ending), unread: 0, came }) {
            ClientEnd::Ended { after, ending, at_latest } => {
                assert_eq!(ending.age, after + ms(100), "it was greeted for 100 ms");
                (after.as_millis() as u64, at_latest)
            }
            other => panic!("{other:?}"),
        }
    }

    /// Over after five seconds, or waited for as long; another was taken to read on.
    fn stalled(seen: bool, secure: bool) -> StalledClient {
        let opened = Instant::now();
        let began = opened + ms(100);
        let proof = if seen { Liveness::Untold } else { Liveness::Heard };
        StalledClient { began, opened, after: ms(5000), seen, proof, read_until: began + ms(6000), secure }
    }

    #[test]
    fn an_end_that_the_system_told_is_dated_by_that() {
        assert_eq!(told(&stalled(true, false), CloseKind::Fin, Some(3000)), (5000, false));
        assert_eq!(
            told(&stalled(false, false), CloseKind::Fin, None),
            (6000, true),
            "it came while it was read"
        );
    }

    #[test]
    fn a_goodbye_is_dated_by_the_last_bytes_that_came() {
        for seen in [true, false] {
            assert_eq!(told(&stalled(seen, false), goodbye(), Some(3000)), (3000, false));
            assert_eq!(told(&stalled(seen, true), CloseKind::TlsClose, Some(3000)), (3000, false));
        }
        assert_eq!(told(&stalled(true, false), goodbye(), None), (5000, true), "the system does not tell");
        assert_eq!(told(&stalled(false, false), goodbye(), None), (6000, true));
    }

    #[test]
    fn what_came_with_the_end_may_be_what_tls_says() {
        assert_eq!(told(&stalled(true, true), goodbye(), Some(4990)), (5000, true));
        assert_eq!(told(&stalled(true, false), goodbye(), Some(4990)), (4990, false));
    }

    #[test]
    fn one_that_nobody_knows_was_not_kept() {
        let nothing = || UnreadBacklog { ending: None, unread: 0, came: None };
        let kept = |proven| ClientEnd::Kept { so_far: ms(5000), proven };
        assert_eq!(stalled(false, false).fate(nothing()), kept(true));
        let hurried = StalledClient { proof: Liveness::Unfinished, ..stalled(false, false) };
        assert_eq!(hurried.fate(nothing()), kept(false));
        let lost = StalledClient { proof: Liveness::Unheard, ..stalled(false, false) };
        assert_eq!(lost.fate(nothing()), ClientEnd::Lost { after: ms(5000) });
    }
}
