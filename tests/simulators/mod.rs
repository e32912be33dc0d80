//! Servers in virtual time.

pub mod listen;
pub mod zombie;
