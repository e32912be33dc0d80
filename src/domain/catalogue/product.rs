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
    /// How a proxy passes an upgrade to a WebSocket on; `None` where it is not known, or it is no proxy.
    pub upgrade: Option<UpgradeForwarding>,
    /// The common name of the certificate that it presents where none is configured for a name.
    pub default_certificate: Option<&'static str>,
}

/// How a proxy passes an upgrade to a WebSocket on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpgradeForwarding {
    /// Where the lines belong.
    pub place: &'static str,
    /// The lines of configuration that it needs; empty if it passes upgrades on by itself.
    pub lines: &'static [&'static str],
    /// The status with which it refuses by itself an upgrade that it is not told to pass on, if it does not send an ordinary
    /// request to the server behind it.
    pub refuses_with: Option<u16>,
    /// Where it is documented.
    pub source: &'static str,
}

impl Product {
    /// What an entry has that says nothing else.
    pub(super) const BLANK: Product = Product {
        id: "",
        name: "",
        speaks: &[],
        pings: &[],
        timeouts: &[],
        reaping: &[],
        upgrade: None,
        default_certificate: None,
    };
}
