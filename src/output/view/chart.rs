//! What charts show. Formats without pictures leave them out, or show a part.

use std::time::Duration;

use super::phrase::Tone;
use crate::domain::stats::timeline::Timeline;

/// A chart.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    Distribution(Distribution),
    Timeline(Timeline),
    Lanes(Lanes),
}

/// How RTTs are distributed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The kind of heartbeat, if there are several.
    pub name: Option<String>,
    pub min: Duration,
    pub max: Duration,
    /// Upper ends of the intervals, ascending, and how many RTTs each has.
    pub buckets: Vec<(Duration, u64)>,
}

/// How long each of several things lasted: a bar for each, on one scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes {
    /// What the lanes are: `how long each connection was silent`.
    pub title: String,
    pub lanes: Vec<Lane>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    pub label: String,
    pub lasted: Duration,
    pub tone: Tone,
    /// How it ended.
    pub text: String,
}
