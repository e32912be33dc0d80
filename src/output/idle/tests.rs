//! One set of scripted searches feeds every format.

use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::fixtures::{self, show};
use super::*;
use crate::domain::idle::report::IdleEvent;
use crate::output::golden::assert_kept;
use crate::output::output_format::Format;
use crate::output::testing::{
    PLAIN, assert_as_the_schema_says, assert_colour_only_repeats, assert_every_event_is_printed,
    assert_is_picture, together, values,
};

const COLORED: HumanOptions = HumanOptions { color: true, stderr_color: true, ..PLAIN };

fn shown(format: Format, events: &[IdleEvent]) -> String {
    together(show(format, PLAIN, events))
}

fn json(events: &[IdleEvent]) -> Value {
    serde_json::from_str(&show(Format::Json, PLAIN, events).0).unwrap()
}

/// Everything that every scripted search prints for programs.
fn printed() -> Vec<Value> {
    let texts = fixtures::all()
        .into_iter()
        .flat_map(|(_, events)| [Format::Json, Format::Ndjson].map(|format| show(format, PLAIN, &events).0));
    texts.flat_map(|text| values(&text)).collect()
}

#[test]
fn people_read_the_answer_first() {
    for (name, events) in fixtures::all() {
        insta::assert_snapshot!(format!("{name}.human"), shown(Format::Human, &events));
        let (stdout, _) = show(Format::Human, PLAIN, &events);
        let second = stdout.lines().nth(1).unwrap_or("answer");
        assert!(second.starts_with("answer"), "{name}: {second}");
    }
}

#[test]
fn scripts_read_a_document() {
    for name in ["visible", "refresh", "policy", "unreachable"] {
        let (_, events) = fixtures::all().into_iter().find(|(known, _)| *known == name).unwrap();
        insta::assert_snapshot!(format!("{name}.json"), shown(Format::Json, &events));
    }
}

#[test]
fn every_trial_and_sample_is_a_line_before_the_document() {
    for (name, events) in fixtures::all() {
        let (ndjson, _) = show(Format::Ndjson, PLAIN, &events);
        let lines: Vec<Value> = ndjson.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.last(), Some(&json(&events)), "{name}");
        let trials = lines.iter().filter(|line| line["event"] == "trial").map(|line| line["trial"].clone());
        assert_eq!(Value::from(trials.collect::<Vec<_>>()), json(&events)["trials"], "{name}");
    }
    insta::assert_snapshot!(shown(Format::Ndjson, &fixtures::visible()));
}

#[test]
fn output_matches_schema_and_prints_every_event() {
    let printed = printed();
    assert_as_the_schema_says("probe-idle", &printed);
    assert_every_event_is_printed("probe-idle", &printed);
}

#[test]
fn the_names_that_scripts_rely_on_are_there() {
    let document = json(&fixtures::visible());
    assert_eq!(document["verdict"], "idle_timeout");
    assert_eq!(document["bracket"], json!({ "lo_ms": 59_300.0, "hi_ms": 60_019.0 }));
    assert_eq!(document["recommendation"]["interval_ms"], 44_000.0);
    assert_eq!(document["candidates"][0]["id"], "nginx.proxy_read_timeout");
    assert_eq!(document["cut"]["ending"]["how"], "fin");
    assert_eq!(document["criteria"][0]["state"], "met");
    assert_eq!((&document["exit_code"], &document["error"]), (&json!(0), &Value::Null));
}

#[test]
fn peer_text_is_escaped_and_colour_only_repeats_words() {
    for (name, events) in fixtures::all() {
        let plain = show(Format::Human, PLAIN, &events);
        let colored = show(Format::Human, COLORED, &events);
        assert!(colored.0.contains('\x1b') || colored.1.contains('\x1b'), "{name}");
        assert_colour_only_repeats(name, &plain, &colored);
    }
}

#[test]
fn each_stream_has_its_own_colour() {
    for (name, events) in fixtures::all() {
        let (plain, colored) = (show(Format::Human, PLAIN, &events), show(Format::Human, COLORED, &events));
        let only_stdout = show(Format::Human, HumanOptions { stderr_color: false, ..COLORED }, &events);
        assert_eq!(only_stdout, (colored.0, plain.1), "{name}");
    }
}

#[test]
fn no_line_of_a_report_is_wider_than_the_terminal() {
    for (name, events) in fixtures::all() {
        for width in [60, 80, 120] {
            let (stdout, _) = show(Format::Human, HumanOptions { width: Some(width), ..PLAIN }, &events);
            for line in stdout.lines().filter(|line| line.trim_start().contains(' ')) {
                assert!(line.chars().count() <= width, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn quiet_leaves_the_report_and_the_errors() {
    let quiet = HumanOptions { quiet: true, ..PLAIN };
    let loud = show(Format::Human, PLAIN, &fixtures::visible());
    assert_eq!(show(Format::Human, quiet, &fixtures::visible()), (loud.0, String::new()));
    let unreachable = fixtures::all().pop().unwrap().1;
    let (stdout, stderr) = show(Format::Human, quiet, &unreachable);
    assert_eq!((stdout.as_str(), stderr.matches("error: cannot open ").count()), ("", 1));
}

#[test]
fn a_progress_line_leaves_the_result_as_it_is() {
    let moving = HumanOptions { progress: true, ..PLAIN };
    for format in Format::iter() {
        let events = fixtures::visible();
        assert_eq!(show(format, moving, &events), show(format, PLAIN, &events));
    }
}

#[test]
fn picture_in_docs_is_fresh() {
    let (report, _) = show(Format::Human, COLORED, &fixtures::visible());
    assert_is_picture("probe-idle", "wscheck probe-idle --expect '>=55s' \"$URL\"", &report);
}

#[test]
fn golden_document_keeps_its_fields() {
    assert_kept("probe-idle", IdlePresenter::new(PLAIN), &fixtures::visible());
}
