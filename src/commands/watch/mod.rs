//! `wscheck watch`: connections that are kept and watched, until it is stopped.

mod event;
mod groups;
pub mod hook;
mod metrics;
mod plan;
mod run;
#[cfg(test)]
mod tests;

pub use event::WatchEvent;
pub use metrics::MetricsPlan;
pub use plan::WatchPlan;
pub use run::{HookDocument, HookMessage, WatchControl, run};
