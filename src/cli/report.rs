//! `wscheck report`: an archived run in any format, or several runs as one.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;

use super::origin::origin;
use super::report_output::{ReportOutputArgs, archived_text, cannot_read, cut_off_ping, text_of};
use crate::domain::ping::fail_if::{FailIf, FailOn};
use crate::domain::ping::merge::RunMerger;
use crate::domain::ping::report::PingReport;
use crate::domain::ping::run_info::{Demands, RunInfo};
use crate::domain::ping::verdict::PassCriteria;
use crate::output::archive::find_report;
use crate::output::checks::{self, ChecksDocument, ChecksReport};
use crate::output::finished_run::FinishedRun;
use crate::output::log_head;
use crate::output::ping::{self, finished, read_run};

/// The arguments of `wscheck report`.
#[derive(Debug, Clone, Args)]
pub struct ReportArgs {
    /// The document of -o json, or the lines of -o ndjson; - reads stdin. Several runs of ping are merged into one
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub criteria: MergeCriteriaArgs,
    #[command(flatten)]
    pub output: ReportOutputArgs,
}

/// What merged runs must be, instead of what each was told.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Criteria of ping")]
pub struct MergeCriteriaArgs {
    /// Exit 1 if the status of the whole is this or worse, whatever the runs were told
    #[arg(long, value_name = "STATUS")]
    pub fail_on: Option<FailOn>,
    /// Exit 1 if this expression is true of the whole: rtt.p95>200ms, loss>1% (repeatable; instead of those of the runs)
    #[arg(long, value_name = "EXPR", visible_alias = "crit")]
    pub fail_if: Vec<FailIf>,
    /// Show a warning if this expression is true of the whole, but do not fail (repeatable; instead of those of the runs)
    #[arg(long, value_name = "EXPR")]
    pub warn: Vec<FailIf>,
}

impl MergeCriteriaArgs {
    fn is_given(&self) -> bool {
        self.fail_on.is_some() || !self.fail_if.is_empty() || !self.warn.is_empty()
    }

    /// The run's own demands, where there are none here.
    fn replace(&self, demands: &Demands) -> Demands {
        let texts = |given: &[FailIf], own: &[String]| match given {
            [] => own.to_vec(),
            given => given.iter().map(ToString::to_string).collect(),
        };
        Demands {
            fail_on: self.fail_on.map_or_else(|| demands.fail_on.clone(), |status| status.to_string()),
            fail_if: texts(&self.fail_if, &demands.fail_if),
            warn_if: texts(&self.warn, &demands.warn_if),
            ..demands.clone()
        }
    }
}

impl ReportArgs {
    /// Prints the report. Of one run the exit code says whether it could be printed, not what it found; of merged runs it is
    /// that of the whole.
    pub fn main(self) -> ExitCode {
        self.output.main("report", || self.print())
    }

    fn print(&self) -> Result<ExitCode, String> {
        reject_repeated(&self.files)?;
        let runs = self.runs()?;
        match runs.as_slice() {
            [(path, text)] if !self.criteria.is_given() => self.output.print(&archived_text(path, text)?),
            _ if self.criteria.is_given() || are_of_ping(&runs)? => {
                self.output.print_judged(&self.merged(&runs)?)
            }
            _ => self.output.print_judged(&side_by_side(&runs)?),
        }
    }

    /// The texts of the files; those of one log are one.
    fn runs(&self) -> Result<Vec<ArchivedText>, String> {
        let read = |path: &PathBuf| Ok((path.clone(), text_of(path)?));
        let texts = self.files.iter().map(read).collect::<Result<Vec<_>, String>>()?;
        let log = log_head::joined(texts.iter().map(|(_, text)| text.as_str()).collect());
        match (texts.len(), log, self.files.last()) {
            (2.., Some(text), Some(path)) => Ok(vec![(path.clone(), text)]),
            _ => Ok(texts),
        }
    }
}

/// A file, and its text.
type ArchivedText = (PathBuf, String);

/// Whether every file is a run of ping, whose figures can be added up.
fn are_of_ping(runs: &[ArchivedText]) -> Result<bool, String> {
    for (path, text) in runs {
        let is_cut_off = cut_off_ping(path, text)?.is_some();
        if !is_cut_off {
            let (command, report) = find_report(text).map_err(|error| cannot_read(path, error))?;
            if !is_of_ping(&command, report.json) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Runs whose figures cannot be added up: one report with each of them.
fn side_by_side(runs: &[ArchivedText]) -> Result<FinishedRun, String> {
    let runs = runs.iter().map(|(path, text)| Ok((path.display().to_string(), archived_text(path, text)?)));
    let report = ChecksReport::of_runs(runs.collect::<Result<_, String>>()?);
    Ok(FinishedRun::new(origin(), checks::view(&report), ChecksDocument::from(&report)))
}

impl ReportArgs {
    /// The runs as one.
    fn merged(&self, runs: &[ArchivedText]) -> Result<FinishedRun, String> {
        let Some(((first, text), others)) = runs.split_first() else {
            return Err("no file is given".to_string());
        };
        let run = self.run(first, text)?;
        let policy = PassCriteria::of(&run.info.demands).map_err(|why| cannot_read(first, why))?;
        let has_conditions = !policy.fail_if.is_empty() || !policy.warn_if.is_empty();
        if has_conditions && !policy.endings.refused_with.is_empty() {
            return Err("runs with --expect-refused are judged by nothing else".to_string());
        }
        let mut merger = RunMerger::new(run).map_err(|why| cannot_merge(first, why))?;
        for (path, text) in others {
            merger.add(self.run(path, text)?).map_err(|why| cannot_merge(path, why))?;
        }
        Ok(finished(origin(), &merger.judged(&policy)))
    }

    fn run(&self, path: &Path, text: &str) -> Result<PingReport, String> {
        if let Some(run) = cut_off_ping(path, text)? {
            let report = ping::cut_off(&run).document;
            return self.read(path, &format!("{{\"report\":{report}}}"), true);
        }
        let (command, report) = find_report(text).map_err(|error| cannot_read(path, error))?;
        if !is_of_ping(&command, report.json) {
            return Err(format!(
                "only runs of ping are judged again: {} is a run of {command}",
                path.display()
            ));
        }
        self.read(path, report.json, report.is_interim)
    }

    fn read(&self, path: &Path, json: &str, is_interim: bool) -> Result<PingReport, String> {
        let run = read_run(json, &path.display().to_string(), is_interim);
        run.map(|run| self.demanded(run)).map_err(|error| cannot_read(path, error))
    }

    fn demanded(&self, mut run: PingReport) -> PingReport {
        let demands = self.criteria.replace(&run.info.demands);
        run.info = Arc::new(RunInfo { demands, ..run.info.as_ref().clone() });
        run
    }
}

/// Whether it is a report of ping. That of a watch is one, unless its targets are of a file, each with its own.
fn is_of_ping(command: &str, json: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Parts {
        checks: Option<serde::de::IgnoredAny>,
    }
    let has_parts = || serde_json::from_str::<Parts>(json).is_ok_and(|document| document.checks.is_some());
    command == "ping" || command == "watch" && !has_parts()
}

fn cannot_merge(path: &Path, why: impl std::fmt::Display) -> String {
    format!("cannot merge {}: {why}", path.display())
}

/// A file that is given twice would count twice.
fn reject_repeated(files: &[PathBuf]) -> Result<(), String> {
    let real = |path: &PathBuf| std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
    let mut seen = std::collections::HashSet::new();
    match files.iter().find(|path| !seen.insert(real(path))) {
        Some(twice) => Err(format!("{} is given twice, and would count twice", twice.display())),
        None => Ok(()),
    }
}
