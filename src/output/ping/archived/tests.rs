//! What was written is read again, and what anybody may write is an error that names the field.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{read_run, replay};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply, ClosedBy, Violation};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::substitutes::{OtherPayload, Substitute};
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::ping::event::Event;
use crate::domain::ping::held_back::HeldBack;
use crate::domain::ping::merge::RunMerger;
use crate::domain::ping::report::{ConnReport, KindReport, MergeableRtts, PingReport};
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::domain::ping::verdict::PassCriteria;
use crate::domain::run::run_result::RunResult;
use crate::domain::stats::{JitterSummary, Rtts, decoded};
use crate::output::envelope::RunOrigin;
use crate::output::output_format::Format;
use crate::output::ping::{finished, fixtures};
use crate::output::testing::PLAIN;

/// The scripted runs, with RTTs that can be merged.
fn scripted() -> Vec<(&'static str, PingReport)> {
    let report = |(name, events): (&'static str, Vec<Event>)| {
        let report = events.into_iter().find_map(|event| match event {
            Event::Finished(report) => Some(mergeable(PingReport::clone(&report))),
            _ => None,
        });
        Some((name, report?))
    };
    fixtures::all().into_iter().filter_map(report).collect()
}

/// The scripts give only figures: makes RTTs of the same number, minimum and maximum.
fn mergeable(mut report: PingReport) -> PingReport {
    let of_targets = report.targets.iter_mut().flat_map(|target| &mut target.kinds);
    report.kinds.iter_mut().chain(of_targets).for_each(give_rtts);
    report
}

fn give_rtts(figures: &mut KindReport) {
    let answered = figures.counts.answered();
    let Some(rtt) = figures.rtt.filter(|_| answered > 0) else { return };
    let mut rtts = Rtts::default();
    (1..answered).for_each(|_| rtts.record(rtt.min));
    rtts.record(rtt.max);
    let pooled = MergeableRtts { rtts, ..MergeableRtts::default() };
    figures.rtt = pooled.rtts.summary();
    figures.jitter = JitterSummary::new(pooled.rtts.moments(), &pooled.differences);
    figures.histogram = pooled.rtts.bars();
    figures.pooled = Some(Arc::new(pooled));
}

fn document(report: &PingReport) -> Value {
    finished(RunOrigin::default(), report).document
}

fn read(document: &Value) -> Result<PingReport, String> {
    read_run(&document.to_string(), "a.json", false).map_err(|error| error.to_string())
}

/// The document without what merging adds, and what the rules make again.
fn kept(mut document: Value) -> Value {
    let fields = document.as_object_mut().unwrap();
    for made_again in
        ["view", "runs", "result", "exit_code", "reasons", "criteria", "findings", "status", "status_reason"]
    {
        fields.remove(made_again);
    }
    for made_again in ["last_status", "status_counts", "worst", "done", "elapsed_ms", "metrics"] {
        fields.remove(made_again);
    }
    for target in fields["targets"].as_array_mut().unwrap() {
        ["status", "status_reason", "last_status"].iter().for_each(|name| target[name] = Value::Null);
        let connections = target["connections"].as_array_mut().unwrap();
        connections.iter_mut().for_each(|connection| connection["origin"] = Value::Null);
    }
    document
}

/// Where two documents differ.
fn differ(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            for (name, value) in a {
                differ(&format!("{path}/{name}"), value, &b[name], found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(n, (a, b))| differ(&format!("{path}/{n}"), a, b, found));
        }
        (one, other) if one == other => {}
        // The head of a histogram says how far it could count, too.
        (Value::String(a), Value::String(b)) if decoded(a).is_some() && decoded(a) == decoded(b) => {}
        (one, other) => found.push(format!("{path}: {one} and {other}")),
    }
}

#[test]
fn scripted_runs_are_read_as_they_were() {
    for (name, report) in scripted() {
        let written = document(&report);
        let read = read(&written).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut differences = Vec::new();
        differ("", &kept(written), &kept(document(&read)), &mut differences);
        assert_eq!(differences, Vec::<String>::new(), "{name}");
        assert_eq!(read.timeline.intervals.len(), report.timeline.intervals.len(), "{name}");
        assert_eq!(read.timestamps(), report.timestamps(), "{name}");
    }
}

#[test]
fn run_by_itself_is_judged_as_it_was() {
    let report = &scripted()[0].1;
    let read = read(&document(report)).unwrap();
    let policy = PassCriteria::of(&read.info.demands).unwrap();
    let judged = RunMerger::new(read).unwrap().judged(&policy);
    assert_eq!(
        (judged.verdict, judged.status, judged.elapsed),
        (report.verdict, report.status, report.elapsed)
    );
    assert_eq!(judged.kinds[0].rtt, report.kinds[0].rtt);
}

/// A report whose first connection is changed.
fn with(change: impl FnOnce(&mut ConnReport)) -> PingReport {
    let mut report = scripted().remove(0).1;
    change(&mut report.targets[0].connections[0]);
    report
}

fn assert_connection_is_kept(report: &PingReport) {
    let connection = |report: &PingReport| ConnReport {
        origin: None,
        kinds: Vec::new(),
        ..report.targets[0].connections[0].clone()
    };
    assert_eq!(connection(&read(&document(report)).unwrap()), connection(report));
}

#[test]
fn every_way_to_end_is_kept() {
    let text = || UntrustedText::new("why\x1b[2J");
    let close = || Some(Box::default());
    let violation = |close| CloseKind::Violation { rule: Violation::Garbage, detail: text(), close };
    let ways = [
        CloseKind::CloseFrame { code: Some(1001), reason: text() },
        CloseKind::CloseFrame { code: None, reason: UntrustedText::default() },
        CloseKind::TlsAlert { alert: text() },
        CloseKind::TooLarge { size: 17, limit: 16 },
        violation(None),
        CloseKind::Silent,
        CloseKind::Timeout,
    ];
    let replies = [
        None,
        Some(CloseReply::Fin),
        Some(CloseReply::Broken("then no".to_string())),
        Some(CloseReply::Nothing { waited: Duration::from_secs(1) }),
        Some(CloseReply::NotSent),
    ];
    for how in ways {
        for reply in &replies {
            let report = with(|connection| {
                let ending = CloseCause {
                    who: ClosedBy::Peer,
                    how: how.clone(),
                    reply: reply.clone(),
                    ..CloseCause::clone(connection.ending.as_ref().unwrap())
                };
                (connection.ending, connection.lost) =
                    (Some(Arc::new(ending.clone())), Some(Arc::new(ending)));
                connection.answered_until = Some(Duration::from_millis(1_234));
            });
            assert_connection_is_kept(&report);
        }
    }
    // A close frame that was empty has neither code nor reason in the document.
    let report = with(|connection| {
        let ending =
            CloseCause { how: violation(close()), ..CloseCause::clone(connection.ending.as_ref().unwrap()) };
        connection.ending = Some(Arc::new(ending));
    });
    assert!(read(&document(&report)).is_ok());
}

#[test]
fn every_kind_of_server_traffic_is_kept() {
    let text = || UntrustedText::new("{\"a\":1}\\");
    let foreign = OtherPayload::Foreign(text());
    let substitutes = [
        Substitute::Pings { count: 2 },
        Substitute::Messages { count: 3, sample: text() },
        Substitute::Pongs { count: 1, payload: OtherPayload::Empty },
        Substitute::Pongs { count: 1, payload: OtherPayload::Truncated { bytes: 2, of: 8 } },
        Substitute::Pongs { count: 1, payload: OtherPayload::Extended { bytes: 9, of: 8 } },
        Substitute::Pongs { count: 1, payload: foreign },
    ];
    let parts = [
        IncompletePart::Head { bytes: 1 },
        IncompletePart::Frame { received: 1, size: 9 },
        IncompletePart::Message { fragments: 2, bytes: 30 },
        IncompletePart::Record,
    ];
    for (substitute, part) in substitutes.into_iter().zip(parts.iter().cycle()) {
        let traffic = ServerTraffic {
            intervals: Vec::new(),
            first_other: Some(text()),
            looks_like: vec!["graphql-ws"],
            nearest: Some(NearestMessage {
                message: text(),
                difference: Difference { agreeing: 7, points: vec!["`type` is missing".to_string()] },
            }),
            foreign: Some(text()),
            last: Some(text()),
            substitute: Some(substitute),
            incomplete: Some(IncompleteData { part: *part, since: Duration::from_secs(4) }),
            ended_after_ping: Some(Duration::from_millis(7)),
            held_back: Some(HeldBack::delayed(Duration::from_millis(9), ExhaustedWindow::Both)),
        };
        assert_connection_is_kept(&with(|connection| connection.server_traffic = Some(Arc::new(traffic))));
    }
}

/// The error of a document with one value changed.
fn error_with(pointer: &str, value: Value) -> String {
    let mut document = document(&scripted().remove(0).1);
    *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    read(&document).expect_err(pointer)
}

#[test]
fn error_names_the_field() {
    let cases = [
        ("/heartbeats/protocol/ok", json!(-1), "heartbeats.protocol.ok: invalid value: integer `-1`"),
        (
            "/heartbeats/protocol/ok",
            json!(1e15 as u64),
            "heartbeats.protocol.ok: 1000000000000000 is too many",
        ),
        ("/heartbeats/protocol/ok", json!(4), "heartbeats.protocol.rtt_histogram: it holds 5 of 4 RTTs"),
        (
            "/targets/0/heartbeats/protocol/rtt_histogram/data",
            json!("AAAA"),
            "targets[0].heartbeats.protocol.rtt_histogram: it is no histogram of wscheck",
        ),
        (
            "/heartbeats/protocol/rtt_histogram",
            json!(null),
            "heartbeats.protocol.rtt_histogram: it is missing, although heartbeats were answered",
        ),
        ("/heartbeats/protocol/unrounded/mean_ns", json!(-5.0), "no RTTs have such a mean"),
        (
            "/heartbeats/protocol/unrounded/ipdv_mean_ns",
            json!(-5.0),
            "heartbeats.protocol.unrounded: no differences",
        ),
        ("/elapsed_ms", json!(-5), "elapsed_ms: -5 is no duration in milliseconds"),
        ("/elapsed_ms", json!(1e300), "is no duration in milliseconds"),
        ("/started_at", json!("yesterday\u{1b}"), "started_at: 'yesterday\\u{1b}' is no time of RFC 3339"),
        (
            "/targets/0/connection_count",
            json!(2),
            "targets[0].connection_count: it is 2, and 1 are described",
        ),
        ("/targets/0/connections/0/index", json!(1), "targets[0].connections[0].index: 1 is not below"),
        (
            "/targets/0/connections/0/stands_for",
            json!(0),
            "targets[0].connections[0].stands_for: 0 is no number",
        ),
        (
            "/targets/0/connections/0/status",
            json!("fine"),
            "targets[0].connections[0].status: 'fine' is none of",
        ),
        (
            "/targets/0/connections/0/ending/how",
            json!("violation"),
            "targets[0].connections[0].ending.violation: it is missing",
        ),
        ("/measurement", json!("suspect"), "measurement: it is suspect, and no finding"),
        ("/settings", json!(7), "settings: invalid type"),
    ];
    for (pointer, value, expected) in cases {
        let error = error_with(pointer, value);
        assert!(error.contains(expected), "{pointer}: {error}");
    }
}

#[test]
fn interim_line_is_a_run_that_was_cut_off() {
    let report = scripted().remove(0).1;
    let line = json!({ "event": "interim", "report": document(&report) }).to_string();
    let read = read_run(&line, "a.ndjson", true).unwrap();
    let cut_short = read.cut_short();
    assert!(read.interrupted);
    assert_eq!(cut_short.as_deref(), Some("a.ndjson: the run was cut off"));
}

/// Values that anybody might write instead.
fn odd_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (0_u64..5).prop_map(Value::from),
        "[a-z0-9\u{1b}:+-]{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
    ]
}

/// The places of all values in a document.
fn places(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| places(value, format!("{path}/{name}"), found));
        }
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(n, value)| places(value, format!("{path}/{n}"), found));
        }
        _ => {}
    }
    found.push(path);
}

/// The documents of the scripted runs.
static DOCUMENTS: LazyLock<Vec<Value>> =
    LazyLock::new(|| scripted().iter().map(|(_, report)| document(report)).collect());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No document makes it panic: it is read and shown in every way, or it is an error.
    #[test]
    fn no_document_panics(
        script in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), odd_value()), 1..4),
    ) {
        let original = script.get(&DOCUMENTS);
        let mut changed = original.clone();
        for (place, value) in changes {
            let mut all = Vec::new();
            // What a reader leaves out is not worth a change.
            let read = changed.as_object().unwrap().iter();
            let read = read.filter(|(name, _)| !["view", "metrics", "criteria"].contains(&name.as_str()));
            read.for_each(|(name, value)| places(value, format!("/{name}"), &mut all));
            if let Some(found) = changed.pointer_mut(&all[place.index(all.len())]) {
                *found = value;
            }
        }
        let Ok(mut run) = read(&changed) else { return Ok(()) };
        run.merged.0.iter_mut().for_each(|source| source.host += " (changed)");
        let Ok(policy) = PassCriteria::of(&run.info.demands) else { return Ok(()) };
        let mut merger = RunMerger::new(run).unwrap();
        let _ = merger.add(read(original).unwrap());
        let judged = merger.judged(&policy);
        let shown = finished(RunOrigin::default(), &judged);
        for format in [crate::output::Format::Human, crate::output::Format::Json] {
            prop_assert!(!shown.render(format, Default::default()).is_empty());
        }
        prop_assert!(read(&shown.document).is_ok(), "{:?}", read(&shown.document).err());
    }
}

/// The lines of a scripted run without its document, as a run leaves them that is killed.
fn killed(events: &[Event]) -> String {
    let (text, _) = fixtures::show(Format::Ndjson, PLAIN, events);
    let lines: Vec<&str> = text.lines().collect();
    lines[..lines.len() - 1].join("\n") + "\n"
}

#[test]
fn events_of_a_killed_run_are_recorded_again() {
    let text = killed(&fixtures::reconnect());
    let report = replay(&text).unwrap().unwrap();
    let connection = &report.targets[0].connections[0];
    assert_eq!((report.kinds[0].counts.ok, connection.reconnects, connection.unplanned_endings), (3, 1, 1));
    assert_eq!(connection.outage, Some(Duration::from_millis(1563)));
    assert_eq!(connection.opened.as_ref().unwrap().remote.as_deref(), Some("127.0.0.1:9001"));
    assert_eq!(report.history.outages.len(), 1);
    assert!(report.interrupted && report.verdict == RunResult::Failed, "{:?}", report.verdict);
    let document = crate::output::ping::cut_off(&report).document;
    assert_eq!((&document["host"], &document["command_line"]), (&Value::Null, &Value::Null), "nobody knows");
    let healthy = replay(&killed(&fixtures::healthy())).unwrap().unwrap();
    assert_eq!(healthy.verdict, RunResult::Interrupted { measured: true }, "nobody knows what came after");
}

#[test]
fn every_scripted_run_can_be_replayed() {
    for (name, events) in fixtures::all() {
        let report = replay(&killed(&events)).unwrap();
        assert!(report.is_ok(), "{name}: {}", report.unwrap_err());
    }
}

#[test]
fn half_a_line_at_the_end_is_left_out_and_others_are_errors() {
    let text = killed(&fixtures::healthy());
    let cut = &text[..text.len() - 10];
    assert!(replay(cut).unwrap().is_ok());
    let broken = text.replacen("\"seq\":1,", "\"seq\":-1,", 1);
    let line = broken.lines().position(|line| line.contains("\"seq\":-1,")).unwrap() + 1;
    let error = replay(&broken).unwrap().unwrap_err().to_string();
    assert!(error.starts_with(&format!("line {line}.seq: ")), "{error}");
    assert!(replay("{\"event\":\"started\",\"command\":\"listen\",\"at\":\"x\"}").is_none());
    assert!(replay("").is_none() && replay("{}\n").is_none());
}

#[test]
fn server_heartbeat_of_a_kind_that_cannot_be_seen_is_an_error() {
    let text = killed(&fixtures::chatter());
    let change = |line: &str| match line.contains(r#""event":"server_heartbeat""#) {
        true => line.replace(r#""kind":"protocol""#, r#""kind":"http2""#),
        false => line.to_string(),
    };
    let broken: Vec<String> = text.lines().map(change).collect();
    let error = replay(&broken.join("\n")).unwrap().unwrap_err().to_string();
    assert!(error.contains("'http2' is none of protocol, app"), "{error}");
}

static KILLED_RUNS: LazyLock<Vec<String>> =
    LazyLock::new(|| fixtures::all().iter().map(|(_, events)| killed(events)).collect());

proptest! {
    /// The file may be anybody's.
    #[test]
    fn no_line_makes_it_panic(
        lines in prop::collection::vec((0_usize..400, 0_usize..400), 0..12),
        number in prop::sample::select(vec!["-1", "0", "1e300", "18446744073709551615", "null", "\"x\"", "[]"]),
        at in 0_usize..4000,
    ) {
        let text = &KILLED_RUNS[at % KILLED_RUNS.len()];
        let mut shuffled: Vec<String> = text.lines().map(str::to_string).collect();
        for (one, other) in lines {
            let count = shuffled.len();
            if count > 2 {
                shuffled.swap(1 + one % (count - 1), 1 + other % (count - 1));
            }
        }
        let text = shuffled.join("\n");
        if let Some(Ok(report)) = replay(&text) {
            let _ = finished(RunOrigin::default(), &report);
        }
        // Any one number becomes another value.
        let digits: Vec<usize> = text.match_indices(':').map(|(place, _)| place + 1).collect();
        let place = digits[at % digits.len()];
        let end = text[place..].find([',', '}']).map_or(text.len(), |length| place + length);
        let mutated = format!("{}{number}{}", &text[..place], &text[end..]);
        if let Some(Ok(report)) = replay(&mutated) {
            let _ = finished(RunOrigin::default(), &report);
        }
    }
}
