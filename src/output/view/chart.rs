//! What charts show. Formats without pictures leave them out, or show a part.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::phrase::Tone;
use crate::domain::stats::timeline::{Timeline, TimelineInterval};
use crate::output::json::{Ms, document};

/// A chart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Chart {
    Distribution(Distribution),
    RttOverTime(RttOverTime),
    Lanes(Lanes),
    Tracks(Tracks),
}

/// How RTTs are distributed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Distribution {
    /// The kind of heartbeat, if there are several.
    pub name: Option<String>,
    pub min_ms: Ms,
    pub max_ms: Ms,
    /// How many RTTs each interval has; the intervals ascend.
    pub counts: Vec<u64>,
}

document! {
    /// The RTTs over the time of a run.
    #[derive(Deserialize)]
    pub struct RttOverTime from timeline: &Timeline {
        /// The length of an interval.
        pub interval_ms: Ms = timeline.width,
        pub intervals: Vec<ChartInterval> = timeline.intervals.iter().map(Into::into).collect::<Vec<ChartInterval>>(),
    }
}

document! {
    /// The heartbeats that were sent in one interval.
    #[derive(Deserialize)]
    pub struct ChartInterval from interval: &TimelineInterval {
        /// Heartbeats with an RTT.
        #[serde(default)]
        pub answered: u64 = interval.answered,
        pub missed: u64 = interval.missed,
        pub late: u64 = interval.late,
        /// The RTTs of the others; null if there are none.
        pub rtt: Option<RttRange> = interval.mean().map(|mean| (interval, mean).into()),
    }
}

document! {
    /// RTTs in short.
    #[derive(Deserialize)]
    pub struct RttRange from (interval, mean): (&TimelineInterval, Duration) {
        pub min_ms: Ms = interval.min,
        pub mean_ms: Ms = mean,
        pub max_ms: Ms = interval.max,
    }
}

/// How long each of several things lasted: a bar for each, on one scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lanes {
    /// What the lanes are: `How long each connection was silent`.
    pub title: String,
    pub lanes: Vec<Lane>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Lane {
    pub label: String,
    pub lasted_ms: Ms,
    pub tone: Tone,
    /// How it ended.
    pub text: String,
}

/// What happened when: spans and moments on one axis of time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Tracks {
    /// `Status and outages`
    pub title: String,
    /// The length of the axis.
    pub length_ms: Ms,
    pub tracks: Vec<Track>,
}

/// Spans of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Track {
    pub label: String,
    pub spans: Vec<TrackSpan>,
    /// How many there were, if not all of them are shown.
    pub of: Option<u64>,
}

/// A span; a moment begins and ends at once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TrackSpan {
    pub from_ms: Ms,
    pub to_ms: Ms,
    pub tone: Tone,
    pub text: String,
}

impl RttOverTime {
    /// The length of the run, as far as it is known.
    pub fn length(&self) -> Duration {
        let millis = Duration::from(self.interval_ms).as_secs_f64() * self.intervals.len() as f64;
        Duration::try_from_secs_f64(millis).unwrap_or_default()
    }
}
