//! A condition on a figure of a run: a metric, an operator and a limit, such as `rtt.p95>200ms`.
//!
//! Each command has its own table of metrics; what a condition looks like, and when it holds, is the same for all.

use thiserror::Error;

use super::metric::MetricUnit;

/// How a value is compared with the limit.
#[derive(Debug, Clone, Copy)]
struct ComparisonOperator {
    sign: &'static str,
    /// The sign that holds exactly where this one does not.
    opposite: &'static str,
    holds: fn(&f64, &f64) -> bool,
}

const OPERATORS: &[ComparisonOperator] = &[
    ComparisonOperator { sign: ">", opposite: "<=", holds: |value, limit| value > limit },
    ComparisonOperator { sign: ">=", opposite: "<", holds: |value, limit| value >= limit },
    ComparisonOperator { sign: "<", opposite: ">=", holds: |value, limit| value < limit },
    ComparisonOperator { sign: "<=", opposite: ">", holds: |value, limit| value <= limit },
    ComparisonOperator { sign: "==", opposite: "!=", holds: |value, limit| value == limit },
    ComparisonOperator { sign: "!=", opposite: "==", holds: |value, limit| value != limit },
];

/// Why a text is not a valid condition.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ConditionError {
    #[error("'{given}' has no operator: known are {}", operators())]
    NoOperator { given: String },
    #[error("'{given}' has the unknown operator '{operator}': known are {}", operators())]
    UnknownOperator { given: String, operator: String },
    #[error("'{given}' has no limit: {metric} takes {}", unit.form())]
    NoLimit { given: String, metric: &'static str, unit: MetricUnit },
    #[error("'{given}' has a bad limit: {why}; {metric} takes {}", unit.form())]
    BadLimit { given: String, why: String, metric: &'static str, unit: MetricUnit },
    #[error("'{given}' can never be true: {metric} is {range}")]
    NeverTrue { given: String, metric: &'static str, range: &'static str },
}

fn operators() -> String {
    OPERATORS.iter().map(|operator| operator.sign).collect::<Vec<_>>().join(" ")
}

fn operator(sign: &str) -> Option<&'static ComparisonOperator> {
    OPERATORS.iter().find(|operator| operator.sign == sign)
}

/// The parts of a condition before its metric is known.
#[derive(Debug, Clone, Copy)]
pub struct ConditionParts<'a> {
    given: &'a str,
    /// The name of the metric, as typed.
    pub name: &'a str,
    operator: &'static ComparisonOperator,
    limit: &'a str,
}

impl<'a> ConditionParts<'a> {
    /// Splits a text at its operator.
    pub fn of(given: &'a str) -> Result<ConditionParts<'a>, ConditionError> {
        let signs = ['<', '>', '=', '!'];
        let none = || ConditionError::NoOperator { given: given.to_string() };
        let (name, rest) = given.split_at(given.find(signs).ok_or_else(none)?);
        let (sign, limit) = rest.split_at(rest.find(|c| !signs.contains(&c)).unwrap_or(rest.len()));
        let unknown =
            || ConditionError::UnknownOperator { given: given.to_string(), operator: sign.to_string() };
        let operator = operator(sign).ok_or_else(unknown)?;
        Ok(ConditionParts { given, name: name.trim(), operator, limit: limit.trim() })
    }

    /// Reads the limit in the unit of the metric. Rejects a condition that can never be true.
    pub fn comparison(&self, metric: &'static str, unit: MetricUnit) -> Result<Comparison, ConditionError> {
        let given = || self.given.to_string();
        if self.limit.is_empty() {
            return Err(ConditionError::NoLimit { given: given(), metric, unit });
        }
        let bad = |why| ConditionError::BadLimit { given: given(), why, metric, unit };
        let limit = unit.parse(self.limit).map_err(bad)?;
        let range = match (unit, self.operator.sign) {
            (MetricUnit::Share, ">") if limit >= 1.0 => "never more than 100 %",
            (MetricUnit::Share | MetricUnit::Time | MetricUnit::Count, "<") if limit <= 0.0 => {
                "never less than 0"
            }
            _ => return Ok(Comparison { operator: self.operator, limit, unit }),
        };
        Err(ConditionError::NeverTrue { given: given(), metric, range })
    }
}

/// How a metric can change during a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trend {
    Grows,
    Shrinks,
    /// In either direction, such as a mean.
    Either,
}

/// Which end of the values decides a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecisiveEnd {
    Smallest,
    Largest,
}

/// An operator and a limit.
#[derive(Debug, Clone, Copy)]
pub struct Comparison {
    operator: &'static ComparisonOperator,
    /// In nanoseconds, a fraction, a number or days.
    limit: f64,
    unit: MetricUnit,
}

impl Comparison {
    /// The operator, as typed.
    pub fn sign(&self) -> &'static str {
        self.operator.sign
    }

    /// The limit, in nanoseconds, a fraction, a number or days.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Whether it is true for this value.
    pub fn holds(&self, value: f64) -> bool {
        (self.operator.holds)(&value, &self.limit)
    }

    /// Which of several values is closest to making it true, or furthest beyond.
    pub fn decisive_end(&self) -> DecisiveEnd {
        match self.operator.sign {
            "<" | "<=" => DecisiveEnd::Smallest,
            _ => DecisiveEnd::Largest,
        }
    }

    /// The comparison that holds exactly where this one does not.
    pub fn negated(&self) -> Comparison {
        Comparison { operator: operator(self.operator.opposite).unwrap_or(self.operator), ..*self }
    }

    /// It and the metric in words: `rtt.p95 <= 200 ms`.
    pub fn with_metric(&self, name: &str) -> String {
        format!("{name} {} {}", self.operator.sign, self.unit.show(self.limit))
    }

    /// Whether it holds for this value, and a later value could make it false: the metric only grows or only shrinks
    /// during a run, and the limit lies in that direction.
    pub fn may_become_false(&self, value: f64, trend: Trend) -> bool {
        self.holds(value)
            && match (trend, self.operator.sign) {
                (Trend::Grows, "<" | "<=" | "==") | (Trend::Shrinks, ">" | ">=" | "==") => true,
                (Trend::Grows, "!=") => value < self.limit,
                (Trend::Shrinks, "!=") => value > self.limit,
                (_, _) => false,
            }
    }

    /// Whether it does not hold for this value, and a later value could make it true.
    pub fn may_become_true(&self, value: f64, trend: Trend) -> bool {
        self.negated().may_become_false(value, trend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(text: &str) -> Comparison {
        ConditionParts::of(text).unwrap().comparison("sent", MetricUnit::Count).unwrap()
    }

    #[test]
    fn text_is_split_at_its_operator() {
        let parts = ConditionParts::of(" sent >= 3 ").unwrap();
        assert_eq!((parts.name, parts.limit, parts.operator.sign), ("sent", "3", ">="));
    }

    #[test]
    fn every_operator_is_false_where_its_opposite_is_true() {
        for operator in OPERATORS {
            let condition = comparison(&format!("sent{}5", operator.sign));
            for value in [4.0, 5.0, 6.0] {
                let sign = operator.sign;
                assert_ne!(condition.holds(value), condition.negated().holds(value), "{sign} {value}");
            }
        }
    }

    #[test]
    fn only_a_metric_that_moves_towards_the_limit_may_change_the_answer() {
        let at_least = comparison("sent>=3");
        assert!(at_least.may_become_true(2.0, Trend::Grows) && !at_least.may_become_false(4.0, Trend::Grows));
        assert!(
            !at_least.may_become_true(2.0, Trend::Shrinks) && !at_least.may_become_true(2.0, Trend::Either)
        );
        let at_most = comparison("sent<=3");
        assert!(at_most.may_become_false(2.0, Trend::Grows) && !at_most.may_become_true(4.0, Trend::Grows));
    }

    #[test]
    fn comparison_is_shown_with_its_unit() {
        let share = ConditionParts::of("answered>=90%").unwrap().comparison("answered", MetricUnit::Share);
        assert_eq!(share.unwrap().with_metric("answered"), "answered >= 90 %");
        assert_eq!(comparison("sent!=0").negated().with_metric("sent"), "sent == 0");
    }
}
