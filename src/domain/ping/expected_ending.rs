//! How the user wants connections to end: closed by the peer with a certain code, or refused with a certain status.

use std::fmt::Display;

use super::report::{ConnReport, PingReport};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::run::run_result::RunResult;
use crate::domain::run::truth::Truth;

/// The wanted endings; empty lists want none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedEnding {
    /// The peer closes every connection with one of these codes.
    pub close_codes: Vec<u16>,
    /// Every upgrade is refused with one of these HTTP statuses.
    pub refused_with: Vec<u16>,
}

impl ExpectedEnding {
    /// Whether the peer closed a connection with a wanted code.
    pub fn is_met_by(&self, ending: &CloseCause) -> bool {
        expects_close(&self.close_codes, ending.who, &ending.how)
    }

    /// What is wanted of closes, as a fragment: `every connection is closed with 1001 or 1012`.
    pub fn wanted_close(&self) -> String {
        format!("the peer closes every connection with {}", alternatives(&self.close_codes))
    }

    /// What is wanted of refusals, as a fragment: `every connection is refused with 401`.
    pub fn wanted_refusal(&self) -> String {
        format!("every connection is refused with {}", alternatives(&self.refused_with))
    }

    /// Whether a connection was closed as wanted. A connection that was open when the user ended the run might still
    /// have been closed so.
    pub fn closed(&self, connection: &ConnReport, interrupted: bool) -> Truth {
        match (&connection.opened, &connection.ending) {
            (None, _) => Truth::Unknown("it was not open".to_string()),
            (Some(_), Some(ending)) if self.is_met_by(ending) => Truth::True(ending.to_string()),
            (Some(_), Some(ending)) if !ending.was_planned() => Truth::False(ending.to_string()),
            (Some(_), _) if interrupted => Truth::Unknown("it was still open at the interrupt".to_string()),
            (Some(_), _) => Truth::False("it was still open at the end".to_string()),
        }
    }

    /// The status of a wanted refusal.
    pub fn expected_status(&self, error: &ConnectError) -> Option<u16> {
        let status = error.refusal.as_ref()?.status;
        self.refused_with.contains(&status).then_some(status)
    }

    /// Whether a connection was refused as wanted.
    pub fn refused(&self, connection: &ConnReport) -> Truth {
        match (&connection.opened, &connection.open_error) {
            (Some(_), _) => Truth::False("it opened".to_string()),
            (None, None) => Truth::Unknown("it was still being opened".to_string()),
            (None, Some(error)) => match (self.expected_status(error), &error.refusal) {
                (Some(status), _) => Truth::True(format!("refused with {status}")),
                (None, Some(refusal)) => Truth::False(format!("refused with {}", refusal.status)),
                (None, None) => Truth::Unknown(error.to_string()),
            },
        }
    }

    /// The result of a run whose connections are to be refused.
    pub fn result_of_refusals(&self, report: &PingReport) -> RunResult {
        let result = |connection: &ConnReport| match self.refused(connection) {
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
        let results: Vec<RunResult> =
            report.connections().map(|(_, connection)| result(connection)).collect();
        RunResult::of_several(&results)
    }
}

/// Whether it is a close frame of the peer with one of these codes.
pub fn expects_close(codes: &[u16], who: ClosedBy, how: &CloseKind) -> bool {
    let CloseKind::CloseFrame { code: Some(code), .. } = how else { return false };
    who == ClosedBy::Peer && codes.contains(code)
}

/// `1001`, or `1001 or 4000`.
fn alternatives(numbers: &[impl Display]) -> String {
    numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
}
