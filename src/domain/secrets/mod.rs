//! Secrets in displayed texts: one rule for everything that a peer sends.
//!
//! Hidden, each as [`HIDDEN`]:
//!
//! 1. The value of a field whose name marks it as a secret ([`names`]): in JSON at any depth, in JSON inside
//!    a JSON string, as `name=value`, `Name: value` and `<name>value</name>` ([`fields`]).
//! 2. The text after `Bearer` or `Basic`, and any JWT ([`fields`]).
//! 3. What the user sent, wherever it returns ([`SentSecrets`]): the values of secret fields, passwords and
//!    headers; and the whole message and each of its values, unless ordinary ([`ordinary`]). Also in base64,
//!    hex or percent-encoding.
//!
//! Ordinary text stays: a message `ping` hides no `ping`.
//!
//! What the user sent is one set for the whole process, the domain's only state: no code that displays a text
//! can forget to pass it.

mod encoded;
pub mod fields;
pub mod names;
pub mod ordinary;
mod pieces;
mod sent;

use std::sync::{PoisonError, RwLock};

pub use pieces::{Piece, Pieces};
pub use sent::SentSecrets;

/// Replaces a secret.
pub const HIDDEN: &str = "***";

static SENT_SECRETS: RwLock<SentSecrets> = RwLock::new(SentSecrets::new());

/// Adds what the user sends, so that it is hidden where it returns.
pub fn learn(learns: impl FnOnce(&mut SentSecrets)) {
    learns(&mut SENT_SECRETS.write().unwrap_or_else(PoisonError::into_inner));
}

/// Gives access to what the user sent so far.
pub fn with_sent<T>(uses: impl FnOnce(&SentSecrets) -> T) -> T {
    uses(&SENT_SECRETS.read().unwrap_or_else(PoisonError::into_inner))
}

/// Hides the secrets in a text of wscheck.
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
