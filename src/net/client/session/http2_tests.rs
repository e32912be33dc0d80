//! PINGs of HTTP/2 as heartbeats, over real sockets.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::heartbeat_state::NextNumbers;
use super::plan::SessionPlan;
use super::tests::plan;
use super::{SessionSignals, SessionStart, run};
use crate::domain::connection::http2::HttpChoice;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::ConnEvent;
use crate::domain::ping::health::Status;
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial::{self, DialPlan};
use crate::net::testing::http2_peer::{END_STREAM, Http2Peer, PING};
use crate::net::testing::loopback_peer::peer;

/// A PING that stays without acknowledgement occupies the only place in flight.
#[tokio::test]
async fn pings_that_cannot_follow_a_missed_one_are_unsent() {
    let peer = peer(async |stream| {
        let (mut peer, _) = Http2Peer::accept(stream).await;
        let ping = peer.until(PING).await.unwrap();
        peer.send(PING, END_STREAM, 0, &ping.payload).await;
        peer.drain().await;
    })
    .await;
    let dial_plan = DialPlan { http: HttpChoice::Http2, ..DialPlan::default() };
    let open = dial::open(&dial_plan, &peer.target()).await.unwrap();
    let socket = WebSocket::new(open.upgraded, 65_536, 65_536).await;
    let (over, start) = (CancellationToken::new(), Instant::now());
    let plan = SessionPlan {
        kinds: vec![HeartbeatKind::Http2],
        interval: Some(Duration::from_millis(20)),
        timeout: Duration::from_millis(50),
        ..plan(12)
    };
    let place = SessionStart {
        nonce: 1,
        first_due: vec![start],
        first: vec![NextNumbers::default()],
        opened_at: start,
        status: Status::Unknown,
    };
    let mut outcomes = Vec::new();
    let emit = |event| {
        if let ConnEvent::Heartbeat(beat) = event {
            outcomes.push(beat.outcome);
        }
    };
    let signals = SessionSignals { over: &over, at_once: &over, ask_now: None };
    run(socket, &plan, place, Box::new(emit), signals).await;
    let of = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((of(HeartbeatOutcome::Ok), of(HeartbeatOutcome::Missed)), (1, 1), "{outcomes:?}");
    assert!(of(HeartbeatOutcome::Unsent) >= 1, "{outcomes:?}");
}
