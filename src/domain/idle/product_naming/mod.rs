//! Which timeouts of the catalogue a measurement is consistent with.

mod fit;
mod matching;
mod observed;

pub use fit::{names_a_hop, naming_header};
pub use matching::{Candidate, NotCompared, ProductNaming, RuledOut, consistent_with};
pub use observed::{CutObservation, ObservedCut, VisibleCut};

#[cfg(test)]
mod naming_tests;
