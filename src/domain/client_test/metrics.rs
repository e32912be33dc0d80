//! The figures of clients by name, for `--expect`.

use std::time::Duration;

use super::activity::{ClientActivity, SpanReading};
use crate::domain::run::condition::Trend;
use crate::domain::run::metric::{MetricUnit, MetricValue};

/// A figure usable in `--expect`.
#[derive(Debug, Clone, Copy)]
pub struct ClientMetric {
    pub name: &'static str,
    pub unit: MetricUnit,
    /// A lower-case fragment for help.
    pub meaning: &'static str,
    pub trend: Trend,
    read: fn(&ClientActivity) -> Reading,
}

/// What a run shows of a figure, in nanoseconds, a fraction or a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Reading {
    Exact(f64),
    /// What it measures was not over when the run ended: at least this.
    AtLeast(f64),
    /// The fragment says why there is none.
    Unknown(&'static str),
}

/// All metrics: used by the parser, the evaluation, the reports and the help.
pub const CLIENT_METRICS: &[ClientMetric] = &[
    ClientMetric {
        name: "clients",
        unit: MetricUnit::Count,
        meaning: "connections opened",
        trend: Trend::Grows,
        read: |activity| Reading::Exact(activity.clients as f64),
    },
    ClientMetric {
        name: "reconnects",
        unit: MetricUnit::Count,
        meaning: "connections opened after another had ended",
        trend: Trend::Grows,
        read: |activity| Reading::Exact(activity.reconnects as f64),
    },
    ClientMetric {
        name: "reconnect.delay",
        unit: MetricUnit::Time,
        meaning: "longest time from the end of a connection to the next opening",
        trend: Trend::Grows,
        read: |activity| span(activity.return_delay(), "no connection was lost"),
    },
    ClientMetric {
        name: "answered",
        unit: MetricUnit::Share,
        meaning: "share of the pings from the server that were answered in time",
        trend: Trend::Either,
        read: |activity| share(activity.pings.ok, activity.pings.judged(), "no ping was judged"),
    },
    ClientMetric {
        name: "closed_cleanly",
        unit: MetricUnit::Share,
        meaning: "share of the ended connections with a close handshake, where one was possible",
        trend: Trend::Either,
        read: |activity| {
            share(
                activity.closed_cleanly,
                activity.closable,
                "no connection ended in a way that allows a close handshake",
            )
        },
    },
    ClientMetric {
        name: "noticed",
        unit: MetricUnit::Time,
        meaning: "longest time until a client ended a connection whose server had become silent",
        trend: Trend::Grows,
        read: |activity| span(activity.silence(), "the server never became silent"),
    },
];

fn span(reading: SpanReading, none: &'static str) -> Reading {
    let nanos = |span: Duration| span.as_nanos() as f64;
    match reading {
        SpanReading::Longest(span) => Reading::Exact(nanos(span)),
        SpanReading::AtLeast(span) => Reading::AtLeast(nanos(span)),
        SpanReading::None => Reading::Unknown(none),
    }
}

fn share(part: u64, whole: u64, none: &'static str) -> Reading {
    if whole == 0 { Reading::Unknown(none) } else { Reading::Exact(part as f64 / whole as f64) }
}

impl ClientMetric {
    /// What a run shows of it.
    pub fn read(&self, activity: &ClientActivity) -> Reading {
        (self.read)(activity)
    }

    /// The figure for reports; a lower bound is none.
    pub fn value(&self, activity: &ClientActivity, labels: Vec<(&'static str, String)>) -> MetricValue {
        let value = match self.read(activity) {
            Reading::Exact(value) => Some(self.in_units(value)),
            Reading::AtLeast(_) | Reading::Unknown(_) => None,
        };
        MetricValue::new(self.name, self.unit, self.meaning, labels, value)
    }

    /// In seconds, a fraction or a number.
    fn in_units(&self, value: f64) -> f64 {
        match self.unit {
            MetricUnit::Time => value / 1e9,
            MetricUnit::Share | MetricUnit::Count | MetricUnit::Days => value,
        }
    }

    /// A figure in words, at the precision of reports.
    pub fn words(&self, value: f64) -> String {
        self.unit.words(self.in_units(value))
    }
}

/// The metric of this name.
pub fn find(name: &str) -> Option<&'static ClientMetric> {
    CLIENT_METRICS.iter().find(|metric| metric.name == name)
}
