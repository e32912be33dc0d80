//! How long a server keeps a dead client, and what this shows about its policy: without a clock and without a
//! socket.
//!
//! - [`Behaviour`]: how each client falls silent; one of them is the control
//! - [`ClientRecord`]: what was observed of one client, and its end
//! - [`ReapingPolicy`]: the server's policy, inferred from all clients by `inference`; [`ServerSchedule`]:
//!   its heartbeats as several clients receive them; [`TimerKind`]: how exactly a timer's length is known;
//!   [`libraries`]: whose defaults match
//! - [`TrafficEvidence`]: what a client must send to be kept
//! - [`ZombieFindings`]: the verdict and its reasons; `control`: what voids a whole run, by its control and
//!   its [`ObservationQuality`]; `caveats`: what makes one client's end inconclusive
//! - [`ZombieFinding`]: one thing learned, with its evidence; `conclusions` lists all of a report

mod behaviour;
mod caveats;
mod client_record;
mod conclusions;
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
mod zombie_finding;

#[cfg(test)]
mod simulator;

pub use behaviour::Behaviour;
pub use client_record::{ClientEnd, ClientEndName, ClientRecord, RelayCounts};
pub use findings::{ZombieFindings, ZombieVerdict};
pub use libraries::LibraryMatch;
pub use observation_quality::{ObservationQuality, outlived};
pub use policy::{HeartbeatPolicy, IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic, TrafficEvidence};
pub use server_schedule::ServerSchedule;
pub use timer_kind::TimerKind;
pub use zombie_finding::{ControlEndExplanation, ZombieFinding, ZombieFindingCode};
