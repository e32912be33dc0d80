//! Whether the configuration could be read again, as metrics.

use crate::domain::exposition::{FamilyUnit, MetricFamily, Sample};

/// How reading the configuration went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReloadState {
    /// Of the latest attempt.
    pub is_successful: bool,
    /// When it was last read without a mistake, in seconds since 1970.
    pub last_success: f64,
}

impl ReloadState {
    /// The metrics, named and meant as Prometheus' own `prometheus_config_*`.
    pub fn families(self) -> [MetricFamily; 2] {
        let gauge = |name: &'static str, help: &'static str, value| {
            MetricFamily::gauge(name, FamilyUnit::None, help, vec![Sample::plain(value)])
        };
        [
            gauge(
                "wscheck_config_last_reload_successful",
                "Whether the latest attempt to read the configuration succeeded.",
                f64::from(u8::from(self.is_successful)),
            ),
            gauge(
                "wscheck_config_last_reload_success_timestamp_seconds",
                "When the configuration was last read without a mistake, in seconds since 1970.",
                self.last_success,
            ),
        ]
    }
}
