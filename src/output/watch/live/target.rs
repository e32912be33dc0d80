//! What the live view knows of one connection.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::domain::connection::connect_info::ConnectInfo;
use crate::domain::heartbeat::HeartbeatOutcome;
use crate::domain::ping::event::{ConnEvent, HeartbeatResult};
use crate::domain::ping::health::Status;
use crate::domain::ping::outage_tracker::OutageTracker;
use crate::domain::ping::run_info::RunInfo;
use crate::domain::stats::{Counts, JitterSummary, RttSummary, Rtts, Successive};

/// A heartbeat as the view shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownBeat {
    /// When it was judged.
    pub at: SystemTime,
    pub seq: u64,
    pub outcome: HeartbeatOutcome,
    pub rtt: Option<Duration>,
    pub is_extra: bool,
}

/// One connection.
#[derive(Debug)]
pub struct LiveTarget {
    /// Its name in the file, or its URL.
    pub name: String,
    pub url: String,
    info: Arc<RunInfo>,
    pub status: Status,
    /// Why it has its status, or why it is not open.
    pub reason: String,
    pub last: Option<Duration>,
    pub counts: Counts,
    rtts: Rtts,
    successive: Successive,
    /// The latest heartbeats, the oldest first.
    pub beats: VecDeque<ShownBeat>,
    most_beats: usize,
    /// The last opening.
    pub opened: Option<Arc<ConnectInfo>>,
    /// Since when it is open.
    pub open_since: Option<SystemTime>,
    outages: OutageTracker,
    started_at: SystemTime,
}

impl LiveTarget {
    /// Keeps so many heartbeats.
    pub fn new(
        name: String,
        url: String,
        info: Arc<RunInfo>,
        most_beats: usize,
        at: SystemTime,
    ) -> LiveTarget {
        LiveTarget {
            name,
            url,
            info,
            status: Status::Unknown,
            reason: "opening".to_string(),
            last: None,
            counts: Counts::default(),
            rtts: Rtts::default(),
            successive: Successive::default(),
            beats: VecDeque::new(),
            most_beats,
            opened: None,
            open_since: None,
            outages: OutageTracker::default(),
            started_at: at,
        }
    }

    /// Resets RTTs and counts. Status, outages and the chart stay.
    pub fn reset_figures(&mut self) {
        (self.counts, self.rtts, self.last) = (Counts::default(), Rtts::default(), None);
        self.successive = Successive::default();
    }

    /// Follows an event of the connection.
    pub fn observe(&mut self, at: SystemTime, event: &ConnEvent) {
        let now = at.duration_since(self.started_at).unwrap_or_default();
        self.outages.observe(now, event, self.info.timeout, self.info.outage_after);
        match event {
            ConnEvent::Opened(opened) => {
                (self.opened, self.open_since) = (Some(Arc::clone(opened)), Some(at));
                self.reason = "no heartbeat was answered yet".to_string();
            }
            ConnEvent::OpenFailed(error) => {
                // Its end told the status, if it was ever open.
                self.open_since = None;
                self.reason = format!("{}: {}", error.phase, error.cause);
            }
            ConnEvent::Ended(_) => self.open_since = None,
            ConnEvent::Status(change) if change.kind.is_none() => {
                (self.status, self.reason) = (change.to, change.reason.clone());
            }
            ConnEvent::Heartbeat(beat) => self.count(at, beat),
            ConnEvent::ExtraHeartbeat(beat) => {
                self.counts.extra += u64::from(beat.was.is_none());
                self.keep(at, beat, true);
            }
            _ => {}
        }
    }

    fn count(&mut self, at: SystemTime, beat: &HeartbeatResult) {
        self.counts.record(beat.outcome, beat.was);
        self.successive.record(beat.seq, beat.rtt);
        if let Some(rtt) = beat.first_rtt() {
            self.rtts.record(rtt);
        }
        self.keep(at, beat, false);
    }

    /// A revision changes the heartbeat that was shown.
    fn keep(&mut self, at: SystemTime, beat: &HeartbeatResult, is_extra: bool) {
        self.last = beat.rtt.or(self.last);
        let same = |shown: &&mut ShownBeat| shown.seq == beat.seq && shown.is_extra == is_extra;
        if beat.was.is_some()
            && let Some(shown) = self.beats.iter_mut().rev().find(same)
        {
            (shown.outcome, shown.rtt) = (beat.outcome, beat.rtt);
            return;
        }
        if self.beats.len() == self.most_beats {
            self.beats.pop_front();
        }
        let HeartbeatResult { seq, outcome, rtt, .. } = *beat;
        self.beats.push_back(ShownBeat { at, seq, outcome, rtt, is_extra });
    }

    /// The RTTs since the start, or since they were reset.
    pub fn rtt(&self) -> Option<RttSummary> {
        self.rtts.summary()
    }

    pub fn jitter(&self) -> Option<Duration> {
        JitterSummary::new(self.rtts.moments(), &self.successive.differences()).rfc3550
    }

    /// How many outages there were, the present one included.
    pub fn outages(&self) -> u64 {
        self.outages.report(Duration::ZERO).count
    }

    /// The part of the time in which the other end was not away.
    pub fn availability(&self, now: SystemTime) -> Option<f64> {
        self.outages.report(now.duration_since(self.started_at).unwrap_or_default()).availability()
    }
}
