//! The heartbeats of real services: a slice of definitions, which also prints its own help. To add one: an entry in
//! a slice, and a row of literal wire text in `wire.rs`.

mod chosen;
mod connack;
mod exchanges;
mod libraries;
mod lookup;
mod model;
mod plain;
mod recognise;
mod refusal;
mod services;
mod spoken;
#[cfg(test)]
mod wire;

pub use chosen::PresetUse;
pub use lookup::{all, find, near};
pub use model::{Ask, Never, Preset, Says, Starter, Trap, Verified};
pub use recognise::{Clues, Guess, Resemblance, offered_at, resembles};
pub use refusal::Refusal;
pub use spoken::{Intent, Spoken};
