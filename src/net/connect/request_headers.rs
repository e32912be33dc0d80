//! Headers of the user's for the upgrade request, as `Name: value`.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::domain::secrets;

/// Headers that the handshake sets itself.
const HANDSHAKE_HEADERS: &[&str] = &[
    "connection",
    "upgrade",
    "sec-websocket-key",
    "sec-websocket-version",
    "sec-websocket-protocol",
    "sec-websocket-extensions",
    "sec-websocket-accept",
    "content-length",
    "transfer-encoding",
];

/// What sets some of them.
const OPTIONS: [(&str, &str); 2] =
    [("sec-websocket-protocol", "--subprotocol"), ("sec-websocket-extensions", "--compress")];

/// Adds a header. Any part of the text may be secret, so errors identify it by position (`which`).
///
/// # Errors
///
/// The text is no header, or one that the handshake sets itself.
pub fn add_header(text: &str, which: &str, headers: &mut HeaderMap) -> Result<(), String> {
    let (name, value) =
        text.split_once(':').ok_or_else(|| format!("{which} needs the form 'Name: value'"))?;
    let header = HeaderName::from_bytes(name.trim().as_bytes())
        .map_err(|_| format!("{which} has an invalid header name: letters, digits and !#$%&'*+-.^_`|~"))?;
    if HANDSHAKE_HEADERS.contains(&header.as_str()) {
        let option = OPTIONS.iter().find(|(name, _)| header.as_str() == *name);
        let instead = option.map(|(_, option)| format!(": use {option}")).unwrap_or_default();
        return Err(format!(
            "{which}: '{header}' belongs to the WebSocket handshake and cannot be set{instead}"
        ));
    }
    secrets::learn(|sent| sent.header(header.as_str(), value.trim()));
    let value = HeaderValue::from_str(value.trim())
        .map_err(|_| format!("{which}: the value of '{header}' has characters that a header cannot carry"))?;
    headers.append(header, value);
    Ok(())
}

/// Adds the headers of a text, one a line; empty lines and those that begin with `#` are left out. Errors name the line,
/// and the text by `source`.
///
/// # Errors
///
/// A line is no header, or one that the handshake sets itself.
pub fn add_lines(text: &str, source: &str, headers: &mut HeaderMap) -> Result<(), String> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        add_header(line, &format!("line {number} of {source}"), headers)?;
    }
    Ok(())
}
