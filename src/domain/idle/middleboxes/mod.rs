//! What is known of the timers of proxies, clouds, NATs and servers, each fact with its source, and which of
//! them a measurement is consistent with. To add one: an entry in its family's slice.

mod candidates;
mod clouds;
mod lookup;
mod model;
mod nats;
mod proxies;
mod servers;

pub use candidates::{Candidate, Seen, Visible, consistent_with};
pub use lookup::{all, find, near};
pub use model::{
    Change, Confidence, Cut, Family, Kind, Mark, Middlebox, Resets, Shows, Typical, Value, span,
};
