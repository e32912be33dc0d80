//! The status of several connections, and of several targets, together.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::health::Status;
use super::report::{ConnReport, KindReport, TargetReport, count_of};
use super::run_status::{RunStatus, RunStatusLimits};

/// Gives each kind the worst status that it has in the parts.
pub fn take_worst_status<'a>(
    kinds: &mut [KindReport],
    parts: impl Iterator<Item = &'a [KindReport]> + Clone,
) {
    for figures in kinds {
        let same_kind = parts.clone().flatten().filter(|part| part.kind == figures.kind);
        figures.status = worst(same_kind.map(|part| part.status));
    }
}

/// The worst of these; unknown without any.
pub fn worst(statuses: impl Iterator<Item = Status>) -> Status {
    statuses.max().unwrap_or(Status::Unknown)
}

/// The reason of the first target with this status; names the target if there are several.
pub fn run_reason(status: Status, targets: &[TargetReport]) -> String {
    match targets.iter().find(|target| target.status == status) {
        Some(target) if targets.len() > 1 => format!("{}: {}", target.url, target.status_reason),
        Some(target) => target.status_reason.clone(),
        None => String::new(),
    }
}

/// The reason of the first connection with this status; names the connection if there are several.
fn target_reason(status: Status, connections: &[ConnReport]) -> String {
    match connections.iter().find(|connection| connection.status == status) {
        Some(connection) if count_of(connections) > 1 => {
            format!("{}: {}", connection.name(), connection.status_reason)
        }
        Some(connection) => connection.status_reason.clone(),
        None => String::new(),
    }
}

/// A target's status: its worst connection's, or worse if the loss over all its connections is. Single pongs
/// lost on many connections add up, although no connection shows it alone. `kinds` take that status too.
pub fn pooled_status(
    kinds: &mut [KindReport],
    connections: &[ConnReport],
    limits: &RunStatusLimits,
) -> RunStatus {
    let status = worst(connections.iter().map(|connection| connection.status));
    let reason = target_reason(status, connections);
    let mut found = RunStatus { status, reason, without_rtt: status };
    let number = count_of(connections);
    if number < 2 {
        return found;
    }
    for figures in kinds {
        let Some((status, reason)) = limits.by_loss(&figures.counts) else { continue };
        figures.status = figures.status.max(status);
        if status > found.status {
            let reason = format!("{reason} on all {number} connections together");
            found = RunStatus { status, reason, without_rtt: status };
        }
    }
    found
}

/// Connections by status, the worst first; only statuses that occur.
pub fn status_counts(targets: &[TargetReport]) -> Vec<(Status, u64)> {
    let mut counts = BTreeMap::new();
    let connections = targets.iter().flat_map(|target| &target.connections);
    for connection in connections {
        let count: &mut u64 = counts.entry(Reverse(connection.status)).or_default();
        *count = count.saturating_add(connection.count());
    }
    counts.into_iter().map(|(Reverse(status), count)| (status, count)).collect()
}
