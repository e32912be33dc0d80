//! Faults that the server injects.
//!
//! To add a fault, add a [`FaultDefinition`] to the table, which parses, explains and lists it. Most faults combine
//! what [`Faults`] supports already; a new kind needs a field or variant there, and code where it acts.

mod cut;
mod definitions;
mod model;
mod value;

pub use cut::{CutAction, close_code};
pub use definitions::{FAULTS, FaultDefinition, FaultValue, list, set};
pub use model::{AnswerFaults, Faults, Http2Faults, IdleFault, IdleReset, OpeningFaults, RepeatedSend};
pub use value::{DurationRange, JitterShape, JitterSpec, MAX_WINDOW, count, period};
