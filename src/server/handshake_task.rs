//! The opening of one connection: its request is read, and answered as told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::faults::OpeningFaults;
use super::handshake::{self, AcceptedUpgrade, RejectedConnection};
use super::socket::ClientSocket;
use super::two_ended::TWO_ENDED;

/// Of what a client sends on after it was turned away, so much is read.
const MAX_DRAINED_BYTES: u64 = 64 * 1024;
/// An endless header is so long, and then stays open.
const ENDLESS_HEADER_BYTES: usize = 1024;

/// A client that was let in.
#[derive(Debug)]
pub struct AdmittedClient {
    pub upgrade: AcceptedUpgrade,
    pub subprotocol: Option<String>,
    /// What it sent after its request already.
    pub early: Vec<u8>,
}

/// Reads the request and answers it. `seat` takes the client's place among the most that are let in; it is
/// asked for only when the client is to be let in, for others may come while this one makes up its mind.
pub async fn open<S: ClientSocket, T>(
    stream: &mut S,
    faults: &OpeningFaults,
    within: Duration,
    seat: impl FnOnce() -> Result<T, RejectedConnection>,
) -> Result<(AdmittedClient, T), RejectedConnection> {
    let (upgrade, early) = match timeout(within, request(stream, faults.lenient)).await {
        Ok(result) => result?,
        Err(_) => return Err(RejectedConnection::TooSlow(within)),
    };
    sleep(faults.slow).await;
    misbehave(stream, faults).await?;
    let seat = seat()?;
    let subprotocol = choose(&upgrade.subprotocols);
    let answer = handshake::accept(&upgrade, subprotocol.as_deref(), faults.wrong_accept);
    match stream.write_all(&answer).await {
        Ok(()) => Ok((AdmittedClient { upgrade, subprotocol, early }, seat)),
        Err(_) => Err(RejectedConnection::ClosedEarly),
    }
}

async fn request<S: ClientSocket>(
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

/// The two-ended mode where it is offered, else what the client likes best.
fn choose(offered: &[String]) -> Option<String> {
    let two_ended = offered.iter().find(|name| *name == TWO_ENDED);
    two_ended.or(offered.first()).cloned()
}

async fn misbehave<S: ClientSocket>(
    stream: &mut S,
    faults: &OpeningFaults,
) -> Result<(), RejectedConnection> {
    if let Some(status) = faults.refuse {
        return Err(RejectedConnection::OnOrder(status, None));
    }
    if let Some(place) = &faults.redirect {
        return Err(RejectedConnection::OnOrder(302, Some(place.clone())));
    }
    if faults.endless_header {
        return Err(endless_header(stream).await);
    }
    Ok(())
}

/// Sends header lines until the client has had enough of them.
async fn endless_header<S: ClientSocket>(stream: &mut S) -> RejectedConnection {
    let mut lines = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    while stream.write_all(&lines).await.is_ok() {
        lines = format!("X-Endless: {}\r\n", "x".repeat(ENDLESS_HEADER_BYTES)).into_bytes();
    }
    RejectedConnection::OnOrder(101, None)
}

/// Tells the client why it was turned away, and closes; it may take no longer than `within` to read it.
pub async fn turn_away<S: ClientSocket>(stream: &mut S, why: &RejectedConnection, within: Duration) {
    let Some(answer) = why.response() else { return };
    let farewell = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        // A close over unread bytes would be an RST, and might overtake the answer.
        tokio::io::copy(&mut stream.take(MAX_DRAINED_BYTES), &mut tokio::io::sink()).await
    };
    // Whoever does not listen to the answer needs none.
    let _ = timeout(within, farewell).await;
}
