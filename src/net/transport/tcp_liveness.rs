//! Checks by TCP keepalive whether the peer's kernel still has a silent connection. A path may have dropped it and lost
//! the server's close, so that it only looks alive.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::tap::TcpIntrospect;

/// Time limit for the peer's kernel to answer; it is asked every second.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(3500);
/// Traffic this recent counts as an answer: the kernel sends no probe before this idle time.
const RECENT_TRAFFIC: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Shorter time limit once the caller is in a hurry.
const HURRIED_TIMEOUT: Duration = Duration::from_millis(500);

/// What is known about the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Its kernel acknowledged a probe, or sent data.
    Replied,
    /// The connection ended, in answer to a probe or meanwhile.
    Over,
    /// Nothing came.
    Unheard,
    /// The local system cannot probe, or does not show the answer.
    Unknown,
    /// The check was cut short.
    Unfinished,
}

/// Asks the peer's kernel, below TLS and the WebSocket. The connection must have been silent for a second.
pub async fn check(stream: &impl TcpIntrospect) -> Liveness {
    if stream.ask_peer().is_err() {
        return Liveness::Unknown;
    }
    let began = Instant::now();
    loop {
        // The runtime learns of an end only when it polls.
        sleep(POLL_INTERVAL).await;
        let proof = match stream.tcp() {
            _ if stream.is_over() => Some(Liveness::Over),
            None => Some(Liveness::Unknown),
            Some(view) if view.last_ack.min(view.last_data) < RECENT_TRAFFIC + began.elapsed() => {
                Some(Liveness::Replied)
            }
            Some(_) => (began.elapsed() >= ANSWER_TIMEOUT).then_some(Liveness::Unheard),
        };
        if let Some(proof) = proof {
            return proof;
        }
    }
}

/// Like [`check`], but stops soon after `hurry` is cancelled.
pub async fn check_until(stream: &impl TcpIntrospect, hurry: &CancellationToken) -> Liveness {
    let is_over = async {
        hurry.cancelled().await;
        sleep(HURRIED_TIMEOUT).await;
    };
    tokio::select! {
        biased;
        proof = check(stream) => proof,
        () = is_over => Liveness::Unfinished,
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::net::transport::socket::{SocketOptions, TransportSocket};

    async fn connected() -> (TransportSocket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let near = TransportSocket::tcp(address, SocketOptions::default()).await.unwrap();
        (near, listener.accept().await.unwrap().0)
    }

    #[tokio::test]
    async fn live_peer_acknowledges_even_after_our_fin() {
        let (near, _far) = connected().await;
        assert_eq!(check(&near).await, Liveness::Replied);
        near.shut_write().unwrap();
        assert_eq!(check(&near).await, Liveness::Replied);
    }

    #[tokio::test]
    async fn lost_peer_is_detected() {
        let (near, far) = connected().await;
        drop(far);
        assert_eq!(check(&near).await, Liveness::Over);
    }

    #[tokio::test]
    async fn unix_socket_cannot_be_checked() {
        let (near, _far) = tokio::net::UnixStream::pair().unwrap();
        assert_eq!(check(&TransportSocket::Unix(near)).await, Liveness::Unknown);
    }
}
