//! One scripted run of events feeds every format.

use serde_json::Value;

use super::fixtures::{run, snapshot};
use super::*;
use crate::commands::serve::StatusRenderer;
use crate::output::golden::assert_kept;
use crate::output::output_format::Format;
use crate::output::testing::{
    CapturedOutput, PLAIN, assert_as_the_schema_says, assert_colour_only_repeats,
    assert_every_event_is_printed, show, together, values,
};

fn show_run(format: Format, options: HumanOptions) -> CapturedOutput {
    show(ServePresenter::new(options), format, options, &run())
}

fn shown(format: Format) -> String {
    together(show_run(format, PLAIN))
}

#[test]
fn people_read_a_line_per_event_and_the_summary() {
    insta::assert_snapshot!("human", shown(Format::Human));
}

#[test]
fn json_is_a_document_and_ndjson_a_line_per_event() {
    insta::assert_snapshot!("json", shown(Format::Json));
    insta::assert_snapshot!("ndjson", shown(Format::Ndjson));
    let (json, ndjson) = (values(&shown(Format::Json)), values(&shown(Format::Ndjson)));
    assert_eq!(ndjson.last(), json.last());
}

#[test]
fn status_pages_show_clients_and_metrics() {
    insta::assert_snapshot!("clients", StatusPages.clients(&snapshot()).text);
    insta::assert_snapshot!("metrics", StatusPages.metrics(&snapshot()).text);
}

/// OpenMetrics takes `_total` off a counter's name: the families must still be told apart.
#[test]
fn no_two_metrics_share_a_name() {
    let text = StatusPages.metrics(&snapshot()).text;
    let heads = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let names: Vec<&str> = heads.map(|name| name.trim_end_matches("_total")).collect();
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn output_matches_schema_and_prints_every_event() {
    let texts = [Format::Json, Format::Ndjson].map(|format| show_run(format, PLAIN).0).concat();
    let printed: Vec<Value> = values(&(texts + &StatusPages.clients(&snapshot()).text));
    assert_as_the_schema_says("serve", &printed);
    assert_every_event_is_printed("serve", &printed);
}

#[test]
fn peer_text_is_escaped_and_colour_only_repeats_words() {
    let colored = show_run(Format::Human, HumanOptions { color: true, ..PLAIN });
    assert_colour_only_repeats("serve", &show_run(Format::Human, PLAIN), &colored);
}

#[test]
fn quiet_keeps_errors_and_the_summary() {
    let (quiet, stderr) = show_run(Format::Human, HumanOptions { quiet: true, ..PLAIN });
    let lines: Vec<&str> = quiet.lines().collect();
    assert!(lines[0].ends_with("error: cannot accept a connection: Too many open files"), "{quiet}");
    assert_eq!((lines[1], lines[2]), ("", "--- wss://127.0.0.1:9001/ ---"));
    assert_eq!(stderr, "");
}

#[test]
fn verbose_shows_what_was_received_from_each_client() {
    let (verbose, _) = show_run(Format::Human, HumanOptions { verbose: true, ..PLAIN });
    let ends = verbose.lines().filter(|line| line.contains("ended after"));
    assert!(ends.into_iter().all(|line| line.ends_with("; received 3 messages, 2 pings, 1 app ping")));
}

#[test]
fn progress_counts_clients_by_status() {
    let mut presenter = ServePresenter::new(PLAIN);
    let lines: Vec<String> = run()
        .iter()
        .filter_map(|event| {
            presenter.observe(event);
            presenter.progress(event)
        })
        .collect();
    assert_eq!((lines[0].as_str(), lines[3].as_str()), ("no clients", "1 client: 1 healthy"));
}

#[test]
fn golden_document_keeps_its_fields() {
    assert_kept("serve", ServePresenter::new(HumanOptions::default()), &run());
}
