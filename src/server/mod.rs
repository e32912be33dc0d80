//! Floor 1: the test server, with heartbeats and injected faults. It shares only domain types with the client, so that
//! a mistake in common code cannot cancel out.

mod accept_loop;
mod app_ping;
mod client;
mod client_stats;
mod config;
mod connection;
pub(crate) mod deflate;
mod event;
pub mod faults;
pub(crate) mod frame;
pub(crate) mod handshake;
mod handshake_task;
mod heartbeat;
mod http2;
mod idle_timer;
mod lock;
mod memory;
pub(crate) mod message;
mod periodic;
mod pong_queue;
mod sent_pings;
mod snapshot;
mod socket;
mod summary;
pub mod tls;
mod two_ended;
mod write_buffer;

pub use accept_loop::{Server, run};
pub use client_stats::{ClientStats, HeartbeatStats};
pub use config::{ServerConfig, ServerHeartbeats};
pub use event::{FaultAction, ListenAddress, ServeEvent, ServeEventKind, TlsIdentityInfo};
pub use handshake::RejectedConnection;
pub use snapshot::{ClientSnapshot, ServerSnapshot};
pub use summary::ServerSummary;
pub use two_ended::TWO_ENDED;
