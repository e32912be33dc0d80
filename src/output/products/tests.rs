use anstream::adapter::strip_str;

use super::*;
use crate::domain::catalogue::{find_products, products};
use crate::output::json::WSCHECK_VERSION;
use crate::output::listing::show;
use crate::output::output_format::Format;
use crate::output::schema::schema;

fn whole() -> ProductListing {
    ProductListing { name: None, products: products().collect() }
}

fn of(name: &str) -> ProductListing {
    ProductListing { name: Some(name.to_string()), products: find_products(name) }
}

fn at(width: usize) -> HumanOptions {
    HumanOptions { width: Some(width), ..HumanOptions::default() }
}

#[test]
fn every_product_is_in_the_table_once() {
    let text = show(&whole(), Format::Human, HumanOptions::default());
    for product in products() {
        let rows = text.lines().filter(|line| line.split_whitespace().next() == Some(product.id));
        assert_eq!(rows.count(), 1, "{}", product.id);
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
fn a_product_is_shown_whole() {
    insta::assert_snapshot!("phoenix", show(&of("phoenix"), Format::Human, at(80)));
    insta::assert_snapshot!("traefik", show(&of("traefik"), Format::Human, at(80)));
    let json = show(&of("phoenix"), Format::Json, at(80)).replace(WSCHECK_VERSION, "[version]");
    insta::assert_snapshot!("phoenix_json", json);
}

/// The two views show what the product shows.
#[test]
fn presets_and_timeouts_are_views_of_the_products() {
    for product in products() {
        let text = show(&of(product.id), Format::Human, at(100));
        let listing = crate::output::timeouts::TimeoutListing {
            product: Some(String::new()),
            timeouts: product.timeouts.iter().collect(),
        };
        assert!(text.contains(&show(&listing, Format::Human, at(100))), "{}", product.id);
        let listing = crate::output::presets::PresetListing {
            name: Some(String::new()),
            presets: product.speaks.iter().collect(),
        };
        assert!(text.contains(&show(&listing, Format::Human, at(100))), "{}", product.id);
    }
}

#[test]
fn colour_only_repeats_what_the_words_say() {
    let plain = show(&of("phoenix"), Format::Human, at(100));
    let colored = show(&of("phoenix"), Format::Human, HumanOptions { color: true, ..at(100) });
    assert!(colored.contains('\x1b'));
    assert_eq!(strip_str(&colored).to_string(), plain);
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
    assert_eq!(ndjson.lines().count(), products().count() + 1);
    let json = show(&whole(), Format::Json, HumanOptions::default());
    assert_eq!(parsed(ndjson.lines().last().unwrap()), parsed(&json));
}
