//! How long a server keeps a dead client, and what that tells of its policy: without a clock and without a socket.
//!
//! - [`Way`]: the ways in which connections die, and the control beside them
//! - [`Life`]: what was heard on one of them, and what became of it
//! - [`Policy`]: what the lives together tell of the server, by `inference`; [`Beats`]: its heartbeats as several clients
//!   hear them; [`Edge`]: how exactly a timer's age is known; [`libraries`]: whose defaults it is consistent with
//! - [`Traffic`]: what a client must say of its own to be kept
//! - [`Findings`]: the verdict, and why; `control`: what makes a whole run none, by its control and how it was
//!   watched ([`Watch`]); `doubts`: what makes one client's fate none

mod beats;
mod control;
mod doubts;
mod edge;
mod findings;
mod inference;
pub mod libraries;
mod life;
mod policy;
pub mod report;
mod traffic;
mod watch;
mod way;

#[cfg(test)]
mod simulated;

pub use beats::Beats;
pub use edge::Edge;
pub use findings::{Findings, Verdict};
pub use libraries::{Goodbye, LIBRARIES, Library, Match};
pub use life::{Fate, Life, PassedOn};
pub use policy::{HeartbeatPolicy, IdlePolicy, Needs, Policy, Reaping};
pub use traffic::Traffic;
pub use watch::{Watch, outlived};
pub use way::Way;
