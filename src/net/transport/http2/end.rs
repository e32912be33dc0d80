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
            Http2End::Broken(code @ Http2Code::ENHANCE_YOUR_CALM) => {
                write!(f, "sent more than wscheck accepts over HTTP/2 ({code})")
            }
            Http2End::Broken(code) => write!(f, "broke the rules of HTTP/2 ({code})"),
        }
    }
}

impl std::error::Error for Http2End {}

impl From<Http2End> for io::Error {
    fn from(end: Http2End) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionReset, end)
    }
}
