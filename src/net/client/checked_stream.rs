//! A stream of server frames that are checked, and whose messages are decompressed, before the WebSocket library reads them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::deflate::Decompressor;
use super::frame_check::{FrameCheck, FrameError};
use crate::domain::connection::incomplete::IncompletePart;
use crate::domain::connection::permessage_deflate::AgreedDeflate;

/// How much is read at once of messages to decompress, in bytes.
const COMPRESSED_READ: usize = 2048;

/// A stream of server frames that returns an error at the first illegal frame; bytes before it stay readable.
#[derive(Debug)]
pub struct CheckedStream<S> {
    inner: S,
    check: FrameCheck,
    illegal: Option<Box<FrameError>>,
    /// What decompresses messages, if that was agreed.
    decompressing: Option<Box<Decompressing>>,
}

/// Messages that are decompressed before they are read.
#[derive(Debug)]
struct Decompressing {
    decompressor: Decompressor,
    /// What is to be read, from `next` on.
    decompressed: Vec<u8>,
    next: usize,
}

impl Decompressing {
    fn read_into(&mut self, buf: &mut ReadBuf<'_>) -> usize {
        let rest = &self.decompressed[self.next..];
        let count = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..count]);
        self.next += count;
        if self.next == self.decompressed.len() {
            self.decompressed = Vec::new();
            self.next = 0;
        }
        count
    }
}

impl<S> CheckedStream<S> {
    /// Also checks `leftover`, the bytes already read, and truncates it before the first illegal frame; what is to be decompressed
    /// is taken from it. `largest`: maximum size of a message in bytes.
    pub fn new(
        inner: S,
        leftover: &mut Vec<u8>,
        deflate: Option<AgreedDeflate>,
        largest: usize,
    ) -> CheckedStream<S> {
        let decompressing = deflate.map(|agreed| Decompressing {
            decompressor: Decompressor::new(agreed, largest),
            decompressed: Vec::new(),
            next: 0,
        });
        let check = FrameCheck::new(decompressing.is_some());
        let mut checked =
            CheckedStream { inner, check, illegal: None, decompressing: decompressing.map(Box::new) };
        let legal = checked.count_legal_bytes(leftover);
        leftover.truncate(legal);
        if checked.decompressing.is_some() {
            checked.decompress(&std::mem::take(leftover));
        }
        checked
    }

    /// Decompresses legal frames. A message that cannot be decompressed comes before the illegal head that follows them.
    fn decompress(&mut self, bytes: &[u8]) {
        if let Some(decompressing) = &mut self.decompressing
            && let Err(illegal) = decompressing.decompressor.take(bytes, &mut decompressing.decompressed)
        {
            self.illegal = Some(Box::new(illegal));
        }
    }

    /// The number of leading bytes that may be passed on.
    fn count_legal_bytes(&mut self, bytes: &[u8]) -> usize {
        match self.check.consume(bytes) {
            Ok(()) => bytes.len(),
            Err((legal, illegal)) => {
                self.illegal = Some(Box::new(illegal.into()));
                legal
            }
        }
    }

    /// The incomplete frame or fragmented message, if any.
    pub fn incomplete(&self) -> Option<IncompletePart> {
        self.check.incomplete()
    }

    pub fn check(&self) -> &FrameCheck {
        &self.check
    }

    pub fn inner(&self) -> &S {
        &self.inner
    }

    pub fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    fn error(&self) -> Option<io::Error> {
        self.illegal.clone().map(|illegal| io::Error::new(io::ErrorKind::InvalidData, *illegal))
    }
}

impl<S: AsyncRead + Unpin> CheckedStream<S> {
    /// Reads what is decompressed, and from the stream if that is nothing.
    fn poll_decompressed(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.decompressing.as_mut().is_some_and(|decompressing| decompressing.read_into(buf) > 0) {
                return Poll::Ready(Ok(()));
            }
            if let Some(error) = self.error() {
                return Poll::Ready(Err(error));
            }
            let mut compressed = [0; COMPRESSED_READ];
            let mut compressed = ReadBuf::new(&mut compressed);
            ready!(Pin::new(&mut self.inner).poll_read(cx, &mut compressed))?;
            if compressed.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let legal = self.count_legal_bytes(compressed.filled());
            self.decompress(&compressed.filled()[..legal]);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for CheckedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.decompressing.is_some() {
            return self.poll_decompressed(cx, buf);
        }
        if let Some(error) = self.error() {
            return Poll::Ready(Err(error));
        }
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let read = buf.filled().len() - before;
        let legal = self.count_legal_bytes(&buf.filled()[before..]);
        buf.set_filled(before + legal);
        // An empty read would mean the end of the stream.
        match self.error().filter(|_| legal == 0 && read > 0) {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for CheckedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
