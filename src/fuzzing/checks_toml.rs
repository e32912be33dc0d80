//! The file of checks of `wscheck run`.

use super::forget_secrets;
use crate::cli::checks::PreparedCheck;
use crate::cli::checks::file::{CheckEntry, parse};

/// The whole input is a file of checks. Each check is prepared, and none is run.
pub fn checks_toml(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    forget_secrets();
    let variable = |name: &str| name.starts_with('S').then(|| format!("value-of-{name}"));
    match parse(text, variable) {
        Ok(file) => file.checks.into_iter().filter(reads_no_file).for_each(prepare),
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            let lines = text.matches('\n').count() + 1;
            for mistake in mistakes {
                assert!((1..=lines).contains(&mistake.line), "line {} of {lines}", mistake.line);
                assert!(mistake.column >= 1);
            }
        }
    }
}

/// Whether a check can be prepared without a look at the disk.
fn reads_no_file(check: &CheckEntry) -> bool {
    let reads = |argument: &String| {
        let is_file = ["--cacert=", "--cert=", "--key="].iter().any(|option| argument.starts_with(option));
        is_file || argument.split_once('=').is_some_and(|(_, value)| value.starts_with('@'))
    };
    !check.arguments.iter().any(reads)
}

/// A check has connections, or a mistake that says what is wrong.
fn prepare(check: CheckEntry) {
    match PreparedCheck::new(check) {
        Ok(prepared) => assert!(prepared.connections >= 1),
        Err(blame) => assert!(!blame.message.is_empty()),
    }
}
