//! The bounds between which a timeout lies.

use std::time::Duration;

/// Between which idle spans the timeout lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bracket {
    /// An idle span that was asked and answered, below every span that was not.
    pub lo: Option<Duration>,
    /// The shortest span that is confirmed not to survive.
    pub hi: Option<Duration>,
}

impl Bracket {
    /// Whether a timeout of this length agrees with the bracket.
    pub fn contains(&self, timeout: Duration) -> bool {
        self.lo.is_none_or(|lo| lo <= timeout) && self.hi.is_none_or(|hi| timeout <= hi)
    }

    /// Upper less lower end, where both are known.
    pub fn width(&self) -> Option<Duration> {
        Some(self.hi?.saturating_sub(self.lo?))
    }
}
