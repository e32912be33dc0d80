//! A stream that carries WebSocket frames from here on.

use std::sync::Arc;

use super::tap::{Tap, TapState};
use crate::domain::connection::permessage_deflate::AgreedDeflate;

/// A stream after its upgrade.
#[derive(Debug)]
pub struct UpgradedStream<S> {
    pub stream: S,
    /// Bytes received after the response head: the peer's first frames.
    pub leftover: Vec<u8>,
    /// State of the byte tap on the socket.
    pub tap_state: Arc<TapState>,
    /// How messages are compressed, if that was agreed.
    pub deflate: Option<AgreedDeflate>,
}

impl<S> UpgradedStream<Tap<S>> {
    /// A tapped stream without TLS on which nothing came yet, without compression.
    pub fn of(tap: Tap<S>) -> UpgradedStream<Tap<S>> {
        let tap_state = tap.state();
        UpgradedStream { stream: tap, leftover: Vec::new(), tap_state, deflate: None }
    }
}
