//! What the summary says, whatever the command.

use super::log::{outcomes, received};
use super::metrics::metrics;
use crate::commands::serve::ServeReport;
use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::output::view::{Phrase, Rows, Tone, View};
use crate::server::ServerSummary;

/// Without an expectation a server measures nothing: stopping it is a pass.
pub fn view(url: &str, report: &ServeReport) -> View {
    let summary = &report.summary;
    View {
        interrupted: report.interrupted,
        done: report.done,
        headline: headline(summary),
        reasons: report.reasons.clone(),
        criteria: report.criteria.clone(),
        evidence: evidence(summary),
        metrics: metrics(summary),
        ..View::new(url, summary.started_at, summary.elapsed, report.result)
    }
}

fn headline(summary: &ServerSummary) -> Phrase {
    let claim = format!("served {}", counted(summary.clients, "client"));
    let elapsed = format::duration(summary.elapsed);
    Phrase::new(claim, Tone::Neutral, format!(" in {elapsed} (at most {} at once)", summary.most_at_once))
}

fn evidence(summary: &ServerSummary) -> Rows {
    let mut rows = Rows::default();
    rows.add("rejected", counted(summary.rejected, "connection"));
    rows.add("dead", format!("{} closed", counted(summary.dead_clients_closed, "client")));
    rows.add("received", received(summary.messages, summary.pings, summary.app_pings));
    rows.add_some("heartbeats", (summary.heartbeats.sent() > 0).then(|| outcomes(&summary.heartbeats)));
    rows.add_some("faults", faults(summary));
    rows.add_all("endings", summary.endings.iter().map(|((who, how), count)| ending(*who, *how, *count)));
    rows
}

/// `3 x stall, 1 x pong dropped`
fn faults(summary: &ServerSummary) -> Option<String> {
    let shown = summary.faults.iter().map(|(name, count)| format!("{count} x {}", name.replace('_', " ")));
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// `2 by the client: close frame`
fn ending(who: ClosedBy, how: CloseKindName, count: u64) -> String {
    let who = match who {
        ClosedBy::Peer => "client",
        ClosedBy::Us => "server",
        ClosedBy::Network => "network",
    };
    format!("{count} by the {who}: {}", how.words())
}
