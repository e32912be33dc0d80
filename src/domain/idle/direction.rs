//! The directions of a path, and whether both ends report.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::finding::CutManner;

/// Whether the server agreed to speak first after a silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TwoEnded {
    /// The server supports it.
    Agreed,
    /// The server does not support it, so the server's direction was not tested alone.
    Refused,
}

/// One or both directions of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Direction {
    FromServer,
    FromClient,
    Both,
}

impl Direction {
    /// The direction that was lost, known if both ends reported; `None` if the cut does not show it.
    pub fn lost_by(manner: &CutManner) -> Option<Direction> {
        match manner {
            CutManner::ServerUnheard => Some(Direction::FromServer),
            CutManner::ClientUnheard { .. } => Some(Direction::FromClient),
            CutManner::Silent { .. } => Some(Direction::Both),
            CutManner::Visible(_) | CutManner::OnUse(_) => None,
        }
    }
}
