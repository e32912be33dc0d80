//! How the commands that measure nothing themselves print a run: on stdout, and to further files.

use std::fmt::Display;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::args::{Color, FormatArgs, ReportOption, report_option, terminal_width};
use super::{errors, runner};
use crate::domain::ping::report::PingReport;
use crate::output::archive;
use crate::output::finished_run::FinishedRun;
use crate::output::report_formats::nagios::PluginState;
use crate::output::{Format, HumanOptions, ReportFormat};
use crate::output::{ping, watch};

/// Where and how a run is printed.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct ReportOutputArgs {
    #[command(flatten)]
    pub format: FormatArgs,
    /// Also write the report in this format to a file: junit=wscheck.xml (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_option)]
    pub report: Vec<ReportOption>,
    /// Print the details of each of several targets
    #[arg(short, long)]
    pub verbose: bool,
    /// Use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl ReportOutputArgs {
    /// Runs a command that prints with these options, and reports its usage error.
    pub fn main(&self, command: &str, print: impl FnOnce() -> Result<ExitCode, String>) -> ExitCode {
        let printed = self.format.check().and_then(|()| print());
        printed.unwrap_or_else(|message| errors::report_usage_error(command, &message, self.format.chosen()))
    }

    /// Prints a run; the exit code says whether that could be done.
    ///
    /// # Errors
    ///
    /// A file of `--report` cannot be written.
    pub fn print(&self, run: &FinishedRun) -> Result<ExitCode, String> {
        let format = self.format.chosen();
        let mut files = runner::report_files(&self.report, format)?;
        let human = HumanOptions { verbose: self.verbose, ..HumanOptions::default() };
        files.iter_mut().for_each(|file| file.write(&run.render(file.format, human)));
        let failed: Vec<String> = files.iter().filter_map(|file| file.failure()).collect();
        if !failed.is_empty() {
            return Ok(errors::fail_inconclusive(&failed.join("; ")));
        }
        let options = HumanOptions { color: self.color.on_stdout(), width: terminal_width(), ..human };
        let text = run.render(format, options);
        Ok(runner::print(&text, format))
    }

    /// Prints a run that was judged here; the exit code is that of the run, unless it cannot be printed.
    ///
    /// # Errors
    ///
    /// A file of `--report` cannot be written.
    pub fn print_judged(&self, run: &FinishedRun) -> Result<ExitCode, String> {
        let printed = self.print(run)?;
        Ok(if printed == ExitCode::SUCCESS { self.exit_code_of(run) } else { printed })
    }

    /// The exit code of a run: a plugin has its own.
    fn exit_code_of(&self, run: &FinishedRun) -> ExitCode {
        match self.format.chosen() {
            Format::Report(ReportFormat::Nagios) => ExitCode::from(PluginState::of(&run.view).exit_code()),
            _ => ExitCode::from(run.view.result.exit_code()),
        }
    }
}

/// An archived run; `-` reads stdin.
pub fn archived(path: &Path) -> Result<FinishedRun, String> {
    archived_text(path, &text_of(path)?)
}

/// An archived run, as the text of this file.
pub fn archived_text(path: &Path, text: &str) -> Result<FinishedRun, String> {
    let groups = if is_whole(text) { None } else { ping::replay_groups(text) };
    let groups = groups.transpose().map_err(|error| cannot_read(path, error))?;
    if let Some(groups) = groups.filter(|groups| !groups.is_empty()) {
        return Ok(watch::cut_off(groups));
    }
    match cut_off_ping(path, text)? {
        Some(report) => Ok(ping::cut_off(&report)),
        None => archive::read(text).map_err(|error| cannot_read(path, error)),
    }
}

/// The report of a run of ping that was cut off, made of its events; `None` for any other text.
pub fn cut_off_ping(path: &Path, text: &str) -> Result<Option<PingReport>, String> {
    if is_whole(text) {
        return Ok(None);
    }
    ping::replay(text).transpose().map_err(|error| cannot_read(path, error))
}

/// Whether a text has the report of a run that came to its end.
fn is_whole(text: &str) -> bool {
    archive::find_report(text).is_ok_and(|(_, report)| !report.is_interim)
}

/// The text of a file; `-` reads stdin.
pub fn text_of(path: &Path) -> Result<String, String> {
    read(path).map_err(|error| cannot_read(path, error))
}

pub fn cannot_read(path: &Path, error: impl Display) -> String {
    format!("cannot read {}: {error}", path.display())
}

fn read(path: &Path) -> io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}
