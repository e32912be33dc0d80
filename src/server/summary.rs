//! What a server's run comes to.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::domain::stats::Counts;

/// What a server's run comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerSummary {
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// Connections that became clients.
    pub clients: u64,
    /// The most of them at one time.
    pub most_at_once: usize,
    pub turned_away: u64,
    /// Clients that missed their heartbeats and were terminated.
    pub reaped: u64,
    /// What the server's own heartbeats came to, of all clients and kinds.
    pub heartbeats: Counts,
    /// How the clients ended, by who and how (`peer close_frame`).
    pub endings: BTreeMap<String, u64>,
    /// Ordinary messages that came.
    pub messages: u64,
    /// Ping frames that came, answered or not.
    pub pings: u64,
    /// App pings that came, answered or not.
    pub app_pings: u64,
}
