//! A mistake in a file of checks: where it is, and what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use crate::cli::errors::explanation;

/// A mistake, with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// A fragment.
    pub message: String,
}

impl Mistake {
    /// A mistake at a place in the text.
    pub fn at(text: &str, place: &Range<usize>, message: impl Into<String>) -> Mistake {
        let before = text.get(..place.start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Mistake {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            message: message.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// Where the options of an entry stand, by their names; the name of the entry stands under `name`.
pub type Places = BTreeMap<String, Range<usize>>;

/// Why an entry makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blame {
    /// The name of the option that is to blame, if one is.
    pub option: Option<String>,
    /// A fragment.
    pub message: String,
}

impl Blame {
    /// The mistake in this text. `what` names the entry.
    pub fn mistake(self, text: &str, places: &Places, what: &str) -> Mistake {
        let place = self.option.and_then(|option| places.get(&option)).or_else(|| places.get("name"));
        Mistake::at(text, &place.cloned().unwrap_or_default(), format!("{what}: {}", self.message))
    }
}

impl From<String> for Blame {
    /// The first option that the message names is to blame.
    fn from(message: String) -> Blame {
        let name = message.split_once("--").and_then(|(_, rest)| {
            rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .next()
                .filter(|name| !name.is_empty())
        });
        Blame { option: name.map(str::to_string), message }
    }
}

impl From<clap::Error> for Blame {
    fn from(error: clap::Error) -> Blame {
        explanation(&error.render().to_string()).into()
    }
}

/// The names that may have been meant, the nearest first: `; did you mean 'interval'?`, or nothing.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let weighed = known.into_iter().map(|name| (strsim::jaro_winkler(given, name), name));
    let nearest = weighed.filter(|(nearness, _)| *nearness > MIN_NEARNESS).max_by(|a, b| a.0.total_cmp(&b.0));
    nearest.map(|(_, name)| format!("; did you mean '{name}'?")).unwrap_or_default()
}

/// Names that are less alike are not suggested.
const MIN_NEARNESS: f64 = 0.75;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_counts_characters_from_one() {
        let text = "a = 1\nnäme = \"ü\" # x\n";
        let mistake = |place: Range<usize>| Mistake::at(text, &place, "wrong").to_string();
        assert_eq!(mistake(0..1), "line 1, column 1: wrong");
        let value = text.find("\"ü").unwrap();
        assert_eq!(mistake(value..value + 4), "line 2, column 8: wrong");
        assert_eq!(mistake(text.len()..text.len()), "line 3, column 1: wrong");
    }

    #[test]
    fn near_names_alone_are_suggested() {
        assert_eq!(did_you_mean("intervall", ["count", "interval"]), "; did you mean 'interval'?");
        assert_eq!(did_you_mean("zzz", ["count", "interval"]), "");
    }
}
