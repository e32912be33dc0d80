//! How a client behaves towards a bad server: what the test server saw of its connections, the figures of it, and whether
//! they are as the user expects. `serve --expect` and `test-client` judge by the same table of metrics.

pub mod activity;
pub mod connection_record;
pub mod course;
pub mod expectation;
pub mod faults;
pub mod metrics;
pub mod report;
pub mod verdict;
