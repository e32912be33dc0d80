//! Parsers and arguments shared by several commands.

use std::path::PathBuf;
use std::time::Duration;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use strum::IntoEnumIterator;

use crate::domain::duration::parse_duration;
use crate::domain::label::Label;
use crate::output::{Format, ReportFormat};

/// A duration above zero.
pub fn positive_duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err("it must be above zero".to_string()),
        duration => Ok(duration),
    }
}

/// A parser of whole numbers from one to `max`.
pub fn up_to<T: TryFrom<u64>>(max: u64) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync {
    move |text| {
        let number = text.parse::<u64>().ok().filter(|number| (1..=max).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| {
            let is_below = text.bytes().any(|byte| !byte.is_ascii_digit()) || text.parse() == Ok(0_u64);
            match max {
                NO_USEFUL_MAX.. if is_below || text.is_empty() => {
                    "it must be a whole number of at least 1".to_string()
                }
                max => format!("it must be a whole number from 1 to {max}"),
            }
        })
    }
}

/// Maximums from here on are those of a type: only those who exceed them need to know them.
const NO_USEFUL_MAX: u64 = u32::MAX as u64;

/// The error for an argument that has no effect without another.
pub fn no_effect_without(flag: &str, needed: &str) -> String {
    format!("{flag} has no effect without {needed}")
}

/// A size in bytes: `65536`, `64KiB` or `16MB`.
pub fn byte_size(text: &str) -> Result<usize, String> {
    let size: bytesize::ByteSize =
        text.parse().map_err(|_| "it must be a size such as 65536, 64KiB or 16MB")?;
    match usize::try_from(size.as_u64()) {
        Ok(size) if size > 0 => Ok(size),
        _ => Err("it must be above zero".to_string()),
    }
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    Always,
    Never,
}

impl Color {
    /// Whether to use colour on stdout.
    pub(super) fn on_stdout(self) -> bool {
        self.on(&std::io::stdout())
    }

    /// Whether to use colour on stderr.
    pub(super) fn on_stderr(self) -> bool {
        self.on(&std::io::stderr())
    }

    fn on(self, stream: &impl RawStream) -> bool {
        match self {
            Color::Auto => AutoStream::choice(stream) != ColorChoice::Never,
            Color::Always => true,
            Color::Never => false,
        }
    }
}

/// The output format.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct FormatArgs {
    /// Output format on stdout: text (human), one document at the end (json), one event per line with the document last
    /// (ndjson), or a report: markdown, html, junit (XML), github (annotations), nagios (a plugin's output and exit codes),
    /// prometheus (text format)
    #[arg(short, long, value_name = "FORMAT", default_value = "human", value_parser = format_parser(),
          hide_possible_values = true)]
    pub output: Format,
    /// Short for -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Print the JSON document on one line
    #[arg(long)]
    pub compact: bool,
}

/// Output options of a run.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    #[command(flatten)]
    pub format: FormatArgs,
    /// Print only the report, no live lines; of several targets only the table and the result
    #[arg(short, long)]
    pub quiet: bool,
    /// Also print what the other end sends, and the details of each of several targets
    #[arg(short, long, conflicts_with = "quiet")]
    pub verbose: bool,
    /// Also write a report in this format to a file: junit=wscheck.xml (repeatable; formats as of -o; github needs no file
    /// and then writes to stderr)
    #[arg(long, value_name = "FORMAT=FILE", value_parser = report_option)]
    pub report: Vec<ReportOption>,
    /// Write frames, events, search orders and inferences to this file, as NDJSON, for a bug report
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Use colour
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

impl FormatArgs {
    /// The chosen format.
    pub fn chosen(&self) -> Format {
        match if self.json { Format::Json } else { self.output } {
            Format::Json if self.compact => Format::CompactJson,
            format => format,
        }
    }

    /// Rejects `--compact` where no document is printed.
    pub fn check(&self) -> Result<(), String> {
        let is_json = matches!(self.chosen(), Format::Json | Format::CompactJson);
        if self.compact && !is_json { Err(no_effect_without("--compact", "-o json")) } else { Ok(()) }
    }
}

/// A further report: its format, and its file unless it goes to stderr.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOption {
    pub format: Format,
    pub path: Option<PathBuf>,
}

pub(super) fn report_option(text: &str) -> Result<ReportOption, String> {
    let (name, path) = text.split_once('=').map_or((text, None), |(name, path)| (name, Some(path)));
    let known = || format_names().collect::<Vec<_>>().join(", ");
    let format =
        format_named(name).ok_or_else(|| format!("'{name}' is not a format: known are {}", known()))?;
    match (path, format) {
        (Some(""), _) | (None, _) if format != GITHUB => {
            Err(format!("'{text}' names no file: write {name}=FILE"))
        }
        (Some("-"), _) => Err(format!("'{text}': - is no file; -o {name} prints to stdout")),
        (path, _) => {
            Ok(ReportOption { format, path: path.filter(|path| !path.is_empty()).map(PathBuf::from) })
        }
    }
}

const GITHUB: Format = Format::Report(ReportFormat::Github);

/// Every format that has a name.
fn formats() -> impl Iterator<Item = Format> + Clone {
    Format::iter().chain(ReportFormat::iter().map(Format::Report))
}

fn format_names() -> impl Iterator<Item = &'static str> {
    formats().map(Format::name)
}

/// The format of this name.
pub(super) fn format_named(name: &str) -> Option<Format> {
    formats().find(|format| format.name() == name)
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(format_names()).map(|name| format_named(&name).unwrap_or_default())
}

/// The terminal's width in columns, if stdout is a terminal.
pub(super) fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0))
}

/// Reads a value by its label; completions and errors list the labels.
pub(super) fn label_parser<T>() -> impl TypedValueParser<Value = T>
where
    T: Label + IntoEnumIterator + Default + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(T::iter().map(|value| value.label()))
        .map(|name| T::iter().find(|value| value.label() == name).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn out_of_range_number_is_told_both_bounds() {
        let parse = up_to::<u32>(100_000);
        assert_eq!((parse("1"), parse("100000")), (Ok(1), Ok(100_000)));
        for text in ["0", "100001", "4294967296", "99999999999999999999", "-1", "1.5", "x", ""] {
            assert_eq!(parse(text), Err("it must be a whole number from 1 to 100000".to_string()), "{text}");
        }
        let at_least_1 = Err("it must be a whole number of at least 1".to_string());
        for text in ["0", "-1", "x", ""] {
            assert_eq!(up_to::<u64>(u64::MAX)(text), at_least_1, "{text}");
        }
        assert!(up_to::<u32>(u32::MAX.into())("4294967296").unwrap_err().ends_with("from 1 to 4294967295"));
    }
}
