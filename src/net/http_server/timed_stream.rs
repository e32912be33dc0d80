//! A stream whose client must send its request, and take its response, in time.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::HttpLimits;
use super::slots::Activity;

/// Fails reads when a request's head takes too long, and writes when the client does not take what was sent.
pub(super) struct TimedStream<S> {
    stream: S,
    activity: Arc<Activity>,
    limits: HttpLimits,
    /// The end of the current head's time, once a read had to wait for it.
    head_end: Option<Pin<Box<Sleep>>>,
    /// The end of the time for what was sent and not taken yet.
    write_end: Option<Pin<Box<Sleep>>>,
    /// Whether the client was too slow.
    pub(super) timed_out: bool,
}

impl<S> TimedStream<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>, limits: HttpLimits) -> TimedStream<S> {
        TimedStream { stream, activity, limits, head_end: None, write_end: None, timed_out: false }
    }

    /// Fails a read when the head's time is over.
    fn poll_head_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let Some(since) = self.activity.head_since() else {
            self.head_end = None;
            return Poll::Pending;
        };
        let error = ready!(poll_end(&mut self.head_end, since + self.limits.head_timeout, cx));
        self.timed_out = true;
        Poll::Ready(error)
    }

    /// Fails a write that has to wait longer than the limit.
    fn limit_write<T>(&mut self, polled: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            return polled;
        }
        let end = match &self.write_end {
            Some(end) => end.deadline(),
            None => Instant::now() + self.limits.write_timeout,
        };
        let error = ready!(poll_end(&mut self.write_end, end, cx));
        self.timed_out = true;
        Poll::Ready(Err(error))
    }
}

/// Polls a timer that ends at `end`.
fn poll_end(timer: &mut Option<Pin<Box<Sleep>>>, end: Instant, cx: &mut Context<'_>) -> Poll<io::Error> {
    let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
    if timer.deadline() != end {
        timer.as_mut().reset(end);
    }
    ready!(timer.as_mut().poll(cx));
    Poll::Ready(io::ErrorKind::TimedOut.into())
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Pending => Poll::Ready(Err(ready!(self.poll_head_end(cx)))),
            Poll::Ready(result) => {
                self.activity.begin_head();
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.limit_write(polled, cx)
    }

    /// All that was sent has been taken, if this is ready.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        if polled.is_ready() {
            self.write_end = None;
        }
        self.limit_write(polled, cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.limit_write(polled, cx)
    }
}
