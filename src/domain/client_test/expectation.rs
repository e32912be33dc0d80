//! What the user expects of clients: a metric, an operator and a limit, such as `reconnect.delay<=2s`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::activity::ClientActivity;
use super::metrics::{self, CLIENT_METRICS, ClientMetric, Reading};
use crate::domain::run::condition::{Comparison, ConditionError, ConditionParts, Trend};
use crate::domain::run::criterion::Criterion;
use crate::domain::run::truth::Truth;

/// Why a text is not a valid expectation.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ClientExpectationError {
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error("'{given}' has the unknown metric '{metric}': known are {}", known())]
    UnknownMetric { given: String, metric: String },
}

fn known() -> String {
    CLIENT_METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ")
}

/// A condition that must be true.
#[derive(Debug, Clone)]
pub struct ClientExpectation {
    text: String,
    metric: &'static ClientMetric,
    comparison: Comparison,
}

impl PartialEq for ClientExpectation {
    fn eq(&self, other: &ClientExpectation) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for ClientExpectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for ClientExpectation {
    type Err = ClientExpectationError;

    fn from_str(given: &str) -> Result<ClientExpectation, ClientExpectationError> {
        let parts = ConditionParts::of(given)?;
        let unknown = || ClientExpectationError::UnknownMetric {
            given: given.to_string(),
            metric: parts.name.to_string(),
        };
        let metric = metrics::find(parts.name).ok_or_else(unknown)?;
        let comparison = parts.comparison(metric.name, metric.unit)?;
        Ok(ClientExpectation { text: given.trim().to_string(), metric, comparison })
    }
}

impl ClientExpectation {
    /// The metric that it is about.
    pub fn metric(&self) -> &'static ClientMetric {
        self.metric
    }

    /// What is wanted, in words: `reconnect.delay <= 2 s`.
    pub fn wanted(&self) -> String {
        self.comparison.with_metric(self.metric.name)
    }

    /// Whether it is true. `cut_short`: the run ended before its planned end, so that figures might have changed.
    pub fn evaluate(&self, activity: &ClientActivity, cut_short: bool) -> Truth {
        match self.metric.read(activity) {
            Reading::Unknown(why) => Truth::Unknown(why.to_string()),
            Reading::AtLeast(value) => {
                let found = format!("not within {}", self.metric.words(value));
                self.decide(value, Some(Trend::Grows), found)
            }
            Reading::Exact(value) => {
                let found = self.metric.words(value);
                self.decide(value, cut_short.then_some(self.metric.trend), found)
            }
        }
    }

    /// `trend`: how the value might have changed further, if it might.
    fn decide(&self, value: f64, trend: Option<Trend>, found: String) -> Truth {
        let is_true = self.comparison.holds(value);
        let may_change = trend.is_some_and(|trend| {
            self.comparison.may_become_false(value, trend) || self.comparison.may_become_true(value, trend)
        });
        match (may_change, is_true) {
            (true, _) => Truth::Unknown(format!("{found} when the run ended")),
            (false, true) => Truth::True(found),
            (false, false) => Truth::False(found),
        }
    }

    /// The expectation and what was found. `option` is what demands it.
    pub fn criterion(&self, option: &str, activity: &ClientActivity, cut_short: bool) -> Criterion {
        let truth = self.evaluate(activity, cut_short);
        Criterion { option: Some(option.to_string().into()), ..Criterion::wants("", self.wanted(), &truth) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::connection_record::tests::{ended, open, seconds, silent};
    use super::super::connection_record::{ConnectionEnd, ConnectionRecord};
    use super::*;
    use crate::domain::connection::close_cause::{CloseKindName, ClosedBy};
    use crate::domain::stats::Counts;

    /// Two connections: the first answered 9 of 10 pings and became silent after 3 s, which the client noticed after 5 s
    /// more; it came back 1.5 s later, and answered the server's close frame at the end.
    fn activity() -> ClientActivity {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        activity.record_noticing(seconds(8));
        let pings = Counts { ok: 9, missed: 1, ..Counts::default() };
        let first = ConnectionRecord { noticed: Some(seconds(8)), pings, ..silent(open(1, 0), 3) };
        activity.record_end(&ended(first, 8, ClosedBy::Peer, CloseKindName::Fin));
        activity.record_opening(Duration::from_millis(9_500));
        activity.record_stop(seconds(20));
        let end = ConnectionEnd {
            at: seconds(20),
            by: ClosedBy::Us,
            how: CloseKindName::CloseFrame,
            at_stop: true,
        };
        activity.record_end(&ConnectionRecord { close_frame_received: true, end: Some(end), ..open(2, 9) });
        activity
    }

    fn truth(text: &str, activity: &ClientActivity) -> Truth {
        text.parse::<ClientExpectation>().unwrap().evaluate(activity, false)
    }

    #[test]
    fn every_metric_reads_its_own_figure() {
        let values = [
            ("clients", "2"),
            ("reconnects", "1"),
            ("reconnect.delay", "1.5s"),
            ("answered", "90%"),
            ("closed_cleanly", "100%"),
            ("noticed", "5s"),
        ];
        assert_eq!(
            values.map(|(name, _)| name).to_vec(),
            CLIENT_METRICS.iter().map(|m| m.name).collect::<Vec<_>>()
        );
        for (name, value) in values {
            assert!(matches!(truth(&format!("{name}=={value}"), &activity()), Truth::True(_)), "{name}");
        }
    }

    #[test]
    fn figure_that_is_missing_is_unknown() {
        let nothing = ClientActivity::default();
        for name in ["reconnect.delay<=1s", "answered>=90%", "closed_cleanly>=90%", "noticed<=1s"] {
            assert!(matches!(truth(name, &nothing), Truth::Unknown(_)), "{name}");
        }
        assert_eq!(truth("reconnects>=1", &nothing), Truth::False("0".to_string()));
    }

    #[test]
    fn lower_bound_decides_only_what_it_exceeds() {
        let mut activity = ClientActivity::default();
        activity.record_opening(seconds(0));
        activity.record_end(&ended(silent(open(1, 0), 3), 13, ClosedBy::Us, CloseKindName::Silent));
        assert_eq!(truth("noticed<=5s", &activity), Truth::False("not within 10 s".to_string()));
        let undecided = Truth::Unknown("not within 10 s when the run ended".to_string());
        assert_eq!(truth("noticed<=30s", &activity), undecided);
        assert_eq!(truth("noticed>5s", &activity), Truth::True("not within 10 s".to_string()));
    }

    #[test]
    fn run_that_was_cut_short_decides_only_what_can_no_longer_change() {
        let truth = |text: &str| text.parse::<ClientExpectation>().unwrap().evaluate(&activity(), true);
        assert!(matches!(truth("reconnects>=1"), Truth::True(_)));
        assert!(matches!(truth("reconnects>=2"), Truth::Unknown(_)));
        assert!(matches!(truth("reconnect.delay<=1s"), Truth::False(_)));
        assert!(matches!(truth("reconnect.delay<=2s"), Truth::Unknown(_)));
    }

    #[test]
    fn nonsense_is_refused_by_its_rule() {
        let refusal = |text: &str| text.parse::<ClientExpectation>().unwrap_err().to_string();
        assert!(
            refusal("speed>1").starts_with("'speed>1' has the unknown metric 'speed': known are clients,")
        );
        assert!(refusal("answered>=90").contains("'90' has no unit: write 90%"));
        assert!(refusal("noticed<=5").contains("has no unit"));
        assert_eq!(refusal("clients<0"), "'clients<0' can never be true: clients is never less than 0");
        assert!(refusal("clients").contains("has no operator"));
    }

    #[test]
    fn criterion_names_what_was_wanted_and_found() {
        let expectation: ClientExpectation = "reconnect.delay<=1s".parse().unwrap();
        let criterion = expectation.criterion("--expect", &activity(), false);
        assert_eq!(
            (criterion.wanted.as_str(), criterion.found.as_str()),
            ("reconnect.delay <= 1 s", "1.5 s")
        );
    }
}
