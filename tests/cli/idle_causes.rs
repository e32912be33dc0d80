//! `probe-idle` against servers that close connections for other reasons than idleness, or for two reasons.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::support::{CLOSE, Server, answer_pings, frame, read_head, run, upgrade};

const SEARCH: &[&str] =
    &["probe-idle", "--proxy", "none", "--precision", "100ms", "--answer-timeout", "800ms", "--json"];

fn document(more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = run(&[SEARCH, more, &[url]].concat());
    (ran.code, ran.json())
}

/// A server that serves its nth connection (from 0) with `serve`; returns its URL.
fn serving(act: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let act = Arc::new(act);
    // Ends with the test process.
    std::thread::spawn(move || {
        for (n, stream) in listener.incoming().flatten().enumerate() {
            let act = Arc::clone(&act);
            std::thread::spawn(move || act(n, stream));
        }
    });
    url
}

/// A close frame.
fn close(code: u16, reason: &str) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
}

/// Checks for no timeout, no lifetime, no advice, and exit code 4. Returns the first reason.
fn unclaimed((code, document): (Option<i32>, Value)) -> String {
    assert_eq!((code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(document["recommendation"].is_null() && document["lifetime_ms"].is_null(), "{document:#}");
    assert!(document["bracket"]["hi_ms"].is_null(), "{document:#}");
    assert!(document["connections"].as_u64() <= Some(60), "{document:#}");
    document["reasons"][0].as_str().unwrap().to_string()
}

/// A server that keeps this many connections and ends others right after the 101 with these bytes.
fn limited(most: usize, farewell: Vec<u8>) -> String {
    let open = Arc::new(AtomicUsize::new(0));
    serving(move |_, mut stream| {
        upgrade(&mut stream);
        if open.fetch_add(1, Ordering::SeqCst) < most {
            answer_pings(&mut stream);
        } else {
            let _ = stream.write_all(&farewell);
            let _ = stream.shutdown(Shutdown::Write);
        }
        open.fetch_sub(1, Ordering::SeqCst);
    })
}

#[test]
fn limit_on_connections_is_suspected() {
    for (most, farewell, how) in [(4, Vec::new(), "FIN"), (2, close(1013, "too many"), "close 1013")] {
        let why = unclaimed(document(&["--max", "3s"], &limited(most, farewell)));
        let limit = format!("perhaps the server accepts only {most} connections");
        assert!(why.contains(&limit) && why.contains(how), "{why}");
    }
}

#[test]
fn session_that_the_next_one_replaces_is_suspected() {
    let latest: Arc<Mutex<Option<TcpStream>>> = Arc::default();
    let url = serving(move |_, mut stream| {
        upgrade(&mut stream);
        let previous = latest.lock().unwrap().replace(stream.try_clone().unwrap());
        if let Some(mut previous) = previous {
            let _ = previous.write_all(&close(4409, "replaced by a new connection"));
            let _ = previous.shutdown(Shutdown::Write);
        }
        answer_pings(&mut stream);
    });
    let why = unclaimed(document(&["--max", "3s"], &url));
    assert!(why.contains("a new one replaces it") && why.contains("close 4409"), "{why}");
}

#[test]
fn ticket_that_serves_once_is_suspected() {
    let url = serving(|n, mut stream| {
        if n == 0 {
            upgrade(&mut stream);
            return answer_pings(&mut stream);
        }
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let why = unclaimed(document(&["--max", "3s"], &url));
    assert!(why.contains("401") && why.contains("ticket"), "{why}");
}

#[test]
fn server_reload_is_one_event() {
    let open: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let url = serving(move |n, mut stream| {
        upgrade(&mut stream);
        open.lock().unwrap().push(stream.try_clone().unwrap());
        if n == 0 {
            let open = Arc::clone(&open);
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(2300));
                open.lock().unwrap().drain(..).for_each(|stream| drop(stream.shutdown(Shutdown::Both)));
            });
        }
        answer_pings(&mut stream);
    });
    let (code, document) = document(&["--max", "4s"], &url);
    assert_eq!((code, &document["verdict"]), (Some(0), &"no_timeout_up_to_max".into()), "{document:#}");
    let events = document["incidents"].as_array().unwrap();
    assert_eq!((events.len(), &events[0]["kind"]), (1, &"one_moment".into()), "{document:#}");
    assert!(document["lifetime_ms"].is_null() && document["bracket"]["hi_ms"].is_null(), "{document:#}");
}

#[test]
fn random_ends_are_reported() {
    let url = serving(|n, mut stream| {
        upgrade(&mut stream);
        if n % 5 == 4 {
            let _ = stream.set_read_timeout(Some(Duration::from_millis(1800)));
        }
        answer_pings(&mut stream);
    });
    let (_, document) = document(&["--max", "4s"], &url);
    assert_ne!(document["verdict"], "no_timeout_up_to_max", "{document:#}");
    let reasons = document["reasons"].to_string();
    assert!(reasons.contains("died") || reasons.contains("ended after"), "{document:#}");
}

#[test]
fn http_text_after_the_upgrade_is_no_lifetime() {
    let url = serving(|_, mut stream| {
        upgrade(&mut stream);
        let _ = stream.set_read_timeout(Some(Duration::from_millis(1500)));
        answer_pings(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let why = unclaimed(document(&["--max", "3s"], &url));
    assert!(why.contains("wscheck closed") && why.contains("HTTP"), "{why}");
}

#[test]
fn timeout_below_min_names_min() {
    let server = Server::start(&["--idle-timeout", "1200ms"]);
    let (_, document) = document(&["--min", "2s", "--max", "4s"], &server.url());
    assert!(document["reasons"].to_string().contains("--min 2 s"), "{document:#}");
    assert!(document["bracket"]["hi_ms"].as_f64() < Some(2000.0), "{document:#}");
}

#[test]
fn busy_server_has_its_lifetime_reported() {
    let server = Server::start(&["--chatter", "400ms", "--lifetime", "3s"]);
    let (code, document) = document(&["--max", "4s", "--allow-messages"], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(0), &"lifetime_cap".into()), "{document:#}");
    assert!(document["recommendation"]["reconnect_before_ms"].as_f64() < Some(3300.0), "{document:#}");
}

#[test]
fn idle_timeout_and_lifetime_are_both_in_the_advice() {
    let server = Server::start(&["--idle-timeout", "2s", "--lifetime", "3s"]);
    let (code, document) = document(&["--max", "4s", "--allow-messages"], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(0), &"idle_timeout".into()), "{document:#}");
    let advice = &document["recommendation"];
    let (interval, before) = (advice["interval_ms"].as_f64(), advice["reconnect_before_ms"].as_f64());
    assert!(interval < Some(2000.0) && before.is_some(), "{document:#}");
}
