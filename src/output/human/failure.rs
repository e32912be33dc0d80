//! An error for people: what failed, on what, at which step and why; then what was tried, and a hint.

use super::paint::Paint;
use crate::domain::opening::{Attempt, OpenError, Refusal};
use crate::domain::peer_text::PeerText;
use crate::output::units::spoken;

/// An error and its hint; newline included.
pub fn complaint(paint: Paint, message: &str, hint: Option<&str>) -> String {
    let mut text = format!("{} {message}\n", paint.bad("error:"));
    if let Some(hint) = hint {
        text.push_str(&format!("{} {hint}\n", paint.strong("hint:")));
    }
    text
}

/// Why a connection did not open: every attempt when there was more than one, and what HTTP answered.
pub fn failed_opening(paint: Paint, error: &OpenError) -> String {
    let mut text = complaint(paint, &error.to_string(), None);
    if error.attempts.len() > 1 {
        error.attempts.iter().for_each(|attempt| text.push_str(&format!("  {}\n", tried(attempt))));
    }
    if let Some(refusal) = &error.refusal {
        text.push_str(&answered(refusal));
    }
    if let Some(hint) = &error.hint {
        text.push_str(&format!("{} {hint}\n", paint.strong("hint:")));
    }
    text
}

/// What became of one address: `[::1]:9001: connection refused by [::1]:9001 (ECONNREFUSED), after 87 µs`.
pub fn tried(attempt: &Attempt) -> String {
    let outcome = attempt.error.as_deref().unwrap_or("connected");
    format!("{}: {outcome}, after {}", attempt.address, spoken(attempt.took))
}

fn answered(refusal: &Refusal) -> String {
    let mut text = format!("  HTTP {}\n", refusal.status);
    for (name, value) in &refusal.headers {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    text.push_str(&body(&refusal.body));
    text
}

fn body(body: &PeerText) -> String {
    match body.is_empty() {
        true => String::new(),
        false => format!("  body: {body}\n"),
    }
}
