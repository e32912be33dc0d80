//! The URL that a command prints on its first line.

use thiserror::Error;

use crate::domain::connection::target::Target;
use crate::domain::secrets;

/// Why the output of a command has no URL. The output may be secret, so it is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PrintedUrlError {
    #[error("it printed nothing")]
    Nothing,
    #[error("the first line that it printed is no WebSocket URL (ws:// or wss://)")]
    NoUrl,
}

/// The target that the first line names. Its credentials and its query are secrets, whatever their names.
///
/// # Errors
///
/// There is no line, or it is no WebSocket URL.
pub fn printed_target(output: &[u8]) -> Result<Target, PrintedUrlError> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().next().map_or("", str::trim);
    if line.is_empty() {
        return Err(PrintedUrlError::Nothing);
    }
    let target: Target = line.parse().map_err(|_| PrintedUrlError::NoUrl)?;
    learn(&target);
    Ok(target.with_hidden_query())
}

fn learn(target: &Target) {
    secrets::learn(|sent| {
        for secret in target.secrets() {
            sent.value(&secret);
        }
        if let Some((_, query)) = target.resource().split_once('?') {
            let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
            // A short value may be any word elsewhere; the query as a whole is none.
            values.filter(|value| value.len() >= MIN_SECRET_LENGTH).for_each(|value| sent.value(value));
            sent.value(query);
        }
    });
}

/// Shorter values of a query, in bytes, are not secrets by themselves.
const MIN_SECRET_LENGTH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_line_is_the_url() {
        let target = printed_target(b" wss://a.example/live \nexpires 17:00\n").unwrap();
        assert_eq!((target.to_string().as_str(), target.resource()), ("wss://a.example/live", "/live"));
        assert_eq!(printed_target(b""), Err(PrintedUrlError::Nothing));
        assert_eq!(printed_target(b"\nwss://a.example/\n"), Err(PrintedUrlError::Nothing));
        assert_eq!(printed_target(b"error: p4ssw0rd-8812 is wrong\n"), Err(PrintedUrlError::NoUrl));
    }

    #[test]
    fn credentials_and_query_are_secrets() {
        let target = printed_target(b"wss://bob:pw-5518-x@a.example/live?region=eu&t=Zq81kk20ab\n").unwrap();
        assert_eq!(target.to_string(), "wss://***@a.example/live?***");
        assert_eq!(target.resource(), "/live?region=eu&t=Zq81kk20ab", "what is sent");
        let shown = secrets::redact("got pw-5518-x and Zq81kk20ab of region=eu&t=Zq81kk20ab");
        assert_eq!(shown, "got *** and *** of ***");
    }
}
