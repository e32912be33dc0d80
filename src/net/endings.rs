//! What the end of a stream says of who ended the connection and how.

use std::io;

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::close_payload::read_close;
use super::frame_check::IllegalHead;
use super::library_words::websocket_words;
use super::os_error;
use super::tls;
use super::wire::{Marks, WireEnd};
use crate::domain::ending::{ClosePayload, How, Violation, Who};
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

    /// The peer sent a close frame. `payload` is what it carried; the library's `frame` may have another code.
    pub fn by_close_frame(payload: Option<&[u8]>, frame: Option<CloseFrame>) -> Cut {
        let Some(payload) = payload else { return Cut::peer(as_the_library_says(frame)) };
        let (close, broken) = read_close(payload);
        Cut::peer(match broken {
            Some((rule, what)) => broken_close(rule, &what, close),
            None => How::CloseFrame { code: close.code, reason: close.reason },
        })
    }

    /// The stream was lost. What the tap saw on the socket decides between FIN and close_notify; `close` is the payload
    /// of a close frame that came.
    pub fn by_loss(error: Option<Error>, marks: &Marks, close: Option<&[u8]>) -> Cut {
        match error {
            Some(Error::Io(error)) => Cut::by_io(&error, marks),
            Some(Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::ReceivedAfterClosing,
            ))
            | Some(Error::ConnectionClosed | Error::AlreadyClosed)
            | None => Cut::by_stream_end(marks),
            Some(Error::Capacity(CapacityError::MessageTooLong { size, max_size })) => {
                Cut::by_size(size as u64, max_size as u64)
            }
            Some(error @ (Error::Protocol(ProtocolError::InvalidCloseSequence) | Error::Utf8(_))) => {
                Cut::by_unreadable_close(close).unwrap_or_else(|| Cut::by_violation(&error))
            }
            Some(error) => Cut::by_violation(&error),
        }
    }

    /// The library stopped at a close frame that it could not read.
    fn by_unreadable_close(payload: Option<&[u8]>) -> Option<Cut> {
        let (close, broken) = read_close(payload?);
        broken.map(|(rule, what)| Cut::peer(broken_close(rule, &what, close)))
    }

    /// A message was larger than we accept, which is no fault of the peer's. A length beyond 2^63 is one.
    fn by_size(size: u64, limit: u64) -> Cut {
        match size >> 63 {
            0 => Cut { who: Who::Us, how: How::TooLarge { size, limit }, os_error: None },
            _ => Cut::peer(violation(Violation::Garbage, "a frame's length is above 2^63")),
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
            return Cut::peer(violation(illegal.rule, &illegal.detail));
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
            io::ErrorKind::InvalidData => {
                Cut::peer(violation(Violation::Garbage, &os_error::describe(error)))
            }
            _ => Cut { who: Who::Network, how: How::Error, os_error: Some(os_error::describe(error)) },
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
            Error::Utf8(_) => Violation::InvalidUtf8,
            Error::Protocol(ProtocolError::MaskedFrameFromServer) => Violation::MaskedFrame,
            _ => Violation::Garbage,
        };
        Cut::peer(violation(rule, &websocket_words(error)))
    }
}

/// What is left when the frame itself was not seen.
fn as_the_library_says(frame: Option<CloseFrame>) -> How {
    let code = frame.as_ref().map(|frame| frame.code.into());
    let reason = frame.map(|frame| PeerText::new(&frame.reason)).unwrap_or_default();
    How::CloseFrame { code, reason }
}

fn violation(rule: Violation, what: &str) -> How {
    How::Violation { rule, detail: PeerText::new(what), close: None }
}

/// A close frame that breaks a rule: its number and reason stay with it.
fn broken_close(rule: Violation, what: &str, close: ClosePayload) -> How {
    let reason = if close.reason.is_empty() { String::new() } else { format!(" \"{}\"", close.reason) };
    let detail = match close.code {
        Some(code) => format!("close {code}{reason}: {what}"),
        None => format!("a close frame: {what}"),
    };
    How::Violation { rule, detail: PeerText::escaped(detail), close: Some(Box::new(close)) }
}

/// The close code with which RFC 6455 7.4.1 answers a violation.
pub fn code_for(rule: Violation) -> u16 {
    match rule {
        Violation::MaskedFrame
        | Violation::Garbage
        | Violation::InvalidCloseCode
        | Violation::InvalidClosePayload => 1002,
        Violation::InvalidUtf8 => 1007,
    }
}
