//! Secrets in texts that are shown: one rule for everything that a peer sends.
//!
//! Hidden, each as [`HIDDEN`]:
//!
//! 1. the value of a field whose name says that it is a secret ([`names`]): in JSON at any depth, in JSON inside a JSON
//!    string, as `name=value`, `EventName: value` and `<name>value</name>` ([`fields`])
//! 2. what follows `Bearer` or `Basic`, and what has the form of a JWT ([`fields`])
//! 3. what the user sent, wherever it returns ([`SentSecrets`]): the values of secret fields, passwords and headers, and of a
//!    message every value, and the whole, that is not ordinary ([`ordinary`]); also in base64, hex or percent-encoding
//!    ([`encoded`])
//!
//! Ordinary text stays: a message `ping` hides no `ping`.
//!
//! What the user sent is one set for the whole process. It is the domain's only state: whatever code shows a text cannot
//! forget to pass it on.

mod encoded;
pub mod fields;
pub mod names;
pub mod ordinary;
mod pieces;
mod sent;

use std::sync::{PoisonError, RwLock};

pub use pieces::{Piece, Pieces};
pub use sent::SentSecrets;

/// What stands in the place of a secret.
pub const HIDDEN: &str = "***";

static SENT_SECRETS: RwLock<SentSecrets> = RwLock::new(SentSecrets::new());

/// Remembers what the user sends, so that it is hidden where it returns.
pub fn learn(learns: impl FnOnce(&mut SentSecrets)) {
    learns(&mut SENT_SECRETS.write().unwrap_or_else(PoisonError::into_inner));
}

/// Does something with what the user sent so far.
pub fn with_sent<T>(uses: impl FnOnce(&SentSecrets) -> T) -> T {
    uses(&SENT_SECRETS.read().unwrap_or_else(PoisonError::into_inner))
}

/// A text of ours, whole, with its secrets hidden.
pub fn redact(text: &str) -> String {
    with_sent(|sent| redact_with(text, sent))
}

fn redact_with(text: &str, sent: &SentSecrets) -> String {
    let mut shown = String::with_capacity(text.len());
    for piece in Pieces::new(text, sent) {
        match piece {
            Piece::Shown(c) => shown.push(c),
            Piece::Hidden => shown.push_str(HIDDEN),
        }
    }
    shown
}

#[cfg(test)]
mod tests;
