//! A histogram of RTT in one line of blocks.

use std::time::Duration;

/// Fewer samples make no shape.
pub const MIN_HISTOGRAM_SAMPLES: u64 = 5;
/// The most columns drawn; neighbouring buckets are merged beyond that.
const MAX_HISTOGRAM_WIDTH: usize = 32;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// One block for each bucket, as high as its count is against the highest; an empty bucket is a space. `None` with
/// too few samples to draw.
pub fn sparkline(histogram: &[(Duration, u64)]) -> Option<String> {
    let samples: u64 = histogram.iter().map(|(_, count)| count).sum();
    if samples < MIN_HISTOGRAM_SAMPLES {
        return None;
    }
    let each = histogram.len().div_ceil(MAX_HISTOGRAM_WIDTH);
    let columns: Vec<u64> =
        histogram.chunks(each).map(|bucket| bucket.iter().map(|(_, count)| count).sum()).collect();
    let highest = columns.iter().copied().max()?;
    Some(columns.iter().map(|count| block(*count, highest)).collect())
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
        let bucket = |(i, count): (usize, &u64)| (Duration::from_millis(i as u64 + 1), *count);
        sparkline(&counts.iter().enumerate().map(bucket).collect::<Vec<_>>())
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
