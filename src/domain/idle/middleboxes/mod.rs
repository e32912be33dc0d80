//! The timers of proxies, clouds, NATs and servers, each with its source, and which of them a measurement is
//! consistent with. To add one: an entry in its family's slice.

mod clouds;
mod fit;
mod lookup;
mod matching;
mod model;
mod nats;
mod observed;
mod proxies;
mod servers;

pub use fit::names_a_hop;
pub use lookup::{all, find, near};
pub use matching::{Candidate, ProductNaming, RuledOut, consistent_with};
pub use model::{
    Confidence, CutKind, HeaderMark, Middlebox, ProductFamily, ProductMarks, SettingChange, TimeoutKind,
    TimeoutValue, TimerReset, TypicalSetting, span,
};
pub use observed::{CutObservation, ObservedCut, VisibleCut};

#[cfg(test)]
mod naming_tests;
