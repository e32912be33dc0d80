//! The worst of many connections.

use std::cmp::Reverse;
use std::time::Duration;

use super::health::Status;
use super::report::{ConnReport, PingReport};
use super::run_info::ConnId;

/// Up to this many connections, all are listed.
pub const MAX_LISTED_CONNECTIONS: usize = 10;

/// The worst connections of a run of many, as many as the run lists, ordered:
///
/// - by status, dead first
/// - by missed heartbeats, then by unplanned ends
/// - by mean RTT, the slowest first
pub fn worst_of(report: &PingReport) -> Vec<ConnId> {
    let each = report.targets.iter().enumerate().flat_map(|(target, of)| {
        // Connections that are only described together were not among the worst of their own run.
        let single = of.connections.iter().filter(|connection| connection.alike == 0);
        single.map(move |connection| (rank(connection), ConnId { target, index: connection.index }))
    });
    if report.connection_count() <= MAX_LISTED_CONNECTIONS as u64 {
        return Vec::new();
    }
    let mut ranked: Vec<_> = each.collect();
    ranked.sort_by_key(|(rank, id)| (Reverse(*rank), *id));
    ranked.truncate(report.info.worst);
    ranked.into_iter().map(|(_, id)| id).collect()
}

fn rank(connection: &ConnReport) -> (Status, u64, u32, Option<Duration>) {
    let missed = connection.kinds.iter().map(|kind| kind.counts.missed).sum();
    let slowest = connection.kinds.iter().filter_map(|kind| kind.rtt).map(|rtt| rtt.mean).max();
    (connection.status, missed, connection.unplanned_endings, slowest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::domain::ping::report::samples;

    fn connection(index: usize, rtt: u64) -> ConnReport {
        ConnReport {
            kinds: vec![samples::kind(HeartbeatKind::Protocol, &[rtt])],
            ..samples::connection(index)
        }
    }

    fn worst(connections: Vec<ConnReport>) -> Vec<usize> {
        let mut target = samples::target("ws://a/", vec![samples::kind(HeartbeatKind::Protocol, &[1])]);
        target.connections = connections;
        worst_of(&samples::report(vec![target])).into_iter().map(|id| id.index).collect()
    }

    #[test]
    fn dead_rank_before_lossy_before_slow() {
        let mut all: Vec<ConnReport> = (0..12).map(|n| connection(n, 10 + n as u64)).collect();
        all[3].status = Status::Dead;
        all[4].kinds[0].counts.missed = 1;
        all[5].kinds[0].counts.missed = 2;
        all[6].unplanned_endings = 1;
        assert_eq!(worst(all), [3, 5, 4, 6, 11]);
    }

    #[test]
    fn few_connections_have_no_worst_list() {
        assert_eq!(worst((0..MAX_LISTED_CONNECTIONS).map(|n| connection(n, 1)).collect()), [0; 0]);
    }
}
