//! The whole command against scripted peers that close connections for reasons other than idleness.

use crate::domain::run::run_result::RunResult;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::IdlePlan;
use super::tests::{plan, probe};
use crate::domain::idle::report::IdleReport;
use crate::domain::idle::{IdleVerdict, IncidentKind, Recommendation};

type ScriptedPeer = WebSocketStream<TcpStream>;

/// A server that serves its nth connection (from 0) with `serve`.
async fn peer<F>(serve: impl Fn(usize, TcpStream) -> F + Send + 'static) -> IdlePlan
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        for n in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(serve(n, stream));
        }
    });
    let mut plan = plan(&url);
    // Long enough that an immediate end is recognised on a busy machine.
    plan.search.min = Duration::from_secs(1);
    plan
}

/// Answers Pings until the client closes or is silent for `max_silence`.
async fn answer(socket: &mut ScriptedPeer, max_silence: Duration) {
    while let Ok(Some(Ok(message))) = timeout(max_silence, socket.next()).await {
        if message.is_close() {
            return;
        }
    }
}

const FOREVER: Duration = Duration::from_secs(3600);

async fn close(socket: &mut ScriptedPeer, code: u16, reason: &'static str) {
    let _ = socket.close(Some(CloseFrame { code: code.into(), reason: reason.into() })).await;
}

async fn probed(plan: IdlePlan) -> IdleReport {
    probe(plan).await.0
}

/// Checks that the run is inconclusive (exit code 4), that its first reason has these parts, and that few connections
/// were opened.
fn assert_suspected(report: &IdleReport, parts: &[&str]) {
    let findings = &report.findings;
    assert_eq!(findings.verdict, IdleVerdict::Inconclusive, "{findings:#?}");
    assert_eq!((report.verdict, report.recommendation), (RunResult::Inconclusive, None));
    let reason = format!("{:?}", report.reasons[0]);
    for part in parts {
        assert!(reason.contains(part), "{part}: {reason}");
    }
    assert!(findings.connections <= 40, "{} connections", findings.connections);
}

/// A server that accepts this many connections and closes the others right after the 101.
async fn limited(most: usize, code: Option<u16>) -> IdleReport {
    let open = Arc::new(AtomicUsize::new(0));
    let plan = peer(move |_, stream| {
        let open = Arc::clone(&open);
        async move {
            let Ok(mut socket) = accept_async(stream).await else { return };
            if open.fetch_add(1, Ordering::SeqCst) < most {
                answer(&mut socket, FOREVER).await;
            } else if let Some(code) = code {
                close(&mut socket, code, "too many connections").await;
            }
            open.fetch_sub(1, Ordering::SeqCst);
        }
    });
    let mut plan = plan.await;
    // No accepted connection survives the longest span before the others have shown the limit.
    plan.search.max = Duration::from_secs(60);
    probed(plan).await
}

#[tokio::test]
async fn connection_limit_is_suspected() {
    let (fin, close, one) = tokio::join!(limited(4, None), limited(8, Some(1013)), limited(1, Some(1013)));
    assert_suspected(&fin, &["ConnectionLimit { open: 4", "how: Fin"]);
    let parts = ["ConnectionLimit { open: 8", "code: Some(1013)", "\"too many connections\""];
    assert_suspected(&close, &parts);
    assert_suspected(&one, &["ConnectionLimit { open: 1", "code: Some(1013)"]);
    let ended = |report: &IdleReport| report.findings.incidents.first().map(|incident| incident.kind);
    assert_eq!([&fin, &close, &one].map(ended), [Some(IncidentKind::EndedAtOnce); 3]);
}

#[tokio::test]
async fn replaced_session_is_suspected() {
    let latest = Arc::new(watch::channel(0).0);
    let plan = peer(move |n, stream| {
        let latest = Arc::clone(&latest);
        async move {
            let Ok(mut socket) = accept_async(stream).await else { return };
            let mut news = latest.subscribe();
            latest.send_replace(n);
            news.mark_unchanged();
            tokio::select! {
                () = answer(&mut socket, FOREVER) => {}
                _ = news.changed() => close(&mut socket, 4409, "replaced by a new connection").await,
            }
        }
    });
    let report = probed(plan.await).await;
    assert_suspected(&report, &["SessionReplaced", "code: Some(4409)", "replaced by a new connection"]);
}

#[tokio::test]
async fn single_use_ticket_is_suspected() {
    let plan = peer(|n, mut stream| async move {
        if n == 0 {
            let Ok(mut socket) = accept_async(stream).await else { return };
            return answer(&mut socket, FOREVER).await;
        }
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await;
    });
    let report = probed(plan.await).await;
    assert_suspected(&report, &["LaterConnectionsRefused", "401"]);
}

/// All connections end once, when the third is a second old.
#[tokio::test]
async fn common_end_is_not_a_timeout() {
    let event = Arc::new(watch::channel(false).0);
    let plan = peer(move |n, stream| {
        let event = Arc::clone(&event);
        async move {
            let Ok(mut socket) = accept_async(stream).await else { return };
            let mut news = event.subscribe();
            if n == 3 {
                let _ = timeout(Duration::from_millis(1400), answer(&mut socket, FOREVER)).await;
                event.send_replace(true);
                return;
            }
            tokio::select! {
                () = answer(&mut socket, FOREVER) => {}
                _ = news.changed() => {}
            }
        }
    });
    let report = probed(plan.await).await;
    let findings = &report.findings;
    let claimed = matches!(
        findings.verdict,
        IdleVerdict::IdleTimeout | IdleVerdict::LifetimeCap | IdleVerdict::Stochastic
    );
    assert!(!claimed && findings.lifetime.is_none(), "{findings:#?}");
    assert!(findings.incidents.iter().any(|event| event.kind == IncidentKind::OneMoment), "{findings:#?}");
}

#[tokio::test]
async fn random_ends_do_not_mean_no_timeout() {
    let plan = peer(|n, stream| async move {
        let Ok(mut socket) = accept_async(stream).await else { return };
        let timeout = if n % 5 == 4 { Duration::from_millis(1800) } else { FOREVER };
        answer(&mut socket, timeout).await;
    });
    let report = probed(plan.await).await;
    assert_ne!(report.findings.verdict, IdleVerdict::NoTimeoutUpToMax, "{:#?}", report.findings);
    let is_safe = matches!(report.recommendation, Some(Recommendation::Heartbeat { found: false, .. }));
    assert!(!is_safe && report.findings.died.len() > 1, "{:#?}", report.findings);
}

#[tokio::test]
async fn text_instead_of_a_frame_is_not_a_lifetime() {
    let plan = peer(|n, stream| async move {
        let Ok(mut socket) = accept_async(stream).await else { return };
        if n > 0 {
            let _ = timeout(Duration::from_millis(1300), answer(&mut socket, FOREVER)).await;
            let _ = socket.get_mut().write_all(&[b'H'; 200]).await;
        }
        answer(&mut socket, FOREVER).await;
    });
    let report = probed(plan.await).await;
    assert_suspected(&report, &["wscheck closed", "broke the protocol"]);
}

#[tokio::test]
async fn lifetime_of_a_busy_server_is_found() {
    let plan = peer(|_, stream| async move {
        let Ok(mut socket) = accept_async(stream).await else { return };
        for _ in 0..8 {
            let _ = timeout(Duration::from_millis(250), answer(&mut socket, FOREVER)).await;
            if socket.send(Message::text("news")).await.is_err() {
                return;
            }
        }
    });
    let report = probed(plan.await).await;
    assert_eq!(report.findings.verdict, IdleVerdict::LifetimeCap, "{:#?}", report.findings);
    assert!(
        matches!(report.recommendation, Some(Recommendation::Reconnect { .. })),
        "{:?}",
        report.recommendation
    );
}
