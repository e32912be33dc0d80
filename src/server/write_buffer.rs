//! Bytes to be written to a client.

use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::time::Instant;

/// Bytes to be written, and their rate limit.
#[derive(Debug, Default)]
pub struct WriteBuffer {
    bytes: BytesMut,
    pace: Option<Trickle>,
}

/// Sends one byte per `every`.
#[derive(Debug)]
struct Trickle {
    every: Duration,
    next: Instant,
}

impl WriteBuffer {
    /// Limits the rate to one byte per `every` from now on.
    pub fn trickle(&mut self, every: Duration, now: Instant) {
        self.pace = Some(Trickle { every, next: now + every });
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes that may be written now.
    pub fn ready(&self, now: Instant) -> &[u8] {
        match &self.pace {
            None => &self.bytes,
            Some(pace) if pace.next <= now => self.bytes.get(..1).unwrap_or_default(),
            Some(_) => &[],
        }
    }

    /// Records that `count` bytes were written. An empty buffer holds no memory.
    pub fn record_written(&mut self, count: usize, now: Instant) {
        self.bytes.advance(count.min(self.bytes.len()));
        if self.bytes.is_empty() {
            self.clear();
        }
        if let Some(pace) = &mut self.pace {
            pace.next = now + pace.every;
        }
    }

    /// Number of bytes to be written.
    pub fn backlog(&self) -> usize {
        self.bytes.len()
    }

    /// When the rate limit allows the next byte; `None` if only the socket blocks.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        self.pace.as_ref().map(|pace| pace.next).filter(|next| *next > now && self.backlog() > 0)
    }

    /// Discards unwritten bytes.
    pub fn clear(&mut self) {
        self.bytes = BytesMut::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_bytes_are_removed() {
        let (now, mut outbox) = (Instant::now(), WriteBuffer::default());
        outbox.push(b"abc");
        outbox.record_written(1, now);
        outbox.push(b"d");
        assert_eq!((outbox.ready(now), outbox.backlog()), (&b"bcd"[..], 3));
        outbox.record_written(3, now);
        assert_eq!((outbox.ready(now), outbox.bytes.capacity()), (&b""[..], 0));
    }

    #[test]
    fn trickle_sends_one_byte_at_a_time() {
        let (start, mut outbox) = (Instant::now(), WriteBuffer::default());
        let second = Duration::from_secs(1);
        outbox.trickle(second, start);
        assert_eq!(outbox.due(start), None);
        outbox.push(b"ab");
        assert_eq!((outbox.ready(start), outbox.due(start)), (&b""[..], Some(start + second)));
        assert_eq!((outbox.ready(start + second), outbox.due(start + second)), (&b"a"[..], None));
        outbox.record_written(1, start + second);
        assert_eq!(
            (outbox.ready(start + second), outbox.due(start + second)),
            (&b""[..], Some(start + second * 2))
        );
    }
}
