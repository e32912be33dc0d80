//! A histogram in one line of blocks.

use crate::output::time_unit::RTT_UNIT;
use crate::output::view::Distribution;

/// Fewer samples make no shape.
const MIN_HISTOGRAM_SAMPLES: u64 = 5;
/// The most columns drawn; neighbouring buckets are merged beyond that.
const MAX_HISTOGRAM_WIDTH: usize = 32;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `0.187 |██     ▄| 0.310 ms; at most 3 in a column`: one block for each interval, as high as its count is against the
/// highest; an empty one is a space. `None` with too few samples to draw.
pub fn histogram(distribution: &Distribution) -> Option<String> {
    let Distribution { name, min_ms, max_ms, counts } = distribution;
    let (line, highest) = draw(counts)?;
    let name = name.as_ref().map(|name| format!("{name}: ")).unwrap_or_default();
    let (min, max) = (RTT_UNIT.number((*min_ms).into()), RTT_UNIT.span((*max_ms).into()));
    Some(format!("{name}{min} |{line}| {max}; at most {highest} in a column"))
}

/// The blocks, and the count of the highest.
fn draw(counts: &[u64]) -> Option<(String, u64)> {
    if sum(counts) < MIN_HISTOGRAM_SAMPLES {
        return None;
    }
    let each = counts.len().div_ceil(MAX_HISTOGRAM_WIDTH);
    let columns: Vec<u64> = counts.chunks(each.max(1)).map(sum).collect();
    let highest = columns.iter().copied().max()?;
    Some((columns.iter().map(|count| block(*count, highest)).collect(), highest))
}

/// An archived file may have any numbers.
fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// What is not nothing is at least the lowest block.
fn block(count: u64, highest: u64) -> char {
    let eighths = (u128::from(count) * 8).div_ceil(u128::from(highest)) as usize;
    match eighths {
        0 => ' ',
        level => BLOCKS[level.min(8) - 1],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(counts: &[u64]) -> Option<String> {
        draw(counts).map(|(line, _)| line)
    }

    #[test]
    fn highest_bucket_is_full_and_one_sample_is_visible() {
        assert_eq!(drawn(&[1000, 500, 0, 1]).as_deref(), Some("█▄ ▁"));
    }

    #[test]
    fn four_samples_make_no_shape() {
        assert_eq!(drawn(&[4]), None);
        assert_eq!(drawn(&[]), None);
    }

    #[test]
    fn many_buckets_are_merged() {
        let line = drawn(&[1; 70]).unwrap();
        assert_eq!(line.chars().count(), 24);
        assert!(line.starts_with("███") && line.ends_with('▃'), "{line}");
    }

    #[test]
    fn the_largest_counts_do_not_overflow() {
        assert_eq!(drawn(&[u64::MAX / 2, 1]).as_deref(), Some("█▁"));
    }
}
