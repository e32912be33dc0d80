//! A histogram of bytes rather than kilobytes, affordable for each of thousands of connections.

/// Initial buckets per octave, as a power of two: 32, so a bucket's middle is within 1.6 % of its values.
const FINEST_LOG2_BUCKETS: u8 = 5;
/// Maximum number of non-empty buckets. Beyond it all become twice as wide: values within two octaves never
/// need it, within four once, within eight twice.
const MAX_BUCKETS: usize = 64;
/// Entries added at once: a doubling `Vec` would waste half of its memory.
const GROWTH_STEP: usize = 8;

/// Counts of integers in buckets of a fraction of an octave. Only non-empty buckets have an entry of four
/// bytes, at most [`MAX_BUCKETS`]. If a count is full, all are halved and keep their proportions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHistogram {
    /// Buckets per octave, as a power of two.
    bits: u8,
    /// Bucket and count, ascending by bucket.
    entries: Vec<(u16, u16)>,
}

impl Default for LogHistogram {
    fn default() -> LogHistogram {
        LogHistogram { bits: FINEST_LOG2_BUCKETS, entries: Vec::new() }
    }
}

impl LogHistogram {
    pub fn record(&mut self, value: u64) {
        let bucket = bucket(value, self.bits);
        let at = self.entries.partition_point(|(met, _)| *met < bucket);
        if let Some((_, count)) = self.entries.get_mut(at).filter(|(met, _)| *met == bucket) {
            *count += 1;
            if *count == u16::MAX {
                self.halve();
            }
        } else if self.entries.len() < MAX_BUCKETS || self.bits == 0 {
            self.insert(at, bucket);
        } else {
            self.widen();
            self.record(value);
        }
    }

    fn insert(&mut self, at: usize, bucket: u16) {
        if self.entries.len() == self.entries.capacity() {
            self.entries.reserve_exact(GROWTH_STEP);
        }
        self.entries.insert(at, (bucket, 1));
    }

    /// A value seen once keeps its bucket.
    fn halve(&mut self) {
        self.entries.iter_mut().for_each(|(_, count)| *count = count.div_ceil(2));
    }

    /// Makes every bucket twice as wide. With one per octave there are at most 65.
    fn widen(&mut self) {
        let (from, to) = (self.bits, self.bits.saturating_sub(1));
        self.bits = to;
        self.entries.iter_mut().for_each(|(met, _)| *met = bucket(low(*met, from), to));
        self.entries.dedup_by(|later, first| {
            let is_same = later.0 == first.0;
            if is_same {
                first.1 = first.1.saturating_add(later.1).min(u16::MAX - 1);
            }
            is_same
        });
    }

    /// The middle and the count of each non-empty bucket, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> {
        self.entries.iter().map(|(bucket, count)| (middle(*bucket, self.bits), u64::from(*count)))
    }

    /// The value at this percentile (nearest rank); `None` without values.
    pub fn percentile(&self, percent: u64) -> Option<u64> {
        let total: u64 = self.iter().map(|(_, count)| count).sum();
        let rank = (total * percent).div_ceil(100);
        let mut passed = 0;
        let reached = |(value, count): (u64, u64)| {
            passed += count;
            (passed >= rank).then_some(value)
        };
        self.iter().find_map(reached)
    }
}

fn bucket(value: u64, bits: u8) -> u16 {
    let shift = (u64::BITS - value.leading_zeros()).saturating_sub(u32::from(bits) + 1);
    ((shift << bits) as u64 + (value >> shift)) as u16
}

/// The least value of a bucket.
fn low(bucket: u16, bits: u8) -> u64 {
    let (octave, part) = (u32::from(bucket) >> bits, u64::from(bucket) & ((1 << bits) - 1));
    octave.checked_sub(1).map_or(part, |shift| (part | 1 << bits) << shift)
}

fn middle(bucket: u16, bits: u8) -> u64 {
    let octave = u32::from(bucket) >> bits;
    low(bucket, bits) + octave.checked_sub(1).map_or(0, |shift| 1 << shift >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[u64]) -> LogHistogram {
        let mut sketch = LogHistogram::default();
        values.iter().for_each(|value| sketch.record(*value));
        sketch
    }

    /// The maximum error of these values: half a bucket.
    fn tolerance(sketch: &LogHistogram) -> f64 {
        1.0 / f64::from(2 << sketch.bits)
    }

    #[test]
    fn small_numbers_are_exact() {
        let values: Vec<u64> = (0..64).collect();
        let found: Vec<u64> = of(&values).iter().map(|(value, _)| value).collect();
        assert_eq!(found, values);
    }

    #[test]
    fn a_full_count_keeps_its_proportion() {
        let mut sketch = LogHistogram::default();
        for _ in 0..200_000 {
            [7, 7, 7, 9].iter().for_each(|value| sketch.record(*value));
        }
        sketch.record(1000);
        let counts: Vec<u64> = sketch.iter().map(|(_, count)| count).collect();
        let ratio = counts[0] as f64 / counts[1] as f64;
        assert!((2.99..3.01).contains(&ratio), "{counts:?}");
        assert_eq!((sketch.percentile(74), sketch.percentile(76)), (Some(7), Some(9)));
    }

    #[test]
    fn no_number_is_too_large() {
        let (value, count) = of(&[u64::MAX]).iter().next().unwrap();
        assert!(value >= u64::MAX - (u64::MAX >> 6) && count == 1, "{value}");
    }

    #[test]
    fn whatever_comes_costs_a_quarter_of_a_kilobyte() {
        let mut sketch = LogHistogram::default();
        let mut most = 0;
        for octave in 0..64 {
            for part in 0..200_u64 {
                sketch.record((1 << octave) + ((1_u64 << octave) / 200) * part);
                most = most.max(sketch.entries.capacity());
            }
        }
        assert!(most * size_of::<(u16, u16)>() <= 256, "{most}");
        assert_eq!(sketch.iter().map(|(_, count)| count).sum::<u64>(), 64 * 200);
    }

    #[test]
    fn buckets_are_as_narrow_as_the_span_allows() {
        let over = |low: u64, high: u64| of(&(low..high).collect::<Vec<u64>>()).bits;
        assert_eq!([over(1000, 3500), over(500, 7000), over(500, 100_000)], [5, 4, 3]);
    }

    proptest! {
        #[test]
        fn buckets_ascend_and_nothing_is_lost(mut values in prop::collection::vec(any::<u64>(), 1..200)) {
            let sketch = of(&values);
            prop_assert!(sketch.iter().map(|(value, _)| value).is_sorted());
            prop_assert_eq!(sketch.iter().map(|(_, count)| count).sum::<u64>(), values.len() as u64);
            values.sort();
            for percent in 1..=100 {
                let exact = values[(values.len() * percent as usize).div_ceil(100) - 1];
                let found = sketch.percentile(percent).unwrap();
                prop_assert!(found.abs_diff(exact) as f64 <= exact as f64 * tolerance(&sketch) * 1.001);
            }
        }
    }
}
