//! The statistics: counts, RTT and jitter, each with its definition. Memory is bounded, however long a run
//! is.

mod counts;
mod fisher;
pub mod interval;
mod jitter;
mod lag;
mod log_histogram;
mod miss_runs;
mod moments;
mod rtts;
pub mod timeline;

pub use counts::Counts;
pub use fisher::{Share, fisher_exact};
pub use jitter::{Differences, JitterSummary, Successive};
pub use lag::{LagStats, LagSummary};
pub use miss_runs::MissRuns;
pub use moments::{MomentFigures, Moments};
pub use rtts::{RttSummary, Rtts, RttsError, TICK_NANOS, decoded};
