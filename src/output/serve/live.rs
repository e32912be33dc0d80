//! The live line: the number of connected clients by status, on a terminal only.

use std::collections::{BTreeMap, HashMap};
use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::domain::format::counted;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::server::{ServeEvent, ServeEventKind};

/// The live line on stderr.
pub struct LiveLine {
    bar: ProgressBar,
    /// Whether stdout is the same terminal, so that lines there must not run into this one.
    shares_terminal: bool,
    tally: LiveStatusCounts,
}

impl Default for LiveLine {
    fn default() -> LiveLine {
        LiveLine::new()
    }
}

impl LiveLine {
    /// Draws nothing unless stderr is a terminal.
    pub fn new() -> LiveLine {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(4));
        bar.set_style(ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        LiveLine { bar, shares_terminal: std::io::stdout().is_terminal(), tally: LiveStatusCounts::default() }
    }

    /// Takes an event in, and lets `show` write it without the line in its way.
    pub fn take<T>(&mut self, event: &ServeEvent, show: impl FnOnce() -> T) -> T {
        self.tally.note(event);
        let shown = if self.shares_terminal { self.bar.suspend(show) } else { show() };
        match &event.what {
            ServeEventKind::Stopped(_) => self.bar.finish_and_clear(),
            _ => self.bar.set_message(self.tally.line()),
        }
        shown
    }
}

/// The status of each client, updated by each event: recounting ten thousand clients every time would be slow.
#[derive(Debug, Default)]
struct LiveStatusCounts {
    status_of: HashMap<u64, Status>,
    count: BTreeMap<Status, usize>,
}

impl LiveStatusCounts {
    fn note(&mut self, event: &ServeEvent) {
        let Some(id) = event.client else { return };
        match &event.what {
            ServeEventKind::Opened { .. } => self.set(id, Some(Status::Unknown)),
            ServeEventKind::Status(change) => self.set(id, Some(change.to)),
            ServeEventKind::Closed { .. } => self.set(id, None),
            ServeEventKind::Listening(_)
            | ServeEventKind::Rejected { .. }
            | ServeEventKind::DeadClientClosed { .. }
            | ServeEventKind::Fault(_)
            | ServeEventKind::Error(_)
            | ServeEventKind::Stopped(_) => {}
        }
    }

    fn set(&mut self, id: u64, status: Option<Status>) {
        let before = match status {
            Some(status) => self.status_of.insert(id, status),
            None => self.status_of.remove(&id),
        };
        if let Some(count) = before.and_then(|before| self.count.get_mut(&before)) {
            *count -= 1;
        }
        if let Some(status) = status {
            *self.count.entry(status).or_default() += 1;
        }
    }

    /// `3 clients: 2 healthy, 1 timeout`.
    fn line(&self) -> String {
        let present = self.count.iter().filter(|(_, count)| **count > 0);
        let parts: Vec<String> =
            present.map(|(status, count)| format!("{count} {}", status.label())).collect();
        if parts.is_empty() {
            String::from("no clients")
        } else {
            format!("{}: {}", counted(self.status_of.len() as u64, "client"), parts.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_by_status() {
        let mut tally = LiveStatusCounts::default();
        assert_eq!(tally.line(), "no clients");
        for id in [1, 2, 3] {
            tally.set(id, Some(Status::Unknown));
        }
        tally.set(1, Some(Status::Healthy));
        tally.set(2, Some(Status::Timeout));
        tally.set(3, Some(Status::Healthy));
        assert_eq!(tally.line(), "3 clients: 2 healthy, 1 timeout");
        tally.set(2, None);
        assert_eq!(tally.line(), "2 clients: 2 healthy");
        tally.set(3, None);
        assert_eq!(tally.line(), "1 client: 1 healthy");
    }
}
