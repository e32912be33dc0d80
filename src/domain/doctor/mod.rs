//! What is wrong with an endpoint, at which hop, and what to change.
//!
//! `evidence` is what was measured on one path. `examine` decides what each check concludes from it, `advice` what follows
//! from several checks together, and `hops` at which hop something begins. `report` judges the whole.

mod advice;
mod browser;
pub mod browser_features;
pub mod browser_limit;
mod check;
mod check_result;
mod doctor_finding;
pub mod evidence;
mod examine;
pub mod feature_trial;
mod hops;
mod measured;
pub mod remedies;
pub mod report;
pub mod tls;

#[cfg(test)]
mod tests;

pub use advice::{COVERED, advise};
pub use check::{Category, Check, CheckSelection};
pub use check_result::CheckResult;
pub use doctor_finding::{
    COVERS_USUAL_TIMEOUT, DoctorFinding, DoctorFindingCode, FeatureRtts, HopDifference, LatencyFigures,
    RefusalCause, Unchecked, lacks_route,
};
pub use examine::{Conditions, examine};
pub use hops::{bracket_words, compare};
pub use measured::idle_bracket;
