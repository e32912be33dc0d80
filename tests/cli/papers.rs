//! README, help, completions, manual and schema agree with the code.

use std::path::Path;

use wscheck::cli;
use wscheck::domain::health::{Limits, Status};
use wscheck::domain::heartbeat::Outcome;
use wscheck::domain::heartbeat::framing::Framing;
use wscheck::domain::heartbeat::presets::{self, Preset, Starter};
use wscheck::domain::heartbeat::template::Key;
use wscheck::domain::shown;

use crate::support::run;

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

#[test]
fn the_kept_completions_are_those_of_the_code() {
    for (shell, name) in cli::SHELLS {
        let kept = file(&format!("completions/{name}"));
        let made = String::from_utf8(cli::completions(*shell)).unwrap();
        assert!(kept == made, "stale: wscheck completions {shell} > completions/{name}");
        assert_eq!(run(&["completions", &shell.to_string()]).stdout, made);
    }
}

#[test]
fn the_readmes_exit_codes_are_those_of_the_code() {
    let readme = file("README.md");
    for (code, meaning) in cli::EXIT_CODES {
        assert!(readme.contains(&format!("| {code} | {meaning} |")), "README lacks: | {code} | {meaning} |");
        let help = run(&["ping", "--help"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(help.contains(meaning), "--help lacks: {meaning}");
    }
}

#[test]
fn the_readmes_outcomes_and_statuses_are_those_of_the_code() {
    let readme = file("README.md");
    let rows = |head: &str| -> Vec<String> {
        let table = readme.split(&format!("\n| {head} |")).nth(1).unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
        rows.map(|line| line.split(" | ").next().unwrap()[2..].to_string()).collect()
    };
    let outcomes = [Outcome::Ok, Outcome::Late, Outcome::Superseded, Outcome::Missed, Outcome::Unsent];
    assert_eq!(rows("outcome"), outcomes.map(Outcome::label));
    assert_eq!(rows("status"), Status::ALL.map(Status::label));
    let Limits { healthy, degraded, poor, dead_after, window } = Limits::default();
    for (limit, flag) in [(healthy, "healthy"), (degraded, "degraded"), (poor, "poor")] {
        let row = format!("| {flag} | up to {} (`--{flag}`) |", shown::duration(limit));
        assert!(readme.contains(&row), "README lacks: {row}");
    }
    assert!(readme.contains(&format!("the last {window} answered")));
    assert_eq!(dead_after, 3, "README: three missed in a row");
}

#[test]
fn the_readme_names_every_command_and_no_other() {
    let readme = file("README.md");
    for command in cli::command().get_subcommands() {
        assert!(
            readme.contains(&format!("`wscheck {}", command.get_name())),
            "README lacks {}",
            command.get_name()
        );
    }
    let known: Vec<String> = cli::command().get_subcommands().map(|c| c.get_name().to_string()).collect();
    for (_, rest) in readme.match_indices("`wscheck ").map(|(at, _)| readme.split_at(at + 9)) {
        let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let is_flag = word.starts_with('-') || word.is_empty();
        assert!(is_flag || known.contains(&word), "README speaks of `wscheck {word}`");
    }
}

#[test]
fn every_flag_that_the_readme_shows_exists() {
    let command = cli::command();
    let flags: Vec<String> = command
        .get_subcommands()
        .flat_map(|c| c.get_arguments().filter_map(|a| a.get_long().map(|long| format!("--{long}"))))
        .collect();
    let ours = ["--help", "--version"];
    let foreign = ["--release", "--locked", "--path", "--git", "--quick", "--bench"];
    let readme = file("README.md");
    for word in
        readme.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).filter(|w| w.starts_with("--"))
    {
        let is_rule = word.trim_matches('-').is_empty();
        let known = flags.iter().any(|flag| flag == word) || ours.contains(&word) || foreign.contains(&word);
        assert!(is_rule || known, "README shows {word}");
    }
}

#[test]
fn help_is_a_command_too() {
    assert_eq!(run(&["help"]).stdout, run(&["--help"]).stdout);
    let ping = run(&["help", "ping"]);
    assert_eq!((ping.code, ping.stdout), (Some(0), run(&["ping", "--help"]).stdout));
}

#[test]
fn help_tells_the_defaults() {
    let help = run(&["ping", "--help"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in
        ["that lasted [default: 10]", "Maximum back-off [default: 30s]", "random part of it [default: 500ms]"]
    {
        assert!(help.contains(told), "{told} is not in {help}");
    }
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let whole = run(&["man"]);
    assert!(whole.stdout.starts_with(".ie") && whole.stdout.contains("wscheck"), "{}", whole.stdout);
    for command in cli::command().get_subcommands() {
        let page = run(&["man", command.get_name()]);
        assert_eq!(page.code, Some(0));
        let name = command.get_name().replace('-', "\\-");
        assert!(page.stdout.contains(&format!("wscheck\\-{name}")), "{}", page.stdout);
    }
}

#[test]
fn the_schema_is_a_schema() {
    let ran = run(&["schema"]);
    let schema = serde_json::from_str(&ran.stdout).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(run(&["--version"]).stdout, format!("wscheck {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_readmes_presets_are_those_of_the_code() {
    let readme = file("README.md");
    let table = readme.split("\n| preset |").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with("| ")).collect();
    let starts = |preset: &Preset| match preset.starter() {
        Starter::Frames => "Ping frames",
        starter => starter.label(),
    };
    let row = |preset: &Preset| {
        let (starts, verified) = (starts(preset), preset.verified.label());
        format!("| `{}` | {} | {starts} | {verified} |", preset.name, preset.title)
    };
    assert_eq!(rows, presets::all().map(row).collect::<Vec<_>>());
}

#[test]
fn the_readmes_placeholders_are_those_of_the_code() {
    let readme = file("README.md");
    for key in Key::ALL {
        let placeholder = key.placeholder();
        assert!(readme.contains(&format!("`{placeholder}`")), "README lacks {placeholder}");
    }
    for framing in Framing::ALL.map(Framing::label).into_iter().filter(|label| *label != "message") {
        assert!(readme.contains(framing), "README lacks {framing}");
    }
}
