//! Floor 1: the test server. It answers, keeps heartbeats and misbehaves on order; it shares no code
//! with the client but the domain's words, so that a common mistake cannot cancel out.

mod answers;
mod app_ping;
mod asks;
mod client;
mod config;
mod connection;
mod event;
pub mod faults;
mod figures;
mod frame;
mod handshake;
mod house;
mod idle;
mod memory;
mod message;
mod opening;
mod outbox;
mod pulse;
mod repeats;
mod snapshot;
mod socket;
mod status_page;
mod summary;
pub mod tls;
mod two_ended;
mod wheel;

pub use config::{Config, Heartbeats};
pub use event::{Listening, ServerEvent, TlsShown, What};
pub use figures::{BeatFigures, Figures};
pub use handshake::TurnedAway;
pub use house::{Server, run};
pub use snapshot::{ClientSnapshot, Snapshot};
pub use status_page::{Page, Pages, serve as serve_status};
pub use summary::Summary;
pub use two_ended::TWO_ENDED;
