//! The ways in which a connection can be let go or lost, as one names them on the command line.

use std::fmt;
use std::str::FromStr;

/// What happens to a connection when its time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// A close frame with this code.
    Close(u16),
    /// TCP's FIN, without a close frame.
    Fin,
    /// FIN in the server's direction only: what the client sends is still taken.
    HalfClose,
    /// TCP's RST.
    Rst,
    /// The connection stays open and swallows everything, as a forgotten NAT mapping does.
    Silent,
    /// As silent, until the client sends something: that is answered by RST.
    RstOnUse,
    /// The server reads on, and neither answers nor sends.
    Mute,
    /// The server stops reading; the socket stays open.
    Stall,
}

impl Cut {
    /// How to write them all.
    pub const GRAMMAR: &'static str = "close[:CODE]|fin|half-close|rst|silent|rst-on-use|mute|stall";
}

impl FromStr for Cut {
    type Err = String;

    fn from_str(text: &str) -> Result<Cut, String> {
        match text {
            "close" => Ok(Cut::Close(1000)),
            "fin" => Ok(Cut::Fin),
            "half-close" => Ok(Cut::HalfClose),
            "rst" => Ok(Cut::Rst),
            "silent" => Ok(Cut::Silent),
            "rst-on-use" => Ok(Cut::RstOnUse),
            "mute" => Ok(Cut::Mute),
            "stall" => Ok(Cut::Stall),
            _ => match text.split_once(':') {
                Some(("close", code)) => close_code(code).map(Cut::Close),
                _ => Err(format!("'{text}' is not a cut: write {}", Cut::GRAMMAR)),
            },
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cut::Close(code) => write!(f, "close:{code}"),
            Cut::Fin => f.write_str("fin"),
            Cut::HalfClose => f.write_str("half-close"),
            Cut::Rst => f.write_str("rst"),
            Cut::Silent => f.write_str("silent"),
            Cut::RstOnUse => f.write_str("rst-on-use"),
            Cut::Mute => f.write_str("mute"),
            Cut::Stall => f.write_str("stall"),
        }
    }
}

/// A code that may stand in a close frame (RFC 6455 7.4: 1005, 1006 and 1015 may not).
pub fn close_code(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(1005 | 1006 | 1015) | Err(_) => {
            Err(format!("'{text}' is not a close code: 1000 to 4999, but 1005, 1006 and 1015 are never sent"))
        }
        Ok(code @ 1000..=4999) => Ok(code),
        Ok(_) => Err(format!("'{text}' is not a close code: it must be 1000 to 4999")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_reads_as_it_is_written() {
        let cuts = [
            Cut::Close(1000),
            Cut::Close(4001),
            Cut::Fin,
            Cut::HalfClose,
            Cut::Rst,
            Cut::Silent,
            Cut::RstOnUse,
            Cut::Mute,
            Cut::Stall,
        ];
        for cut in cuts {
            assert_eq!(cut.to_string().parse(), Ok(cut));
        }
        assert_eq!("close".parse(), Ok(Cut::Close(1000)));
    }

    #[test]
    fn codes_that_are_never_sent_are_refused() {
        for code in ["999", "1005", "1006", "1015", "5000", "70000", "x"] {
            assert!(format!("close:{code}").parse::<Cut>().is_err(), "{code}");
        }
    }
}
