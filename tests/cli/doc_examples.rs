//! The worked examples of docs/contributing.md: how many files a new command and a new metric touch, and that the sources
//! need no more.

use std::path::Path;

use crate::support::{root, text};

/// A line of an example: `new  src/cli/probe_close.rs   the arguments`.
struct TouchedFile {
    is_new: bool,
    path: String,
}

/// The files that the example below this heading touches.
fn touched(heading: &str) -> Vec<TouchedFile> {
    let page = text("docs/contributing.md");
    let section = page.split("\n## ").find(|section| section.starts_with(heading)).unwrap();
    let example = section.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    example.lines().map(touched_file).collect()
}

fn touched_file(line: &str) -> TouchedFile {
    let words: Vec<&str> = line.split_whitespace().collect();
    assert!(words.len() > 2 && ["new", "edit"].contains(&words[0]), "not `new|edit PATH PURPOSE`: {line}");
    TouchedFile { is_new: words[0] == "new", path: words[1].to_string() }
}

/// The example lists as many files as the text before it says; those to edit exist, the new ones do not.
fn assert_example(heading: &str, most: usize) -> Vec<TouchedFile> {
    let files = touched(heading);
    assert!(files.len() <= most, "{heading}: {} files", files.len());
    let page = text("docs/contributing.md");
    let counted = format!("touches {} file", files.len());
    assert!(page.replace('\n', " ").contains(&counted), "the page does not say: {counted}");
    for TouchedFile { is_new, path } in &files {
        assert_ne!(root().join(path).exists(), *is_new, "{heading}: {path}, new: {is_new}");
    }
    files
}

/// Every Rust file below a folder, as a path in the crate.
fn sources(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| sources_at(&path)).collect()
}

fn sources_at(path: &Path) -> Vec<String> {
    let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_string();
    match path.is_dir() {
        true => sources(&name),
        false if name.ends_with(".rs") => vec![name],
        false => Vec::new(),
    }
}

#[test]
fn new_metric_touches_one_file() {
    assert_example("Add a metric", 1);
}

/// A product is an entry and a row of wire text: no other source of ours names it.
#[test]
fn new_product_touches_2_files() {
    let files = assert_example("Add a product", 2);
    let may =
        |path: &str| files.iter().any(|file| file.path == path) || path.starts_with("src/domain/catalogue/");
    let is_test =
        |path: &str| path.contains("tests") || path.contains("fixtures") || path.contains("snapshots");
    // Rules about one product that no data can say: how it refuses, and what its own HTTP statuses mean.
    let rules = ["src/domain/presets/refusal.rs", "src/net/connect/upgrade_error/gateway.rs"];
    for path in
        sources("src").iter().filter(|path| !may(path) && !is_test(path) && !rules.contains(&path.as_str()))
    {
        let source = text(path);
        let code = source.split("#[cfg(test)]").next().unwrap();
        for product in wscheck::domain::catalogue::products().filter(|product| product.id.len() > 5) {
            assert!(!code.contains(&format!("\"{}\"", product.id)), "{path} names {}", product.id);
        }
    }
}

#[test]
fn new_command_touches_12_files_and_no_format() {
    let files = assert_example("Add a command", 12);
    let is_own = |path: &str| path.contains("probe_close");
    let registers = ["src/output/mod.rs", "src/output/schema.rs"];
    for TouchedFile { path, .. } in files.iter().filter(|file| file.path.starts_with("src/output/")) {
        assert!(is_own(path) || registers.contains(&path.as_str()), "{path} is a format");
    }
}

/// `listen` is the smallest command with a report. What the sources outside its own files need for it is what the example
/// lists for a new command. Tests may choose commands by name: no new one has to be among them.
#[test]
fn only_the_files_of_the_example_name_a_command() {
    let example = touched("Add a command");
    let to_edit = |path: &str| example.iter().any(|file| !file.is_new && file.path == path);
    let is_own = |path: &str| path.contains("/listen/") || path == "src/cli/listen.rs";
    let is_test = |path: &str| path.ends_with("/tests.rs") || path.ends_with("/fixtures.rs");
    let names =
        ["ListenArgs", "ListenPlan", "ListenEvent", "ListenReport", "ListenPresenter", "ListenDocument"];
    let more = ["ListenFinding", "mod listen;", "\"listen\"", "\"listen: "];
    // It says which command suits a preset; doctor joins some commands, and a new one need not be among them.
    let may_choose = |path: &str| {
        path == "src/output/presets/command_line.rs"
            || path.contains("/doctor/")
            || path == "src/cli/doctor.rs"
    };
    for path in sources("src").iter().filter(|path| !is_own(path) && !is_test(path) && !may_choose(path)) {
        let source = text(path);
        let named: Vec<_> = names.iter().chain(&more).filter(|name| source.contains(**name)).collect();
        assert!(
            named.is_empty() || to_edit(path),
            "{path} names {named:?}, but the example does not list it"
        );
    }
}
