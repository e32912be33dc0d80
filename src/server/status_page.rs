//! HTTP status pages: `GET /clients` and `GET /metrics`.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::accept_loop::Server;
use super::snapshot::ServerSnapshot;

/// Time limit of one request including its answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_HEAD_BYTES: usize = 16 * 1024;
/// Maximum number of concurrent requests.
const MAX_REQUESTS_AT_ONCE: usize = 32;
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(200);

/// Renders the server's state in the pages' formats.
pub trait StatusRenderer: Send + Sync + 'static {
    /// `GET /clients`.
    fn clients(&self, snapshot: &ServerSnapshot) -> StatusPage;
    /// `GET /metrics`.
    fn metrics(&self, snapshot: &ServerSnapshot) -> StatusPage;
}

/// A text and its media type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPage {
    pub media_type: &'static str,
    pub text: String,
}

/// Answers requests on `listener` until `stop`.
pub async fn serve(
    listener: TcpListener,
    server: Arc<Server>,
    pages: Arc<dyn StatusRenderer>,
    stop: CancellationToken,
) {
    let mut requests = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop.cancelled() => return,
            Some(_) = requests.join_next() => continue,
            accepted = listener.accept(), if requests.len() < MAX_REQUESTS_AT_ONCE => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                let (server, pages) = (Arc::clone(&server), Arc::clone(&pages));
                requests.spawn(async move {
                    // A request that is too slow gets no answer.
                    let _ = timeout(REQUEST_TIMEOUT, answer(stream, server, pages)).await;
                });
            }
            Err(_) => sleep(ACCEPT_RETRY_DELAY).await,
        }
    }
}

async fn answer(
    mut stream: TcpStream,
    server: Arc<Server>,
    pages: Arc<dyn StatusRenderer>,
) -> std::io::Result<()> {
    let head = read_head(&mut stream).await?;
    // Rendering thousands of clients takes long and must not delay pongs.
    let respond = move || respond(&head, || server.snapshot(), &*pages);
    let answer = tokio::task::spawn_blocking(respond).await.map_err(std::io::Error::other)?;
    stream.write_all(&answer).await?;
    stream.shutdown().await?;
    // Closing with unread bytes would send an RST, which might overtake the answer.
    tokio::io::copy(&mut stream.take(MAX_HEAD_BYTES as u64), &mut tokio::io::sink()).await.map(|_| ())
}

async fn read_head(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") && head.len() < MAX_HEAD_BYTES {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    Ok(head)
}

fn respond(head: &[u8], snapshot: impl FnOnce() -> ServerSnapshot, pages: &dyn StatusRenderer) -> Vec<u8> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let mut words = line.split(|byte| *byte == b' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
    let plain = |text: &str| StatusPage { media_type: "text/plain; charset=utf-8", text: text.to_string() };
    let (status, page) = match (method, path) {
        (b"GET" | b"HEAD", b"/clients") => ("200 OK", pages.clients(&snapshot())),
        (b"GET" | b"HEAD", b"/metrics") => ("200 OK", pages.metrics(&snapshot())),
        (b"GET" | b"HEAD", _) => {
            ("404 Not Found", plain("Available: /clients (JSON) and /metrics (Prometheus).\n"))
        }
        _ => ("405 Method Not Allowed", plain("Only GET is supported.\n")),
    };
    let mut answer = format!(
        "HTTP/1.1 {status}\r\nServer: wscheck\r\nConnection: close\r\nCache-Control: no-store\r\n\
         Content-Type: {}\r\nContent-Length: {}\r\n\r\n",
        page.media_type,
        page.text.len()
    );
    if method != b"HEAD" {
        answer.push_str(&page.text);
    }
    answer.into_bytes()
}
