use super::*;
use crate::domain::catalogue::{find_products, products};
use crate::output::json::WSCHECK_VERSION;
use crate::output::listing::show;
use crate::output::output_format::Format;
use crate::output::testing::{assert_is_well_shown, assert_table_fits};

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
fn the_listing_is_well_shown() {
    assert_table_fits(&whole());
    assert_is_well_shown(&whole(), products().count());
    assert_is_well_shown(&of("phoenix"), of("phoenix").products.len());
}
