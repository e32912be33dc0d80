//! The values of fields: how they are written, and how they are checked when a document is read back, which may be
//! anybody's: numbers have limits, and texts are escaped again.

use std::time::{Duration, SystemTime};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use crate::domain::connection::untrusted_text::{UntrustedText, without_controls};

/// Above this a count is no count: sums of very many of them still fit.
const MAX_COUNT: u64 = 1_000_000_000_000;
/// The longest duration in milliseconds: 31 years.
const MAX_MILLIS: f64 = 1e12;

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

    pub fn missing(field: impl Into<String>) -> FieldError {
        FieldError::new(field, "it is missing")
    }

    /// The same within a field.
    pub fn within(self, outer: &str) -> FieldError {
        FieldError { field: format!("{outer}.{}", self.field), why: self.why }
    }
}

/// A duration in milliseconds, rounded to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "f64")]
pub struct Ms(#[cfg_attr(test, schemars(range(min = 0.0)))] f64);

impl From<Duration> for Ms {
    /// A whole number of microseconds divided by 1000 is the double nearest to its decimal, so it prints as `0.123`
    /// without rounding digits.
    fn from(span: Duration) -> Ms {
        let micros = (span.as_nanos() + 500) / 1000;
        Ms(micros as f64 / 1000.0)
    }
}

impl TryFrom<f64> for Ms {
    type Error = String;

    fn try_from(millis: f64) -> Result<Ms, String> {
        let is_duration = (0.0..=MAX_MILLIS).contains(&millis);
        if is_duration { Ok(Ms(millis)) } else { Err(format!("{millis} is no duration in milliseconds")) }
    }
}

impl From<Ms> for Duration {
    /// To the nearest nanosecond, so that what was written is read.
    fn from(Ms(millis): Ms) -> Duration {
        Duration::from_nanos((millis * 1e6).round() as u64)
    }
}

/// A duration that may be unknown.
pub fn ms(span: Option<Duration>) -> Option<Ms> {
    span.map(Ms::from)
}

/// A point in time: RFC 3339 in UTC, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String")]
#[cfg_attr(test, schemars(extend("format" = "date-time")))]
pub struct Timestamp(#[cfg_attr(test, schemars(with = "String"))] jiff::Timestamp);

impl From<SystemTime> for Timestamp {
    /// A time outside the range of RFC 3339 is shown as the nearest one inside.
    fn from(at: SystemTime) -> Timestamp {
        let nearest = if at < SystemTime::UNIX_EPOCH { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Timestamp(jiff::Timestamp::try_from(at).unwrap_or(nearest))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = String;

    fn try_from(text: String) -> Result<Timestamp, String> {
        let at = text.parse().map(Timestamp);
        at.map_err(|_| format!("'{}' is no time of RFC 3339", without_controls(&text, false)))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(Timestamp(at): Timestamp) -> SystemTime {
        at.into()
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl Timestamp {
    pub fn to_text(self) -> String {
        format!("{:.6}", self.0)
    }
}

/// A value that is checked when it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Checked<T>(pub T);

/// A number of things.
pub type Count = Checked<u64>;

/// A text, which is escaped again when it is read.
pub type Text = Checked<String>;

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Count, D::Error> {
        let count = u64::deserialize(deserializer)?;
        if count > MAX_COUNT {
            Err(D::Error::custom(format!("{count} is too many")))
        } else {
            Ok(Checked(count))
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        String::deserialize(deserializer).map(|text| Checked(without_controls(&text, false)))
    }
}

impl From<u64> for Count {
    fn from(count: u64) -> Count {
        Checked(count)
    }
}

impl<T: ToString + ?Sized> From<&T> for Text {
    fn from(text: &T) -> Text {
        Checked(text.to_string())
    }
}

impl From<Text> for String {
    fn from(Checked(text): Text) -> String {
        text
    }
}

impl From<Text> for UntrustedText {
    /// The text of a peer, which was escaped when it was written.
    fn from(Checked(text): Text) -> UntrustedText {
        UntrustedText::escaped(text)
    }
}

/// The texts as strings.
pub fn strings(texts: Vec<Text>) -> Vec<String> {
    texts.into_iter().map(String::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(span: Duration) -> String {
        serde_json::to_string(&Ms::from(span)).unwrap()
    }

    #[test]
    fn a_span_is_rounded_to_the_microsecond_without_noise() {
        assert_eq!(shown(Duration::from_nanos(123_456)), "0.123");
        assert_eq!(shown(Duration::from_nanos(123_500)), "0.124");
        assert_eq!(shown(Duration::from_micros(1_100_300)), "1100.3");
        assert_eq!(shown(Duration::from_micros(4_503_599_627_001)), "4503599627.001");
        assert_eq!(shown(Duration::from_nanos(499)), "0.0");
    }

    #[test]
    fn an_instant_is_utc_to_the_microsecond() {
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_767_225_600, 1_500);
        assert_eq!(Timestamp::from(at).to_text(), "2026-01-01T00:00:00.000001Z");
    }

    #[test]
    fn a_clock_beyond_all_years_is_no_panic() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60);
        assert_eq!(
            serde_json::to_value(Timestamp::from(at)).unwrap().as_str().map(|text| &text[..5]),
            Some("9999-")
        );
    }
}
