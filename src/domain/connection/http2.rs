//! Words of HTTP/2 (RFC 9113).

use std::fmt;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// An error code of RST_STREAM or GOAWAY (RFC 9113 section 7); unknown codes are kept as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Http2Code(pub u32);

/// The names of the codes, from 0 on (RFC 9113 section 7).
const NAMES: [&str; 14] = [
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
];

impl Http2Code {
    pub const NO_ERROR: Http2Code = Http2Code(0);
    /// The peer sent beyond a window (section 6.9).
    pub const FLOW_CONTROL_ERROR: Http2Code = Http2Code(3);
    /// A frame came on a stream that had ended.
    pub const STREAM_CLOSED: Http2Code = Http2Code(5);
    /// A frame has a length that is not allowed.
    pub const FRAME_SIZE_ERROR: Http2Code = Http2Code(6);
    /// The stream was refused before any of it was processed.
    pub const REFUSED_STREAM: Http2Code = Http2Code(7);
    /// Headers cannot be decompressed.
    pub const COMPRESSION_ERROR: Http2Code = Http2Code(9);
    /// What a peer is told that sends more than its receiver accepts.
    pub const ENHANCE_YOUR_CALM: Http2Code = Http2Code(0xb);
    /// The request is to be made over HTTP/1.1.
    pub const HTTP_1_1_REQUIRED: Http2Code = Http2Code(0xd);

    /// The code's name, if it is registered.
    pub fn name(self) -> Option<&'static str> {
        NAMES.get(usize::try_from(self.0).ok()?).copied()
    }
}

impl fmt::Display for Http2Code {
    /// `PROTOCOL_ERROR`, or `error code 77`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "error code {}", self.0),
        }
    }
}

/// Which HTTP opens a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, EnumIter)]
pub enum HttpChoice {
    /// HTTP/1.1 (RFC 6455).
    #[default]
    #[strum(serialize = "1.1")]
    Http1,
    /// HTTP/2 (RFC 8441).
    #[strum(serialize = "2")]
    Http2,
    /// HTTP/2 if the server chooses it by ALPN, as it may for browsers; else HTTP/1.1.
    #[strum(serialize = "auto")]
    Auto,
}

/// Which window of flow control has no room for what is to be sent (RFC 9113 section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ExhaustedWindow {
    /// The stream's: the peer reads this WebSocket no more, or too slowly.
    Stream,
    /// The connection's, which all its streams share.
    Connection,
    /// Both.
    Both,
    /// The stream's or the connection's: it is unknown which.
    Unknown,
}

impl ExhaustedWindow {
    /// What both of two observations show.
    pub fn and(self, other: ExhaustedWindow) -> ExhaustedWindow {
        match (self, other) {
            (one, other) if one == other => one,
            (ExhaustedWindow::Unknown, _) | (_, ExhaustedWindow::Unknown) => ExhaustedWindow::Unknown,
            (_, _) => ExhaustedWindow::Both,
        }
    }

    /// With whose it is: `the stream's flow-control window of HTTP/2 is exhausted`.
    pub fn sentence(self) -> &'static str {
        match self {
            ExhaustedWindow::Stream => "the stream's flow-control window of HTTP/2 is exhausted",
            ExhaustedWindow::Connection => "the connection's flow-control window of HTTP/2 is exhausted",
            ExhaustedWindow::Both => {
                "the flow-control windows of HTTP/2 are exhausted, the stream's and the connection's"
            }
            ExhaustedWindow::Unknown => {
                "a flow-control window of HTTP/2 is exhausted, the stream's or the connection's"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_of_several_windows_are_combined() {
        use ExhaustedWindow::{Both, Connection, Stream, Unknown};
        assert_eq!((Stream.and(Stream), Stream.and(Connection), Both.and(Stream)), (Stream, Both, Both));
        assert_eq!((Stream.and(Unknown), Unknown.and(Both)), (Unknown, Unknown));
    }

    #[test]
    fn codes_have_the_names_of_the_rfc() {
        assert_eq!(Http2Code(0).to_string(), "NO_ERROR");
        assert_eq!(Http2Code(0xd).to_string(), "HTTP_1_1_REQUIRED");
        assert_eq!(Http2Code(0xe).to_string(), "error code 14");
        assert_eq!(Http2Code(u32::MAX).name(), None);
    }
}
