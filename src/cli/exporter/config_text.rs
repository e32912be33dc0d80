//! The configuration in force as TOML, without secrets: what the file, its `[defaults]` and the command line say together.

use humantime::format_duration;
use toml::{Table, Value};

use crate::cli::checks::file::{IDLE_PROBE, IDLE_PROBE_MAX, IdleEntry, TargetEntry};
use crate::cli::origin::redacted;

/// The name of a module, its options as one would type them, and its patterns.
pub type ShownModule<'a> = (&'a str, &'a [String], Vec<String>);

/// Makes the text. `urls` are the targets of the command line.
pub fn config_text(
    targets: &[TargetEntry],
    urls: impl Iterator<Item = String>,
    modules: &[ShownModule<'_>],
) -> String {
    let of_file = targets.iter().map(target);
    let of_line = urls.map(|url| Table::from_iter([("url".to_string(), redacted(&url).into())]));
    let targets: Vec<Value> = of_file.chain(of_line).map(Value::Table).collect();
    let modules: Table = modules.iter().map(|one| (one.0.to_string(), module(one).into())).collect();
    let mut all = Table::new();
    if !targets.is_empty() {
        all.insert("target".to_string(), targets.into());
    }
    all.insert("module".to_string(), modules.into());
    format!("# Secrets are shown as ***. The options of [defaults] stand with each target.\n{all}")
}

fn target(TargetEntry { entry, idle }: &TargetEntry) -> Table {
    let mut table = Table::new();
    let mut parts = entry.arguments.splitn(2, |word| word == "--");
    let options = parts.next().unwrap_or_default();
    add_options(&mut table, options.get(1..).unwrap_or_default());
    let url = parts.next().unwrap_or_default().concat();
    table.insert("name".to_string(), entry.identity.name.clone().into());
    table.insert("url".to_string(), redacted(&url).into());
    if !entry.identity.labels.is_empty() {
        let labels = entry.identity.labels.iter().map(|(name, value)| (name.clone(), value.clone().into()));
        table.insert("labels".to_string(), Value::Table(labels.collect()));
    }
    if let Some(IdleEntry { every, arguments }) = idle {
        table.insert(underscored(IDLE_PROBE), format_duration(*every).to_string().into());
        let max = arguments.iter().find_map(|word| word.strip_prefix("--max="));
        table.extend(max.map(|max| (underscored(IDLE_PROBE_MAX), max.into())));
    }
    table
}

fn module((_, options, allow): &ShownModule<'_>) -> Table {
    let mut table = Table::new();
    add_options(&mut table, options);
    table.insert("allow".to_string(), allow.clone().into());
    table
}

fn underscored(name: &str) -> String {
    name.replace('-', "_")
}

/// Adds options as one would type them. One that is given several times becomes a list.
fn add_options(table: &mut Table, options: &[String]) {
    for word in options.iter().filter_map(|word| word.strip_prefix("--")) {
        let (name, value) = match word.split_once('=') {
            None => (word, Value::Boolean(true)),
            Some((name, value)) => (name, Value::String(shown_value(name, value))),
        };
        let joined = match table.remove(&underscored(name)) {
            None => value,
            Some(Value::Array(mut values)) => {
                values.push(value);
                Value::Array(values)
            }
            Some(first) => Value::Array(vec![first, value]),
        };
        table.insert(underscored(name), joined);
    }
}

/// A value without its secrets. Its name may be what makes it one.
fn shown_value(name: &str, value: &str) -> String {
    let shown = redacted(&format!("{name}={value}"));
    shown.split_once('=').map_or(shown.clone(), |(_, value)| value.to_string())
}
