//! Totals of a server's run.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::client_stats::ClientStats;
use crate::domain::client_test::activity::ClientActivity;
use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
use crate::domain::stats::Counts;

/// Totals of a server's run.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerSummary {
    pub started_at: SystemTime,
    pub elapsed: Duration,
    /// Connections that became clients.
    pub clients: u64,
    /// Maximum number of concurrent clients.
    pub most_at_once: usize,
    pub rejected: u64,
    /// Number of clients that the server terminated because they missed heartbeats.
    pub dead_clients_closed: u64,
    /// Results of the server's heartbeats, over all clients and kinds.
    pub heartbeats: Counts,
    /// Number of clients that ended in each way.
    pub endings: BTreeMap<(ClosedBy, CloseKindName), u64>,
    /// Ordinary messages received.
    pub messages: u64,
    /// Ping frames received, answered or not.
    pub pings: u64,
    /// App pings received, answered or not.
    pub app_pings: u64,
    /// How often faults acted: cuts by their names, `upgrade_refused`, and `pong_dropped`.
    pub faults: BTreeMap<&'static str, u64>,
    /// What the clients did, for `--expect`.
    pub activity: ClientActivity,
}

impl ServerSummary {
    /// No client has come yet.
    pub(super) fn begin(started_at: SystemTime) -> ServerSummary {
        ServerSummary {
            started_at,
            elapsed: Duration::ZERO,
            clients: 0,
            most_at_once: 0,
            rejected: 0,
            dead_clients_closed: 0,
            heartbeats: Counts::default(),
            endings: BTreeMap::new(),
            messages: 0,
            pings: 0,
            app_pings: 0,
            faults: BTreeMap::new(),
            activity: ClientActivity::default(),
        }
    }

    /// Adds what one client sent and answered.
    pub(super) fn add(&mut self, figures: &ClientStats) {
        self.messages += figures.messages;
        self.pings += figures.pings;
        self.app_pings += figures.app_pings;
        figures.beats.iter().for_each(|beat| self.heartbeats.add(&beat.counts));
    }
}
