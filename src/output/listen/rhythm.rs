//! When the server sent what, as a chart.

use std::collections::BTreeMap;
use std::time::Duration;

use super::findings::one;
use crate::domain::format::duration;
use crate::domain::listen::ServerEventKind;
use crate::domain::listen::report::{ListenEvent, ListenReport};
use crate::output::view::{Chart, Tone, Track, TrackSpan, Tracks};

/// The most moments of one kind that are kept.
const MAX_MOMENTS: usize = 300;

/// The moments so far.
#[derive(Debug, Default)]
pub struct Rhythm {
    of_server: BTreeMap<ServerEventKind, Moments>,
    of_client: Moments,
}

#[derive(Debug, Default)]
struct Moments {
    /// The first ones, since the opening.
    ages: Vec<Duration>,
    count: u64,
}

impl Moments {
    fn add(&mut self, age: Duration, count: u64) {
        self.count = self.count.saturating_add(count);
        if self.ages.len() < MAX_MOMENTS {
            self.ages.push(age);
        }
    }

    fn track(&self, label: &str, tone: Tone) -> Track {
        let span = |age: &Duration| TrackSpan {
            from_ms: (*age).into(),
            to_ms: (*age).into(),
            tone,
            text: duration(*age),
        };
        let is_all = self.ages.len() as u64 == self.count;
        let of = (!is_all).then_some(self.count);
        Track { label: label.to_string(), spans: self.ages.iter().map(span).collect(), of }
    }
}

impl Rhythm {
    pub fn observe(&mut self, event: &ListenEvent) {
        match event {
            ListenEvent::Received(notice) => {
                self.of_server.entry(notice.event_kind).or_default().add(notice.age, notice.count);
            }
            ListenEvent::StimulusSent { age, .. } => self.of_client.add(*age, 1),
            ListenEvent::Started { .. }
            | ListenEvent::Opened { .. }
            | ListenEvent::Ended(_)
            | ListenEvent::Progress(_)
            | ListenEvent::Finished(_) => {}
        }
    }

    /// The chart; `None` if the server sent nothing.
    pub fn chart(&self, report: &ListenReport) -> Option<Chart> {
        if self.of_server.is_empty() {
            return None;
        }
        let of_server = self.of_server.iter().map(|(kind, moments)| {
            let tone = if kind.is_heartbeat() { Tone::Good } else { Tone::Neutral };
            moments.track(one(*kind), tone)
        });
        let of_client = (self.of_client.count > 0).then(|| self.of_client.track("client", Tone::Caution));
        Some(Chart::Tracks(Tracks {
            title: "What the server sent, and when".to_string(),
            length_ms: report.findings.listened.into(),
            tracks: of_server.chain(of_client).collect(),
        }))
    }
}
