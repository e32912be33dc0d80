//! `wscheck exporter`: kept connections and probes for Prometheus.

mod idle_probes;
mod kept_pages;
mod pages;
mod plan;
mod probe;
mod probe_page;
mod registry;
mod reload;
mod run;
#[cfg(test)]
mod tests;

pub use idle_probes::IdleSchedule;
pub use kept_pages::{KeptPages, RenderTargets};
pub use plan::{ExportedTarget, ExporterPlan, ExporterSettings, ReloadPlan};
pub use probe::{ProbeModule, probe};
pub use probe_page::{ProbePage, ProbePlan};
pub use registry::Registry;
pub use run::run;
