//! README, docs, help, completions, manual and schema agree with the code.

use strum::IntoEnumIterator;
use wscheck::cli;
use wscheck::domain::catalogue::{self};
use wscheck::domain::catalogue::{HeartbeatStarter, Preset, VerificationLevel};
use wscheck::domain::format;
use wscheck::domain::heartbeat::HeartbeatOutcome;
use wscheck::domain::heartbeat::framing::Framing;
use wscheck::domain::heartbeat::template::PlaceholderName;
use wscheck::domain::label::Label;
use wscheck::domain::ping::health::{Status, StatusLimits};

use crate::support::{self, run};

#[test]
fn completions_are_current() {
    for (shell, name) in cli::SHELLS {
        let kept = support::text(&format!("completions/{name}"));
        let made = String::from_utf8(cli::completions(*shell)).unwrap();
        assert!(kept == made, "stale: wscheck completions {shell} > completions/{name}");
        assert_eq!(run(&["completions", &shell.to_string()]).stdout, made);
    }
}

#[test]
fn exit_codes_agree_with_readme_docs_and_help() {
    let help = run(&["ping", "--help"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (code, meaning) in cli::EXIT_CODES {
        for page in ["README.md", "docs/gates.md"] {
            let row = format!("| {code} | {meaning} |");
            assert!(support::text(page).contains(&row), "{page} lacks: {row}");
        }
        assert!(help.contains(meaning), "--help lacks: {meaning}");
    }
}

/// The labels of an enum, in its order.
fn labels<T: Label + IntoEnumIterator>() -> Vec<&'static str> {
    T::iter().map(|value| value.label()).collect()
}

/// The first cells of a table, found by its first column's name.
fn first_cells(page: &str, column: &str) -> Vec<String> {
    let table = page.split(&format!("\n| {column} |")).nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    rows.map(|line| line.split(" | ").next().unwrap()[2..].to_string()).collect()
}

#[test]
fn outcomes_and_statuses_in_docs_are_current() {
    let page = support::text("docs/figures.md");
    assert_eq!(first_cells(&page, "outcome"), labels::<HeartbeatOutcome>());
    assert_eq!(first_cells(&page, "status"), labels::<Status>());
    let StatusLimits { healthy, degraded, poor, dead_after, window } = StatusLimits::default();
    for (limit, flag) in [(healthy, "healthy"), (degraded, "degraded"), (poor, "poor")] {
        let row = format!("| {flag} | up to {} (`--{flag}`) |", format::duration(limit));
        assert!(page.contains(&row), "docs/figures.md lacks: {row}");
    }
    assert!(page.contains(&format!("the last {window} answered")));
    assert_eq!(dead_after, 3, "docs/figures.md: three missed in a row");
}

#[test]
fn readme_names_every_command() {
    let readme = support::text("README.md");
    for command in cli::command().get_subcommands() {
        let name = format!("`wscheck {}", command.get_name());
        assert!(readme.contains(&name), "README lacks {name}`");
    }
}

#[test]
fn help_is_a_command_too() {
    assert_eq!(run(&["help"]).stdout, run(&["--help"]).stdout);
    let ping = run(&["help", "ping"]);
    assert_eq!((ping.code, ping.stdout), (Some(0), run(&["ping", "--help"]).stdout));
}

#[test]
fn help_shows_the_defaults() {
    let help = run(&["ping", "--help"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for context in
        ["that lasted [default: 10]", "Maximum back-off [default: 30s]", "random part of it [default: 500ms]"]
    {
        assert!(help.contains(context), "{context} is not in {help}");
    }
}

#[test]
fn manual_has_a_page_for_each_command() {
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
fn schema_is_a_valid_json_schema() {
    let ran = run(&["schema"]);
    let schema = serde_json::from_str(&ran.stdout).unwrap();
    assert!(jsonschema::meta::is_valid(&schema));
}

#[test]
fn version_has_what_a_report_of_a_fault_needs() {
    let first = format!("wscheck {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&["-V"]).stdout, first);
    let long = run(&["--version"]).stdout;
    assert!(long.starts_with(&first), "{long}");
    let names: Vec<&str> = long.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["commit", "target", "features"], "{long}");
    assert!(!run(&["man"]).stdout.contains("commit"), "the manual does not depend on the commit");
}

#[test]
fn changelog_and_packages_name_this_version() {
    let version = env!("CARGO_PKG_VERSION");
    let heading = format!("\n## {version} - ");
    assert!(support::text("CHANGELOG.md").contains(&heading), "CHANGELOG.md lacks {heading}");
    for manifest in ["check", "load", "exporter"] {
        let text = support::text(&format!("packaging/kubernetes/{manifest}.yaml"));
        let images: Vec<&str> =
            text.split("image: ").skip(1).filter_map(|rest| rest.lines().next()).collect();
        let ours = format!("registry.example/wscheck:{version}");
        assert!(
            images.iter().filter(|image| image.contains("wscheck")).all(|image| *image == ours),
            "{images:?}"
        );
        assert!(images.contains(&ours.as_str()), "{manifest}.yaml has no image of wscheck");
    }
    let formula = support::text("packaging/homebrew/wscheck.rb");
    assert!(formula.contains(&format!("/v{version}/wscheck-{version}.crate")), "{formula}");
}

#[test]
fn presets_in_docs_are_current() {
    let page = support::text("docs/tables/presets.md");
    let table = page.split("\n| preset |").nth(1).unwrap();
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with("| ")).collect();
    let starts = |preset: &Preset| match preset.starter() {
        HeartbeatStarter::Frames => "Ping frames only",
        starter => starter.label(),
    };
    let row = |preset: &Preset| {
        let verified = match preset.verified {
            VerificationLevel::Live => "live",
            VerificationLevel::FromSource => "source code or documentation",
        };
        format!("| `{}` | {} | {} | {verified} |", preset.name, preset.title, starts(preset))
    };
    assert_eq!(rows, catalogue::presets().map(row).collect::<Vec<_>>());
}

#[test]
fn placeholders_and_framings_in_docs_are_current() {
    let page = support::text("docs/app-heartbeats.md");
    for key in PlaceholderName::ALL {
        let placeholder = key.placeholder();
        assert!(page.contains(&format!("`{placeholder}`")), "docs/app-heartbeats.md lacks {placeholder}");
    }
    for framing in labels::<Framing>() {
        assert!(page.contains(framing), "docs/app-heartbeats.md lacks {framing}");
    }
}
