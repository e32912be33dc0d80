//! Extra heartbeats on the wire, exactly: when they leave, how they are numbered, and what they leave alone.

use std::time::Duration;

use super::heartbeat_state::NextNumbers;
use super::tests::{FinishedSession, TestSession, ms, plan};
use crate::domain::heartbeat::HeartbeatOutcome;
use crate::domain::ping::event::ConnEvent;
use crate::net::client::session::plan::SessionPlan;

/// One heartbeat in 10 s, and one a second while the status is worse than healthy.
fn quickened(count: u64) -> SessionPlan {
    SessionPlan {
        interval: Some(ms(10_000)),
        timeout: ms(2_000),
        degraded_interval: Some(ms(1_000)),
        ..plan(count)
    }
}

/// Number and outcome of every extra heartbeat that was reported.
fn extras(ended: &FinishedSession) -> Vec<(u64, HeartbeatOutcome)> {
    let extra = |(_, event): &(Duration, ConnEvent)| match event {
        ConnEvent::ExtraHeartbeat(beat) => Some((beat.seq, beat.outcome)),
        _ => None,
    };
    ended.events.iter().filter_map(extra).collect()
}

/// Receives this number of pings and answers those at the given positions; returns when each came, in ms.
async fn answer(scene: &mut TestSession, pings: usize, answered: &[usize]) -> Vec<u128> {
    let mut came = Vec::new();
    for place in 0..pings {
        let payload = scene.peer.ping().await;
        came.push(scene.start.elapsed().as_millis());
        if answered.contains(&place) {
            scene.peer.pong(&payload).await;
        }
    }
    came
}

#[tokio::test(start_paused = true)]
async fn missed_heartbeat_is_followed_at_once_until_one_is_answered() {
    let mut scene = TestSession::begin(quickened(3)).await;
    let came = answer(&mut scene, 5, &[0, 3, 4]).await;
    assert_eq!(came, [0, 10_000, 12_000, 13_000, 20_000], "the schedule stays as it was");
    let ended = scene.end().await;
    let (ok, missed) = (HeartbeatOutcome::Ok, HeartbeatOutcome::Missed);
    let of_schedule: Vec<_> = ended.outcomes().iter().map(|(seq, outcome, _)| (*seq, *outcome)).collect();
    assert_eq!(of_schedule, [(0, ok), (1, missed), (2, ok)]);
    assert_eq!(extras(&ended), [(0, missed), (1, ok)]);
    assert_eq!(ended.closed.next, [NextNumbers { seq: 3, extra: 2 }]);
}

#[tokio::test(start_paused = true)]
async fn healthy_connection_is_asked_by_its_schedule_alone() {
    let mut scene = TestSession::begin(quickened(3)).await;
    assert_eq!(answer(&mut scene, 3, &[0, 1, 2]).await, [0, 10_000, 20_000]);
    assert_eq!(extras(&scene.end().await), []);
}

#[tokio::test(start_paused = true)]
async fn request_is_met_at_once() {
    let mut scene = TestSession::begin(quickened(2)).await;
    answer(&mut scene, 1, &[0]).await;
    scene.at(4_000).await;
    scene.ask_now.ask();
    assert_eq!(answer(&mut scene, 2, &[0, 1]).await, [4_000, 10_000]);
    let ended = scene.end().await;
    assert_eq!(extras(&ended), [(0, HeartbeatOutcome::Ok)]);
    assert_eq!(ended.outcomes().len(), 2);
}

/// Without extra heartbeats in the plan, a request changes nothing.
#[tokio::test(start_paused = true)]
async fn request_without_extra_heartbeats_has_no_effect() {
    let mut scene = TestSession::begin(SessionPlan { degraded_interval: None, ..quickened(2) }).await;
    answer(&mut scene, 1, &[0]).await;
    scene.at(4_000).await;
    scene.ask_now.ask();
    assert_eq!(answer(&mut scene, 1, &[0]).await, [10_000]);
    assert_eq!(extras(&scene.end().await), []);
}

/// In flight at the end: only the heartbeats of the schedule are counted as unjudged.
#[tokio::test(start_paused = true)]
async fn extra_heartbeat_in_flight_at_the_end_is_counted_nowhere() {
    let mut scene = TestSession::begin(quickened(100)).await;
    answer(&mut scene, 1, &[0]).await;
    scene.ask_now.ask();
    answer(&mut scene, 1, &[]).await;
    scene.stop_now();
    let ended = scene.end().await;
    let unjudged = |event: &ConnEvent| matches!(event, ConnEvent::Unjudged { .. });
    assert!(!ended.events.iter().any(|(_, event)| unjudged(event)), "{:?}", ended.events);
}
