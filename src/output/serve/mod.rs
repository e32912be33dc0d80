//! What `serve` shows: a line for each event, the summary, the JSON document, NDJSON lines, and the status pages.

mod client_counts;
mod document;
mod log;
mod metrics;
mod ndjson_events;
mod status_pages;
mod view;

#[cfg(test)]
pub(super) mod fixtures;
#[cfg(test)]
mod tests;

pub use document::{ClientsDocument, ServeDocument, ServedClientDocument};
pub use ndjson_events::{
    ConnectionRejected, DeadClientClosed, FaultInjected, ServedClientClosed, ServedClientOpened,
    ServedClientStatus, ServerError, ServerListening,
};
pub use status_pages::StatusPages;

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::server::{ServeEvent, ServeEventKind, ServerSummary};

/// Shows a run of `serve`.
pub struct ServePresenter {
    log: log::ServeLog,
    clients: client_counts::ClientCounts,
    /// The URL of the server, once it listens.
    url: String,
}

impl ServePresenter {
    pub fn new(options: HumanOptions) -> ServePresenter {
        let clients = client_counts::ClientCounts::default();
        ServePresenter { log: log::ServeLog::new(options), clients, url: String::new() }
    }
}

impl Presenter for ServePresenter {
    type Event = ServeEvent;
    type Report = ServerSummary;
    type Document = ServeDocument;

    fn report_in(event: &ServeEvent) -> Option<&ServerSummary> {
        if let ServeEventKind::Stopped(summary) = &event.what { Some(summary) } else { None }
    }

    fn observe(&mut self, event: &ServeEvent) {
        if let ServeEventKind::Listening(listening) = &event.what {
            self.url = listening.url();
        }
        self.clients.observe(event);
    }

    /// Clients are what a server is for: their lines are its result.
    fn lines(&mut self, event: &ServeEvent) -> Lines {
        Lines::to_stdout(self.log.lines(event))
    }

    fn progress(&mut self, _event: &ServeEvent) -> Option<String> {
        Some(self.clients.line())
    }

    fn ndjson_line(&self, event: &ServeEvent) -> Option<String> {
        ndjson_events::line(event)
    }

    fn view(&self, summary: &ServerSummary) -> View {
        view::view(&self.url, summary)
    }

    fn document(&self, summary: &ServerSummary) -> ServeDocument {
        ServeDocument::new(&self.url, summary)
    }

    fn is_droppable(event: &ServeEvent) -> bool {
        event.client.is_some()
    }
}
