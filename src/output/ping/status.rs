//! The status of connections in words.

use strum::IntoEnumIterator;

use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{ConnReport, count_of};
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

/// `1 not opened, 1 dead, 3 healthy`: the worst first, without those that do not occur.
pub fn by_status<'a>(connections: impl IntoIterator<Item = &'a ConnReport> + Clone) -> String {
    let count = |is_counted: &dyn Fn(&ConnReport) -> bool| {
        count_of(connections.clone().into_iter().filter(|connection| is_counted(connection)))
    };
    let is_opened = |connection: &ConnReport| connection.opened.is_some() || connection.open_error.is_none();
    let not_opened = count(&|connection| !is_opened(connection));
    let of_status =
        |status: Status| count(&|connection| is_opened(connection) && connection.status == status);
    let counts: Vec<(Status, u64)> = Status::iter().rev().map(|status| (status, of_status(status))).collect();
    let statuses = Some(in_words(&counts)).filter(|words| !words.is_empty());
    let parts = (not_opened > 0).then(|| format!("{not_opened} not opened")).into_iter().chain(statuses);
    parts.collect::<Vec<_>>().join(", ")
}

/// `1 dead, 3 healthy`: in the order given, without those that do not occur.
pub fn in_words(counts: &[(Status, u64)]) -> String {
    let some = counts.iter().filter(|(_, count)| *count > 0);
    some.map(|(status, count)| format!("{count} {}", status.label())).collect::<Vec<_>>().join(", ")
}
