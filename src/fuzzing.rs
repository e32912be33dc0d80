//! The entry points of the fuzz targets in `fuzz/fuzz_targets`: each takes arbitrary bytes, and panics where the code breaks
//! a promise. Compiled only for fuzzing and for tests, so that nothing else becomes public.
//!
//! The first bytes of an input choose how the rest is used; each entry point says how.

mod archived_json;
mod checks_toml;
mod deflate;
mod event_stream;
mod expressions;
mod frames;
mod http2_frames;
mod http_heads;
mod messages;
mod peer;
mod rendered;
#[cfg(test)]
mod tests;
mod upgrade_answers;

pub use archived_json::archived_json;
pub use checks_toml::checks_toml;
pub use deflate::deflate;
pub use event_stream::event_stream;
pub use expressions::expressions;
pub use frames::frames;
pub use http_heads::http_heads;
pub use http2_frames::http2_frames;
pub use messages::{classifier, patterns};
pub use upgrade_answers::upgrade_answers;

use crate::domain::secrets::{self, SentSecrets};

/// Ends a part of an input. No UTF-8 text has this byte.
const SEPARATOR: u8 = 0xff;

/// Forgets what earlier inputs sent, so that an input does the same whatever came before it.
fn forget_secrets() {
    secrets::learn(|sent| *sent = SentSecrets::new());
}

/// Asserts that a line for a terminal has nothing that controls it.
fn assert_harmless(text: &str) {
    assert!(!text.chars().any(char::is_control), "not escaped: {text:?}");
}
