//! One connection: its target, its opening, its data and its end.

pub mod address_family;
pub mod backoff;
pub mod close_cause;
pub mod compact_connect_info;
pub mod connect_info;
pub mod engine_io;
pub mod goaway;
pub mod http2;
pub mod incomplete;
pub mod message_decompressor;
pub mod pem_text;
pub mod permessage_deflate;
pub mod phase;
pub mod target;
pub mod tcp;
pub mod tls_inspection;
pub mod untrusted_text;
