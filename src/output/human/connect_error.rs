//! An error in human-readable form: what failed, at which step and why; then the attempts and a hint.

use super::style::Styler;
use crate::domain::connection::connect_info::{ConnectError, RefusalResponse};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::output::view::connection::tried;

/// Maximum number of addresses listed as not tried.
const MAX_LISTED_UNTRIED: usize = 4;

/// An error and its hint; newline included.
pub fn complaint(paint: Styler, message: &str, hint: Option<&str>) -> String {
    let mut text = format!("{} {message}\n", paint.bad("error:"));
    if let Some(hint) = hint {
        text.push_str(&format!("{} {hint}\n", paint.strong("hint:")));
    }
    text
}

/// Why a connection did not open: every attempt if there were several, and the HTTP response.
pub fn failed_opening(paint: Styler, error: &ConnectError) -> String {
    let mut text = complaint(paint, &error.to_string(), None);
    let untried = error.reached.as_ref().map(|reached| reached.untried.as_slice()).unwrap_or_default();
    if error.attempts.len() + untried.len() > 1 {
        error.attempts.iter().for_each(|attempt| text.push_str(&format!("  {}\n", tried(attempt))));
        untried.iter().take(MAX_LISTED_UNTRIED).for_each(|address| text.push_str(&not_tried(address)));
    }
    if let Some(refusal) = &error.refusal {
        text.push_str(&answered(refusal));
    }
    if let Some(hint) = &error.hint {
        text.push_str(&format!("{} {hint}\n", paint.strong("hint:")));
    }
    text
}

fn not_tried(address: &str) -> String {
    format!("  {address}: not tried, since another answered (--resolve HOST:PORT:ADDRESS chooses)\n")
}

fn answered(refusal: &RefusalResponse) -> String {
    let mut text = format!("  HTTP {}\n", refusal.status);
    for (name, value) in &refusal.headers {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    text.push_str(&body(&refusal.body));
    text
}

fn body(body: &UntrustedText) -> String {
    if body.is_empty() { String::new() } else { format!("  body: {body}\n") }
}
