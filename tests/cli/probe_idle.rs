//! `probe-idle` against servers that cut idle connections in different manners.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{
    Ran, Reaped, Script, Server, answer_pings, closed_port, read_head, run, upgrade, validate, wscheck,
};

/// A short search: the timeouts here are one to two seconds.
const SEARCH: &[&str] =
    &["probe-idle", "--proxy", "none", "--min", "250ms", "--precision", "100ms", "--answer-timeout", "800ms"];

/// Timeout of most test servers; not one of the search's preferred spans.
const TIMEOUT: &str = "1700ms";
const TIMEOUT_MS: f64 = 1700.0;

fn probe(more: &[&str], url: &str) -> Ran {
    let max: &[&str] = if more.contains(&"--max") { &[] } else { &["--max", "4s"] };
    run(&[SEARCH, max, more, &[url]].concat())
}

fn document(more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = probe(&[&["--json"], more].concat(), url);
    (ran.code, ran.json())
}

/// Maximum lateness of a server's timer on a busy machine; it is never early.
const LATE_MS: f64 = 250.0;

/// Whether the bracket contains a timeout of this many milliseconds.
fn holds(document: &Value, millis: f64) -> bool {
    let end = |name: &str| document["bracket"][name].as_f64();
    end("lo_ms").is_some_and(|lo| lo <= millis + LATE_MS) && end("hi_ms").is_some_and(|hi| millis <= hi)
}

/// A search of a server with these faults.
fn faulty(faults: &[&str], more: &[&str]) -> (Option<i32>, Value) {
    let server = Server::start(faults);
    document(more, &server.url())
}

/// Checks that a search found an idle timeout of [`TIMEOUT`]; returns the document.
fn found(faults: &[&str], more: &[&str]) -> Value {
    let (code, document) = faulty(&[&["--idle-timeout", TIMEOUT], faults].concat(), more);
    let context = (code, &document["result"]);
    assert_eq!(context, (Some(0), &"passed".into()), "{faults:?} {more:?}: {document:#}");
    assert!(holds(&document, TIMEOUT_MS), "{faults:?} {more:?}: {document:#}");
    document
}

/// Runs the searches concurrently, since they mostly wait.
fn run_concurrently<T: Sync>(cases: &[T], act: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| act(case));
        }
    });
}

#[test]
fn every_visible_cut_is_found_with_its_bracket() {
    let policy = ("server_policy", "close_frame");
    let cases = [
        ("fin", ("idle_timeout", "fin"), json!({ "half_closed": false })),
        ("half-close", ("idle_timeout", "fin"), json!({ "half_closed": true })),
        ("rst", ("idle_timeout", "rst"), json!({})),
        ("close:1001", ("idle_timeout", "close_frame"), json!({ "code": 1001 })),
        ("close:1008", policy, json!({ "code": 1008, "code_meaning": "policy violation" })),
        ("close:3000", policy, json!({ "code": 3000 })),
        ("close:4000", policy, json!({ "code": 4000, "code_meaning": "private to the application" })),
    ];
    run_concurrently(&cases, |(cut, (verdict, how), more)| {
        let document = found(&["--idle-cut", cut], &[]);
        assert_eq!(document["verdict"], *verdict, "{cut}: {document:#}");
        let ending = &document["cut"]["ending"];
        assert_eq!(
            (&document["cut"]["manner"], &ending["how"]),
            (&json!("visible"), &json!(how)),
            "{ending:#}"
        );
        for (name, value) in more.as_object().unwrap() {
            assert_eq!(&ending[name], value, "{cut}: {ending:#}");
        }
        assert!(document["samples"]["count"].as_u64() >= Some(3), "{document:#}");
        assert!(document["samples"]["min_ms"].as_f64() >= Some(TIMEOUT_MS), "{document:#}");
        assert!(document["recommendation"]["interval_ms"].as_f64() < Some(TIMEOUT_MS), "{document:#}");
    });
}

#[test]
fn silent_cut_differs_from_reset_on_use() {
    run_concurrently(&[("silent", "silent"), ("rst-on-use", "rst_on_use")], |(cut, manner)| {
        let document = found(&["--idle-cut", cut], &[]);
        assert_eq!(document["cut"]["manner"], *manner, "{document:#}");
        assert!(document["samples"].is_null(), "nothing was seen to end: {document:#}");
    });
}

#[test]
fn lingering_hop_does_not_widen_the_bracket() {
    let document = found(&["--linger", "1s"], &[]);
    assert_eq!(
        (&document["verdict"], &document["stops_forwarding_before_closing"]),
        (&json!("idle_timeout"), &json!(true))
    );
    let end = |name: &str, of: &str| document[name][of].as_f64().unwrap();
    assert!(end("bracket", "hi_ms") < end("samples", "min_ms"), "{document:#}");
}

/// Why a step after the search was skipped.
fn cause_of_skip(document: &Value, code: &str) -> Option<String> {
    let finding = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code)?;
    Some(finding["data"]["cause"].as_str().unwrap().to_string())
}

#[test]
fn scattered_timeouts_are_stochastic() {
    let (code, document) = faulty(&["--idle-timeout", "500ms..3s"], &["--refresh", "--verify"]);
    assert_eq!((code, &document["verdict"]), (Some(0), &"stochastic".into()), "{document:#}");
    let sample = |name: &str| document["samples"][name].as_f64().unwrap();
    assert!(500.0 <= sample("min_ms") && sample("min_ms") < sample("max_ms"), "{document:#}");
    assert!(document["recommendation"].is_null() && document["bracket"]["hi_ms"].is_null(), "{document:#}");
    let tried = document["refresh"]["rows"][0]["held_ms"].as_f64();
    let held = document["bracket"]["lo_ms"].as_f64().map(|_| sample("max_ms") * 2.5);
    assert!(tried.zip(held).is_none_or(|(tried, held)| (tried - held).abs() < 1.0), "{document:#}");
    let skipped = |code: &str| cause_of_skip(&document, code);
    assert_eq!(skipped("verification_skipped").as_deref(), Some("no_interval_is_certain"), "{document:#}");
    let is_untried = skipped("keepalive_methods_skipped").as_deref() == Some("no_silence_survived");
    assert_eq!(tried.is_none(), is_untried, "{document:#}");
}

#[test]
fn lifetime_cap_is_not_an_idle_timeout() {
    let (code, document) = faulty(&["--lifetime", TIMEOUT], &["--refresh", "--verify"]);
    assert_eq!((code, &document["verdict"]), (Some(0), &"lifetime_cap".into()), "{document:#}");
    let (age, recommended) = (document["lifetime_ms"].as_f64().unwrap(), &document["recommendation"]);
    assert!((TIMEOUT_MS - LATE_MS..=TIMEOUT_MS + LATE_MS).contains(&age), "{document:#}");
    assert!(recommended["interval_ms"].is_null(), "{document:#}");
    assert!(recommended["reconnect_before_ms"].as_f64() < Some(age), "{document:#}");
    assert_eq!(document["refresh"]["conclusion"], "lifetime", "{document:#}");
    assert!(document["verified"].is_null(), "there is no interval to verify: {document:#}");
}

/// To Ping frames, a lifetime and an idle timer that only messages reset look the same.
const AGES: [&[&str]; 2] = [&["--lifetime", TIMEOUT], &["--idle-timeout", TIMEOUT, "--messages-only"]];

#[test]
fn age_is_undecided_without_messages() {
    run_concurrently(&AGES, |faults| {
        let server = Server::start(faults);
        let (code, document) = document(&["--verify"], &server.url());
        assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
        let age = document["lifetime_or_idle_ms"].as_f64().unwrap();
        assert!((TIMEOUT_MS - LATE_MS..=TIMEOUT_MS + LATE_MS).contains(&age), "{document:#}");
        assert!(document["lifetime_ms"].is_null() && document["recommendation"].is_null(), "{document:#}");
        let text = probe(&[], &server.url()).stdout;
        assert!(text.contains(" that only messages reset"), "{text}");
        assert!(text.contains("either send an app heartbeat"), "{text}");
        assert!(!text.contains("no heartbeat helps"), "{text}");
    });
}

#[test]
fn allowed_messages_tell_an_idle_timer_from_a_lifetime() {
    let ways: [&[&str]; 2] = [&["--allow-messages"], &["--app-ping", "PING", "--app-pong", "{any}"]];
    run_concurrently(&ways, |way| {
        let document = found(&["--messages-only"], &[way, &["--verify"][..]].concat());
        let context = (&document["verdict"], &document["reset_by"]);
        assert_eq!(context, (&"idle_timeout".into(), &"messages".into()), "{document:#}");
        assert_eq!(document["verified"]["held"], true, "{document:#}");
        assert_eq!(document["void_rounds"], 0, "{document:#}");
        let (code, document) = faulty(&["--lifetime", TIMEOUT], way);
        let context = (code, &document["verdict"], &document["reset_by"]);
        assert_eq!(context, (Some(0), &"lifetime_cap".into(), &Value::Null), "{document:#}");
    });
}

#[test]
fn advice_names_the_heartbeat_that_counts() {
    let server = Server::start(&["--idle-timeout", TIMEOUT, "--messages-only"]);
    let text = probe(&["--allow-messages"], &server.url()).stdout;
    assert!(text.contains("messages reset the timer, Ping frames do not"), "{text}");
    assert!(text.contains("send an app heartbeat (a message) every"), "{text}");
}

#[test]
fn server_pings_are_answered_without_a_preset() {
    // It closes clients that leave two of its pings unanswered.
    let faults = ["--heartbeat", "app", "--interval", "300ms", "--timeout", "200ms", "--max-missed", "2"];
    let (code, document) = faulty(&faults, &[]);
    assert_eq!((code, &document["verdict"]), (Some(0), &"server_keeps_it_busy".into()), "{document:#}");
    assert_eq!(document["server_activity"]["answered"], true, "{document:#}");
    assert!(document["reasons"].to_string().contains("cannot be tested"), "{document:#}");
    let text = probe(&[], &Server::start(&faults).url()).stdout;
    assert!(text.contains("answer the server's app pings, as this run did"), "{text}");
    let (_, document) = faulty(&faults, &["--no-answer"]);
    assert_ne!(document["server_activity"]["answered"], true, "{document:#}");
}

#[test]
fn server_traffic_keeps_the_path_busy() {
    let (code, document) = faulty(&["--chatter", "600ms"], &[]);
    assert_eq!((code, &document["verdict"]), (Some(0), &"server_keeps_it_busy".into()), "{document:#}");
    let (chatter, bracket) = (&document["server_activity"], &document["bracket"]);
    assert!(chatter["period_ms"].as_f64() >= Some(400.0), "{document:#}");
    // A question may have been answered after a span slightly longer than any gap.
    assert!(bracket["lo_ms"].as_f64() >= chatter["longest_gap_ms"].as_f64(), "{document:#}");
    assert!(bracket["hi_ms"].is_null(), "{document:#}");
}

#[test]
fn path_without_timeout_has_none_up_to_max() {
    let (code, document) = faulty(&[], &["--max", "2s", "--refresh", "--verify"]);
    let skipped =
        ["keepalive_methods_skipped", "verification_skipped"].map(|code| cause_of_skip(&document, code));
    assert_eq!(
        skipped,
        ["nothing_was_cut", "no_timeout_found"].map(|why| Some(why.to_string())),
        "{document:#}"
    );
    assert_eq!((code, &document["verdict"]), (Some(0), &"no_timeout_up_to_max".into()), "{document:#}");
    assert!(document["bracket"]["lo_ms"].as_f64() >= Some(2000.0), "{document:#}");
    assert!(document["bracket"]["hi_ms"].is_null() && document["cut"].is_null(), "{document:#}");
    let survived =
        |trial: &&Value| trial["outcome"] == "survived" && trial["idle_ms"].as_f64() >= Some(2000.0);
    assert!(document["trials"].as_array().unwrap().iter().any(|trial| survived(&trial)), "{document:#}");
}

#[test]
fn refresh_shows_what_resets_the_timer() {
    let cases = [
        (&["--idle-resets", "either"][..], [true, true, false, true], "any_byte"),
        (&["--idle-resets", "client"], [true, true, false, true], "any_byte"),
        (&["--idle-resets", "server"], [true, false, false, true], "server_to_client"),
        (&["--idle-resets", "both"], [true, false, false, true], "server_to_client"),
        (&["--messages-only"], [false, false, false, true], "messages_only"),
    ];
    run_concurrently(&cases, |(faults, survivors, conclusion)| {
        let document = found(faults, &["--refresh"]);
        assert_eq!(document["verdict"], "idle_timeout", "{document:#}");
        let rows = document["refresh"]["rows"].as_array().unwrap();
        let methods = ["ping_pong", "unsolicited_pong", "tcp_keepalive", "app_message"];
        for ((row, method), survived) in rows.iter().zip(methods).zip(survivors) {
            assert_eq!(
                (&row["method"], &row["survived"]),
                (&method.into(), &json!(survived)),
                "{document:#}"
            );
        }
        assert_eq!(document["refresh"]["conclusion"], *conclusion, "{document:#}");
    });
}

#[test]
fn app_heartbeats_verify_the_recommendation() {
    let document = found(&["--messages-only"], &["--heartbeat", "app", "--verify"]);
    let (verified, wanted) = (&document["verified"], &document["verified"]["wanted_ms"]);
    assert_eq!((&document["settings"]["question"], &verified["held"]), (&"app".into(), &json!(true)));
    assert_eq!(verified["interval_ms"], document["recommendation"]["interval_ms"], "{document:#}");
    assert!(wanted.as_f64() > Some(2.0 * TIMEOUT_MS), "past two timeouts: {document:#}");
    assert!(verified["heartbeats"].as_u64() >= Some(2), "{document:#}");
}

#[test]
fn preamble_runs_before_each_idle_span() {
    // The server echoes, so the sent message is the awaited one.
    let greeted = ["--send", r#"{"type":"join"}"#, "--await", r#"{"type":"join"}"#];
    found(&[], &greeted);
    let (code, document) = faulty(&[], &["--await", "never", "--await-timeout", "100ms"]);
    assert_eq!((code, &document["error"]["phase"]), (Some(3), &"await".into()), "{document:#}");
}

#[test]
fn bisect_and_few_connections_find_the_timeout() {
    let silent = ["--idle-cut", "silent"];
    let cases: [(&[&str], &[&str]); 3] = [
        (&[], &["--strategy", "bisect"]),
        (&silent, &["--strategy", "bisect", "--max", "2s"]),
        (&[], &["--max-connections", "3"]),
    ];
    run_concurrently(&cases, |(faults, more)| {
        let document = found(faults, more);
        assert_eq!(document["verdict"], "idle_timeout", "{document:#}");
    });
}

#[test]
fn two_ended_mode_tells_the_lost_direction() {
    let document = found(&["--idle-cut", "silent"], &["--two-ended", "--max", "2s"]);
    let context = (&document["two_ended"], &document["cut"]["lost"]);
    assert_eq!(context, (&"agreed".into(), &"both".into()), "{document:#}");
}

#[test]
fn expectation_is_met_unmet_or_unknown() {
    let idle = ["--idle-timeout", TIMEOUT];
    let cases = [
        (idle, ">=300ms", 0, "met"),
        (idle, "<=3s", 0, "met"),
        (idle, ">=3s", 1, "not_met"),
        (idle, ">1700ms", 4, "unknown"),
        (["--lifetime", TIMEOUT], ">=300ms", 4, "unknown"),
    ];
    run_concurrently(&cases, |(faults, expectation, code, state)| {
        let (ended, document) = faulty(faults, &["--expect", expectation]);
        let found = (ended, &document["criteria"][0]["state"]);
        assert_eq!(found, (Some(*code), &json!(state)), "{expectation}: {document:#}");
        assert!(*code == 0 || document["reasons"].to_string().contains(expectation), "{document:#}");
    });
}

/// A server that answers Pings on at most `most` concurrent connections after `first` of them, and refuses others with
/// this status.
fn refusing(most: usize, status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let open = Arc::new(AtomicUsize::new(0));
    // Ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let open = Arc::clone(&open);
            std::thread::spawn(move || {
                let admitted = open.fetch_add(1, Ordering::SeqCst) < most;
                serve_or_refuse(stream, admitted, status);
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    });
    url
}

fn serve_or_refuse(mut stream: TcpStream, admitted: bool, status: &str) {
    if admitted {
        upgrade(&mut stream);
        return answer_pings(&mut stream);
    }
    read_head(&mut stream);
    let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = stream.read_to_end(&mut Vec::new());
}

#[test]
fn second_connection_refused_shows_the_reason() {
    let (code, document) = document(&[], &refusing(1, "429 Too Many Requests"));
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(document["reasons"][0].as_str().unwrap().contains("429"), "{document:#}");
    assert_eq!(document["error"]["refusal"]["status"], 429, "{document:#}");
    assert_eq!(document["bracket"], json!({ "lo_ms": null, "hi_ms": null }));
    assert!(document["recommendation"].is_null(), "{document:#}");
}

#[test]
fn few_allowed_connections_suffice() {
    let (code, document) = document(&["--max", "2s"], &refusing(4, "503 Service Unavailable"));
    assert_eq!((code, &document["verdict"]), (Some(0), &"no_timeout_up_to_max".into()), "{document:#}");
}

#[test]
fn immediately_closing_server_gives_no_number() {
    let (code, document) = faulty(&["--close-after", "100ms:1013"], &[]);
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    let why = document["reasons"][0].as_str().unwrap();
    assert!(why.contains("right after opening") && why.contains("close 1013"), "{document:#}");
    assert_eq!(document["bracket"], json!({ "lo_ms": null, "hi_ms": null }));
}

#[test]
fn unanswered_pings_are_reported() {
    let (code, document) = faulty(&["--pong-loss", "100%"], &[]);
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(document["reasons"][0].as_str().unwrap().contains("does not answer Ping frames"), "{document:#}");
}

#[test]
fn human_answer_first_and_log_on_stderr() {
    let server = Server::start(&["--idle-timeout", TIMEOUT]);
    let ran = probe(&[], &server.url());
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(lines[0].starts_with("--- ws://127.0.0.1:"), "{}", ran.stdout);
    assert!(lines[1].starts_with("answer       idle timeout between "), "{}", ran.stdout);
    for words in ["closed TCP (FIN)", "send a heartbeat every ", "watcher", "verdict      passed (exit 0)"] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(ran.stderr.starts_with("wscheck probe-idle ws://127.0.0.1:"), "{}", ran.stderr);
    assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains(['\x1b', '\r']), "{ran:?}");
    assert_eq!(probe(&["--quiet"], &server.url()).stderr, "");
}

#[test]
fn ndjson_streams_trials_before_the_document() {
    let server = Server::start(&["--idle-timeout", TIMEOUT]);
    let ran = probe(&["-o", "ndjson", "--refresh", "--verify"], &server.url());
    let lines = ran.ndjson();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    let document = lines.last().unwrap();
    let trials: Vec<Value> = of("trial").iter().map(|line| line["trial"].clone()).collect();
    assert_eq!(document["trials"], json!(trials));
    for event in ["started", "opened", "asked", "bracket", "provisional", "refresh", "verified"] {
        assert!(!of(event).is_empty(), "{event}");
    }
    assert_eq!(of("bracket").last().unwrap()["bracket"], document["bracket"]);
}

#[test]
fn interrupted_followup_is_reported() {
    let server = Server::start(&["--idle-timeout", TIMEOUT]);
    let bounds = ["--min", "500ms", "--max", "4s", "--refresh"];
    let (mut process, mut lines) = running(&bounds, &server.url());
    // TCP keepalive does not help, and its result comes first.
    lines.find(|line| line["event"] == "refresh").unwrap();
    process.signal(libc::SIGINT);
    let document = lines.last().unwrap();
    assert_eq!(process.0.wait().unwrap().code(), Some(4));
    assert_eq!((&document["interrupted"], &document["verdict"]), (&true.into(), &"idle_timeout".into()));
    assert_eq!(document["result"], "interrupted", "{document:#}");
    let reason = document["reasons"][0].as_str().unwrap();
    let lacking = ", before the steps after the search were complete";
    assert!(reason.starts_with("interrupted after ") && reason.ends_with(lacking), "{document:#}");
}

#[test]
fn no_survivor_gives_no_recommendation() {
    let server = Server::start(&["--idle-timeout", "600ms"]);
    let bounds = ["--min", "800ms", "--max", "4s"];
    let ran = run(&[&["probe-idle", "--proxy", "none"], &bounds[..], &[&server.url()]].concat());
    assert!(
        ran.stdout.contains("no interval can be recommended, since no silence survived"),
        "{}",
        ran.stdout
    );
}

/// A running search with NDJSON output.
fn running(more: &[&str], url: &str) -> (Reaped, impl Iterator<Item = Value> + use<>) {
    let args = [&["probe-idle", "--proxy", "none", "-o", "ndjson"], more, &[url]].concat();
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(|line| {
        let value: Value = serde_json::from_str(&line.unwrap()).unwrap();
        validate(&value);
        value
    });
    (process, lines)
}

#[test]
fn interrupt_reports_what_is_known_so_far() {
    let server = Server::start(&[]);
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let (mut process, mut lines) = running(&["--max", "10m"], &server.url());
        lines.find(|line| line["event"] == "bracket").unwrap();
        process.signal(signal);
        let document = lines.last().unwrap();
        assert_eq!(process.0.wait().unwrap().code(), Some(4));
        assert_eq!(
            (&document["interrupted"], &document["exit_code"]),
            (&true.into(), &4.into()),
            "{document:#}"
        );
        assert_eq!(document["result"], "interrupted", "{document:#}");
        assert!(document["bracket"]["lo_ms"].is_number(), "{document:#}");
    }
}

#[test]
fn interrupt_before_opening_exits_130() {
    let peer = Script::answering("");
    let (mut process, mut lines) = running(&[], &peer.url());
    lines.find(|line| line["event"] == "started").unwrap();
    process.signal(libc::SIGINT);
    let document = lines.last().unwrap();
    assert_eq!(process.0.wait().unwrap().code(), Some(130));
    assert_eq!((&document["result"], &document["interrupted"]), (&"interrupted".into(), &true.into()));
}

#[test]
fn closed_stdout_ends_the_run_quietly() {
    let server = Server::start(&[]);
    let args = ["probe-idle", "--proxy", "none", "-o", "ndjson", &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut first = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let mut stderr = String::new();
    process.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((process.0.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn unreachable_server_is_an_error_in_every_format() {
    let (_held, port) = closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let (code, document) = document(&[], &url);
    assert_eq!((code, &document["error"]["kind"]), (Some(3), &"refused".into()), "{document:#}");
    assert_eq!((&document["bracket"]["lo_ms"], &document["connections"]), (&Value::Null, &0.into()));
    let human = probe(&[], &url);
    assert_eq!((human.code, human.stdout.as_str()), (Some(3), ""));
    assert!(human.stderr.contains("error: cannot open ws://127.0.0.1:"), "{}", human.stderr);
    let peer = Script::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let (code, refused) = self::document(&["--two-ended"], &peer.url());
    assert_eq!((code, &refused["two_ended"]), (Some(3), &Value::Null), "{refused:#}");
}

#[test]
fn invalid_bounds_are_reported_in_every_format() {
    for (args, context) in [
        (["--min", "3s"], "--min (3 s) must not be longer than --max (2 s)"),
        (["--precision", "0s"], "--precision must be at least 10 ms or 0.1 %"),
        (["--precision", "0%"], "--precision must be at least 10 ms or 0.1 %"),
        (["--max-connections", "2"], "--max-connections (2) must be at least 3"),
        (["--expect", "55s"], "'55s' does not begin with >=, <=, > or <"),
        (["--expect", "<0s"], "makes no sense"),
        (["--expect", ">=1h"], "--expect >=1h cannot be shown: --max 2 s is shorter"),
        (["--repeat", "21"], "it must be a whole number from 1 to 20"),
        (
            ["--app-pong", "hello"],
            "--app-pong has no effect without --app-ping, --allow-messages or --refresh",
        ),
    ] {
        let line = [&["probe-idle", "--max", "2s"], &args[..], &["ws://127.0.0.1:1/"]].concat();
        let ran = run(&line);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.lines().count()), (Some(2), "", 1), "{ran:?}");
        assert!(ran.stderr.contains(context), "{}", ran.stderr);
        let ran = run(&[&line[..], &["--json"]].concat());
        let document = ran.json();
        assert_eq!((ran.code, &document["error"]["kind"]), (Some(2), &"usage".into()), "{document:#}");
    }
}
