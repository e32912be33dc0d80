//! What the exporter's configuration file and command line say: targets, modules, and what `/config` shows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::config_text::{ShownModule, config_text};
use crate::cli::checks::file::{CheckFile, IdleEntry, ModuleEntry, TargetEntry};
use crate::cli::checks::mistake::{Blame, Mistake, Places};
use crate::cli::checks::{ReadFile, shown};
use crate::cli::kept_targets::{KeptTargetSettings, kept_plan, kept_targets, ping_args};
use crate::cli::measurement::Measurement;
use crate::cli::{Command, command_of};
use crate::commands::exporter::{ExportedTarget, ExporterSettings, IdleSchedule, ProbeModule, ProbePlan};
use crate::commands::ping::PingPlan;
use crate::domain::exporter::allow::TargetPattern;

/// The module that is there without a configuration.
const OWN_MODULE: &str = "websocket";
/// How many Pings a probe sends, unless its module says otherwise.
const PROBE_PINGS: u32 = 1;
/// Stands for the URL where a module's options are read.
const NO_URL: &str = "ws://localhost/";

/// Where the settings are from.
#[derive(Debug, Clone)]
pub struct SettingsSource {
    pub config: Option<PathBuf>,
    pub urls: Vec<String>,
    pub allow: Vec<TargetPattern>,
    pub max_probes: usize,
}

impl SettingsSource {
    /// Reads everything anew.
    ///
    /// # Errors
    ///
    /// Every mistake of the file with its line; or there is nothing to do.
    pub fn load(&self) -> Result<ExporterSettings, String> {
        let read = self.config.as_deref().map(ReadFile::read).transpose()?.unwrap_or_default();
        let (mut modules, mistakes) = read_entries(&read);
        read.refuse(mistakes)?;
        let ReadFile { name, file, .. } = read;
        let kept = kept_targets(&file.targets, &self.urls)?;
        if !modules.contains_key(OWN_MODULE) {
            modules.insert(OWN_MODULE.to_string(), self.own_module()?);
        } else if !self.allow.is_empty() {
            return Err(format!("--allow has no effect: {name} has its own module '{OWN_MODULE}'"));
        }
        let config = self.config_text(&file, &kept);
        let targets = kept.iter().flat_map(|target| target.connection.plan.targets.clone()).collect();
        let kept = kept.into_iter().map(exported).collect::<Result<_, _>>()?;
        let probe = ProbePlan { modules, targets, max_concurrent: self.max_probes };
        let settings = ExporterSettings { kept, probe, config };
        if settings.kept.is_empty() && settings.probe.is_empty() {
            return Err(self.nothing_to_do());
        }
        Ok(settings)
    }

    fn nothing_to_do(&self) -> String {
        let options = "give a URL to keep, or allow targets of /probe with --allow";
        match &self.config {
            None => format!("there is nothing to do: {options}, or name a file with --config"),
            Some(path) => {
                format!("{} has no [[target]], and no module with 'allow': {options}", shown(path))
            }
        }
    }

    fn own_module(&self) -> Result<ProbeModule, String> {
        let entry = ModuleEntry {
            name: OWN_MODULE.to_string(),
            arguments: Vec::new(),
            allow: Vec::new(),
            places: Places::new(),
        };
        let own = module(&entry).map_err(|blame| blame.message)?;
        Ok(ProbeModule { allow: self.allow.clone(), ..own })
    }

    fn config_text(&self, file: &CheckFile, kept: &[KeptTargetSettings<'_>]) -> String {
        let from_line = kept.iter().filter(|target| target.entry.is_none());
        let urls =
            from_line.flat_map(|target| target.connection.plan.targets.iter().map(ToString::to_string));
        let mut modules: Vec<ShownModule> = file
            .modules
            .iter()
            .map(|module| (module.name.as_str(), module.arguments.as_slice(), module.allow.clone()))
            .collect();
        if !modules.iter().any(|(name, ..)| *name == OWN_MODULE) {
            modules.push((OWN_MODULE, &[], self.allow.iter().map(ToString::to_string).collect()));
        }
        config_text(&file.targets, urls, &modules)
    }
}

/// The modules, and each mistake of targets and modules.
fn read_entries(ReadFile { text, file, .. }: &ReadFile) -> (BTreeMap<String, ProbeModule>, Vec<Mistake>) {
    let (mut modules, mut mistakes) = (BTreeMap::new(), Vec::new());
    for TargetEntry { entry, idle } in &file.targets {
        let read = kept_plan(&entry.arguments).map(drop);
        let read = read.and_then(|()| idle.as_ref().map_or(Ok(()), |idle| schedule(idle).map(drop)));
        let mistake =
            |blame: Blame| blame.mistake(text, &entry.places, &format!("target '{}'", entry.identity.name));
        mistakes.extend(read.err().map(mistake));
    }
    for entry in &file.modules {
        match module(entry) {
            Ok(module) => drop(modules.insert(entry.name.clone(), module)),
            Err(blame) => {
                mistakes.push(blame.mistake(text, &entry.places, &format!("module '{}'", entry.name)));
            }
        }
    }
    (modules, mistakes)
}

fn exported(target: KeptTargetSettings<'_>) -> Result<ExportedTarget, String> {
    let KeptTargetSettings { connection, entry } = target;
    let idle = entry
        .and_then(|target| target.idle.as_ref())
        .map(schedule)
        .transpose()
        .map_err(|blame| blame.message)?;
    Ok(ExportedTarget { connection, idle })
}

/// When and how the idle timeout of a target is measured.
fn schedule(entry: &IdleEntry) -> Result<IdleSchedule, Blame> {
    let Command::ProbeIdle(args) = command_of(&entry.arguments)? else {
        return Err("it is no line of probe-idle".to_string().into());
    };
    let plan = args.plan(None)?;
    let key = [vec![format!("{:?}", entry.every)], entry.arguments.clone()].concat();
    Ok(IdleSchedule { key, plan, every: entry.every })
}

/// How a module probes: the connecting options of `ping`, its timeout and its count.
fn module(entry: &ModuleEntry) -> Result<ProbeModule, Blame> {
    let words =
        [&["ping".to_string()][..], &entry.arguments, &["--".to_string(), NO_URL.to_string()]].concat();
    let args = ping_args(&words)?;
    let pings = args.count.map_or(PROBE_PINGS, |count| u32::try_from(count).unwrap_or(u32::MAX));
    let plan = args.plan(None)?;
    let allow = entry.allow.iter().map(|pattern| pattern.parse::<TargetPattern>());
    let allow = allow
        .collect::<Result<_, _>>()
        .map_err(|why| Blame { option: Some("allow".to_string()), message: why.to_string() })?;
    if plan.inputs.url_command.is_some() {
        let why = "--url-command has no meaning for a module: the request names the target";
        return Err(why.to_string().into());
    }
    let PingPlan { session, dial, inputs, .. } = plan;
    Ok(ProbeModule { timeout: session.timeout, pings, dial, inputs, allow })
}
