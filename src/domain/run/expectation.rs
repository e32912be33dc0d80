//! What a timeout is expected to be: `>=55s`, for use in scripts.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use crate::domain::duration::parse_duration;
use crate::domain::format::{self, at_least, at_most};
use crate::domain::run::truth::Truth;

use crate::domain::run::bracket::Bracket;

/// The comparison of the timeout with the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    More,
    AtLeast,
    Less,
    AtMost,
}

/// The longer operators first, so that the parser finds them first.
const COMPARISONS: [(&str, Comparison); 4] = [
    (">=", Comparison::AtLeast),
    ("<=", Comparison::AtMost),
    (">", Comparison::More),
    ("<", Comparison::Less),
];

/// The expected idle timeout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    text: String,
    sign: Comparison,
    limit: Duration,
}

/// Why a text is not a valid expectation.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum ExpectationError {
    #[error("'{given}' does not begin with >=, <=, > or <: write '>=55s' or '<=60s'")]
    NoSign { given: String },
    #[error("'{given}' has a bad limit: {why}")]
    BadLimit { given: String, why: String },
    #[error("'{given}' makes no sense: every timeout is longer than 0")]
    Zero { given: String },
}

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(given: &str) -> Result<Expectation, ExpectationError> {
        let text = given.trim().to_string();
        let found = COMPARISONS.into_iter().find_map(|(sign, value)| Some((value, text.strip_prefix(sign)?)));
        let no_sign = || ExpectationError::NoSign { given: given.to_string() };
        let (sign, rest) = found.ok_or_else(no_sign)?;
        let bad = |why| ExpectationError::BadLimit { given: given.to_string(), why };
        let limit = parse_duration(rest).map_err(bad)?;
        if limit.is_zero() {
            return Err(ExpectationError::Zero { given: given.to_string() });
        }
        Ok(Expectation { sign, limit, text })
    }
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Expectation {
    /// The limit; a search must extend beyond it.
    pub fn limit(&self) -> Duration {
        self.limit
    }

    /// Whether it is a lower bound: then a search that does not reach the limit cannot confirm it.
    pub fn wants_more(&self) -> bool {
        match self.sign {
            Comparison::More | Comparison::AtLeast => true,
            Comparison::Less | Comparison::AtMost => false,
        }
    }

    /// In a sentence: `within 60 s`, `after at least 55 s`.
    pub fn words(&self) -> String {
        let limit = format::duration(self.limit);
        match self.sign {
            Comparison::More => format!("after more than {limit}"),
            Comparison::AtLeast => format!("after at least {limit}"),
            Comparison::Less => format!("in less than {limit}"),
            Comparison::AtMost => format!("within {limit}"),
        }
    }

    /// Whether every timeout in the bracket meets it. The timeout is longer than the lower end, which
    /// survived, and at most the upper end, which did not.
    pub fn met_by(&self, bracket: &Bracket) -> Truth {
        let beyond = bracket.lo.is_some_and(|lo| lo >= self.limit);
        let within = match self.sign {
            Comparison::More | Comparison::AtMost => bracket.hi.is_some_and(|hi| hi <= self.limit),
            Comparison::AtLeast | Comparison::Less => bracket.hi.is_some_and(|hi| hi < self.limit),
        };
        let met = match self.sign {
            Comparison::More | Comparison::AtLeast => beyond,
            Comparison::Less | Comparison::AtMost => within,
        };
        match (met, beyond || within) {
            (true, _) => Truth::True(describe(bracket)),
            (false, true) => Truth::False(describe(bracket)),
            (false, false) => Truth::Unknown(self.undecided(bracket)),
        }
    }

    /// Why a bracket does not decide.
    fn undecided(&self, bracket: &Bracket) -> String {
        match (bracket.lo, bracket.hi) {
            (Some(lo), None) => format!("nothing longer than {} was tried", at_least(lo)),
            _ => {
                format!(
                    "{} is not decided by the bracket: {}",
                    format::duration(self.limit),
                    describe(bracket)
                )
            }
        }
    }
}

/// Formats a bracket: `longer than 58.8 s, at most 60 s`.
fn describe(bracket: &Bracket) -> String {
    let lo = bracket.lo.map(|lo| format!("longer than {}", at_least(lo)));
    let hi = bracket.hi.map(|hi| format!("at most {}", at_most(hi)));
    match (lo, hi) {
        (None, None) => "nothing is known of the timeout".to_string(),
        (lo, hi) => lo.into_iter().chain(hi).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bracket(lo: Option<u64>, hi: Option<u64>) -> Bracket {
        Bracket { lo: lo.map(Duration::from_secs), hi: hi.map(Duration::from_secs) }
    }

    fn met(text: &str, lo: Option<u64>, hi: Option<u64>) -> Option<bool> {
        match text.parse::<Expectation>().unwrap().met_by(&bracket(lo, hi)) {
            Truth::True(_) | Truth::TrueOfBounds(_) => Some(true),
            Truth::False(_) => Some(false),
            Truth::Unknown(_) => None,
        }
    }

    #[test]
    fn a_bracket_on_one_side_of_the_limit_decides() {
        assert_eq!(met(">=55s", Some(58), Some(60)), Some(true));
        assert_eq!(met(">=61s", Some(58), Some(60)), Some(false));
        assert_eq!(met("<= 2m", Some(58), Some(60)), Some(true));
        assert_eq!(met("< 50", Some(58), Some(60)), Some(false));
        assert_eq!(met("> 58s", Some(58), Some(60)), Some(true), "58 s survived, so the timeout is longer");
    }

    #[test]
    fn a_bracket_across_the_limit_decides_nothing() {
        for sign in [">=", ">", "<=", "<"] {
            assert_eq!(met(&format!("{sign}59s"), Some(58), Some(60)), None, "{sign}");
        }
    }

    #[test]
    fn the_upper_end_itself_may_be_the_timeout() {
        assert_eq!(met(">=60s", Some(58), Some(60)), None);
        assert_eq!(met(">60s", Some(58), Some(60)), Some(false));
        assert_eq!(met("<=60s", Some(58), Some(60)), Some(true));
        assert_eq!(met("<60s", Some(58), Some(60)), None);
    }

    #[test]
    fn a_lower_end_alone_can_meet_or_break_but_not_bound() {
        assert_eq!(met(">=55s", Some(300), None), Some(true));
        assert_eq!(met("<=2m", Some(300), None), Some(false));
        assert_eq!(met(">=10m", Some(300), None), None);
        assert_eq!(met("<=10m", Some(300), None), None);
        assert_eq!(met(">=1s", None, None), None);
    }

    #[test]
    fn undecided_limit_names_the_bracket_or_what_was_tried() {
        let text = "55s".parse::<Expectation>().unwrap_err().to_string();
        assert_eq!(text, "'55s' does not begin with >=, <=, > or <: write '>=55s' or '<=60s'");
        let truth = ">=59s".parse::<Expectation>().unwrap().met_by(&bracket(Some(58), Some(60)));
        let why = "59 s is not decided by the bracket: longer than 58 s, at most 60 s";
        assert_eq!(truth, Truth::Unknown(why.to_string()));
        let truth = ">=10m".parse::<Expectation>().unwrap().met_by(&bracket(Some(300), None));
        assert_eq!(truth, Truth::Unknown("nothing longer than 5m was tried".to_string()));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(">=".parse::<Expectation>().unwrap_err().to_string().contains("has a bad limit"));
        assert!(">=soon".parse::<Expectation>().unwrap_err().to_string().contains("has a bad limit"));
        assert!("==5s".parse::<Expectation>().is_err());
        assert_eq!(
            "<0s".parse::<Expectation>().unwrap_err().to_string(),
            "'<0s' makes no sense: every timeout is longer than 0"
        );
    }
}
