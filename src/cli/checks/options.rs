//! The options that a check may have: those of its command, as clap knows them, by their long names.

use clap::{Arg, ArgAction, Args, Command};
use toml::de::DeValue;

use super::mistake::did_you_mean;
use crate::cli::MEASUREMENTS;
use crate::cli::args::OutputArgs;

/// Short for a `header` that reads a file.
pub const HEADERS_FILE: &str = "headers-file";

/// The options of one command.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    command: Command,
}

impl CheckOptions {
    /// The options of a command; `None` if no check may run it.
    pub fn of(name: &str) -> Option<CheckOptions> {
        let name = MEASUREMENTS.into_iter().find(|known| *known == name)?;
        let command = crate::cli::command().find_subcommand(name)?.clone();
        Some(CheckOptions { command })
    }

    /// The name of the command.
    pub fn name(&self) -> &str {
        self.command.get_name()
    }

    /// Every option that a check may have.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Arg)> {
        let options = self.command.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
        options.filter(|(name, _)| !belongs_to_run(name))
    }

    /// The option of this name or alias.
    pub fn find(&self, name: &str) -> Option<&Arg> {
        let has_alias = |arg: &Arg| arg.get_all_aliases().is_some_and(|aliases| aliases.contains(&name));
        self.all().find(|(long, arg)| *long == name || has_alias(arg)).map(|(_, arg)| arg)
    }

    /// Says that there is no option of this name, and which may have been meant.
    pub fn unknown(&self, given: &str) -> String {
        let name = self.command.get_name();
        if belongs_to_run(given) {
            return format!("'{given}' is for all checks: give --{given} to wscheck run");
        }
        let known = self.all().map(|(long, _)| long).chain(KEYS_OF_CHECK);
        format!("{name} has no option '{given}'{}", did_you_mean(given, known))
    }
}

/// What a check has beside its options.
pub const KEYS_OF_CHECK: [&str; 6] = ["name", "command", "url", "labels", "serial", HEADERS_FILE];

/// Options of the whole run, which no check has.
fn belongs_to_run(name: &str) -> bool {
    let of_run = OutputArgs::augment_args(Command::new("output"));
    let is_of_run = of_run.get_arguments().any(|arg| arg.get_long() == Some(name));
    is_of_run || ["help", "version"].contains(&name)
}

/// How many values an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionForm {
    /// It is set or not.
    Flag,
    One,
    /// It may stand without a value.
    OptionalOne,
    Several,
}

impl OptionForm {
    pub fn of(option: &Arg) -> OptionForm {
        let takes_none = option.get_num_args().is_some_and(|count| count.min_values() == 0);
        match option.get_action() {
            ArgAction::SetTrue | ArgAction::SetFalse | ArgAction::Count => OptionForm::Flag,
            ArgAction::Append => OptionForm::Several,
            _ if option.get_value_delimiter().is_some() => OptionForm::Several,
            _ if takes_none => OptionForm::OptionalOne,
            _ => OptionForm::One,
        }
    }
}

/// The arguments that give an option this value; `expand` puts the values of variables in a text.
///
/// # Errors
///
/// The option takes no such value.
pub fn arguments(
    option: &Arg,
    value: &DeValue<'_>,
    expand: &mut impl FnMut(&str) -> Result<String, String>,
) -> Result<Vec<String>, String> {
    let name = option.get_long().unwrap_or_default();
    match (OptionForm::of(option), value) {
        (OptionForm::Flag | OptionForm::OptionalOne, DeValue::Boolean(is_set)) => {
            Ok(is_set.then(|| format!("--{name}")).into_iter().collect())
        }
        (OptionForm::Flag, _) => Err(format!("'{name}' is true or false")),
        (OptionForm::Several, DeValue::Array(values)) => {
            values.iter().map(|value| argument(name, value.get_ref(), expand)).collect()
        }
        (OptionForm::Several | OptionForm::One | OptionForm::OptionalOne, value) => {
            Ok(vec![argument(name, value, expand)?])
        }
    }
}

fn argument(
    name: &str,
    value: &DeValue<'_>,
    expand: &mut impl FnMut(&str) -> Result<String, String>,
) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(format!("--{name}={}", expand(text)?)),
        DeValue::Integer(number) if number.radix() == 10 => Ok(format!("--{name}={}", number.as_str())),
        DeValue::Float(number) => Ok(format!("--{name}={}", number.as_str())),
        DeValue::Integer(number) => Err(format!("'{}' must be a decimal number", number.as_str())),
        other => {
            Err(format!("'{name}' needs a text or a number, and has a value of type {}", other.type_str()))
        }
    }
}
