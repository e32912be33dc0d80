//! README and docs: their size, their links, the flags and presets that they name, and their place in the book.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use wscheck::cli;
use wscheck::domain::heartbeat::presets;

use crate::support::{root, text};

/// README, CONTRIBUTING and every page below docs: path and text.
pub fn pages() -> Vec<(String, String)> {
    let mut paths = vec!["README.md".to_string(), "CONTRIBUTING.md".to_string()];
    for folder in ["docs", "docs/commands", "docs/tables"] {
        let names = std::fs::read_dir(root().join(folder)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        paths.extend(names.filter(|name| name.ends_with(".md")).map(|name| format!("{folder}/{name}")));
    }
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), text(&path))).collect()
}

/// The targets of the links and images in a Markdown text, outside code.
fn links(text: &str) -> Vec<String> {
    let prose = without_code(text);
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let sources = prose.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next());
    targets.chain(sources).map(str::to_string).collect()
}

/// The text without code blocks and code spans.
fn without_code(text: &str) -> String {
    let prose = text.split("```").step_by(2).collect::<String>();
    prose.split('`').step_by(2).collect()
}

/// The anchors of the headings, as GitHub and mdbook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.split("\n```").step_by(2).flat_map(str::lines).filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#').trim())).collect()
}

/// `a b, c` becomes `a-b-c`.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// A path without its `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[test]
fn readme_is_at_most_9_kb() {
    let size = text("README.md").len();
    assert!(size <= 9_000, "README.md has {size} bytes");
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut checked = 0;
    for (page, body) in pages() {
        for link in links(&body).into_iter().filter(|link| !link.starts_with("http")) {
            let (file, heading) = link.split_once('#').unwrap_or((&link, ""));
            let folder = Path::new(&page).parent().unwrap();
            let target = if file.is_empty() { PathBuf::from(&page) } else { normal(&folder.join(file)) };
            assert!(root().join(&target).exists(), "{page} links to {link}, which is missing");
            let found = heading.is_empty() || anchors(&text(target.to_str().unwrap())).contains(heading);
            assert!(found, "{page} links to {link}, but there is no such heading");
            checked += 1;
        }
    }
    assert!(checked > 50, "only {checked} links were found");
}

#[test]
fn pages_of_the_book_link_to_nothing_outside_it() {
    for (page, text) in pages().into_iter().filter(|(page, _)| page.starts_with("docs/")) {
        for link in links(&text).into_iter().filter(|link| !link.starts_with("http")) {
            let target = normal(&Path::new(&page).parent().unwrap().join(&link));
            assert!(target.starts_with("docs"), "{page} links to {link}: mdbook does not copy it");
        }
    }
}

#[test]
fn every_page_is_in_the_summary() {
    let listed: BTreeSet<String> = links(&text("docs/SUMMARY.md")).into_iter().collect();
    for (page, _) in pages() {
        let Some(page) = page.strip_prefix("docs/") else { continue };
        assert!(page == "SUMMARY.md" || listed.contains(page), "docs/SUMMARY.md lacks {page}");
    }
}

#[test]
fn every_flag_named_exists() {
    let command = cli::command();
    let flags: BTreeSet<String> = command
        .get_subcommands()
        .flat_map(|c| c.get_arguments().filter_map(|a| a.get_long().map(|long| format!("--{long}"))))
        .collect();
    let ours = ["--help", "--version"];
    let foreign = [
        "--release",
        "--locked",
        "--path",
        "--quick",
        "--bench",
        "--all",
        "--check",
        "--all-targets",
        "--test",
        "--open",
        "--lib",
        "--kernel-line",
        "--",
        "--listener-arn",
        "--attributes",
    ];
    for (page, text) in pages() {
        // The tables quote the configuration of other products.
        let is_table = page.starts_with("docs/tables/timers");
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        for word in words.filter(|word| word.starts_with("--") && !is_table) {
            let is_rule = word.trim_matches('-').is_empty();
            let known = flags.contains(word) || ours.contains(&word) || foreign.contains(&word);
            assert!(is_rule || known, "{page} names {word}");
        }
    }
}

#[test]
fn every_command_named_exists() {
    let known: Vec<String> = cli::command().get_subcommands().map(|c| c.get_name().to_string()).collect();
    for (page, text) in pages() {
        for (_, rest) in text.match_indices("`wscheck ").map(|(at, _)| text.split_at(at + 9)) {
            let word: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            let is_flag = word.starts_with('-') || word.is_empty();
            assert!(is_flag || known.contains(&word) || word == "help", "{page} names `wscheck {word}`");
        }
    }
}

#[test]
fn every_command_has_a_page_that_readme_or_docs_link_to() {
    for command in cli::command().get_subcommands() {
        let name = command.get_name();
        let mention = format!("wscheck {name}");
        let found =
            pages().iter().any(|(page, text)| page.starts_with("docs/commands/") && text.contains(&mention));
        assert!(found, "no page below docs/commands names {mention}");
    }
}

#[test]
fn every_preset_named_exists() {
    for (page, text) in pages() {
        for rest in text.split("--preset ").skip(1) {
            let name: String =
                rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "-.".contains(*c)).collect();
            let is_placeholder = ["", "NAME", "auto"].contains(&name.as_str()) || rest.starts_with('<');
            assert!(is_placeholder || presets::find(&name).is_some(), "{page} names the preset {name}");
        }
    }
}

#[test]
fn every_path_named_exists() {
    let folders = ["src/", "tests/", "benches/", "completions/", "docs/", ".ci/"];
    let mut checked = 0;
    for (page, body) in pages().into_iter().filter(|(page, _)| !page.starts_with("docs/tables")) {
        let prose: String = body.split("```").step_by(2).collect();
        for span in prose.split('`').skip(1).step_by(2) {
            let path = span.split_whitespace().next().unwrap_or_default();
            if folders.iter().any(|folder| path.starts_with(folder)) {
                assert!(root().join(path).exists(), "{page} names {path}");
                checked += 1;
            }
        }
    }
    assert!(checked > 20, "only {checked} paths were found");
}
