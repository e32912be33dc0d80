//! One set of scripted runs feeds every format.

use serde_json::{Value, json};

use super::fixtures::{self, show};
use super::*;
use crate::output::golden::assert_kept;
use crate::output::output_format::Format;
use crate::output::testing::{
    PLAIN, assert_as_the_schema_says, assert_colour_only_repeats, assert_every_event_is_printed, together,
    values,
};

fn shown(format: Format, events: &[ListenEvent]) -> String {
    together(show(format, PLAIN, events))
}

fn json(events: &[ListenEvent]) -> Value {
    serde_json::from_str(&show(Format::Json, PLAIN, events).0).unwrap()
}

/// Everything that every scripted run prints for programs.
fn printed() -> Vec<Value> {
    let texts = fixtures::all()
        .into_iter()
        .flat_map(|(_, events)| [Format::Json, Format::Ndjson].map(|format| show(format, PLAIN, &events).0));
    texts.flat_map(|text| values(&text)).collect()
}

#[test]
fn people_read_the_diagnosis_first() {
    for (name, events) in fixtures::all() {
        insta::assert_snapshot!(format!("{name}.human"), shown(Format::Human, &events));
        let (stdout, _) = show(Format::Human, PLAIN, &events);
        let second = stdout.lines().nth(1).unwrap_or("answer");
        assert!(second.starts_with("answer"), "{name}: {second}");
    }
}

#[test]
fn scripts_read_a_document_and_a_line_for_each_thing_said() {
    insta::assert_snapshot!("talked.json", shown(Format::Json, &fixtures::all()[1].1));
    insta::assert_snapshot!("from_its_own.json", shown(Format::Json, &fixtures::from_its_own()));
    insta::assert_snapshot!("pings.ndjson", shown(Format::Ndjson, &fixtures::pings()));
    for (name, events) in fixtures::all() {
        let (ndjson, _) = show(Format::Ndjson, PLAIN, &events);
        let last = ndjson.lines().last().map(|line| serde_json::from_str::<Value>(line).unwrap());
        assert_eq!(last, Some(json(&events)), "{name}");
    }
}

#[test]
fn output_matches_schema_and_prints_every_event() {
    let printed = printed();
    assert_as_the_schema_says("listen", &printed);
    assert_every_event_is_printed("listen", &printed);
}

#[test]
fn the_names_that_scripts_rely_on_are_there() {
    let document = json(&fixtures::pings());
    assert_eq!(
        (&document["verdict"], &document["heartbeat"]),
        (&json!("server_pings_every"), &json!("ping"))
    );
    assert_eq!(document["interval"]["median_ms"], 30_000.0);
    assert_eq!((&document["exit_code"], &document["error"]), (&json!(0), &Value::Null));
}

#[test]
fn peer_text_is_escaped_and_colour_only_repeats_words() {
    for (name, events) in fixtures::all() {
        let plain = show(Format::Human, PLAIN, &events);
        let colored = show(Format::Human, HumanOptions { color: true, ..PLAIN }, &events);
        assert_colour_only_repeats(name, &plain, &colored);
    }
}

#[test]
fn quiet_keeps_the_report_and_progress_keeps_the_result() {
    let events = fixtures::pings();
    let loud = show(Format::Human, PLAIN, &events);
    let quiet = show(Format::Human, HumanOptions { quiet: true, ..PLAIN }, &events);
    assert_eq!(quiet, (loud.0.clone(), String::new()));
    assert_eq!(show(Format::Human, HumanOptions { progress: true, ..PLAIN }, &events), loud);
}

#[test]
fn golden_document_keeps_its_fields() {
    assert_kept("listen", ListenPresenter::new(PLAIN), &fixtures::all()[1].1);
}
