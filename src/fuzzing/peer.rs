//! A peer that sends given bytes in given pieces.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::runtime::{Builder, Runtime};

use crate::net::transport::tap::TimestampedRead;

/// How bytes are cut: 0 leaves them whole; any other number gives pieces of pseudo-random sizes, of at most this many bytes.
#[derive(Debug, Clone, Copy)]
pub struct PieceSizes(pub u8);

impl PieceSizes {
    /// The pieces, none of which is empty.
    pub fn cut(self, mut bytes: &[u8]) -> Vec<&[u8]> {
        let (mut state, mut pieces) = (u32::from(self.0), Vec::new());
        while !bytes.is_empty() {
            // A linear congruential generator (Numerical Recipes), whose high bits are the random ones.
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let size = match self.0 {
                0 => bytes.len(),
                most => 1 + (state >> 16) as usize % usize::from(most),
            };
            let (piece, rest) = bytes.split_at(size.min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

/// A stream that brings each piece by a read of its own, then ends. It takes whatever is written.
#[derive(Debug)]
pub struct Peer<'a> {
    pieces: VecDeque<&'a [u8]>,
    is_between_pieces: bool,
}

impl<'a> Peer<'a> {
    pub fn new(pieces: impl IntoIterator<Item = &'a [u8]>) -> Peer<'a> {
        Peer { pieces: pieces.into_iter().collect(), is_between_pieces: false }
    }
}

impl TimestampedRead for Peer<'_> {}

impl AsyncRead for Peer<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.is_between_pieces) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(piece) = self.pieces.pop_front() {
            let (now, later) = piece.split_at(piece.len().min(buf.remaining()));
            buf.put_slice(now);
            if later.is_empty() {
                self.is_between_pieces = true;
            } else {
                self.pieces.push_front(later);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Peer<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs a future to its end. The clock stands still while there is something to do, so that a slow machine meets no timeout.
pub fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime can be built");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
