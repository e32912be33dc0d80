//! An in-memory stream over a simulated kernel.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::time::Instant;

use crate::domain::connection::tcp::TcpView;
use crate::net::transport::tap::{TcpIntrospect, TimestampedRead, TxTimestamp};

/// What the simulated kernel reports until the test changes it.
#[derive(Debug, Default)]
pub struct FakeKernel {
    pub tcp: Option<TcpView>,
    /// How long received bytes waited in the kernel.
    pub age: Option<Duration>,
    /// Send timestamps not taken yet: last byte, and how long before it is taken the byte left.
    pub departed: VecDeque<(u32, Duration)>,
}

/// A stream over a simulated kernel.
#[derive(Debug)]
pub struct FakeTcpStream {
    stream: DuplexStream,
    kernel: Arc<Mutex<FakeKernel>>,
    stamps_departures: bool,
}

impl FakeTcpStream {
    /// The kernel timestamps sent bytes when the test says so.
    pub fn stamping(stream: DuplexStream) -> FakeTcpStream {
        FakeTcpStream { stream, kernel: Arc::default(), stamps_departures: true }
    }

    /// The kernel timestamps no sent bytes.
    pub fn plain(stream: DuplexStream) -> FakeTcpStream {
        FakeTcpStream { stream, kernel: Arc::default(), stamps_departures: false }
    }

    /// The simulated kernel, for the test to change.
    pub fn kernel(&self) -> Arc<Mutex<FakeKernel>> {
        Arc::clone(&self.kernel)
    }
}

impl TcpIntrospect for FakeTcpStream {
    fn tcp(&self) -> Option<TcpView> {
        self.kernel.lock().unwrap().tcp
    }
}

impl TimestampedRead for FakeTcpStream {
    fn poll_read_stamped(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Option<Instant>>> {
        let age = self.kernel.lock().unwrap().age;
        Pin::new(&mut self.stream).poll_read(cx, buf).map_ok(|()| Instant::now().checked_sub(age?))
    }

    fn stamps_departures(&self) -> bool {
        self.stamps_departures
    }

    fn departed(&mut self) -> Option<TxTimestamp> {
        let (last_byte, age) = self.kernel.lock().unwrap().departed.pop_front()?;
        Some(TxTimestamp { last_byte, at: Instant::now() - age })
    }
}

impl AsyncRead for FakeTcpStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for FakeTcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
