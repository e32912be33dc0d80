//! What the server does wrong on order.
//!
//! To add a fault, add a [`FaultDefinition`] to the table, which parses, explains and lists it. Most only
//! combine what [`Faults`] can say already; a new kind of misbehaviour is a field or variant there,
//! and the arm where it acts.

mod cut;
mod model;
mod table;
mod value;

pub use cut::{CutAction, close_code};
pub use model::{AnswerFaults, Faults, IdleFault, IdleReset, OpeningFaults, RepeatedSend};
pub use table::{FAULTS, FaultDefinition, FaultValue, list, set};
pub use value::{DurationRange, JitterShape, JitterSpec, count, period, share};
