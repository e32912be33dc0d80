//! How long a server keeps a dead client, and what that tells of its policy: without a clock and without a socket.
//!
//! - [`Behaviour`]: the ways in which connections die, and the control beside them
//! - [`ClientRecord`]: what was heard on one of them, and result
//! - [`ReapingPolicy`]: what the lives together tell of the server, by `inference`; [`ServerSchedule`]: its heartbeats as several clients
//!   hear them; [`TimerKind`]: how exactly a timer's age is known; [`libraries`]: whose defaults it is consistent with
//! - [`TrafficEvidence`]: what a client must say of its own to be kept
//! - [`ZombieFindings`]: the verdict, and why; `control`: what makes a whole run none, by its control and how it was
//!   watched ([`ObservationQuality`]); `doubts`: what makes one client's fate none

mod behaviour;
mod caveats;
mod client_record;
mod control;
mod findings;
mod inference;
pub mod libraries;
mod observation_quality;
mod policy;
pub mod report;
mod required_traffic;
mod server_schedule;
mod timer_kind;

#[cfg(test)]
mod simulator;

pub use behaviour::Behaviour;
pub use client_record::{ClientEnd, ClientEndName, ClientRecord, RelayCounts};
pub use findings::{ZombieFindings, ZombieVerdict};
pub use libraries::{Goodbye, LIBRARIES, Library, LibraryMatch};
pub use observation_quality::{ObservationQuality, outlived};
pub use policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
pub use required_traffic::TrafficEvidence;
pub use server_schedule::ServerSchedule;
pub use timer_kind::TimerKind;
