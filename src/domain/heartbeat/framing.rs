//! How a message is divided into units: one, or several.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::inbound::MessageRef;

/// Maximum number of units taken from one message: a hostile one may consist of separators.
const MAX_PARTS: usize = 4096;

/// How one WebSocket message is divided into protocol messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Framing {
    /// One unit.
    #[default]
    Message,
    /// Lines, each ended by LF or CRLF; the last may lack its end (NATS, Centrifugo).
    Lines,
    /// Records, each ended by 0x1E; the last may lack its end (SignalR).
    Records,
}

impl Framing {
    /// The units of a message, without the separators.
    pub fn units<'a>(self, message: MessageRef<'a>) -> Box<dyn Iterator<Item = MessageRef<'a>> + Send + 'a> {
        let end = match self {
            Framing::Message => return Box::new(std::iter::once(message)),
            Framing::Lines => b'\n',
            Framing::Records => 0x1e,
        };
        let is_lines = self == Framing::Lines;
        match message {
            MessageRef::Text(text) => {
                let text = text.strip_suffix(char::from(end)).unwrap_or(text);
                let whole = move |unit: &'a str| {
                    if is_lines { unit.strip_suffix('\r').unwrap_or(unit) } else { unit }
                };
                Box::new(
                    text.split(char::from(end))
                        .map(move |unit| MessageRef::Text(whole(unit)))
                        .take(MAX_PARTS),
                )
            }
            MessageRef::Binary(bytes) => {
                let bytes = bytes.strip_suffix(&[end]).unwrap_or(bytes);
                let whole = move |unit: &'a [u8]| {
                    if is_lines { unit.strip_suffix(b"\r").unwrap_or(unit) } else { unit }
                };
                let units = bytes.split(move |byte| *byte == end);
                Box::new(units.map(move |unit| MessageRef::Binary(whole(unit))).take(MAX_PARTS))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(framing: Framing, message: &str) -> Vec<String> {
        let text = |unit| match unit {
            MessageRef::Text(text) => text.to_string(),
            MessageRef::Binary(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        };
        let one: Vec<String> = framing.units(MessageRef::Text(message)).map(text).collect();
        let other: Vec<String> = framing.units(MessageRef::Binary(message.as_bytes())).map(text).collect();
        assert_eq!(one, other, "text and binary are divided alike");
        one
    }

    #[test]
    fn units_of_a_message_are_separated() {
        assert_eq!(texts(Framing::Lines, "PING\r\nPONG\r\n"), ["PING", "PONG"]);
        assert_eq!(texts(Framing::Lines, "{}\n{\"push\":1}"), ["{}", "{\"push\":1}"]);
        assert_eq!(texts(Framing::Records, "{\"type\":6}\x1e{}\x1e"), ["{\"type\":6}", "{}"]);
        assert_eq!(texts(Framing::Message, "a\nb\x1e"), ["a\nb\x1e"]);
    }

    #[test]
    fn empty_message_is_one_unit() {
        assert_eq!(texts(Framing::Lines, "\n"), [""]);
        assert_eq!(texts(Framing::Lines, ""), [""]);
        assert_eq!(texts(Framing::Lines, "a\n\nb\n"), ["a", "", "b"]);
        assert_eq!(texts(Framing::Records, "a\r\n"), ["a\r\n"]);
    }

    #[test]
    fn message_of_separators_is_bounded() {
        assert_eq!(Framing::Lines.units(MessageRef::Text(&"\n".repeat(1_000_000))).count(), MAX_PARTS);
    }
}
