//! The HTTP status pages, with the real renderer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use wscheck::commands::serve::serve_status;
use wscheck::domain::heartbeat::HeartbeatKind;
use wscheck::output::serve::StatusPages;
use wscheck::server::{Server, ServerConfig, ServerHeartbeats};

use crate::peer::{Bare, PING, PONG, within};

async fn get(address: std::net::SocketAddr, path: &str) -> (String, String) {
    get_from(address, path, "localhost").await
}

async fn get_from(address: std::net::SocketAddr, path: &str, host: &str) -> (String, String) {
    let mut client = Bare::knock(address).await;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    client.write(request.as_bytes()).await;
    let answer = client.rest().await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_string(), body.to_string())
}

#[tokio::test]
async fn status_pages_show_clients_and_metrics() {
    let interval = Duration::from_millis(50);
    let heartbeats =
        ServerHeartbeats { kinds: vec![HeartbeatKind::Protocol], interval, ..ServerHeartbeats::default() };
    let config = ServerConfig { heartbeats: Arc::new(heartbeats), ..ServerConfig::default() };
    let (events, _happened) = unbounded_channel();
    let server = Arc::new(Server::new(config, events));
    let stop = CancellationToken::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let status = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, status_address) = (listener.local_addr().unwrap(), status.local_addr().unwrap());
    let run = tokio::spawn(Arc::clone(&server).run(listener, stop.clone()));
    let pages = tokio::spawn(serve_status(status, server, Arc::new(StatusPages), stop.clone()));

    let mut client = Bare::connect(address).await;
    let (first, payload) = client.frame().await;
    assert_eq!(first, PING);
    client.send(PONG, payload.as_bytes()).await;
    assert_eq!(client.frame().await.0, PING);

    let (head, body) = get(status_address, "/clients").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("application/json"), "{head}");
    let document: Value = serde_json::from_str(&body).unwrap();
    let shown = &document["clients"][0];
    assert_eq!((shown["id"].as_u64(), shown["status"].as_str()), (Some(1), Some("healthy")));
    assert_eq!(shown["heartbeats"][0]["counts"]["ok"], 1);
    assert!(shown["heartbeats"][0]["rtt"]["mean_ms"].as_f64().is_some_and(|ms| ms > 0.0));
    assert_eq!(shown["heartbeats"][0]["jitter"]["stddev_ms"], Value::Null);

    // A web page that gave its own name this address.
    let (head, _) = get_from(status_address, "/clients", "evil.example").await;
    assert!(head.starts_with("HTTP/1.1 421 "), "{head}");

    let (head, body) = get(status_address, "/metrics").await;
    assert!(head.contains("text/plain; version=0.0.4"), "{head}");
    assert!(body.contains("\nwscheck_clients{status=\"healthy\"} 1\n"), "{body}");
    assert!(body.contains("\nwscheck_heartbeats_total{outcome=\"ok\"} 1\n"), "{body}");
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("wscheck_") && value.parse::<f64>().is_ok(), "{line}");
    }
    assert!(get(status_address, "/else").await.0.starts_with("HTTP/1.1 404 "));
    drop(client);
    stop.cancel();
    within(pages).await.unwrap();
    within(run).await.unwrap();
}
