//! Whether connections ended as the user wants.

use super::expected_ending::ExpectedEnding;
use super::report::{ConnReport, PingReport};
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;

/// Whether a connection was closed as wanted. A connection that was open when the user ended the run might still
/// have been closed so.
pub fn is_closed_as_wanted(endings: &ExpectedEnding, connection: &ConnReport, interrupted: bool) -> Truth {
    match (&connection.opened, &connection.ending) {
        (None, _) => Truth::Unknown("it was not open".to_string()),
        (Some(_), Some(ending)) if endings.is_met_by(ending) => Truth::True(ending.to_string()),
        (Some(_), Some(ending)) if !ending.was_planned() => Truth::False(ending.to_string()),
        (Some(_), _) if interrupted => Truth::Unknown("it was still open at the interrupt".to_string()),
        (Some(_), _) => Truth::False("it was still open at the end".to_string()),
    }
}

/// Whether a connection was refused as wanted.
pub fn is_refused_as_wanted(endings: &ExpectedEnding, connection: &ConnReport) -> Truth {
    match (&connection.opened, &connection.open_error) {
        (Some(_), _) => Truth::False("it opened".to_string()),
        (None, None) => Truth::Unknown("it was still being opened".to_string()),
        (None, Some(error)) => match (endings.expected_status(error), &error.refusal) {
            (Some(status), _) => Truth::True(format!("refused with {status}")),
            (None, Some(refusal)) => Truth::False(format!("refused with {}", refusal.status)),
            (None, None) => Truth::Unknown(error.to_string()),
        },
    }
}

/// The result of a run whose connections are to be refused.
pub fn result_of_refusals(endings: &ExpectedEnding, report: &PingReport) -> RunResult {
    let result = |connection: &ConnReport| match is_refused_as_wanted(endings, connection) {
        Truth::True(_) => RunResult::Passed,
        Truth::False(_) => RunResult::Failed,
        Truth::Unknown(_) | Truth::TrueOfBounds(_) if connection.open_error.is_some() => {
            RunResult::Unreachable
        }
        Truth::Unknown(_) | Truth::TrueOfBounds(_) if report.interrupted => {
            RunResult::Interrupted { measured: false }
        }
        Truth::Unknown(_) | Truth::TrueOfBounds(_) => RunResult::Unreachable,
    };
    let results: Vec<RunResult> = report.connections().map(|(_, connection)| result(connection)).collect();
    RunResult::of_several(&results)
}
