//! Generated documents: completions, manual page, JSON Schema.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use clap::builder::Resettable;
use clap_complete::Shell;
use serde_json::Value;

use super::{checks, errors};
use crate::output::Format;

/// Shells with completions in `completions/`, and their file names.
pub const SHELLS: &[(Shell, &str)] = &[
    (Shell::Bash, "wscheck.bash"),
    (Shell::Zsh, "_wscheck"),
    (Shell::Fish, "wscheck.fish"),
    (Shell::Elvish, "wscheck.elv"),
    (Shell::PowerShell, "_wscheck.ps1"),
];

/// `output.schema.json`, which `build.rs` compresses. Only tests generate it (`output/schema.rs`).
const OUTPUT_SCHEMA: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/output.schema.json.deflate"));

/// The completions for a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut super::command(), "wscheck", &mut text);
    text
}

/// The manual page of wscheck or of a command; `None` if there is no such command.
pub fn man_page(command: Option<&str>) -> Option<Vec<u8>> {
    let mut whole = super::command();
    whole.build();
    let page = match command {
        None => whole,
        Some(name) => {
            let page = whole.find_subcommand(name)?.clone();
            page.name(format!("wscheck-{name}")).display_name(format!("wscheck-{name}"))
        }
    };
    // The manual depends on the version alone.
    let page = page.long_version(Resettable::Reset);
    let mut roff = Vec::new();
    clap_mangen::Man::new(page).render(&mut roff).ok()?;
    Some(roff)
}

pub(super) fn print_completions(shell: Shell) -> ExitCode {
    print(&completions(shell))
}

pub(super) fn print_man(command: Option<&str>) -> ExitCode {
    match man_page(command) {
        Some(page) => print(&page),
        None => {
            let known: Vec<String> =
                super::command().get_subcommands().map(|c| c.get_name().to_string()).collect();
            let given = command.unwrap_or_default();
            let message = format!("'{given}' is not a command; commands: {}", known.join(", "));
            errors::report_usage_error("man", &message, Format::Human)
        }
    }
}

/// What a schema describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// What -o json and -o ndjson print
    Output,
    /// A file of checks for wscheck run, for editors
    Checks,
}

pub(super) fn print_schema(of: SchemaOf) -> ExitCode {
    let schema = match of {
        SchemaOf::Output => serde_json::from_slice(&output_schema()),
        SchemaOf::Checks => Ok(checks::schema::schema()),
    };
    match schema.and_then(|schema: Value| serde_json::to_vec_pretty(&schema)) {
        Ok(mut text) => {
            text.push(b'\n');
            print(&text)
        }
        Err(error) => errors::fail_inconclusive(&format!("cannot write the schema: {error}")),
    }
}

fn output_schema() -> Vec<u8> {
    miniz_oxide::inflate::decompress_to_vec(OUTPUT_SCHEMA).expect("the build compressed it")
}

pub(super) fn print(text: &[u8]) -> ExitCode {
    errors::exit_code_of_write(io::stdout().write_all(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::schema::schema;

    /// `WSCHECK_UPDATE_DOCS=1` writes the file anew: a definition a line, so that changes can be read.
    #[test]
    fn schema_of_the_output_is_fresh() {
        let fresh = schema().to_string().replace("},\"", "},\n\"");
        if std::env::var_os("WSCHECK_UPDATE_DOCS").is_some() {
            let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/output.schema.json");
            std::fs::write(file, &fresh).unwrap();
        } else {
            assert!(
                output_schema() == fresh.as_bytes(),
                "WSCHECK_UPDATE_DOCS=1 cargo test --lib schema_of_the_output_is_fresh"
            );
        }
    }
}
