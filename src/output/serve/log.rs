//! What people read while `serve` runs: a line for each event.

use std::time::SystemTime;

use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::domain::stats::Counts;
use crate::output::human::HumanOptions;
use crate::server::{ClientSnapshot, HeartbeatStats, ListenAddress, ServeEvent, ServeEventKind};

/// The lines of events.
#[derive(Debug)]
pub struct ServeLog {
    /// Only errors are shown.
    quiet: bool,
    /// The end of a client also shows what was received from it.
    verbose: bool,
}

impl ServeLog {
    pub fn new(options: HumanOptions) -> ServeLog {
        ServeLog { quiet: options.quiet, verbose: options.verbose }
    }

    /// What people read of an event, newline included.
    pub fn lines(&self, event: &ServeEvent) -> Option<String> {
        if self.quiet && !matches!(event.what, ServeEventKind::Error(_)) {
            return None;
        }
        let client = event.client.map(|id| format!("#{id} ")).unwrap_or_default();
        Some(format!("{} {client}{}\n", clock(event.at), self.text(&event.what)?))
    }

    fn text(&self, what: &ServeEventKind) -> Option<String> {
        Some(match what {
            ServeEventKind::Listening(listening) => listening_lines(listening),
            ServeEventKind::Opened { remote, http, resource, subprotocol, compression, faulty } => {
                let http = if *http == HttpVersion::Http2 { ", HTTP/2" } else { "" };
                let subprotocol =
                    subprotocol.as_ref().map(|name| format!(", subprotocol {name}")).unwrap_or_default();
                let compression =
                    compression.as_ref().map(|agreed| format!(", {agreed}")).unwrap_or_default();
                let faulty = if *faulty { ", faulty" } else { "" };
                format!("connected from {remote} to {resource}{http}{subprotocol}{compression}{faulty}")
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
            ServeEventKind::SilenceNoticed { after } => {
                format!("the client noticed the silence after {}", format::duration(*after))
            }
            ServeEventKind::Closed { ending, last } => self.closed(ending, last),
            ServeEventKind::Error(message) => format!("error: {message}"),
            ServeEventKind::Stopped(_) => return None,
        })
    }

    fn closed(&self, ending: &CloseCause, last: &ClientSnapshot) -> String {
        let ClientSnapshot { figures, .. } = last;
        let received = self.verbose.then(|| received(figures.messages, figures.pings, figures.app_pings));
        let received = received.map(|counts| format!("; received {counts}")).unwrap_or_default();
        format!(
            "ended after {}: {}{}{received}",
            format::duration(ending.age),
            close_text(ending),
            heartbeats(last)
        )
    }
}

fn listening_lines(listening: &ListenAddress) -> String {
    let mut lines = format!("listening on {} (Ctrl-C stops)", listening.url());
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
pub fn close_text(ending: &CloseCause) -> String {
    match (&ending.who, &ending.how) {
        (ClosedBy::Us, CloseKind::H2EndStream) => {
            String::from("server ended the stream of HTTP/2 (END_STREAM) without a close frame")
        }
        (ClosedBy::Us, CloseKind::H2RstStream { code }) => {
            format!("server reset the stream of HTTP/2 (RST_STREAM {code})")
        }
        (ClosedBy::Us, CloseKind::H2Goaway { code, .. }) => {
            format!("server ended the connection of HTTP/2 (GOAWAY {code})")
        }
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
fn heartbeats(client: &ClientSnapshot) -> String {
    let shown = |beat: &HeartbeatStats| {
        let mean =
            beat.rtts.mean().map(|mean| format!(", mean RTT {}", format::duration(mean))).unwrap_or_default();
        format!("; {}: {}{mean}", beat.kind, outcomes(&beat.counts))
    };
    let judged = client.figures.beats.iter().filter(|beat| beat.counts.judged() > 0);
    judged.map(shown).collect()
}

/// `2 ok, 0 late, 0 superseded, 1 missed`
pub fn outcomes(counts: &Counts) -> String {
    let Counts { ok, late, superseded, missed, .. } = counts;
    format!("{ok} ok, {late} late, {superseded} superseded, {missed} missed")
}

/// `3 messages, 2 pings, 1 app ping`
pub fn received(messages: u64, pings: u64, app_pings: u64) -> String {
    let (messages, pings) = (counted(messages, "message"), counted(pings, "ping"));
    format!("{messages}, {pings}, {}", counted(app_pings, "app ping"))
}

/// The time of day, UTC.
fn clock(at: SystemTime) -> String {
    let shown = jiff::Timestamp::try_from(at).map(|at| at.strftime("%H:%M:%S%.3f").to_string());
    shown.unwrap_or_else(|_| String::from("?"))
}
