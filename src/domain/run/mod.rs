//! What several commands share: results, criteria and brackets.

pub mod condition;
pub mod criterion;
pub mod done;
pub mod expectation;
pub mod finding;
pub mod metric;
pub mod reporter;
pub mod run_result;

pub mod bracket;
pub mod truth;
pub mod well_known_timeouts;
