//! The opening of one connection: its request is read, and answered as told.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::faults::OpeningFaults;
use super::handshake::{self, TurnedAway, Upgrade};
use super::socket::Socket;
use super::two_ended::TWO_ENDED;

/// Of what a client sends on after it was turned away, so much is read.
const FAREWELL_BYTES: u64 = 64 * 1024;
/// An endless header is so long, and then stays open.
const ENDLESS: usize = 1024;

/// A client that was let in.
#[derive(Debug)]
pub struct Admitted {
    pub upgrade: Upgrade,
    pub subprotocol: Option<String>,
    /// What it sent after its request already.
    pub early: Vec<u8>,
}

/// Reads the request and answers it. `seat` takes the client's place among the most that are let in; it is
/// asked for only when the client is to be let in, for others may come while this one makes up its mind.
pub async fn open<S: Socket, T>(
    stream: &mut S,
    faults: &OpeningFaults,
    within: Duration,
    seat: impl FnOnce() -> Result<T, TurnedAway>,
) -> Result<(Admitted, T), TurnedAway> {
    let (upgrade, early) = match timeout(within, request(stream, faults.lenient)).await {
        Ok(result) => result?,
        Err(_) => return Err(TurnedAway::TooSlow(within)),
    };
    sleep(faults.slow).await;
    misbehave(stream, faults).await?;
    let seat = seat()?;
    let subprotocol = choose(&upgrade.subprotocols);
    let answer = handshake::accept(&upgrade, subprotocol.as_deref(), faults.wrong_accept);
    match stream.write_all(&answer).await {
        Ok(()) => Ok((Admitted { upgrade, subprotocol, early }, seat)),
        Err(_) => Err(TurnedAway::ClosedEarly),
    }
}

async fn request<S: Socket>(stream: &mut S, lenient: bool) -> Result<(Upgrade, Vec<u8>), TurnedAway> {
    let mut bytes = Vec::new();
    loop {
        if let Some((upgrade, length)) = handshake::read_head(&bytes, lenient)? {
            return Ok((upgrade, bytes.split_off(length)));
        }
        let count = stream.read_buf(&mut bytes).await;
        if !matches!(count, Ok(1..)) {
            return Err(TurnedAway::ClosedEarly);
        }
    }
}

/// The two-ended mode where it is offered, else what the client likes best.
fn choose(offered: &[String]) -> Option<String> {
    let two_ended = offered.iter().find(|name| *name == TWO_ENDED);
    two_ended.or(offered.first()).cloned()
}

async fn misbehave<S: Socket>(stream: &mut S, faults: &OpeningFaults) -> Result<(), TurnedAway> {
    if let Some(status) = faults.refuse {
        return Err(TurnedAway::OnOrder(status, None));
    }
    if let Some(place) = &faults.redirect {
        return Err(TurnedAway::OnOrder(302, Some(place.clone())));
    }
    if faults.endless_header {
        return Err(endless_header(stream).await);
    }
    Ok(())
}

/// Sends header lines until the client has had enough of them.
async fn endless_header<S: Socket>(stream: &mut S) -> TurnedAway {
    let mut lines = b"HTTP/1.1 101 Switching Protocols\r\n".to_vec();
    while stream.write_all(&lines).await.is_ok() {
        lines = format!("X-Endless: {}\r\n", "x".repeat(ENDLESS)).into_bytes();
    }
    TurnedAway::OnOrder(101, None)
}

/// Tells the client why it was turned away, and closes; it may take no longer than `within` to read it.
pub async fn turn_away<S: Socket>(stream: &mut S, why: &TurnedAway, within: Duration) {
    let Some(answer) = why.response() else { return };
    let farewell = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await?;
        // A close over unread bytes would be an RST, and might overtake the answer.
        tokio::io::copy(&mut stream.take(FAREWELL_BYTES), &mut tokio::io::sink()).await
    };
    // Whoever does not listen to the answer needs none.
    let _ = timeout(within, farewell).await;
}
