//! A server's events for people.

use std::time::SystemTime;

use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName, ClosedBy};
use crate::domain::format;
use crate::domain::format::counted;
use crate::domain::label::Label;
use crate::domain::stats::Counts;
use crate::server::{
    ClientSnapshot, HeartbeatStats, ListenAddress, ServeEvent, ServeEventKind, ServerSummary,
};

/// An event as one line, or several for the first and the last.
pub fn line(event: &ServeEvent) -> String {
    let client = event.client.map(|id| format!("#{id} ")).unwrap_or_default();
    format!("{} {client}{}", clock(event.at), what(&event.what))
}

fn what(what: &ServeEventKind) -> String {
    match what {
        ServeEventKind::Listening(listening) => listening_lines(listening),
        ServeEventKind::Opened { remote, resource, subprotocol, faulty } => {
            let subprotocol =
                subprotocol.as_ref().map(|name| format!(", subprotocol {name}")).unwrap_or_default();
            let faulty = if *faulty { ", faulty" } else { "" };
            format!("connected from {remote} to {resource}{subprotocol}{faulty}")
        }
        ServeEventKind::Rejected { remote, why } => format!("rejected {remote}: {why}"),
        ServeEventKind::Status(change) => {
            format!("{} -> {}: {}", change.from.label(), change.to.label(), change.reason)
        }
        ServeEventKind::DeadClientClosed { missed, silent_for } => {
            let missed = counted(u64::from(*missed), "heartbeat");
            format!("dead client closed: {missed} missed, silent for {}", format::duration(*silent_for))
        }
        ServeEventKind::Fault(fault) => format!("fault: {fault}"),
        ServeEventKind::Closed { ending, last } => {
            format!("ended after {}: {}{}", format::duration(ending.age), ended(ending), beats(last))
        }
        ServeEventKind::Error(what) => format!("error: {what}"),
        ServeEventKind::Stopped(summary) => summary_lines(summary),
    }
}

fn listening_lines(listening: &ListenAddress) -> String {
    let scheme = if listening.tls.is_some() { "wss" } else { "ws" };
    let mut lines = format!("listening on {scheme}://{}/ (Ctrl-C stops)", listening.address);
    if let Some(tls) = &listening.tls {
        lines.push_str(&format!("\n  certificate SHA-256 {}", tls.fingerprint));
        if let Some(ca) = &tls.ca_file {
            lines.push_str(&format!("\n  trust it with --cacert {}", ca.display()));
        }
    }
    if let Some(address) = listening.status_address {
        lines.push_str(&format!("\n  status on http://{address}/clients and http://{address}/metrics"));
    }
    lines
}

/// How a connection ended, seen from the server: the peer is the client.
pub fn ended(ending: &CloseCause) -> String {
    match (&ending.who, &ending.how) {
        (ClosedBy::Us, CloseKind::Fin) => String::from("server closed TCP (FIN) without a close frame"),
        (ClosedBy::Us, CloseKind::Rst) => String::from("server reset TCP (RST)"),
        (ClosedBy::Us, CloseKind::Silent) => String::from("server stopped while a fault kept it silent"),
        _ => {
            let text = ending.to_string().replacen("peer", "client", 1);
            text.strip_prefix("wscheck ").map(|rest| format!("server {rest}")).unwrap_or(text)
        }
    }
}

/// The outcomes and the mean RTT of the heartbeats, for each kind that was judged.
fn beats(client: &ClientSnapshot) -> String {
    let shown = |beat: &HeartbeatStats| {
        let mean =
            beat.rtts.mean().map(|mean| format!(", mean RTT {}", format::duration(mean))).unwrap_or_default();
        format!("; {}: {}{mean}", beat.kind, counts(&beat.counts))
    };
    let judged = client.figures.beats.iter().filter(|beat| beat.counts.judged() > 0);
    judged.map(shown).collect()
}

fn counts(counts: &Counts) -> String {
    let Counts { ok, late, superseded, missed, .. } = counts;
    format!("{ok} ok, {late} late, {superseded} superseded, {missed} missed")
}

fn summary_lines(summary: &ServerSummary) -> String {
    let mut lines = format!(
        "stopped after {}: {} (max {} at once), {} rejected, {} closed\n  \
         received {}, {}, {}",
        format::duration(summary.elapsed),
        counted(summary.clients, "client"),
        summary.most_at_once,
        summary.rejected,
        counted(summary.dead_clients_closed, "dead client"),
        counted(summary.messages, "message"),
        counted(summary.pings, "ping"),
        counted(summary.app_pings, "app ping"),
    );
    if summary.heartbeats.sent() > 0 {
        lines.push_str(&format!("\n  heartbeats: {}", counts(&summary.heartbeats)));
    }
    for ((who, how), count) in &summary.endings {
        lines.push_str(&format!("\n  {}: {count}", way_of_ending(*who, *how)));
    }
    lines
}

/// `closed by client: close frame` for `peer close_frame`.
fn way_of_ending(who: ClosedBy, how: CloseKindName) -> String {
    let how = how.words();
    match who {
        ClosedBy::Peer => format!("closed by client: {how}"),
        ClosedBy::Us => format!("closed by server: {how}"),
        ClosedBy::Network => format!("broken by the network: {how}"),
    }
}

/// The time of day, UTC.
fn clock(at: SystemTime) -> String {
    let shown = jiff::Timestamp::try_from(at).map(|at| at.strftime("%H:%M:%S%.3f").to_string());
    shown.unwrap_or_else(|_| String::from("?"))
}
