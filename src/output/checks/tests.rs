//! One scripted run of checks feeds every format.

use serde_json::Value;

use super::fixtures::{run, show};
use super::*;
use crate::output::archive;
use crate::output::golden::assert_kept;
use crate::output::output_format::{Format, ReportFormat};
use crate::output::testing::{
    PLAIN, assert_as_the_schema_says, assert_colour_only_repeats, assert_every_event_is_printed, together,
    values,
};

#[test]
fn people_read_a_line_per_check_and_one_report() {
    insta::assert_snapshot!("human", together(show(Format::Human, PLAIN)));
    let verbose = HumanOptions { verbose: true, ..PLAIN };
    insta::assert_snapshot!("verbose", together(show(Format::Human, verbose)));
}

#[test]
fn the_report_fits_a_narrow_terminal() {
    let narrow = HumanOptions { width: Some(60), ..PLAIN };
    insta::assert_snapshot!("narrow", show(Format::Human, narrow).0);
}

#[test]
fn quiet_keeps_the_report() {
    let (stdout, stderr) = show(Format::Human, HumanOptions { quiet: true, ..PLAIN });
    assert!(stdout.contains("3 of 5 checks passed") && stderr.is_empty(), "{stdout}{stderr}");
}

#[test]
fn documents_are_as_the_schema_says() {
    let (json, ndjson) = (show(Format::Json, PLAIN).0, show(Format::Ndjson, PLAIN).0);
    let (json, ndjson): (Vec<Value>, Vec<Value>) = (values(&json), values(&ndjson));
    assert_eq!(ndjson.last(), json.last());
    let printed = [json, ndjson].concat();
    assert_as_the_schema_says("run", &printed);
    assert_every_event_is_printed("run", &printed);
    assert_kept("run", ChecksPresenter::new(PLAIN), &run());
}

#[test]
fn each_check_keeps_its_own_document() {
    let document = &values(&show(Format::Json, PLAIN).0)[0];
    let checks = document["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 5);
    for check in &checks[..4] {
        assert_eq!(check["report"]["command"], check["command"]);
        assert_eq!(check["report"]["result"], check["result"]);
        assert_eq!(check["not_run"], Value::Null);
    }
    assert_eq!(checks[4]["report"], Value::Null);
    assert_eq!(checks[4]["not_run"]["reason"], "the run was interrupted before it began");
}

#[test]
fn an_archived_run_looks_as_the_run_did() {
    let archived = archive::read(&show(Format::Json, PLAIN).0).unwrap();
    for format in [Format::Report(ReportFormat::Junit), Format::Report(ReportFormat::Prometheus)] {
        assert_eq!(archived.render(format, PLAIN), show(format, PLAIN).0, "{format:?}");
    }
    assert_eq!(archived.render(Format::Human, PLAIN), show(Format::Human, PLAIN).0);
}

#[test]
fn the_moving_line_says_what_runs() {
    let mut presenter = ChecksPresenter::new(PLAIN);
    let lines: Vec<String> = run().iter().filter_map(|event| presenter.progress(event)).collect();
    assert_eq!(lines[0], "0 of 5 checks done");
    assert_eq!(lines[1], "0 of 5 checks done; running: chat");
    assert!(lines[2].starts_with("0 of 5 checks done; chat: sent 3"), "{}", lines[2]);
    assert_eq!(lines.last().unwrap(), "5 of 5 checks done");
}

#[test]
fn peer_text_is_harmless_and_colour_only_repeats_words() {
    let colored = HumanOptions { color: true, stderr_color: true, ..PLAIN };
    assert_colour_only_repeats("run", &show(Format::Human, PLAIN), &show(Format::Human, colored));
}
