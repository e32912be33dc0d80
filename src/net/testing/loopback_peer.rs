//! Scripted peers on loopback, for tests.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::domain::connection::target::Target;

/// A peer that accepts one connection; its script runs in its own task and returns what it saw.
pub struct LoopbackPeer<T> {
    pub address: SocketAddr,
    pub task: JoinHandle<T>,
}

impl<T> LoopbackPeer<T> {
    /// A URL of this peer.
    pub fn target(&self) -> Target {
        format!("ws://{}/", self.address).parse().unwrap()
    }

    /// A TLS URL of this peer.
    pub fn secure_target(&self) -> Target {
        format!("wss://{}/", self.address).parse().unwrap()
    }
}

/// Runs `script` on the first connection to a free port of `host`.
pub async fn peer_on<F, Fut, T>(host: &str, script: F) -> LoopbackPeer<T>
where
    F: FnOnce(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(stream).await
    });
    LoopbackPeer { address, task }
}

/// Runs `script` on the first connection to a free port of 127.0.0.1.
pub async fn peer<F, Fut, T>(script: F) -> LoopbackPeer<T>
where
    F: FnOnce(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    peer_on("127.0.0.1", script).await
}

/// Reads the request, sends these bytes, and closes; the task returns the request.
pub async fn answering(answer: &'static [u8]) -> LoopbackPeer<String> {
    peer(async move |mut stream: TcpStream| {
        let request = request(&mut stream).await;
        let _ = stream.write_all(answer).await;
        request
    })
    .await
}

/// Reads a request's head.
pub async fn request<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}

/// The value of a header in a request.
pub fn header<'a>(request: &'a str, name: &str) -> Option<&'a str> {
    request.lines().find_map(|line| {
        let (n, value) = line.split_once(": ")?;
        n.eq_ignore_ascii_case(name).then_some(value)
    })
}

/// The response that accepts `request`, with `more` header lines.
pub fn accepting(request: &str, more: &str) -> String {
    let accept = derive_accept_key(header(request, "Sec-WebSocket-Key").unwrap_or_default().as_bytes());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{more}\r\n"
    )
}

/// Accepts the upgrade, echoes all further bytes until the end, and returns the request.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> String {
    let request = request(&mut stream).await;
    let _ = stream.write_all(accepting(&request, "Server: scripted\r\n").as_bytes()).await;
    let _ = stream.flush().await;
    let mut bytes = [0; 64];
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        let _ = stream.write_all(&bytes[..count]).await;
        let _ = stream.flush().await;
    }
    request
}

/// An HTTP proxy that makes the requested connection; returns the request.
pub async fn connect_proxy<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) -> String {
    let request = request(&mut stream).await;
    let to = request.split(' ').nth(1).unwrap().to_string();
    let mut onward = TcpStream::connect(to).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut onward).await;
    request
}
