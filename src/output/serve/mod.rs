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
pub use log::close_text;
pub use ndjson_events::*;
pub use status_pages::StatusPages;

use super::human::HumanOptions;
use super::presenter::{Lines, Presenter};
use super::view::View;
use crate::commands::serve::{ServeReport, ServeRunEvent};
use crate::server::{ServeEvent, ServeEventKind};

/// Shows a run of `serve`.
pub struct ServePresenter {
    log: log::ServeLog,
    clients: client_counts::ClientCounts,
    /// The URL of the server, once it listens.
    url: String,
}

impl Presenter for ServePresenter {
    type Event = ServeRunEvent;
    type Report = ServeReport;
    type Document = ServeDocument;

    fn new(options: HumanOptions) -> ServePresenter {
        let clients = client_counts::ClientCounts::default();
        ServePresenter { log: log::ServeLog::new(options), clients, url: String::new() }
    }

    fn report_in(event: &ServeRunEvent) -> Option<&ServeReport> {
        match event {
            ServeRunEvent::Finished(report) => Some(report),
            ServeRunEvent::Server(_) => None,
        }
    }

    fn observe(&mut self, event: &ServeRunEvent) {
        let ServeRunEvent::Server(event) = event else { return };
        if let ServeEventKind::Listening(listening) = &event.what {
            self.url = listening.url();
        }
        self.clients.observe(event);
    }

    /// Clients are what a server is for: their lines are its result.
    fn lines(&mut self, event: &ServeRunEvent) -> Lines {
        Lines::to_stdout(server_event(event).and_then(|event| self.log.lines(event)))
    }

    fn progress(&mut self, _event: &ServeRunEvent) -> Option<String> {
        Some(self.clients.line())
    }

    fn ndjson_line(&self, event: &ServeRunEvent) -> Option<String> {
        ndjson_events::line(server_event(event)?)
    }

    fn view(&self, report: &ServeReport) -> View {
        view::view(&self.url, report)
    }

    fn document(&self, report: &ServeReport) -> ServeDocument {
        ServeDocument::from((self.url.as_str(), &report.summary))
    }

    fn is_droppable(event: &ServeRunEvent) -> bool {
        server_event(event).is_some_and(|event| event.client.is_some())
    }
}

fn server_event(event: &ServeRunEvent) -> Option<&ServeEvent> {
    match event {
        ServeRunEvent::Server(event) => Some(event),
        ServeRunEvent::Finished(_) => None,
    }
}
