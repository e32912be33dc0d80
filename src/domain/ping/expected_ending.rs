//! How the user wants connections to end: closed by the peer with a certain code, or refused with a certain status.

use std::fmt::Display;

use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::ConnectError;

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

    /// The status of a wanted refusal.
    pub fn expected_status(&self, error: &ConnectError) -> Option<u16> {
        let status = error.refusal.as_ref()?.status;
        self.refused_with.contains(&status).then_some(status)
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
