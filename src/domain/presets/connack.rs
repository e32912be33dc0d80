//! How an MQTT server refuses: the codes of CONNACK in words (OASIS MQTT 3.1.1 section 3.2.2.3, MQTT 5.0 section 3.2.2.2).

use crate::domain::heartbeat::inbound::MessageRef;

/// The first byte of a CONNACK packet.
const CONNACK: u8 = 0x20;

/// A refusal in a CONNACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MqttRefusal {
    pub code: u8,
    /// The standard's words.
    pub words: &'static str,
    /// What can be done about it.
    pub hint: Option<&'static str>,
}

impl MqttRefusal {
    /// Reads a message; `None` unless it is a CONNACK that refuses.
    pub fn read(message: MessageRef<'_>) -> Option<MqttRefusal> {
        let MessageRef::Binary([CONNACK, length, rest @ ..]) = message else { return None };
        // A length of more than one byte would be longer than any CONNACK that is of use here.
        let body = rest.get(..usize::from(*length)).filter(|_| *length < 0x80)?;
        let [_flags, code, ..] = body else { return None };
        let words = match code {
            0 => return None,
            0x80.. => reason_code(*code),
            _ => return_code(*code),
        };
        Some(MqttRefusal { code: *code, words, hint: hint(*code) })
    }

    /// `CONNACK 5 'not authorized'`
    pub fn sentence(&self) -> String {
        match self.code {
            0x80.. => format!("CONNACK 0x{:02x} '{}'", self.code, self.words),
            code => format!("CONNACK {code} '{}'", self.words),
        }
    }
}

/// The return codes of MQTT 3.1.1.
fn return_code(code: u8) -> &'static str {
    match code {
        1 => "unacceptable protocol version",
        2 => "identifier rejected",
        3 => "server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        _ => "reserved",
    }
}

/// The reason codes of MQTT 5.0.
fn reason_code(code: u8) -> &'static str {
    match code {
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "unsupported protocol version",
        0x85 => "client identifier not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8a => "banned",
        0x8c => "bad authentication method",
        0x90 => "topic name invalid",
        0x95 => "packet too large",
        0x97 => "quota exceeded",
        0x99 => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9f => "connection rate exceeded",
        _ => "reserved",
    }
}

fn hint(code: u8) -> Option<&'static str> {
    match code {
        4 | 5 | 0x86 | 0x87 | 0x8c => Some(
            "the broker wants credentials: --send hex:... with a CONNECT that has a user name and a password",
        ),
        1 | 0x84 => Some("the broker wants another version of MQTT: --send hex:... with its CONNECT"),
        2 | 0x85 => Some("the broker wants a client id: --send hex:... with a CONNECT that has one"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        MqttRefusal::read(MessageRef::Binary(bytes)).map(|refusal| refusal.sentence())
    }

    #[test]
    fn return_codes_of_version_3_are_in_words() {
        let words = |code| read(&[0x20, 2, 0, code]).unwrap();
        assert_eq!(words(1), "CONNACK 1 'unacceptable protocol version'");
        assert_eq!(words(2), "CONNACK 2 'identifier rejected'");
        assert_eq!(words(3), "CONNACK 3 'server unavailable'");
        assert_eq!(words(4), "CONNACK 4 'bad user name or password'");
        assert_eq!(words(5), "CONNACK 5 'not authorized'");
        assert_eq!(words(77), "CONNACK 77 'reserved'");
    }

    #[test]
    fn reason_codes_of_version_5_are_in_words() {
        assert_eq!(read(&[0x20, 3, 0, 0x87, 0]).unwrap(), "CONNACK 0x87 'not authorized'");
        assert_eq!(read(&[0x20, 3, 0, 0x84, 0]).unwrap(), "CONNACK 0x84 'unsupported protocol version'");
        for code in 0x80..=0xff_u8 {
            assert!(read(&[0x20, 3, 0, code, 0]).is_some());
        }
    }

    #[test]
    fn what_is_no_refusal_is_none() {
        for bytes in [
            &[0x20, 2, 0, 0][..],
            &[0x20, 2, 1, 0],
            &[0x20, 3, 0, 0, 0],
            &[0x20, 2, 0],
            &[0x20],
            &[],
            &[0xd0, 0],
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
        assert_eq!(MqttRefusal::read(MessageRef::Text(" \u{2}")), None);
    }
}
