//! What the tests of every command's output share.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anstream::adapter::strip_str;
use serde_json::{Value, json};

use super::envelope::{HostFacts, RunOrigin};
use super::finished_run::FinishedRun;
use super::human::HumanOptions;
use super::json::WSCHECK_VERSION;
use super::listing::{self, Listing};
use super::output_format::Format;
use super::presenter::Presenter;
use super::run_output::RunOutput;
use super::schema::schema;
use super::writer::Writer;
use crate::domain::run::reporter::Reporter;

/// 2026-03-01T12:00:00Z
pub const NOON: Duration = Duration::from_secs(1_772_366_400);
/// What a hostile peer would like to do to a terminal: clear it, retitle it, start a new line, turn the text.
pub const HOSTILE: &str = "bye\x1b[2J\x1b]0;owned\x07\r\nverdict passed\u{202e}";

pub fn us(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

pub fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A writer whose text can be read while a reporter holds it.
#[derive(Clone, Default)]
pub struct SharedBuffer(Arc<Mutex<SharedBufferState>>);

#[derive(Default)]
struct SharedBufferState {
    text: Vec<u8>,
    attempts: usize,
    closes_after: Option<usize>,
}

impl SharedBuffer {
    /// A pipe whose reader goes away after this many writes.
    pub fn that_closes_after(writes: usize) -> SharedBuffer {
        let pipe = SharedBuffer::default();
        pipe.0.lock().unwrap().closes_after = Some(writes);
        pipe
    }

    pub fn writer(&self) -> Writer {
        Box::new(self.clone())
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().text.clone()).unwrap()
    }

    /// How often somebody tried to write.
    pub fn attempts(&self) -> usize {
        self.0.lock().unwrap().attempts
    }
}

impl Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap();
        state.attempts += 1;
        if state.closes_after.is_some_and(|writes| state.attempts > writes) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        state.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Without colour, for a terminal of a hundred columns.
pub const PLAIN: HumanOptions = HumanOptions {
    quiet: false,
    verbose: false,
    color: false,
    stderr_color: false,
    width: Some(100),
    progress: false,
};

/// What went to stdout, and to stderr.
pub type CapturedOutput = (String, String);

fn origin() -> RunOrigin {
    let host = HostFacts {
        os: "linux".to_string(),
        kernel: Some("6.12.0".to_string()),
        arch: "x86_64".to_string(),
        cpus: Some(4),
    };
    RunOrigin { command_line: vec!["ping".to_string(), "ws://a.example/".to_string()], host }
}

/// The scripted run of this name.
pub fn named<E>(runs: Vec<(&'static str, Vec<E>)>, name: &str) -> Vec<E> {
    runs.into_iter().find(|(run, _)| *run == name).map(|(_, events)| events).unwrap()
}

/// The run that these events make.
pub fn finished<P: Presenter>(mut presenter: P, events: &[P::Event]) -> FinishedRun {
    events.iter().for_each(|event| presenter.observe(event));
    let report = events.last().and_then(P::report_in).unwrap();
    FinishedRun::new(origin(), presenter.view(report), presenter.document(report))
}

/// What a format prints of these events.
pub fn show<P: Presenter>(
    presenter: P,
    format: Format,
    options: HumanOptions,
    events: &[P::Event],
) -> CapturedOutput {
    let (stdout, stderr) = (SharedBuffer::default(), SharedBuffer::default());
    let mut output = RunOutput::new(presenter, format, origin(), options, stdout.writer(), stderr.writer());
    events.iter().for_each(|event| output.report(event));
    assert!(output.error().is_none());
    (stdout.text(), stderr.text())
}

/// Both as one text, for a snapshot that outlives this version.
pub fn together((stdout, stderr): CapturedOutput) -> String {
    let stdout = stdout.replace(&format!("\"{WSCHECK_VERSION}\""), "\"[version]\"");
    if stderr.is_empty() { stdout } else { format!("{stdout}\n===== stderr =====\n{stderr}") }
}

/// The documents of a text.
pub fn values(text: &str) -> Vec<Value> {
    serde_json::Deserializer::from_str(text).into_iter().map(Result::unwrap).collect()
}

/// What the schema says of this command alone: events of several commands have the same names.
pub fn validator_of(command: &str) -> jsonschema::Validator {
    let mut schema = schema();
    let is_of_command = |shape: &Value| {
        let title = shape["title"].as_str().unwrap();
        match command {
            "ping" => ["ping: ", "event ", "error document"].iter().any(|prefix| title.starts_with(prefix)),
            // It has the documents of others in its own.
            "run" | "doctor" => title.starts_with(&format!("{command}: ")) || title.ends_with(": document"),
            _ => title.starts_with(command),
        }
    };
    schema["anyOf"].as_array_mut().unwrap().retain(is_of_command);
    jsonschema::draft202012::new(&schema).unwrap()
}

/// Each of these is as the schema says, which lets nothing be left out or added.
pub fn assert_as_the_schema_says(command: &str, printed: &[Value]) {
    let validator = validator_of(command);
    for value in printed {
        let errors: Vec<String> = validator.iter_errors(value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{value}");
        for field in value.as_object().unwrap().keys() {
            let mut broken = value.clone();
            broken.as_object_mut().unwrap().shift_remove(field);
            assert!(!validator.is_valid(&broken), "{field} may be left out of {value}");
        }
        let mut broken = value.clone();
        broken["surprise"] = json!(1);
        assert!(!validator.is_valid(&broken), "anything may be added to {value}");
    }
}

/// Each event that the schema has of this command is among these.
pub fn assert_every_event_is_printed(command: &str, printed: &[Value]) {
    let (schema, prefix) = (schema(), format!("{command}: event "));
    let titles = schema["anyOf"].as_array().unwrap().iter().filter_map(|shape| shape["title"].as_str());
    let names: Vec<&str> = titles.filter_map(|title| title.strip_prefix(&prefix)).collect();
    assert!(!names.is_empty(), "the schema has no event of {command}");
    let is_printed = |name: &&str| printed.iter().any(|value| value["event"] == *name);
    assert_eq!(names.into_iter().filter(|name| !is_printed(name)).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Nothing in it drives a terminal, and with colour it says the same.
pub fn assert_colour_only_repeats(name: &str, plain: &CapturedOutput, colored: &CapturedOutput) {
    let harmless = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
    assert!(harmless(&plain.0) && harmless(&plain.1), "{name}");
    assert_eq!(strip_str(&colored.0).to_string(), plain.0, "{name}");
    assert_eq!(strip_str(&colored.1).to_string(), plain.1, "{name}");
}

/// What holds of every listing: colour only repeats what the words say, it fits the terminal, and the lines of NDJSON match the
/// schema and end with the document.
pub fn assert_is_well_shown(listing: &impl Listing, rows: usize) {
    for width in [60, 80, 100, 120] {
        let plain = listing::show(listing, Format::Human, HumanOptions { width: Some(width), ..PLAIN });
        let colors = HumanOptions { width: Some(width), color: true, ..PLAIN };
        let colored = listing::show(listing, Format::Human, colors);
        assert!(colored.contains('\x1b'));
        assert_eq!(strip_str(&colored).to_string(), plain);
    }
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let ndjson = values(&listing::show(listing, Format::Ndjson, PLAIN));
    for line in &ndjson {
        let errors: Vec<String> = validator.iter_errors(line).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{line}");
    }
    assert_eq!(ndjson.len(), rows + 1);
    assert_eq!(ndjson.last(), values(&listing::show(listing, Format::Json, PLAIN)).last());
}

/// Asserts that a table is not wider than the terminal.
pub fn assert_table_fits(listing: &impl Listing) {
    for width in [60, 80, 100, 120] {
        let text = listing::show(listing, Format::Human, HumanOptions { width: Some(width), ..PLAIN });
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{widest:?} at {width}");
    }
}

/// What a terminal shows after this was typed is the picture of this name in the docs. Dimmed labels are lighter than by
/// default, which is too dark to read on black. `WSCHECK_UPDATE_DOCS=1 cargo test --lib picture_in_docs` writes the pictures.
pub fn assert_is_picture(name: &str, typed: &str, shown: &str) {
    let path = format!("{}/docs/images/{name}.svg", env!("CARGO_MANIFEST_DIR"));
    let light = anstyle::RgbColor(0xd0, 0xd0, 0xd0);
    let term = anstyle_svg::Term::new().fg_color(light.into());
    let picture = term.render_svg(&format!("$ {typed}\n{shown}")).replace("opacity: 0.4", "opacity: 0.6");
    if std::env::var_os("WSCHECK_UPDATE_DOCS").is_some() {
        return std::fs::write(path, picture).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    assert!(kept == picture, "stale: WSCHECK_UPDATE_DOCS=1 cargo test --lib picture_in_docs");
}
