//! What comes instead of the Pongs of unanswered Pings: Pongs with another payload, or messages.

use std::fmt;

use super::inbound::MessageRef;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::format;
use crate::domain::heartbeat::inbound::{shown, shown_bytes};

/// How a Pong's payload differs from the Ping's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtherPayload {
    Empty,
    /// The first bytes of the Ping's payload; the number is their count.
    Truncated {
        bytes: usize,
        of: usize,
    },
    /// The Ping's payload with more data after it.
    Extended {
        bytes: usize,
        of: usize,
    },
    /// Something else.
    Foreign(UntrustedText),
}

impl OtherPayload {
    /// Compares a Pong's payload with that of the last Ping.
    pub fn of(pong: &[u8], ping: &[u8]) -> OtherPayload {
        let (bytes, of) = (pong.len(), ping.len());
        if pong.is_empty() {
            OtherPayload::Empty
        } else if ping.starts_with(pong) {
            OtherPayload::Truncated { bytes, of }
        } else if pong.starts_with(ping) {
            OtherPayload::Extended { bytes, of }
        } else {
            OtherPayload::Foreign(shown_bytes(pong))
        }
    }
}

impl fmt::Display for OtherPayload {
    /// A lower-case fragment: `an empty payload`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OtherPayload::Empty => f.write_str("an empty payload"),
            OtherPayload::Truncated { bytes, of } => {
                write!(f, "only the first {} of the Ping's {of}", format::counted(*bytes as u64, "byte"))
            }
            OtherPayload::Extended { bytes, of } => write!(f, "{bytes} bytes, the Ping's {of} and more,"),
            OtherPayload::Foreign(payload) => write!(f, "another payload ({payload})"),
        }
    }
}

/// What came since the last Pong that answered a Ping, on one connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Substitutes {
    /// Pings sent.
    pings: u64,
    /// Pongs with another payload, and the last such payload.
    pongs: u64,
    payload: Option<OtherPayload>,
    /// Pings with the payload of one of ours.
    returned: u64,
    messages: u64,
    /// Pings followed by a message before the next Ping.
    followed: u64,
    /// The number of Pings when the last message came.
    followed_at: u64,
    message: Option<UntrustedText>,
}

/// What came instead of Pongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Substitute {
    /// Pongs with another payload.
    Pongs { count: u64, payload: OtherPayload },
    /// Our own Pings, returned as Pings.
    Pings { count: u64 },
    /// A message for each Ping.
    Messages { count: u64, sample: UntrustedText },
}

impl Substitutes {
    /// For a connection with this number of unanswered Pings.
    pub fn after(pings: u64) -> Substitutes {
        Substitutes { pings, ..Substitutes::default() }
    }

    /// Records a sent Ping.
    pub fn ping(&mut self) {
        self.pings += 1;
    }

    /// Records a Pong with a foreign payload; `last` is the payload of the last Ping.
    pub fn pong(&mut self, payload: &[u8], last: &[u8]) {
        self.pongs += 1;
        self.payload = Some(OtherPayload::of(payload, last));
    }

    /// Records a Ping with the payload of one of ours.
    pub fn returned_ping(&mut self) {
        self.returned += 1;
    }

    /// Records a message that answers nothing.
    pub fn message(&mut self, message: MessageRef<'_>) {
        self.messages += 1;
        if self.followed_at < self.pings {
            self.followed += 1;
            self.followed_at = self.pings;
        }
        self.message.get_or_insert_with(|| shown(message));
    }

    /// What came instead of the Pongs, if anything:
    ///
    /// - Pongs with another payload, or else our own Pings
    /// - one message for each Ping, perhaps except the last; a server that sends more does so by itself
    pub fn found(&self) -> Option<Substitute> {
        if let Some(payload) = &self.payload {
            return Some(Substitute::Pongs { count: self.pongs, payload: payload.clone() });
        }
        if self.returned > 0 {
            return Some(Substitute::Pings { count: self.returned });
        }
        let each = self.followed > 0 && self.followed + 1 >= self.pings && self.messages <= self.followed + 1;
        let sample = self.message.clone().filter(|_| each)?;
        Some(Substitute::Messages { count: self.followed, sample })
    }
}

impl Substitute {
    /// A lower-case fragment.
    pub fn describe(&self) -> String {
        match self {
            Substitute::Pongs { count, payload } => {
                let pongs = format::counted(*count, "pong");
                format!("{pongs} came, but with {payload} instead of the Ping's")
            }
            Substitute::Pings { count } => {
                let pings = format::counted(*count, "Ping");
                format!("{pings} came with the payload of ours instead of Pongs")
            }
            Substitute::Messages { count: 1, sample } => {
                format!("a message came after the Ping instead of a Pong: '{sample}'")
            }
            Substitute::Messages { count, sample } => {
                format!("a message came for each Ping instead of a Pong ({count}, the first: '{sample}')")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 16] = [7; 16];

    #[test]
    fn payloads_of_pongs_are_told_apart() {
        let described = |pong: &[u8]| {
            let mut came = Substitutes::after(1);
            came.pong(pong, &PING);
            came.found().unwrap().describe()
        };
        assert_eq!(described(b""), "1 pong came, but with an empty payload instead of the Ping's");
        assert_eq!(
            described(&[7; 8]),
            "1 pong came, but with only the first 8 bytes of the Ping's 16 instead of the Ping's"
        );
        assert!(described(&[7; 20]).contains("20 bytes, the Ping's 16 and more, instead"));
        assert!(described(b"hello").contains("another payload ("));
    }

    #[test]
    fn message_for_each_ping_takes_its_place() {
        let mut came = Substitutes::default();
        for _ in 0..4 {
            came.ping();
            came.message(MessageRef::Text("pong"));
        }
        let expected = "a message came for each Ping instead of a Pong (4, the first: 'pong')";
        assert_eq!(came.found().unwrap().describe(), expected);
        came.ping();
        assert_eq!(came.found().unwrap().describe(), expected, "the last may still be answered");
        came.ping();
        assert_eq!(came.found(), None, "two Pings without a message");
    }

    #[test]
    fn server_that_speaks_by_itself_takes_no_place() {
        let mut came = Substitutes::default();
        came.message(MessageRef::Text("welcome"));
        assert_eq!(came.found(), None);
        for _ in 0..3 {
            came.ping();
            (0..3).for_each(|_| came.message(MessageRef::Text("news")));
        }
        assert_eq!(came.found(), None);
    }

    #[test]
    fn one_greeting_beside_the_answers_is_allowed() {
        let mut came = Substitutes::default();
        came.message(MessageRef::Text("welcome"));
        for _ in 0..3 {
            came.ping();
            came.message(MessageRef::Text("pong"));
        }
        assert!(matches!(came.found(), Some(Substitute::Messages { count: 3, .. })));
    }
}
