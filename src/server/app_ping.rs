//! Answers to clients' app pings.

use serde_json::{Map, Value};

/// Fields that mark an app ping by the value `ping`.
const FIELDS: &[&str] = &["type", "event"];

/// The answer to an app ping `{"type":"ping",...}` or `{"event":"ping",...}`: the same field set to `pong`, all other
/// fields unchanged, and `serverTime` in milliseconds since the Unix epoch. `None` if it is not an app ping.
pub fn answer(text: &str, now_ms: u64) -> Option<Map<String, Value>> {
    // Most messages are not JSON objects; checking the first byte avoids parsing them.
    if !text.trim_start().starts_with('{') {
        return None;
    }
    let Ok(Value::Object(mut message)) = serde_json::from_str(text) else { return None };
    let is_ping = |name: &&&str| message.get(**name).and_then(Value::as_str) == Some("ping");
    let field = FIELDS.iter().find(is_ping)?;
    message.insert((*field).to_string(), Value::from("pong"));
    message.insert("serverTime".to_string(), Value::from(now_ms));
    Some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> Option<String> {
        answer(text, 1234).map(|message| Value::Object(message).to_string())
    }

    #[test]
    fn ping_is_answered_with_all_its_fields() {
        assert_eq!(
            answered(r#"{"type":"ping","id":"a1","timestamp":17}"#).as_deref(),
            Some(r#"{"type":"pong","id":"a1","timestamp":17,"serverTime":1234}"#)
        );
        assert_eq!(
            answered(r#" {"seq":3,"event":"ping"}"#).as_deref(),
            Some(r#"{"seq":3,"event":"pong","serverTime":1234}"#)
        );
    }

    #[test]
    fn other_messages_are_not_pings() {
        for text in
            ["ping", r#"{"type":"pong"}"#, r#"{"type":["ping"]}"#, "[1]", "", "{", r#"{"kind":"ping"}"#]
        {
            assert_eq!(answered(text), None, "{text}");
        }
    }
}
