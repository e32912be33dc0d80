//! Brackets and endings of an idle search in words. A span that survived is rounded down and one that did not is
//! rounded up, so that no bracket that is shown excludes what the measured one holds.

use crate::domain::connection::close_cause::{CloseCause, ClosedBy};
use crate::domain::format::{at_least, at_most};
use crate::domain::idle::refresh::KeepaliveMethod;
use crate::domain::idle::report::Direction;
use crate::domain::idle::{CutManner, VisibleEnd};
use crate::domain::run::bracket::Bracket;

/// `between 2.969 s and 3.001 s`.
pub fn between(bracket: Bracket) -> String {
    match (bracket.lo, bracket.hi) {
        (Some(lo), Some(hi)) => format!("between {} and {}", at_least(lo), at_most(hi)),
        (Some(lo), None) => format!("above {}", at_least(lo)),
        (None, Some(hi)) => format!("below {}", at_most(hi)),
        (None, None) => "not known".to_string(),
    }
}

/// How an end was seen: `peer closed TCP (FIN) without a close frame`.
pub fn visible_end(end: &VisibleEnd) -> String {
    let text = CloseCause::describe(ClosedBy::Peer, &end.how, None);
    match end.half_open {
        Some(true) => format!("{text}, on one side only: it still accepts what we send"),
        Some(false) | None => text,
    }
}

/// How idle connections are cut.
pub fn manner(manner: &CutManner) -> String {
    match manner {
        CutManner::Visible(seen) => visible_end(seen),
        CutManner::Silent { acked: None } => {
            "no FIN or RST; no answer when the connection is used".to_string()
        }
        CutManner::Silent { acked: Some(true) } => {
            "no FIN or RST; when the connection is used, TCP acknowledges it and nothing answers".to_string()
        }
        CutManner::Silent { acked: Some(false) } => {
            "no FIN or RST; when the connection is used, TCP does not acknowledge it and nothing answers"
                .to_string()
        }
        CutManner::OnUse(seen) => {
            format!("no FIN or RST until the connection is used; then: {}", visible_end(seen))
        }
        CutManner::ServerUnheard => {
            "what the server sends after the silence is lost; it works again when the client sends first"
                .to_string()
        }
        CutManner::ClientUnheard { .. } => {
            "what the client sends is lost; what the server sends still arrives".to_string()
        }
    }
}

/// How one connection was cut.
pub fn end_of_trial(manner: &CutManner) -> String {
    match manner {
        CutManner::Visible(seen) => format!("ended: {}", visible_end(seen)),
        CutManner::Silent { acked: Some(true) } => "dead: acknowledged by TCP, no answer".to_string(),
        CutManner::Silent { acked: Some(false) | None } => "dead: no answer, no FIN, no RST".to_string(),
        CutManner::OnUse(seen) => format!("dead: on use: {}", visible_end(seen)),
        CutManner::ServerUnheard => {
            "dead: the server's message was lost, our request was answered".to_string()
        }
        CutManner::ClientUnheard { .. } => {
            "dead: the server's message arrived, our request was not answered".to_string()
        }
    }
}

/// Which direction was lost.
pub fn lost(direction: Direction) -> &'static str {
    match direction {
        Direction::FromServer => "what the server sends is lost",
        Direction::FromClient => "what the client sends is lost",
        Direction::Both => "what either side sends is lost",
    }
}

/// What was sent to keep a path open.
pub fn method(method: KeepaliveMethod) -> &'static str {
    match method {
        KeepaliveMethod::PingPong => "Ping frames and their Pongs",
        KeepaliveMethod::UnsolicitedPong => "unsolicited Pongs (client to server only)",
        KeepaliveMethod::TcpKeepalive => "TCP keepalive only",
        KeepaliveMethod::AppMessage => "app messages",
        KeepaliveMethod::Http2Ping => "PINGs of HTTP/2 only",
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn a_bracket_is_never_shown_narrower_than_it_is() {
        let shown = |lo, hi| between(Bracket { lo: Some(us(lo)), hi: Some(us(hi)) });
        assert_eq!(shown(2_969_900, 3_000_100), "between 2.969 s and 3.001 s");
        assert_eq!(shown(59_439_900, 60_020_100), "between 59.43 s and 60.03 s");
        assert_eq!(shown(349_990_000, 1_200_000_001), "between 5m 49.9s and 20m 1s");
        assert_eq!(shown(500_900, 999_100), "between 500 ms and 1 s");
    }

    #[test]
    fn unknown_end_of_a_bracket_is_left_out() {
        let lo = Some(Duration::from_secs(5));
        assert_eq!(between(Bracket { lo, hi: None }), "above 5 s");
        assert_eq!(between(Bracket { lo: None, hi: lo }), "below 5 s");
        assert_eq!(between(Bracket::default()), "not known");
    }
}
