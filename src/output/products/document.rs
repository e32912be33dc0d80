//! The catalogue of products in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProductListing;
use crate::domain::catalogue::{KnownPing, Product, ReapingDefault, ReapingTiming, TimerReset};
use crate::domain::heartbeat::HeartbeatKind;
use crate::output::json::{Ms, Name, SCHEMA_VERSION, WSCHECK_VERSION, ms};
use crate::output::presets::PresetEntry;
use crate::output::timeouts::TimeoutEntry;

/// What `wscheck products -o json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProductsDocument {
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    #[schemars(extend("const" = "products"))]
    command: &'static str,
    wscheck_version: &'static str,
    /// The requested product; null for the whole table.
    name: Option<String>,
    products: Vec<ProductEntry>,
}

/// A line of `wscheck products -o ndjson`; the document is the last line.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ProductLine {
    #[schemars(extend("const" = "product"))]
    event: &'static str,
    #[schemars(extend("const" = SCHEMA_VERSION))]
    schema_version: u32,
    product: ProductEntry,
}

/// A product or service, and all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ProductEntry {
    /// Unique in the table.
    id: &'static str,
    name: &'static str,
    /// Its heartbeats, as `wscheck presets` shows them.
    presets: Vec<PresetEntry>,
    /// Heartbeats of its own that are known without its preset.
    pings: Vec<KnownPingEntry>,
    /// Its timers, as `wscheck timeouts` shows them.
    timeouts: Vec<TimeoutEntry>,
    /// How it treats clients that do not answer.
    dead_clients: Vec<ReapingEntry>,
}

/// A heartbeat that a server sends as a message, known by itself: in any letter case, and an object among other fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct KnownPingEntry {
    name: &'static str,
    looks: &'static str,
    /// The answer; null if none is expected.
    reply: Option<&'static str>,
    /// It only counts after a message that looks like this.
    after: Option<&'static str>,
}

/// How a server treats clients that do not answer, by default.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct ReapingEntry {
    /// Unique in the table.
    id: &'static str,
    name: &'static str,
    /// The server's own heartbeats; null if it only has a timer.
    heartbeat: Option<Name<HeartbeatKind>>,
    interval_ms: Option<Ms>,
    /// From the first unanswered heartbeat, or from the client's last traffic, to the end; null if it never ends.
    closed_after_ms: Option<Ms>,
    /// How late the timer may fire.
    late_by_ms: Option<Ms>,
    /// What resets the timer.
    resets: Option<Name<TimerReset>>,
    /// How the client is closed.
    closes: String,
    /// What the response's `Server` header contains, if it names the server.
    server_header: Option<&'static str>,
    defaults: &'static str,
    source: &'static str,
}

impl ProductsDocument {
    /// The listing as a document.
    pub fn new(listing: &ProductListing) -> ProductsDocument {
        ProductsDocument {
            schema_version: SCHEMA_VERSION,
            command: "products",
            wscheck_version: WSCHECK_VERSION,
            name: listing.name.clone(),
            products: listing.products.iter().map(|product| (*product).into()).collect(),
        }
    }
}

impl ProductLine {
    /// One product as a line.
    pub fn new(product: &Product) -> ProductLine {
        ProductLine { event: "product", schema_version: SCHEMA_VERSION, product: product.into() }
    }
}

impl From<&Product> for ProductEntry {
    fn from(product: &Product) -> ProductEntry {
        ProductEntry {
            id: product.id,
            name: product.name,
            presets: product.speaks.iter().map(PresetEntry::from).collect(),
            pings: product.pings.iter().map(KnownPingEntry::from).collect(),
            timeouts: product.timeouts.iter().map(TimeoutEntry::from).collect(),
            dead_clients: product.reaping.iter().map(ReapingEntry::from).collect(),
        }
    }
}

impl From<&KnownPing> for KnownPingEntry {
    fn from(ping: &KnownPing) -> KnownPingEntry {
        KnownPingEntry { name: ping.name, looks: ping.looks, reply: ping.reply, after: ping.after }
    }
}

impl From<&ReapingDefault> for ReapingEntry {
    fn from(reaping: &ReapingDefault) -> ReapingEntry {
        let (heartbeat, interval, closed_after, late_by, resets) = match reaping.timing {
            ReapingTiming::Beats { kind, interval, total } => (Some(kind), Some(interval), total, None, None),
            ReapingTiming::Idle { after, coarse, resets } => {
                (None, None, Some(after), Some(coarse), Some(resets))
            }
        };
        ReapingEntry {
            id: reaping.id,
            name: reaping.name,
            heartbeat: heartbeat.map(Name::from),
            interval_ms: ms(interval),
            closed_after_ms: ms(closed_after),
            late_by_ms: ms(late_by),
            resets: resets.map(Name::from),
            closes: reaping.goodbye.to_string(),
            server_header: reaping.server,
            defaults: reaping.words,
            source: reaping.source,
        }
    }
}
