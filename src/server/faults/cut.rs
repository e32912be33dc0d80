//! Ways to end or cripple a connection, as named on the command line.

use std::fmt;
use std::str::FromStr;

use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use crate::domain::client_test::connection_record::FaultKind;

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum CutAction {
    /// Send a close frame with this code.
    Close(u16),
    /// Send a TCP FIN without a close frame.
    Fin,
    /// Send a FIN and keep reading.
    HalfClose,
    /// Send a TCP RST.
    Rst,
    /// Keep the connection open and discard everything, like an expired NAT mapping.
    Silent,
    /// Like `Silent`, but answer the client's next data with an RST.
    RstOnUse,
    /// Keep reading, but neither answer nor send.
    Mute,
    /// Stop reading; keep the socket open.
    Stall,
    /// Send GOAWAY (NO_ERROR) and close the HTTP/2 connection. Only `--goaway-after` does it.
    #[strum(serialize = "goaway")]
    GoAway,
}

impl CutAction {
    /// The syntax of all cuts.
    pub const GRAMMAR: &'static str = "close[:CODE]|fin|half-close|rst|silent|rst-on-use|mute|stall";

    /// Its name without a code.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it leaves to the client.
    pub fn kind(self) -> FaultKind {
        match self {
            CutAction::Close(_) | CutAction::Fin | CutAction::Rst | CutAction::GoAway => FaultKind::End,
            CutAction::HalfClose
            | CutAction::Silent
            | CutAction::RstOnUse
            | CutAction::Mute
            | CutAction::Stall => FaultKind::Silence,
        }
    }
}

impl FromStr for CutAction {
    type Err = String;

    fn from_str(text: &str) -> Result<CutAction, String> {
        if text == "close" {
            return Ok(CutAction::Close(1000));
        }
        if let Some(code) = text.strip_prefix("close:") {
            return close_code(code).map(CutAction::Close);
        }
        let known = CutAction::iter().find(|cut| *cut != CutAction::GoAway && cut.name() == text);
        known.ok_or_else(|| format!("'{text}' is not a cut: write {}", CutAction::GRAMMAR))
    }
}

impl fmt::Display for CutAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CutAction::Close(code) => write!(f, "close:{code}"),
            other => f.write_str(other.name()),
        }
    }
}

/// Parses a code that may appear in a close frame (RFC 6455 7.4: not 1005, 1006 and 1015).
pub fn close_code(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(1005 | 1006 | 1015) | Err(_) => {
            Err(format!("'{text}' is not a close code: it must be 1000 to 4999, except 1005, 1006 and 1015"))
        }
        Ok(code @ 1000..=4999) => Ok(code),
        Ok(_) => Err(format!("'{text}' is not a close code: it must be 1000 to 4999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_parses_from_its_own_text() {
        let cuts = [
            CutAction::Close(1000),
            CutAction::Close(4001),
            CutAction::Fin,
            CutAction::HalfClose,
            CutAction::Rst,
            CutAction::Silent,
            CutAction::RstOnUse,
            CutAction::Mute,
            CutAction::Stall,
        ];
        for cut in cuts {
            assert_eq!(cut.to_string().parse(), Ok(cut));
        }
        assert_eq!("close".parse(), Ok(CutAction::Close(1000)));
    }

    #[test]
    fn goaway_is_no_cut_of_a_connection() {
        assert!("goaway".parse::<CutAction>().is_err());
    }

    #[test]
    fn reserved_codes_are_refused() {
        for code in ["999", "1005", "1006", "1015", "5000", "70000", "x"] {
            assert!(format!("close:{code}").parse::<CutAction>().is_err(), "{code}");
        }
    }
}
