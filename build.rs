//! Tells `wscheck --version` which commit it was built of, and compresses what is rarely printed.

use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What a crate from a registry has in place of its history.
const VCS_INFO: &str = ".cargo_vcs_info.json";

/// What `wscheck schema` prints; a sixth of its size when it is compressed.
const OUTPUT_SCHEMA: &str = "src/cli/output.schema.json";

/// What a binary is made of.
const SOURCES: [&str; 4] = ["build.rs", "src", "Cargo.toml", "Cargo.lock"];

fn main() {
    println!("cargo:rerun-if-env-changed=WSCHECK_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    compress_schema();
    println!("cargo:rustc-env=WSCHECK_TARGET={}", env::var("TARGET").unwrap_or_default());
    // A debug build would be made anew after every commit.
    let is_for_use = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = if is_for_use { commit() } else { None };
    println!("cargo:rustc-env=WSCHECK_COMMIT={}", commit.unwrap_or_default());
}

/// Writes the compressed schema to cargo's folder for what is generated.
fn compress_schema() {
    println!("cargo:rerun-if-changed={OUTPUT_SCHEMA}");
    let text = fs::read(OUTPUT_SCHEMA).expect("the schema can be read");
    let folder = env::var("OUT_DIR").expect("cargo names its folder");
    let file = Path::new(&folder).join("output.schema.json.deflate");
    fs::write(file, miniz_oxide::deflate::compress_to_vec(&text, 9)).expect("the folder can be written to");
}

/// The commit; `None` for sources that have no history.
fn commit() -> Option<String> {
    let given = env::var("WSCHECK_COMMIT").ok().filter(|commit| !commit.is_empty());
    given.or_else(commit_of_crate).or_else(commit_of_checkout)
}

fn commit_of_crate() -> Option<String> {
    let text = std::fs::read_to_string(VCS_INFO).ok()?;
    let (_, after) = text.split_once("\"sha1\": \"")?;
    Some(after.chars().take_while(char::is_ascii_hexdigit).take(12).collect())
}

/// Of the folder's own repository, not of one that it lies in.
fn commit_of_checkout() -> Option<String> {
    if !Path::new(".git").exists() {
        return None;
    }
    // The index is written by every `git status`, which would make a release build anew.
    for name in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", name])?;
        if Path::new(&path).exists() {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    SOURCES.iter().for_each(|path| println!("cargo:rerun-if-changed={path}"));
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let is_changed = !git(&[&["status", "--porcelain", "--"][..], &SOURCES].concat())?.is_empty();
    Some(if is_changed { format!("{commit}, changed") } else { commit })
}

fn git(args: &[&str]) -> Option<String> {
    let ran = Command::new("git")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .args(args)
        .output()
        .ok()
        .filter(|ran| ran.status.success())?;
    Some(String::from_utf8(ran.stdout).ok()?.trim().to_string())
}
