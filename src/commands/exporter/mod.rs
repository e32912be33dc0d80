//! `wscheck exporter`: kept connections and probes for Prometheus.

mod idle_probes;
mod kept_pages;
mod live_page;
mod pages;
mod plan;
mod probe;
mod probe_page;
mod registry;
mod reload;
mod run;
mod shared_page;
#[cfg(test)]
mod tests;

pub use idle_probes::IdleSchedule;
pub use kept_pages::KeptPages;
pub use live_page::RenderTargets;
pub use plan::{ExportedTarget, ExporterPlan, ExporterSettings, ReloadPlan};
pub use probe::{ProbeModule, probe};
pub use probe_page::{ProbePage, ProbePlan};
pub use registry::Registry;
pub use run::{ExporterError, run};
