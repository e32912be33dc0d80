//! What the summary says, whatever the command.

use super::log::{outcomes, received};
use super::metrics::metrics;
use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::domain::run::run_result::RunResult;
use crate::output::view::{Phrase, Rows, Tone, View};
use crate::server::ServerSummary;

/// A server measures nothing and has no planned end: stopping it is a pass.
pub fn view(url: &str, summary: &ServerSummary) -> View {
    View {
        subject: url.to_string(),
        started_at: summary.started_at,
        elapsed: summary.elapsed,
        interrupted: true,
        done: None,
        is_already_said: false,
        headline: headline(summary),
        result: RunResult::Passed,
        reasons: Vec::new(),
        criteria: Vec::new(),
        findings: Vec::new(),
        evidence: evidence(summary),
        tables: Vec::new(),
        charts: Vec::new(),
        sections: Vec::new(),
        about_run: Rows::default(),
        metrics: metrics(summary),
        parts: Vec::new(),
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
    rows.add_all("endings", summary.endings.iter().map(|((who, how), count)| ending(*who, *how, *count)));
    rows
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
