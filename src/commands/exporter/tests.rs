use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::exporter::probe::ProbeStep;
use crate::net::connect::dial::DialPlan;
use crate::net::connect::tls::{TlsOptions, TlsPlan};
use crate::net::http_server::{HttpRequest, HttpResponse, ResponseContent};
use crate::net::testing::loopback_peer::{accepting, answering, peer, request};
use crate::server::{Server, ServerConfig, tls};

const LIMIT: Duration = Duration::from_secs(10);

fn module(pings: u32) -> ProbeModule {
    ProbeModule {
        timeout: LIMIT,
        pings,
        dial: DialPlan::default(),
        inputs: Default::default(),
        allow: Vec::new(),
    }
}

/// A test server; returns its port.
async fn server(config: ServerConfig) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (events, mut happened) = mpsc::unbounded_channel();
    tokio::spawn(async move { while happened.recv().await.is_some() {} });
    tokio::spawn(Arc::new(Server::new(config, events)).run(listener, CancellationToken::new()));
    port
}

#[tokio::test]
async fn each_ping_is_answered_and_the_connection_closed() {
    let port = server(ServerConfig::default()).await;
    let target: Target = format!("ws://localhost:{port}/").parse().unwrap();
    let result = probe(&module(3), &target, LIMIT).await;
    assert_eq!((&result.failure, result.rtts.len(), result.status_code), (&None, 3, Some(101)));
    assert!(result.is_success() && result.is_upgraded && result.close.is_some());
    assert!(result.resolve.is_some() && result.tls.is_none() && result.tls_facts.is_none());
    assert!(result.total >= result.connect.unwrap() + result.processing.unwrap());
    assert_eq!(result.address, Some(vec![127, 0, 0, 1]));
}

#[tokio::test]
async fn certificates_are_read_over_tls() {
    let identity = tls::self_signed("127.0.0.1".parse().unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let roots = dir.path().join("ca.pem");
    std::fs::write(&roots, identity.ca_pem.unwrap()).unwrap();
    let port = server(ServerConfig { tls: Some(identity.config), ..ServerConfig::default() }).await;
    let options = TlsOptions { cacert: vec![roots], ..TlsOptions::default() };
    let dial = DialPlan { tls: Arc::new(TlsPlan::build(&options).unwrap()), ..DialPlan::default() };
    let target = format!("wss://127.0.0.1:{port}/").parse().unwrap();
    let result = probe(&ProbeModule { dial, ..module(1) }, &target, LIMIT).await;
    assert_eq!(result.failure, None);
    let facts = result.tls_facts.unwrap();
    assert_eq!((facts.version.as_str(), facts.chain.len(), facts.is_verified), ("TLSv1.3", 1, true));
    assert!(result.tls.is_some());
}

#[tokio::test]
async fn refused_upgrade_has_its_status_and_phases() {
    let peer = answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
    let result = probe(&module(1), &peer.target(), LIMIT).await;
    assert_eq!((result.status_code, result.is_upgraded, result.rtts.len()), (Some(403), false, 0));
    assert!(result.connect.is_some() && result.processing.is_some());
    assert_eq!(result.address, Some(vec![127, 0, 0, 1]));
    let failure = result.failure.unwrap();
    assert_eq!(
        (failure.step, failure.kind),
        (ProbeStep::Opening(Phase::Upgrade), FailureKind::UpgradeRefused)
    );
}

/// Accepts the upgrade, and then reads without an answer.
async fn mute(mut stream: TcpStream) {
    let request = request(&mut stream).await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, accepting(&request, "").as_bytes()).await.unwrap();
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap();
}

#[tokio::test]
async fn missing_pong_fails_the_probe_at_its_limit() {
    let peer = peer(mute).await;
    let limit = Duration::from_secs(2);
    let result = probe(&module(1), &peer.target(), limit).await;
    let failure = result.failure.clone().unwrap();
    assert_eq!((failure.step, failure.kind), (ProbeStep::Pings, FailureKind::Timeout));
    assert_eq!(failure.error, "no pong for ping 1 within the probe's 2 s");
    assert!(result.is_upgraded && !result.is_success() && result.total >= limit);
}

#[tokio::test]
async fn connection_that_ends_before_the_pong_is_named() {
    let peer = peer(async |mut stream: TcpStream| {
        let request = request(&mut stream).await;
        let answer = [accepting(&request, "").as_bytes(), b"\x88\x02\x03\xe9"].concat();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &answer).await.unwrap();
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap();
    })
    .await;
    let result = probe(&module(1), &peer.target(), LIMIT).await;
    let failure = result.failure.unwrap();
    assert_eq!(failure.step, ProbeStep::Pings);
    assert!(failure.error.contains("close 1001"), "{}", failure.error);
}

fn page(module: ProbeModule, targets: &[&str]) -> ProbePage {
    ProbePage::new(ProbePlan {
        modules: BTreeMap::from([("ws".to_string(), module)]),
        targets: targets.iter().map(|target| target.parse().unwrap()).collect(),
        max_concurrent: 1,
    })
}

fn get(path: &str, query: &[(&str, &str)]) -> HttpRequest {
    let query = query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    HttpRequest { method: Method::GET, path: path.to_string(), query, headers: HeaderMap::new() }
}

async fn answer(page: &ProbePage, request: &HttpRequest) -> (StatusCode, String) {
    let HttpResponse { status, content, .. } = page.answer(request).await.unwrap();
    let ResponseContent::Whole(bytes) = content else { panic!("events") };
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

#[tokio::test]
async fn failed_probe_is_200_and_debug_tells_why() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/?token=t0psecret", free.local_addr().unwrap());
    drop(free);
    let page = page(module(1), &[&url]);
    let (status, text) = answer(&page, &get("/probe", &[("target", &url), ("module", "ws")])).await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.contains("\nprobe_success 0\n"), "{text}");
    assert!(text.contains("\nwscheck_probe_failure_info{step=\"tcp\",kind=\"refused\"} 1\n"), "{text}");
    let debug = get("/probe", &[("target", &url), ("module", "ws"), ("debug", "true")]);
    let (_, text) = answer(&page, &debug).await;
    assert!(text.contains("failed: cannot open ws://127.0.0.1"), "{text}");
    assert!(text.contains("\nprobe_success 0\n") && !text.contains("t0psecret"), "{text}");
}

#[tokio::test]
async fn successful_probe_is_200() {
    let port = server(ServerConfig::default()).await;
    let allow = vec!["127.0.0.*".parse().unwrap()];
    let page = page(ProbeModule { allow, ..module(1) }, &[]);
    let url = format!("ws://127.0.0.1:{port}/");
    let (status, text) = answer(&page, &get("/probe", &[("target", &url), ("module", "ws")])).await;
    assert_eq!(status, StatusCode::OK);
    for line in ["probe_success 1", "probe_ip_protocol 4", "probe_websocket_status_code 101"] {
        assert!(text.contains(&format!("\n{line}\n")), "{text}");
    }
}

#[tokio::test]
async fn bad_requests_are_refused_before_anything_is_opened() {
    let allow = vec!["*.example".parse().unwrap()];
    let page = page(ProbeModule { allow, ..module(1) }, &["ws://known.invalid/x"]);
    let url = "ws://127.0.0.1:1/";
    for (query, why) in [
        (vec![("module", "ws")], "'target' is missing"),
        (vec![("target", url)], "'module' is missing"),
        (vec![("target", url), ("module", "no")], "no such module"),
        (vec![("target", "nonsense"), ("module", "ws")], "not a WebSocket URL"),
        (vec![("target", url), ("module", "ws")], "nor allowed"),
        (vec![("target", "ws://known.invalid/y"), ("module", "ws")], "nor allowed"),
        (vec![("target", "ws://u:p@a.example/"), ("module", "ws")], "user name"),
        (vec![("target", url), ("target", url), ("module", "ws")], "more than once"),
    ] {
        let (status, text) = answer(&page, &get("/probe", &query)).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(text.contains(why), "{text}");
    }
    let mut timed = get("/probe", &[("target", "ws://known.invalid/x"), ("module", "ws")]);
    timed.headers.insert("x-prometheus-scrape-timeout-seconds", HeaderValue::from_static("soon"));
    assert_eq!(answer(&page, &timed).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn probes_beyond_the_limit_get_503() {
    let (accepted, is_accepted) = oneshot::channel();
    let silent = peer(async move |mut stream: TcpStream| {
        accepted.send(()).unwrap();
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.unwrap();
    })
    .await;
    let url = silent.target().to_string();
    let page = Arc::new(page(module(1), &[&url]));
    let asked = get("/probe", &[("target", &url), ("module", "ws")]);
    let first = tokio::spawn({
        let (page, asked) = (Arc::clone(&page), asked.clone());
        async move { answer(&page, &asked).await }
    });
    is_accepted.await.unwrap();
    assert_eq!(answer(&page, &asked).await.0, StatusCode::SERVICE_UNAVAILABLE);
    first.abort();
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let page = page(module(1), &[]);
    assert_eq!(answer(&page, &get("/-/healthy", &[])).await.0, StatusCode::OK);
    assert_eq!(answer(&page, &get("/-/ready", &[])).await.0, StatusCode::SERVICE_UNAVAILABLE);
    page.set_ready(true);
    assert_eq!(answer(&page, &get("/-/ready", &[])).await.0, StatusCode::OK);
    let post = HttpRequest { method: Method::POST, ..get("/probe", &[]) };
    assert_eq!(answer(&page, &post).await.0, StatusCode::METHOD_NOT_ALLOWED);
    assert!(page.answer(&get("/metrics", &[])).await.is_none());
}
