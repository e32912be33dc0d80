//! A message that the user sends before the heartbeats, such as a login.

use super::template::{Payload, RequestKeys, Template};
use crate::domain::secrets;

/// Parses a message. It may contain secrets, so they are redacted from output, and from the error.
///
/// # Errors
///
/// The text is no template.
pub fn parse_message(text: &str) -> Result<Template, String> {
    let message = text.parse::<Template>().map_err(|why| {
        secrets::learn(|sent| sent.message(text));
        secrets::redact(&why.to_string())
    })?;
    match message.render(&RequestKeys { seq: 0, id: String::new(), now_ms: 0 }) {
        Payload::Text(text) => secrets::learn(|sent| sent.message(&text)),
        Payload::Binary(bytes) => secrets::learn(|sent| sent.bytes(&bytes)),
    }
    Ok(message)
}

/// The text of a file without the final newline that editors add; `None` if nothing is left.
pub fn without_last_newline(text: &str) -> Option<&str> {
    let message = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    (!message.is_empty()).then_some(message)
}
