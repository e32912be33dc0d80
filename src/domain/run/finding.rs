//! What a run learned: each finding has a code for scripts, a severity, and its evidence as data. The sentences are
//! made in `output`.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::label::Label;

/// How much a finding matters, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    /// Something is as it should be.
    Ok,
    /// Worth knowing; nothing needs to change.
    Info,
    /// It may cause trouble, or it limits what the run shows.
    Warning,
    /// It causes trouble.
    Problem,
}

/// One thing learned. Each command has an enum of them; the label of a variant is the finding's code.
pub trait Finding: Label {
    /// How much it matters.
    fn severity(&self) -> Severity;
}
