//! The output of `wscheck products`: a table of all products, or a product with all that is known of it.

mod document;
mod human;

pub use document::{ProductLine, ProductsDocument};

use super::listing::Listing;
use crate::domain::catalogue::Product;
use crate::output::human::HumanOptions;

/// The products to show.
#[derive(Debug, Clone, PartialEq)]
pub struct ProductListing {
    /// The requested name; `None` for the whole table.
    pub name: Option<String>,
    pub products: Vec<&'static Product>,
}

impl Listing for ProductListing {
    fn human(&self, options: HumanOptions) -> String {
        human::show(self, options)
    }

    fn document(&self) -> impl serde::Serialize {
        ProductsDocument::from(self)
    }

    fn lines(&self) -> impl Iterator<Item = impl serde::Serialize> {
        self.products.iter().copied().map(ProductLine::from)
    }
}

#[cfg(test)]
mod tests;
