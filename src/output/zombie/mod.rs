//! Shows what became of dead clients: the diagnosis and its evidence for people, one JSON document, or NDJSON.

mod document;
mod human;
mod ndjson_events;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use std::io;

pub use document::{LifeDocument, ZombieDocument};
pub use ndjson_events::{ClientHeard, ClientNotOpened, ClientOpened, ClientOver, ZombieStarted};

use super::json::{compact, pretty};
use super::terminal::Terminal;
use super::writer::Writer;
use crate::domain::zombie::report::{ZombieEvent, ZombieReport, ZombieReporter};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;

/// Shows a run in any format.
pub struct ZombieOutput {
    format: Format,
    options: HumanOptions,
    stage: Terminal,
    talk: human::ZombieLog,
}

impl ZombieOutput {
    /// The result goes to `stdout`, the conversation to `stderr`.
    pub fn new(format: Format, options: HumanOptions, stdout: Writer, stderr: Writer) -> ZombieOutput {
        let stage = Terminal::new(options, stdout, stderr);
        ZombieOutput { format, options, stage, talk: human::ZombieLog::new(options) }
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.stage.error()
    }

    fn result(&self, event: &ZombieEvent) -> Option<String> {
        match (event, self.format) {
            (ZombieEvent::Finished(report), _) => self.finished(report),
            (event, Format::Ndjson) => ndjson_events::line(event),
            (_, Format::Human | Format::Json) => None,
        }
    }

    fn finished(&self, report: &ZombieReport) -> Option<String> {
        match self.format {
            Format::Human => human::report(report, self.options),
            Format::Json => Some(pretty(&ZombieDocument::from(report))),
            Format::Ndjson => Some(compact(&ZombieDocument::from(report))),
        }
    }
}

impl ZombieReporter for ZombieOutput {
    fn report(&mut self, event: &ZombieEvent) {
        match event {
            ZombieEvent::Progress(progress) => self.stage.show(&human::progress(progress)),
            ZombieEvent::Finished(_) => self.stage.clear(),
            _ => {}
        }
        let said = (self.format == Format::Human).then(|| self.talk.about(event)).flatten();
        let result = self.result(event);
        self.stage.write(said.as_deref(), result.as_deref());
    }
}
