//! The heartbeats of real services: a slice of definitions, which also prints its own help. To add one: an entry in
//! a slice, and a row of literal wire text in `wire_tests.rs`.

mod compiled;
mod connack;
mod exchanges;
mod fingerprint;
mod generic;
mod libraries;
mod lookup;
mod model;
mod refusal;
mod selection;
mod services;
#[cfg(test)]
mod wire_tests;

pub use compiled::{CompiledPreset, IntendedTraffic};
pub use fingerprint::{FingerprintInput, PresetDetection, PresetMatches, offered_at, resembles};
pub use lookup::{all, find, near};
pub use model::{
    ForbiddenAction, ForbiddenSend, HeartbeatStarter, Preset, PresetRequest, ServerMessage, VerificationLevel,
};
pub use refusal::PresetRefusal;
pub use selection::PresetSelection;
