//! permessage-deflate (RFC 7692): what a client offers, and what a server may agree to.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The extension's name in `Sec-WebSocket-Extensions`.
pub const NAME: &str = "permessage-deflate";
/// The largest window of deflate, as a power of two of bytes; what holds if no other is agreed (RFC 7692 7.1.2).
pub const LARGEST_WINDOW_BITS: u8 = 15;
/// The smallest one.
const SMALLEST_WINDOW_BITS: u8 = 8;

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// What a client says of its own window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientWindow {
    /// Nothing: the server must not limit it.
    Unmentioned,
    /// The server may limit it.
    Limitable,
    /// It will be no larger than this, and the server may limit it further.
    AtMost(u8),
}

/// The client's offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateOffer {
    pub server_no_context_takeover: bool,
    pub client_no_context_takeover: bool,
    /// The largest window that the server may use.
    pub server_max_window_bits: Option<u8>,
    pub client_window: ClientWindow,
}

/// What Chromium offers with every WebSocket.
impl Default for DeflateOffer {
    fn default() -> DeflateOffer {
        DeflateOffer {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: None,
            client_window: ClientWindow::Limitable,
        }
    }
}

impl DeflateOffer {
    /// The parameters alone, as they are parsed.
    pub fn parameters(&self) -> String {
        let offer = self.to_string();
        let parameters = offer.strip_prefix(NAME).unwrap_or_default();
        parameters.trim_start_matches([';', ' ']).to_string()
    }
}

/// As in the header, with the extension's name.
impl fmt::Display for DeflateOffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        write_flags(f, self.server_no_context_takeover, self.client_no_context_takeover)?;
        if let Some(bits) = self.server_max_window_bits {
            write!(f, "; {SERVER_MAX_WINDOW_BITS}={bits}")?;
        }
        match self.client_window {
            ClientWindow::Unmentioned => Ok(()),
            ClientWindow::Limitable => write!(f, "; {CLIENT_MAX_WINDOW_BITS}"),
            ClientWindow::AtMost(bits) => write!(f, "; {CLIENT_MAX_WINDOW_BITS}={bits}"),
        }
    }
}

fn write_flags(f: &mut fmt::Formatter<'_>, server: bool, client: bool) -> fmt::Result {
    for name in [(server, SERVER_NO_CONTEXT_TAKEOVER), (client, CLIENT_NO_CONTEXT_TAKEOVER)]
        .into_iter()
        .filter_map(|(is_set, name)| is_set.then_some(name))
    {
        write!(f, "; {name}")?;
    }
    Ok(())
}

/// Parses the parameters, `server_no_context_takeover; client_max_window_bits=10`, which the extension's name may precede; the
/// empty text offers the extension without any.
impl FromStr for DeflateOffer {
    type Err = DeflateError;

    fn from_str(text: &str) -> Result<DeflateOffer, DeflateError> {
        let parts = text.split(';').map(str::trim).filter(|part| !part.is_empty());
        let parameters = Parameters::parse(parts.skip_while(|part| *part == NAME))?;
        let client_window = match parameters.client_max_window_bits {
            None => ClientWindow::Unmentioned,
            Some(None) => ClientWindow::Limitable,
            Some(Some(bits)) => ClientWindow::AtMost(bits),
        };
        Ok(DeflateOffer {
            server_no_context_takeover: parameters.server_no_context_takeover,
            client_no_context_takeover: parameters.client_no_context_takeover,
            server_max_window_bits: parameters.server_window()?,
            client_window,
        })
    }
}

/// What was agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgreedDeflate {
    /// The server compresses each message by itself.
    pub server_no_context_takeover: bool,
    /// So do we.
    pub client_no_context_takeover: bool,
    /// The largest window of what the server sends, as a power of two of bytes.
    pub server_max_window_bits: u8,
    /// The largest window of what we send.
    pub client_max_window_bits: u8,
}

/// In the header's words, without what holds by default.
impl fmt::Display for AgreedDeflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        write_flags(f, self.server_no_context_takeover, self.client_no_context_takeover)?;
        let windows = [
            (SERVER_MAX_WINDOW_BITS, self.server_max_window_bits),
            (CLIENT_MAX_WINDOW_BITS, self.client_max_window_bits),
        ];
        for (name, bits) in windows.into_iter().filter(|(_, bits)| *bits < LARGEST_WINDOW_BITS) {
            write!(f, "; {name}={bits}")?;
        }
        Ok(())
    }
}

/// Why parameters are wrong; a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeflateError {
    #[error("{NAME} has no parameter '{0}'")]
    Unknown(String),
    #[error("{0} is given twice")]
    Twice(&'static str),
    #[error("{0} takes no value")]
    NoValue(&'static str),
    #[error("{0} needs a value from 8 to 15")]
    Window(&'static str),
    #[error("{CLIENT_MAX_WINDOW_BITS} is in the answer, and was not offered")]
    ClientWindowNotOffered,
    #[error("{name}={agreed} is more than the offered {offered}")]
    LargerWindow { name: &'static str, agreed: u8, offered: u8 },
    #[error("{0} was offered, and the server must repeat it (RFC 7692 7.1)")]
    Ignored(&'static str),
}

impl DeflateOffer {
    /// What the server's answer agrees to: the parameters after the extension's name (RFC 7692 7.1).
    pub fn agreed<'a>(&self, answer: impl Iterator<Item = &'a str>) -> Result<AgreedDeflate, DeflateError> {
        let answer = Parameters::parse(answer)?;
        if self.server_no_context_takeover && !answer.server_no_context_takeover {
            return Err(DeflateError::Ignored(SERVER_NO_CONTEXT_TAKEOVER));
        }
        Ok(AgreedDeflate {
            server_no_context_takeover: answer.server_no_context_takeover,
            client_no_context_takeover: self.client_no_context_takeover || answer.client_no_context_takeover,
            server_max_window_bits: self.server_window(answer.server_window()?)?,
            client_max_window_bits: self.client_window(answer.client_window()?)?,
        })
    }

    fn server_window(&self, answer: Option<u8>) -> Result<u8, DeflateError> {
        match (self.server_max_window_bits, answer) {
            (None, bits) => Ok(bits.unwrap_or(LARGEST_WINDOW_BITS)),
            (Some(_), None) => Err(DeflateError::Ignored(SERVER_MAX_WINDOW_BITS)),
            (Some(offered), Some(agreed)) => at_most(SERVER_MAX_WINDOW_BITS, agreed, offered),
        }
    }

    fn client_window(&self, answer: Option<u8>) -> Result<u8, DeflateError> {
        match (self.client_window, answer) {
            (ClientWindow::Unmentioned, Some(_)) => Err(DeflateError::ClientWindowNotOffered),
            (ClientWindow::Unmentioned | ClientWindow::Limitable, bits) => {
                Ok(bits.unwrap_or(LARGEST_WINDOW_BITS))
            }
            (ClientWindow::AtMost(ours), None) => Ok(ours),
            (ClientWindow::AtMost(ours), Some(agreed)) => at_most(CLIENT_MAX_WINDOW_BITS, agreed, ours),
        }
    }
}

fn at_most(name: &'static str, agreed: u8, offered: u8) -> Result<u8, DeflateError> {
    if agreed > offered {
        return Err(DeflateError::LargerWindow { name, agreed, offered });
    }
    Ok(agreed)
}

/// The parameters as written.
#[derive(Debug, Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<Option<u8>>,
    client_max_window_bits: Option<Option<u8>>,
}

impl Parameters {
    fn parse<'a>(parts: impl Iterator<Item = &'a str>) -> Result<Parameters, DeflateError> {
        let mut parameters = Parameters::default();
        for part in parts {
            let (name, value) = match part.split_once('=') {
                Some((name, value)) => (name.trim(), Some(unquoted(value.trim()))),
                None => (part.trim(), None),
            };
            parameters.set(name, value)?;
        }
        Ok(parameters)
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), DeflateError> {
        match name {
            SERVER_NO_CONTEXT_TAKEOVER => {
                set_flag(&mut self.server_no_context_takeover, SERVER_NO_CONTEXT_TAKEOVER, value)
            }
            CLIENT_NO_CONTEXT_TAKEOVER => {
                set_flag(&mut self.client_no_context_takeover, CLIENT_NO_CONTEXT_TAKEOVER, value)
            }
            SERVER_MAX_WINDOW_BITS => {
                set_window(&mut self.server_max_window_bits, SERVER_MAX_WINDOW_BITS, value)
            }
            CLIENT_MAX_WINDOW_BITS => {
                set_window(&mut self.client_max_window_bits, CLIENT_MAX_WINDOW_BITS, value)
            }
            _ => Err(DeflateError::Unknown(name.to_string())),
        }
    }

    fn server_window(&self) -> Result<Option<u8>, DeflateError> {
        with_value(self.server_max_window_bits, SERVER_MAX_WINDOW_BITS)
    }

    /// In an answer it has a value.
    fn client_window(&self) -> Result<Option<u8>, DeflateError> {
        with_value(self.client_max_window_bits, CLIENT_MAX_WINDOW_BITS)
    }
}

fn with_value(window: Option<Option<u8>>, name: &'static str) -> Result<Option<u8>, DeflateError> {
    match window {
        Some(None) => Err(DeflateError::Window(name)),
        Some(bits) => Ok(bits),
        None => Ok(None),
    }
}

fn set_flag(flag: &mut bool, name: &'static str, value: Option<&str>) -> Result<(), DeflateError> {
    match value {
        Some(_) => Err(DeflateError::NoValue(name)),
        None if std::mem::replace(flag, true) => Err(DeflateError::Twice(name)),
        None => Ok(()),
    }
}

fn set_window(
    window: &mut Option<Option<u8>>,
    name: &'static str,
    value: Option<&str>,
) -> Result<(), DeflateError> {
    let bits = value.map(|value| window_bits(value).ok_or(DeflateError::Window(name))).transpose()?;
    match window.replace(bits) {
        Some(_) => Err(DeflateError::Twice(name)),
        None => Ok(()),
    }
}

/// A parameter's value without the quotes that may be around it (RFC 6455 9.1).
pub fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value)
}

/// A decimal number without a leading zero (RFC 7692 7.1.2.1).
fn window_bits(text: &str) -> Option<u8> {
    let bits = text.parse().ok().filter(|_| !text.starts_with(['0', '+']))?;
    (SMALLEST_WINDOW_BITS..=LARGEST_WINDOW_BITS).contains(&bits).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agreed(offer: &str, answer: &str) -> Result<String, String> {
        let offer: DeflateOffer = offer.parse().unwrap();
        let agreed = offer.agreed(answer.split(';').filter(|part| !part.is_empty()));
        agreed.map(|agreed| agreed.to_string()).map_err(|why| why.to_string())
    }

    #[test]
    fn offer_is_written_as_in_the_header() {
        assert_eq!(DeflateOffer::default().to_string(), "permessage-deflate; client_max_window_bits");
        for text in [
            "",
            "server_no_context_takeover; client_no_context_takeover",
            "server_max_window_bits=9; client_max_window_bits=15",
        ] {
            let offer: DeflateOffer = text.parse().unwrap();
            let separator = if text.is_empty() { "" } else { "; " };
            assert_eq!(offer.to_string(), format!("permessage-deflate{separator}{text}"));
        }
    }

    /// RFC 7692 7.1.1 and 7.1.2: what may follow which offer.
    #[test]
    fn allowed_answers_are_agreed_to() {
        let cases = [
            ("", "", ""),
            ("", "server_no_context_takeover", "; server_no_context_takeover"),
            ("", "client_no_context_takeover", "; client_no_context_takeover"),
            ("", "server_max_window_bits=10", "; server_max_window_bits=10"),
            ("client_max_window_bits", "client_max_window_bits=8", "; client_max_window_bits=8"),
            ("client_max_window_bits=12", "", "; client_max_window_bits=12"),
            ("server_max_window_bits=12", "server_max_window_bits=12", "; server_max_window_bits=12"),
            ("client_no_context_takeover", "", "; client_no_context_takeover"),
            (
                "client_max_window_bits",
                "client_max_window_bits=9;server_no_context_takeover",
                "; server_no_context_takeover; client_max_window_bits=9",
            ),
        ];
        for (offer, answer, expected) in cases {
            let expected = format!("{NAME}{expected}");
            assert_eq!(agreed(offer, answer), Ok(expected), "{offer} answered by {answer}");
        }
    }

    #[test]
    fn forbidden_answers_are_named() {
        let repeated = "was offered, and the server must repeat it (RFC 7692 7.1)";
        let (client, server) = (CLIENT_MAX_WINDOW_BITS, SERVER_MAX_WINDOW_BITS);
        let cases = [
            ("", "client_max_window_bits=10", format!("{client} is in the answer, and was not offered")),
            (client, client, format!("{client} needs a value from 8 to 15")),
            (
                "client_max_window_bits=12",
                "client_max_window_bits=13",
                format!("{client}=13 is more than the offered 12"),
            ),
            (
                "server_max_window_bits=12",
                "server_max_window_bits=13",
                format!("{server}=13 is more than the offered 12"),
            ),
            ("server_max_window_bits=12", "", format!("{server} {repeated}")),
            ("server_no_context_takeover", "", format!("{SERVER_NO_CONTEXT_TAKEOVER} {repeated}")),
        ];
        for (offer, answer, expected) in cases {
            assert_eq!(agreed(offer, answer), Err(expected), "{offer} answered by {answer}");
        }
    }

    #[test]
    fn wrong_parameters_are_named() {
        let cases = [
            ("server_max_window_bits", "server_max_window_bits needs a value from 8 to 15"),
            ("server_max_window_bits=7", "server_max_window_bits needs a value from 8 to 15"),
            ("server_max_window_bits=16", "server_max_window_bits needs a value from 8 to 15"),
            ("server_max_window_bits=08", "server_max_window_bits needs a value from 8 to 15"),
            ("server_max_window_bits=\"10", "server_max_window_bits needs a value from 8 to 15"),
            ("client_max_window_bits=+9", "client_max_window_bits needs a value from 8 to 15"),
            ("server_no_context_takeover=1", "server_no_context_takeover takes no value"),
            (
                "client_no_context_takeover; client_no_context_takeover",
                "client_no_context_takeover is given twice",
            ),
            ("client_max_window_bits; client_max_window_bits=9", "client_max_window_bits is given twice"),
            ("window=9", "permessage-deflate has no parameter 'window'"),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse::<DeflateOffer>().unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn name_may_come_first() {
        let offer: DeflateOffer = "permessage-deflate; client_max_window_bits".parse().unwrap();
        assert_eq!(offer, DeflateOffer::default());
    }

    #[test]
    fn quoted_values_are_values() {
        assert_eq!(
            agreed("", "server_max_window_bits=\"10\"").unwrap(),
            "permessage-deflate; server_max_window_bits=10"
        );
    }
}
