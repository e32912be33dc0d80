//! What the server does wrong on order.
//!
//! To add a fault, add a [`Definition`] to the table, which parses, explains and lists it. Most only
//! combine what [`Faults`] can say already; a new kind of misbehaviour is a field or variant there,
//! and the arm where it acts.

mod cut;
mod model;
mod table;
mod value;

pub use cut::{Cut, close_code};
pub use model::{AnswerFaults, Faults, IdleFault, OpeningFaults, Repeat, Resets};
pub use table::{DEFINITIONS, Definition, Value, list, set};
pub use value::{Jitter, Shape, Span, count, period, share};
