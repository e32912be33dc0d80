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

/// Declares the findings of a command, each with its severity before its name, and the enum of their codes.
macro_rules! findings {
    ($(#[$meta:meta])* $name:ident, $code:ident {
        $($(#[$of_variant:meta])* $severity:ident $variant:ident $(($($tuple:tt)*))? $({ $($fields:tt)* })?),* $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, ::strum::IntoStaticStr, ::strum::EnumDiscriminants)]
        #[strum(serialize_all = "snake_case")]
        #[strum_discriminants(derive(::strum::IntoStaticStr, ::strum::EnumIter, ::strum::EnumMessage))]
        #[strum_discriminants(name($code), strum(serialize_all = "snake_case"))]
        pub enum $name {
            $($(#[$of_variant])* $variant $(($($tuple)*))? $({ $($fields)* })?),*
        }

        impl $crate::domain::run::finding::Finding for $name {
            fn severity(&self) -> $crate::domain::run::finding::Severity {
                match self {
                    $($name::$variant { .. } => $crate::domain::run::finding::Severity::$severity),*
                }
            }
        }
    };
}

pub(in crate::domain) use findings;
