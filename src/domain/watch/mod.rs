//! Connections that are kept and watched.

pub mod group;
pub mod hook_result;
pub mod host_event;
pub mod printed_url;
pub mod report;
