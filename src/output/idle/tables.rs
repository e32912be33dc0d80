//! The evidence as tables: what became of each silent connection, and what kept the path open.

use super::format::{end_of_trial, method};
use super::trials::Trial;
use crate::domain::format;
use crate::domain::idle::ProbeRole;
use crate::domain::idle::refresh::{KeepaliveOutcome, MethodResult};
use crate::domain::label::Label;
use crate::output::time_unit::TimeUnit;
use crate::output::view::{Lane, Lanes, Table, Tone};

/// More rows say no more to people; the JSON has them all.
const MAX_ROWS: usize = 40;
/// Of the connections that answered before any was lost, so many of the longest have a row of their own.
const MAX_SURVIVOR_ROWS: usize = 4;

/// A row for each connection, by how long it was silent.
pub fn trials(trials: &[Trial]) -> Table {
    let rows = silent(trials);
    let answered = rows.iter().take_while(|trial| trial.outcome.is_ok()).count();
    // One row in the place of one would save nothing.
    let folded =
        answered.saturating_sub(MAX_SURVIVOR_ROWS + 1).min(1) * answered.saturating_sub(MAX_SURVIVOR_ROWS);
    let (first, rows) = rows.split_at(folded);
    let shown = rows.iter().take(MAX_ROWS).map(|trial| cells(trial));
    let more = rows.len().saturating_sub(MAX_ROWS);
    Table {
        note: (more > 0).then(|| format!("and {more} more: -o json has them all")),
        ..Table::of_texts("trials", ["idle for", "as", "result"], together(first).into_iter().chain(shown))
    }
}

/// The connections that were silent, the longest last.
fn silent(trials: &[Trial]) -> Vec<&Trial> {
    let is_silent = |trial: &&Trial| matches!(trial.role, ProbeRole::Watcher | ProbeRole::Trial);
    let mut silent: Vec<&Trial> = trials.iter().filter(is_silent).collect();
    silent.sort_by_key(|trial| trial.idle);
    silent
}

/// A bar for each connection: how long it was silent, and whether it survived that.
pub fn lanes(trials: &[Trial]) -> Lanes {
    let lane = |trial: &&Trial| {
        let [_, label, text] = cells(trial);
        let tone = if trial.outcome.is_ok() { Tone::Good } else { Tone::Bad };
        Lane { label, lasted_ms: trial.idle.into(), tone, text }
    };
    let title = "How long each connection was silent, and what became of it".to_string();
    Lanes { title, lanes: silent(trials).iter().take(MAX_ROWS).map(lane).collect() }
}

/// One row for connections that all answered; `None` for none.
fn together(trials: &[&Trial]) -> Option<[String; 3]> {
    let (shortest, longest) = (trials.first()?, trials.last()?);
    let spans = format!("{} to {}", format::duration(shortest.idle), format::duration(longest.idle));
    Some([spans, format!("{} trials", trials.len()), "all answered".to_string()])
}

fn cells(trial: &Trial) -> [String; 3] {
    let outcome = match &trial.outcome {
        Ok(rtt) => format!("answered in {}", TimeUnit::of([*rtt]).span(*rtt)),
        Err(manner) => end_of_trial(manner),
    };
    [format::duration(trial.idle), trial.role.label().to_string(), outcome]
}

/// A row for each kind of traffic that was tried.
pub fn refresh(rows: &[MethodResult]) -> Table {
    Table::of_texts("keepalive methods", ["what was sent", "every", "result"], rows.iter().map(refresh_cells))
}

fn refresh_cells(row: &MethodResult) -> [String; 3] {
    let every = row.every.map_or_else(|| "-".to_string(), format::at_least);
    let result = match &row.outcome {
        KeepaliveOutcome::Survived => format!("survived {}", format::duration(row.held)),
        KeepaliveOutcome::Died { after, how } => format!("died after {}: {how}", format::duration(*after)),
        KeepaliveOutcome::Unknown { why } => format!("unknown: {why}"),
    };
    [method(row.method).to_string(), every, result]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::ProbeId;
    use crate::output::view::Cell;
    use std::time::{Duration, SystemTime};

    fn table(spans: std::ops::RangeInclusive<u64>) -> Vec<String> {
        let outcome = Ok(Duration::from_millis(1));
        let (probe, role, at) = (ProbeId(1), ProbeRole::Trial, SystemTime::UNIX_EPOCH);
        let trial = |seconds| {
            let (idle, outcome) = (Duration::from_secs(seconds), outcome.clone());
            Trial { probe, role, idle, outcome, at }
        };
        let table = trials(&spans.map(trial).collect::<Vec<_>>());
        let text = |row: &Vec<Cell>| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("|");
        table.rows.iter().map(text).collect()
    }

    #[test]
    fn what_answered_long_before_the_timeout_is_one_row() {
        assert_eq!(table(1..=5).len(), 5, "two rows at least are worth one");
        let folded = table(1..=30);
        assert_eq!(folded.len(), 5);
        assert!(folded[0].starts_with("1 s to 26 s|26 trials|all answered"), "{folded:?}");
        assert!(folded[1].starts_with("27 s|trial|answered in"), "{folded:?}");
    }
}
