//! WebSockets over HTTP/2 (RFC 8441): each extended CONNECT is a client whose stream is its connection.
//!
//! What ends a TCP connection over HTTP/1.1 acts on the stream (RFC 8441 section 5): a FIN is END_STREAM, an RST is
//! RST_STREAM with CANCEL. A client that is not read uses up its window, like the socket's buffer over TCP.

mod driver;
mod error;
mod request;
mod stream;

pub use driver::{Http2Driver, Http2End, Http2Limits};
pub use error::{close_kind, describe_error, is_our_goaway};
pub use request::{Http2Request, open, reject};
