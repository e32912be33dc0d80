//! The output of `wscheck timeouts`: a table of all timers, or a product's with all their fields.

mod document;
mod human;

pub use document::{TimeoutEntry, TimeoutLine, TimeoutsDocument};
pub(super) use human::full;

use super::listing::Listing;
use crate::domain::catalogue::Timeout;
use crate::output::human::HumanOptions;

/// The timers to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeoutListing {
    /// The requested product; `None` for the whole table.
    pub product: Option<String>,
    pub timeouts: Vec<&'static Timeout>,
}

impl Listing for TimeoutListing {
    fn human(&self, options: HumanOptions) -> String {
        human::show(self, options)
    }

    fn document(&self) -> impl serde::Serialize {
        TimeoutsDocument::new(self)
    }

    fn lines(&self) -> impl Iterator<Item = impl serde::Serialize> {
        self.timeouts.iter().map(|timeout| TimeoutLine::new(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{find_timeouts, timeouts};
    use crate::output::listing::show;
    use crate::output::output_format::Format;
    use crate::output::schema::schema;
    use anstream::adapter::strip_str;

    fn whole() -> TimeoutListing {
        TimeoutListing { product: None, timeouts: timeouts().collect() }
    }

    fn of(product: &str) -> TimeoutListing {
        TimeoutListing { product: Some(product.to_string()), timeouts: find_timeouts(product) }
    }

    fn at(width: usize) -> HumanOptions {
        HumanOptions { width: Some(width), ..HumanOptions::default() }
    }

    #[test]
    fn every_entry_is_in_the_table_once() {
        let text = show(&whole(), Format::Human, HumanOptions::default());
        let rows = text.lines().filter(|line| line.contains("  ") && !line.starts_with("product")).count();
        assert_eq!(rows, timeouts().count());
        for timeout in timeouts() {
            assert!(text.lines().any(|line| line.starts_with(timeout.product)), "{}", timeout.product);
        }
    }

    #[test]
    fn the_table_fits_the_terminal() {
        for width in [60, 80, 100, 120] {
            let text = show(&whole(), Format::Human, at(width));
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width), "{widest:?} at {width}");
        }
    }

    #[test]
    fn a_products_timers_are_shown_in_full() {
        insta::assert_snapshot!(show(&of("haproxy"), Format::Human, at(80)));
        insta::assert_snapshot!(
            show(&of("heroku"), Format::Json, at(80))
                .replace(crate::output::json::WSCHECK_VERSION, "[version]")
        );
    }

    #[test]
    fn colour_only_repeats_what_the_words_say() {
        for listing in [whole(), of("nginx")] {
            let plain = show(&listing, Format::Human, at(100));
            let colored = show(&listing, Format::Human, HumanOptions { color: true, ..at(100) });
            assert!(colored.contains('\x1b'));
            assert_eq!(strip_str(&colored).to_string(), plain);
        }
    }

    #[test]
    fn lines_match_schema_and_the_last_is_the_document() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        let ndjson = show(&whole(), Format::Ndjson, HumanOptions::default());
        for line in ndjson.lines() {
            let errors: Vec<String> =
                validator.iter_errors(&parsed(line)).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{line}");
        }
        assert_eq!(ndjson.lines().count(), timeouts().count() + 1);
        let json = show(&whole(), Format::Json, HumanOptions::default());
        assert_eq!(parsed(ndjson.lines().last().unwrap()), parsed(&json));
    }

    #[test]
    fn a_field_too_many_does_not_validate() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        let json = show(&of("heroku"), Format::Json, HumanOptions::default());
        let document = serde_json::from_str::<serde_json::Value>(&json).unwrap();
        assert!(validator.is_valid(&document));
        for path in ["", "/timeouts/0", "/timeouts/0/cuts/0"] {
            let mut broken = document.clone();
            broken.pointer_mut(path).unwrap()["surplus"] = true.into();
            assert!(!validator.is_valid(&broken), "{path}");
        }
    }
}
