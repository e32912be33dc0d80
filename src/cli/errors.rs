//! What is said when the arguments make no sense, in the format that was asked for.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use strum::IntoEnumIterator;

use crate::domain::connection::connect_info::FailureKind;
use crate::domain::label::Label;
use crate::output::Format;
use crate::output::charset;
use crate::output::json;

/// The exit code of a usage error.
pub const USAGE_EXIT_CODE: u8 = 2;
/// The exit code of a run whose report could not be delivered, or that could not begin.
const INCONCLUSIVE_EXIT_CODE: u8 = 4;

/// Says, in the format that was asked for, why a run that was well asked for did not begin.
pub fn tell_failure(
    command: &str,
    message: &str,
    hint: Option<&str>,
    exit_code: u8,
    format: Format,
) -> ExitCode {
    let kind = if exit_code == USAGE_EXIT_CODE { FailureKind::Usage } else { FailureKind::Local };
    match format {
        Format::Human => {
            say(message);
            if let Some(hint) = hint {
                tell(&format!("hint: {hint}"));
            }
        }
        format => print(&json::error_document(Some(command), kind, message, hint, exit_code), format),
    }
    ExitCode::from(exit_code)
}

/// Answers a command line that clap refused; help and the version are no refusals.
pub fn refuse(error: &clap::Error, args: &[OsString]) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => return delivered(error.print()),
        // Whoever asks for nothing is shown what there is to ask for.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => drop(error.print()),
        _ => refuse_in(guess_format(args), guess_command(args), &explanation(&error.render().to_string())),
    }
    ExitCode::from(USAGE_EXIT_CODE)
}

/// Says that the arguments of a command make no sense together.
pub fn complain(command: &str, message: &str, format: Format) -> ExitCode {
    refuse_in(format, Some(command), &one_line(message));
    ExitCode::from(USAGE_EXIT_CODE)
}

fn refuse_in(format: Format, command: Option<&str>, message: &str) {
    match format {
        Format::Human => say(message),
        format => {
            print(&json::error_document(command, FailureKind::Usage, message, None, USAGE_EXIT_CODE), format);
        }
    }
}

/// The exit code of what was to be printed and nothing more. A closed pipe is not an error: the reader
/// has what it wanted.
pub fn delivered(written: io::Result<()>) -> ExitCode {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail(&format!("cannot write to stdout: {error}")),
    }
}

/// Says that a run could not begin, or its report not be delivered.
pub fn fail(message: &str) -> ExitCode {
    say(message);
    ExitCode::from(INCONCLUSIVE_EXIT_CODE)
}

/// Says that output was dropped because it was not read.
pub fn warn_of_dropped(dropped: u64) {
    if dropped > 0 {
        tell(&format!(
            "warning: {dropped} event lines were dropped because nobody read them; the figures are complete"
        ));
    }
}

/// A line on stderr. When nobody can be told, the exit code still says it.
pub fn tell(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", charset::shown(line));
}

fn say(message: &str) {
    let mut lines = message.lines();
    tell(&format!("{BOLD}error:{BOLD:#} {}", lines.next().unwrap_or_default()));
    lines.for_each(tell);
}

const BOLD: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

/// A document that cannot be written is told on stderr; a closed pipe is the reader's wish.
fn print(document: &json::ErrorDocument, format: Format) {
    let text = match format {
        Format::Human | Format::Json => json::pretty(document),
        Format::Ndjson => json::compact(document),
    };
    let mut stdout = io::stdout();
    let _ = delivered(stdout.write_all(text.as_bytes()));
}

/// What clap has to say: its header, the usage and the pointer to the help left out, and a tip only when
/// it names what may have been meant. (The other tip, to pass a value after `--`, fits none of our
/// arguments.)
fn explanation(rendered: &str) -> String {
    let text = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let mut parts = text.split("\n\n");
    let fact = one_line(parts.next().unwrap_or_default());
    let tips = parts.filter_map(|part| part.trim_start().strip_prefix("tip: ")).map(one_line);
    let similar: Vec<String> = tips.filter(|tip| !tip.starts_with("to pass ")).collect();
    [vec![fact], similar].concat().join("; ")
}

/// Lines as one.
fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The arguments could not be parsed; whether JSON was wanted is read off them as they stand.
fn guess_format(args: &[OsString]) -> Format {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    let named = |name: &str| Format::iter().find(|format| format.label() == name);
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
    fn what_clap_says_is_one_line() {
        let told = |args: &[&str]| {
            let error = crate::cli::command().try_get_matches_from(args).unwrap_err();
            explanation(&error.render().to_string())
        };
        assert_eq!(
            told(&["wscheck", "ping"]),
            "the following required arguments were not provided: <URL>..."
        );
        assert_eq!(
            told(&["wscheck", "ping", "--no-such-flag", "ws://a/"]),
            "unexpected argument '--no-such-flag' found"
        );
        assert_eq!(
            told(&["wscheck", "ping", "--jsom", "ws://a/"]),
            "unexpected argument '--jsom' found; a similar argument exists: '--json'"
        );
        assert_eq!(
            told(&["wscheck", "ping", "-o", "xml", "ws://a/"]),
            "invalid value 'xml' for '--output <FORMAT>' [possible values: human, json, ndjson]"
        );
        assert_eq!(
            told(&["wscheck", "ping", "-i", "-1", "ws://a/"]),
            "invalid value '-1' for '--interval <TIME>': '-1' is not a duration: expected number at \
             0; write 500ms, 1m30s, 1.5s or a plain number of seconds"
        );
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
