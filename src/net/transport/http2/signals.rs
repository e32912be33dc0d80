//! What a WebSocket sees of the HTTP/2 below it: PING frames as heartbeats (RFC 9113 section 6.7), which what ends HTTP/2 answers,
//! perhaps a hop before the server, and GOAWAY (section 6.8).

use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::domain::connection::goaway::Goaway;
use crate::net::transport::tap::Tap;

/// A stream that may have a connection of HTTP/2 below it. The h2 library lets one PING be in flight.
pub trait Http2Signals {
    /// Whether PINGs can be sent, and no other stream of the connection sends them: the caller does from now on.
    fn claim_http2_pings(&mut self) -> bool {
        false
    }

    /// Queues a PING, unless one is in flight. Returns whether it did. A flush writes it.
    fn queue_http2_ping(&mut self) -> bool {
        false
    }

    /// Polls for the acknowledgement of the PING in flight; tells when it came.
    fn poll_http2_pong(&mut self, _cx: &mut Context<'_>) -> Poll<Instant> {
        Poll::Pending
    }

    /// Polls for GOAWAY: what it says, and when it came. It is told once, and once more if a later one has an error code.
    fn poll_goaway(&mut self, _cx: &mut Context<'_>) -> Poll<(Goaway, Instant)> {
        Poll::Pending
    }
}

impl<S> Http2Signals for Tap<S> {}

#[cfg(test)]
impl Http2Signals for tokio::io::DuplexStream {}
