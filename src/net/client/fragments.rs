//! Sends a message in two fragments with a Ping frame between them (RFC 6455 section 5.4): an endpoint must answer control
//! frames in the middle of a fragmented message. Intermediaries and servers that collect fragments often do not.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::websocket::{SocketEvent, WebSocket};
use crate::domain::doctor::evidence::FragmentsOutcome;

/// The payload of the Ping frame.
const PAYLOAD: &[u8] = b"wscheck between fragments";

/// Sends `text` in two fragments and waits up to `wait` for the Pong to the Ping between them.
pub async fn ping_between_fragments<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    text: &str,
    wait: Duration,
) -> FragmentsOutcome {
    if let Some(why) = control(socket, text, wait).await {
        return FragmentsOutcome::NotTried(why);
    }
    let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(index, _)| index);
    let (first, rest) = text.split_at(middle);
    let part = |text: &str, code: Data, is_last: bool| {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        Message::Frame(Frame::message(bytes, OpCode::Data(code), is_last))
    };
    let frames = [
        part(first, Data::Text, false),
        Message::Ping(Bytes::from_static(PAYLOAD)),
        part(rest, Data::Continue, true),
    ];
    for frame in frames {
        if let Err(disconnect) = socket.send(frame) {
            return FragmentsOutcome::Ended(disconnect.to_string());
        }
    }
    await_pong(socket, wait).await
}

/// The same Ping and the same message, one after the other and in one frame each: why nothing follows from fragments.
async fn control<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    text: &str,
    wait: Duration,
) -> Option<&'static str> {
    for frame in [Message::text(text), Message::Ping(Bytes::from_static(PAYLOAD))] {
        if socket.send(frame).is_err() {
            return Some("the server ended the connection at the same message in one frame");
        }
    }
    match await_pong(socket, wait).await {
        FragmentsOutcome::Answered => None,
        FragmentsOutcome::Ended(_) => {
            Some("the server ended the connection at the same message in one frame")
        }
        FragmentsOutcome::PingUnanswered { .. } | FragmentsOutcome::NotTried(_) => {
            Some("the server answers no Ping frame after that message")
        }
    }
}

async fn await_pong<S: AsyncRead + AsyncWrite + Unpin>(
    socket: &mut WebSocket<S>,
    wait: Duration,
) -> FragmentsOutcome {
    let deadline = Instant::now() + wait;
    while let Ok(event) = timeout_at(deadline, socket.step()).await {
        match event {
            SocketEvent::Pong(payload) if payload == PAYLOAD => return FragmentsOutcome::Answered,
            SocketEvent::Ended(disconnect) => return FragmentsOutcome::Ended(disconnect.to_string()),
            _ => {}
        }
        // A flood keeps the socket always ready, so the timeout never fires by itself.
        if Instant::now() >= deadline {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    FragmentsOutcome::PingUnanswered { waited: wait }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing::raw_peer::{CLOSE, PING, RawPeer, TEXT};
    use crate::net::transport::tap::Tap;
    use crate::net::transport::upgraded_stream::UpgradedStream;
    use tokio::io::{DuplexStream, duplex};

    const WAIT: Duration = Duration::from_secs(3);

    async fn socket() -> (WebSocket<Tap<DuplexStream>>, RawPeer) {
        let (near, far) = duplex(64 * 1024);
        let tap = Tap::new(near);
        (WebSocket::new(UpgradedStream::of(tap), 65_536, 1024).await, RawPeer { io: far })
    }

    /// What comes of it with a peer that answers the control, and then acts so.
    async fn outcome<F: Future<Output = RawPeer>>(peer_acts: impl FnOnce(RawPeer) -> F) -> FragmentsOutcome {
        let (mut socket, mut peer) = socket().await;
        let acting = async {
            assert_eq!(peer.text().await, "hello");
            let payload = peer.ping().await;
            peer.pong(&payload).await;
            peer_acts(peer).await
        };
        tokio::join!(ping_between_fragments(&mut socket, "hello", WAIT), acting).0
    }

    #[tokio::test(start_paused = true)]
    async fn ping_between_two_fragments_is_answered() {
        let answered = outcome(async |mut peer| {
            assert_eq!(peer.frame().await, Some((TEXT, b"he".to_vec())));
            let payload = peer.ping().await;
            assert_eq!(peer.frame().await, Some((0, b"llo".to_vec())), "a continuation");
            peer.pong(&payload).await;
            peer
        });
        assert_eq!(answered.await, FragmentsOutcome::Answered);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_after_it_is_told_with_its_time() {
        let silent = outcome(async |peer| peer).await;
        assert_eq!(silent, FragmentsOutcome::PingUnanswered { waited: WAIT });
    }

    #[tokio::test(start_paused = true)]
    async fn end_after_it_is_told() {
        let ended = outcome(async |mut peer| {
            peer.send(CLOSE, &1002_u16.to_be_bytes()).await;
            peer
        });
        let FragmentsOutcome::Ended(how) = ended.await else { panic!("not ended") };
        assert!(how.contains("1002"), "{how}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_follows_where_the_whole_message_is_refused_too() {
        let (mut socket, mut peer) = socket().await;
        let acting = async {
            peer.text().await;
            peer.send(CLOSE, &1008_u16.to_be_bytes()).await;
            peer
        };
        let (refused, _peer) = tokio::join!(ping_between_fragments(&mut socket, "hello", WAIT), acting);
        assert!(matches!(refused, FragmentsOutcome::NotTried(_)), "{refused:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_follows_where_no_ping_is_answered() {
        let (mut socket, mut peer) = socket().await;
        let acting = async {
            assert_eq!(peer.text().await, "hello");
            assert_eq!(peer.frame().await.map(|frame| frame.0), Some(PING));
            peer
        };
        let (silent, _peer) = tokio::join!(ping_between_fragments(&mut socket, "hello", WAIT), acting);
        assert!(matches!(silent, FragmentsOutcome::NotTried(_)), "{silent:?}");
    }
}
