//! Whether a connection works with something that browsers use: HTTP/2 (RFC 8441), and permessage-deflate (RFC 7692).
//!
//! A trial shows that the feature is the reason of a failure only if all of this holds:
//!
//! 1. The connection with the feature fails.
//! 2. The one without it works, as far as the other one failed.
//! 3. Both do the same once more.

use std::sync::Arc;

use crate::domain::connection::close_cause::{CloseCause, CloseKind};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::ping::report::{ConnReport, PingReport};
use crate::domain::stats::Counts;

/// If others were answered, fewer missed heartbeats may be chance.
const MIN_MISSED: u64 = 2;

/// A short measurement with something that browsers use, beside the same one without it.
#[derive(Debug, Clone)]
pub struct FeatureTrial {
    pub with: PingReport,
    /// `None` if there was nothing to compare.
    pub without: Option<PingReport>,
    /// Both once more, after only the one with it had failed.
    pub repeated: Option<RepeatedTrial>,
}

/// The measurements of a trial once more, in the order in which they were made.
#[derive(Debug, Clone)]
pub struct RepeatedTrial {
    pub without: PingReport,
    pub with: PingReport,
}

/// How a connection of a trial failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialFailure {
    NotOpened(Arc<ConnectError>),
    /// It opened, and ended by itself.
    Ended(Arc<CloseCause>),
    /// It opened, and no heartbeat was answered, or at least [`MIN_MISSED`] were missed.
    Unanswered {
        missed: u64,
        sent: u64,
    },
    /// It opened, and the peer's flow control let no heartbeat leave.
    WindowExhausted {
        unsent: u64,
        window: ExhaustedWindow,
    },
}

/// What a trial shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrialVerdict {
    /// Heartbeats were answered, and it did not fail.
    Works,
    Fails(TrialFailure),
    /// It shows nothing: why, as a fragment.
    Undecided(String),
}

impl TrialFailure {
    /// The connection stayed open, and heartbeats failed on it.
    fn is_of_heartbeats(&self) -> bool {
        matches!(self, TrialFailure::Unanswered { .. } | TrialFailure::WindowExhausted { .. })
    }
}

/// What a trial shows.
pub fn verdict(trial: &FeatureTrial) -> TrialVerdict {
    let Some(failure) = failure(&trial.with) else {
        return without_failure(&trial.with);
    };
    let works_without = trial.without.as_ref().is_some_and(|without| works(without, &failure));
    match &trial.repeated {
        _ if !works_without && failure.is_of_heartbeats() => {
            TrialVerdict::Undecided("heartbeats stayed unanswered, with it and without it".to_string())
        }
        _ if !works_without => {
            TrialVerdict::Undecided("its connection failed, and so did the one without it".to_string())
        }
        None => TrialVerdict::Undecided("the time ran out".to_string()),
        Some(repeated) => match self::failure(&repeated.with) {
            Some(again) if works(&repeated.without, &again) => TrialVerdict::Fails(again),
            Some(_) | None => {
                TrialVerdict::Undecided("its connection failed once, and not again".to_string())
            }
        },
    }
}

/// What a measurement without a [`failure`] shows.
fn without_failure(report: &PingReport) -> TrialVerdict {
    if opened(report).is_none() {
        return TrialVerdict::Undecided("its connection did not open in the time".to_string());
    }
    let ending = report.only_connection().and_then(|connection| connection.ending.as_deref());
    match ending.filter(|ending| !ending.was_planned()) {
        // By a limit of wscheck.
        Some(ending) => TrialVerdict::Undecided(ending.to_string()),
        None if answered(report) == 0 => {
            TrialVerdict::Undecided("no heartbeat was answered in the time".to_string())
        }
        None if missed(report) > 0 => {
            TrialVerdict::Undecided("a heartbeat was missed, which may be chance".to_string())
        }
        None => TrialVerdict::Works,
    }
}

/// How the only connection of a run failed; `None`: not, or it was not tried.
pub fn failure(report: &PingReport) -> Option<TrialFailure> {
    let connection = report.only_connection()?;
    if connection.opened.is_none() {
        return connection.open_error.clone().map(TrialFailure::NotOpened);
    }
    if let Some(ending) = ended(connection) {
        return Some(TrialFailure::Ended(ending.clone()));
    }
    let of_all = |count: fn(&Counts) -> u64| report.kinds.iter().map(|kind| count(&kind.counts)).sum();
    let (missed, sent) = (missed(report), of_all(Counts::sent));
    let is_silent = answered(report) == 0;
    if missed >= MIN_MISSED || (is_silent && missed > 0) {
        return Some(TrialFailure::Unanswered { missed, sent });
    }
    let unsent = of_all(|counts| counts.unsent_window_exhausted);
    let window = connection.server_traffic.as_ref().and_then(|traffic| Some(traffic.held_back?.window));
    let window = window.unwrap_or(ExhaustedWindow::Unknown);
    (is_silent && unsent > 0).then_some(TrialFailure::WindowExhausted { unsent, window })
}

/// Whether a run succeeds where another one failed so.
pub fn works(report: &PingReport, where_failed: &TrialFailure) -> bool {
    let is_open = report
        .only_connection()
        .is_some_and(|connection| connection.opened.is_some() && ended(connection).is_none());
    match where_failed {
        TrialFailure::NotOpened(_) | TrialFailure::Ended(_) => is_open,
        TrialFailure::Unanswered { .. } | TrialFailure::WindowExhausted { .. } => {
            is_open && answered(report) > 0 && missed(report) == 0
        }
    }
}

/// How it ended by itself; that heartbeats stay unanswered is another failure.
fn ended(connection: &ConnReport) -> Option<&Arc<CloseCause>> {
    connection.lost.as_ref().filter(|ending| ending.how != CloseKind::Timeout)
}

fn answered(report: &PingReport) -> u64 {
    report.kinds.iter().map(|kind| kind.counts.ok + kind.counts.late).sum()
}

fn missed(report: &PingReport) -> u64 {
    report.kinds.iter().map(|kind| kind.counts.missed).sum()
}

/// The details of a run's only connection, if it opened.
pub fn opened(report: &PingReport) -> Option<&ConnectInfo> {
    report.only_connection()?.opened.as_deref()
}
