//! The numbers of heartbeats where some are extra: those of the schedule and the extra ones are counted each by itself,
//! though on the wire they share one sequence.

use std::collections::VecDeque;

/// Extra heartbeats whose outcome may still be revised: more than the outstanding ones that are kept.
const MAX_KEPT: usize = 8192;

/// Which heartbeats of a sequence are extra.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExtraNumbers {
    /// How many came before those that are kept.
    before: u64,
    /// How many of these are of earlier connections, whose sequence was another.
    of_earlier_connections: u64,
    /// Their places in the sequence, ascending.
    kept: VecDeque<u64>,
}

/// The number of a heartbeat among those of its sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatNumber {
    /// From 0.
    pub seq: u64,
    pub is_extra: bool,
}

impl ExtraNumbers {
    /// Goes on after `before` extra heartbeats of earlier connections.
    pub fn after(before: u64) -> ExtraNumbers {
        ExtraNumbers { before, of_earlier_connections: before, kept: VecDeque::new() }
    }

    /// Notes that this place of the sequence is an extra heartbeat. Places must increase.
    pub fn note(&mut self, place: u64) {
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
            self.before += 1;
        }
        self.kept.push_back(place);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.before + self.kept.len() as u64
    }

    /// The number of the heartbeat at this place of the sequence.
    pub fn number(&self, place: u64) -> HeartbeatNumber {
        let index = self.kept.partition_point(|extra| *extra < place);
        let extras = self.before + index as u64;
        match self.kept.get(index) {
            Some(extra) if *extra == place => HeartbeatNumber { seq: extras, is_extra: true },
            _ => {
                let here = extras.saturating_sub(self.of_earlier_connections);
                HeartbeatNumber { seq: place.saturating_sub(here), is_extra: false }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(extras: &ExtraNumbers, places: std::ops::Range<u64>) -> Vec<(u64, bool)> {
        places.map(|place| extras.number(place)).map(|number| (number.seq, number.is_extra)).collect()
    }

    #[test]
    fn each_sort_is_numbered_by_itself() {
        let mut extras = ExtraNumbers::default();
        [2, 3, 5].into_iter().for_each(|place| extras.note(place));
        let expected = [(0, false), (1, false), (0, true), (1, true), (2, false), (2, true), (3, false)];
        assert_eq!(numbers(&extras, 0..7), expected);
        assert_eq!(extras.count(), 3);
    }

    /// A new connection begins its sequence with the number of the next heartbeat of the schedule.
    #[test]
    fn numbers_go_on_on_the_next_connection() {
        let mut extras = ExtraNumbers::after(3);
        assert_eq!(numbers(&extras, 4..6), [(4, false), (5, false)]);
        extras.note(5);
        assert_eq!(numbers(&extras, 4..7), [(4, false), (3, true), (5, false)]);
    }

    #[test]
    fn memory_is_bounded_and_later_numbers_stay_right() {
        let mut extras = ExtraNumbers::default();
        let many = 3 * MAX_KEPT as u64;
        (0..many).for_each(|index| extras.note(2 * index + 1));
        assert_eq!((extras.kept.len(), extras.count()), (MAX_KEPT, many));
        assert_eq!(
            numbers(&extras, 2 * many - 2..2 * many + 1),
            [(many - 1, false), (many - 1, true), (many, false)]
        );
    }
}
