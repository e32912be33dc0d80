//! The line that moves on a terminal while several connections are measured.

use super::status::in_words;
use crate::domain::format::counted;
use crate::domain::ping::status_counts::StatusCounts;

/// `4 connections, 3 open: 1 dead, 3 healthy; 118 answered, 2 missed, 1 superseded`
pub fn line(tally: &StatusCounts) -> String {
    let StatusCounts { connections, open, answered, missed, superseded, .. } = *tally;
    let statuses = tally.statuses().map(|(status, count)| (status, count as u64));
    let (connections, statuses) =
        (counted(connections as u64, "connection"), in_words(&statuses.collect::<Vec<_>>()));
    format!(
        "{connections}, {open} open: {statuses}; {answered} answered, {missed} missed, {superseded} superseded"
    )
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::domain::ping::event::Event;
    use crate::domain::ping::recorder::Recorder;
    use crate::domain::ping::verdict::PassCriteria;
    use crate::output::ping::fixtures;

    fn line_of(events: &[Event]) -> String {
        let Some(Event::Started { info, .. }) = events.first() else { panic!("no beginning") };
        let mut recorder = Recorder::new(info.clone(), PassCriteria::default(), SystemTime::UNIX_EPOCH);
        events.iter().for_each(|event| recorder.observe(event));
        line(&recorder.tally())
    }

    #[test]
    fn connections_are_counted_in_words() {
        let line = line_of(&fixtures::several());
        assert_eq!(
            line,
            "6 connections, 3 open: 1 dead, 2 unknown, 3 healthy; 8 answered, 0 missed, 0 superseded"
        );
    }

    #[test]
    fn a_late_pong_takes_its_miss_back() {
        let line = line_of(&fixtures::late());
        assert_eq!(line, "1 connection, 1 open: 1 critical; 4 answered, 0 missed, 0 superseded");
    }
}
