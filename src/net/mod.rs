//! Floor 1: from a name to an open WebSocket, and what goes over it.

pub mod batch_sleep;
pub mod bind_pool;
mod certificate;
mod close_payload;
mod closing;
pub mod dial;
mod dial_error;
pub mod disconnect;
mod frame_check;
pub mod gzip;
mod happy_eyeballs;
mod http_head;
pub mod idle_probe;
mod keepalive_sender;
mod library_errors;
pub mod observer;
pub mod os_error;
pub mod preamble;
pub mod proxy;
pub mod resolve;
pub mod schedule;
pub mod session;
pub mod socket;
pub mod stall_detector;
pub mod stream;
pub mod tap;
mod tcp;
pub mod tcp_liveness;
#[cfg(test)]
mod test_certificates;
pub mod time;
pub mod tls;
mod upgrade;
mod upgrade_error;
pub mod websocket;

#[cfg(test)]
mod fake_tcp_stream;
#[cfg(test)]
mod loopback_peer;
#[cfg(test)]
pub mod raw_peer;
