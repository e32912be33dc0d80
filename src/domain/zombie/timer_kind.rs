//! Whether a timer fires exactly or only when the server next checks.

use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::behaviour::Behaviour;
use super::client_record::{ClientRecord, client_of};

/// Minimum distance of two clients' starts to show a difference.
const MIN_START_GAP: Duration = Duration::from_millis(100);
/// Maximum deviation of their ages or end times, as a fraction of the distance of their starts.
const MAX_DEVIATION_PART: f64 = 0.33;

/// How exactly a client's age at its end shows a timer's length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimerKind {
    /// Clients that started at different moments were closed at the same age: each has its own timer.
    Sharp,
    /// They were closed at the same moment at different ages: the server checks at intervals, and its timeout
    /// may be shorter by up to one interval.
    Swept,
    /// Neither was observed, so the timeout may be shorter too.
    Unknown,
}

impl TimerKind {
    /// From the mute client and the stalled one, which starts later: both are silent from their start.
    pub fn of(clients: &[ClientRecord]) -> TimerKind {
        kind_of_silent_clients(clients).unwrap_or(TimerKind::Unknown)
    }
}

fn kind_of_silent_clients(clients: &[ClientRecord]) -> Option<TimerKind> {
    let mute = client_of(clients, Behaviour::Mute)?;
    let quiet = client_of(clients, Behaviour::Quiet).and_then(ClientRecord::ended).zip(mute.ended());
    let is_timer_the_cause = mute.asks().is_empty()
        || quiet.is_some_and(|(quiet, mute)| is_within_gap(quiet, mute, start_gap(clients)));
    kind_by_ends(clients).filter(|_| is_timer_the_cause)
}

/// Whether two clients that fell silent at different moments were closed at the same moment.
pub(super) fn ended_at_one_moment(clients: &[ClientRecord]) -> bool {
    kind_by_ends(clients) == Some(TimerKind::Swept)
}

/// How much later than the mute client the stalled one started; zero if unknown.
fn start_gap(clients: &[ClientRecord]) -> Duration {
    let began = |behaviour| client_of(clients, behaviour).map(|client| client.began);
    let apart = began(Behaviour::Stalled).zip(began(Behaviour::Mute));
    apart.map(|(stalled, mute)| stalled.saturating_sub(mute)).unwrap_or_default()
}

fn is_within_gap(a: Duration, b: Duration, apart: Duration) -> bool {
    a.abs_diff(b) <= apart.mul_f64(MAX_DEVIATION_PART)
}

/// The kind that the two ends alone show.
fn kind_by_ends(clients: &[ClientRecord]) -> Option<TimerKind> {
    let ended = |behaviour| client_of(clients, behaviour).and_then(ClientRecord::ended);
    // An end found later than it happened agrees with neither.
    let (early, late) = (ended(Behaviour::Mute)?, ended(Behaviour::Stalled)?);
    let apart = Some(start_gap(clients)).filter(|apart| *apart >= MIN_START_GAP)?;
    match (is_within_gap(early, late, apart), is_within_gap(early, late + apart, apart)) {
        (true, false) => Some(TimerKind::Sharp),
        (false, true) => Some(TimerKind::Swept),
        (true, true) | (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::inference::tests::{ms, record};
    use super::*;

    fn edge(mute: u64, stalled: u64, apart: u64) -> TimerKind {
        let late = ClientRecord { began: ms(apart), ..record(Behaviour::Stalled, &[], stalled, true) };
        TimerKind::of(&[record(Behaviour::Mute, &[], mute, true), late])
    }

    #[test]
    fn different_starts_distinguish_a_timer_from_a_sweep() {
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
        let late = ClientRecord { began: ms(400), ..record(Behaviour::Stalled, &[], 60_000, true) };
        let edge = |quiet| {
            let quiet = record(Behaviour::Quiet, &[50_000], quiet, true);
            TimerKind::of(&[record(Behaviour::Mute, &[50_000], 60_000, true), late.clone(), quiet])
        };
        assert_eq!((edge(60_010), edge(62_000)), (TimerKind::Sharp, TimerKind::Unknown));
    }

    #[test]
    fn client_without_an_end_shows_no_timer_kind() {
        let late = ClientRecord { began: ms(400), ..record(Behaviour::Stalled, &[], 60_000, false) };
        let mute = record(Behaviour::Mute, &[], 60_000, true);
        assert_eq!(TimerKind::of(&[mute.clone(), late]), TimerKind::Unknown);
        assert_eq!(TimerKind::of(&[mute]), TimerKind::Unknown);
    }
}
