//! Whether a connection that nothing was heard of is known at the other end, too. A path may have forgotten it, and lost
//! the server's goodbye: then it only looks kept.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::tap::TcpIntrospect;

/// How long the peer's system may take; it is asked every second.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(3500);
/// What came so lately is an answer: the system does not ask before so long a silence.
const RECENT_TRAFFIC: Duration = Duration::from_secs(1);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// Who is in a hurry waits for so long.
const HURRIED_TIMEOUT: Duration = Duration::from_millis(500);

/// What is known of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Liveness {
    /// Its system acknowledged a question, or sent something.
    Heard,
    /// It answered by the end of the connection, or that came meanwhile.
    Over,
    /// Nothing came.
    Unheard,
    /// This system cannot ask, or not tell.
    Untold,
    /// There was no time to wait for an answer.
    Unfinished,
}

/// Asks the peer's system, below TLS and the WebSocket. Of a connection that was silent for a second.
pub async fn ask(stream: &impl TcpIntrospect) -> Liveness {
    if stream.ask_peer().is_err() {
        return Liveness::Untold;
    }
    let began = Instant::now();
    loop {
        // An end that came with the acknowledgement, or before, is known to the runtime only when it has looked.
        sleep(POLL_INTERVAL).await;
        let proof = match stream.tcp() {
            _ if stream.is_over() => Some(Liveness::Over),
            None => Some(Liveness::Untold),
            Some(view) if view.last_ack.min(view.last_data) < RECENT_TRAFFIC + began.elapsed() => {
                Some(Liveness::Heard)
            }
            Some(_) => (began.elapsed() >= ANSWER_TIMEOUT).then_some(Liveness::Unheard),
        };
        if let Some(proof) = proof {
            return proof;
        }
    }
}

/// The same; once `hurry` is over, it is waited for no longer than what is at hand takes.
pub async fn ask_until(stream: &impl TcpIntrospect, hurry: &CancellationToken) -> Liveness {
    let is_over = async {
        hurry.cancelled().await;
        sleep(HURRIED_TIMEOUT).await;
    };
    tokio::select! {
        biased;
        proof = ask(stream) => proof,
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
    async fn a_peer_that_is_there_acknowledges_even_who_has_sent_a_fin() {
        let (near, _far) = connected().await;
        assert_eq!(ask(&near).await, Liveness::Heard);
        near.shut_write().unwrap();
        assert_eq!(ask(&near).await, Liveness::Heard);
    }

    #[tokio::test]
    async fn a_peer_that_is_gone_says_so() {
        let (near, far) = connected().await;
        drop(far);
        assert_eq!(ask(&near).await, Liveness::Over);
    }

    #[tokio::test]
    async fn a_unix_socket_cannot_be_asked() {
        let (near, _far) = tokio::net::UnixStream::pair().unwrap();
        assert_eq!(ask(&TransportSocket::Unix(near)).await, Liveness::Untold);
    }
}
