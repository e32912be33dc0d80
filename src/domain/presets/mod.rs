//! What a preset of the catalogue makes of a connection: its messages, read; what it refuses; and by what a server that
//! speaks it is known.

mod compiled;
mod connack;
mod fingerprint;
mod refusal;
mod selection;
#[cfg(test)]
mod wire_tests;

pub use compiled::{CompiledPreset, IntendedTraffic};
pub use fingerprint::{FingerprintInput, PresetDetection, PresetMatches, offered_at, resembles};
pub use refusal::PresetRefusal;
pub use selection::PresetSelection;
