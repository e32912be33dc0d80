//! The two-ended mode: a peer can have the server speak after a silence, to learn in which direction a
//! path loses what is sent.
//!
//! - A peer asks for the mode by the subprotocol `wscheck.two-ended.v1`; the server's choice of it
//!   confirms the mode. The server then sends no heartbeats of its own, so that the path can be silent.
//! - The peer sends the text message `{"wscheck":"speak_after","ms":N,"id":"..."}`: `ms` from 0 to
//!   86,400,000, `id` any text of at most 128 bytes.
//! - N milliseconds after it came, the server sends the text message `{"wscheck":"spoke","id":"..."}`,
//!   and nothing before it. That the silence is one is the peer's business: its own traffic neither
//!   delays nor cancels what was asked for.
//! - At most 16 may wait at a time; what is more, or not of this form, is an ordinary message.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// The subprotocol by which a peer asks for the two-ended mode.
pub const TWO_ENDED: &str = "wscheck.two-ended.v1";

const MAX_SCHEDULED_REPLIES: usize = 16;
const MAX_ID_BYTES: usize = 128;
const MAX_DELAY_MS: u64 = 86_400_000;

/// What one peer wants to hear, and when.
#[derive(Debug, Default)]
pub struct ScheduledReplies {
    waiting: Vec<(Instant, String)>,
}

impl ScheduledReplies {
    /// Takes a message; says whether it was a request to speak.
    pub fn ask(&mut self, text: &str, now: Instant) -> bool {
        let Some((after, id)) = request(text).filter(|_| self.waiting.len() < MAX_SCHEDULED_REPLIES) else {
            return false;
        };
        self.waiting.push((now + after, id));
        true
    }

    /// What is to be said by `now`, in the order in which it is due.
    pub fn speak(&mut self, now: Instant) -> Vec<String> {
        let mut due: Vec<_> = self.waiting.extract_if(.., |(at, _)| *at <= now).collect();
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, id)| json!({"wscheck": "spoke", "id": id}).to_string()).collect()
    }

    /// When the next word is due.
    pub fn due(&self) -> Option<Instant> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }
}

fn request(text: &str) -> Option<(Duration, String)> {
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
    fn what_was_asked_for_is_said_in_time_and_in_order() {
        let (start, mut promises) = (Instant::now(), ScheduledReplies::default());
        assert!(promises.ask(r#"{"wscheck":"speak_after","ms":200,"id":"b"}"#, start));
        assert!(promises.ask(r#"{"wscheck":"speak_after","ms":100,"id":"\"a\""}"#, start));
        let ms = |n| start + Duration::from_millis(n);
        assert_eq!((promises.due(), promises.speak(ms(99))), (Some(ms(100)), vec![]));
        let spoke = [r#"{"wscheck":"spoke","id":"\"a\""}"#, r#"{"wscheck":"spoke","id":"b"}"#];
        assert_eq!(promises.speak(ms(300)), spoke);
        assert_eq!(promises.due(), None);
    }

    #[test]
    fn what_is_of_another_form_is_an_ordinary_message() {
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
            assert!(!promises.ask(text, Instant::now()), "{text}");
        }
    }

    #[test]
    fn only_so_many_may_wait() {
        let mut promises = ScheduledReplies::default();
        let asks =
            (0..20).filter(|_| promises.ask(r#"{"wscheck":"speak_after","ms":1,"id":""}"#, Instant::now()));
        assert_eq!(asks.count(), MAX_SCHEDULED_REPLIES);
    }
}
