//! Whether a timer strikes when it has run out, or when the server next looks.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::behaviour::Behaviour;
use super::client_record::ClientRecord;

/// Clients that began less apart show nothing.
const MIN_START_GAP: Duration = Duration::from_millis(100);
/// Their ages, or the moments of their ends, agree within so large a part of how far apart they began.
const MAX_DEVIATION_PART: f64 = 0.33;

/// What shows how exactly an age is a timer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimerKind {
    /// Clients that began at different moments were let go at the same age: each has a timer of its own.
    Sharp,
    /// They were let go at the same moment, of different ages: the server looks only now and then, and what it waits for
    /// may be shorter by up to the time between two looks.
    Swept,
    /// Neither was seen; so it may be shorter, too.
    Unknown,
}

impl TimerKind {
    /// What the mute client and the stalled one show, which begins later: both are silent from their beginnings on.
    pub fn of(lives: &[ClientRecord]) -> TimerKind {
        seen(lives).unwrap_or(TimerKind::Unknown)
    }
}

fn seen(lives: &[ClientRecord]) -> Option<TimerKind> {
    let life = |way| lives.iter().find(|life| life.way == way);
    let mute = life(Behaviour::Mute)?;
    let quiet = life(Behaviour::Quiet).and_then(ClientRecord::ended).zip(mute.ended());
    let is_the_timers =
        mute.asks().is_empty() || quiet.is_some_and(|(quiet, mute)| agree(quiet, mute, apart(lives)));
    shown(lives).filter(|_| is_the_timers)
}

/// Whether two that fell silent at different moments were let go at one.
pub(super) fn went_at_one_moment(lives: &[ClientRecord]) -> bool {
    shown(lives) == Some(TimerKind::Swept)
}

/// So much later than the mute the stalled client began; zero where neither shows anything.
fn apart(lives: &[ClientRecord]) -> Duration {
    let began = |way| lives.iter().find(|life| life.way == way).map(|life| life.began);
    let apart = began(Behaviour::Stalled).zip(began(Behaviour::Mute));
    apart.map(|(stalled, mute)| stalled.saturating_sub(mute)).unwrap_or_default()
}

fn agree(a: Duration, b: Duration, apart: Duration) -> bool {
    a.abs_diff(b) <= apart.mul_f64(MAX_DEVIATION_PART)
}

/// What their ends alone show.
fn shown(lives: &[ClientRecord]) -> Option<TimerKind> {
    let ended = |way| lives.iter().find(|life| life.way == way).and_then(ClientRecord::ended);
    // An end that was found later than it came agrees with neither.
    let (early, late) = (ended(Behaviour::Mute)?, ended(Behaviour::Stalled)?);
    let apart = Some(apart(lives)).filter(|apart| *apart >= MIN_START_GAP)?;
    match (agree(early, late, apart), agree(early, late + apart, apart)) {
        (true, false) => Some(TimerKind::Sharp),
        (false, true) => Some(TimerKind::Swept),
        (true, true) | (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::inference::tests::{life, ms};
    use super::*;

    fn edge(mute: u64, stalled: u64, apart: u64) -> TimerKind {
        let late = ClientRecord { began: ms(apart), ..life(Behaviour::Stalled, &[], stalled, true) };
        TimerKind::of(&[life(Behaviour::Mute, &[], mute, true), late])
    }

    #[test]
    fn staggered_starts_tell_a_timer_from_a_sweep() {
        assert_eq!(edge(60_000, 60_020, 400), TimerKind::Sharp);
        assert_eq!(edge(60_400, 60_010, 400), TimerKind::Swept);
        assert_eq!(edge(60_400, 60_200, 400), TimerKind::Unknown, "neither");
        assert_eq!(
            edge(60_000, 89_600, 400),
            TimerKind::Unknown,
            "a look fell between them, or something else"
        );
        assert_eq!(edge(60_000, 60_000, 20), TimerKind::Unknown, "they began at once");
    }

    #[test]
    fn end_for_an_unanswered_ping_shows_no_timer() {
        let late = ClientRecord { began: ms(400), ..life(Behaviour::Stalled, &[], 60_000, true) };
        let edge = |quiet| {
            let quiet = life(Behaviour::Quiet, &[50_000], quiet, true);
            TimerKind::of(&[life(Behaviour::Mute, &[50_000], 60_000, true), late.clone(), quiet])
        };
        assert_eq!((edge(60_010), edge(62_000)), (TimerKind::Sharp, TimerKind::Unknown));
    }

    #[test]
    fn who_did_not_end_shows_nothing() {
        let late = ClientRecord { began: ms(400), ..life(Behaviour::Stalled, &[], 60_000, false) };
        let mute = life(Behaviour::Mute, &[], 60_000, true);
        assert_eq!(TimerKind::of(&[mute.clone(), late]), TimerKind::Unknown);
        assert_eq!(TimerKind::of(&[mute]), TimerKind::Unknown);
    }
}
