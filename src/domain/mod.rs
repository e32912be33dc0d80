//! Floor 0: decides with values. No socket, clock, terminal, serde or clap.

pub mod advice;
pub mod backoff;
pub mod duration_text;
pub mod ending;
pub mod event;
pub mod health;
pub mod heartbeat;
pub mod idle;
pub mod listen;
pub mod opening;
pub mod overheard;
pub mod peer_text;
pub mod phase;
pub mod recognition;
pub mod recorder;
pub mod report;
pub mod run;
pub mod shown;
pub mod stats;
pub mod target;
pub mod tcp;
pub mod threshold;
pub mod verdict;
pub mod zombie;
