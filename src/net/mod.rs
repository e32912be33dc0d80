//! Floor 1: from a name to an open WebSocket, and what goes over it.

mod certificate;
pub mod clock;
mod close_payload;
mod closing;
pub mod dial;
pub mod endings;
mod fault;
mod frame_check;
pub mod greeting;
pub mod guest;
mod head;
mod library_words;
pub mod locals;
pub mod nap;
pub mod os_error;
pub mod packed;
#[cfg(test)]
mod pki;
pub mod proof;
pub mod proxy;
mod race;
mod refusal;
pub mod resolve;
pub mod schedule;
pub mod session;
pub mod socket;
pub mod stream;
mod tcp;
pub mod tls;
pub mod trial;
mod upgrade;
mod upkeep;
pub mod vigil;
pub mod websocket;
pub mod wire;

#[cfg(test)]
mod loopback;
#[cfg(test)]
pub mod raw_peer;
#[cfg(test)]
mod scripted;
