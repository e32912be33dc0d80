//! The bounds of a timeout.

use std::time::Duration;

/// The range that contains the timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bracket {
    /// The longest idle span that survived below all spans that did not.
    pub lo: Option<Duration>,
    /// The shortest span confirmed not to survive.
    pub hi: Option<Duration>,
}

impl Bracket {
    /// Whether a timeout of this length lies in the range.
    pub fn contains(&self, timeout: Duration) -> bool {
        self.lo.is_none_or(|lo| lo <= timeout) && self.hi.is_none_or(|hi| timeout <= hi)
    }

    /// The difference of both ends, if known.
    pub fn width(&self) -> Option<Duration> {
        Some(self.hi?.saturating_sub(self.lo?))
    }
}
