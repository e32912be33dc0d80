//! Exact timing of listening: an in-memory stream and a paused clock.

use crate::domain::run::reporter::Reporter;
use crate::domain::run::run_result::RunResult;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, duplex};
use tokio::time::{Instant, advance, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::judge;
use super::listener::{Listener, ListenerResult};
use super::plan::ListenPlan;
use super::recorder::ListenRecorder;
use crate::commands::connect::ConnectPlan;
use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;
use crate::domain::listen::report::{ListenEvent, ListenInfo};
use crate::domain::listen::{
    FirstHeartbeat, IntervalOrigin, ListenFinding, ListenVerdict, ServerEventKind, TrafficEffect,
    UnansweredPolicy,
};
use crate::net::client::preamble::{Preamble, PreambleEvent, run_preamble_with_listener};
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial::DialPlan;
use crate::net::testing::raw_peer::{CLOSE, PING, RawPeer, TEXT, frame};
use crate::net::testing::windowed_stream::windowed_socket;
use crate::net::transport::tap::{Tap, TcpIntrospect};
use crate::net::transport::upgraded_stream::UpgradedStream;

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn plan(listen_for: u64, count: Option<u64>, stimulus: bool) -> ListenPlan {
    ListenPlan {
        info: ListenInfo {
            url: String::new(),
            listen_for: ms(listen_for),
            count,
            answer: true,
            talk: stimulus,
            preset: None,
        },
        connect: ConnectPlan {
            target: "ws://a.example/".parse().unwrap(),
            dial: DialPlan::default(),
            preamble: Preamble::default(),
            max_message_size: 65_536,
        },
        stimulus: stimulus.then(Template::default),
        known_pings: KnownPings::default(),
        alive: None,
        pong: Pattern::default(),
    }
}

/// Records when the client sent messages.
#[derive(Default)]
struct Talks(Vec<Duration>);

impl Reporter<ListenEvent> for Talks {
    fn report(&mut self, event: &ListenEvent) {
        if let ListenEvent::StimulusSent { age, .. } = event {
            self.0.push(*age);
        }
    }
}

/// Listens to a scripted server after the preamble; returns the result and when the client sent messages.
async fn listen_to<F, Fut>(plan: ListenPlan, script: F) -> (ListenerResult, Vec<Duration>)
where
    F: FnOnce(RawPeer, Instant) -> Fut,
    Fut: Future<Output = RawPeer> + Send + 'static,
{
    let (near, far) = duplex(64 * 1024);
    let tap = Tap::new(near);
    let socket = WebSocket::new(UpgradedStream::of(tap), 65_536, 1024).await;
    listen_on(socket, RawPeer { io: far }, plan, script).await
}

/// Like [`listen_to`], over this stream.
async fn listen_on<S, F, Fut>(
    mut socket: WebSocket<S>,
    peer: RawPeer,
    plan: ListenPlan,
    script: F,
) -> (ListenerResult, Vec<Duration>)
where
    S: AsyncRead + AsyncWrite + TcpIntrospect + Unpin,
    F: FnOnce(RawPeer, Instant) -> Fut,
    Fut: Future<Output = RawPeer> + Send + 'static,
{
    let start = Instant::now();
    let peer = tokio::spawn(script(peer, start));
    let mut recorder = ListenRecorder::new(start, plan.known_pings.clone());
    let mut record = |event: PreambleEvent<'_>| recorder.record_preamble(event);
    run_preamble_with_listener(
        &mut socket,
        &plan.connect.preamble,
        &plan.connect.target,
        &|_| {},
        &mut record,
    )
    .await
    .unwrap();
    let mut sent_by_client = Talks::default();
    let never = CancellationToken::new();
    let result = Listener::new(&plan, &mut socket, recorder, &mut sent_by_client).listen(&never).await;
    drop(socket);
    peer.abort();
    (result, sent_by_client.0)
}

/// Sends Pings at these times, then stays open.
async fn pinging(mut peer: RawPeer, start: Instant, moments: Vec<u64>) -> RawPeer {
    for moment in moments {
        sleep_until(start + ms(moment)).await;
        peer.send(PING, b"x").await;
    }
    sleep(ms(3_600_000)).await;
    peer
}

/// A Pong with 1 byte takes 7.
#[tokio::test(start_paused = true)]
async fn answers_that_flow_control_holds_back_are_none() {
    let (socket, peer, _grant) = windowed_socket(7 + 3).await;
    let moments = vec![10_000, 20_000, 30_000, 40_000];
    let script = |peer, start| pinging(peer, start, moments);
    let (result, _) = listen_on(socket, peer, plan(45_000, None, false), script).await;
    let findings = result.findings;
    assert_eq!(findings.verdict, ListenVerdict::ServerPingsEvery);
    assert_eq!(findings.unanswered, Some(UnansweredPolicy::GoesOn { after: 3 }));
    let held_back = ListenFinding::HeldBackByFlowControl { window: ExhaustedWindow::Stream };
    assert_eq!(findings.reasons, [held_back]);
}

#[tokio::test(start_paused = true)]
async fn interval_is_that_of_the_server_clock() {
    let moments = vec![11_000, 41_000, 71_000, 101_000];
    let (result, _) =
        listen_to(plan(120_000, None, false), |peer, start| pinging(peer, start, moments)).await;
    let findings = result.findings;
    assert_eq!((findings.verdict, findings.listened), (ListenVerdict::ServerPingsEvery, ms(120_000)));
    let interval = findings.interval().unwrap();
    assert_eq!((interval.median, interval.spread(), interval.gaps), (ms(30_000), ms(0), 3));
    assert_eq!(findings.kinds[0].early, Some(FirstHeartbeat::Early));
}

#[tokio::test(start_paused = true)]
async fn requested_number_of_heartbeats_ends_the_run() {
    let moments = vec![1000, 2000, 3000, 4000, 5000];
    let (result, _) =
        listen_to(plan(60_000, Some(3), false), |peer, start| pinging(peer, start, moments)).await;
    assert_eq!((result.findings.listened, result.findings.kinds[0].count), (ms(3000), 3));
}

#[tokio::test(start_paused = true)]
async fn stimuli_are_sent_in_every_other_gap() {
    let moments = (1..=9).map(|n| n * 10_000).collect();
    let (result, sent_by_client) =
        listen_to(plan(95_000, None, true), |peer, start| pinging(peer, start, moments)).await;
    // The second gap, one interval after the opening, confirms the interval.
    assert_eq!(sent_by_client, [23_000, 47_000, 63_000, 87_000].map(ms));
    assert_eq!(result.findings.origin, Some(IntervalOrigin::FixedClock));
    assert_eq!(
        result.findings.kinds[0].by_client.map(|effects| effects.effect),
        Some(TrafficEffect::Unmoved)
    );
}

/// Sends a Ping ten seconds after the last ping or message, like a timer that traffic resets.
async fn counting_from_traffic(mut peer: RawPeer, _: Instant) -> RawPeer {
    let mut due = Instant::now() + ms(10_000);
    loop {
        tokio::select! {
            frame = peer.frame() => match frame {
                Some((TEXT, _)) => due = Instant::now() + ms(10_000),
                Some(_) => {}
                None => return peer,
            },
            () = sleep_until(due) => {
                peer.send(PING, b"x").await;
                due += ms(10_000);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn server_timer_reset_by_traffic_is_detected() {
    let (result, sent_by_client) = listen_to(plan(120_000, None, true), counting_from_traffic).await;
    assert_eq!(sent_by_client[..2], [23_000, 50_000].map(ms));
    assert_eq!(result.findings.origin, Some(IntervalOrigin::LastTraffic));
    assert_eq!(result.findings.interval().unwrap().median, ms(10_000));
}

/// Sends a message at these times, and a Ping ten seconds after the last one sent or, if `listens`, received.
async fn counting_from_its_own(mut peer: RawPeer, start: Instant, says: Vec<u64>, listens: bool) -> RawPeer {
    let mut due = start + ms(10_000);
    let mut says = says.into_iter().map(|moment| start + ms(moment)).peekable();
    loop {
        let next = says.peek().copied().filter(|says| *says < due);
        tokio::select! {
            frame = peer.frame() => match frame {
                Some((TEXT, _)) if listens => due = Instant::now() + ms(10_000),
                Some(_) => {}
                None => return peer,
            },
            () = sleep_until(next.unwrap_or(due)) => {
                peer.send(if next.is_some() { TEXT } else { PING }, b"x").await;
                due = next.and_then(|_| says.next()).unwrap_or(due) + ms(10_000);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn server_timer_reset_by_own_messages_is_detected() {
    let says = vec![13_000, 25_000, 41_000, 48_000, 85_000, 104_500];
    for (listens, effect) in [(false, TrafficEffect::Unmoved), (true, TrafficEffect::Postponed)] {
        let script = |peer, start| counting_from_its_own(peer, start, says.clone(), listens);
        let (result, sent_by_client) = listen_to(plan(240_000, None, true), script).await;
        let kind = result.findings.heartbeat().unwrap();
        assert!(sent_by_client.len() > 3 && kind.since_traffic.is_some(), "{sent_by_client:?} {kind:?}");
        assert_eq!(kind.by_client.map(|effects| effects.effect), Some(effect));
        assert_eq!(result.findings.interval().map(|interval| interval.median), Some(ms(10_000)));
    }
}

/// Sends a Ping every second; this host stalls from 3.5 s to 8.5 s.
async fn pinging_on(mut peer: RawPeer, start: Instant) -> RawPeer {
    for second in 1..=3 {
        sleep_until(start + ms(second * 1000)).await;
        peer.send(PING, b"x").await;
    }
    sleep_until(start + ms(3500)).await;
    advance(ms(5000)).await;
    for _ in 4..=8 {
        peer.send(PING, b"x").await;
    }
    for second in 9..=14 {
        sleep_until(start + ms(second * 1000)).await;
        peer.send(PING, b"x").await;
    }
    peer
}

#[tokio::test(start_paused = true)]
async fn events_during_a_stall_give_no_interval() {
    let (result, _) = listen_to(plan(15_000, None, false), pinging_on).await;
    let (findings, stood_still) = (&result.findings, result.conditions.stood_still);
    assert!(stood_still > Some(ms(4700)) && stood_still < Some(ms(5000)), "{stood_still:?}");
    let interval = findings.interval().map(|interval| (interval.min, interval.max, interval.gaps));
    assert_eq!(interval, Some((ms(1000), ms(1000), 7)), "two before, five after");
    assert_eq!((findings.kinds[0].count, findings.longest_quiet), (14, ms(1000)));
    assert_eq!(
        findings.reasons.first(),
        stood_still.map(|span| ListenFinding::HostStalled { span }).as_ref()
    );
}

#[tokio::test(start_paused = true)]
async fn server_reaping_a_stalled_host_does_not_fail() {
    let (result, _) = listen_to(plan(60_000, None, false), |mut peer, start| async move {
        sleep_until(start + ms(1500)).await;
        advance(ms(20_000)).await;
        peer.send(CLOSE, &[0x0f, 0xa0]).await;
        sleep(ms(3_600_000)).await;
        peer
    })
    .await;
    assert!(result.ending.is_some());
    assert_eq!(judge(&result), RunResult::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn early_end_is_reported_with_its_age() {
    let (result, _) = listen_to(plan(60_000, None, false), |mut peer, _| async move {
        peer.send(PING, b"x").await;
        sleep(ms(1500)).await;
        drop(peer);
        let (end, _) = duplex(1);
        RawPeer { io: end }
    })
    .await;
    let ending = result.ending.unwrap();
    assert_eq!((&ending.how, ending.age, ending.idle), (&CloseKind::Fin, ms(1500), ms(1500)));
    assert_eq!(result.findings.verdict, ListenVerdict::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn unanswering_client_sees_the_servers_reaction() {
    let ends = |how: fn() -> Vec<u8>| {
        let mut plan = plan(60_000, None, false);
        plan.info.answer = false;
        listen_to(plan, move |mut peer, _| async move {
            peer.send(PING, b"x").await;
            sleep(ms(1500)).await;
            peer.raw(&how()).await;
            peer
        })
    };
    let verdict = judge;
    let (closed, _) = ends(|| frame(CLOSE, &[0x0f, 0xa0])).await;
    assert_eq!(closed.findings.unanswered, Some(UnansweredPolicy::Ends { after: 1 }));
    assert_eq!(verdict(&closed), RunResult::Inconclusive, "one Ping gives no interval");
    let (broken, _) = ends(|| vec![0xf1, 0]).await;
    assert_eq!(broken.findings.unanswered, None, "we gave it up: {:?}", broken.ending);
    assert_eq!(verdict(&broken), RunResult::Failed);
}

/// A plan that waits for a welcome message.
fn greeted_plan(listen_for: u64, count: Option<u64>) -> ListenPlan {
    let preamble = Preamble {
        send: vec!["join".parse().unwrap()],
        awaited: Some(r#"{"type":"welcome"}"#.parse().unwrap()),
        timeout: ms(60_000),
        answer_pings: true,
        ..Preamble::default()
    };
    let mut plan = plan(listen_for, count, false);
    plan.connect.preamble = preamble;
    plan
}

/// Sends these messages at these times, then stays open.
fn sending(messages: Vec<(u64, u8, &'static [u8])>) -> impl FnOnce(RawPeer, Instant) -> Boxed {
    |mut peer, start| {
        Box::pin(async move {
            for (moment, opcode, payload) in messages {
                sleep_until(start + ms(moment)).await;
                peer.send(opcode, payload).await;
            }
            sleep(ms(3_600_000)).await;
            peer
        })
    }
}

type Boxed = std::pin::Pin<Box<dyn Future<Output = RawPeer> + Send>>;

const WELCOME: &[u8] = br#"{"type":"welcome"}"#;

#[tokio::test(start_paused = true)]
async fn events_during_the_preamble_are_timed() {
    let messages =
        vec![(10_000, PING, &b"x"[..]), (20_000, PING, b"x"), (25_000, TEXT, WELCOME), (30_000, PING, b"x")];
    let (result, _) = listen_to(greeted_plan(10_000, None), sending(messages)).await;
    let findings = result.findings;
    assert_eq!((findings.verdict, findings.listened), (ListenVerdict::ServerPingsEvery, ms(35_000)));
    let kind = findings.heartbeat().unwrap();
    assert_eq!((kind.count, kind.first, kind.early), (3, Some(ms(10_000)), Some(FirstHeartbeat::OnTime)));
    assert_eq!(findings.kinds.len(), 1, "the welcome answers us: {:?}", findings.kinds);
    assert_eq!(findings.longest_quiet, ms(10_000));
}

#[tokio::test(start_paused = true)]
async fn heartbeat_during_preamble_is_no_silence() {
    let app: &[u8] = br#"{"type":"ping"}"#;
    let keep_alive: &[u8] = br#"{"type":"ka"}"#;
    for (opcode, payload, event_kind) in [
        (PING, app, ServerEventKind::Ping),
        (TEXT, app, ServerEventKind::AppPing),
        (TEXT, keep_alive, ServerEventKind::KeepAlive),
    ] {
        let messages = vec![(500, opcode, payload), (1000, TEXT, WELCOME)];
        let (result, _) = listen_to(greeted_plan(30_000, None), sending(messages)).await;
        assert_eq!(result.findings.verdict, ListenVerdict::Inconclusive);
        assert_eq!(result.findings.heartbeat.map(|kind| kind.event_kind), Some(event_kind));
    }
}

#[tokio::test(start_paused = true)]
async fn protocol_seen_in_the_preamble_is_kept() {
    let mut plan = greeted_plan(60_000, Some(4));
    plan.connect.preamble.awaited = Some("40".parse().unwrap());
    let messages = vec![
        (100, TEXT, &br#"0{"sid":"x","pingInterval":2000}"#[..]),
        (200, TEXT, b"40"),
        (2100, TEXT, b"2"),
        (4100, TEXT, b"2"),
        (6100, TEXT, b"2"),
        (8100, TEXT, b"2"),
    ];
    let (result, _) = listen_to(plan, sending(messages)).await;
    assert_eq!(result.findings.heartbeat().unwrap().shape, Some("Engine.IO 4"));
    assert_eq!(result.findings.interval().unwrap().median, ms(2000));
}

#[tokio::test(start_paused = true)]
async fn flood_during_preamble_is_counted_and_bounded() {
    let messages = (0..500).map(|n| (n * 20, PING, &b"x"[..])).chain([(10_100, TEXT, WELCOME)]).collect();
    let (result, _) = listen_to(greeted_plan(60_000, Some(100)), sending(messages)).await;
    assert_eq!((result.findings.kinds[0].count, result.findings.listened), (500, ms(10_100)));
}

#[tokio::test(start_paused = true)]
async fn old_stall_excuses_no_end() {
    let (result, _) = listen_to(plan(7_200_000, None, false), |mut peer, start| async move {
        sleep_until(start + ms(1500)).await;
        advance(ms(20_000)).await;
        sleep(ms(3_600_000)).await;
        peer.send(CLOSE, &[0x0f, 0xa0]).await;
        sleep(ms(3_600_000)).await;
        peer
    })
    .await;
    assert_eq!(judge(&result), RunResult::Failed);
}

#[tokio::test(start_paused = true)]
async fn events_during_a_final_stall_are_read() {
    let (result, _) = listen_to(plan(10_000, None, false), |mut peer, start| async move {
        sleep_until(start + ms(2000)).await;
        advance(ms(60_000)).await;
        peer.send(PING, b"x").await;
        peer
    })
    .await;
    let findings = &result.findings;
    assert_eq!((findings.verdict, findings.kinds.len()), (ListenVerdict::Inconclusive, 1), "{findings:?}");
}

/// Sends these bytes one by one at this distance, then stays open.
async fn trickling(mut peer: RawPeer, start: Instant, from: u64, bytes: Vec<u8>, apart: u64) -> RawPeer {
    use tokio::io::AsyncWriteExt;
    sleep_until(start + ms(from)).await;
    for byte in bytes {
        peer.io.write_all(&[byte]).await.unwrap();
        sleep(ms(apart)).await;
    }
    sleep(ms(3_600_000)).await;
    peer
}

#[tokio::test(start_paused = true)]
async fn slow_message_is_no_silence() {
    for (apart, length) in [(150, 20), (300, 22)] {
        let bytes = frame(TEXT, &vec![b'x'; length - 2]);
        let until = 1000 + apart * (length as u64 - 1);
        let script = |peer, start| trickling(peer, start, 1000, bytes, apart);
        let (result, _) = listen_to(plan(until + 700, None, false), script).await;
        let findings = result.findings;
        assert_eq!(findings.verdict, ListenVerdict::ServerIsSilentFor);
        assert_eq!((findings.longest_quiet, findings.longest_still), (ms(1000), ms(1000)), "{apart}");
    }
}

#[tokio::test(start_paused = true)]
async fn fragments_are_no_silence() {
    let script = |mut peer: RawPeer, start| async move {
        for (n, first) in [0x01_u8, 0x00, 0x00, 0x00, 0x80].into_iter().enumerate() {
            sleep_until(start + ms(700 * (n as u64 + 1))).await;
            peer.raw(&[&[first, 4][..], b"part"].concat()).await;
        }
        sleep(ms(3_600_000)).await;
        peer
    };
    let (result, _) = listen_to(plan(4000, None, false), script).await;
    assert_eq!(result.findings.longest_quiet, ms(700));
    assert_eq!(result.findings.kinds[0].count, 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_heartbeats_are_a_separate_finding() {
    let script = |mut peer: RawPeer, start| async move {
        for n in 1..=20_u64 {
            sleep_until(start + ms(300 * n)).await;
            peer.send(TEXT, format!(r#"{{"event":"heartbeat","n":{n}}}"#).as_bytes()).await;
        }
        sleep(ms(3_600_000)).await;
        peer
    };
    let (result, _) = listen_to(plan(6100, None, false), script).await;
    let findings = &result.findings;
    let periodic = findings.periodic.as_ref().unwrap();
    assert_eq!((findings.verdict, periodic.interval.median), (ListenVerdict::PeriodicMessages, ms(300)));
    assert_eq!(periodic.pattern.as_deref(), Some(r#"{"event":"heartbeat"}"#));
    assert_eq!((findings.covered_timeouts.as_ref(), judge(&result)), (None, RunResult::Passed));
}
