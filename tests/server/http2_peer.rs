//! A bare client over HTTP/2: the frames of `h2`, and WebSocket frames made here.

use std::net::SocketAddr;

use bytes::{Buf, Bytes, BytesMut};
use h2::client::{Connection, ResponseFuture, SendRequest};
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Method, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::peer::{Raw, within};

/// A connection whose driver runs.
pub struct Http2Connection {
    pub requests: SendRequest<Bytes>,
    pub driver: JoinHandle<Result<(), h2::Error>>,
}

/// An open WebSocket.
pub struct Http2Socket {
    pub send: SendStream<Bytes>,
    pub receive: RecvStream,
    received: BytesMut,
}

/// How reading ended.
#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Http2Got {
    Frame(Raw),
    EndStream,
    Reset(Reason),
    GoAway(Reason),
    Broken,
}

impl Http2Connection {
    /// With prior knowledge.
    pub async fn connect(address: SocketAddr) -> Http2Connection {
        let tcp = within(TcpStream::connect(address)).await.unwrap();
        Http2Connection::over(tcp).await
    }

    /// Over an open TCP or TLS connection; waits until the server's settings came.
    pub async fn over<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S) -> Http2Connection {
        // Hundreds of small frames may wait to be read.
        let handshake = h2::client::Builder::new().data_frame_budget(1 << 24).handshake(stream);
        let (requests, mut connection): (_, Connection<S, Bytes>) = within(handshake).await.unwrap();
        // The answer to a PING comes after the server's first frame, its settings.
        let mut pings = connection.ping_pong().unwrap();
        let driver = tokio::spawn(connection);
        within(pings.ping(h2::Ping::opaque())).await.unwrap();
        Http2Connection { requests, driver }
    }

    /// Sends a request without a body.
    pub async fn request(&mut self, request: Request<()>) -> ResponseFuture {
        let mut ready = within(self.requests.clone().ready()).await.unwrap();
        ready.send_request(request, true).unwrap().0
    }

    /// Asks for a WebSocket.
    pub async fn ask(
        &mut self,
        request: Request<()>,
    ) -> Result<(Response<RecvStream>, SendStream<Bytes>), h2::Error> {
        let mut ready = within(self.requests.clone().ready()).await?;
        let (response, send) = ready.send_request(request, false)?;
        Ok((within(response).await?, send))
    }

    /// Opens a WebSocket.
    pub async fn open(&mut self) -> Http2Socket {
        self.open_with(extended_connect()).await.1
    }

    /// Opens a WebSocket by this request.
    pub async fn open_with(&mut self, request: Request<()>) -> (HeaderMap, Http2Socket) {
        let (response, send) = self.ask(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let (head, receive) = response.into_parts();
        (head.headers, Http2Socket { send, receive, received: BytesMut::new() })
    }
}

/// A request for a WebSocket.
pub fn extended_connect() -> Request<()> {
    connect_for("websocket").header("sec-websocket-version", "13").body(()).unwrap()
}

/// An extended CONNECT for this protocol.
pub fn connect_for(protocol: &'static str) -> http::request::Builder {
    let builder = Request::builder().method(Method::CONNECT).uri("http://localhost/chat?x=1");
    builder.extension(Protocol::from_static(protocol))
}

/// The status of an answer, and its body.
pub async fn answer(response: Response<RecvStream>) -> (u16, HeaderMap, String) {
    let (head, mut body) = response.into_parts();
    let mut text = Vec::new();
    while let Some(data) = within(body.data()).await {
        text.extend_from_slice(&data.unwrap());
    }
    (head.status.as_u16(), head.headers, String::from_utf8(text).unwrap())
}

impl Http2Socket {
    /// Sends a masked frame of less than 126 bytes.
    pub fn send(&mut self, first: u8, payload: &[u8]) {
        let key = [1, 2, 3, 4];
        let mut frame = vec![first, 0x80 | payload.len() as u8];
        frame.extend(key);
        frame.extend(payload.iter().zip(key.iter().cycle()).map(|(b, k)| b ^ k));
        self.send.send_data(frame.into(), false).unwrap();
    }

    /// The next frame of less than 126 bytes, or the end.
    pub async fn next(&mut self) -> Http2Got {
        loop {
            if self.received.len() >= 2 && self.received.len() >= 2 + usize::from(self.received[1]) {
                let (first, length) = (self.received[0], usize::from(self.received[1]));
                self.received.advance(2);
                return Http2Got::Frame(Raw(first, self.received.split_to(length).to_vec()));
            }
            match within(self.receive.data()).await {
                None => return Http2Got::EndStream,
                Some(Ok(data)) => {
                    self.receive.flow_control().release_capacity(data.len()).unwrap();
                    self.received.extend_from_slice(&data);
                }
                Some(Err(error)) => return end(&error),
            }
        }
    }

    /// The next frame; panics at the end.
    pub async fn frame(&mut self) -> (u8, String) {
        match self.next().await {
            Http2Got::Frame(Raw(first, payload)) => (first, String::from_utf8_lossy(&payload).into_owned()),
            end => panic!("a frame was expected, not {end:?}"),
        }
    }
}

/// How a stream ended.
pub fn end(error: &h2::Error) -> Http2Got {
    match error.reason() {
        Some(reason) if error.is_go_away() => Http2Got::GoAway(reason),
        Some(reason) => Http2Got::Reset(reason),
        None => Http2Got::Broken,
    }
}
