//! `wscheck exporter`: probes for Prometheus.

mod probe;
mod probe_page;
#[cfg(test)]
mod tests;

pub use probe::{ProbeModule, probe};
pub use probe_page::{ProbePage, ProbePlan};
