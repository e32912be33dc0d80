//! One table of products and services: what each speaks, when and how it cuts, how it treats clients that do not answer,
//! and how to change that. Presets, timeouts, detection, the heartbeats that servers send and the products that a measurement
//! is consistent with are read from it. To add one: an entry in its family's file, and for a preset a row of literal wire text
//! in `presets/wire_tests.rs`.

mod clouds;
mod conventions;
mod exchanges;
mod known_ping;
mod lookup;
mod nats;
mod preset;
mod product;
mod protocols;
mod proxies;
mod reaping;
mod responders;
mod servers;
mod services;
#[cfg(test)]
mod tests;
mod timeout;

pub use known_ping::KnownPing;
pub use lookup::{
    find_preset, find_products, find_timeouts, known_pings, near_presets, near_products, near_timeouts,
    presets, products, reaping_defaults, timeouts,
};
pub use preset::{
    ForbiddenAction, ForbiddenSend, HeartbeatStarter, Preset, PresetRequest, ServerMessage, VerificationLevel,
};
pub use product::{Product, UpgradeForwarding};
pub use reaping::{Goodbye, ReapingDefault, ReapingTiming};
pub use responders::{
    APPLICATION_SERVERS, BALANCER_SERVER_VALUES, ERROR_PAGES, PROXY_HEADERS, PROXY_SERVERS, SIGNED_PAGES,
    SLOW,
};
pub use timeout::{
    Confidence, CutKind, HeaderMark, ProductFamily, ProductMarks, SettingChange, Timeout, TimeoutKind,
    TimeoutValue, TimerReset, TypicalSetting, span,
};
