//! Reports show what the peer sent: unmatched replies, close codes, wrong Pongs, its reaction to our close. Our own
//! limits are named as ours.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use crate::support::{CLOSE, PING, PONG, Ran, Script, TEXT, frame, ping_json, read_frame, run, upgrade};

/// First byte of a binary message in one frame.
const BINARY: u8 = 0x82;

/// Upgrades each connection and answers data and Ping frames with `reply`; never closes.
fn replying(reply: impl Fn(u8, &[u8]) -> Vec<u8> + Clone + Send + 'static) -> Script {
    serving(move |stream| {
        while let Some((first, payload)) = read_frame(stream) {
            match first {
                CLOSE => return drop(stream.write_all(&frame(CLOSE, &payload))),
                _ => drop(stream.write_all(&reply(first, &payload))),
            }
        }
    })
}

/// Upgrades each connection and serves it in its own thread.
fn serving(act: impl Fn(&mut TcpStream) + Clone + Send + 'static) -> Script {
    Script::start(move |mut stream| {
        let act = act.clone();
        thread::spawn(move || {
            upgrade(&mut stream);
            act(&mut stream);
        });
    })
}

fn ping(script: &Script, args: &[&str]) -> Ran {
    run(&[&["ping"][..], args, &[&script.url()]].concat())
}

/// A reply to unknown app pings; Pings are answered.
fn error_reply(first: u8, payload: &[u8]) -> Vec<u8> {
    match first {
        PING => frame(PONG, payload),
        _ => frame(TEXT, br#"{"type":"error","message":"unknown command: ping"}"#),
    }
}

const APP: &[&str] = &["--heartbeat", "app", "-c", "2", "-i", "50ms", "-W", "200ms"];

#[test]
fn unmatched_reply_is_shown_with_its_difference() {
    let script = replying(error_reply);
    let report = ping(&script, APP).stdout;
    assert!(!report.contains("hangs"), "{report}");
    let expected = r#"{"type":"error","message":"unknown command: ping"}"#;
    assert!(unwrapped(&report).contains(expected), "{report}");
    assert!(unwrapped(&report).contains(r#"(`type` is "error", not "pong")"#), "{report}");
    let string = replying(|_, _| frame(TEXT, br#"{"pong":true,"n":"0"}"#));
    let own = ["--app-ping", r#"{"ping":{seq}}"#, "--app-pong", r#"{"pong":true,"n":{seq}}"#];
    let report = ping(&string, &[APP, &own[..]].concat()).stdout;
    let expected = r#"`n` came as the string "0": write "{seq}" in the pattern"#;
    assert!(unwrapped(&report).contains(expected), "{report}");
}

/// A report without line breaks.
fn unwrapped(report: &str) -> String {
    report.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn probe_idle_shows_the_unmatched_reply() {
    let script = replying(error_reply);
    let args = ["probe-idle", "--heartbeat", "app", "--min", "200ms", "--max", "400ms"];
    let ran = run(&[&args[..], &["--answer-timeout", "300ms", &script.url()]].concat());
    let report = unwrapped(&ran.stdout);
    assert!(report.contains("unknown command: ping"), "{}", ran.all());
    assert!(report.contains(r#"(`type` is "error", not "pong")"#), "{}", ran.all());
}

#[test]
fn illegal_close_codes_are_shown() {
    for code in [0_u16, 999, 1004, 1005, 1006, 1015, 5000] {
        let script = Script::upgraded_then(frame(CLOSE, &[&code.to_be_bytes()[..], b"bye"].concat()));
        let (exit, document) = ping_json(&["-c", "5", "-i", "50ms", &script.url()]);
        let ending = &document["ending"];
        assert_eq!(
            (exit, &ending["code"], &ending["reason"]),
            (Some(1), &code.into(), &"bye".into()),
            "{ending}"
        );
        assert_eq!(ending["violation"], "invalid_close_code");
        let report = unwrapped(&ping(&script, &["-c", "5", "-i", "50ms"]).stdout);
        let expected =
            format!("broke the protocol: close {code} \"bye\": a code that must not appear on the wire");
        assert!(report.contains(&expected), "{report}");
    }
    let script = Script::upgraded_then(frame(CLOSE, &[3]));
    let (_, document) = ping_json(&["-c", "5", "-i", "50ms", &script.url()]);
    assert_eq!(document["ending"]["violation"], "invalid_close_payload");
    let script = Script::upgraded_then(frame(CLOSE, b"\x03\xe9by\xff"));
    let (_, document) = ping_json(&["-c", "5", "-i", "50ms", &script.url()]);
    let ending = &document["ending"];
    assert_eq!((&ending["violation"], &ending["code"]), (&"invalid_utf8".into(), &1001.into()), "{ending}");
}

const QUICK: &[&str] = &["-c", "4", "-i", "50ms", "-W", "200ms"];

#[test]
fn status_result_and_finding_agree_on_wrong_payloads() {
    for (reply, expected) in [
        (frame(PONG, b""), "but with an empty payload"),
        (frame(PONG, b"hello"), "but with another payload ("),
    ] {
        let script = replying(move |_, _| reply.clone());
        let report = unwrapped(&ping(&script, QUICK).stdout);
        assert!(report.matches(expected).count() >= 2, "{report}");
        assert!(!report.contains("hangs") && !report.contains("removes heartbeats"), "{report}");
    }
}

#[test]
fn message_for_each_ping_is_reported() {
    let script = replying(|_, _| frame(TEXT, b"pong"));
    // The next Ping must not leave before the message came, on a busy machine either.
    let report = unwrapped(&ping(&script, &["-c", "2", "-i", "2s", "-W", "2s"]).stdout);
    assert!(report.contains("a message came for each Ping instead of a Pong"), "{report}");
    assert!(report.contains("--heartbeat app") && !report.contains("hangs"), "{report}");
}

#[test]
fn end_right_after_the_first_ping_suggests_app_heartbeats() {
    let close = |code: u16| frame(CLOSE, &code.to_be_bytes());
    for bytes in [Vec::new(), close(1002), close(1003)] {
        let script = serving(move |stream| {
            read_frame(stream);
            let _ = stream.write_all(&bytes);
        });
        // There is no second Ping: the end ends the run.
        let report = unwrapped(&ping(&script, &["-c", "2", "-i", "1m"]).stdout);
        assert!(
            report.contains("after our first Ping") && report.contains("→ try --heartbeat app"),
            "{report}"
        );
    }
}

#[test]
fn echoed_ping_is_not_a_server_heartbeat() {
    let script = replying(|first, payload| if first == PING { frame(PING, payload) } else { Vec::new() });
    let report = unwrapped(&ping(&script, QUICK).stdout);
    assert!(report.matches("came with the payload of ours instead of Pongs").count() >= 2, "{report}");
    for wrong in ["hangs", "removes heartbeats", "server pings"] {
        assert!(!report.contains(wrong), "{report}");
    }
}

#[test]
fn ping_payload_echoed_as_text_suggests_app_heartbeats() {
    let script = replying(|_, payload| frame(TEXT, &[payload, b"\xff"].concat()));
    // The reply ends the connection, and is the first Ping's alone only if it comes before the next one.
    let report = unwrapped(&ping(&script, &["-c", "4", "-i", "5s"]).stdout);
    assert!(
        report.contains("text that is not UTF-8") && report.contains("→ try --heartbeat app"),
        "{report}"
    );
}

#[test]
fn reaction_to_our_close_is_in_text_and_json() {
    let peer = |answer: Option<Vec<u8>>| {
        serving(move |stream| {
            while let Some((first, payload)) = read_frame(stream) {
                if first == PING {
                    let _ = stream.write_all(&frame(PONG, &payload));
                    continue;
                }
                match &answer {
                    Some(bytes) => return drop(stream.write_all(bytes)),
                    None => return drop(stream.read_to_end(&mut Vec::new())),
                }
            }
        })
    };
    let args = ["-c", "1"];
    for (answer, how, words) in [
        (Some(frame(CLOSE, b"\x03\xe8")), "close_frame", "the peer answered with close 1000"),
        (Some(frame(CLOSE, b"\x03\xf3no")), "close_frame", "the peer answered with close 1011 \"no\""),
        (Some(Vec::new()), "fin", "the peer closed TCP (FIN) without a close frame"),
        (None, "none", "the peer did not answer the close within 1 s"),
    ] {
        let script = peer(answer);
        let report = unwrapped(&ping(&script, &args).stdout);
        assert!(report.contains(words), "{report}");
        let (_, document) = ping_json(&[&args[..], &[&script.url()]].concat());
        assert_eq!(document["ending"]["close_reply"]["how"], how, "{:#}", document["ending"]);
        let listening = ["listen", "--for", "100ms", &script.url()];
        let report = unwrapped(&run(&listening).stdout);
        assert!(report.contains(&format!("wscheck sent close 1000; {words}")), "{report}");
        let document = run(&[&listening[..], &["--json"]].concat()).json();
        assert_eq!(document["close_reply"]["how"], how, "{document:#}");
    }
}

/// A binary message of this size in bytes.
fn message_of(size: usize) -> Vec<u8> {
    let mut bytes = vec![BINARY, 127];
    bytes.extend((size as u64).to_be_bytes());
    bytes.resize(bytes.len() + size, 0);
    bytes
}

#[test]
fn message_above_our_limit_is_not_the_peers_fault() {
    let script = serving(|stream| {
        let _ = stream.write_all(&message_of(17 * 1024 * 1024));
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let (exit, document) = ping_json(&["-c", "5", "-i", "50ms", &script.url()]);
    let ending = &document["ending"];
    assert_eq!((exit, &ending["who"], &ending["how"]), (Some(4), &"us".into(), &"message_size_limit".into()));
    assert_ne!(document["status"], "dead");
    for command in [&["ping", "-c", "5"][..], &["listen", "--for", "2s"]] {
        let report = unwrapped(&run(&[command, &[&script.url()]].concat()).stdout);
        let expected = "a message of 17 MiB is above the limit of 16 MiB (raise it with --max-message-size)";
        assert!(report.contains(expected) && !report.contains("broke the protocol"), "{report}");
    }
    let received = run(&["listen", "--json", "--for", "2s", &script.url()]);
    let document = received.json();
    assert_eq!((received.code, &document["result"]), (Some(4), &"inconclusive".into()), "{document:#}");
    assert!(!document["reasons"].to_string().contains("incomplete"), "{document:#}");
    let idle = run(&["probe-idle", "--min", "200ms", "--max", "400ms", &script.url()]);
    let report = unwrapped(&idle.stdout);
    let is_ours = report.contains("above the limit of 16 MiB") && report.contains("--max-message-size");
    assert!(idle.code == Some(4) && is_ours && !report.contains("broke the protocol"), "{report}");
    let raised = run(&["listen", "--for", "1s", "--max-message-size", "32MiB", &script.url()]);
    assert!(!raised.stdout.contains("limit of"), "{}", raised.all());
    let beyond = run(&["ping", "--max-message-size", "2GiB", &script.url()]);
    assert!(beyond.code == Some(2) && beyond.stderr.contains("at most 1GiB"), "{}", beyond.all());
}

/// A frame rejected by its head is not an incomplete frame.
#[test]
fn rejected_frame_is_not_incomplete() {
    for head in [&b"HTTP/1.1 502"[..], b"\x83\x01a", b"\x81\x85\0\0\0\0hello"] {
        let script = Script::upgraded_then(head);
        let ran = run(&["listen", "--for", "2s", &script.url()]);
        assert_eq!(ran.code, Some(1), "{}", ran.all());
        assert!(!ran.stdout.contains("incomplete"), "{}", ran.all());
    }
}

#[test]
fn server_that_stops_inside_a_frame_is_not_hung() {
    let script = Script::upgraded_then(b"\x82\x7e\x27\x10and no more");
    let report = unwrapped(&ping(&script, QUICK).stdout);
    let expected = "a frame is incomplete: 11 of 10000 bytes came";
    assert!(report.matches(expected).count() >= 2, "{report}");
    assert!(report.contains("stopped inside a frame"), "{report}");
    assert!(!report.contains("hangs") && !report.contains("removes heartbeats"), "{report}");
}

#[test]
fn one_missed_pong_is_not_a_hung_server() {
    let pings = std::sync::atomic::AtomicU32::new(0);
    let count = std::sync::Arc::new(pings);
    let script = replying(move |_, payload| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        2 => Vec::new(),
        _ => frame(PONG, payload),
    });
    let report = unwrapped(&ping(&script, &["-c", "3", "-i", "50ms", "-W", "200ms"]).stdout);
    assert!(report.contains("1 heartbeat missed"), "{report}");
    assert!(!report.contains("hangs") && !report.contains("removes heartbeats"), "{report}");
}

#[test]
fn socket_io_refusal_is_explained() {
    for (message, words) in [
        (r#"44{"message":"not authorized"}"#, "CONNECT_ERROR 'not authorized'"),
        (r#"44/admin,{"message":"Invalid namespace"}"#, "CONNECT_ERROR of /admin 'Invalid namespace'"),
    ] {
        let script = serving(move |stream| {
            let hello = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
            let _ = stream.write_all(&frame(TEXT, hello.as_bytes()));
            read_frame(stream);
            let _ = stream.write_all(&frame(TEXT, message.as_bytes()));
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let args = ["--preset", "socket.io", "--await-timeout", "100s", "-c", "1"];
        let ran = ping(&script, &args);
        let context = unwrapped(&ran.all());
        assert_eq!(ran.code, Some(3), "{context}");
        assert!(
            context.contains(&format!("the server refused: {words}")) && context.contains("--send '40"),
            "{context}"
        );
    }
}

#[test]
fn ids_beyond_64_bits_are_compared_exactly() {
    for (pattern, came, is_answer) in [
        ("18446744073709551617", "18446744073709551616", false),
        ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567891", false),
        ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567890", true),
    ] {
        let reply = format!(r#"{{"type":"pong","id":{came}}}"#);
        let script = replying(move |_, _| frame(TEXT, reply.as_bytes()));
        let pong = format!(r#"{{"type":"pong","id":{pattern}}}"#);
        let asking = ["--heartbeat", "app", "--app-ping", r#"{"type":"ping"}"#, "--app-pong", &pong];
        let args = [&["-c", "1", "-W", "300ms"][..], &asking, &[&script.url()]];
        let (exit, document) = ping_json(&args.concat());
        assert_eq!(exit == Some(0), is_answer, "{pattern} {came}: {:#}", document["heartbeats"]);
    }
}

#[test]
fn misspelt_placeholder_is_refused_with_the_near_name() {
    for args in [["--app-ping", r#"{"a":{sq}}"#], ["--app-pong", r#"{"a":{now-ms}}"#]] {
        let ran = run(&[&["ping", "--heartbeat", "app"][..], &args, &["ws://127.0.0.1:9/"]].concat());
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        let near = if args[1].contains("sq") { "did you mean {seq}?" } else { "did you mean {now_ms}?" };
        assert!(ran.stderr.contains(near), "{}", ran.stderr);
    }
}

#[test]
fn engine_io_and_mqtt_refusals_are_explained() {
    let body = r#"{"code":5,"message":"Unsupported protocol version"}"#;
    let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n";
    let script = Script::answering(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    let ran = run(&["ping", "-c", "1", "--preset", "socket.io", &script.url()]);
    assert!(ran.all().contains("another Engine.IO version: --preset engine.io-3"), "{}", ran.all());
    let refusing = serving(|stream| {
        read_frame(stream);
        let _ = stream.write_all(&[&frame(BINARY, &[0x20, 2, 0, 5])[..], &frame(CLOSE, b"")].concat());
    });
    let url = format!("ws://127.0.0.1:{}/mqtt", refusing.port);
    let ran = run(&["ping", "-c", "1", "--preset", "mqtt", &url]);
    assert!(unwrapped(&ran.all()).contains("CONNACK 5 'not authorized'"), "{}", ran.all());
}
