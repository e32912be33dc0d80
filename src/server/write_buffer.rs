//! Bytes on their way to a client.

use std::time::Duration;

use tokio::time::Instant;

/// So many written bytes are given back even while others wait.
const COMPACT_THRESHOLD: usize = 64 * 1024;

/// What waits to be written, and how fast it may go.
#[derive(Debug, Default)]
pub struct WriteBuffer {
    bytes: Vec<u8>,
    /// Of `bytes`, how many are written.
    written: usize,
    pace: Option<Trickle>,
}

/// One byte each `every`.
#[derive(Debug)]
struct Trickle {
    every: Duration,
    next: Instant,
}

impl WriteBuffer {
    /// From now on only one byte leaves in each `every`.
    pub fn trickle(&mut self, every: Duration, now: Instant) {
        self.pace = Some(Trickle { every, next: now + every });
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// What may be written now.
    pub fn ready(&self, now: Instant) -> &[u8] {
        let waiting = self.bytes.get(self.written..).unwrap_or_default();
        match &self.pace {
            None => waiting,
            Some(pace) if pace.next <= now => waiting.get(..1).unwrap_or_default(),
            Some(_) => &[],
        }
    }

    /// Notes that so many bytes were taken. An empty outbox holds no memory.
    pub fn wrote(&mut self, count: usize, now: Instant) {
        self.written += count;
        if self.written >= self.bytes.len() {
            self.bytes = Vec::new();
            self.written = 0;
        } else if self.written > COMPACT_THRESHOLD {
            self.bytes.drain(..self.written);
            self.written = 0;
        }
        if let Some(pace) = &mut self.pace {
            pace.next = now + pace.every;
        }
    }

    /// Bytes that wait.
    pub fn backlog(&self) -> usize {
        self.bytes.len() - self.written
    }

    /// When the next byte may leave, if one waits for its moment; not when it only waits for the socket.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        self.pace.as_ref().map(|pace| pace.next).filter(|next| *next > now && self.backlog() > 0)
    }

    /// Forgets what was not written.
    pub fn clear(&mut self) {
        self.bytes = Vec::new();
        self.written = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_gone_and_nothing_else() {
        let (now, mut outbox) = (Instant::now(), WriteBuffer::default());
        outbox.push(b"abc");
        outbox.wrote(1, now);
        outbox.push(b"d");
        assert_eq!((outbox.ready(now), outbox.backlog()), (&b"bcd"[..], 3));
        outbox.wrote(3, now);
        assert_eq!((outbox.ready(now), outbox.bytes.capacity()), (&b""[..], 0));
    }

    #[test]
    fn a_trickle_is_one_byte_at_a_time() {
        let (start, mut outbox) = (Instant::now(), WriteBuffer::default());
        let second = Duration::from_secs(1);
        outbox.trickle(second, start);
        assert_eq!(outbox.due(start), None);
        outbox.push(b"ab");
        assert_eq!((outbox.ready(start), outbox.due(start)), (&b""[..], Some(start + second)));
        assert_eq!((outbox.ready(start + second), outbox.due(start + second)), (&b"a"[..], None));
        outbox.wrote(1, start + second);
        assert_eq!(
            (outbox.ready(start + second), outbox.due(start + second)),
            (&b""[..], Some(start + second * 2))
        );
    }
}
