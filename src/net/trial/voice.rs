//! Questions on one connection, and which messages answer them.

use tokio_tungstenite::tungstenite::Message;

use super::Question;
use crate::domain::heartbeat::Kind;
use crate::domain::heartbeat::incoming::{Incoming, MessageRef};
use crate::domain::heartbeat::message::{Classifier, Correlation, Meaning};
use crate::net::clock::unix_ms;
use crate::net::session::pulse::{ping_payload, seq_of};
use crate::net::websocket::to_message;

/// Asks, each time with something that only this connection has, and knows an answer when it hears one.
#[derive(Debug)]
pub struct Voice {
    nonce: u64,
    seq: u64,
    classifier: Classifier,
    has_asked: bool,
}

impl Voice {
    /// `nonce` is a random number that no other connection has.
    pub fn new(question: &Question, nonce: u64) -> Voice {
        let classifier = match question.kind {
            Kind::Protocol => Classifier::without_asks(false),
            Kind::App => Classifier::new(question.ask.clone(), question.answer.clone(), false, nonce),
        };
        Voice { nonce, seq: 0, classifier, has_asked: false }
    }

    /// The number that only this connection has.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// The next question: a Ping frame, or a message.
    pub fn ask(&mut self) -> Message {
        let seq = self.next_seq();
        self.has_asked = true;
        match self.classifier.ask(seq, unix_ms()) {
            Some(payload) => to_message(payload),
            None => Message::Ping(ping_payload(self.nonce, seq).to_vec().into()),
        }
    }

    /// A Pong that nobody asked for.
    pub fn pong(&mut self) -> Message {
        let seq = self.next_seq();
        Message::Pong(ping_payload(self.nonce, seq).to_vec().into())
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    /// Whether a message answers a question of ours.
    pub fn is_answer(&mut self, message: &Message) -> bool {
        let message = match message {
            Message::Pong(payload) => {
                return self.has_asked && seq_of(payload, self.nonce).is_some_and(|seq| seq < self.seq);
            }
            Message::Text(text) => MessageRef::Text(text),
            Message::Binary(bytes) => MessageRef::Binary(bytes),
            Message::Ping(_) | Message::Close(_) | Message::Frame(_) => return false,
        };
        match self.classifier.classify(&Incoming::new(message)) {
            Meaning::Answer(Correlation::Foreign) => false,
            Meaning::Answer(_) => self.has_asked,
            Meaning::Echo | Meaning::ServerPing { .. } | Meaning::Ordinary => false,
        }
    }
}
