//! `wscheck run`: the checks of a file, and one report over all of them.

mod environment;
pub(crate) mod file;
pub(super) mod mistake;
mod options;
pub(super) mod prepared;
mod schedule;
pub mod schema;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

pub use self::file::CheckEntry;
use self::file::CheckFile;
use self::mistake::{Mistake, did_you_mean};
pub use self::prepared::PreparedCheck;
use self::schedule::ChecksPlan;
use super::args::{OutputArgs, up_to};
use super::errors::{self, StartFailure};
use super::{connect, runner};
use crate::commands::fd_limit;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::run::run_result::RunResult;
use crate::domain::secrets;
use crate::output::checks::ChecksPresenter;

/// Connections at once, unless the file or the command line says otherwise.
const DEFAULT_MAX_CONNECTIONS: usize = 64;

/// The arguments of `wscheck run`.
#[derive(Debug, Clone, Args)]
pub struct RunArgs {
    /// The file of checks (TOML)
    #[arg(value_name = "FILE", default_value = "wscheck.toml")]
    pub file: PathBuf,
    /// Run only the check of this name (repeatable)
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// List the checks and run none
    #[arg(long, conflicts_with = "check_config")]
    pub list: bool,
    /// Look for mistakes in the file and run nothing
    #[arg(long)]
    pub check_config: bool,
    /// The most connections of all checks at once [default: 64, or what the file says]
    #[arg(long, value_name = "N", value_parser = up_to::<u32>(100_000))]
    pub max_connections: Option<u32>,
    /// Run one check after another
    #[arg(long)]
    pub serial: bool,
    #[command(flatten)]
    pub output: OutputArgs,
}

impl RunArgs {
    /// Runs the checks; the exit code is that of all together.
    pub fn main(self) -> ExitCode {
        let format = self.output.format.chosen();
        let file = match self.read() {
            Ok(file) => file,
            Err(message) => {
                let is_there = self.file.exists();
                let hint = (!is_there).then(|| "name the file of checks: wscheck run FILE".to_string());
                let failure = StartFailure { result: RunResult::Usage, message, hint };
                return errors::report_failure(Some("run"), &failure, format);
            }
        };
        if self.list {
            return print(&listed(&file.checks));
        }
        if self.check_config {
            return print(&format!("{}: no mistake in {} checks\n", self.shown(), file.checks.len()));
        }
        let plan = self.plan(file);
        runner::run_plan(ChecksPresenter::new, &self.output, plan, async |plan, reporter, control| {
            fd_limit::ensure_limit(plan.connections()).map_err(|error| StartFailure {
                result: RunResult::Unreachable,
                message: error.to_string(),
                hint: Some("lower --max-connections".to_string()),
            })?;
            Ok(schedule::run(plan, reporter, control).await)
        })
    }

    /// The name of the file.
    fn shown(&self) -> String {
        without_controls(&self.file.display().to_string(), false)
    }

    /// The file without a mistake, or each mistake on a line.
    fn read(&self) -> Result<CheckFile, String> {
        let name = self.shown();
        let text = connect::read(&self.file.to_string_lossy())
            .map_err(|why| format!("cannot read {name}: {why}"))?;
        let variable = |name: &str| std::env::var(name).ok();
        let file = file::parse(&text, variable).map_err(|mistakes| listed_mistakes(&name, &mistakes))?;
        if file.checks.is_empty() {
            return Err(format!("{name}:1:1: it has no [[check]]"));
        }
        let mistakes: Vec<Mistake> =
            file.checks.iter().filter_map(|check| mistake_of(&text, check.clone()).err()).collect();
        if mistakes.is_empty() { Ok(file) } else { Err(listed_mistakes(&name, &mistakes)) }
    }

    fn plan(&self, file: CheckFile) -> Result<ChecksPlan, String> {
        let of_option = self.max_connections.map(|number| number as usize);
        let chosen = self.chosen(file.checks)?;
        let checks = chosen.into_iter().map(PreparedCheck::new).collect::<Result<_, _>>();
        Ok(ChecksPlan {
            file: self.shown(),
            checks: checks.map_err(|(_, message)| message)?,
            max_connections: of_option.or(file.max_connections).unwrap_or(DEFAULT_MAX_CONNECTIONS),
            is_serial: self.serial || file.is_serial,
        })
    }

    /// The checks of `--only`, in the order of the file.
    fn chosen(&self, checks: Vec<CheckEntry>) -> Result<Vec<CheckEntry>, String> {
        let names: Vec<&str> = checks.iter().map(|check| check.identity.name.as_str()).collect();
        if let Some(unknown) = self.only.iter().find(|name| !names.contains(&name.as_str())) {
            let near = did_you_mean(unknown, names);
            return Err(format!("--only: {} has no check '{unknown}'{near}", self.shown()));
        }
        let is_chosen = |check: &CheckEntry| self.only.is_empty() || self.only.contains(&check.identity.name);
        Ok(checks.into_iter().filter(is_chosen).collect())
    }
}

/// Prepares a check to find out whether its options make sense.
fn mistake_of(text: &str, check: CheckEntry) -> Result<(), Mistake> {
    let (name, places) = (check.identity.name.clone(), check.places.clone());
    PreparedCheck::new(check).map(|_| ()).map_err(|(option, message)| {
        let place = option.and_then(|option| places.get(&option)).or_else(|| places.get("name"));
        Mistake::at(text, &place.cloned().unwrap_or_default(), format!("check '{name}': {message}"))
    })
}

/// Each as compilers print it: `wscheck.toml:3:12: ...`.
pub(super) fn listed_mistakes(name: &str, mistakes: &[Mistake]) -> String {
    let lines = mistakes.iter().map(|mistake| {
        let message = without_controls(&secrets::redact(&mistake.message), false);
        format!("{name}:{}:{}: {message}", mistake.line, mistake.column)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line for each check: name, command and target.
fn listed(checks: &[CheckEntry]) -> String {
    let width = |of: fn(&CheckEntry) -> &str| {
        checks.iter().map(|check| of(check).chars().count()).max().unwrap_or_default()
    };
    let names = width(|check| &check.identity.name);
    let commands = width(|check| &check.identity.command);
    let line = |check: &CheckEntry| {
        let identity = &check.identity;
        format!("{:<names$}  {:<commands$}  {}\n", identity.name, identity.command, identity.target)
    };
    checks.iter().map(line).collect()
}

fn print(text: &str) -> ExitCode {
    errors::exit_code_of_write(runner::stdout(crate::output::Format::Human).write_all(text.as_bytes()))
}
