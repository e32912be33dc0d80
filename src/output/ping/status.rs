//! The status of connections in words.

use strum::IntoEnumIterator;

use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::ConnReport;
use crate::output::view::Tone;

/// What a status means for the reader.
pub fn tone(status: Status) -> Tone {
    match status {
        Status::Healthy => Tone::Good,
        Status::Degraded => Tone::Caution,
        Status::Poor | Status::Critical | Status::Timeout | Status::Dead => Tone::Bad,
        Status::Unknown => Tone::Neutral,
    }
}

/// `1 dead, 3 healthy`: the worst first, without those that do not occur.
pub fn by_status<'a>(connections: impl IntoIterator<Item = &'a ConnReport> + Clone) -> String {
    let count = |status: Status| connections.clone().into_iter().filter(|c| c.status == status).count();
    let counts: Vec<(Status, usize)> = Status::iter().rev().map(|status| (status, count(status))).collect();
    in_words(&counts)
}

/// `1 dead, 3 healthy`: in the order given, without those that do not occur.
pub fn in_words(counts: &[(Status, usize)]) -> String {
    let some = counts.iter().filter(|(_, count)| *count > 0);
    some.map(|(status, count)| format!("{count} {}", status.label())).collect::<Vec<_>>().join(", ")
}
