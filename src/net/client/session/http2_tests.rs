//! What a session sees of HTTP/2: PINGs, GOAWAY, and a window of the WebSocket that opens late. Over real sockets.

use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::heartbeat_state::NextNumbers;
use super::plan::SessionPlan;
use super::tests::plan;
use super::{SessionSignals, SessionStart, run};
use crate::domain::connection::goaway::GoawayNotice;
use crate::domain::connection::http2::{ExhaustedWindow, HttpChoice};
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::ConnEvent;
use crate::domain::ping::health::Status;
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial::{self, DialPlan};
use crate::net::testing::http2_peer::{
    ALLOWED, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, Http2Peer, PING, STATUS_200, WINDOW_UPDATE,
};
use crate::net::testing::loopback_peer::{LoopbackPeer, peer};

/// Runs a session with this peer.
async fn run_session<T>(peer: &LoopbackPeer<T>, plan: &SessionPlan, emit: impl FnMut(ConnEvent) + Send) {
    let dial_plan = DialPlan { http: HttpChoice::Http2, ..DialPlan::default() };
    let open = dial::open(&dial_plan, &peer.target()).await.unwrap();
    let socket = WebSocket::new(open.upgraded, 65_536, 65_536).await;
    let (over, start) = (CancellationToken::new(), Instant::now());
    let place = SessionStart {
        nonce: 1,
        first_due: vec![start],
        first: vec![NextNumbers::default()],
        opened_at: start,
        status: Status::Unknown,
    };
    let signals = SessionSignals { over: &over, at_once: &over, ask_now: None };
    run(socket, plan, place, emit, signals).await;
}

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
    let plan = SessionPlan {
        kinds: vec![HeartbeatKind::Http2],
        interval: Some(Duration::from_millis(20)),
        timeout: Duration::from_millis(50),
        ..plan(12)
    };
    let mut outcomes = Vec::new();
    let emit = |event| {
        if let ConnEvent::Heartbeat(beat) = event {
            outcomes.push(beat.outcome);
        }
    };
    run_session(&peer, &plan, emit).await;
    let of = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    assert_eq!((of(HeartbeatOutcome::Ok), of(HeartbeatOutcome::Missed)), (1, 1), "{outcomes:?}");
    assert!(of(HeartbeatOutcome::Unsent) >= 1, "{outcomes:?}");
}

/// A GOAWAY that only announces the end, after which all heartbeats are answered.
#[tokio::test]
async fn announced_end_is_an_event_of_a_connection_that_goes_on() {
    let peer = peer(async |stream| {
        let (mut peer, stream) = Http2Peer::accept(stream).await;
        peer.send(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0, b'b', b'y', b'e']).await;
        peer.answer_pings(stream).await;
    })
    .await;
    let mut events = Vec::new();
    run_session(&peer, &SessionPlan { interval: None, ..plan(3) }, |event| events.push(event)).await;
    let notices: Vec<&GoawayNotice> = events
        .iter()
        .filter_map(|event| if let ConnEvent::Goaway(notice) = event { Some(&**notice) } else { None })
        .collect();
    let [GoawayNotice { goaway, .. }] = notices[..] else { panic!("{events:?}") };
    assert_eq!(goaway.to_string(), "GOAWAY NO_ERROR \"bye\", last stream 1");
    let ok = |event: &&ConnEvent| matches!(event, ConnEvent::Heartbeat(beat) if beat.outcome.is_answered());
    assert_eq!(events.iter().filter(ok).count(), 3, "{events:?}");
}

/// A Pong of the server that answers a client's Ping of 16 bytes.
fn pong_to(ping: &[u8]) -> Vec<u8> {
    let (mask, payload) = ping[2..].split_at(4);
    let payload = payload.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [0x8a, 16].into_iter().chain(payload).collect()
}

/// The window lets 10 bytes of the only Ping leave, and the rest once these have come.
#[tokio::test]
async fn heartbeat_whose_window_opens_late_was_held_back() {
    let peer = peer(async |stream| {
        let settings = [ALLOWED, &[0, 4, 0, 0, 0, 10]].concat();
        let mut peer = Http2Peer::begin(stream, &settings).await;
        let stream = peer.until(HEADERS).await.unwrap().stream;
        peer.send(HEADERS, END_HEADERS, stream, STATUS_200).await;
        let mut ping = peer.until(DATA).await.unwrap().payload;
        assert_eq!(ping.len(), 10);
        peer.send(WINDOW_UPDATE, 0, stream, &[0, 0, 16, 0]).await;
        ping.extend(peer.until(DATA).await.unwrap().payload);
        peer.send(DATA, 0, stream, &pong_to(&ping)).await;
        peer.drain().await;
    })
    .await;
    let mut held_back = None;
    let mut answered = 0;
    let emit = |event| match event {
        ConnEvent::Heartbeat(beat) => answered += u64::from(beat.outcome == HeartbeatOutcome::Ok),
        ConnEvent::ServerTraffic(traffic) => held_back = traffic.held_back,
        _ => {}
    };
    run_session(&peer, &plan(1), emit).await;
    let held_back = held_back.unwrap();
    assert_eq!((answered, held_back.delayed, held_back.window), (1, 1, ExhaustedWindow::Stream));
}
