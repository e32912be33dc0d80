//! `wscheck report`: an archived run in any format.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::errors;
use super::report_output::{ReportOutputArgs, archived};

/// The arguments of `wscheck report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The document of -o json, or the lines of -o ndjson; - reads stdin
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub output: ReportOutputArgs,
}

impl ReportArgs {
    /// Prints the report. The exit code says whether it could be printed, not what the run found.
    pub fn main(self) -> ExitCode {
        let run = self.output.format.check().and_then(|()| archived(&self.file));
        let format = self.output.format.chosen();
        run.and_then(|run| self.output.print(&run))
            .unwrap_or_else(|message| errors::report_usage_error("report", &message, format))
    }
}
