//! Floor 1: the test server. It answers, keeps heartbeats and misbehaves on order; it shares no code
//! with the client but the domain's words, so that a common mistake cannot cancel out.

mod answers;
mod app_ping;
mod client;
mod config;
mod connection;
mod event;
pub mod faults;
mod figures;
mod frame;
mod handshake;
mod house;
mod message;
mod opening;
mod outbox;
mod socket;
mod wheel;

pub use config::Config;
pub use event::{ServerEvent, Summary, What};
pub use handshake::TurnedAway;
pub use house::run;
pub use opening::TWO_ENDED;
