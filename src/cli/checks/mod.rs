//! `wscheck run`: the checks of a file, and one report over all of them.

mod environment;
pub(crate) mod file;
pub(super) mod mistake;
mod options;
mod prepared;
mod schedule;
pub mod schema;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

pub use self::file::CheckEntry;
use self::file::CheckFile;
pub use self::mistake::Blame;
use self::mistake::{Mistake, did_you_mean};
pub use self::prepared::PreparedCheck;
use self::schedule::ChecksPlan;
use super::args::{OutputArgs, up_to};
use super::{connect, errors, runner};
use crate::commands::fd_limit;
use crate::commands::start_failure::StartFailure;
use crate::domain::connection::untrusted_text::without_controls;
use crate::domain::secrets;
use crate::output::Format;
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
        let file = match self.read() {
            Ok(file) => file,
            Err(message) => {
                let hint = (!self.file.exists()).then_some("name the file of checks: wscheck run FILE");
                let failure = StartFailure::usage(message).with_hint(hint);
                return errors::report_failure(Some("run"), &failure, self.output.format.chosen());
            }
        };
        if self.list {
            return runner::print(&listed(&file.checks), Format::Human);
        }
        if self.check_config {
            let text = format!("{}: no mistake in {} checks\n", shown(&self.file), file.checks.len());
            return runner::print(&text, Format::Human);
        }
        let plan = self.plan(file);
        runner::run_plan::<ChecksPresenter, _>(&self.output, plan, async |plan, reporter, control| {
            let limit = fd_limit::ensure_limit(plan.connections());
            limit.map_err(|failure| failure.with_hint(Some("lower --max-connections")))?;
            Ok(schedule::run(plan, reporter, control).await)
        })
    }

    /// The file without a mistake, or each mistake on a line.
    fn read(&self) -> Result<CheckFile, String> {
        let read = ReadFile::read(&self.file)?;
        if read.file.checks.is_empty() {
            return Err(format!("{}:1:1: it has no [[check]]", read.name));
        }
        // A check is prepared to find out whether its options make sense.
        let mistake = |check: &CheckEntry| {
            let blame = PreparedCheck::new(check.clone()).err()?;
            Some(blame.mistake(&read.text, &check.places, &format!("check '{}'", check.identity.name)))
        };
        read.refuse(read.file.checks.iter().filter_map(mistake).collect())?;
        Ok(read.file)
    }

    fn plan(&self, file: CheckFile) -> Result<ChecksPlan, String> {
        let of_option = self.max_connections.map(|number| number as usize);
        let chosen = self.chosen(file.checks)?;
        let checks = chosen.into_iter().map(PreparedCheck::new).collect::<Result<_, _>>();
        Ok(ChecksPlan {
            file: shown(&self.file),
            checks: checks.map_err(|blame: Blame| blame.message)?,
            max_connections: of_option.or(file.max_connections).unwrap_or(DEFAULT_MAX_CONNECTIONS),
            is_serial: self.serial || file.is_serial,
        })
    }

    /// The checks of `--only`, in the order of the file.
    fn chosen(&self, checks: Vec<CheckEntry>) -> Result<Vec<CheckEntry>, String> {
        let names: Vec<&str> = checks.iter().map(|check| check.identity.name.as_str()).collect();
        if let Some(unknown) = self.only.iter().find(|name| !names.contains(&name.as_str())) {
            let near = did_you_mean(unknown, names);
            return Err(format!("--only: {} has no check '{unknown}'{near}", shown(&self.file)));
        }
        let is_chosen = |check: &CheckEntry| self.only.is_empty() || self.only.contains(&check.identity.name);
        Ok(checks.into_iter().filter(is_chosen).collect())
    }
}

/// A configuration file that was read.
#[derive(Debug, Default)]
pub struct ReadFile {
    /// The name of the file, for messages.
    pub name: String,
    pub text: String,
    pub file: CheckFile,
}

impl ReadFile {
    /// Reads a file. Variables are those of the environment.
    ///
    /// # Errors
    ///
    /// It cannot be read; or each of its mistakes is on a line.
    pub fn read(path: &Path) -> Result<ReadFile, String> {
        let name = shown(path);
        let text =
            connect::read(&path.to_string_lossy()).map_err(|why| format!("cannot read {name}: {why}"))?;
        let mut read = ReadFile { name, text, file: CheckFile::default() };
        match file::parse(&read.text, |name: &str| std::env::var(name).ok()) {
            Ok(file) => read.file = file,
            Err(mistakes) => read.refuse(mistakes)?,
        }
        Ok(read)
    }

    /// Refuses the file if there is a mistake. Each is a line as compilers print it: `wscheck.toml:3:12: ...`.
    pub fn refuse(&self, mistakes: Vec<Mistake>) -> Result<(), String> {
        let lines = mistakes.iter().map(|mistake| {
            let message = without_controls(&secrets::redact(&mistake.message), false);
            format!("{}:{}:{}: {message}", self.name, mistake.line, mistake.column)
        });
        if mistakes.is_empty() { Ok(()) } else { Err(lines.collect::<Vec<_>>().join("\n")) }
    }
}

/// The name of a file, for messages.
pub fn shown(path: &Path) -> String {
    without_controls(&path.display().to_string(), false)
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
