//! Ends of connections that show nothing about a timeout.

use std::fmt;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::probe::VisibleEnd;
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::format::{counted, duration as show};

/// Why connections ended, if it shows nothing about a timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum IncidentKind {
    /// Connections of different age ended at the same moment, or all open connections did.
    OneMoment,
    /// The control was not answered, so deaths in that time do not count.
    PathLost,
    /// Connections ended right after opening, or when another one opened.
    EndedAtOnce,
    /// wscheck closed connections because of what the server sent.
    Violation,
}

/// Ends of connections that count for no span, bracket, lifetime or advice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    pub kind: IncidentKind,
    /// When the first of them ended, since the run's start.
    pub at: Duration,
    /// Number of connections that ended, including the control.
    pub connections: usize,
    /// How the first of them ended.
    pub visible_end: VisibleEnd,
}

impl Incident {
    /// This many connections ended at one moment.
    pub fn one_moment(at: Duration, connections: usize, visible_end: VisibleEnd) -> Incident {
        Incident { kind: IncidentKind::OneMoment, at, connections, visible_end }
    }

    /// `at` in whole milliseconds, for output.
    pub fn at_shown(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX))
    }

    /// How the first connection ended: `peer sent close 1013 (try again later)`.
    pub fn how(&self) -> String {
        CloseCause::describe(ClosedBy::Peer, &self.visible_end.how, None)
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, at) = (counted(self.connections as u64, "connection"), show(self.at_shown()));
        match self.kind {
            IncidentKind::OneMoment => write!(
                f,
                "{at} into the run {number} ended at the same moment ({}), which counts for no timeout: a restart looks \
                 like this, and so does chance",
                self.how()
            ),
            IncidentKind::PathLost => write!(
                f,
                "{at} into the run the control was not answered: {number} that died meanwhile show nothing about a \
                 timeout"
            ),
            IncidentKind::EndedAtOnce => {
                write!(f, "{number} ended right after opening ({}), the first {at} into the run", self.how())
            }
            IncidentKind::Violation => {
                write!(f, "wscheck closed {number}: {}", judgement(&self.visible_end.how))
            }
        }
    }
}

/// What the server sent that made wscheck close a connection.
fn judgement(how: &CloseKind) -> String {
    match how {
        CloseKind::TooLarge { size, limit } => {
            format!("a message of {size} bytes was larger than --max-message-size ({limit} bytes)")
        }
        how => CloseCause::describe(ClosedBy::Peer, how, None).replacen("peer", "the server", 1),
    }
}
