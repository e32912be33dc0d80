//! Shows a run of any command in any format: text for people, one JSON document, or NDJSON.

use std::io;

use super::envelope::{Envelope, RunOrigin};
use super::human::{self, HumanOptions};
use super::json::{compact, pretty};
use super::ndjson::interim_line;
use super::output_format::Format;
use super::presenter::{Lines, Presenter};
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
    /// Whether lines for people went to stdout; an empty line separates them from the report.
    has_printed: bool,
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
        RunOutput { format, origin, options, presenter, terminal, has_printed: false }
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.terminal.error()
    }

    fn lines(&mut self, event: &P::Event) -> Lines {
        match self.format {
            Format::Human => self.presenter.lines(event),
            Format::Json | Format::CompactJson => Lines::default(),
            Format::Ndjson => Lines::to_stdout(self.presenter.ndjson_line(event)),
        }
    }

    fn envelope(&self, report: &P::Report) -> Envelope<P::Document> {
        Envelope::new(&self.origin, self.presenter.view(report), self.presenter.document(report))
    }

    /// The report so far: every format shows it on stderr but NDJSON, which has a line for it.
    fn interim(&self, report: &P::Report) -> Lines {
        match self.format {
            Format::Ndjson => {
                let view = self.presenter.view(report);
                let at = view.started_at.checked_add(view.elapsed).unwrap_or(view.started_at);
                Lines::to_stdout(Some(interim_line(at, self.envelope(report))))
            }
            Format::Human | Format::Json | Format::CompactJson => {
                Lines::to_stderr(self.presenter.interim_line(report))
            }
        }
    }

    fn finished(&self, report: &P::Report) -> Option<String> {
        match self.format {
            Format::Human => {
                let text = human::report(&self.presenter.view(report), self.options)?;
                Some(if self.has_printed { format!("\n{text}") } else { text })
            }
            Format::Json => Some(pretty(&self.envelope(report))),
            Format::CompactJson | Format::Ndjson => Some(compact(&self.envelope(report))),
        }
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
        let mut lines = match P::interim_in(event) {
            Some(report) => self.interim(report),
            None => self.lines(event),
        };
        self.has_printed |= !lines.stdout.is_empty();
        if let Some(report) = P::report_in(event) {
            self.terminal.clear();
            lines.stdout += &self.finished(report).unwrap_or_default();
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
