//! What the kernel knows about a connection below the WebSocket: TCP's RTT and acknowledgements.
//!
//! TCP ends at the first TCP hop, which may be a proxy or a load balancer; the WebSocket ends at the server.
//! Data that TCP acknowledged and the server did not answer distinguishes a hung server from a dead path.

use std::time::Duration;

use crate::domain::format::{counted, duration as show};

/// Maximum delay of an acknowledgement (RFC 9293 section 3.8.6.3).
const MAX_DELAYED_ACK: Duration = Duration::from_millis(500);

/// TCP's figures for one connection at one moment (TCP_INFO of tcp(7), on Linux).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpView {
    /// Smoothed RTT (RFC 6298); includes delayed acknowledgements.
    pub rtt: Duration,
    pub rtt_deviation: Duration,
    /// The minimum RTT of the last five minutes, as the kernel keeps it. `None` before the first.
    pub min_rtt: Option<Duration>,
    /// Retransmitted segments since the connection began, without those the peer reports as duplicates.
    pub retransmits: u32,
    /// Segments sent and not acknowledged.
    pub unacked: u32,
    /// Bytes accepted from us and not sent.
    pub unsent: u32,
    /// Since the last acknowledgement.
    pub last_ack: Duration,
    /// Since the last data was received.
    pub last_data: Duration,
    /// Bytes acknowledged since the connection opened.
    pub acked: u64,
}

impl TcpView {
    /// Whether the bytes up to `end`, sent this long ago, were acknowledged; `None` while the peer may delay
    /// that.
    pub fn has_acked(&self, end: u64, ago: Duration) -> Option<bool> {
        match self.acked >= end {
            true => Some(true),
            false if ago >= MAX_DELAYED_ACK + self.rtt => Some(false),
            false => None,
        }
    }

    /// TCP's state as a fragment: `last TCP acknowledgement 12 s before the end; 3 segments unacknowledged, 4
    /// retransmits`.
    pub fn standing(&self) -> String {
        let when = if self.last_ack.is_zero() { "just".to_string() } else { show(self.last_ack) };
        let mut words = format!("last TCP acknowledgement {when} before the end");
        let unacked = (self.unacked > 0).then(|| format!("{} unacknowledged", segments(self.unacked)));
        let again = (self.retransmits > 0).then(|| counted(self.retransmits, "retransmit"));
        for (between, more) in ["; ", ", "].iter().zip(unacked.into_iter().chain(again)) {
            words += between;
            words += &more;
        }
        words
    }
}

fn segments(count: u32) -> String {
    counted(count, "segment")
}

/// Consecutive acknowledged heartbeats without an answer from which the server counts as hung, or something
/// as dropping them. Fewer may be dropped pongs or a pause.
const HANG_MISSES: u32 = 3;
const ACKNOWLEDGED: &str = "TCP acknowledged the heartbeats: the first hop works";

/// What TCP shows about the heartbeats missed in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MissedAtTcp {
    acked: u32,
    not_acked: u32,
}

impl MissedAtTcp {
    /// Counts another missed one.
    pub fn miss(&mut self, acked: Option<bool>) {
        self.acked += u32::from(acked == Some(true));
        self.not_acked += u32::from(acked == Some(false));
    }

    /// What this means, as a fragment; `None` if TCP does not show it. `peer_sent`: the peer sent something
    /// other than the replies, so it does not hang and heartbeats may reach it.
    pub fn meaning(&self, peer_sent: bool) -> Option<String> {
        match (self.acked, self.not_acked) {
            (0, 0) => None,
            (_, 0) if peer_sent => None,
            (..HANG_MISSES, 0) => Some(ACKNOWLEDGED.to_string()),
            (_, 0) => Some(format!("{ACKNOWLEDGED}; the server hangs, or something removes heartbeats")),
            (0, _) => {
                Some("TCP got no acknowledgement: the path is down, or slower than the timeout".to_string())
            }
            (acked, not_acked) => {
                let of = u64::from(acked) + u64::from(not_acked);
                Some(format!("TCP acknowledged {acked} of {of}: the path failed meanwhile, or loses packets"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn an_acknowledgement_may_be_held_back_for_half_a_second() {
        let view = TcpView { acked: 100, rtt: ms(20), ..TcpView::default() };
        assert_eq!(view.has_acked(100, ms(1)), Some(true));
        assert_eq!(view.has_acked(101, ms(519)), None);
        assert_eq!(view.has_acked(101, ms(520)), Some(false));
    }

    #[test]
    fn what_was_missed_is_told_by_what_tcp_acknowledged() {
        let meaning = |acked: &[Option<bool>]| {
            let mut missed = MissedAtTcp::default();
            acked.iter().for_each(|acked| missed.miss(*acked));
            missed.meaning(false).unwrap_or_default()
        };
        assert_eq!(meaning(&[None, None]), "");
        for few in [&[Some(true), None][..], &[Some(true), Some(true)]] {
            assert_eq!(meaning(few), ACKNOWLEDGED, "a dropped pong does not mean that the server hangs");
        }
        assert!(
            meaning(&[Some(true); 3]).ends_with("works; the server hangs, or something removes heartbeats")
        );
        assert!(meaning(&[Some(false), None, Some(false)]).contains("the path is down"));
        assert!(meaning(&[Some(true), Some(false), Some(false)]).starts_with("TCP acknowledged 1 of 3"));
    }

    #[test]
    fn peer_that_sends_something_else_does_not_hang() {
        let mut missed = MissedAtTcp::default();
        (0..3).for_each(|_| missed.miss(Some(true)));
        assert_eq!(missed.meaning(true), None);
        missed.miss(Some(false));
        assert!(missed.meaning(true).unwrap().starts_with("TCP acknowledged 3 of 4"));
    }

    #[test]
    fn the_standing_names_what_is_not_zero() {
        let mut view = TcpView { last_ack: ms(12_000), ..TcpView::default() };
        assert_eq!(view.standing(), "last TCP acknowledgement 12 s before the end");
        view.retransmits = 4;
        assert_eq!(view.standing(), "last TCP acknowledgement 12 s before the end; 4 retransmits");
        view.unacked = 1;
        let all = "last TCP acknowledgement 12 s before the end; 1 segment unacknowledged, 4 retransmits";
        assert_eq!(view.standing(), all);
    }
}
