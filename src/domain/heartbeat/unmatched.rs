//! The messages that came after an app heartbeat and do not answer it.

use super::difference::Difference;
use super::inbound::MessageRef;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::inbound::shown;

/// Maximum number of messages compared with the pattern.
const MAX_COMPARED: u32 = 16;

/// The message most similar to an answer, and how it differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestMessage {
    pub message: UntrustedText,
    pub difference: Difference,
}

impl NearestMessage {
    /// For example `'...' (`type` is "error", not "pong")`.
    pub fn describe(&self) -> String {
        if self.difference.points.is_empty() {
            format!("'{}'", self.message)
        } else {
            format!("'{}' ({})", self.message, self.difference.describe())
        }
    }
}

/// Finds the likeliest answer among unmatched messages, in bounded memory and time.
#[derive(Debug, Clone, Default)]
pub struct UnmatchedMessages {
    compared: u32,
    nearest: Option<Box<NearestMessage>>,
}

impl UnmatchedMessages {
    /// Whether to compare another message.
    pub fn is_curious(&self) -> bool {
        self.compared < MAX_COMPARED
    }

    /// Records a message. Of equally similar ones the later counts, because a greeting comes before the first
    /// answer.
    pub fn compare(&mut self, message: MessageRef<'_>, difference: Difference) {
        self.compared += 1;
        let is_nearer = |nearest: &NearestMessage| difference.agreeing >= nearest.difference.agreeing;
        if self.nearest.as_deref().is_none_or(is_nearer) {
            self.nearest = Some(Box::new(NearestMessage { message: shown(message), difference }));
        }
    }

    /// The likeliest answer.
    pub fn nearest(&self) -> Option<&NearestMessage> {
        self.nearest.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::inbound::InboundMessage;
    use super::super::pattern::Pattern;
    use super::*;

    fn nearest_of(texts: &[&str]) -> String {
        let pattern: Pattern = r#"{"type":"pong","n":{seq}}"#.parse().unwrap();
        let mut unmatched = UnmatchedMessages::default();
        for text in texts {
            let message = MessageRef::Text(text);
            unmatched.compare(message, pattern.difference(&InboundMessage::new(message)).unwrap());
        }
        unmatched.nearest().unwrap().describe()
    }

    #[test]
    fn message_that_agrees_most_is_shown_with_its_difference() {
        assert_eq!(
            nearest_of(&["welcome", r#"{"type":"pong","n":"0"}"#, r#"{"type":"news"}"#]),
            r#"'{"type":"pong","n":"0"}' (`n` came as the string "0": write "{seq}" in the pattern)"#
        );
    }

    #[test]
    fn later_of_equal_messages_is_shown() {
        let text = nearest_of(&["welcome", "unknown command"]);
        assert_eq!(text, "'unknown command' (it is no JSON, and the pattern is)");
    }

    #[test]
    fn flood_is_compared_only_at_its_start() {
        let mut unmatched = UnmatchedMessages::default();
        let difference = Difference { agreeing: 0, points: Vec::new() };
        while unmatched.is_curious() {
            unmatched.compare(MessageRef::Text("x"), difference.clone());
        }
        assert_eq!(unmatched.compared, MAX_COMPARED);
    }
}
