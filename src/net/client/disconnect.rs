//! Maps the end of a stream to who ended the connection and how.

use std::{fmt, io};

use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::close_payload::read_close;
use super::frame_check::FrameError;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosePayload, ClosedBy, Violation};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::client::websocket_error::describe_websocket_error;
use crate::net::connect::tls;
use crate::net::os_error;
use crate::net::transport::http2::end::Http2End;
use crate::net::transport::tap::{StreamEnd, TapState};

/// Who ended a connection and how, without the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    pub who: ClosedBy,
    pub how: CloseKind,
    /// The operating system's name for the error.
    pub os_error: Option<String>,
}

impl fmt::Display for Disconnect {
    /// A fragment such as `peer sent close 1001 (going away) "bye"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&CloseCause::describe(self.who, &self.how, self.os_error.as_deref()))
    }
}

impl Disconnect {
    fn peer(how: CloseKind) -> Disconnect {
        Disconnect { who: ClosedBy::Peer, how, os_error: None }
    }

    /// The peer sent a close frame with this `payload`; the library's `frame` may have another code.
    pub fn by_close_frame(payload: Option<&[u8]>, frame: Option<CloseFrame>) -> Disconnect {
        let Some(payload) = payload else { return Disconnect::peer(library_close(frame)) };
        let (close, broken) = read_close(payload);
        Disconnect::peer(match broken {
            Some((rule, what)) => broken_close(rule, &what, close),
            None => CloseKind::CloseFrame { code: close.code, reason: close.reason },
        })
    }

    /// The stream was lost. The tap's record of the socket tells FIN from close_notify; `close` is the payload
    /// of a close frame that came.
    pub fn by_loss(error: Option<Error>, tap_state: &TapState, close: Option<&[u8]>) -> Disconnect {
        match error {
            Some(Error::Io(error)) => Disconnect::by_io(&error, tap_state),
            Some(Error::Protocol(
                ProtocolError::ResetWithoutClosingHandshake | ProtocolError::ReceivedAfterClosing,
            ))
            | Some(Error::ConnectionClosed | Error::AlreadyClosed)
            | None => Disconnect::by_stream_end(tap_state),
            Some(Error::Capacity(CapacityError::MessageTooLong { size, max_size })) => {
                Disconnect::by_size(size as u64, max_size as u64)
            }
            Some(error @ (Error::Protocol(ProtocolError::InvalidCloseSequence) | Error::Utf8(_))) => {
                Disconnect::by_unreadable_close(close).unwrap_or_else(|| Disconnect::by_violation(&error))
            }
            Some(error) => Disconnect::by_violation(&error),
        }
    }

    /// The library stopped at a close frame that it could not parse.
    fn by_unreadable_close(payload: Option<&[u8]>) -> Option<Disconnect> {
        let (close, broken) = read_close(payload?);
        broken.map(|(rule, what)| Disconnect::peer(broken_close(rule, &what, close)))
    }

    /// A message exceeded our size limit: not the peer's fault, unless the length is above 2^63.
    fn by_size(size: u64, limit: u64) -> Disconnect {
        match size >> 63 {
            0 => Disconnect { who: ClosedBy::Us, how: CloseKind::TooLarge { size, limit }, os_error: None },
            _ => Disconnect::peer(violation(Violation::Garbage, "a frame's length is above 2^63")),
        }
    }

    fn by_stream_end(tap_state: &TapState) -> Disconnect {
        match tap_state.end() {
            Some(StreamEnd::Error(Some(errno))) => Disconnect::by_errno(errno),
            Some(StreamEnd::Fin | StreamEnd::Error(None)) => Disconnect::peer(CloseKind::Fin),
            None => Disconnect::peer(CloseKind::TlsClose),
        }
    }

    fn by_io(error: &io::Error, tap_state: &TapState) -> Disconnect {
        match FrameError::of(error) {
            Some(FrameError::Illegal(illegal)) => {
                return Disconnect::peer(violation(illegal.rule, &illegal.detail));
            }
            Some(FrameError::TooLarge { size, limit }) => return Disconnect::by_size(*size, *limit),
            None => {}
        }
        if let Some(end) = Http2End::of(error) {
            return Disconnect::peer(http2_end(end));
        }
        if let Some(alert) = tls::alert_name(error) {
            return Disconnect::peer(CloseKind::TlsAlert { alert: UntrustedText::new(&alert) });
        }
        match (error.raw_os_error(), tap_state.end()) {
            (Some(errno), _) | (None, Some(StreamEnd::Error(Some(errno)))) => Disconnect::by_errno(errno),
            (None, Some(StreamEnd::Fin)) => Disconnect::peer(CloseKind::Fin),
            (None, _) => Disconnect::by_io_kind(error),
        }
    }

    /// Errors without an errno: broken TLS records, or a test's stream.
    fn by_io_kind(error: &io::Error) -> Disconnect {
        match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                Disconnect::peer(CloseKind::Rst)
            }
            io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => Disconnect::peer(CloseKind::Fin),
            io::ErrorKind::TimedOut => {
                Disconnect { who: ClosedBy::Network, how: CloseKind::Timeout, os_error: None }
            }
            io::ErrorKind::InvalidData => {
                Disconnect::peer(violation(Violation::Garbage, &os_error::describe(error)))
            }
            _ => Disconnect {
                who: ClosedBy::Network,
                how: CloseKind::Error,
                os_error: Some(os_error::describe(error)),
            },
        }
    }

    fn by_errno(errno: i32) -> Disconnect {
        let (who, how) = match io::Error::from_raw_os_error(errno).kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                (ClosedBy::Peer, CloseKind::Rst)
            }
            // EPIPE: the write came after the peer's RST, which was not read.
            io::ErrorKind::BrokenPipe => (ClosedBy::Peer, CloseKind::Rst),
            io::ErrorKind::TimedOut => (ClosedBy::Network, CloseKind::Timeout),
            _ => (ClosedBy::Network, CloseKind::Error),
        };
        Disconnect { who, how, os_error: Some(os_error::name(errno)) }
    }

    fn by_violation(error: &Error) -> Disconnect {
        let rule = match error {
            Error::Utf8(_) => Violation::InvalidUtf8,
            Error::Protocol(ProtocolError::MaskedFrameFromServer) => Violation::MaskedFrame,
            _ => Violation::Garbage,
        };
        Disconnect::peer(violation(rule, &describe_websocket_error(error)))
    }
}

fn http2_end(end: &Http2End) -> CloseKind {
    match end {
        Http2End::EndStream => CloseKind::H2EndStream,
        Http2End::Reset(code) => CloseKind::H2RstStream { code: *code },
        Http2End::Goaway(goaway) => CloseKind::H2Goaway { code: goaway.code, debug: goaway.debug.clone() },
        Http2End::Broken(_) => violation(Violation::Http2, &format!("it {end}")),
    }
}

/// Fallback when the raw close payload is unknown.
fn library_close(frame: Option<CloseFrame>) -> CloseKind {
    let code = frame.as_ref().map(|frame| frame.code.into());
    let reason = frame.map(|frame| UntrustedText::new(&frame.reason)).unwrap_or_default();
    CloseKind::CloseFrame { code, reason }
}

fn violation(rule: Violation, what: &str) -> CloseKind {
    CloseKind::Violation { rule, detail: UntrustedText::new(what), close: None }
}

/// A close frame that breaks a rule; keeps its code and reason.
fn broken_close(rule: Violation, what: &str, close: ClosePayload) -> CloseKind {
    let reason = if close.reason.is_empty() { String::new() } else { format!(" \"{}\"", close.reason) };
    let detail = match close.code {
        Some(code) => format!("close {code}{reason}: {what}"),
        None => format!("a close frame: {what}"),
    };
    CloseKind::Violation { rule, detail: UntrustedText::escaped(detail), close: Some(Box::new(close)) }
}

/// The close code that answers a violation (RFC 6455 7.4.1).
pub fn code_for(rule: Violation) -> u16 {
    match rule {
        Violation::MaskedFrame
        | Violation::Garbage
        | Violation::Compression
        | Violation::Http2
        | Violation::InvalidCloseCode
        | Violation::InvalidClosePayload => 1002,
        Violation::InvalidUtf8 => 1007,
    }
}
