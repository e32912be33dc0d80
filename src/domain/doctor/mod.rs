//! What `doctor` concludes of each part of an endpoint.

pub mod tls;
