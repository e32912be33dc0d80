//! `wscheck report`: an archived run in any format.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::args::{Color, FormatArgs, ReportOption, report_option, terminal_width};
use super::{errors, runner};
use crate::output::archive::{self, ArchivedRun};
use crate::output::{Format, HumanOptions};

/// The arguments of `wscheck report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The document of -o json, or the lines of -o ndjson; - reads stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub format: FormatArgs,
    /// Also write the report in this format to a file: junit=wscheck.xml (repeatable)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_option, help_heading = "Output")]
    pub report: Vec<ReportOption>,
    /// Print the details of each of several targets
    #[arg(short, long, help_heading = "Output")]
    pub verbose: bool,
    /// Use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto, help_heading = "Output")]
    pub color: Color,
}

impl ReportArgs {
    /// Prints the report. The exit code says whether it could be printed, not what the run found.
    pub fn main(self) -> ExitCode {
        match self.write() {
            Ok(code) => code,
            Err(message) => errors::report_usage_error("report", &message, self.format.chosen()),
        }
    }

    fn write(&self) -> Result<ExitCode, String> {
        self.format.check()?;
        let shown = self.file.display();
        let text = read(&self.file).map_err(|error| format!("cannot read {shown}: {error}"))?;
        let run = archive::read(&text).map_err(|error| format!("cannot read {shown}: {error}"))?;
        let mut files = runner::report_files(&self.report, self.format.chosen())?;
        let human = HumanOptions { verbose: self.verbose, ..HumanOptions::default() };
        files.iter_mut().for_each(|file| file.write(&run.render(file.format, human)));
        let failed: Vec<String> = files.iter().filter_map(|file| file.failure()).collect();
        if !failed.is_empty() {
            return Ok(errors::fail_inconclusive(&failed.join("; ")));
        }
        Ok(self.print(&run, human))
    }

    fn print(&self, run: &ArchivedRun, human: HumanOptions) -> ExitCode {
        let format: Format = self.format.chosen();
        let options = HumanOptions { color: self.color.on_stdout(), width: terminal_width(), ..human };
        let text = run.render(format, options);
        errors::exit_code_of_write(runner::stdout(format).write_all(text.as_bytes()))
    }
}

fn read(path: &Path) -> io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}
