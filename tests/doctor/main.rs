//! Broken and healthy set-ups of real products: each is what it says, and `doctor` finds what is wrong and how to
//! change it.

#![expect(unsafe_code, reason = "signals of child processes")]

mod certificates;
mod corpus;
mod products;
mod running;
mod setups;
#[expect(dead_code, reason = "other test binaries use the rest")]
#[path = "../support/mod.rs"]
mod support;
mod symptoms;
