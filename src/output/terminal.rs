//! Where a run is shown: the result on stdout, the conversation on stderr, and on a terminal a line that moves.

use std::io;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::charset;
use super::human::HumanOptions;
use super::presenter::Lines;
use super::writer::{ReportWriter, Writer};

/// The elapsed time goes on while nothing happens.
const REDRAW_INTERVAL: Duration = Duration::from_secs(1);

/// Both writers, and the moving line.
pub struct Terminal {
    stdout: ReportWriter,
    stderr: ReportWriter,
    has_line: bool,
    line: Option<ProgressBar>,
}

impl Terminal {
    pub fn new(options: HumanOptions, stdout: Writer, stderr: Writer) -> Terminal {
        let (stdout, stderr) = (ReportWriter::new(stdout), ReportWriter::new(stderr));
        Terminal { stdout, stderr, has_line: options.progress, line: None }
    }

    /// The first error on stdout; nothing was written after it.
    pub fn error(&self) -> Option<&io::Error> {
        self.stdout.error()
    }

    /// Writes to stderr and to stdout, and hides the moving line meanwhile.
    pub fn write(&mut self, lines: &Lines) {
        if *lines == Lines::default() {
            return;
        }
        let Terminal { stdout, stderr, line, .. } = self;
        let mut write = || {
            stderr.write(&lines.stderr);
            stdout.write(&lines.stdout);
        };
        match line {
            Some(line) => line.suspend(write),
            None => write(),
        }
    }

    /// Sets the text of the moving line, and shows the line if it is not there yet.
    pub fn show(&mut self, text: &str) {
        if self.has_line {
            let line = self.line.get_or_insert_with(moving_line);
            line.set_message(charset::shown(text).into_owned());
        }
    }

    /// Removes the moving line for good.
    pub fn clear(&mut self) {
        self.has_line = false;
        if let Some(line) = self.line.take() {
            line.finish_and_clear();
        }
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
