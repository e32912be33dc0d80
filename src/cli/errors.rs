//! Error output in the requested format.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use anstream::ColorChoice;
use clap::error::ErrorKind;

use super::args::format_named;
use crate::commands::start_failure::StartFailure;
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::run::run_result::RunResult;
use crate::output::charset;
use crate::output::json;
use crate::output::report_formats::nagios::{self, PluginState};
use crate::output::{Format, ReportFormat};

/// Reports arguments that are invalid together.
pub fn report_usage_error(command: &str, message: &str, format: Format) -> ExitCode {
    report_failure(Some(command), &StartFailure::usage(one_line(message)), format)
}

/// Reports, in the requested format, why a run did not start.
pub fn report_failure(command: Option<&str>, failure: &StartFailure, format: Format) -> ExitCode {
    let StartFailure { result, message, hint } = failure;
    let exit_code = result.exit_code();
    let kind = if *result == RunResult::Usage { FailureKind::Usage } else { FailureKind::Local };
    match format {
        Format::Report(ReportFormat::Nagios) => {
            let _ = exit_code_of_write(io::stdout().write_all(nagios::unknown(message).as_bytes()));
            return ExitCode::from(PluginState::Unknown.exit_code());
        }
        Format::Human | Format::Report(_) => {
            print_error(message);
            if let Some(hint) = hint {
                print_hint(hint);
            }
        }
        format => print(&json::error_document(command, kind, message, hint.as_deref(), exit_code), format),
    }
    ExitCode::from(exit_code)
}

/// As [`report_failure`], with command and format guessed from the arguments.
pub fn report_failure_of(args: &[OsString], failure: &StartFailure) -> ExitCode {
    report_failure(guess_command(args), failure, guess_format(args))
}

/// Handles a command line that clap rejected, including help and version requests.
pub fn report_clap_error(error: &clap::Error, args: &[OsString]) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => exit_code_of_write(error.print()),
        // An empty command line shows the help.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            drop(error.print());
            ExitCode::from(RunResult::Usage.exit_code())
        }
        _ => {
            let failure = StartFailure::usage(explanation(&error.render().to_string()));
            report_failure_of(args, &failure)
        }
    }
}

/// The exit code after printing. A closed pipe is not an error: the reader has what it wanted.
pub fn exit_code_of_write(written: io::Result<()>) -> ExitCode {
    match written.and_then(|()| io::stdout().flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => fail_inconclusive(&format!("cannot write to stdout: {error}")),
    }
}

/// Reports that a run could not start or its report could not be written.
pub fn fail_inconclusive(message: &str) -> ExitCode {
    print_error(message);
    ExitCode::from(RunResult::Inconclusive.exit_code())
}

/// Warns about dropped output.
pub fn warn_about_dropped_events(dropped: u64) {
    if dropped > 0 {
        print_to_stderr(&format!(
            "warning: {dropped} event lines were dropped because nobody read them; the report is complete"
        ));
    }
}

/// Prints a line to stderr. If that fails, the exit code still tells.
pub fn print_to_stderr(line: &str) {
    let _ = writeln!(anstream::stderr(), "{}", charset::shown(line));
}

/// Prints what the reader can do, in the style of a failed opening's hint.
pub fn print_hint(hint: &str) {
    print_to_stderr(&format!("{BOLD}hint:{BOLD:#} {hint}"));
}

fn print_error(message: &str) {
    let mut lines = message.lines();
    print_to_stderr(&format!("{RED}error:{RED:#} {}", lines.next().unwrap_or_default()));
    lines.for_each(print_to_stderr);
}

const RED: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();
const BOLD: anstyle::Style = anstyle::Style::new().bold();

/// Prints a document. A write error goes to stderr; a closed pipe is not an error.
fn print(document: &json::ErrorDocument, format: Format) {
    let text = match format {
        Format::Human | Format::Report(_) | Format::Json => json::pretty(document),
        Format::CompactJson | Format::Ndjson => json::compact(document),
    };
    let mut stdout = io::stdout();
    let _ = exit_code_of_write(stdout.write_all(text.as_bytes()));
}

/// clap's message without its header, usage and help pointer. Keeps a tip only if it suggests a similar name: the other
/// tip, to pass a value after `--`, fits none of our arguments.
pub(super) fn explanation(rendered: &str) -> String {
    let text = rendered.strip_prefix("error: ").unwrap_or(rendered);
    let mut parts = text.split("\n\n");
    let message = one_line(parts.next().unwrap_or_default());
    let tips = parts.filter_map(|part| part.trim_start().strip_prefix("tip: ")).map(one_line);
    let similar: Vec<String> = tips.filter(|tip| !tip.starts_with("to pass ")).collect();
    [vec![message], similar].concat().join("; ")
}

/// Joins lines to one.
pub(super) fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The requested format, guessed from arguments that do not parse.
fn guess_format(args: &[OsString]) -> Format {
    let arguments: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    let named = format_named;
    let by_flag = arguments.iter().enumerate().find_map(|(index, word)| match *word {
        "--json" => Some(Format::Json),
        "-o" | "--output" => arguments.get(index + 1).and_then(|name| named(name)),
        word => word.strip_prefix("--output=").or_else(|| word.strip_prefix("-o")).and_then(named),
    });
    by_flag.unwrap_or_default()
}

/// The value of `--color` before a client's own command, or automatic. It is looked for in the arguments as they are, since it
/// also holds for errors that are found while they are parsed.
pub fn guess_color(args: &[OsString]) -> ColorChoice {
    let mut arguments = args.iter().skip(1).filter_map(|arg| arg.to_str()).take_while(|word| *word != "--");
    let mut choice = ColorChoice::Auto;
    while let Some(word) = arguments.next() {
        let value = if word == "--color" { arguments.next() } else { word.strip_prefix("--color=") };
        match value {
            Some("always") => choice = ColorChoice::Always,
            Some("never") => choice = ColorChoice::Never,
            Some("auto") => choice = ColorChoice::Auto,
            Some(_) | None => {}
        }
    }
    choice
}

fn guess_command(args: &[OsString]) -> Option<&str> {
    args.get(1).and_then(|arg| arg.to_str()).filter(|arg| !arg.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(arguments: &[&str]) -> Format {
        let args: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        guess_format(&args)
    }

    #[test]
    fn choice_of_colour_is_known_before_parsing() {
        let choice = |arguments: &[&str]| {
            let args: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            guess_color(&args)
        };
        assert_eq!(choice(&["wscheck", "ping", "--color", "always", "--bogus"]), ColorChoice::Always);
        assert_eq!(choice(&["wscheck", "ping", "--color=never"]), ColorChoice::Never);
        assert_eq!(choice(&["wscheck", "ping", "--color", "auto"]), ColorChoice::Auto);
        assert_eq!(choice(&["wscheck", "ping", "--color", "blue"]), ColorChoice::Auto);
        assert_eq!(choice(&["wscheck", "ping", "--color"]), ColorChoice::Auto);
        assert_eq!(choice(&["wscheck", "test-client", "--", "ls", "--color=always"]), ColorChoice::Auto);
    }

    #[test]
    fn clap_errors_become_one_line() {
        let error_of = |args: &[&str]| {
            let error = crate::cli::command().try_get_matches_from(args).unwrap_err();
            explanation(&error.render().to_string())
        };
        assert_eq!(
            error_of(&["wscheck", "ping"]),
            "the following required arguments were not provided: <URL>..."
        );
        assert_eq!(
            error_of(&["wscheck", "ping", "--no-such-flag", "ws://a/"]),
            "unexpected argument '--no-such-flag' found"
        );
        assert_eq!(
            error_of(&["wscheck", "ping", "--jsom", "ws://a/"]),
            "unexpected argument '--jsom' found; a similar argument exists: '--json'"
        );
        assert_eq!(
            error_of(&["wscheck", "ping", "-o", "xml", "ws://a/"]),
            "invalid value 'xml' for '--output <FORMAT>' [possible values: human, json, ndjson, markdown, \
             html, junit, github, nagios, prometheus]; a similar value exists: 'html'"
        );
        assert_eq!(
            error_of(&["wscheck", "ping", "-i", "-1", "ws://a/"]),
            "invalid value '-1' for '--interval <TIME>': '-1' is not a duration: a duration cannot be \
             negative; write 500ms, 1m30s, 1.5s or a plain number of seconds"
        );
    }

    #[test]
    fn format_is_guessed_from_invalid_arguments() {
        assert_eq!(guess(&["wscheck", "ping", "--json", "-n0"]), Format::Json);
        assert_eq!(guess(&["wscheck", "ping", "-o", "ndjson"]), Format::Ndjson);
        assert_eq!(guess(&["wscheck", "ping", "-ojson"]), Format::Json);
        assert_eq!(guess(&["wscheck", "ping", "--output=json"]), Format::Json);
        assert_eq!(guess(&["wscheck", "ping", "-o"]), Format::Human);
        assert_eq!(guess(&["wscheck"]), Format::Human);
    }
}
