//! `doctor` at the command line: exit codes, choices, interrupts, bundles. What it finds on real products is in
//! `tests/doctor`.

use std::io::{Read, Write};

use serde_json::Value;

use crate::support::{Ran, Run, Script, Server, closed_port, read_head, run, run_concurrently};

/// Checks that need no search for an idle timeout, and so a moment only.
const MOMENT: &str = "--only=resolve,tcp,upgrade,origin,subprotocol";

fn doctor(more: &[&str], url: &str) -> Ran {
    run(&[&["doctor", "--quick", "--proxy", "none"], more, &[url]].concat())
}

fn document(more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = doctor(&[&["--json"], more].concat(), url);
    (ran.code, ran.json())
}

/// The codes of a check's findings.
fn codes<'a>(document: &'a Value, check: &str) -> Vec<&'a str> {
    let checks = document["checks"].as_array().unwrap().iter();
    checks.filter(|one| one["id"] == check).map(|one| one["code"].as_str().unwrap()).collect()
}

#[test]
fn healthy_server_passes_and_every_check_has_an_answer() {
    let server = Server::start(&["--heartbeat", "none"]);
    let (code, document) = document(&[], &server.url());
    assert_eq!((code, &document["result"]), (Some(0), &"passed".into()), "{document:#}");
    assert_eq!(codes(&document, "upgrade"), ["upgrade_accepted"]);
    assert_eq!(codes(&document, "pings"), ["pings_answered"]);
    assert_eq!(codes(&document, "close"), ["close_answered"]);
    // A stalled host adds a line of its own.
    assert_eq!(codes(&document, "idle-timeout")[0], "no_timeout_up_to_max");
    assert!(codes(&document, "server-heartbeats").contains(&"no_heartbeats"), "{document:#}");
    assert_eq!(document["answer"][0], "no problem found", "{document:#}");
    let measured: Vec<&String> = document["measurements"].as_object().unwrap().keys().collect();
    assert_eq!(measured, ["listen", "ping", "probe-idle"]);
}

#[test]
fn url_alone_is_a_quick_run() {
    let server = Server::start(&["--heartbeat", "none"]);
    let ran = run(&[&server.url(), "--proxy", "none", MOMENT, "--json"]);
    let document = ran.json();
    assert_eq!((&document["command"], &document["settings"]["depth"]), (&"doctor".into(), &"quick".into()));
    assert_eq!(ran.code, Some(0), "{document:#}");
}

#[test]
fn exit_codes_follow_what_was_found() {
    let (_held, port) = closed_port();
    let (code, unreachable) = document(&[], &format!("ws://127.0.0.1:{port}/"));
    assert_eq!((code, codes(&unreachable, "tcp")), (Some(3), vec!["no_address_reached"]));
    let refusing = Script::answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    let (code, refused) = document(&[MOMENT], &refusing.url());
    assert_eq!((code, codes(&refused, "upgrade")), (Some(1), vec!["upgrade_failed"]));
    // The check that failed is not among the chosen ones, and nothing could be told.
    let (code, _) = document(&["--only", "latency"], &refusing.url());
    assert_eq!(code, Some(4));
    let (code, _) = document(&["--only", "tls"], &refusing.url());
    assert_eq!(code, Some(4), "the URL has no TLS");
}

#[test]
fn each_quick_check_can_be_chosen_alone() {
    let server = Server::start(&[]);
    for check in ["resolve", "tcp", "upgrade", "origin", "subprotocol", "browser", "convention"] {
        let (code, document) = document(&["--only", check], &server.url());
        let codes = codes(&document, check);
        assert!(!codes.is_empty() && !codes.contains(&"not_checked"), "{check}: {code:?} {codes:?}");
    }
}

#[test]
fn wrong_choices_are_refused_before_anything_runs() {
    let cases: [(&[&str], &str); 6] = [
        (&["--only", "idle"], "there is no check 'idle'"),
        (&["--only", "pings", "--skip", "pings"], "no check is left"),
        (&["--via", "pod"], "NAME=HOST:PORT"),
        (&["--via", "a=127.0.0.1:1", "--via", "a=127.0.0.1:2"], "given twice"),
        (&["--each-address", "--via", "a=127.0.0.1:1"], "give one"),
        (&["--bundle", "/nonexistent/x.tgz"], "cannot write /nonexistent/x.tgz"),
    ];
    run_concurrently(&cases, |(args, why)| {
        let ran = doctor(args, "ws://127.0.0.1:1/");
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.all());
        assert!(ran.all().contains(why), "{args:?}: {}", ran.all());
    });
}

#[test]
fn checks_are_listed() {
    let ran = run(&["doctor", "--list-checks"]);
    assert_eq!(ran.code, Some(0));
    for id in ["resolve", "upgrade", "idle-timeout", "hops"] {
        assert!(ran.stdout.lines().any(|line| line.starts_with(&format!("{id} "))), "{}", ran.stdout);
    }
}

/// Accepts an upgrade only with the origin of the server's own pages.
fn own_origin_only() -> Script {
    Script::start(|mut stream| {
        let head = read_head(&mut stream);
        let has_origin = head.to_ascii_lowercase().contains("origin: http://127.0.0.1");
        if has_origin {
            crate::support::accept(&mut stream, &head, None);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        } else {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    })
}

#[test]
fn origin_that_the_server_wants_is_found() {
    let script = own_origin_only();
    let (code, document) = document(&[MOMENT], &script.url());
    assert_eq!((code, codes(&document, "origin")), (Some(0), vec!["origin_required"]), "{document:#}");
    assert_eq!(codes(&document, "upgrade"), ["upgrade_accepted"]);
}

/// Accepts an upgrade if its User-Agent is a browser's, or if it is not.
fn by_user_agent(wants_browser: bool) -> Script {
    Script::start(move |mut stream| {
        let head = read_head(&mut stream);
        // The address was only tried.
        if head.is_empty() {
            return;
        }
        if head.contains("Mozilla/") == wants_browser {
            crate::support::accept(&mut stream, &head, None);
            let mut rest = Vec::new();
            let _ = stream.read_to_end(&mut rest);
        } else {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    })
}

#[test]
fn what_browsers_meet_is_told_apart() {
    const BROWSER: &str = "--only=upgrade,browser";
    let (for_all, none) =
        (Server::start(&["--heartbeat", "none"]), Script::answering("HTTP/1.1 403 No\r\n\r\n"));
    let (only, without) = (by_user_agent(true), by_user_agent(false));
    let cases = [
        (for_all.url(), 0, "pages_accepted"),
        (only.url(), 0, "only_browsers_accepted"),
        (without.url(), 0, "pages_refused"),
        (none.url(), 1, "page_sees"),
    ];
    run_concurrently(&cases, |(url, code, finding)| {
        let (exit, document) = document(&[BROWSER], url);
        assert_eq!((exit, codes(&document, "browser")), (Some(*code), vec![*finding]), "{document:#}");
    });
}

#[test]
fn headers_that_the_server_wants_are_sent_by_every_measurement() {
    let server = Script::start(|mut stream| {
        let head = read_head(&mut stream);
        if head.contains("Mozilla/") {
            crate::support::accept(&mut stream, &head, None);
            crate::support::answer_pings(&mut stream);
        } else {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let (code, document) = document(&["--only=upgrade,browser,pings"], &server.url());
    assert_eq!(codes(&document, "browser"), ["only_browsers_accepted"], "{document:#}");
    assert_eq!((code, codes(&document, "pings")), (Some(0), vec!["pings_answered"]), "{document:#}");
}

#[test]
fn server_that_answers_now_so_now_otherwise_is_told_as_that() {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    let count = AtomicUsize::new(0);
    let script = Script::start(move |mut stream| {
        let head = read_head(&mut stream);
        if count.fetch_add(1, Relaxed).is_multiple_of(2) {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        } else {
            crate::support::accept(&mut stream, &head, None);
        }
    });
    // Refused, accepted with an Origin, and the plain request once more refused: only the one after it shows that the Origin
    // is not the reason.
    let (code, document) = document(&[MOMENT], &script.url());
    assert_eq!((code, codes(&document, "upgrade")), (Some(1), vec!["upgrade_unsteady"]), "{document:#}");
    assert_eq!(codes(&document, "origin"), ["not_checked"], "{document:#}");
}

#[test]
fn interrupted_run_reports_what_it_has() {
    let server = Server::start(&["--heartbeat", "none"]);
    let url = server.url();
    let mut run = Run::of("doctor", &["--proxy", "none", &url]);
    while run.until("checked")["check"]["id"] != "convention" {}
    run.process.signal(libc::SIGINT);
    let (rest, code) = run.rest();
    let document = rest.last().unwrap();
    assert_eq!((code, &document["result"]), (Some(4), &"interrupted".into()), "{document:#}");
    assert_eq!(codes(document, "upgrade"), ["upgrade_accepted"]);
}

#[test]
fn bundle_has_the_whole_report_and_no_secret() {
    let server = Server::start(&["--heartbeat", "none"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.tgz");
    let bundle = path.to_str().unwrap();
    let secret = ["--bundle", bundle, "--user", "bob:hunter2", "--send", r#"{"password":"hunter2"}"#];
    let ran =
        doctor(&[&[MOMENT, "--json"], &secret[..]].concat(), &format!("{}?token=hunter2", server.url()));
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(std::fs::File::open(&path).unwrap()));
    let mut names = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        assert!(!text.contains("hunter2") && !text.is_empty(), "{name}: {text}");
        names.push(name);
    }
    assert_eq!(names, ["contents.txt", "report.txt", "report.html", "report.json", "events.ndjson"]);
}

#[test]
fn failure_behind_a_hop_is_placed() {
    let server = Server::start(&["--heartbeat", "none"]);
    let refusing = Script::answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n");
    let own = server.url();
    let address = own.trim_start_matches("ws://").trim_end_matches('/');
    let via = format!("server={address}");
    let (code, document) =
        document(&["--via", &via, "--only", "tcp,upgrade,hops", "--skip", "idle-timeout"], &refusing.url());
    assert_eq!(code, Some(1), "{document:#}");
    assert_eq!(codes(&document, "hops"), ["appears_at_hop"]);
    let hops = document["checks"].as_array().unwrap().iter().find(|one| one["id"] == "hops").unwrap();
    assert_eq!(hops["data"]["before"], "server", "{hops:#}");
    assert_eq!(document["hops"].as_array().unwrap().len(), 2);
    let (_, alone) = document_of_hops(&via, &refusing.url());
    assert_eq!(codes(&alone, "hops"), ["appears_at_hop"], "{alone:#}");
}

fn document_of_hops(via: &str, url: &str) -> (Option<i32>, Value) {
    document(&["--via", via, "--only", "hops"], url)
}
