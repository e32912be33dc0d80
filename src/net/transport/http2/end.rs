//! How a stream of HTTP/2 ended, as an [`io::Error`] for the layers above.

use std::fmt;
use std::io;

use crate::domain::connection::goaway::Goaway;
use crate::domain::connection::http2::Http2Code;

/// How a stream ended that TCP knows nothing of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Http2End {
    /// The peer ended the stream (END_STREAM), which stands for a FIN (RFC 8441 section 5).
    EndStream,
    /// The peer reset the stream (RST_STREAM).
    Reset(Http2Code),
    /// The peer announced the end of the connection (GOAWAY) and ended it.
    Goaway(Goaway),
    /// The peer broke the rules of HTTP/2, or sent more than the library's limits allow, so that the connection ended; with the
    /// code that tells it so.
    Broken(Http2Code),
}

impl Http2End {
    /// The end that caused this error.
    pub fn of(error: &io::Error) -> Option<&Http2End> {
        error.get_ref()?.downcast_ref()
    }
}

impl fmt::Display for Http2End {
    /// What the peer did: `reset the stream (RST_STREAM CANCEL)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Http2End::EndStream => f.write_str("ended the stream (END_STREAM)"),
            Http2End::Reset(code) => write!(f, "reset the stream (RST_STREAM {code})"),
            Http2End::Goaway(Goaway { code, debug, .. }) if debug.is_empty() => {
                write!(f, "ended the connection (GOAWAY {code})")
            }
            Http2End::Goaway(Goaway { code, debug, .. }) => {
                write!(f, "ended the connection (GOAWAY {code} \"{debug}\")")
            }
            Http2End::Broken(code) => write!(f, "{} ({code})", broken_rule(*code)),
        }
    }
}

/// What the peer did wrong, by the code that it is told (RFC 9113 section 7).
fn broken_rule(code: Http2Code) -> &'static str {
    match code {
        // Section 6.9: by data, or by WINDOW_UPDATE or SETTINGS.
        Http2Code::FLOW_CONTROL_ERROR => {
            "sent more data than the window that wscheck granted it, or raised the window of wscheck above 2^31-1 bytes"
        }
        // The library tells in time only that a limit was passed, not which.
        Http2Code::ENHANCE_YOUR_CALM => {
            "sent more frames, or longer headers, than wscheck accepts over HTTP/2"
        }
        Http2Code::STREAM_CLOSED => "sent a frame of HTTP/2 on a stream that it had ended",
        Http2Code::FRAME_SIZE_ERROR => "sent a frame of HTTP/2 with a length that is not allowed",
        Http2Code::COMPRESSION_ERROR => "sent headers of HTTP/2 that cannot be decompressed",
        _ => "broke the rules of HTTP/2",
    }
}

impl std::error::Error for Http2End {}

impl From<Http2End> for io::Error {
    fn from(end: Http2End) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionReset, end)
    }
}
