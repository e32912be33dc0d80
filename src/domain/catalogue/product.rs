//! An entry of the catalogue.

use super::known_ping::KnownPing;
use super::preset::Preset;
use super::reaping::ReapingDefault;
use super::timeout::Timeout;

/// A product or service, and all that is known of it. Each fact has its own source and confidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Product {
    /// Unique, as it is typed: `nginx`, `aws.alb`.
    pub id: &'static str,
    pub name: &'static str,
    /// What it says and wants to hear.
    pub speaks: &'static [Preset],
    /// Heartbeats of its own that are known without its preset.
    pub pings: &'static [KnownPing],
    /// When and how it cuts, what prevents that, and how to change it.
    pub timeouts: &'static [Timeout],
    /// How it treats clients that do not answer.
    pub reaping: &'static [ReapingDefault],
}

impl Product {
    /// What an entry has that says nothing else.
    pub(super) const BLANK: Product =
        Product { id: "", name: "", speaks: &[], pings: &[], timeouts: &[], reaping: &[] };
}
