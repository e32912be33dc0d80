//! One set of scripted runs feeds every format.

use std::sync::Arc;

use anstream::adapter::strip_str;
use strum::IntoEnumIterator;

use super::fixtures::{self, show};
use super::log::{MAX_SHOWN_STATUS_CHANGES, MAX_SHOWN_STRAYS, NO_MORE_STATUS_CHANGES};
use crate::domain::label::Label;
use crate::domain::ping::event::{ConnEvent, ConnId, Event, StatusChange};
use crate::domain::ping::health::Status;
use crate::domain::ping::run_info::RunInfo;
use crate::output::golden::assert_kept;
use crate::output::human::HumanOptions;
use crate::output::output_format::Format;
use crate::output::presenter::Presenter;
use crate::output::testing::together;

const PLAIN: HumanOptions = HumanOptions {
    quiet: false,
    verbose: false,
    color: false,
    stderr_color: false,
    width: None,
    progress: false,
};
const COLORED: HumanOptions = HumanOptions { color: true, stderr_color: true, ..PLAIN };

fn stdout(options: HumanOptions, events: &[Event]) -> String {
    show(Format::Human, options, events).0
}

#[test]
fn without_colour_there_are_no_escapes_whatever_a_peer_says() {
    for (name, events) in fixtures::all() {
        let (stdout, stderr) = show(Format::Human, PLAIN, &events);
        let harmless = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
        assert!(harmless(&stdout) && harmless(&stderr), "{name}");
    }
}

#[test]
fn colour_only_repeats_what_the_words_say() {
    for (name, events) in fixtures::all() {
        let plain = show(Format::Human, PLAIN, &events);
        let colored = show(Format::Human, COLORED, &events);
        assert!(colored.0.contains('\x1b') || colored.1.contains('\x1b'), "{name}");
        assert_eq!(strip_str(&colored.0).to_string(), plain.0, "{name}");
        assert_eq!(strip_str(&colored.1).to_string(), plain.1, "{name}");
    }
}

#[test]
fn each_stream_has_its_own_colour() {
    for (name, events) in fixtures::all() {
        let (plain, colored) = (show(Format::Human, PLAIN, &events), show(Format::Human, COLORED, &events));
        let one = show(Format::Human, HumanOptions { stderr_color: false, ..COLORED }, &events);
        assert_eq!(one, (colored.0, plain.1), "{name}");
    }
}

#[test]
fn quiet_shows_only_the_summary() {
    let events = fixtures::dead();
    let loud = stdout(PLAIN, &events);
    let quiet = stdout(HumanOptions { quiet: true, ..PLAIN }, &events);
    assert!(quiet.starts_with("--- ws://127.0.0.1:9001/ ---\nanswer "), "{quiet}");
    assert!(loud.ends_with(&format!("\n\n{quiet}")));
}

#[test]
fn quiet_still_says_why_a_connection_did_not_open() {
    let (stdout, stderr) =
        show(Format::Human, HumanOptions { quiet: true, ..PLAIN }, &fixtures::unreachable());
    assert_eq!(stdout, "");
    assert!(stderr.starts_with("error: cannot open "), "{stderr}");
}

#[test]
fn status_changes_show_once_and_first_healthy_never() {
    let text = stdout(PLAIN, &fixtures::both_change());
    let status_lines: Vec<&str> = text.lines().filter(|line| line.contains("status: ")).collect();
    assert_eq!(status_lines, ["app status: healthy -> poor: slow", "app status: poor -> healthy: fast"]);
}

#[test]
fn a_progress_line_leaves_the_result_as_it_is() {
    let events = fixtures::several();
    assert_eq!(stdout(HumanOptions { progress: true, ..PLAIN }, &events), stdout(PLAIN, &events));
}

#[test]
fn a_flood_of_stray_pongs_is_not_a_flood_of_lines() {
    let text = stdout(PLAIN, &fixtures::stray_flood(1000));
    assert_eq!(text.matches("stray").count(), MAX_SHOWN_STRAYS as usize);
}

/// Twelve connections, on each of which the same happens again and again.
fn many(each: impl Fn(usize) -> Vec<ConnEvent>) -> String {
    let Some(Event::Started { at, info }) = fixtures::healthy().into_iter().next() else {
        panic!("no start")
    };
    let info = Arc::new(RunInfo { connections_each: 12, ..RunInfo::clone(&info) });
    let mut events = vec![Event::Started { at, info }];
    for round in 0..10 {
        for index in 0..12 {
            let id = ConnId { target: 0, index };
            events.extend(each(round).into_iter().map(|event| Event::Connection { id, at, event }));
        }
    }
    let (stdout, stderr) = show(Format::Human, PLAIN, &events);
    stdout + &stderr
}

fn change(from: Status, to: Status) -> ConnEvent {
    let (reason, metrics) = ("so".to_string(), crate::domain::ping::health::StatusMetrics::default());
    ConnEvent::Status(StatusChange { kind: None, from, to, reason, metrics })
}

#[test]
fn many_connections_show_only_a_few_grave_changes() {
    let swing = [Status::Healthy, Status::Degraded];
    let slow = many(|round| vec![change(swing[(round + 1) % 2], swing[round % 2])]);
    assert_eq!(slow.lines().count(), 1, "{slow}");
    let swing = [Status::Healthy, Status::Timeout];
    let gone = many(|round| vec![change(swing[(round + 1) % 2], swing[round % 2])]);
    assert_eq!(gone.matches("status: ").count(), MAX_SHOWN_STATUS_CHANGES as usize, "{gone}");
    assert_eq!((gone.matches(NO_MORE_STATUS_CHANGES).count(), gone.lines().count()), (1, 22), "{gone}");
}

#[test]
fn of_several_targets_a_table_comes_first_and_details_when_asked() {
    let text = stdout(PLAIN, &fixtures::many_targets(6));
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("wss://node")).collect();
    assert!(rows.len() == 6 && rows[0].starts_with("wss://node5.example/"), "the worst comes first: {text}");
    assert!(!text.contains("--- wss") && text.contains("--verbose shows"), "{text}");
    let verbose = stdout(HumanOptions { verbose: true, ..PLAIN }, &fixtures::many_targets(6));
    assert_eq!(verbose.matches("--- wss").count(), 6, "{verbose}");
    let quiet = stdout(HumanOptions { quiet: true, ..PLAIN }, &fixtures::many_targets(6));
    assert!(quiet.contains("wss://node5") && !quiet.contains("timestamps"), "{quiet}");
}

#[test]
fn no_line_of_a_summary_is_wider_than_the_terminal() {
    for (name, events) in fixtures::all() {
        for width in [60, 80, 100] {
            let options = HumanOptions { quiet: true, width: Some(width), ..PLAIN };
            for line in stdout(options, &events).lines().filter(|line| line.contains(' ')) {
                let hanging = line.trim_start().contains(' ');
                assert!(!hanging || line.chars().count() <= width, "{name} at {width}: {line}");
            }
        }
    }
}

#[test]
fn a_table_fits_the_terminal() {
    let table = |width: usize| {
        let options = HumanOptions { quiet: true, width: Some(width), ..PLAIN };
        let text = stdout(options, &fixtures::several());
        let from = text.find("target ").unwrap();
        let to = from + text[from..].find("\n\n").unwrap();
        text[from..to + 2].to_string()
    };
    insta::assert_snapshot!([40, 60, 80, 120].map(table).join(""));
}

#[test]
fn every_format_shows_the_same_scripted_runs() {
    for (name, events) in fixtures::all() {
        for format in Format::iter() {
            insta::assert_snapshot!(
                format!("{name}.{}", format.label()),
                together(fixtures::show(format, HumanOptions::default(), &events))
            );
        }
    }
}

#[test]
fn the_last_line_of_ndjson_is_the_document_of_json() {
    for (name, events) in fixtures::all() {
        let (json, _) = fixtures::show(Format::Json, HumanOptions::default(), &events);
        let (ndjson, _) = fixtures::show(Format::Ndjson, HumanOptions::default(), &events);
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(parsed(ndjson.lines().last().unwrap()), parsed(&json), "{name}");
        assert!(ndjson.ends_with('\n') && json.ends_with('\n'));
    }
}

/// A summary in which the connection was lost this often and ended like this.
fn summary_after_losses(losses: u32, ended_as_planned: bool) -> String {
    let mut events = fixtures::reconnect();
    let Some(Event::Finished(report)) = events.last_mut() else { panic!("no report") };
    let connection = &mut report.targets[0].connections[0];
    connection.unplanned_endings = losses;
    if !ended_as_planned {
        connection.ending = connection.lost.clone();
    }
    stdout(HumanOptions { quiet: true, ..PLAIN }, &events)
}

#[test]
fn planned_end_is_no_unplanned_close() {
    let lost = "peer sent close 1012 (service restart) \"deploying\"";
    let planned = summary_after_losses(3, true);
    let (ended, loss) = planned.split_once("last loss    ").unwrap();
    assert!(
        ended.contains("ended        wscheck sent close 1000") && !ended.contains("unplanned closes)"),
        "{ended}"
    );
    let loss = loss.lines().next().unwrap();
    assert!(loss.starts_with(lost) && loss.ends_with(" (the last of 3 unplanned closes)"), "{loss}");
    let lost_at_last = summary_after_losses(3, false);
    assert!(lost_at_last.contains(&format!("ended        {lost}")), "{lost_at_last}");
    assert!(
        lost_at_last.contains(" (the last of 3 unplanned closes)") && !lost_at_last.contains("last loss")
    );
    assert!(!summary_after_losses(1, true).contains("the last of"));
}

#[test]
fn golden_document_keeps_its_fields() {
    assert_kept("ping", super::PingPresenter::new(PLAIN), &fixtures::slow_app());
}

/// A run of `demo` that was archived.
#[test]
fn picture_in_docs_is_fresh() {
    let run = crate::output::archive::read(include_str!("../../../docs/images/demo.json")).unwrap();
    let shown = run.render(Format::Human, HumanOptions { color: true, ..PLAIN });
    crate::output::testing::assert_is_picture("demo", "wscheck demo", &shown);
}
