//! The ways to keep a connection open.

use strum::{EnumIter, EnumMessage, IntoEnumIterator, IntoStaticStr};

use crate::domain::connection::http2::HttpChoice;

/// A way to keep a connection open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum KeepaliveMethod {
    /// A Ping frame, which the server answers: bytes both ways.
    PingPong,
    /// An unsolicited Pong frame: bytes from the client only (RFC 6455 5.5.3).
    UnsolicitedPong,
    /// TCP keepalive: packets both ways, but no bytes of the stream.
    TcpKeepalive,
    /// An application message and the server's answer.
    AppMessage,
    /// A PING frame of HTTP/2 and its acknowledgement: bytes both ways to what ends HTTP/2, and none of the WebSocket.
    Http2Ping,
}

impl KeepaliveMethod {
    /// The methods that a connection of this HTTP has.
    pub fn all(http: HttpChoice) -> impl Iterator<Item = KeepaliveMethod> {
        KeepaliveMethod::iter()
            .filter(move |method| *method != KeepaliveMethod::Http2Ping || http != HttpChoice::Http1)
    }
}
