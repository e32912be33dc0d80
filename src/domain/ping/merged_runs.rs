//! Where the parts of a merged run come from.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::domain::format::counted;
use crate::domain::run::done::Done;

/// Which connection of which run it was, before the runs were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnOrigin {
    /// The name of the run: its file.
    pub run: Arc<str>,
    pub index: usize,
}

impl fmt::Display for ConnOrigin {
    /// `#3 of b.json`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} of {}", self.index, self.run)
    }
}

/// One of the runs that were merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRun {
    /// The file that it was read from.
    pub name: Arc<str>,
    /// The machine that measured, as far as the document says: `linux 6.12.0 x86_64, 4 CPUs`.
    pub host: String,
    /// The arguments, without secrets.
    pub command_line: Vec<String>,
    pub started_at: SystemTime,
    pub elapsed: Duration,
    pub interrupted: bool,
    /// The document is only the last interim report of a run that was cut off.
    pub is_cut_off: bool,
    /// How much of what was planned was done; `None` if the run is unbounded.
    pub done: Option<Done>,
    pub connections: u64,
    /// Heartbeats of all kinds that were sent.
    pub sent: u64,
}

impl SourceRun {
    /// Whether both are the same run, although perhaps of different files. Runs that start on several machines at once
    /// differ in their length, which is known to the microsecond.
    pub fn is_same(&self, other: &SourceRun) -> bool {
        (self.started_at, self.elapsed, self.sent) == (other.started_at, other.elapsed, other.sent)
            && self.connections == other.connections
            && self.host == other.host
            && self.command_line == other.command_line
    }

    /// How much of it is missing, if it was ended early: `interrupted after 3 of 20 heartbeats`.
    fn cut_short(&self) -> Option<String> {
        if self.is_cut_off {
            return Some("the run was cut off".to_string());
        }
        self.done.filter(|_| self.interrupted)?.cut_short()
    }

    fn end(&self) -> SystemTime {
        self.started_at.checked_add(self.elapsed).unwrap_or(self.started_at)
    }
}

/// The runs that were merged into one, in the order given; none for a run by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MergedRuns(pub Vec<SourceRun>);

impl MergedRuns {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was done of all that was planned, added up; `None` if a run is unbounded, or if some count heartbeats and
    /// others time.
    pub fn done(&self) -> Option<Done> {
        let all: Option<Vec<Done>> = self.0.iter().map(|run| run.done).collect();
        let mut all = all?.into_iter();
        let first = all.next()?;
        all.try_fold(first, Done::plus)
    }

    /// Which runs were ended before they were complete: `b.json: interrupted after 3 of 20 heartbeats; and 1 more run`.
    pub fn cut_short(&self) -> Option<String> {
        let mut all = self.0.iter().filter_map(|run| Some(format!("{}: {}", run.name, run.cut_short()?)));
        let first = all.next()?;
        Some(match all.count() as u64 {
            0 => first,
            more => format!("{first}; and {} more", counted(more, "run")),
        })
    }

    /// From the earliest start to the latest end.
    pub fn span(&self) -> Option<(SystemTime, Duration)> {
        let start = self.0.iter().map(|run| run.started_at).min()?;
        let end = self.0.iter().map(SourceRun::end).max()?;
        Some((start, end.duration_since(start).unwrap_or_default()))
    }

    /// How long all of them ran at the same time; zero if there was no such time.
    pub fn common_time(&self) -> Duration {
        let last_start = self.0.iter().map(|run| run.started_at).max();
        let first_end = self.0.iter().map(SourceRun::end).min();
        let common = last_start.zip(first_end).and_then(|(start, end)| end.duration_since(start).ok());
        common.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, start: u64, elapsed: u64) -> SourceRun {
        SourceRun {
            name: name.into(),
            host: "linux".to_string(),
            command_line: Vec::new(),
            started_at: SystemTime::UNIX_EPOCH + Duration::from_secs(start),
            elapsed: Duration::from_secs(elapsed),
            interrupted: false,
            is_cut_off: false,
            done: Some(Done::Heartbeats { done: 3, of: 20 }),
            connections: 1,
            sent: 3,
        }
    }

    #[test]
    fn runs_that_overlap_have_a_common_time() {
        let of = |runs: &[SourceRun]| MergedRuns(runs.to_vec());
        let both = of(&[run("a", 10, 5), run("b", 12, 8)]);
        assert_eq!(both.common_time(), Duration::from_secs(3));
        let from = SystemTime::UNIX_EPOCH + Duration::from_secs(10);
        assert_eq!(both.span(), Some((from, Duration::from_secs(10))));
        let apart = of(&[run("a", 10, 5), run("b", 15, 8)]);
        assert_eq!((apart.common_time(), of(&[]).span()), (Duration::ZERO, None));
    }

    #[test]
    fn done_is_added_up_where_it_can_be() {
        let timed = SourceRun {
            done: Some(Done::Time { done: Duration::from_secs(1), of: Duration::from_secs(2) }),
            ..run("t", 0, 1)
        };
        let all = MergedRuns(vec![run("a", 0, 1), run("b", 0, 1)]);
        assert_eq!(all.done(), Some(Done::Heartbeats { done: 6, of: 40 }));
        assert_eq!(MergedRuns(vec![run("a", 0, 1), timed]).done(), None);
        let unbounded = SourceRun { done: None, ..run("u", 0, 1) };
        assert_eq!(MergedRuns(vec![run("a", 0, 1), unbounded]).done(), None);
    }

    #[test]
    fn each_run_that_was_ended_early_counts() {
        let interrupted = |name| SourceRun { interrupted: true, ..run(name, 0, 1) };
        let cut_off = SourceRun { is_cut_off: true, done: None, ..run("c", 0, 1) };
        let cut_short = |runs: &[SourceRun]| MergedRuns(runs.to_vec()).cut_short();
        assert_eq!(cut_short(&[run("a", 0, 1)]), None);
        let one = cut_short(&[run("a", 0, 1), interrupted("b")]);
        assert_eq!(one.as_deref(), Some("b: interrupted after 3 of 20 heartbeats"));
        let two = cut_short(&[cut_off, interrupted("b")]);
        assert_eq!(two.as_deref(), Some("c: the run was cut off; and 1 run more"));
    }

    #[test]
    fn same_run_is_known_by_its_times_and_counts() {
        assert!(run("a", 10, 5).is_same(&run("copy", 10, 5)));
        assert!(!run("a", 10, 5).is_same(&run("a", 10, 6)));
    }
}
