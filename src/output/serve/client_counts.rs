//! The moving line: the number of connected clients by status.

use std::collections::{BTreeMap, HashMap};

use crate::domain::format::counted;
use crate::domain::label::Label;
use crate::domain::ping::health::Status;
use crate::server::{ServeEvent, ServeEventKind};

/// The status of each client, updated by each event: recounting ten thousand clients every time would be slow.
#[derive(Debug, Default)]
pub struct ClientCounts {
    status_of: HashMap<u64, Status>,
    count: BTreeMap<Status, usize>,
}

impl ClientCounts {
    pub fn observe(&mut self, event: &ServeEvent) {
        let Some(id) = event.client else { return };
        match &event.what {
            ServeEventKind::Opened { .. } => self.set(id, Some(Status::Unknown)),
            ServeEventKind::Status(change) => self.set(id, Some(change.to)),
            ServeEventKind::Closed { .. } => self.set(id, None),
            ServeEventKind::Listening(_)
            | ServeEventKind::Rejected { .. }
            | ServeEventKind::DeadClientClosed { .. }
            | ServeEventKind::Fault(_)
            | ServeEventKind::SilenceNoticed { .. }
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
    pub fn line(&self) -> String {
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
        let mut counts = ClientCounts::default();
        assert_eq!(counts.line(), "no clients");
        for id in [1, 2, 3] {
            counts.set(id, Some(Status::Unknown));
        }
        counts.set(1, Some(Status::Healthy));
        counts.set(2, Some(Status::Timeout));
        counts.set(3, Some(Status::Healthy));
        assert_eq!(counts.line(), "3 clients: 2 healthy, 1 timeout");
        counts.set(2, None);
        assert_eq!(counts.line(), "2 clients: 2 healthy");
        counts.set(3, None);
        assert_eq!(counts.line(), "1 client: 1 healthy");
    }
}
