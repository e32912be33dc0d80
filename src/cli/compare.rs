//! `wscheck compare`: two archived runs, figure by figure.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;

use super::origin::origin;
use super::report_output::{ReportOutputArgs, archived};
use crate::domain::compare::{ChangeLimit, compare};
use crate::output::archive::figures;
use crate::output::compare::{ComparedFiles, finished};
use crate::output::finished_run::FinishedRun;

/// The arguments of `wscheck compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The first run: the document of -o json, or the lines of -o ndjson
    #[arg(value_name = "BEFORE")]
    pub before: PathBuf,
    /// The second run, of the same command
    #[arg(value_name = "AFTER")]
    pub after: PathBuf,
    /// Exit 1 if a figure changed by more than this: rtt.p95>+20%, sent<-10% (repeatable). A change that chance may explain
    /// is inconclusive (exit 4)
    #[arg(long, value_name = "EXPR", allow_hyphen_values = true)]
    pub fail_if: Vec<ChangeLimit>,
    #[command(flatten)]
    pub output: ReportOutputArgs,
}

impl CompareArgs {
    /// Prints the comparison; the exit code is that of the criteria.
    pub fn main(self) -> ExitCode {
        self.output.main("compare", || self.output.print_judged(&self.run()?))
    }

    fn run(&self) -> Result<FinishedRun, String> {
        let started_at = SystemTime::now();
        let (before, after) = (archived(&self.before)?, archived(&self.after)?);
        if before.command != after.command {
            return Err(format!(
                "{} is a run of {}, and {} of {}: only runs of one command are compared",
                self.before.display(),
                before.command,
                self.after.display(),
                after.command
            ));
        }
        let changes = compare(&figures(&before), &figures(&after));
        let criteria = self.fail_if.iter().map(|limit| limit.judge(&changes)).collect();
        let files = ComparedFiles {
            before: self.before.display().to_string(),
            after: self.after.display().to_string(),
        };
        Ok(finished(origin(), files, &changes, criteria, started_at))
    }
}
