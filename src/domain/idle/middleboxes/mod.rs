//! What is known of the timers of proxies, clouds, NATs and servers, each fact with its source, and which of
//! them a measurement is consistent with. To add one: an entry in its family's slice.

mod candidates;
mod clouds;
mod fit;
mod lookup;
mod model;
mod nats;
mod observed;
mod proxies;
mod servers;

pub use candidates::{Candidate, Naming, RuledOut, consistent_with};
pub use fit::names_a_hop;
pub use lookup::{all, find, near};
pub use model::{
    Change, Confidence, Cut, Family, Kind, Mark, Middlebox, Resets, Shows, Typical, Value, span,
};
pub use observed::{Observed, Seen, Visible};

#[cfg(test)]
mod naming_tests;
