//! Notes on durations without a unit: `-i 100` is 100 s, and often meant as milliseconds.

use std::time::Duration;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::domain::duration::is_plain_number;
use crate::domain::format;

/// Shorter durations without a unit are rarely meant as milliseconds.
const MIN_NOTED: Duration = Duration::from_secs(100);

/// A note for each duration of the command line that has no unit and is long; none with `--quiet`.
pub fn unit_notes(matches: &ArgMatches) -> Vec<String> {
    let Some((_, arguments)) = matches.subcommand() else { return Vec::new() };
    if matches!(arguments.try_get_one("quiet"), Ok(Some(true))) {
        return Vec::new();
    }
    arguments.ids().filter_map(|id| note(arguments, id.as_str())).collect()
}

fn note(arguments: &ArgMatches, id: &str) -> Option<String> {
    let value = *arguments.try_get_one::<Duration>(id).ok()??;
    let typed = arguments.get_raw(id)?.next()?.to_str()?.trim();
    let is_typed = arguments.value_source(id) == Some(ValueSource::CommandLine);
    if !is_typed || value < MIN_NOTED || !is_plain_number(typed) {
        return None;
    }
    let option = id.replace('_', "-");
    let means = format::duration(value);
    Some(format!("note: --{option} {typed} means {means}; for milliseconds write {typed}ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(args: &[&str]) -> Vec<String> {
        let command = crate::cli::command();
        let args = ["wscheck", "ping", "ws://a/"].iter().chain(args);
        unit_notes(&command.try_get_matches_from(args).unwrap())
    }

    #[test]
    fn long_duration_without_unit_is_noted() {
        assert_eq!(
            notes(&["-i", "100", "--timeout", "500"]),
            [
                "note: --interval 100 means 100 s; for milliseconds write 100ms",
                "note: --timeout 500 means 8m 20s; for milliseconds write 500ms"
            ]
        );
    }

    #[test]
    fn short_durations_and_units_need_no_note() {
        assert!(notes(&["-i", "1", "-w", "60"]).is_empty());
        assert!(notes(&["-i", "100s", "-w", "1h"]).is_empty());
        assert!(notes(&["-i", "100", "-q"]).is_empty());
        assert!(notes(&[]).is_empty());
    }
}
