//! The catalogue of products in JSON.

use std::time::Duration;

use super::ProductListing;
use crate::domain::catalogue::{KnownPing, Product, ReapingDefault, ReapingTiming, TimerReset};
use crate::domain::heartbeat::HeartbeatKind;
use crate::output::json::{Ms, Name, SCHEMA_VERSION, WSCHECK_VERSION, document, ms};
use crate::output::presets::PresetEntry;
use crate::output::timeouts::TimeoutEntry;

document! {
    /// What `wscheck products -o json` prints.
    pub struct ProductsDocument from listing: &ProductListing {
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        #[cfg_attr(test, schemars(extend("const" = "products")))]
        command: &'static str = "products",
        wscheck_version: &'static str = WSCHECK_VERSION,
        /// The requested product; null for the whole table.
        name: Option<String> = listing.name.clone(),
        products: Vec<ProductEntry> =
            listing.products.iter().copied().map(ProductEntry::from).collect::<Vec<_>>(),
    }

    /// A line of `wscheck products -o ndjson`; the document is the last line.
    pub struct ProductLine from product: &Product {
        #[cfg_attr(test, schemars(extend("const" = "product")))]
        event: &'static str = "product",
        #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
        schema_version: u32 = SCHEMA_VERSION,
        product: ProductEntry = product,
    }

    /// A product or service, and all that is known of it.
    struct ProductEntry from product: &Product {
        /// Unique in the table.
        id: &'static str = product.id,
        name: &'static str = product.name,
        /// Its heartbeats, as `wscheck presets` shows them.
        presets: Vec<PresetEntry> =
            product.speaks.iter().map(PresetEntry::from).collect::<Vec<_>>(),
        /// Heartbeats of its own that are known without its preset.
        pings: Vec<KnownPingEntry> =
            product.pings.iter().map(KnownPingEntry::from).collect::<Vec<_>>(),
        /// Its timers, as `wscheck timeouts` shows them.
        timeouts: Vec<TimeoutEntry> =
            product.timeouts.iter().map(TimeoutEntry::from).collect::<Vec<_>>(),
        /// How it treats clients that do not answer.
        dead_clients: Vec<ReapingEntry> =
            product.reaping.iter().map(ReapingEntry::from).collect::<Vec<_>>(),
    }

    /// A heartbeat that a server sends as a message, known by itself: in any letter case, and an object among other fields.
    struct KnownPingEntry from ping: &KnownPing {
        name: &'static str = ping.name,
        looks: &'static str = ping.looks,
        /// The answer; null if none is expected.
        reply: Option<&'static str> = ping.reply,
        /// It only counts after a message that looks like this.
        after: Option<&'static str> = ping.after,
    }

    /// How a server treats clients that do not answer, by default.
    struct ReapingEntry from reaping: &ReapingDefault {
        /// Unique in the table.
        id: &'static str = reaping.id,
        name: &'static str = reaping.name,
        /// The server's own heartbeats; null if it only has a timer.
        heartbeat: Option<Name<HeartbeatKind>> = beats(reaping).map(|(kind, ..)| Name(kind)),
        interval_ms: Option<Ms> = ms(beats(reaping).map(|(_, interval, _)| interval)),
        /// From the first unanswered heartbeat, or from the client's last traffic, to the end; null if it never ends.
        closed_after_ms: Option<Ms> =
            ms(beats(reaping).map_or(idle(reaping).map(|(after, ..)| after), |(.., total)| total)),
        /// How late the timer may fire.
        late_by_ms: Option<Ms> = ms(idle(reaping).map(|(_, coarse, _)| coarse)),
        /// What resets the timer.
        resets: Option<Name<TimerReset>> = idle(reaping).map(|(.., resets)| Name(resets)),
        /// How the client is closed.
        closes: String = reaping.goodbye.to_string(),
        /// What the response's `Server` header contains, if it names the server.
        server_header: Option<&'static str> = reaping.server,
        defaults: &'static str = reaping.words,
        source: &'static str = reaping.source,
    }
}

/// Kind and interval of the server's own heartbeats, and how long after the first unanswered one it closes, if it does.
fn beats(reaping: &ReapingDefault) -> Option<(HeartbeatKind, Duration, Option<Duration>)> {
    match reaping.timing {
        ReapingTiming::Beats { kind, interval, total } => Some((kind, interval, total)),
        ReapingTiming::Idle { .. } => None,
    }
}

/// The server's timer: its length, how late it may fire, and what resets it.
fn idle(reaping: &ReapingDefault) -> Option<(Duration, Duration, TimerReset)> {
    match reaping.timing {
        ReapingTiming::Idle { after, coarse, resets } => Some((after, coarse, resets)),
        ReapingTiming::Beats { .. } => None,
    }
}
