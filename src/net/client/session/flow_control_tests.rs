//! Heartbeats that the peer's flow control holds back: an in-memory stream and a paused clock.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::heartbeat_state::NextNumbers;
use super::plan::SessionPlan;
use super::tests::{ms, plan};
use super::{SessionSignals, SessionStart, run};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::heartbeat::HeartbeatOutcome;
use crate::domain::ping::event::{ConnEvent, HeartbeatResult};
use crate::domain::ping::health::Status;
use crate::domain::ping::held_back::HeldBack;
use crate::net::testing::windowed_stream::{WindowedSocket, windowed_socket};

/// The size of a heartbeat: a Ping with 16 bytes.
const HEARTBEAT: usize = 22;

/// Runs a session; returns its events.
fn session(socket: WindowedSocket, plan: SessionPlan) -> JoinHandle<Vec<ConnEvent>> {
    tokio::spawn(async move {
        let (over, start, mut events) = (CancellationToken::new(), Instant::now(), Vec::new());
        let place = SessionStart {
            nonce: 7,
            first_due: vec![start],
            first: vec![NextNumbers::default()],
            opened_at: start,
            status: Status::Unknown,
        };
        let signals = SessionSignals { over: &over, at_once: &over, ask_now: None };
        run(socket, &plan, place, |event| events.push(event), signals).await;
        events
    })
}

fn heartbeats(events: &[ConnEvent]) -> Vec<&HeartbeatResult> {
    let heartbeats = events.iter().filter_map(|event| match event {
        ConnEvent::Heartbeat(result) => Some(result),
        _ => None,
    });
    heartbeats.collect()
}

fn held_back(events: &[ConnEvent]) -> Option<HeldBack> {
    events.iter().find_map(|event| match event {
        ConnEvent::ServerTraffic(traffic) => traffic.held_back,
        _ => None,
    })
}

/// The second leaves in two parts; the third is due meanwhile.
#[tokio::test(start_paused = true)]
async fn wait_for_the_window_is_counted_apart_from_the_rtt() {
    let (socket, mut peer, grant) = windowed_socket(HEARTBEAT + 10).await;
    let (start, session) = (Instant::now(), session(socket, plan(3)));
    let first = peer.ping().await;
    peer.pong(&first).await;
    sleep_until(start + ms(2500)).await;
    grant.enlarge(1000);
    let second = peer.ping().await;
    sleep_until(start + ms(2540)).await;
    peer.pong(&second).await;
    let events = session.await.unwrap();
    let window = ExhaustedWindow::Stream;
    let expected = [
        (0, HeartbeatOutcome::Ok, Some(Duration::ZERO), None),
        (2, HeartbeatOutcome::Unsent, None, Some(window)),
        (1, HeartbeatOutcome::Ok, Some(ms(40)), None),
    ];
    let seen = heartbeats(&events);
    let seen: Vec<_> =
        seen.iter().map(|beat| (beat.seq, beat.outcome, beat.rtt, beat.exhausted_window)).collect();
    assert_eq!(seen, expected);
    assert_eq!(held_back(&events), Some(HeldBack { delayed: 1, longest: ms(1500), window }));
}

#[tokio::test(start_paused = true)]
async fn heartbeat_that_left_at_once_was_not_held_back() {
    let (socket, mut peer, _grant) = windowed_socket(1000).await;
    let session = session(socket, plan(2));
    for _ in 0..2 {
        let payload = peer.ping().await;
        peer.pong(&payload).await;
    }
    assert_eq!(held_back(&session.await.unwrap()), None);
}
