//! The statuses and the outages of a run as a chart.

use std::time::Duration;

use super::status::tone;
use crate::domain::format::duration;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::PingReport;
use crate::output::view::{Chart, Tone, Track, TrackSpan, Tracks};

/// The chart; `None` for a run with one status and no outage.
pub fn chart(report: &PingReport) -> Option<Chart> {
    let (statuses, outages) = (statuses(report), outages(report));
    if statuses.spans.len() < 2 && outages.spans.is_empty() {
        return None;
    }
    Some(Chart::Tracks(Tracks {
        title: "Status and outages".to_string(),
        length_ms: report.elapsed.into(),
        tracks: vec![statuses, outages],
    }))
}

/// The worst status of the connections over time, from the first known one on.
fn statuses(report: &PingReport) -> Track {
    let spans = &report.history.statuses;
    let ends = spans.iter().skip(1).map(|next| next.from).chain([report.elapsed]);
    let known = spans.iter().zip(ends).filter(|(span, _)| span.status != Status::Unknown);
    let spans = known.map(|(span, until)| shown(span.from, until, tone(span.status), span.status.label()));
    Track { label: "status".to_string(), spans: spans.collect(), of: None }
}

/// When a connection was lost.
fn outages(report: &PingReport) -> Track {
    let spans = report
        .history
        .outages
        .iter()
        .map(|outage| shown(outage.from, outage.until.unwrap_or(report.elapsed), Tone::Bad, "lost"));
    Track { label: "lost".to_string(), spans: spans.collect(), of: None }
}

/// `dead from 3.2 s for 1.4 s`
fn shown(from: Duration, until: Duration, tone: Tone, what: &str) -> TrackSpan {
    let until = until.max(from);
    let text = format!("{what} from {} for {}", duration(from), duration(until.saturating_sub(from)));
    TrackSpan { from_ms: from.into(), to_ms: until.into(), tone, text }
}
