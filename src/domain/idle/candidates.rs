//! The spans that are worth trying first.

use crate::domain::run::well_known_timeouts::WELL_KNOWN_TIMEOUTS;
use std::time::Duration;

/// Neighbours in the grid are at most so far apart. With a dozen connections at work, such a grid costs
/// about a fifth more time than its longest span, because the short ones free their connections early.
const MAX_GRID_RATIO: f64 = 1.16;

/// The well-known spans between two bounds and the lower bound, with geometric steps in between and up to the
/// upper bound, which is left to the watchers.
pub(super) fn grid(min: Duration, max: Duration) -> Vec<Duration> {
    let known = WELL_KNOWN_TIMEOUTS.iter().map(|known| Duration::from_secs(*known));
    let mut posts: Vec<_> = known.filter(|span| min < *span && *span < max).collect();
    posts.insert(0, min);
    posts.push(max);
    posts.dedup();
    posts.windows(2).flat_map(|pair| steps(pair[0], pair[1])).collect()
}

/// The first of two spans, and what lies between it and the second.
fn steps(from: Duration, to: Duration) -> Vec<Duration> {
    let ratio = to.as_secs_f64() / from.as_secs_f64();
    let count = (ratio.ln() / MAX_GRID_RATIO.ln() - 1e-9).ceil().max(1.0);
    (0..count as u32).map(|i| from.mul_f64(ratio.powf(f64::from(i) / count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_close_and_the_well_known_are_among_them() {
        let spans = grid(Duration::from_secs(1), Duration::from_secs(3600));
        for pair in spans.windows(2) {
            let ratio = pair[1].as_secs_f64() / pair[0].as_secs_f64();
            assert!(1.0 < ratio && ratio <= MAX_GRID_RATIO + 1e-6, "{pair:?}");
        }
        for known in &WELL_KNOWN_TIMEOUTS[..WELL_KNOWN_TIMEOUTS.len() - 1] {
            assert!(spans.contains(&Duration::from_secs(*known)), "{known}");
        }
        assert_eq!(spans.first(), Some(&Duration::from_secs(1)));
    }

    #[test]
    fn one_span_is_the_watchers() {
        let one = Duration::from_secs(7);
        assert!(grid(one, one).is_empty());
    }
}
