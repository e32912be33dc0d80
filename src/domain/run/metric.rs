//! The figures of a run, by name.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::duration::parse_duration;
use crate::domain::format;
use crate::domain::share::parse_share;

/// What a figure is about, by name: `("target", "ws://a.example/")`. They have one order, so that a run and its archived
/// document show them alike.
pub type MetricLabels = BTreeMap<Cow<'static, str>, String>;

/// A figure of a run that is over. Formats for machines print all of them; `--fail-if` reads those of `ping`.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricValue {
    /// Dotted: `rtt.p95`.
    pub name: Cow<'static, str>,
    pub unit: MetricUnit,
    /// A lower-case fragment.
    pub meaning: Cow<'static, str>,
    pub labels: MetricLabels,
    /// In seconds, a fraction of 1, a number or days; `None` if there is no such figure.
    pub value: Option<f64>,
    /// From where on the user wants a warning.
    pub warn: Option<AlertBound>,
    /// From where on the run fails.
    pub crit: Option<AlertBound>,
}

/// Where an alert begins, in the unit of the value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AlertBound {
    Above(f64),
    Below(f64),
}

impl MetricValue {
    /// A figure without alerts.
    pub fn new(
        name: &'static str,
        unit: MetricUnit,
        meaning: &'static str,
        labels: Vec<(&'static str, String)>,
        value: Option<f64>,
    ) -> MetricValue {
        MetricValue {
            name: name.into(),
            unit,
            meaning: meaning.into(),
            labels: labels.into_iter().map(|(name, value)| (name.into(), value)).collect(),
            value,
            warn: None,
            crit: None,
        }
    }
}

/// A metric's unit, which determines how its limit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricUnit {
    /// A duration with its unit: `200ms`.
    Time,
    /// A percentage (`1%`) or a fraction of 1 (`0.01`).
    Share,
    /// A whole number.
    Count,
    /// Whole days; negative after the date.
    Days,
}

impl MetricUnit {
    /// How a limit is written, for help and errors.
    pub fn form(self) -> &'static str {
        match self {
            MetricUnit::Time => "a duration with its unit (us, ms, s, m, h, d), such as 200ms",
            MetricUnit::Share => "a percentage from 0% to 100%, or a fraction from 0.0 to 1.0",
            MetricUnit::Count => "a whole number",
            MetricUnit::Days => "a whole number of days",
        }
    }

    /// Reads a limit: in nanoseconds, a fraction, a number or days.
    ///
    /// # Errors
    ///
    /// Says what is wrong with the text.
    pub fn parse(self, text: &str) -> Result<f64, String> {
        match self {
            MetricUnit::Time => time(text),
            MetricUnit::Share => parse_share(text),
            MetricUnit::Count => {
                whole(text).filter(|n| *n >= 0.0).ok_or_else(|| format!("'{text}' is not {}", self.form()))
            }
            MetricUnit::Days => whole(text).ok_or_else(|| format!("'{text}' is not {}", self.form())),
        }
    }

    /// A figure in words: seconds, a fraction, a number or days.
    pub fn words(self, value: f64) -> String {
        match self {
            MetricUnit::Time => format::duration(Duration::try_from_secs_f64(value).unwrap_or_default()),
            MetricUnit::Share => format::percent(value),
            MetricUnit::Count | MetricUnit::Days => self.show(value),
        }
    }

    /// A limit or a reading in words: nanoseconds, a fraction, a number or days.
    pub fn show(self, value: f64) -> String {
        match self {
            MetricUnit::Time => format::exact_duration(Duration::from_nanos(value as u64)),
            MetricUnit::Share => format::exact_percent(value),
            MetricUnit::Count => value.to_string(),
            MetricUnit::Days if value == 1.0 => "1 day".to_string(),
            MetricUnit::Days => format!("{value} days"),
        }
    }
}

/// Requires a unit: a limit of 200 meant as milliseconds would never be exceeded.
fn time(text: &str) -> Result<f64, String> {
    let limit = parse_duration(text)?;
    if text.ends_with(|c: char| c.is_ascii_digit() || c == '.') {
        Err(format!("'{text}' has no unit: a plain number would be seconds; write {text}ms or {text}s"))
    } else {
        Ok(limit.as_nanos() as f64)
    }
}

fn whole(text: &str) -> Option<f64> {
    text.parse::<i64>().ok().map(|number| number as f64)
}
