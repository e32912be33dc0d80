//! What the end of a stream says of who ended the connection and how.

use std::io;

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use super::frame_check::IllegalHead;
use super::os_error;
use super::tls;
use super::wire::{Marks, WireEnd};
use crate::domain::ending::{How, Violation, Who};
use crate::domain::peer_text::PeerText;

/// Who ended a connection and how, before it is known when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    pub who: Who,
    pub how: How,
    /// The operating system's name for the error.
    pub os_error: Option<String>,
}

impl Cut {
    fn peer(how: How) -> Cut {
        Cut { who: Who::Peer, how, os_error: None }
    }

    /// The peer sent a close frame.
    pub fn by_close_frame(frame: Option<CloseFrame>) -> Cut {
        Cut::peer(match frame {
            Some(frame) if is_rewritten(&frame) => How::Violation {
                rule: Violation::InvalidCloseCode,
                detail: PeerText::new("a close frame whose code must not appear on the wire"),
            },
            Some(frame) => {
                How::CloseFrame { code: Some(frame.code.into()), reason: PeerText::new(&frame.reason) }
            }
            None => How::CloseFrame { code: None, reason: PeerText::default() },
        })
    }

    /// The stream was lost. What the tap saw on the socket decides between FIN and close_notify.
    pub fn by_loss(error: Option<Error>, marks: &Marks) -> Cut {
        match error {
            Some(Error::Io(error)) => Cut::by_io(&error, marks),
            Some(Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::ReceivedAfterClosing,
            ))
            | Some(Error::ConnectionClosed | Error::AlreadyClosed)
            | None => Cut::by_stream_end(marks),
            Some(error) => Cut::by_violation(&error),
        }
    }

    fn by_stream_end(marks: &Marks) -> Cut {
        match marks.end() {
            Some(WireEnd::Error(Some(errno))) => Cut::by_errno(errno),
            Some(WireEnd::Fin | WireEnd::Error(None)) => Cut::peer(How::Fin),
            None => Cut::peer(How::TlsClose),
        }
    }

    fn by_io(error: &io::Error, marks: &Marks) -> Cut {
        if let Some(illegal) = IllegalHead::of(error) {
            return Cut::peer(violation(illegal.rule, illegal));
        }
        if let Some(alert) = tls::alert_name(error) {
            return Cut::peer(How::TlsAlert { alert: PeerText::new(&alert) });
        }
        match (error.raw_os_error(), marks.end()) {
            (Some(errno), _) | (None, Some(WireEnd::Error(Some(errno)))) => Cut::by_errno(errno),
            (None, Some(WireEnd::Fin)) => Cut::peer(How::Fin),
            (None, _) => Cut::by_io_kind(error),
        }
    }

    /// Errors that did not come from the system: broken TLS records, or a test's own stream.
    fn by_io_kind(error: &io::Error) -> Cut {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => Cut::peer(How::Rst),
            io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Cut::peer(How::Fin),
            io::ErrorKind::TimedOut => Cut { who: Who::Network, how: How::Timeout, os_error: None },
            io::ErrorKind::InvalidData => Cut::peer(violation(Violation::Garbage, error)),
            _ => Cut { who: Who::Network, how: How::Error, os_error: Some(error.to_string()) },
        }
    }

    fn by_errno(errno: i32) -> Cut {
        let (who, how) = match io::Error::from_raw_os_error(errno).kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => (Who::Peer, How::Rst),
            // A write after the peer's RST; the RST itself was not read.
            io::ErrorKind::BrokenPipe => (Who::Peer, How::Rst),
            io::ErrorKind::TimedOut => (Who::Network, How::Timeout),
            _ => (Who::Network, How::Error),
        };
        Cut { who, how, os_error: Some(os_error::name(errno)) }
    }

    fn by_violation(error: &Error) -> Cut {
        let rule = match error {
            Error::Capacity(_) => Violation::Oversized,
            Error::Utf8(_) => Violation::InvalidUtf8,
            Error::Protocol(ProtocolError::MaskedFrameFromServer) => Violation::MaskedFrame,
            _ => Violation::Garbage,
        };
        Cut::peer(violation(rule, error))
    }
}

/// The library hides a code that RFC 6455 7.4 forbids on the wire (1004, 1005, 1006, 1015, below 1000,
/// above 4999) behind these words of its own, and gives no other sign.
fn is_rewritten(frame: &CloseFrame) -> bool {
    frame.code == CloseCode::Protocol && frame.reason.as_str() == "Protocol violation"
}

fn violation(rule: Violation, error: &impl ToString) -> How {
    How::Violation { rule, detail: PeerText::new(&error.to_string()) }
}

/// The close code with which RFC 6455 7.4.1 answers a violation.
pub fn code_for(rule: Violation) -> u16 {
    match rule {
        Violation::MaskedFrame | Violation::Garbage | Violation::InvalidCloseCode => 1002,
        Violation::InvalidUtf8 => 1007,
        Violation::Oversized => 1009,
    }
}
