use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use http::{HeaderValue, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::*;
use crate::net::testing::test_certificates::{TestAuthority, TestTlsServer, VALID};

/// `/` answers "hello", `/name` the parameter `name`, `/events` two events and `/never` nothing.
async fn pages(request: HttpRequest) -> HttpResponse {
    match request.path.as_str() {
        _ if !request.is_read() => HttpResponse::method_not_allowed("GET, HEAD"),
        "/" => HttpResponse::plain(StatusCode::OK, "hello"),
        "/name" => HttpResponse::plain(StatusCode::OK, request.parameter("name").unwrap_or("-").to_string()),
        "/large" => HttpResponse::plain(StatusCode::OK, vec![b'x'; 1 << 20]),
        "/never" => std::future::pending().await,
        "/events" => {
            let event = |data: &str| ServerSentEvent { name: "tick", data: data.to_string() };
            HttpResponse::events(EventStream::new(futures_util::stream::iter([event("1"), event("2")])))
        }
        _ => HttpResponse::plain(StatusCode::NOT_FOUND, "nothing here"),
    }
}

struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start<H, F>(plan: HttpServerPlan, handler: H) -> Running
    where
        H: Fn(HttpRequest) -> F + Send + Sync + 'static,
        F: Future<Output = HttpResponse> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, plan, handler, stop.clone()));
        Running { address, stop, task }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and returns everything up to the end.
    async fn exchange(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        rest(&mut stream).await
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

async fn rest<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    String::from_utf8(all).unwrap()
}

/// Reads one response whose body is this text.
async fn response<S: AsyncRead + Unpin>(stream: &mut S, body: &str) -> String {
    let end = format!("\r\n\r\n{body}");
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let byte = stream.read_u8().await.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&text)));
        text.push(byte);
    }
    String::from_utf8(text).unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")
}

fn last_get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
}

fn limited(limits: HttpLimits) -> HttpServerPlan {
    HttpServerPlan { limits, ..HttpServerPlan::default() }
}

fn status(response: &str) -> &str {
    response.split(' ').nth(1).unwrap_or(response)
}

#[tokio::test]
async fn connection_is_kept_and_pipelined_requests_are_answered_in_order() {
    let server = Running::start(HttpServerPlan::default(), pages).await;
    let mut stream = server.connect().await;
    stream.write_all(get("/").as_bytes()).await.unwrap();
    let first = response(&mut stream, "hello").await;
    assert!(first.starts_with("HTTP/1.1 200 OK\r\n"), "{first}");
    for header in ["content-length: 5", "cache-control: no-store", "server: wscheck"] {
        assert!(first.contains(&format!("{header}\r\n")), "{first}");
    }
    let three = get("/name?name=a%20b") + &get("/else") + &last_get("/name?x=1&name=%C3%A9");
    stream.write_all(three.as_bytes()).await.unwrap();
    let text = rest(&mut stream).await;
    let bodies: Vec<_> = text.split("\r\n\r\n").skip(1).map(|s| s.split("HTTP/").next().unwrap()).collect();
    assert_eq!(bodies, ["a b", "nothing here", "é"], "{text}");
    server.end().await;
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let server = Running::start(HttpServerPlan::default(), pages).await;
    let text = server.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(text.contains("content-length: 5\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    let text = server.exchange("HEAD /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(text.contains("text/event-stream\r\n") && text.ends_with("\r\n\r\n"), "{text}");
    server.end().await;
}

#[tokio::test]
async fn other_methods_get_405_with_allow() {
    let server = Running::start(HttpServerPlan::default(), pages).await;
    let text = server.exchange("DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(status(&text), "405");
    assert!(text.contains("allow: GET, HEAD\r\n"), "{text}");
    server.end().await;
}

#[tokio::test]
async fn events_are_streamed() {
    let server = Running::start(HttpServerPlan::default(), pages).await;
    let text = server.exchange(&last_get("/events")).await;
    let (one, two) = ("event: tick\ndata: 1\n\n", "event: tick\ndata: 2\n\n");
    assert!(text.contains(one) && text.contains(two), "{text}");
    assert!(text.contains("content-type: text/event-stream\r\n"), "{text}");
    server.end().await;
}

#[tokio::test]
async fn stop_ends_event_streams_and_kept_connections() {
    let endless = async |_| HttpResponse::events(EventStream::new(futures_util::stream::pending()));
    let server = Running::start(HttpServerPlan::default(), endless).await;
    let (mut idle, mut stream) = (server.connect().await, server.connect().await);
    stream.write_all(get("/").as_bytes()).await.unwrap();
    let mut head = [0; 15];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200 OK");
    let address = server.address;
    server.end().await;
    assert!(rest(&mut stream).await.ends_with("\r\n0\r\n\r\n"));
    assert_eq!(rest(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn large_heads_and_bodies_are_refused() {
    let limits = HttpLimits { max_body_bytes: 1000, ..HttpLimits::default() };
    let server = Running::start(limited(limits), pages).await;
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    assert_eq!(status(&server.exchange(&long).await), "431");
    let many = "X: y\r\n".repeat(1000);
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n");
    assert_eq!(status(&server.exchange(&many).await), "431");
    let body = |head: &str, body: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{head}\r\n\r\n{body}");
    let large = body("Content-Length: 1001", &"x".repeat(1001));
    assert_eq!(status(&server.exchange(&large).await), "413");
    let chunked = body("Transfer-Encoding: chunked", &format!("7d0\r\n{}\r\n", "x".repeat(2000)));
    assert_eq!(status(&server.exchange(&chunked).await), "413");
    let small = body("Connection: close\r\nContent-Length: 1000", &"x".repeat(1000));
    assert_eq!(status(&server.exchange(&small).await), "405");
    server.end().await;
}

#[tokio::test]
async fn nonsense_is_refused() {
    let server = Running::start(HttpServerPlan::default(), pages).await;
    assert_eq!(status(&server.exchange("\x16\x03\x01\x02\x00\x01\r\n\r\n").await), "400");
    assert_eq!(status(&server.exchange("GET / HTTP/9.9\r\n\r\n").await), "400");
    assert_eq!(server.exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.len(), 0);
    server.end().await;
}

#[tokio::test]
async fn wrong_credentials_are_challenged_and_reach_no_handler() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let counted = |request| {
        ASKED.fetch_add(1, SeqCst);
        pages(request)
    };
    let access = AccessControl::basic("scraper", "sesame");
    let plan = HttpServerPlan { access: Arc::new(access), ..HttpServerPlan::default() };
    let server = Running::start(plan, counted).await;
    let with = |line: &str| format!("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{line}\r\n");
    for wrong in ["", "Authorization: Basic c2NyYXBlcjpvcGVu\r\n", "Authorization: Bearer sesame\r\n"] {
        let text = server.exchange(&with(wrong)).await;
        assert_eq!(status(&text), "401");
        assert!(text.contains("www-authenticate: Basic realm=\"wscheck\", charset=\"UTF-8\"\r\n"), "{text}");
    }
    assert_eq!(ASKED.load(SeqCst), 0);
    let right = server.exchange(&with("Authorization: Basic c2NyYXBlcjpzZXNhbWU=\r\n")).await;
    assert_eq!((status(&right), ASKED.load(SeqCst)), ("200", 1));
    server.end().await;
}

/// Connections that send nothing, or half a request, make room. A connection in the middle of its request does not.
#[tokio::test]
async fn waiting_connections_make_room_for_others() {
    let release = Arc::new(Notify::new());
    let (entered, mut has_entered) = mpsc::unbounded_channel();
    let handler = {
        let release = Arc::clone(&release);
        move |request: HttpRequest| {
            let (release, entered) = (Arc::clone(&release), entered.clone());
            async move {
                if request.path == "/slow" {
                    entered.send(()).unwrap();
                    release.notified().await;
                }
                HttpResponse::plain(StatusCode::OK, "hello")
            }
        }
    };
    let limits = HttpLimits { max_connections: 4, ..HttpLimits::default() };
    let server = Running::start(limited(limits), handler).await;
    let mut slow = server.connect().await;
    slow.write_all(get("/slow").as_bytes()).await.unwrap();
    has_entered.recv().await.unwrap();
    let mut flood = Vec::new();
    for _ in 0..100 {
        let mut stream = server.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
        flood.push(stream);
    }
    assert_eq!(status(&server.exchange(&last_get("/")).await), "200");
    // The first of the flood had to go.
    let mut byte = [0];
    assert!(!matches!(flood[0].read(&mut byte).await, Ok(1..)));
    release.notify_one();
    response(&mut slow, "hello").await;
    server.end().await;
}

#[tokio::test]
async fn connections_wait_while_all_are_busy() {
    let release = Arc::new(Notify::new());
    let (entered, mut has_entered) = mpsc::unbounded_channel();
    let handler = {
        let release = Arc::clone(&release);
        move |_| {
            let (release, entered) = (Arc::clone(&release), entered.clone());
            async move {
                entered.send(()).unwrap();
                release.notified().await;
                HttpResponse::plain(StatusCode::OK, "hello")
            }
        }
    };
    let limits = HttpLimits { max_connections: 1, ..HttpLimits::default() };
    let server = Running::start(limited(limits), handler).await;
    let mut first = server.connect().await;
    first.write_all(last_get("/").as_bytes()).await.unwrap();
    has_entered.recv().await.unwrap();
    let mut second = server.connect().await;
    second.write_all(last_get("/").as_bytes()).await.unwrap();
    assert!(has_entered.try_recv().is_err());
    release.notify_one();
    assert_eq!(status(&rest(&mut first).await), "200");
    drop(first);
    has_entered.recv().await.unwrap();
    release.notify_one();
    assert_eq!(status(&rest(&mut second).await), "200");
    server.end().await;
}

#[tokio::test]
async fn pages_are_served_over_tls() {
    let authority = TestAuthority::new("test authority");
    let presented = authority.issue(&["localhost"], VALID);
    let tls = Some(Arc::new(TestTlsServer::new(&presented).config()));
    let server = Running::start(HttpServerPlan { tls, ..HttpServerPlan::default() }, pages).await;
    let mut client = trusting(&authority).connect(localhost(), server.connect().await).await.unwrap();
    client.write_all(last_get("/").as_bytes()).await.unwrap();
    assert!(rest(&mut client).await.ends_with("hello"));
    // A plain request is no handshake.
    assert!(!server.exchange(&get("/")).await.contains("200"));
    server.end().await;
}

fn trusting(authority: &TestAuthority) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.cert.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    TlsConnector::from(Arc::new(builder.unwrap().with_root_certificates(roots).with_no_client_auth()))
}

fn localhost() -> ServerName<'static> {
    ServerName::try_from("localhost").unwrap()
}

/// A connection over an in-memory stream, on the paused clock.
fn simulated(limits: HttpLimits) -> (DuplexStream, JoinHandle<()>) {
    let (client, stream) = duplex(1024);
    let stop = CancellationToken::new();
    let plan = HttpServerPlan { limits, ..HttpServerPlan::default() };
    let handler = Box::new(|request| pages(request).boxed());
    let conversation = Arc::new(Conversation { plan, handler, stop });
    let slot = Slots::new(1).take();
    let task = tokio::spawn(async move { converse(stream, &slot.activity, conversation).await });
    (client, task)
}

/// How many seconds it takes until the server ends the connection.
async fn ended_after(client: &mut (impl AsyncRead + AsyncWrite + Unpin), since: Instant) -> u64 {
    let mut ignored = Vec::new();
    let _ = client.read_to_end(&mut ignored).await;
    since.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn client_that_sends_its_head_slowly_is_disconnected() {
    let (client, task) = simulated(HttpLimits::default());
    let began = Instant::now();
    let (mut reader, mut writer) = tokio::io::split(client);
    let trickle = tokio::spawn(async move {
        for byte in get("/").into_bytes() {
            if writer.write_all(&[byte]).await.is_err() {
                return;
            }
            sleep(Duration::from_millis(400)).await;
        }
    });
    let mut ignored = Vec::new();
    let _ = reader.read_to_end(&mut ignored).await;
    assert_eq!((began.elapsed().as_secs(), ignored.len()), (5, 0));
    task.await.unwrap();
    trickle.abort();
}

#[tokio::test(start_paused = true)]
async fn client_that_sends_nothing_is_disconnected() {
    let (mut client, _task) = simulated(HttpLimits::default());
    assert_eq!(ended_after(&mut client, Instant::now()).await, 5);
}

#[tokio::test(start_paused = true)]
async fn kept_connection_ends_after_the_idle_limit() {
    let (mut client, _task) = simulated(HttpLimits::default());
    for _ in 0..2 {
        client.write_all(get("/").as_bytes()).await.unwrap();
        response(&mut client, "hello").await;
        sleep(Duration::from_secs(80)).await;
    }
    client.write_all(get("/").as_bytes()).await.unwrap();
    response(&mut client, "hello").await;
    assert_eq!(ended_after(&mut client, Instant::now()).await, 90);
}

#[tokio::test(start_paused = true)]
async fn later_head_is_limited_from_its_first_byte() {
    let (mut client, _task) = simulated(HttpLimits::default());
    client.write_all(get("/").as_bytes()).await.unwrap();
    response(&mut client, "hello").await;
    sleep(Duration::from_secs(60)).await;
    let began = Instant::now();
    client.write_all(b"GET").await.unwrap();
    assert_eq!(ended_after(&mut client, began).await, 5);
}

#[tokio::test(start_paused = true)]
async fn client_that_reads_no_response_is_disconnected() {
    let (mut client, task) = simulated(HttpLimits::default());
    client.write_all(get("/large").as_bytes()).await.unwrap();
    let began = Instant::now();
    task.await.unwrap();
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn client_that_reads_a_byte_at_a_time_is_disconnected() {
    let (mut client, task) = simulated(HttpLimits::default());
    client.write_all(get("/large").as_bytes()).await.unwrap();
    let began = Instant::now();
    let reading = async {
        while client.read_u8().await.is_ok() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! { () = reading => {} _ = task => {} }
    assert_eq!(began.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn answer_that_is_not_ready_in_time_is_503() {
    let (mut client, _task) = simulated(HttpLimits::default());
    let began = Instant::now();
    client.write_all(get("/never").as_bytes()).await.unwrap();
    let text = rest(&mut client).await;
    assert_eq!((status(&text), began.elapsed().as_secs()), ("503", 10));
}

#[tokio::test(start_paused = true)]
async fn body_that_does_not_come_is_503() {
    let (mut client, _task) = simulated(HttpLimits::default());
    let began = Instant::now();
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab").await.unwrap();
    let text = rest(&mut client).await;
    assert_eq!((status(&text), began.elapsed().as_secs()), ("503", 10));
}

#[test]
fn more_headers_do_not_replace_those_of_every_response() {
    let response = HttpResponse::plain(StatusCode::OK, "")
        .with_header(http::header::CACHE_CONTROL, HeaderValue::from_static("public"));
    let activity = Arc::new(slots::Activity::default());
    let sent = response.into_http(activity.begin_request(), &CancellationToken::new());
    assert_eq!(sent.headers()[http::header::CACHE_CONTROL], "no-store");
}
