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
        TimeoutsDocument::from(self)
    }

    fn lines(&self) -> impl Iterator<Item = impl serde::Serialize> {
        self.timeouts.iter().copied().map(TimeoutLine::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{find_timeouts, timeouts};
    use crate::output::listing::show;
    use crate::output::output_format::Format;
    use crate::output::schema::schema;
    use crate::output::testing::{assert_is_well_shown, assert_table_fits};
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
    fn a_products_timers_are_shown_in_full() {
        insta::assert_snapshot!(show(&of("haproxy"), Format::Human, at(80)));
        insta::assert_snapshot!(
            show(&of("heroku"), Format::Json, at(80))
                .replace(crate::output::json::WSCHECK_VERSION, "[version]")
        );
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

    #[test]
    fn the_listing_is_well_shown() {
        assert_table_fits(&whole());
        assert_is_well_shown(&whole(), timeouts().count());
        assert_is_well_shown(&of("nginx"), of("nginx").timeouts.len());
    }
}
