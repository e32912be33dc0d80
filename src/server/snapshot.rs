//! A snapshot of the server, for the status pages.

use std::time::{Duration, SystemTime};

use super::client_stats::ClientStats;
use super::summary::ServerSummary;
use crate::domain::connection::connect_info::HttpVersion;

/// The server's state at one time.
#[derive(Debug, Clone)]
pub struct ServerSnapshot {
    pub at: SystemTime,
    /// Connected clients, in order of arrival.
    pub clients: Vec<ClientSnapshot>,
    /// Totals so far.
    pub so_far: ServerSummary,
}

/// One client's state.
#[derive(Debug, Clone)]
pub struct ClientSnapshot {
    pub id: u64,
    /// Address and port.
    pub remote: String,
    /// The version of HTTP that it opened the WebSocket with.
    pub http: HttpVersion,
    /// Path and query, redacted.
    pub resource: String,
    pub subprotocol: Option<String>,
    /// Whether it gets the faults.
    pub faulty: bool,
    pub age: Duration,
    /// Time since its last data.
    pub idle: Duration,
    pub figures: ClientStats,
}
