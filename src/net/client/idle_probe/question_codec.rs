//! Creates the questions of one connection and recognises their answers.

use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

use super::{Question, UnmatchedLog};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::classifier::{Classifier, Correlation, MessageMeaning};
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::inbound::MessageRef;
use crate::net::client::keepalive_sender::KeepaliveSender;
use crate::net::client::session::heartbeat_state::{ping_payload, seq_of};
use crate::net::client::websocket::{SocketEvent, to_message};
use crate::net::time::unix_ms;

/// What a received message means.
#[derive(Debug, Default)]
pub struct MessageReading {
    /// It answers a question.
    pub is_answer: bool,
    /// Replies that the server expects.
    pub replies: Vec<Message>,
}

/// Asks questions marked with this connection's nonce, and recognises their answers.
#[derive(Debug)]
pub struct QuestionCodec {
    nonce: u64,
    seq: u64,
    classifier: Classifier,
    has_asked: bool,
    keepalive: Option<KeepaliveSender>,
    unmatched: UnmatchedLog,
}

impl QuestionCodec {
    /// `nonce` is a random number, unique to this connection.
    pub fn new(question: &Question, nonce: u64) -> QuestionCodec {
        let replies = question.answers_server;
        let classifier = match question.kind {
            HeartbeatKind::Protocol | HeartbeatKind::Http2 => Classifier::without_asks(replies),
            HeartbeatKind::App => {
                Classifier::new(question.ask.clone(), question.answer.clone(), replies, nonce)
            }
        };
        let keepalive =
            question.profile.keepalive.as_ref().map(|keepalive| KeepaliveSender::new(keepalive, nonce));
        let classifier = classifier.speaking(&question.profile);
        let unmatched = question.unmatched.clone();
        QuestionCodec { nonce, seq: 0, classifier, has_asked: false, keepalive, unmatched }
    }

    /// This connection's nonce.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }

    /// The next question: a Ping frame or a message.
    pub fn ask(&mut self) -> Message {
        let seq = self.next_seq();
        self.has_asked = true;
        match self.classifier.ask(seq, unix_ms()) {
            Some(payload) => to_message(payload),
            None => Message::Ping(ping_payload(self.nonce, seq).to_vec().into()),
        }
    }

    /// The protocol's keepalive message, if due.
    pub fn take_keepalive(&mut self, now: Instant) -> Option<Message> {
        self.keepalive.as_mut()?.take_due(now).map(to_message)
    }

    /// An unsolicited Pong.
    pub fn pong(&mut self) -> Message {
        let seq = self.next_seq();
        Message::Pong(ping_payload(self.nonce, seq).to_vec().into())
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq - 1
    }

    /// Whether what came answers a question of ours.
    pub fn is_answer(&mut self, event: &SocketEvent) -> bool {
        self.read(event).is_answer
    }

    /// Reads a Pong or a message; anything else means nothing.
    pub fn read(&mut self, event: &SocketEvent) -> MessageReading {
        match event {
            SocketEvent::Pong(payload) => {
                let is_ours = seq_of(payload, self.nonce).is_some_and(|seq| seq < self.seq);
                MessageReading { is_answer: self.has_asked && is_ours, replies: Vec::new() }
            }
            SocketEvent::Message(message) => self.read_message(message.content()),
            _ => MessageReading::default(),
        }
    }

    fn read_message(&mut self, message: MessageRef<'_>) -> MessageReading {
        let mut reading = MessageReading::default();
        for meaning in self.classifier.read(message, unix_ms()) {
            match meaning {
                MessageMeaning::Answer(Correlation::Foreign) => {
                    self.unmatched.compare(message, || self.has_asked.then(Difference::foreign));
                }
                MessageMeaning::Ordinary => {
                    self.unmatched.compare(message, || self.classifier.difference(message))
                }
                MessageMeaning::Echo => {}
                MessageMeaning::Answer(_) => {
                    reading.is_answer |= self.has_asked;
                    self.unmatched.answered();
                }
                MessageMeaning::ServerPing { reply } => reading.replies.extend(reply.map(to_message)),
            }
        }
        reading
    }
}
