//! Errors of HTTP/2 as those of a socket.

use std::io;

use crate::domain::connection::close_cause::{CloseKind, Violation};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::untrusted_text::UntrustedText;

/// An error of a stream as an error of its socket.
pub fn io_error(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
    }
    io::Error::other(error)
}

/// How a stream ended by this error; `None` if it is not one of HTTP/2.
pub fn close_kind(error: &io::Error) -> Option<CloseKind> {
    let error = inner(error)?;
    let code = Http2Code(u32::from(error.reason()?));
    Some(match () {
        () if error.is_remote() && error.is_reset() => CloseKind::H2RstStream { code },
        () if error.is_remote() => CloseKind::H2Goaway { code, debug: UntrustedText::default() },
        () => {
            let detail = UntrustedText::new(&describe_error(error));
            CloseKind::Violation { rule: Violation::Http2, detail, close: None }
        }
    })
}

/// Whether the stream ended because this server sent GOAWAY without a reason of the client's.
pub fn is_our_goaway(error: &io::Error) -> bool {
    inner(error).is_some_and(|error| error.is_go_away() && !error.is_remote() && !error.is_library())
}

fn inner(error: &io::Error) -> Option<&h2::Error> {
    error.get_ref()?.downcast_ref()
}

/// How a connection failed, as a fragment: `the client broke the protocol; answered ENHANCE_YOUR_CALM`.
pub fn describe_error(error: &h2::Error) -> String {
    let Some(reason) = error.reason() else { return error.to_string() };
    let code = Http2Code(u32::from(reason));
    if error.is_remote() {
        format!("the client ended the connection (GOAWAY {code})")
    } else {
        format!("the client broke the protocol; answered {code}")
    }
}
