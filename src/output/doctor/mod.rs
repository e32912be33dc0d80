//! What `doctor` shows.

pub mod tls_findings;
