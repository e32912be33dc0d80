//! Shows an idle search: the answer and its evidence for people, one JSON document, or NDJSON.

mod document;
mod evidence;
mod format;
mod human;
mod naming;
mod ndjson_events;
mod progress;
mod trials;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

use std::io;
use std::time::SystemTime;

pub use document::IdleDocument;
pub use ndjson_events::{
    Asked, BracketSoFar, IdleStarted, ProbeFailed, ProbeOpened, ProvisionalAnswer, RefreshTried, Spoke,
    TrialOver, VerifyOver,
};

use super::json::{compact, pretty};
use super::writer::{ReportWriter, Writer};
use crate::domain::idle::report::{IdleEvent, IdleReport, IdleReporter};
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use progress::SearchProgressLine;
use trials::TrialTable;

/// Shows a search in any format; on a terminal, a progress line beside it.
pub struct IdleOutput {
    format: Format,
    options: HumanOptions,
    stdout: ReportWriter,
    stderr: ReportWriter,
    started_at: SystemTime,
    trials: TrialTable,
    talk: human::SearchLog,
    progress: Option<SearchProgressLine>,
}

impl IdleOutput {
    /// The result goes to `stdout`, the conversation to `stderr`.
    pub fn new(format: Format, options: HumanOptions, stdout: Writer, stderr: Writer) -> IdleOutput {
        IdleOutput {
            format,
            options,
            stdout: ReportWriter::new(stdout),
            stderr: ReportWriter::new(stderr),
            started_at: SystemTime::UNIX_EPOCH,
            trials: TrialTable::default(),
            talk: human::SearchLog::new(options),
            progress: options.progress.then(SearchProgressLine::on_stderr),
        }
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.stdout.error()
    }

    fn finished(&self, report: &IdleReport) -> Option<String> {
        match self.format {
            Format::Human => human::report(report, self.trials.all(), self.options),
            Format::Json => Some(pretty(&IdleDocument::new(report, self.trials.all()))),
            Format::Ndjson => Some(compact(&IdleDocument::new(report, self.trials.all()))),
        }
    }

    /// Writes to stderr and to stdout, with the line that moves taken away meanwhile.
    fn write(&mut self, said: Option<String>, result: Option<String>) {
        let IdleOutput { stdout, stderr, progress, .. } = self;
        let mut write = || {
            said.iter().for_each(|text| stderr.write(text));
            result.iter().for_each(|text| stdout.write(text));
        };
        match progress {
            Some(progress) => progress.aside(write),
            None => write(),
        }
    }

    /// What goes to stdout.
    fn result(&self, event: &IdleEvent) -> Option<String> {
        match (event, self.format) {
            (IdleEvent::Finished(report), _) => self.finished(report),
            (event, Format::Ndjson) => ndjson_events::line(event, self.started_at),
            (_, Format::Human | Format::Json) => None,
        }
    }
}

impl IdleReporter for IdleOutput {
    fn report(&mut self, event: &IdleEvent) {
        if let IdleEvent::Started { at, .. } = event {
            self.started_at = *at;
        }
        self.trials.note(event);
        if let Some(progress) = &mut self.progress {
            progress.take(event);
        }
        let said = (self.format == Format::Human).then(|| self.talk.about(event)).flatten();
        let result = self.result(event);
        if said.is_some() || result.is_some() {
            self.write(said, result);
        }
    }
}
