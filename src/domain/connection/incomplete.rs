//! What had arrived of a frame, or of a fragmented message, that never became complete.

use std::fmt;
use std::time::Duration;

use crate::domain::format::{counted, duration};

/// How much had arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncompletePart {
    /// Part of a frame's header, which contains its length.
    Head { bytes: u64 },
    /// Part of a frame's payload.
    Frame { received: u64, size: u64 },
    /// Part of a fragmented message: complete frames without the last one.
    Message { fragments: u64, bytes: u64 },
    /// Part of an encrypted record.
    Record,
}

/// The part that had arrived, and the time since its last bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncompleteData {
    pub part: IncompletePart,
    pub since: Duration,
}

impl IncompleteData {
    /// Consequence of data that [blocks pongs](Self::blocks_pongs), as a fragment of a sentence.
    pub const BLOCKS: &str = "no reply can come before the rest of it";

    /// Whether no Pong can arrive before the rest: none fits inside a frame, but one may come between the
    /// fragments of a message (RFC 6455 section 5.4).
    pub fn blocks_pongs(&self) -> bool {
        match self.part {
            IncompletePart::Head { .. } | IncompletePart::Frame { .. } | IncompletePart::Record => true,
            IncompletePart::Message { .. } => false,
        }
    }
}

/// Shorter times are pauses between two packets.
const MIN_PAUSE: Duration = Duration::from_millis(100);

impl fmt::Display for IncompleteData {
    /// `a frame is incomplete: 100 of 10000 bytes came, then nothing for 4 s`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.part {
            IncompletePart::Head { bytes } => {
                write!(f, "a frame is incomplete: {} of its head came", counted(bytes, "byte"))?;
            }
            IncompletePart::Frame { received, size } => {
                write!(f, "a frame is incomplete: {received} of {size} bytes came")?
            }
            IncompletePart::Message { fragments, bytes } => {
                let fragments = counted(fragments, "fragment");
                write!(f, "a message is incomplete: {fragments} with {bytes} bytes came, and not the last")?;
            }
            IncompletePart::Record => write!(f, "bytes came that complete no TLS record")?,
        }
        if self.since >= MIN_PAUSE {
            write!(f, ", then nothing for {}", duration(self.since))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn incomplete_parts_are_told_with_the_pause_behind_them() {
        let text = |part, millis| IncompleteData { part, since: Duration::from_millis(millis) }.to_string();
        assert_eq!(
            text(IncompletePart::Frame { received: 100, size: 10_000 }, 4000),
            "a frame is incomplete: 100 of 10000 bytes came, then nothing for 4 s"
        );
        assert_eq!(
            text(IncompletePart::Head { bytes: 1 }, 10),
            "a frame is incomplete: 1 byte of its head came"
        );
        assert_eq!(
            text(IncompletePart::Message { fragments: 2, bytes: 300 }, 1500),
            "a message is incomplete: 2 fragments with 300 bytes came, and not the last, then nothing for 1.5 s"
        );
    }
}
