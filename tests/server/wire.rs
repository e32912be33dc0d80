//! The test server's behaviour on the wire, seen by a bare client.

use crate::peer::{Bare, CLOSE, Got, PING, PONG, Raw, Served, TEXT, UPGRADE, within};
use wscheck::domain::connection::close_cause::{CloseKindName, ClosedBy};
use wscheck::domain::label::Label;
use wscheck::server::{ServeEventKind, ServerConfig};

fn close(code: u16, reason: &str) -> Got {
    let mut payload = code.to_be_bytes().to_vec();
    payload.extend(reason.as_bytes());
    Got::Frame(Raw(CLOSE, payload))
}

#[tokio::test]
async fn server_echoes_and_answers_pings() {
    let served = Served::start(ServerConfig::default()).await;
    let mut client = Bare::connect(served.address).await;
    client.send(TEXT, b"hello").await;
    assert_eq!(client.frame().await, (TEXT, "hello".into()));
    client.send(PING, b"p1").await;
    assert_eq!(client.frame().await, (PONG, "p1".into()));
    client.send(TEXT, br#"{"type":"ping","id":"x"}"#).await;
    let (first, answer) = client.frame().await;
    assert_eq!(first, TEXT);
    assert!(answer.starts_with(r#"{"type":"pong","id":"x","serverTime":1"#), "{answer}");
    client.send(CLOSE, &1000_u16.to_be_bytes()).await;
    assert_eq!((client.next().await, client.next().await), (close(1000, ""), Got::Fin));
    let summary = served.stop().await;
    assert_eq!((summary.clients, summary.messages, summary.pings, summary.app_pings), (1, 1, 1, 1));
    assert_eq!(
        summary.endings.into_iter().collect::<Vec<_>>(),
        [((ClosedBy::Peer, CloseKindName::CloseFrame), 1)]
    );
}

#[tokio::test]
async fn library_client_works() {
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    let served = Served::start(ServerConfig::default()).await;
    let stream = within(tokio::net::TcpStream::connect(served.address)).await.unwrap();
    let url = format!("ws://{}/", served.address);
    let (mut client, _) = within(tokio_tungstenite::client_async(url, stream)).await.unwrap();
    let message = Message::binary(vec![7; 100_000]);
    within(client.send(message.clone())).await.unwrap();
    assert_eq!(within(client.next()).await.unwrap().unwrap(), message);
    within(client.close(None)).await.unwrap();
    served.stop().await;
}

#[tokio::test]
async fn delayed_pong_delays_nothing_else() {
    let served = Served::with_faults(&["delay=200ms"]).await;
    let mut client = Bare::connect(served.address).await;
    client.send(PING, b"p1").await;
    client.send(TEXT, b"at once").await;
    assert_eq!(client.frame().await, (TEXT, "at once".into()));
    assert_eq!(client.frame().await, (PONG, "p1".into()));
    served.stop().await;
}

#[tokio::test]
async fn stopping_closes_every_client_with_1001() {
    let served = Served::start(ServerConfig::default()).await;
    let mut client = Bare::connect(served.address).await;
    let answered = async {
        assert_eq!(client.next().await, close(1001, "server stops"));
        client.send(CLOSE, &1001_u16.to_be_bytes()).await;
        assert_eq!(client.next().await, Got::Fin);
    };
    let (summary, ()) = tokio::join!(served.stop(), answered);
    assert_eq!(
        summary.endings.into_iter().collect::<Vec<_>>(),
        [((ClosedBy::Us, CloseKindName::CloseFrame), 1)]
    );
}

#[tokio::test]
async fn close_after_closes_with_its_code() {
    for (fault, code) in [("close-after=50ms", 1000), ("close-after=50ms:4001", 4001)] {
        let served = Served::with_faults(&[fault]).await;
        let mut client = Bare::connect(served.address).await;
        assert_eq!(client.next().await, close(code, ""));
        client.send(CLOSE, &code.to_be_bytes()).await;
        assert_eq!(client.next().await, Got::Fin);
        served.stop().await;
    }
}

#[tokio::test]
async fn plain_request_is_answered_with_426() {
    let mut served = Served::start(ServerConfig::default()).await;
    let mut other = Bare::connect(served.address).await;
    let mut browser = Bare::knock(served.address).await;
    browser.write(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = browser.rest().await;
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "{answer}");
    assert!(answer.ends_with("connect with a ws:// or wss:// URL.\n"), "{answer}");
    let why = served.event(|event| match &event.what {
        ServeEventKind::Rejected { why, .. } => Some(why.label()),
        _ => None,
    });
    assert_eq!(why.await, "plain_http");
    other.send(PING, b"still there").await;
    assert_eq!(other.frame().await, (PONG, "still there".into()));
    served.stop().await;
}

#[tokio::test]
async fn tls_client_on_plain_port_is_answered() {
    let mut served = Served::start(ServerConfig::default()).await;
    let mut other = Bare::connect(served.address).await;
    let mut client = Bare::knock(served.address).await;
    client.write(b"\x16\x03\x01\x00\x05hello").await;
    let answer = client.rest().await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("with a ws:// URL.\n"), "{answer}");
    let why = served.event(|event| match &event.what {
        ServeEventKind::Rejected { why, .. } => Some(why.to_string()),
        _ => None,
    });
    let told = "a TLS client on the plain port; it should use ws://, or this server --tls; answered 400";
    assert_eq!(why.await, told);
    other.send(PING, b"still there").await;
    assert_eq!(other.frame().await, (PONG, "still there".into()));
    served.stop().await;
}

#[tokio::test]
async fn protocol_violation_closes_with_its_code() {
    let mut served = Served::start(ServerConfig { max_message_size: 10, ..ServerConfig::default() }).await;
    let mut unmasked = Bare::connect(served.address).await;
    unmasked.write(b"\x81\x02hi").await;
    assert_eq!(unmasked.next().await, close(1002, "a client's frame must be masked"));
    assert_eq!(unmasked.next().await, Got::Fin);
    assert!(served.ended().await.contains("a client's frame must be masked"));
    let mut large = Bare::connect(served.address).await;
    large.send(TEXT, b"more than ten bytes").await;
    assert_eq!(large.next().await, close(1009, "a message of 19 bytes is above the limit of 10"));
    served.stop().await;
}

#[tokio::test]
async fn excess_client_is_answered_503() {
    let served = Served::start(ServerConfig { max_clients: 1, ..ServerConfig::default() }).await;
    let _first = Bare::connect(served.address).await;
    let mut second = Bare::knock(served.address).await;
    second.write(UPGRADE.as_bytes()).await;
    assert!(second.head().await.starts_with("HTTP/1.1 503 "));
    drop(_first);
    served.stop().await;
}

#[tokio::test]
async fn concurrent_clients_stay_below_the_limit() {
    let mut served = Served::start(ServerConfig { max_clients: 2, ..ServerConfig::default() }).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(Bare::knock(served.address).await);
    }
    let mut seated = Vec::new();
    for mut client in clients {
        client.write(UPGRADE.as_bytes()).await;
        if client.head().await.starts_with("HTTP/1.1 101 ") {
            seated.push(client);
        }
    }
    assert_eq!(seated.len(), 2);
    seated.pop();
    served.ended().await;
    Bare::connect(served.address).await;
    assert_eq!(served.stop().await.most_at_once, 2);
}
