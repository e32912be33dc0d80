//! The two-ended mode: a peer can ask the server to send after an idle span, to learn in which direction a path loses
//! data.
//!
//! - A peer requests the mode by the subprotocol `wscheck.two-ended.v1`; the server's choice of it confirms the mode. The
//!   server then sends no heartbeats, so that the path can be idle.
//! - The peer sends the text message `{"wscheck":"speak_after","ms":N,"id":"..."}`: `ms` from 0 to
//!   86,400,000, `id` any text of at most 128 bytes.
//! - N milliseconds after receiving it, the server sends the text message `{"wscheck":"spoke","id":"..."}`, and nothing
//!   before it. Keeping the path idle is up to the peer: its own traffic neither delays nor cancels the message.
//! - At most 16 requests may be pending; further ones, or other forms, are ordinary messages.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// Subprotocol that requests the two-ended mode.
pub const TWO_ENDED: &str = "wscheck.two-ended.v1";

const MAX_SCHEDULED_REPLIES: usize = 16;
const MAX_ID_BYTES: usize = 128;
const MAX_DELAY_MS: u64 = 86_400_000;

/// Messages requested by a peer, with their due times.
#[derive(Debug, Default)]
pub struct ScheduledReplies {
    waiting: Vec<(Instant, String)>,
}

impl ScheduledReplies {
    /// Processes a message; returns whether it was such a request.
    pub fn add_request(&mut self, text: &str, now: Instant) -> bool {
        let Some((after, id)) = parse_request(text).filter(|_| self.waiting.len() < MAX_SCHEDULED_REPLIES)
        else {
            return false;
        };
        self.waiting.push((now + after, id));
        true
    }

    /// The messages that are due by `now`, in order.
    pub fn take_due(&mut self, now: Instant) -> Vec<String> {
        let mut due: Vec<_> = self.waiting.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, id)| json!({"wscheck": "spoke", "id": id}).to_string()).collect()
    }

    /// When the next message is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }
}

fn parse_request(text: &str) -> Option<(Duration, String)> {
    let message: Value = serde_json::from_str(text).ok()?;
    if message.get("wscheck")?.as_str()? != "speak_after" {
        return None;
    }
    let ms = message.get("ms")?.as_u64().filter(|ms| *ms <= MAX_DELAY_MS)?;
    let id = message.get("id")?.as_str().filter(|id| id.len() <= MAX_ID_BYTES)?;
    Some((Duration::from_millis(ms), id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requested_messages_are_sent_in_order() {
        let (start, mut promises) = (Instant::now(), ScheduledReplies::default());
        assert!(promises.add_request(r#"{"wscheck":"speak_after","ms":200,"id":"b"}"#, start));
        assert!(promises.add_request(r#"{"wscheck":"speak_after","ms":100,"id":"\"a\""}"#, start));
        let ms = |n| start + Duration::from_millis(n);
        assert_eq!((promises.due(), promises.take_due(ms(99))), (Some(ms(100)), vec![]));
        let spoke = [r#"{"wscheck":"spoke","id":"\"a\""}"#, r#"{"wscheck":"spoke","id":"b"}"#];
        assert_eq!(promises.take_due(ms(300)), spoke);
        assert_eq!(promises.due(), None);
    }

    #[test]
    fn other_forms_are_ordinary_messages() {
        let mut promises = ScheduledReplies::default();
        let long = format!(r#"{{"wscheck":"speak_after","ms":1,"id":"{}"}}"#, "x".repeat(129));
        for text in [
            "hello",
            r#"{"wscheck":"speak_after","ms":1}"#,
            r#"{"wscheck":"speak_after","ms":-1,"id":"a"}"#,
            r#"{"wscheck":"speak_after","ms":86400001,"id":"a"}"#,
            r#"{"wscheck":"spoke","ms":1,"id":"a"}"#,
            &long,
        ] {
            assert!(!promises.add_request(text, Instant::now()), "{text}");
        }
    }

    #[test]
    fn pending_requests_are_limited() {
        let mut promises = ScheduledReplies::default();
        let asks = (0..20)
            .filter(|_| promises.add_request(r#"{"wscheck":"speak_after","ms":1,"id":""}"#, Instant::now()));
        assert_eq!(asks.count(), MAX_SCHEDULED_REPLIES);
    }
}
