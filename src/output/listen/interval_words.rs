//! An interval in words: its range, its outliers, and how well its gaps agree.

use std::time::Duration;

use crate::domain::format::{self, counted};
use crate::domain::stats::interval::Interval;

/// Gaps are measured no finer than this.
const CLOCK_GRAIN: Duration = Duration::from_millis(1);

/// `29.9 s to 30.1 s`
pub fn range(interval: &Interval) -> String {
    match (format::duration(interval.min), format::duration(interval.max)) {
        (min, max) if min == max => max,
        (min, max) => format!("{min} to {max}"),
    }
}

/// Gaps that are no interval, which the median does not show.
pub fn outlier(interval: &Interval) -> Option<String> {
    match (interval.fits(interval.max), interval.fits(interval.min)) {
        (false, _) => Some(format!(", but up to {} apart", format::duration(interval.max))),
        (true, false) => Some(format!(", but sometimes only {} apart", format::duration(interval.min))),
        (true, true) => None,
    }
}

/// `median of 3 gaps, within 20 ms of each other`
pub fn summary(interval: &Interval, of: &str) -> String {
    let gaps = counted(interval.gaps as u64, of);
    let spread = match interval.gaps {
        1 => String::new(),
        _ if outlier(interval).is_some() => String::new(),
        _ => format!(", within {} of each other", format::duration(interval.spread().max(CLOCK_GRAIN))),
    };
    format!("median of {gaps}{spread}")
}
