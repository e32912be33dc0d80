//! The house: a file may look down, never up, and never sideways across a floor's divide.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms it may look into, besides itself.
const ROOMS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("net", &["domain"]),
    ("server", &["domain"]),
    ("commands", &["domain", "net", "server"]),
    ("output", &["domain", "server", "commands"]),
    ("cli", &["domain", "net", "server", "commands", "output"]),
];

/// Crates that the domain must not know.
const OUTSIDE: &[&str] =
    &["tokio", "clap", "serde", "schemars", "anstream", "anstyle", "indicatif", "comfy_table"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => sources(&path),
            false => Vec::from_iter(path.extension().is_some_and(|e| e == "rs").then_some(path)),
        })
        .collect()
}

/// A source's path below `src`, its text before the tests, with comments left out.
fn code() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    sources(&root).into_iter().map(read).collect()
}

#[test]
fn no_file_looks_up_or_across_a_divide() {
    let code = code();
    let mut looked = 0;
    for (room, allowed) in ROOMS {
        for (name, text) in code.iter().filter(|(name, _)| name.starts_with(&format!("{room}/"))) {
            for rest in text.split("crate::").skip(1) {
                let target: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                looked += 1;
                let known = ROOMS.iter().any(|(room, _)| *room == target);
                assert!(
                    !known || target == *room || allowed.contains(&target.as_str()),
                    "{name} looks into {target}"
                );
            }
        }
    }
    assert!(looked > 100, "only {looked} looks were seen");
}

/// Whether a file is there for the tests only: its folder's `mod.rs` says so.
fn is_for_tests(name: &str, code: &[(String, String)]) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let declared = format!("#[cfg(test)]\nmod {};", file.trim_end_matches(".rs"));
    code.iter().any(|(other, text)| *other == format!("{folder}/mod.rs") && text.contains(&declared))
}

#[test]
fn the_domain_knows_no_socket_clock_terminal_or_serialization() {
    let code = code();
    let is_domain = |name: &str| name.starts_with("domain/") && !is_for_tests(name, &code);
    for (name, text) in code.iter().filter(|(name, _)| is_domain(name)) {
        for outside in OUTSIDE {
            assert!(!text.contains(&format!("{outside}::")), "{name} knows {outside}");
        }
        for clock in ["Instant::now", "SystemTime::now", "std::net", "std::io", "println!", "std::env"] {
            assert!(!text.contains(clock), "{name} uses {clock}");
        }
    }
}

#[test]
fn functions_stay_short() {
    for (name, text) in code() {
        let mut open: Option<(usize, &str)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let begins = ["fn ", "pub fn ", "async fn ", "pub async fn ", "pub(super) fn ", "const fn "];
            if begins.iter().any(|begin| line.trim_start().starts_with(begin)) {
                open = Some((number, &line[..indent]));
            } else if let Some((begun, margin)) = open
                && line == format!("{margin}}}")
            {
                assert!(number - begun <= 60, "{name}:{} is {} lines long", begun + 1, number - begun);
                open = None;
            }
        }
    }
}
