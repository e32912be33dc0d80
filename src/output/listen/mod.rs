//! Shows what was heard of a server: the diagnosis and its evidence for people, one JSON document, or NDJSON.

mod document;
mod human;
mod ndjson_events;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use std::io;

pub use document::{ListenDocument, ListenedTo};
pub use ndjson_events::{ClientTalked, ListenEnded, ListenOpened, ListenStarted, ServerSaid};

use super::json::{compact, pretty};
use super::terminal::Terminal;
use super::writer::Writer;
use crate::domain::listen::report::{ListenEvent, ListenReport, ListenReporter};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;

/// Shows listening in any format.
pub struct ListenOutput {
    format: Format,
    options: HumanOptions,
    stage: Terminal,
    talk: human::ListenLog,
}

impl ListenOutput {
    /// The result goes to `stdout`, the conversation to `stderr`.
    pub fn new(format: Format, options: HumanOptions, stdout: Writer, stderr: Writer) -> ListenOutput {
        let stage = Terminal::new(options, stdout, stderr);
        ListenOutput { format, options, stage, talk: human::ListenLog::new(options) }
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.stage.error()
    }

    fn result(&self, event: &ListenEvent) -> Option<String> {
        match (event, self.format) {
            (ListenEvent::Finished(report), _) => self.finished(report),
            (event, Format::Ndjson) => ndjson_events::line(event),
            (_, Format::Human | Format::Json) => None,
        }
    }

    fn finished(&self, report: &ListenReport) -> Option<String> {
        match self.format {
            Format::Human => human::report(report, self.options),
            Format::Json => Some(pretty(&ListenDocument::from(report))),
            Format::Ndjson => Some(compact(&ListenDocument::from(report))),
        }
    }
}

impl ListenReporter for ListenOutput {
    fn report(&mut self, event: &ListenEvent) {
        match event {
            ListenEvent::Progress(progress) => self.stage.show(&human::progress(progress)),
            ListenEvent::Finished(_) => self.stage.clear(),
            _ => {}
        }
        let said = (self.format == Format::Human).then(|| self.talk.about(event)).flatten();
        let result = self.result(event);
        self.stage.write(said.as_deref(), result.as_deref());
    }
}
