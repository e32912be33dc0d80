//! Peers that violate the protocol: a named ending, exit code 1, bounded memory, no panic.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Ran, Script, accept, ping_json, read_head, run, run_concurrently, upgrade, wscheck};

/// The violation reported for these bytes after the upgrade.
fn violation(bytes: &[u8]) -> String {
    let peer = Script::upgraded_then(bytes);
    let (code, document) = ping_json(&["-c", "5", "-i", "50ms", &peer.url()]);
    assert_eq!((code, &document["status"]), (Some(1), &"dead".into()), "{document:#}");
    let ending = &document["ending"];
    assert_eq!((&ending["who"], &ending["how"]), (&"peer".into(), &"violation".into()), "{ending}");
    ending["violation"].as_str().unwrap().to_string()
}

#[test]
fn each_violation_is_named() {
    assert_eq!(violation(&[0x81, 0x85, 1, 2, 3, 4, 0, 0, 0, 0, 0]), "masked_frame");
    assert_eq!(violation(b"\x81\x02\xff\xfe"), "invalid_utf8");
    assert_eq!(violation(&[&b"\x82\x7f"[..], &(1_u64 << 63).to_be_bytes()].concat()), "garbage");
    assert_eq!(violation(&[0xf1, 0]), "garbage");
    assert_eq!(violation(&b"HTTP/1.1 400 Bad Request\r\n".repeat(10)), "garbage");
    assert_eq!(violation(&[0x80, 0]), "garbage");
}

/// A server that upgrades, then sends an HTTP response on the same connection after a delay, in one write if it is
/// zero.
fn http_after_upgrade(delay: Option<Duration>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    // Ends with the test process.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (head, mut answer) = (read_head(&mut stream), Vec::new());
                accept(&mut answer, &head, None);
                if let Some(delay) = delay {
                    let _ = stream.write_all(&std::mem::take(&mut answer));
                    std::thread::sleep(delay);
                }
                answer.extend(b"HTTP/1.1 404 Not Found\r\n\r\n");
                let _ = stream.write_all(&answer);
                let _ = stream.read_to_end(&mut Vec::new());
            });
        }
    });
    url
}

/// 28 bytes in total: the second letter announces a payload of 84 bytes, which never comes.
#[test]
fn http_text_after_the_upgrade_is_named_by_every_command() {
    let commands: [&[&str]; 4] = [
        &["ping", "-c", "5", "-i", "100ms"],
        &["listen", "--for", "2s"],
        &["probe-zombie", "--max", "2s"],
        &["probe-idle", "--min", "250ms", "--max", "2s"],
    ];
    let urls = [None, Some(Duration::from_millis(700))].map(http_after_upgrade);
    let cases: Vec<_> = urls.iter().flat_map(|url| commands.map(|command| (url, command))).collect();
    run_concurrently(&cases, |(url, command)| {
        let ran = run(&[command, &["--proxy", "none", url][..]].concat());
        let said = format!("{}{}", ran.stdout, ran.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("an HTTP response after the upgrade"), "{command:?}: {said}");
        assert!(matches!(ran.code, Some(1 | 4)), "{command:?}: {said}");
    });
}

#[test]
fn random_bytes_never_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20 {
        let mut bytes = Vec::new();
        for _ in 0..64 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            bytes.extend(state.to_be_bytes());
        }
        let peer = Script::upgraded_then(bytes);
        let (code, document) =
            ping_json(&["-c", "2", "-i", "10ms", "-W", "50ms", "--dead-after", "1", &peer.url()]);
        assert_eq!((code, &document["status"]), (Some(1), &"dead".into()), "{document:#}");
    }
}

#[test]
fn hostile_close_reason_is_escaped() {
    let reason = b"bye\x1b]0;owned\x07\x1b[2J";
    let mut close = vec![0x88, 2 + reason.len() as u8];
    close.extend(4321_u16.to_be_bytes());
    close.extend(reason);
    let peer = Script::upgraded_then(close);
    for format in ["human", "json", "ndjson"] {
        let ran = run(&["ping", "-o", format, "-c", "5", &peer.url()]);
        assert_eq!(ran.code, Some(1));
        let said = ran.stdout + &ran.stderr;
        assert!(!said.contains(['\x1b', '\x07']), "{said:?}");
        assert!(said.contains("owned") && said.contains("4321"), "{said}");
    }
}

/// The most memory that a process had so far, in KiB; `None` once it has ended.
fn peak_memory(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `wscheck ping -o json` with these arguments, which must need less than 200 MiB: the exit code and the document. The kernel
/// keeps the peak of each process while it runs; what it tells of ended children is the largest of them all.
fn bounded_ping(args: &[&str]) -> (Option<i32>, Value) {
    let child = wscheck(&[&["ping", "-o", "json"], args].concat()).spawn().unwrap();
    let (process, mut peak) = (child.id(), 0);
    let ended = std::thread::spawn(move || Ran::of(child));
    while !ended.is_finished() {
        peak = peak.max(peak_memory(process).unwrap_or_default());
        std::thread::sleep(Duration::from_millis(1));
    }
    let ran = ended.join().unwrap();
    assert!(peak > 0 && peak < 200 * 1024, "{peak} KiB: {ran:?}");
    (ran.code, ran.json())
}

#[test]
fn ping_flood_uses_bounded_memory() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        let flood = b"\x89\x04ping".repeat(1000);
        while stream.write_all(&flood).is_ok() {}
    });
    let (code, document) = bounded_ping(&["-w", "2s", "-i", "100ms", "-W", "60s", &peer.url()]);
    assert!([Some(1), Some(4)].contains(&code), "{document:#}");
    let pings = document["targets"][0]["connections"][0]["server_pings"]["protocol"].as_u64().unwrap();
    assert!(pings > 1000, "{pings}");
}

#[test]
fn growing_message_uses_bounded_memory() {
    let text = format!("{{\"a\":[{}0]}}", "0,".repeat(7_000_000));
    let head = [&[0x81, 127][..], &(text.len() as u64).to_be_bytes()].concat();
    let peer = Script::upgraded_then([head, text.into_bytes()].concat());
    for more in [&["--heartbeat", "app"][..], &["--await", r#"{"type":"x"}"#]] {
        bounded_ping(&[&["-w", "2s", "-i", "100ms", &peer.url()], more].concat());
    }
}

#[test]
fn forbidden_close_code_is_shown_unchanged() {
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 5000] {
        assert_eq!(
            violation(&[&[0x88, 2][..], &code.to_be_bytes()].concat()),
            "invalid_close_code",
            "{code}"
        );
    }
}

#[test]
fn message_flood_ends_by_the_deadline() {
    let peer = Script::start(|mut stream| {
        upgrade(&mut stream);
        let flood = b"\x81\x00".repeat(4000);
        while stream.write_all(&flood).is_ok() {}
    });
    for more in [&["-n", "8"][..], &["--await", "never", "--await-timeout", "1s"]] {
        let (code, document) =
            bounded_ping(&[&["-w", "1s", "-i", "100ms", "-W", "60s", &peer.url()], more].concat());
        assert!([Some(1), Some(3), Some(4)].contains(&code), "{document:#}");
    }
}
