//! Shows a run of any command in any format: text for people, one JSON document, or NDJSON.

use std::io;

use serde_json::Value;

use super::envelope::{DocumentBody, Envelope, RunOrigin};
use super::human::{self, HumanOptions};
use super::json::{compact, pretty};
use super::ndjson::interim_line;
use super::output_format::{Format, ReportFormat};
use super::presenter::{Lines, Presenter};
use super::report_file::ReportFile;
use super::report_formats::RenderedRun;
use super::report_formats::nagios::PluginState;
use super::terminal::Terminal;
use super::writer::Writer;
use crate::domain::run::reporter::Reporter;

/// A run's output in one format.
pub struct RunOutput<P> {
    format: Format,
    origin: RunOrigin,
    options: HumanOptions,
    presenter: P,
    terminal: Terminal,
    /// Further reports of the same run.
    reports: Vec<ReportFile>,
    exit_code: Option<u8>,
    /// Whether lines for people went to stdout; an empty line separates them from the report.
    has_printed: bool,
    /// Something else shows what happens.
    hides_lines: bool,
}

impl<P: Presenter> RunOutput<P> {
    /// Writes the result to `stdout` and the conversation to `stderr`.
    pub fn new(
        presenter: P,
        format: Format,
        origin: RunOrigin,
        options: HumanOptions,
        stdout: Writer,
        stderr: Writer,
    ) -> RunOutput<P> {
        let terminal = Terminal::new(options, stdout, stderr);
        RunOutput {
            format,
            origin,
            options,
            presenter,
            terminal,
            reports: Vec::new(),
            exit_code: None,
            has_printed: false,
            hides_lines: false,
        }
    }

    /// Shows the report alone from now on: something else shows what happens.
    pub fn hide_lines(&mut self) {
        self.hides_lines = true;
    }

    /// Writes further reports, too.
    pub fn with_reports(self, reports: Vec<ReportFile>) -> RunOutput<P> {
        RunOutput { reports, ..self }
    }

    /// The reports that could not be written, as sentences.
    pub fn failed_reports(&self) -> Vec<String> {
        self.reports.iter().filter_map(ReportFile::failure).collect()
    }

    /// The further reports, which a run that could not start has not written.
    pub fn into_reports(self) -> Vec<ReportFile> {
        self.reports
    }

    /// The exit code, once the run is over, if the format has codes of its own.
    pub fn exit_code(&self) -> Option<u8> {
        self.exit_code
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.terminal.error()
    }

    fn lines(&mut self, event: &P::Event) -> Lines {
        match self.format {
            Format::Human if self.hides_lines => Lines::default(),
            Format::Human => self.presenter.lines(event),
            Format::Json | Format::CompactJson | Format::Report(_) => Lines::default(),
            Format::Ndjson => Lines::to_stdout(self.presenter.ndjson_line(event)),
        }
    }

    fn document(&self, report: &P::Report) -> Value {
        Envelope::new(&self.origin, self.presenter.view(report), self.presenter.document(report)).into_json()
    }

    /// The report so far, in NDJSON.
    fn interim_line(&self, report: &P::Report) -> String {
        let view = self.presenter.view(report);
        let at = view.started_at.checked_add(view.elapsed.into()).unwrap_or(view.started_at);
        interim_line::<P::Document>(at, self.document(report))
    }

    /// The report so far: every format shows it on stderr but NDJSON, which has a line for it.
    fn interim(&self, report: &P::Report) -> Lines {
        match self.format {
            Format::Ndjson => Lines::to_stdout(Some(self.interim_line(report))),
            Format::Human | Format::Json | Format::CompactJson | Format::Report(_) => {
                Lines::to_stderr(self.presenter.interim_line(report))
            }
        }
    }

    fn finished(&self, format: Format, report: &P::Report) -> Option<String> {
        match format {
            Format::Human => {
                let text = human::report(&self.presenter.view(report), self.options)?;
                Some(if self.has_printed { format!("\n{text}") } else { text })
            }
            Format::Json => Some(pretty(&self.document(report))),
            Format::CompactJson | Format::Ndjson => Some(compact(&self.document(report))),
            Format::Report(format) => Some(format.render(&RenderedRun {
                command: P::Document::COMMAND,
                origin: &self.origin,
                view: &self.presenter.view(report),
                document: &|| compact(&self.document(report)),
            })),
        }
    }

    /// The report in a file: text for people has no colour and the width of the terminal does not matter.
    fn finished_in_file(&self, format: Format, report: &P::Report) -> Option<String> {
        match format {
            Format::Human => {
                Some(human::report_always(&self.presenter.view(report), HumanOptions::default()))
            }
            other => self.finished(other, report),
        }
    }

    fn write_reports(&mut self, report: &P::Report) {
        let formats: Vec<Format> = self.reports.iter().map(|file| file.format).collect();
        for (index, format) in formats.into_iter().enumerate() {
            let text = self.finished_in_file(format, report).unwrap_or_default();
            if let Some(file) = self.reports.get_mut(index) {
                file.write(&text);
            }
        }
    }

    /// Lines as they happen, for files that take them.
    fn write_lines(&mut self, event: &P::Event) {
        if self.reports.iter().all(|file| file.format != Format::Ndjson) {
            return;
        }
        let line = match P::interim_in(event) {
            Some(report) => Some(self.interim_line(report)),
            None => self.presenter.ndjson_line(event),
        };
        let streams = self.reports.iter_mut().filter(|file| file.format == Format::Ndjson);
        streams.for_each(|file| file.write(line.as_deref().unwrap_or_default()));
    }
}

impl<P: Presenter> Reporter<P::Event> for RunOutput<P> {
    fn report(&mut self, event: &P::Event) {
        self.presenter.observe(event);
        if tracing::enabled!(target: "event", tracing::Level::INFO)
            && let Some(line) = self.presenter.ndjson_line(event)
        {
            tracing::info!(target: "event", data = line.trim_end());
        }
        if let Some(text) = self.presenter.progress(event) {
            self.terminal.show(&text);
        }
        self.write_lines(event);
        let mut lines = match P::interim_in(event) {
            Some(report) => self.interim(report),
            None => self.lines(event),
        };
        self.has_printed |= !lines.stdout.is_empty();
        if let Some(report) = P::report_in(event) {
            self.terminal.clear();
            lines.stdout += &self.finished(self.format, report).unwrap_or_default();
            self.write_reports(report);
            if self.format == Format::Report(ReportFormat::Nagios) {
                self.exit_code = Some(PluginState::of(&self.presenter.view(report)).exit_code());
            }
        }
        self.terminal.write(&lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::ping::{PingPresenter, fixtures};
    use crate::output::testing::{PLAIN, SharedBuffer};

    #[test]
    fn a_closed_pipe_ends_it_quietly() {
        for format in [Format::Human, Format::Ndjson] {
            let (out, err) = (SharedBuffer::that_closes_after(2), SharedBuffer::default());
            let mut output = RunOutput::new(
                PingPresenter::new(PLAIN),
                format,
                RunOrigin::default(),
                PLAIN,
                out.writer(),
                err.writer(),
            );
            fixtures::healthy().iter().for_each(|event| output.report(event));
            assert_eq!(output.error().map(io::Error::kind), Some(io::ErrorKind::BrokenPipe));
            assert_eq!(out.attempts(), 3, "{format:?}");
        }
    }
}
