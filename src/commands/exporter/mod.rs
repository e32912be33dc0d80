//! `wscheck exporter`: kept connections and probes for Prometheus.

mod probe;
mod probe_page;
mod run;
#[cfg(test)]
mod tests;

pub use probe::{ProbeModule, probe};
pub use probe_page::{ProbePage, ProbePlan};
pub use run::{ExporterError, ExporterPlan, KeptGroup, run};
