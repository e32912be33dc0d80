//! What `ping` decides: events, figures, status, result and findings.

pub mod alike;
pub mod conclusion;
pub mod criteria;
pub mod ending_check;
pub mod event;
pub mod expected_ending;
pub mod fail_if;
pub mod finding;
pub mod findings;
pub mod health;
pub mod history;
pub mod measurement;
pub mod merge;
pub mod merged_runs;
pub mod outages;
pub mod pooled_status;
pub mod preset_mismatch;
pub mod ramp;
pub mod recorder;
pub mod report;
pub mod run_info;
pub mod run_status;
pub mod server_traffic;
pub mod status_counts;
pub mod verdict;
pub mod worst;
