//! The exporter's page of kept targets.

mod page;

pub use page::TargetsPage;
