//! Whether a timer strikes when it has run out, or when the server next looks.

use std::time::Duration;

use super::life::Life;
use super::way::Way;

/// Clients that began less apart show nothing.
const LEAST_APART: Duration = Duration::from_millis(100);
/// Their ages, or the moments of their ends, agree within so large a part of how far apart they began.
const AGREES: f64 = 0.33;

/// What shows how exactly an age is a timer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// Clients that began at different moments were let go at the same age: each has a timer of its own.
    Sharp,
    /// They were let go at the same moment, of different ages: the server looks only now and then, and what it waits for
    /// may be shorter by up to the time between two looks.
    Swept,
    /// Neither was seen; so it may be shorter, too.
    Unknown,
}

impl Edge {
    /// The name that scripts see.
    pub fn label(self) -> &'static str {
        match self {
            Edge::Sharp => "sharp",
            Edge::Swept => "swept",
            Edge::Unknown => "unknown",
        }
    }

    /// What the mute client and the stalled one show, which begins later: both are silent from their beginnings on.
    pub fn of(lives: &[Life]) -> Edge {
        seen(lives).unwrap_or(Edge::Unknown)
    }
}

fn seen(lives: &[Life]) -> Option<Edge> {
    let life = |way| lives.iter().find(|life| life.way == way);
    let mute = life(Way::Mute)?;
    let quiet = life(Way::Quiet).and_then(Life::ended).zip(mute.ended());
    let is_the_timers =
        mute.asks().is_empty() || quiet.is_some_and(|(quiet, mute)| agree(quiet, mute, apart(lives)));
    shown(lives).filter(|_| is_the_timers)
}

/// Whether two that fell silent at different moments were let go at one.
pub(super) fn went_at_one_moment(lives: &[Life]) -> bool {
    shown(lives) == Some(Edge::Swept)
}

/// So much later than the mute the stalled client began; zero where neither shows anything.
fn apart(lives: &[Life]) -> Duration {
    let began = |way| lives.iter().find(|life| life.way == way).map(|life| life.began);
    let apart = began(Way::Stalled).zip(began(Way::Mute));
    apart.map(|(stalled, mute)| stalled.saturating_sub(mute)).unwrap_or_default()
}

fn agree(a: Duration, b: Duration, apart: Duration) -> bool {
    a.abs_diff(b) <= apart.mul_f64(AGREES)
}

/// What their ends alone show.
fn shown(lives: &[Life]) -> Option<Edge> {
    let ended = |way| lives.iter().find(|life| life.way == way).and_then(Life::ended);
    // An end that was found later than it came agrees with neither.
    let (early, late) = (ended(Way::Mute)?, ended(Way::Stalled)?);
    let apart = Some(apart(lives)).filter(|apart| *apart >= LEAST_APART)?;
    match (agree(early, late, apart), agree(early, late + apart, apart)) {
        (true, false) => Some(Edge::Sharp),
        (false, true) => Some(Edge::Swept),
        (true, true) | (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::inference::tests::{life, ms};
    use super::*;

    fn edge(mute: u64, stalled: u64, apart: u64) -> Edge {
        let late = Life { began: ms(apart), ..life(Way::Stalled, &[], stalled, true) };
        Edge::of(&[life(Way::Mute, &[], mute, true), late])
    }

    #[test]
    fn two_that_began_apart_tell_a_timer_of_their_own_from_a_look_now_and_then() {
        assert_eq!(edge(60_000, 60_020, 400), Edge::Sharp);
        assert_eq!(edge(60_400, 60_010, 400), Edge::Swept);
        assert_eq!(edge(60_400, 60_200, 400), Edge::Unknown, "neither");
        assert_eq!(edge(60_000, 89_600, 400), Edge::Unknown, "a look fell between them, or something else");
        assert_eq!(edge(60_000, 60_000, 20), Edge::Unknown, "they began at once");
    }

    #[test]
    fn who_may_have_ended_for_what_it_left_unanswered_shows_no_timer() {
        let late = Life { began: ms(400), ..life(Way::Stalled, &[], 60_000, true) };
        let edge = |quiet| {
            let quiet = life(Way::Quiet, &[50_000], quiet, true);
            Edge::of(&[life(Way::Mute, &[50_000], 60_000, true), late.clone(), quiet])
        };
        assert_eq!((edge(60_010), edge(62_000)), (Edge::Sharp, Edge::Unknown));
    }

    #[test]
    fn who_did_not_end_shows_nothing() {
        let late = Life { began: ms(400), ..life(Way::Stalled, &[], 60_000, false) };
        let mute = life(Way::Mute, &[], 60_000, true);
        assert_eq!(Edge::of(&[mute.clone(), late]), Edge::Unknown);
        assert_eq!(Edge::of(&[mute]), Edge::Unknown);
    }
}
