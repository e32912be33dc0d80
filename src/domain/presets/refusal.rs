//! How a server refuses a client by a message, in words.

use serde_json::Value;

use super::connack::MqttRefusal;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::inbound::MessageRef;

/// A refusal that came as a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetRefusal {
    /// The preset that refuses so.
    pub preset: &'static str,
    /// `CONNACK 5 'not authorized'`
    pub sentence: String,
    /// What can be done about it.
    pub hint: Option<&'static str>,
    /// The server leaves the connection open: no end follows that could be waited for.
    pub stays_open: bool,
}

impl PresetRefusal {
    /// Reads a message; `None` unless it is a refusal of a known kind.
    pub fn read(message: MessageRef<'_>) -> Option<PresetRefusal> {
        let mqtt = MqttRefusal::read(message);
        let mqtt = mqtt.map(|refusal| PresetRefusal {
            preset: "mqtt",
            sentence: refusal.sentence(),
            hint: refusal.hint,
            stays_open: false,
        });
        mqtt.or_else(|| connect_error(message))
    }
}

/// Socket.IO's CONNECT_ERROR: type 4 inside an Engine.IO message, perhaps with a namespace, then `{"message":...}`, in
/// protocol 4 and before a string (socket.io-protocol, "Connection to a namespace").
fn connect_error(message: MessageRef<'_>) -> Option<PresetRefusal> {
    let MessageRef::Text(text) = message else { return None };
    let rest = text.strip_prefix("44")?;
    let (namespace, payload) = match rest.split_once(',').filter(|_| rest.starts_with('/')) {
        Some((namespace, payload)) => (Some(namespace), payload),
        None => (None, rest),
    };
    let words = match serde_json::from_str(payload).ok()? {
        Value::String(words) => words,
        Value::Object(fields) => fields.get("message")?.as_str()?.to_string(),
        _ => return None,
    };
    let of = namespace.map(|name| format!(" of {}", UntrustedText::new(name))).unwrap_or_default();
    Some(PresetRefusal {
        preset: "socket.io",
        sentence: format!("CONNECT_ERROR{of} '{}'", UntrustedText::new(&words)),
        hint: Some(
            "the server's middleware wants something with the connection: credentials, as a rule (--send '40{\"token\":...}', \
             or -H), or another namespace (--send '40/NAME,')",
        ),
        stays_open: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        PresetRefusal::read(MessageRef::Text(text)).map(|refusal| refusal.sentence)
    }

    #[test]
    fn connect_errors_of_socket_io_are_in_words() {
        for (text, expected) in [
            (r#"44{"message":"not authorized"}"#, "CONNECT_ERROR 'not authorized'"),
            (r#"44{"message":"no","data":{"code":1}}"#, "CONNECT_ERROR 'no'"),
            (r#"44/admin,{"message":"Invalid namespace"}"#, "CONNECT_ERROR of /admin 'Invalid namespace'"),
            (r#"44"Authentication error""#, "CONNECT_ERROR 'Authentication error'"),
            (r#"44"a\u001b[31m""#, r"CONNECT_ERROR 'a\u{1b}[31m'"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["44", "440", "44{}", r#"40{"sid":"x"}"#, r#"42["message"]"#, "44/x", "4"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn connack_is_a_refusal_of_mqtt() {
        let refusal = PresetRefusal::read(MessageRef::Binary(&[0x20, 2, 0, 5])).unwrap();
        assert_eq!((refusal.preset, refusal.sentence.as_str()), ("mqtt", "CONNACK 5 'not authorized'"));
    }
}
