//! The server at one moment, for whoever wants to look.

use std::time::{Duration, SystemTime};

use super::client_stats::ClientStats;
use super::summary::ServerSummary;

/// The server at one moment.
#[derive(Debug, Clone)]
pub struct ServerSnapshot {
    pub at: SystemTime,
    /// Who is there, in the order of arrival.
    pub clients: Vec<ClientSnapshot>,
    /// What it has come to so far.
    pub so_far: ServerSummary,
}

/// One client at that moment.
#[derive(Debug, Clone)]
pub struct ClientSnapshot {
    pub id: u64,
    /// Address and port.
    pub remote: String,
    /// Path and query, redacted.
    pub resource: String,
    pub subprotocol: Option<String>,
    /// Whether the faults happen to it.
    pub faulty: bool,
    pub age: Duration,
    /// How long it has said nothing.
    pub idle: Duration,
    pub figures: ClientStats,
}
