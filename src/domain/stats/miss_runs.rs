//! Runs of consecutive missed heartbeats.

use std::collections::BTreeMap;

/// How many separate runs are kept exactly. Revisions concern the latest heartbeats, so only the length of
/// older runs is kept.
const MAX_EXACT_RUNS: usize = 256;

/// The runs of consecutive missed numbers on one connection and kind. A missed heartbeat whose pong comes
/// late is removed from its run.
#[derive(Debug, Clone, Default)]
pub struct MissRuns {
    /// First and last number of each run.
    runs: BTreeMap<u64, u64>,
    /// The longest of the dropped runs.
    forgotten: u64,
}

impl MissRuns {
    /// Records heartbeat `seq` as missed.
    pub fn miss(&mut self, seq: u64) {
        if self.run_with(seq).is_some() {
            return;
        }
        let before = seq.checked_sub(1).and_then(|before| self.run_with(before));
        let after = seq.checked_add(1).and_then(|after| self.runs.remove(&after));
        self.runs.insert(before.map_or(seq, |(first, _)| first), after.unwrap_or(seq));
        if self.runs.len() > MAX_EXACT_RUNS {
            self.forget_first();
        }
    }

    /// Records that heartbeat `seq` was not missed after all.
    pub fn unmiss(&mut self, seq: u64) {
        let Some((first, last)) = self.run_with(seq) else { return };
        self.runs.remove(&first);
        if first < seq {
            self.runs.insert(first, seq - 1);
        }
        if seq < last {
            self.runs.insert(seq + 1, last);
        }
    }

    /// The length of the longest run.
    pub fn longest(&self) -> u32 {
        let longest = self.runs.iter().map(|run| length(run.0, run.1)).max().unwrap_or(0);
        u32::try_from(longest.max(self.forgotten)).unwrap_or(u32::MAX)
    }

    /// How many were missed in a row up to and including `seq`.
    pub fn up_to(&self, seq: u64) -> u64 {
        self.run_with(seq).map_or(0, |(first, _)| length(&first, &seq))
    }

    fn run_with(&self, seq: u64) -> Option<(u64, u64)> {
        let (first, last) = self.runs.range(..=seq).next_back()?;
        (seq <= *last).then_some((*first, *last))
    }

    fn forget_first(&mut self) {
        if let Some((first, last)) = self.runs.pop_first() {
            self.forgotten = self.forgotten.max(length(&first, &last));
        }
    }
}

fn length(first: &u64, last: &u64) -> u64 {
    (last - first).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_late_pong_splits_its_run() {
        let mut runs = MissRuns::default();
        [3, 4, 5, 6, 7, 9].into_iter().for_each(|seq| runs.miss(seq));
        assert_eq!(runs.longest(), 5);
        runs.unmiss(5);
        assert_eq!(runs.longest(), 2);
    }

    #[test]
    fn old_runs_leave_their_length_and_no_more() {
        let mut runs = MissRuns::default();
        [0, 1, 2].into_iter().for_each(|seq| runs.miss(seq));
        (2..10_000).for_each(|n| runs.miss(2 * n));
        assert_eq!((runs.longest(), runs.runs.len()), (3, MAX_EXACT_RUNS));
    }

    proptest! {
        #[test]
        fn the_longest_run_is_that_of_the_numbers_left(
            missed in prop::collection::vec(0_u64..40, 0..60),
            late in prop::collection::vec(0_u64..40, 0..20),
        ) {
            let mut runs = MissRuns::default();
            missed.iter().for_each(|seq| runs.miss(*seq));
            late.iter().for_each(|seq| runs.unmiss(*seq));
            let left: BTreeSet<u64> = missed.into_iter().filter(|seq| !late.contains(seq)).collect();
            let run_from = |first: u64| (first..).take_while(|seq| left.contains(seq)).count() as u32;
            prop_assert_eq!(runs.longest(), left.iter().map(|seq| run_from(*seq)).max().unwrap_or(0));
        }

        #[test]
        fn no_number_panics(numbers in prop::collection::vec(any::<u64>(), 0..20)) {
            let mut runs = MissRuns::default();
            numbers.iter().chain(&[0, u64::MAX]).for_each(|seq| runs.miss(*seq));
            numbers.iter().chain(&[0, u64::MAX]).for_each(|seq| runs.unmiss(*seq));
            prop_assert_eq!(runs.longest(), 0);
        }
    }
}
