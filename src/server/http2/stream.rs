//! A stream of HTTP/2 as the socket of a client.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h2::{Reason, RecvStream, SendStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::error::io_error;
use crate::domain::connection::close_cause::CloseKind;
use crate::server::socket::ClientSocket;

/// Maximum number of bytes written at once; a DATA frame has no more unless the client allows it (RFC 9113 section 4.2).
const MAX_WRITE: usize = 16 * 1024;

/// One stream, in both directions. The window grows by what is read; dropping it ends the stream, as close(2) does.
#[derive(Debug)]
pub struct Http2Stream {
    receive: RecvStream,
    send: SendStream<Bytes>,
    /// Data that arrived and was not read.
    unread: Bytes,
    /// END_STREAM or RST_STREAM was sent.
    is_ended: bool,
}

impl Http2Stream {
    pub fn new(receive: RecvStream, send: SendStream<Bytes>) -> Http2Stream {
        Http2Stream { receive, send, unread: Bytes::new(), is_ended: false }
    }

    fn end(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_ended, true) {
            return Ok(());
        }
        self.send.send_data(Bytes::new(), true).map_err(io_error)
    }

    /// Waits until the window lets at least one of `wanted` bytes through.
    fn poll_room(&mut self, wanted: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.send.reserve_capacity(wanted);
        loop {
            match self.send.capacity() {
                0 => {}
                room => return Poll::Ready(Ok(room.min(wanted))),
            }
            match ready!(self.send.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(io_error(error))),
                None => return Poll::Ready(Err(self.cause(cx))),
            }
        }
    }

    /// Why nothing can be sent any more: reading knows it.
    fn cause(&mut self, cx: &mut Context<'_>) -> io::Error {
        loop {
            match self.receive.poll_data(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(error))) => return io_error(error),
                Poll::Ready(None) | Poll::Pending => return io::ErrorKind::BrokenPipe.into(),
            }
        }
    }
}

impl AsyncRead for Http2Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.unread.is_empty() {
            match ready!(self.receive.poll_data(cx)) {
                None => return Poll::Ready(Ok(())),
                Some(data) => self.unread = data.map_err(io_error)?,
            }
        }
        let count = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread[..count]);
        self.unread.advance(count);
        // A stream that has ended has no window to enlarge.
        let _ = self.receive.flow_control().release_capacity(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Http2Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let room = ready!(self.poll_room(bytes.len().min(MAX_WRITE), cx))?;
        let data = Bytes::copy_from_slice(&bytes[..room]);
        let sent = self.send.send_data(data, false);
        Poll::Ready(sent.map(|()| room).map_err(|_| self.cause(cx)))
    }

    /// The connection's driver sends by itself. What was reserved for bytes that are no longer to be written is freed,
    /// since all streams share the connection's window.
    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.send.reserve_capacity(0);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end())
    }
}

impl ClientSocket for Http2Stream {
    const END: CloseKind = CloseKind::H2EndStream;

    fn send_fin(&mut self) -> io::Result<()> {
        self.end()
    }

    /// Discards what arrives without enlarging the window, so that the client cannot send more than the window holds.
    async fn abandoned(&mut self) -> io::Result<CloseKind> {
        loop {
            match poll_fn(|cx| self.receive.poll_data(cx)).await {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(io_error(error)),
                None => return Ok(CloseKind::H2EndStream),
            }
        }
    }

    fn reset_on_drop(&mut self) -> io::Result<()> {
        self.is_ended = true;
        self.send.send_reset(Reason::CANCEL);
        Ok(())
    }
}

impl Drop for Http2Stream {
    fn drop(&mut self) {
        // Fails if the stream or its connection has ended.
        let _ = self.end();
    }
}
