//! The opening of one connection: reads its request and answers it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::faults::OpeningFaults;
use super::handshake::{self, AcceptedUpgrade, RejectedConnection};
use super::socket::OpeningSocket;
use super::two_ended::TWO_ENDED;
use crate::domain::connection::connect_info::HttpVersion;

/// Maximum number of bytes read from a client after its rejection, in bytes.
const MAX_DRAINED_BYTES: u64 = 64 * 1024;
/// Length of an endless header line, in bytes.
const ENDLESS_HEADER_BYTES: usize = 1024;

/// A client whose upgrade was accepted.
#[derive(Debug)]
pub struct AdmittedClient {
    /// The version of HTTP that it opened the WebSocket with.
    pub http: HttpVersion,
    pub upgrade: AcceptedUpgrade,
    pub subprotocol: Option<String>,
    /// The agreed compression, as in the answer.
    pub compression: Option<String>,
    /// Bytes received after its request.
    pub early: Vec<u8>,
}

/// Reads the request and answers it. `slot` reserves a client slot; it is called only when the client is about to be
/// admitted, since others may arrive meanwhile.
pub async fn open<S: OpeningSocket, T>(
    stream: &mut S,
    faults: &OpeningFaults,
    within: Duration,
    slot: impl FnOnce() -> Result<T, RejectedConnection>,
) -> Result<(AdmittedClient, T), RejectedConnection> {
    let (upgrade, early) = match timeout(within, read_request(stream, faults.lenient)).await {
        Ok(result) => result?,
        Err(_) => return Err(RejectedConnection::TooSlow(within)),
    };
    if !waited(stream, faults.slow).await {
        return Err(RejectedConnection::ClosedUnanswered);
    }
    apply_opening_faults(stream, faults).await?;
    let slot = slot()?;
    let mut admitted = admit(HttpVersion::Http1, upgrade, faults);
    admitted.early = early;
    let AdmittedClient { upgrade, subprotocol, compression, .. } = &admitted;
    let answer =
        handshake::accept(upgrade, subprotocol.as_deref(), compression.as_deref(), faults.wrong_accept);
    match stream.write_all(&answer).await {
        Ok(()) => Ok((admitted, slot)),
        Err(_) => Err(RejectedConnection::ClosedEarly),
    }
}

/// What a client gets of what it offers.
pub fn admit(http: HttpVersion, upgrade: AcceptedUpgrade, faults: &OpeningFaults) -> AdmittedClient {
    let subprotocol = choose_subprotocol(&upgrade.subprotocols);
    let compression = faults.deflate.as_ref().and_then(|answer| answer.to(&upgrade.extensions));
    AdmittedClient { http, upgrade, subprotocol, compression, early: Vec::new() }
}

/// How often a client whose upgrade is delayed is checked.
const ABANDONMENT_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Waits for this time; false if the client gave up meanwhile.
async fn waited<S: OpeningSocket>(stream: &S, time: Duration) -> bool {
    let end = Instant::now() + time;
    while Instant::now() < end {
        sleep_until(end.min(Instant::now() + ABANDONMENT_CHECK_INTERVAL)).await;
        if stream.is_abandoned() {
            return false;
        }
    }
    true
}

async fn read_request<S: OpeningSocket>(
    stream: &mut S,
    lenient: bool,
) -> Result<(AcceptedUpgrade, Vec<u8>), RejectedConnection> {
    let mut bytes = Vec::new();
    loop {
        if let Some((upgrade, length)) = handshake::read_head(&bytes, lenient)? {
            return Ok((upgrade, bytes.split_off(length)));
        }
        let count = stream.read_buf(&mut bytes).await;
        if !matches!(count, Ok(1..)) {
            return Err(RejectedConnection::ClosedEarly);
        }
    }
}

/// The two-ended mode if offered, else the client's first choice.
fn choose_subprotocol(offered: &[String]) -> Option<String> {
    let two_ended = offered.iter().find(|name| *name == TWO_ENDED);
    two_ended.or(offered.first()).cloned()
}

async fn apply_opening_faults<S: OpeningSocket>(
    stream: &mut S,
    faults: &OpeningFaults,
) -> Result<(), RejectedConnection> {
    ordered_refusal(faults).map_or(Ok(()), Err)?;
    if faults.endless_header {
        return Err(endless_header(stream).await);
    }
    Ok(())
}

/// The refusal that a fault orders.
pub fn ordered_refusal(faults: &OpeningFaults) -> Option<RejectedConnection> {
    let refused = faults.refuse.map(|status| RejectedConnection::OnOrder(status, None));
    let redirected = || faults.redirect.clone().map(|place| RejectedConnection::OnOrder(302, Some(place)));
    refused.or_else(redirected)
}

/// Sends header lines until the client closes.
async fn endless_header<S: OpeningSocket>(stream: &mut S) -> RejectedConnection {
    let mut lines = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    while stream.write_all(&lines).await.is_ok() {
        lines = format!("X-Endless: {}\r\n", "x".repeat(ENDLESS_HEADER_BYTES)).into_bytes();
    }
    RejectedConnection::OnOrder(101, None)
}

/// Sends the reason for a rejection and closes, within the time limit.
pub async fn reject<S: OpeningSocket>(stream: &mut S, why: &RejectedConnection, within: Duration) {
    let Some(answer) = why.response() else { return };
    let closing = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        // Closing with unread bytes would send an RST, which might overtake the answer.
        tokio::io::copy(&mut stream.take(MAX_DRAINED_BYTES), &mut tokio::io::sink()).await
    };
    // A client that does not read the answer does not need it.
    let _ = timeout(within, closing).await;
}
