//! The report of `serve`: the server's totals, and what was expected of its clients.

use std::time::Duration;

use crate::domain::client_test::expectation::ClientExpectation;
use crate::domain::client_test::verdict;
use crate::domain::run::criterion::Criterion;
use crate::domain::run::done::Done;
use crate::domain::run::run_result::RunResult;
use crate::server::{ServeEvent, ServerSummary};

/// An event of a run of `serve`.
#[derive(Debug, Clone)]
pub enum ServeRunEvent {
    Server(Box<ServeEvent>),
    /// The last event.
    Finished(Box<ServeReport>),
}

/// A run of `serve` that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct ServeReport {
    pub summary: ServerSummary,
    /// The planned duration, and how much of it the server ran; `None`: until it is stopped.
    pub done: Option<Done>,
    /// The user ended it.
    pub interrupted: bool,
    pub criteria: Vec<Criterion>,
    pub result: RunResult,
    /// Why the result is what it is, as fragments.
    pub reasons: Vec<String>,
}

impl ServeReport {
    /// Judges a run. `ran` is how long the server accepted clients. A server without a planned duration measures until it
    /// is stopped.
    pub fn judge(
        summary: ServerSummary,
        expected: &[ClientExpectation],
        limit: Option<Duration>,
        ran: Duration,
    ) -> ServeReport {
        let done = limit.map(|of| Done::Time { done: ran.min(of), of });
        let cut_short = done.is_some_and(|done| !done.is_complete());
        let criterion = |one: &ClientExpectation| one.criterion("--expect", &summary.activity, cut_short);
        let criteria: Vec<Criterion> = expected.iter().map(criterion).collect();
        let (result, reasons) = verdict::judge(&criteria, &summary.activity, cut_short);
        ServeReport { summary, done, interrupted: limit.is_none() || cut_short, criteria, result, reasons }
    }
}
