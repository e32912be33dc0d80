//! Connections that are kept and watched.

pub mod host_event;
