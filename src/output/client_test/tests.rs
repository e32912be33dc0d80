//! Scripted runs of events feed every format.

use serde_json::Value;

use super::fixtures::{matrix, never_connects, single};
use super::*;
use crate::output::golden::assert_kept;
use crate::output::output_format::{Format, ReportFormat};
use crate::output::testing::{
    CapturedOutput, PLAIN, assert_as_the_schema_says, assert_colour_only_repeats,
    assert_every_event_is_printed, show, together, values,
};

fn show_run(format: Format, options: HumanOptions, events: &[TestClientEvent]) -> CapturedOutput {
    show(ClientTestPresenter::new(options), format, options, events)
}

fn shown(format: Format, events: &[TestClientEvent]) -> String {
    together(show_run(format, PLAIN, events))
}

#[test]
fn people_read_the_steps_and_the_verdict() {
    insta::assert_snapshot!("matrix.human", shown(Format::Human, &matrix()));
    insta::assert_snapshot!("single.human", shown(Format::Human, &single()));
    insta::assert_snapshot!("never_connects.human", shown(Format::Human, &never_connects()));
    let verbose = HumanOptions { verbose: true, ..PLAIN };
    insta::assert_snapshot!("matrix.verbose", show_run(Format::Human, verbose, &matrix()).0);
}

#[test]
fn json_is_a_document_and_ndjson_a_line_per_event() {
    insta::assert_snapshot!("matrix.json", shown(Format::Json, &matrix()));
    insta::assert_snapshot!("matrix.ndjson", shown(Format::Ndjson, &matrix()));
}

#[test]
fn junit_has_a_case_for_each_fault() {
    insta::assert_snapshot!("matrix.junit", shown(Format::Report(ReportFormat::Junit), &matrix()));
}

#[test]
fn output_matches_schema_and_prints_every_event() {
    let texts = [Format::Json, Format::Ndjson].map(|format| show_run(format, PLAIN, &matrix()).0).concat();
    let printed: Vec<Value> = values(&texts);
    assert_as_the_schema_says("test-client", &printed);
    assert_every_event_is_printed("test-client", &printed);
}

#[test]
fn peer_text_is_escaped_and_colour_only_repeats_words() {
    let colored = show_run(Format::Human, HumanOptions { color: true, ..PLAIN }, &matrix());
    assert_colour_only_repeats("test-client", &show_run(Format::Human, PLAIN, &matrix()), &colored);
}

#[test]
fn quiet_keeps_the_report() {
    let (quiet, stderr) = show_run(Format::Human, HumanOptions { quiet: true, ..PLAIN }, &single());
    assert!(quiet.starts_with("--- node client.mjs {url} ---\n"), "{quiet}");
    assert_eq!(stderr, "");
}

#[test]
fn progress_counts_the_tested_faults() {
    let mut presenter = ClientTestPresenter::new(PLAIN);
    let mut last = None;
    for event in matrix() {
        presenter.observe(&event);
        last = presenter.progress(&event);
    }
    assert_eq!(last.as_deref(), Some("2 of 2 faults tested"));
}

#[test]
fn golden_document_keeps_its_fields() {
    assert_kept("test-client", ClientTestPresenter::new(HumanOptions::default()), &matrix());
}
