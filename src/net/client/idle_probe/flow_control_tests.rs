//! What the peer's flow control holds back shows nothing of the path or of the server.

use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until};

use super::keepalive::{KeepaliveResult, KeepaliveTraffic};
use super::tests::{TestProbe, USUAL, asked, keeping, ms};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::idle::ProbeEvent;
use crate::net::testing::raw_peer::PING;
use crate::net::testing::windowed_stream::windowed_socket;

/// The size of a question: a Ping with 16 bytes.
const QUESTION: usize = 22;
const HELD_BACK: ProbeEvent = ProbeEvent::HeldBack { window: ExhaustedWindow::Stream };
const KEPT_BACK: KeepaliveResult = KeepaliveResult::HeldBack { window: ExhaustedWindow::Stream };

#[tokio::test(start_paused = true)]
async fn unanswered_question_that_did_not_leave_is_no_death() {
    for room in [0, 10] {
        let (socket, peer, _grant) = windowed_socket(room).await;
        let scene = TestProbe::begin_on(socket, peer, USUAL);
        assert_eq!(scene.end().await, [asked(5000), (ms(7000), HELD_BACK)], "{room} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn question_that_left_late_counts_if_it_is_answered() {
    let (socket, peer, grant) = windowed_socket(10).await;
    let mut scene = TestProbe::begin_on(socket, peer, USUAL);
    scene.at(6000).await;
    grant.enlarge(QUESTION);
    let payload = scene.peer.ping().await;
    scene.at(6300).await;
    scene.peer.pong(&payload).await;
    let survived = ProbeEvent::Survived { idle: ms(5000), rtt: ms(300) };
    assert_eq!(scene.end().await, [asked(5000), (ms(6300), survived)]);
}

#[tokio::test(start_paused = true)]
async fn question_that_left_late_shows_nothing_if_it_is_not_answered() {
    let (socket, peer, grant) = windowed_socket(0).await;
    let scene = TestProbe::begin_on(socket, peer, USUAL);
    scene.at(6900).await;
    grant.enlarge(QUESTION);
    assert_eq!(scene.end().await, [asked(5000), (ms(7000), HELD_BACK)]);
}

#[tokio::test(start_paused = true)]
async fn end_while_the_question_is_held_back_is_no_cut_on_use() {
    let (socket, peer, _grant) = windowed_socket(0).await;
    let mut scene = TestProbe::begin_on(socket, peer, USUAL);
    scene.at(5500).await;
    scene.peer.io.shutdown().await.unwrap();
    assert_eq!(scene.end().await, [asked(5000), (ms(5500), HELD_BACK)]);
}

/// The library's Pongs do not leave: noticed with the second Ping.
#[tokio::test(start_paused = true)]
async fn answers_to_the_server_that_do_not_leave_show_nothing() {
    let (socket, peer, _grant) = windowed_socket(3).await;
    let mut scene = TestProbe::begin_on(socket, peer, USUAL);
    for second in 1..=2 {
        scene.at(second * 1000).await;
        scene.peer.send(PING, b"x").await;
    }
    let seen = scene.end().await;
    assert_eq!(seen.last(), Some(&(ms(4000), HELD_BACK)), "{seen:?}");
    let (socket, mut peer, _grant) = windowed_socket(3).await;
    let (start, control) = (Instant::now(), keeping(socket, KeepaliveTraffic::Nothing, None));
    for second in 1..=2 {
        sleep_until(start + ms(second * 1000)).await;
        peer.send(PING, b"x").await;
    }
    let (kept, _, took) = control.await.unwrap();
    assert_eq!((kept, took), (KEPT_BACK, ms(4000)));
}

#[tokio::test(start_paused = true)]
async fn control_whose_question_does_not_leave_is_not_unanswered() {
    let (socket, mut peer, _grant) = windowed_socket(2 * QUESTION + 10).await;
    let control = keeping(socket, KeepaliveTraffic::Questions, None);
    for _ in 0..2 {
        let payload = peer.ping().await;
        peer.pong(&payload).await;
    }
    let (kept, beats, took) = control.await.unwrap();
    assert_eq!((kept, took), (KEPT_BACK, ms(5000)));
    assert_eq!(beats, [ms(1000), ms(2000)]);
}

/// The answer to an earlier question says nothing of the one that is held back.
#[tokio::test(start_paused = true)]
async fn control_stays_asked_while_a_later_question_is_held_back() {
    let (socket, mut peer, _grant) = windowed_socket(QUESTION).await;
    let (start, control) = (Instant::now(), keeping(socket, KeepaliveTraffic::Questions, None));
    let payload = peer.ping().await;
    sleep_until(start + ms(2500)).await;
    peer.pong(&payload).await;
    let (kept, beats, took) = control.await.unwrap();
    assert_eq!((kept, beats, took), (KEPT_BACK, vec![ms(2500)], ms(4500)));
}

#[tokio::test(start_paused = true)]
async fn control_goes_on_once_the_window_opens() {
    let (socket, mut peer, grant) = windowed_socket(QUESTION).await;
    let start = Instant::now();
    let control = keeping(socket, KeepaliveTraffic::Questions, Some(5500));
    let payload = peer.ping().await;
    peer.pong(&payload).await;
    sleep_until(start + ms(3500)).await;
    grant.enlarge(10 * QUESTION);
    for _ in 0..4 {
        let payload = peer.ping().await;
        peer.pong(&payload).await;
    }
    let (kept, beats, _) = control.await.unwrap();
    assert_eq!(beats, [ms(1000), ms(3500), ms(4000), ms(5000)]);
    assert_eq!(kept, KeepaliveResult::Answered);
}

#[tokio::test(start_paused = true)]
async fn method_whose_traffic_does_not_leave_was_not_tried() {
    for traffic in [KeepaliveTraffic::Pongs, KeepaliveTraffic::Nothing] {
        let (socket, peer, _grant) = windowed_socket(10).await;
        let (kept, _, _) = keeping(socket, traffic, Some(60_000)).await.unwrap();
        assert_eq!(kept, KEPT_BACK, "{traffic:?}");
        drop(peer);
    }
}
