//! Where a run is shown: the result on stdout, the conversation on stderr, and on a terminal a line that moves.

use std::io;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::charset;
use super::human::HumanOptions;
use super::writer::{ReportWriter, Writer};

/// The elapsed time goes on while nothing happens.
const REDRAW_INTERVAL: Duration = Duration::from_secs(1);

/// Both writers, and the line.
pub struct Terminal {
    stdout: ReportWriter,
    stderr: ReportWriter,
    line: Option<ProgressBar>,
}

impl Terminal {
    pub fn new(options: HumanOptions, stdout: Writer, stderr: Writer) -> Terminal {
        let line = options.progress.then(moving_line);
        Terminal { stdout: ReportWriter::new(stdout), stderr: ReportWriter::new(stderr), line }
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.stdout.error()
    }

    /// Writes to stderr and to stdout, with the line that moves taken away meanwhile.
    pub fn write(&mut self, said: Option<&str>, result: Option<&str>) {
        if said.is_none() && result.is_none() {
            return;
        }
        let Terminal { stdout, stderr, line } = self;
        let mut write = || {
            said.iter().for_each(|text| stderr.write(text));
            result.iter().for_each(|text| stdout.write(text));
        };
        match line {
            Some(line) => line.suspend(write),
            None => write(),
        }
    }

    /// What the line says from now on.
    pub fn show(&self, text: &str) {
        self.line.iter().for_each(|line| line.set_message(charset::shown(text).into_owned()));
    }

    /// Takes the line away for good.
    pub fn clear(&self) {
        self.line.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn moving_line() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Some(style) = charset::spinner() {
        bar.set_style(style);
    }
    bar.enable_steady_tick(REDRAW_INTERVAL);
    bar
}
