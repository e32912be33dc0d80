//! What is said when the arguments make no sense, in the format that was asked for.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::output::Format;
use crate::output::json::{self, FailureName};

/// The exit code of a usage error.
const USAGE: u8 = 2;
/// The exit code of a run whose report could not be delivered, or that could not begin.
const INCONCLUSIVE: u8 = 4;

/// Says, in the format that was asked for, why a run that was well asked for did not begin.
pub fn tell_failure(
    command: &str,
    message: &str,
    hint: Option<&str>,
    exit_code: u8,
    format: Format,
) -> ExitCode {
    let kind = if exit_code == USAGE { FailureName::Usage } else { FailureName::Local };
    match format {
        Format::Human => {
            say(message);
            if let Some(hint) = hint {
                eprintln!("hint: {hint}");
            }
        }
        format => print(&json::error_document(Some(command), kind, message, hint, exit_code), format),
    }
    ExitCode::from(exit_code)
}

/// Answers a command line that clap refused; help and the version are no refusals.
pub fn refuse(error: &clap::Error, args: &[OsString]) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    match guess_format(args) {
        Format::Human => say(&one_line(error)),
        format => print_document(guess_command(args), &one_line(error), format),
    }
    ExitCode::from(USAGE)
}

/// Says that the arguments of a command make no sense together.
pub fn complain(command: &str, message: &str, format: Format) -> ExitCode {
    match format {
        Format::Human => say(message),
        format => print_document(Some(command), message, format),
    }
    ExitCode::from(USAGE)
}

/// Says that a run could not begin, or its report not be delivered.
pub fn fail(message: &str) -> ExitCode {
    say(message);
    ExitCode::from(INCONCLUSIVE)
}

/// Says that output was dropped because it was not read.
pub fn warn_of_dropped(dropped: u64) {
    if dropped > 0 {
        eprintln!(
            "warning: {dropped} event lines were dropped because nobody read them; the figures are complete"
        );
    }
}

fn say(message: &str) {
    let mut lines = message.lines();
    anstream::eprintln!("{BOLD}error:{BOLD:#} {}", lines.next().unwrap_or_default());
    lines.for_each(|line| eprintln!("{line}"));
}

const BOLD: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

fn print_document(command: Option<&str>, message: &str, format: Format) {
    print(&json::error_document(command, FailureName::Usage, message, None, USAGE), format);
}

/// A closed pipe is the reader's wish.
fn print(document: &json::ErrorDocument, format: Format) {
    let text = match format {
        Format::Human | Format::Json => json::pretty(document),
        Format::Ndjson => json::compact(document),
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// What clap has to say, without its header and its tail; a refused value fits one line.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let told = match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::ArgumentConflict => text.split("\n\n").next().unwrap_or(text),
        _ => text.split("\n\nFor more information").next().unwrap_or(text),
    };
    told.trim_end().to_string()
}

/// The arguments could not be parsed; whether JSON was wanted is read off them as they stand.
fn guess_format(args: &[OsString]) -> Format {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    let named = |name: &str| Format::ALL.into_iter().find(|format| format.label() == name);
    let by_flag = words.iter().enumerate().find_map(|(index, word)| match *word {
        "--json" => Some(Format::Json),
        "-o" | "--output" => words.get(index + 1).and_then(|name| named(name)),
        word => word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")).and_then(named),
    });
    by_flag.unwrap_or_default()
}

fn guess_command(args: &[OsString]) -> Option<&str> {
    args.get(1).and_then(|arg| arg.to_str()).filter(|arg| !arg.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(words: &[&str]) -> Format {
        let args: Vec<OsString> = words.iter().map(OsString::from).collect();
        guess_format(&args)
    }

    #[test]
    fn the_format_is_read_off_arguments_that_do_not_parse() {
        assert_eq!(guess(&["wscheck", "ping", "--json", "-n0"]), Format::Json);
        assert_eq!(guess(&["wscheck", "ping", "-o", "ndjson"]), Format::Ndjson);
        assert_eq!(guess(&["wscheck", "ping", "-ojson"]), Format::Json);
        assert_eq!(guess(&["wscheck", "ping", "--output=json"]), Format::Json);
        assert_eq!(guess(&["wscheck", "ping", "-o"]), Format::Human);
        assert_eq!(guess(&["wscheck"]), Format::Human);
    }
}
