//! How long a server keeps a dead client, and what that tells of its policy: without a clock and without a socket.
//!
//! - [`Way`]: the ways in which connections die, and the control beside them
//! - [`Life`]: what was heard on one of them, and what became of it
//! - [`Policy`]: what the lives together tell of the server; [`libraries`]: whose defaults it is consistent with
//! - [`Findings`]: the verdict, and why

mod findings;
pub mod libraries;
mod life;
mod policy;
pub mod report;
mod way;

pub use findings::{Findings, Verdict};
pub use libraries::{LIBRARIES, Library};
pub use life::{Fate, Life};
pub use policy::{HeartbeatPolicy, IdlePolicy, Needs, Policy, Reaping};
pub use way::Way;
