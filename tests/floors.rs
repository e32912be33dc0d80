//! The floors: files import from their own floor or below, and never across a floor's division.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each floor and the floors it may import from.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("net", &["domain"]),
    ("server", &["domain"]),
    ("commands", &["domain", "net", "server"]),
    ("output", &["domain", "server", "commands"]),
    ("cli", &["domain", "net", "server", "commands", "output"]),
];

/// Crates that the domain must not use.
const OUTSIDE: &[&str] =
    &["tokio", "clap", "serde", "schemars", "anstream", "anstyle", "indicatif", "comfy_table"];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                Vec::from_iter(path.extension().is_some_and(|e| e == "rs").then_some(path))
            }
        })
        .collect()
}

/// A source's path below `src`, and its text before the tests, without comments.
fn code() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let read = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let text = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap()
            .split("#[cfg(test)]\npub(crate) mod tests")
            .next()
            .unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        (name, lines.collect::<Vec<_>>().join("\n"))
    };
    sources(&root).into_iter().map(read).collect()
}

#[test]
fn imports_go_down_only() {
    let code = code();
    let mut looked = 0;
    for (floor, allowed) in FLOORS {
        for (name, text) in code.iter().filter(|(name, _)| name.starts_with(&format!("{floor}/"))) {
            for rest in text.split("crate::").skip(1) {
                let target: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                looked += 1;
                let known = FLOORS.iter().any(|(floor, _)| *floor == target);
                assert!(
                    !known || target == *floor || allowed.contains(&target.as_str()),
                    "{name} looks into {target}"
                );
            }
        }
    }
    assert!(looked > 100, "only {looked} looks were seen");
}

/// Whether a file is test-only, by its folder's `mod.rs`.
fn is_for_tests(name: &str, code: &[(String, String)]) -> bool {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let declared = format!("#[cfg(test)]\nmod {};", file.trim_end_matches(".rs"));
    code.iter().any(|(other, text)| *other == format!("{folder}/mod.rs") && text.contains(&declared))
}

#[test]
fn domain_uses_no_io_or_serialization() {
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

/// The paths that a `use` tree names: `a::{b, c::d}` names `a::b` and `a::c::d`.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, inner)) = tree.split_once('{') else { return vec![tree.to_string()] };
    let inner = inner.trim_end().trim_end_matches('}');
    let mut depth = 0;
    let parts = inner.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.flat_map(leaves).map(|leaf| format!("{head}{leaf}")).collect()
}

/// All crate-internal paths in a source, from the crate's root.
fn paths(module: &[&str], text: &str, modules: &BTreeSet<String>) -> Vec<Vec<String>> {
    let uses =
        text.split("use ").skip(1).filter_map(|rest| rest.split_once(';')).flat_map(|(tree, _)| leaves(tree));
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let inline =
        text.split(|c| !is_part(c)).filter(|word| word.starts_with("crate::") || word.starts_with("super::"));
    let named = uses.chain(inline.map(String::from));
    named.filter_map(|path| from_root(module, &path, modules)).collect()
}

/// A path from the crate's root; `None` for paths outside the crate.
fn from_root(module: &[&str], path: &str, modules: &BTreeSet<String>) -> Option<Vec<String>> {
    let mut parts = path.split("::").map(str::trim).peekable();
    let mut base = module.to_vec();
    match parts.next()? {
        "crate" => base.clear(),
        "self" => {}
        "super" => {
            base.pop();
            while parts.next_if_eq(&"super").is_some() {
                base.pop();
            }
        }
        child if modules.contains(&[module, &[child]].concat().join("::")) => base.push(child),
        _ => return None,
    }
    Some(base.into_iter().chain(parts).map(String::from).collect())
}

/// Where two paths diverge: their common folder, and each one's name in it. An item of a floor's own `mod.rs` has the
/// name `mod`.
fn parting(from: &[&str], to: &[String], modules: &BTreeSet<String>) -> Option<(String, String, String)> {
    let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
    let folder = from[..shared].join("::");
    let here = from.get(shared).map_or("mod", |name| name);
    let there = match to.get(shared) {
        Some(name) if modules.contains(&to[..=shared].join("::")) => name.as_str(),
        _ => "mod",
    };
    if to.get(shared).is_none_or(|name| name == "*") {
        return None;
    }
    // `cli/mod.rs` is the program itself: it starts what its files do, and they ask it for the command line.
    let counts = folder != "cli" || (here != "mod" && there != "mod");
    let counts = counts && shared >= 1 && here != there && (shared == 1 || (here != "mod" && there != "mod"));
    counts.then(|| (folder, here.to_string(), there.to_string()))
}

/// An import cycle from `at` back to itself, if any.
fn circle<'a>(at: &'a str, looks: &'a BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&'a str>> {
    fn onward<'a>(
        path: &mut Vec<&'a str>,
        looks: &'a BTreeMap<String, BTreeSet<String>>,
        seen: &mut BTreeSet<&'a str>,
    ) -> bool {
        let last = path[path.len() - 1];
        for next in looks.get(last).into_iter().flatten() {
            if next == path[0] || seen.insert(next) {
                path.push(next);
                if next == path[0] || onward(path, looks, seen) {
                    return true;
                }
                path.pop();
            }
        }
        false
    }
    let mut path = vec![at];
    onward(&mut path, looks, &mut BTreeSet::new()).then_some(path)
}

#[test]
fn sibling_modules_have_no_import_cycles() {
    let code = code();
    let is_test = |name: &str| {
        let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
        is_for_tests(name, &code)
            || name.ends_with("tests.rs")
            || (folder.contains('/') && is_for_tests(&format!("{folder}.rs"), &code))
    };
    let code: Vec<_> = code.iter().filter(|(name, _)| !is_test(name)).collect();
    let module = |name: &str| -> Vec<String> {
        let parts = name.trim_end_matches(".rs").split('/').filter(|part| *part != "mod");
        parts.map(String::from).collect()
    };
    let modules: BTreeSet<String> = code.iter().map(|(name, _)| module(name).join("::")).collect();
    let mut looks: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (name, text) in &code {
        let own = module(name);
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        for path in paths(&own, text, &modules) {
            if let Some((folder, here, there)) = parting(&own, &path, &modules) {
                looks.entry(folder).or_default().entry(here).or_default().insert(there);
            }
        }
    }
    assert!(looks.len() > 10, "only {} folders were seen", looks.len());
    let circles: BTreeSet<String> = looks
        .iter()
        .flat_map(|(folder, looks)| looks.keys().filter_map(move |at| Some((folder, circle(at, looks)?))))
        .map(|(folder, path)| format!("{folder}: {}", path.join(" -> ")))
        .collect();
    assert!(circles.is_empty(), "these look in a circle: {circles:#?}");
}
