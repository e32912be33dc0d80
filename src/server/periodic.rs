//! Frames that a faulty server sends repeatedly without being asked.

use std::time::Duration;

use tokio::time::Instant;

use super::faults::RepeatedSend;
use super::frame::{Opcode, encode};

/// Maximum number of frames to catch up at once after a stall.
const MAX_CATCH_UP_FRAMES: usize = 1000;

/// The repeated frames of one connection.
#[derive(Debug, Default)]
pub struct PeriodicFrames {
    all: Vec<PeriodicFrame>,
}

#[derive(Debug)]
struct PeriodicFrame {
    next: Instant,
    every: Duration,
    what: RepeatedSend,
    count: u64,
}

impl PeriodicFrames {
    /// Each starts one interval from `now`.
    pub fn new(wanted: &[(Duration, RepeatedSend)], now: Instant) -> PeriodicFrames {
        let begin = |&(every, what): &(Duration, RepeatedSend)| PeriodicFrame {
            next: now + every,
            every,
            what,
            count: 0,
        };
        PeriodicFrames { all: wanted.iter().map(begin).collect() }
    }

    /// The frames that are due by `now`.
    pub fn take_due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut due = Vec::new();
        for repeating in &mut self.all {
            while repeating.next <= now && due.len() < MAX_CATCH_UP_FRAMES {
                due.push(frame(repeating.what, repeating.count));
                repeating.next += repeating.every;
                repeating.count += 1;
            }
        }
        due
    }

    /// When the next frame is due.
    pub fn due(&self) -> Option<Instant> {
        self.all.iter().map(|repeating| repeating.next).min()
    }
}

fn frame(what: RepeatedSend, count: u64) -> Vec<u8> {
    match what {
        RepeatedSend::Chatter => {
            encode(Opcode::Text, format!(r#"{{"type":"chatter","seq":{count}}}"#).as_bytes())
        }
        RepeatedSend::UnsolicitedPong => encode(Opcode::Pong, format!("unsolicited-{count}").as_bytes()),
        RepeatedSend::Ping => encode(Opcode::Ping, format!("flood-{count}").as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_missed_in_a_stall_are_caught_up() {
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let mut repeats = PeriodicFrames::new(&[(ms(10), RepeatedSend::Ping)], start);
        assert_eq!((repeats.due(), repeats.take_due(start + ms(9)).len()), (Some(start + ms(10)), 0));
        let due = repeats.take_due(start + ms(35));
        assert_eq!(
            due.iter().map(|frame| &frame[2..]).collect::<Vec<_>>(),
            [b"flood-0", b"flood-1", b"flood-2"]
        );
        assert_eq!(repeats.due(), Some(start + ms(40)));
        assert_eq!(repeats.take_due(start + ms(1_000_000)).len(), MAX_CATCH_UP_FRAMES);
    }
}
