//! Opens a WebSocket to a target: resolve, connect, proxy, TLS, upgrade.

pub mod bind_pool;
mod certificate;
pub mod certificate_facts;
pub mod dial;
mod dial_plan;
pub mod endpoint;
mod extended_connect;
mod happy_eyeballs;
pub mod http2_pool;
pub(crate) mod http_head;
pub mod proxy;
pub mod reach;
pub mod request_headers;
pub mod resolve;
mod server_verifier;
pub mod tls;
pub mod tls_inspection;
pub(crate) mod upgrade;
mod upgrade_error;
