//! The values of fields, checked as they are read.

use std::time::{Duration, SystemTime};

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use strum::IntoEnumIterator;
use thiserror::Error;

use crate::domain::connection::untrusted_text::{UntrustedText, without_controls};
use crate::domain::label::Label;

/// Above this a count is no count: sums of very many of them still fit.
const MAX_COUNT: u64 = 1_000_000_000_000;
/// The longest duration in milliseconds: 31 years.
const MAX_MILLIS: f64 = 1e12;
/// The same in nanoseconds.
pub const MAX_NANOS: u64 = 1_000_000_000_000_000_000;

/// A field whose value cannot be right, and why.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {why}")]
pub struct FieldError {
    pub field: String,
    pub why: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, why: impl ToString) -> FieldError {
        FieldError { field: field.into(), why: without_controls(&why.to_string(), false) }
    }

    /// The same within a field.
    pub fn within(self, outer: &str) -> FieldError {
        FieldError { field: format!("{outer}.{}", self.field), why: self.why }
    }
}

/// A number of things.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count(pub u64);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        let count = u64::deserialize(deserializer)?;
        if count > MAX_COUNT {
            Err(D::Error::custom(format!("{count} is too many")))
        } else {
            Ok(Count(count))
        }
    }
}

/// A duration in milliseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Millis(pub Duration);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        let millis = f64::deserialize(deserializer)?;
        if !(0.0..=MAX_MILLIS).contains(&millis) {
            return Err(D::Error::custom(format!("{millis} is no duration in milliseconds")));
        }
        // To the nearest nanosecond, so that what was written is read.
        Ok(Millis(Duration::from_nanos((millis * 1e6).round() as u64)))
    }
}

/// A text, escaped again.
#[derive(Debug, Clone, Default)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        String::deserialize(deserializer).map(|text| Text(without_controls(&text, false)))
    }
}

impl Text {
    /// As text of a peer, which was escaped when it was written.
    pub fn untrusted(self) -> UntrustedText {
        UntrustedText::escaped(self.0)
    }
}

pub fn strings(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(|text| text.0).collect()
}

/// A value of one of the domain's enums, by its label.
#[derive(Debug, Clone, Copy)]
pub struct Named<T>(pub T);

impl<'de, T: Label + IntoEnumIterator> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named<T>, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = T::iter().find(|value| value.label() == name);
        found.map(Named).ok_or_else(|| {
            let known = T::iter().map(|value| value.label()).collect::<Vec<_>>().join(", ");
            D::Error::custom(format!("'{}' is none of {known}", without_controls(&name, false)))
        })
    }
}

/// A point in time.
#[derive(Debug, Clone, Copy)]
pub struct Instant(pub SystemTime);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.parse::<jiff::Timestamp>() {
            Ok(at) => Ok(Instant(SystemTime::from(at))),
            Err(_) => {
                Err(D::Error::custom(format!("'{}' is no time of RFC 3339", without_controls(&text, false))))
            }
        }
    }
}
