//! The spans to try first.

use crate::domain::run::well_known_timeouts::WELL_KNOWN_TIMEOUTS;
use std::time::Duration;

/// Maximum ratio of neighbouring spans. With a dozen connections such a grid takes about a fifth longer than
/// its longest span, because short spans free their connections early.
const MAX_GRID_RATIO: f64 = 1.16;

/// The lower bound, the well-known timeouts between the bounds, and geometric steps between these. The upper
/// bound is left to the watchers.
pub(super) fn grid(min: Duration, max: Duration) -> Vec<Duration> {
    let known = WELL_KNOWN_TIMEOUTS.iter().map(|known| Duration::from_secs(*known));
    let mut anchors: Vec<_> = known.filter(|span| min < *span && *span < max).collect();
    anchors.insert(0, min);
    anchors.push(max);
    anchors.dedup();
    anchors.windows(2).flat_map(|pair| steps(pair[0], pair[1])).collect()
}

/// Geometric steps from one span to another, which is excluded.
fn steps(from: Duration, to: Duration) -> Vec<Duration> {
    let ratio = to.as_secs_f64() / from.as_secs_f64();
    let count = (ratio.ln() / MAX_GRID_RATIO.ln() - 1e-9).ceil().max(1.0);
    (0..count as u32).map(|i| from.mul_f64(ratio.powf(f64::from(i) / count))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grid_has_small_steps_and_the_well_known_timeouts() {
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
    fn single_span_is_left_to_the_watchers() {
        let one = Duration::from_secs(7);
        assert!(grid(one, one).is_empty());
    }
}
