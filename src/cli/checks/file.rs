//! The configuration file (TOML): `[defaults]`, a `[[check]]` for each check of `run`, a `[[target]]` for each target that is
//! kept, and a `[module.NAME]` for each way of probing. Every mistake is found, with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::environment::expand;
use super::mistake::{Mistake, Places, did_you_mean};
use super::options::{CheckOptions, HEADERS_FILE, KEYS_OF_CHECK, arguments};
use crate::cli::MEASUREMENTS;
use crate::cli::args::positive_duration;
use crate::domain::connection::target::redact_text;
use crate::domain::format::counted;
use crate::domain::secrets;
use crate::output::checks::CheckIdentity;

/// What a configuration file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckFile {
    /// The most connections at once.
    pub max_connections: Option<usize>,
    /// One check after another.
    pub is_serial: bool,
    pub checks: Vec<CheckEntry>,
    /// The targets whose connections are kept.
    pub targets: Vec<TargetEntry>,
    pub modules: Vec<ModuleEntry>,
}

/// A target whose connection is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetEntry {
    /// As a check by `ping`.
    pub entry: CheckEntry,
    /// When its idle timeout is measured; `None`: never.
    pub idle: Option<IdleEntry>,
}

/// A measurement of the idle timeout now and then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdleEntry {
    /// From one to the next.
    pub every: Duration,
    /// What one would type after `wscheck`.
    pub arguments: Vec<String>,
}

/// A way of probing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleEntry {
    pub name: String,
    /// The options of `ping`, as one would type them.
    pub arguments: Vec<String>,
    /// Patterns of the targets that it may probe.
    pub allow: Vec<String>,
    /// As in [`CheckEntry::places`].
    pub places: Places,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckEntry {
    pub identity: CheckIdentity,
    /// What one would type after `wscheck`.
    pub arguments: Vec<String>,
    /// No other check runs beside it.
    pub is_serial: bool,
    /// Where its options stand, by their names; the name of the check stands under `name`.
    pub places: Places,
}

type Table<'a> = DeTable<'a>;
type Value<'a> = Spanned<DeValue<'a>>;

/// Reads a file of checks. `variable` looks into the environment.
///
/// # Errors
///
/// Every mistake, in the order of the file.
pub fn parse(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<CheckFile, Vec<Mistake>> {
    let table = DeTable::parse(text)
        .map_err(|error| vec![Mistake::at(text, &error.span().unwrap_or(0..0), error.message())])?;
    let mut reader = Reader { text, variable, mistakes: Vec::new() };
    let file = reader.file(table.get_ref());
    let mut mistakes = reader.mistakes;
    mistakes.sort();
    mistakes.dedup();
    if mistakes.is_empty() { Ok(file) } else { Err(mistakes) }
}

struct Reader<'t, V> {
    text: &'t str,
    variable: V,
    mistakes: Vec<Mistake>,
}

/// What the file has at its top.
const KEYS_OF_FILE: [&str; 6] = ["max-connections", "serial", "defaults", "check", "target", "module"];

/// What a target has besides options of ping: how often its idle timeout is measured, and the longest idle time to try.
pub const IDLE_PROBE: &str = "idle-probe";
pub const IDLE_PROBE_MAX: &str = "idle-probe-max";

/// The command that measures the idle timeout, and the options of ping that mean something else there.
const IDLE_COMMAND: &str = "probe-idle";
const NOT_FOR_IDLE: [&str; 1] = ["heartbeat"];

/// What a module has besides options of ping.
const ALLOW: &str = "allow";

impl<V: Fn(&str) -> Option<String>> Reader<'_, V> {
    fn file(&mut self, table: &Table<'_>) -> CheckFile {
        let mut file = CheckFile::default();
        let (mut defaults, mut checks, mut targets, mut modules) = (None, None, None, None);
        for (key, value) in table {
            match normal(key.get_ref()).as_str() {
                "max-connections" => file.max_connections = self.count("max_connections", value),
                "serial" => file.is_serial = self.flag("serial", value),
                "defaults" => defaults = self.table("defaults", "[defaults]", value),
                "check" => checks = self.array_of_tables("check", value),
                "target" => targets = self.array_of_tables("target", value),
                "module" => modules = self.table("module", "[module.NAME]", value),
                other => {
                    let near = did_you_mean(other, KEYS_OF_FILE);
                    self.mistake(&key.span(), format!("a file of checks has no '{}'{near}", key.get_ref()));
                }
            }
        }
        let empty = Table::new();
        let defaults = defaults.unwrap_or(&empty);
        self.defaults(defaults);
        let (checks, targets) = (checks.unwrap_or_default(), targets.unwrap_or_default());
        let is_empty = checks.is_empty() && targets.is_empty() && modules.is_none_or(|all| all.is_empty());
        if is_empty && self.mistakes.is_empty() {
            self.mistake(&(0..0), "it has no [[check]], [[target]] or [module.NAME]".to_string());
        }
        file.checks = checks.into_iter().filter_map(|check| self.check(check, defaults)).collect();
        self.names("checks", file.checks.iter());
        file.targets = targets.into_iter().filter_map(|target| self.target(target, defaults)).collect();
        self.names("targets", file.targets.iter().map(|target| &target.entry));
        for (key, value) in modules.into_iter().flatten() {
            let module = self.table(key.get_ref(), "[module.NAME]", value);
            file.modules.extend(module.map(|module| self.module(key.get_ref(), module)));
        }
        file
    }

    fn mistake(&mut self, place: &Range<usize>, message: String) {
        self.mistakes.push(Mistake::at(self.text, place, message));
    }

    /// The value; if there is none, that is a mistake at this place.
    fn noted<T>(&mut self, place: &Range<usize>, read: Result<T, String>) -> Option<T> {
        read.map_err(|message| self.mistake(place, message)).ok()
    }

    fn count(&mut self, name: &str, value: &Value<'_>) -> Option<usize> {
        let number = value.get_ref().as_integer().and_then(|number| number.as_str().parse().ok());
        let number = number.filter(|number| *number > 0);
        let number = number.ok_or_else(|| format!("'{name}' must be a whole number of at least 1"));
        self.noted(&value.span(), number)
    }

    fn flag(&mut self, name: &str, value: &Value<'_>) -> bool {
        let flag = value.get_ref().as_bool().ok_or_else(|| format!("'{name}' is true or false"));
        self.noted(&value.span(), flag).unwrap_or_default()
    }

    fn table<'v>(&mut self, name: &str, form: &str, value: &'v Value<'_>) -> Option<&'v Table<'v>> {
        let table = value.get_ref().as_table();
        self.noted(&value.span(), table.ok_or_else(|| format!("'{name}' must be a table: {form}")))
    }

    fn array_of_tables<'v>(
        &mut self,
        name: &str,
        value: &'v Value<'_>,
    ) -> Option<Vec<(&'v Table<'v>, Range<usize>)>> {
        let tables = value.get_ref().as_array().and_then(|values| {
            values.iter().map(|check| Some((check.get_ref().as_table()?, check.span()))).collect()
        });
        self.noted(
            &value.span(),
            tables.ok_or_else(|| format!("'{name}' must be a list of tables: [[{name}]]")),
        )
    }

    /// A default must be an option of one command at least.
    fn defaults(&mut self, defaults: &Table<'_>) {
        let commands: Vec<CheckOptions> = MEASUREMENTS.into_iter().filter_map(CheckOptions::of).collect();
        for key in defaults.keys() {
            let name = normal(key.get_ref());
            let is_known = commands.iter().any(|options| options.find(&name).is_some());
            let is_own = ["command", "labels", "serial", HEADERS_FILE, IDLE_PROBE, IDLE_PROBE_MAX]
                .contains(&name.as_str());
            if !is_known && !is_own {
                let known = commands.iter().flat_map(|options| options.all().map(|(long, _)| long));
                let near = did_you_mean(&name, known);
                self.mistake(&key.span(), format!("no command has an option '{}'{near}", key.get_ref()));
            }
        }
    }

    fn check(
        &mut self,
        (check, place): (&Table<'_>, Range<usize>),
        defaults: &Table<'_>,
    ) -> Option<CheckEntry> {
        let merged = self.merged(check, defaults);
        let command = self.command(&merged)?;
        self.entry("check", command, &merged, &place)
    }

    /// A target is measured as by ping, and has one URL.
    fn target(
        &mut self,
        (target, place): (&Table<'_>, Range<usize>),
        defaults: &Table<'_>,
    ) -> Option<TargetEntry> {
        let mut merged = self.merged(target, defaults);
        for unfit in ["command", "serial"] {
            if let Some(given) = merged.remove(unfit).filter(|given| !given.is_default) {
                self.mistake(&given.key.span(), format!("a target has no '{unfit}'"));
            }
        }
        let url = merged.get("url").map(|given| given.value);
        if let Some(several) = url.filter(|value| value.get_ref().as_array().is_some()) {
            self.mistake(&several.span(), "a target has one 'url'".to_string());
        }
        let (every, max) = (merged.remove(IDLE_PROBE), merged.remove(IDLE_PROBE_MAX));
        let entry = self.entry("target", MEASUREMENTS[0].to_string(), &merged, &place);
        let idle = self.idle(every, max, &merged);
        Some(TargetEntry { entry: entry?, idle })
    }

    /// The measurement of a target's idle timeout, with those options of the target that it has, too.
    fn idle(
        &mut self,
        every: Option<Given<'_>>,
        max: Option<Given<'_>>,
        merged: &BTreeMap<String, Given<'_>>,
    ) -> Option<IdleEntry> {
        let max = max.and_then(|given| self.duration(IDLE_PROBE_MAX, given.value));
        let every = self.duration(IDLE_PROBE, every?.value)?.1;
        let (idle, ping) = (CheckOptions::of(IDLE_COMMAND)?, CheckOptions::of(MEASUREMENTS[0])?);
        let mut arguments = vec![IDLE_COMMAND.to_string()];
        arguments.extend(max.map(|(text, _)| format!("--max={text}")));
        for (name, given) in merged {
            let has = |options: &CheckOptions| name == HEADERS_FILE || options.find(name).is_some();
            if has(&idle) && has(&ping) && !NOT_FOR_IDLE.contains(&name.as_str()) {
                arguments.extend(self.option(&idle, name, given));
            }
        }
        // A mistake in the URL was noted when the target was read.
        let url = merged.get("url").and_then(|given| given.value.get_ref().as_str());
        let url = url.and_then(|url| expand(url, &self.variable).ok()).map(|expanded| expanded.text);
        arguments.extend(["--".to_string(), url?]);
        Some(IdleEntry { every, arguments })
    }

    /// A time, as it is written and as it is understood.
    fn duration(&mut self, name: &str, value: &Value<'_>) -> Option<(String, Duration)> {
        let text = self.text(name, value)?;
        let duration = positive_duration(&text).map_err(|why| format!("'{}': {why}", name.replace('-', "_")));
        Some((text, self.noted(&value.span(), duration)?))
    }

    fn module(&mut self, name: &str, module: &Table<'_>) -> ModuleEntry {
        let no_defaults = Table::new();
        let mut merged = self.merged(module, &no_defaults);
        let allow = merged.remove(ALLOW).map(|given| self.texts(ALLOW, given.value)).unwrap_or_default();
        let arguments = CheckOptions::of(MEASUREMENTS[0]).map(|options| {
            merged.iter().flat_map(|(name, given)| self.option(&options, name, given)).collect()
        });
        ModuleEntry {
            name: name.to_string(),
            arguments: arguments.unwrap_or_default(),
            allow,
            places: merged.iter().map(|(name, given)| (name.clone(), given.value.span())).collect(),
        }
    }

    /// One text, or a list of texts.
    fn texts(&mut self, name: &str, value: &Value<'_>) -> Vec<String> {
        match value.get_ref() {
            DeValue::Array(values) => values.iter().filter_map(|value| self.text(name, value)).collect(),
            _ => self.text(name, value).into_iter().collect(),
        }
    }

    /// A check or a target.
    fn entry(
        &mut self,
        what: &str,
        command: String,
        merged: &BTreeMap<String, Given<'_>>,
        place: &Range<usize>,
    ) -> Option<CheckEntry> {
        let options = CheckOptions::of(&command)?;
        let name = self.name(what, merged, place);
        let urls = self.urls(what, merged, place);
        let labels = self.labels(merged);
        let mut arguments = vec![command.clone()];
        for (name, given) in merged {
            if name == HEADERS_FILE || !KEYS_OF_CHECK.contains(&name.as_str()) {
                arguments.extend(self.option(&options, name, given));
            }
        }
        arguments.push("--".to_string());
        arguments.extend(urls.iter().cloned());
        Some(CheckEntry {
            identity: CheckIdentity { name: name?, command, target: shown(&urls), labels },
            arguments,
            is_serial: merged.get("serial").is_some_and(|serial| self.flag("serial", serial.value)),
            places: merged.iter().map(|(name, given)| (name.clone(), given.value.span())).collect(),
        })
    }

    /// The options of a check and the defaults that it does not set itself.
    fn merged<'v>(&mut self, check: &'v Table<'_>, defaults: &'v Table<'_>) -> BTreeMap<String, Given<'v>> {
        let mut merged: BTreeMap<String, Given<'v>> = BTreeMap::new();
        for (key, value) in check {
            let given = Given { key, value, is_default: false };
            if let Some(other) = merged.insert(normal(key.get_ref()), given) {
                let second = if other.key.span().start > key.span().start { other.key } else { key };
                self.mistake(&second.span(), format!("'{}' is given twice", second.get_ref()));
            }
        }
        for (key, value) in defaults {
            merged.entry(normal(key.get_ref())).or_insert(Given { key, value, is_default: true });
        }
        merged
    }

    fn command(&mut self, merged: &BTreeMap<String, Given<'_>>) -> Option<String> {
        let Some(given) = merged.get("command") else { return Some(MEASUREMENTS[0].to_string()) };
        let name = self.text("command", given.value)?;
        if MEASUREMENTS.contains(&name.as_str()) {
            return Some(name);
        }
        let near = did_you_mean(&name, MEASUREMENTS);
        let known = MEASUREMENTS.join(", ");
        self.mistake(&given.value.span(), format!("'{name}' is no command of a check ({known}){near}"));
        None
    }

    fn name(
        &mut self,
        what: &str,
        merged: &BTreeMap<String, Given<'_>>,
        place: &Range<usize>,
    ) -> Option<String> {
        let Some(given) = merged.get("name") else {
            self.mistake(place, format!("the {what} has no 'name'"));
            return None;
        };
        let name = self.text("name", given.value)?;
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            self.mistake(&given.value.span(), "'name' must be a text on one line".to_string());
            return None;
        }
        Some(name)
    }

    fn urls(
        &mut self,
        what: &str,
        merged: &BTreeMap<String, Given<'_>>,
        place: &Range<usize>,
    ) -> Vec<String> {
        match merged.get("url").map(|given| given.value) {
            None => {
                self.mistake(place, format!("the {what} has no 'url'"));
                Vec::new()
            }
            Some(value) => match value.get_ref() {
                DeValue::Array(urls) => urls.iter().filter_map(|url| self.url(url)).collect(),
                _ => self.url(value).into_iter().collect(),
            },
        }
    }

    /// A variable in a URL is no secret as a whole: the host would be hidden everywhere. Its password and query are.
    fn url(&mut self, value: &Value<'_>) -> Option<String> {
        let text = self.text("url", value)?;
        let expanded = expand(&text, &self.variable).map(|expanded| expanded.text);
        self.noted(&value.span(), expanded)
    }

    fn labels(&mut self, merged: &BTreeMap<String, Given<'_>>) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        let Some(given) = merged.get("labels") else { return labels };
        let Some(table) = self.table("labels", "labels = { team = \"chat\" }", given.value) else {
            return labels;
        };
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let is_label = self.noted(&key.span(), check_label(&name)).is_some();
            if let Some(text) = is_label.then(|| self.text(&name, value)).flatten() {
                labels.insert(name, text);
            }
        }
        labels
    }

    /// The arguments of an option. A default that the command does not have is for other commands.
    fn option(&mut self, options: &CheckOptions, name: &str, given: &Given<'_>) -> Vec<String> {
        let of_file = name == HEADERS_FILE && options.find(HEADERS_FILE).is_none();
        let Some(option) = options.find(if of_file { "header" } else { name }) else {
            if !given.is_default {
                self.mistake(&given.key.span(), options.unknown(name));
            }
            return Vec::new();
        };
        let variable = &self.variable;
        let mut expanded = |text: &str| {
            let expanded = expand(text, variable)?;
            expanded.values.iter().for_each(|value| secrets::learn(|sent| sent.value(value)));
            Ok(if of_file { format!("@{}", expanded.text) } else { expanded.text })
        };
        let arguments = arguments(option, given.value.get_ref(), &mut expanded);
        self.noted(&given.value.span(), arguments).unwrap_or_default()
    }

    fn text(&mut self, name: &str, value: &Value<'_>) -> Option<String> {
        let text = value.get_ref().as_str().map(str::to_string);
        self.noted(&value.span(), text.ok_or_else(|| format!("'{name}' must be a text")))
    }

    /// Two of one name could not be told apart.
    fn names<'e>(&mut self, what: &str, checks: impl Iterator<Item = &'e CheckEntry>) {
        let mut known = BTreeSet::new();
        for check in checks {
            let name = &check.identity.name;
            if !known.insert(name) {
                let place = check.places.get("name").cloned().unwrap_or_default();
                self.mistake(&place, format!("two {what} have the name '{name}'"));
            }
        }
    }
}

/// A key of a check, of its own or of the defaults.
struct Given<'v> {
    key: &'v Spanned<std::borrow::Cow<'v, str>>,
    value: &'v Value<'v>,
    is_default: bool,
}

/// Options may be written with underscores, as is usual in TOML.
fn normal(key: &str) -> String {
    key.replace('_', "-")
}

/// What the reports call the target.
fn shown(urls: &[String]) -> String {
    match urls {
        [only] => redact_text(only),
        several => counted(several.len() as u64, "target"),
    }
}

/// Labels become labels of Prometheus beside ours.
fn check_label(name: &str) -> Result<(), String> {
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_name || name.starts_with("__") {
        return Err(format!("'{name}' cannot be the name of a label: use letters, digits and _"));
    }
    if OUR_LABELS.contains(&name) {
        return Err(format!("the label '{name}' is set by wscheck itself"));
    }
    Ok(())
}

/// Labels of our own metrics.
const OUR_LABELS: [&str; 8] =
    ["check", "client", "command", "kind", "result", "subject", "target", "version"];

#[cfg(test)]
mod tests;
