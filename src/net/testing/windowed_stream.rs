//! A stream whose peer grants room for what is written, as by flow control of HTTP/2 (RFC 9113 section 5.2).

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};

use super::raw_peer::RawPeer;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::net::client::websocket::WebSocket;
use crate::net::transport::http2::signals::Http2Signals;
use crate::net::transport::tap::{Tap, TcpIntrospect};
use crate::net::transport::upgraded_stream::UpgradedStream;

/// A WebSocket over such a stream.
pub type WindowedSocket = WebSocket<WindowedStream>;

/// The stream; its exhausted window is always that of the stream.
#[derive(Debug)]
pub struct WindowedStream {
    tap: Tap<DuplexStream>,
    window: Arc<Mutex<Window>>,
    is_exhausted: bool,
}

#[derive(Debug)]
struct Window {
    room: usize,
    waker: Option<Waker>,
}

/// Grants more room.
#[derive(Debug, Clone)]
pub struct WindowGrant(Arc<Mutex<Window>>);

impl WindowGrant {
    pub fn enlarge(&self, by: usize) {
        let mut window = self.0.lock().unwrap();
        window.room += by;
        window.waker.take().into_iter().for_each(Waker::wake);
    }
}

/// A WebSocket whose peer grants this much room at first.
pub async fn windowed_socket(room: usize) -> (WindowedSocket, RawPeer, WindowGrant) {
    let (near, far) = duplex(64 * 1024);
    let tap = Tap::new(near);
    let (tap_state, window) = (tap.state(), Arc::new(Mutex::new(Window { room, waker: None })));
    let stream = WindowedStream { tap, window: Arc::clone(&window), is_exhausted: false };
    let upgraded = UpgradedStream { stream, leftover: Vec::new(), tap_state, deflate: None };
    (WebSocket::new(upgraded, 65_536, 1024).await, RawPeer { io: far }, WindowGrant(window))
}

impl TcpIntrospect for WindowedStream {
    fn exhausted_window(&self) -> Option<ExhaustedWindow> {
        self.is_exhausted.then_some(ExhaustedWindow::Stream)
    }
}

impl Http2Signals for WindowedStream {}

impl AsyncRead for WindowedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tap).poll_read(cx, buf)
    }
}

impl AsyncWrite for WindowedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = {
            let mut window = self.window.lock().unwrap();
            window.waker = Some(cx.waker().clone());
            let room = window.room.min(bytes.len());
            window.room -= room;
            room
        };
        self.is_exhausted = room == 0;
        if self.is_exhausted { Poll::Pending } else { Pin::new(&mut self.tap).poll_write(cx, &bytes[..room]) }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tap).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tap).poll_shutdown(cx)
    }
}
