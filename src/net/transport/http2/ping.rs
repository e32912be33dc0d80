//! PING frames of HTTP/2 as heartbeats (RFC 9113 section 6.7). What ends HTTP/2 answers them, perhaps a hop before the server.

use std::task::{Context, Poll};

use tokio::time::Instant;

use crate::net::transport::tap::Tap;

/// A stream that may have a connection of HTTP/2 below it. The h2 library lets one PING be in flight.
pub trait Http2Pings {
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
}

impl<S> Http2Pings for Tap<S> {}

#[cfg(test)]
impl Http2Pings for tokio::io::DuplexStream {}
