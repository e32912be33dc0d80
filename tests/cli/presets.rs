//! `--preset` and `wscheck presets` through the binary, against matching peers and others, and rejected arguments.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::support::{
    CLOSE, PING, PONG, Script, Server, TEXT, accept, frame, ping_json, read_frame, read_head, run, upgrade,
};

const BINARY: u8 = 0x82;

/// Answers Pings and the closing handshake; passes messages to `answer` and sends what it returns.
fn converse(stream: &mut (impl Read + Write), mut answer: impl FnMut(u8, &[u8]) -> Vec<(u8, Vec<u8>)>) {
    while let Some((first, payload)) = read_frame(stream) {
        let replies = match first {
            PING => vec![(PONG, payload.clone())],
            CLOSE => vec![(CLOSE, payload.clone())],
            first => answer(first, &payload),
        };
        for (first, payload) in replies {
            if stream.write_all(&frame(first, &payload)).is_err() {
                return;
            }
        }
        if first == CLOSE {
            return;
        }
    }
}

fn text(text: &str) -> (u8, Vec<u8>) {
    (TEXT, text.as_bytes().to_vec())
}

fn say(stream: &mut TcpStream, text: &str) {
    let _ = stream.write_all(&frame(TEXT, text.as_bytes()));
}

/// A Phoenix-like server.
fn phoenix() -> Script {
    Script::start(|mut stream| {
        let head = upgrade(&mut stream);
        assert!(head.starts_with("GET /socket/websocket?vsn=2.0.0 "), "{head}");
        converse(&mut stream, |_, ask| {
            let ask: Value = serde_json::from_slice(ask).unwrap();
            assert_eq!((&ask[2], &ask[3]), (&json!("phoenix"), &json!("heartbeat")));
            let reply = json!([null, ask[1], "phoenix", "phx_reply", {"status": "ok", "response": {}}]);
            vec![text(&reply.to_string())]
        });
    })
}

/// An Engine.IO-like server that pings at once and after each answer, and closes when it is pinged.
fn engine_io() -> Script {
    Script::start(|mut stream| {
        upgrade(&mut stream);
        say(&mut stream, r#"0{"sid":"x","upgrades":[],"pingInterval":100,"pingTimeout":200}"#);
        say(&mut stream, "2");
        let mut asked = 0;
        converse(&mut stream, |_, message| match message {
            b"3" if asked < 4 => {
                asked += 1;
                vec![text("2")]
            }
            b"3" => Vec::new(),
            _ => vec![(CLOSE, Vec::new())],
        });
    })
}

/// A NATS-like server with binary messages, for concurrent connections.
fn nats() -> Script {
    Script::start(|stream| drop(std::thread::spawn(move || serve_nats(stream))))
}

fn serve_nats(mut stream: TcpStream) {
    upgrade(&mut stream);
    let _ = stream.write_all(&frame(BINARY, b"INFO {\"server_id\":\"N\"} \r\n"));
    converse(&mut stream, |first, message| match (first, message) {
        (BINARY, b"PING\r\n") => vec![(BINARY, b"PONG\r\n".to_vec())],
        (BINARY, _) => Vec::new(),
        (_, _) => vec![(BINARY, b"-ERR 'Unknown Protocol Operation'\r\n".to_vec())],
    });
}

/// Sends this first, then only answers Pings.
fn saying(first: &'static str) -> Script {
    Script::start(move |mut stream| {
        upgrade(&mut stream);
        say(&mut stream, first);
        converse(&mut stream, |_, _| Vec::new());
    })
}

const QUICK: [&str; 8] = ["-i", "20ms", "-W", "400ms", "-c", "10", "--proxy", "none"];

fn ping(preset: &str, more: &[&str], url: &str) -> (Option<i32>, Value) {
    ping_json(&[&["--preset", preset], &QUICK[..], more, &[url]].concat())
}

fn connection(document: &Value) -> &Value {
    &document["targets"][0]["connections"][0]
}

#[test]
fn preset_heartbeats_are_answered() {
    let server = phoenix();
    let (code, document) = ping("phoenix", &[], &format!("ws://127.0.0.1:{}", server.port));
    assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &json!(10)), "{document:#}");
    assert_eq!(document["heartbeats"]["app"]["ambiguous"], 0);
    let settings = &document["settings"];
    assert_eq!((&settings["preset"]["name"], &settings["heartbeats"]), (&json!("phoenix"), &json!(["app"])));
}

#[test]
fn preset_compares_both_layers() {
    let server = phoenix();
    let url = format!("ws://127.0.0.1:{}", server.port);
    let (code, document) = ping("phoenix", &["--heartbeat", "both"], &url);
    let answered = |kind: &str| document["heartbeats"][kind]["ok"].clone();
    assert_eq!(
        (code, answered("protocol"), answered("app")),
        (Some(0), json!(10), json!(10)),
        "{document:#}"
    );
}

#[test]
fn server_started_heartbeats_are_answered() {
    let server = engine_io();
    let (code, document) = ping("engine.io", &[], &server.url());
    assert_eq!((code, &document["heartbeats"]["protocol"]["ok"]), (Some(0), &json!(10)), "{document:#}");
    let pings = &connection(&document)["server_pings"];
    assert_eq!(pings["app"], 5, "{document:#}");
    assert!(pings["app_interval_ms"].is_number(), "{document:#}");
    assert_eq!(pings["announced_interval_ms"], 100.0, "{document:#}");
    let note = document["settings"]["preset"]["notes"][0].as_str().unwrap();
    assert!(note.starts_with("there is no app RTT: the server asks"), "{note}");
}

#[test]
fn binary_messages_and_lines_are_supported() {
    let server = nats();
    let (code, document) = ping("nats", &[], &server.url());
    assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &json!(10)), "{document:#}");
}

#[test]
fn options_override_the_preset() {
    let server = Script::start(|mut stream| {
        let head = upgrade(&mut stream);
        assert!(head.contains("Sec-WebSocket-Protocol: mine"), "{head}");
        converse(&mut stream, |_, message| match message {
            b"hi" => vec![text(r#"{"ready":true}"#)],
            b"beat" => vec![text("ok")],
            other => panic!("{other:?}"),
        });
    });
    let more = [
        ["--subprotocol", "mine"],
        ["--send", "hi"],
        ["--await", r#"{"ready":true}"#],
        ["--app-ping", "beat"],
        ["--app-pong", "ok"],
    ];
    let (code, document) = ping("graphql-ws", &more.concat(), &server.url());
    assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &json!(10)), "{document:#}");
    assert_eq!(document["settings"]["interval_ms"], 20.0);
}

#[test]
fn presets_use_the_option_syntax() {
    let server = Script::start(|mut stream| {
        upgrade(&mut stream);
        converse(&mut stream, |first, message| match (first, message) {
            (BINARY, b"PING\n") => vec![(BINARY, b"noise\nPONG 1\n".to_vec())],
            (BINARY, _) => vec![(BINARY, [&[0xd0, 0x7f][..], &message[1..9]].concat())],
            (_, _) => vec![text(r#"430["yes",{"t":1}]"#)],
        });
    });
    let asks: [&[&str]; 4] = [
        &["--app-ping", r"binary:PING\n", "--app-pong", r"binary:PONG{any}", "--framing", "lines"],
        &["--app-ping", "hex:01{seq}", "--app-pong", "hex:d0?f{seq}"],
        &["--app-ping", r#"420["ping"]"#, "--app-pong", r#"430["yes",{any}]"#],
        &["--app-ping", "x", "--app-pong", "never", "--app-pong", "text:430{any}"],
    ];
    let url = server.url();
    for ask in asks {
        let args = [&QUICK[..], &["--heartbeat", "app"], ask, &[&url]].concat();
        let (code, document) = ping_json(&args);
        assert_eq!(
            (code, &document["heartbeats"]["app"]["ok"]),
            (Some(0), &json!(10)),
            "{ask:?}: {document:#}"
        );
    }
}

#[test]
fn wrong_preset_is_a_finding() {
    let welcome = saying(r#"{"type":"welcome"}"#);
    let short = ["--await-timeout", "300ms"];
    let (code, document) = ping("engine.io", &short, &welcome.url());
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(code, Some(3), "{document:#}");
    assert!(
        message.contains("of the preset engine.io") && message.contains("looks like action-cable"),
        "{message}"
    );
    assert_eq!(document["error"]["hint"], "try --preset action-cable");

    let (code, document) = ping("phoenix", &[], &welcome.url());
    let finding = &document["findings"][0];
    let message = finding["message"].as_str().unwrap_or_default();
    assert_eq!(code, Some(1), "{document:#}");
    assert!(message.starts_with("no message matched the preset phoenix's answer; received"), "{document:#}");
    assert!(message.ends_with("looks like action-cable"), "{message}");
    assert_eq!(
        (&finding["code"], &finding["remedy"]),
        (&"preset_mismatch".into(), &"try --preset action-cable".into())
    );

    let (code, document) = ping("huobi", &[], &welcome.url());
    let reason = document["reasons"][0].as_str().unwrap_or_default();
    assert_eq!(code, Some(4), "{document:#}");
    assert!(
        reason.starts_with("the server never sent the message that preset huobi servers send"),
        "{reason}"
    );
}

#[test]
fn unchosen_subprotocol_is_named_on_close() {
    let server = Script::start(|mut stream| {
        upgrade(&mut stream);
        let _ = stream
            .write_all(&frame(CLOSE, &[&4406_u16.to_be_bytes()[..], b"Subprotocol not acceptable"].concat()));
        converse(&mut stream, |_, _| Vec::new());
    });
    let (code, document) = ping("graphql-ws", &[], &server.url());
    let (message, hint) = (document["error"]["message"].to_string(), document["error"]["hint"].to_string());
    assert!(code == Some(3) && message.contains("4406"), "{document:#}");
    assert!(
        hint.contains("the server chose none of the subprotocols offered (graphql-transport-ws)"),
        "{hint}"
    );
}

#[test]
fn wrong_preset_on_silent_server_does_not_hang() {
    let mute = Script::start(|mut stream| {
        upgrade(&mut stream);
        converse(&mut stream, |_, _| Vec::new());
    });
    let (code, document) = ping("sockjs", &["--await-timeout", "200ms"], &mute.url());
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert_eq!(code, Some(3), "{document:#}");
    assert!(message.ends_with("no message was received"), "{message}");
    let (code, document) = ping("okx", &[], &mute.url());
    assert_eq!(code, Some(1), "{document:#}");
    let message = &document["findings"][0]["message"];
    assert_eq!(message, "no message matched the preset okx's answer; no message was received");
}

#[test]
fn auto_detects_the_preset_with_evidence() {
    let server = engine_io();
    let (code, document) = ping("auto", &[], &server.url());
    let preset = &document["settings"]["preset"];
    assert_eq!(code, Some(0), "{document:#}");
    assert_eq!(preset["name"], Value::Null, "a path of its own is needed to tell them apart: {preset:#}");
    let url = format!("ws://127.0.0.1:{}/engine.io/?EIO=4&transport=websocket", server.port);
    let (code, document) = ping("auto", &[], &url);
    let preset = &document["settings"]["preset"];
    assert_eq!((code, &preset["name"], &preset["auto"]), (Some(0), &json!("engine.io"), &json!(true)));
    let evidence = preset["evidence"].as_array().unwrap();
    assert!(evidence[0].as_str().unwrap().starts_with("it says 0{\"sid\""), "{preset:#}");
    assert_eq!(evidence[1], "the path is that of engine.io");
}

#[test]
fn auto_uses_the_chosen_subprotocol() {
    let server = Script::start(|mut stream| {
        let head = read_head(&mut stream);
        accept(&mut stream, &head, Some("graphql-transport-ws"));
        converse(&mut stream, |_, message| {
            let message: Value = serde_json::from_slice(message).unwrap();
            match message["type"].as_str().unwrap() {
                "connection_init" => vec![text(r#"{"type":"connection_ack"}"#)],
                _ => vec![text(&json!({"type": "pong", "payload": message["payload"]}).to_string())],
            }
        });
    });
    let (code, document) = ping("auto", &[], &format!("ws://127.0.0.1:{}/graphql", server.port));
    assert_eq!((code, &document["heartbeats"]["app"]["ok"]), (Some(0), &json!(10)), "{document:#}");
    assert_eq!(document["settings"]["preset"]["name"], "graphql-ws");
}

#[test]
fn auto_ignores_a_subprotocol_followed_by_close() {
    let server = Script::start(|mut stream| {
        let head = read_head(&mut stream);
        // Like Node's ws: chooses the first offered subprotocol, whatever the application supports.
        let offered = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: "));
        let first = offered.and_then(|offered| offered.split(", ").next()).map(str::to_string);
        accept(&mut stream, &head, first.as_deref());
        if first.as_deref() != Some("graphql-ws") {
            let _ = stream.write_all(&frame(CLOSE, &1002_u16.to_be_bytes()));
        }
        converse(&mut stream, |_, message| match message {
            br#"{"type":"connection_init","payload":{}}"# => {
                vec![text(r#"{"type":"connection_ack"}"#), text(r#"{"type":"ka"}"#)]
            }
            _ => Vec::new(),
        });
    });
    let (code, document) = ping("auto", &[], &format!("ws://127.0.0.1:{}/graphql", server.port));
    assert_eq!(
        (code, &document["settings"]["preset"]["name"]),
        (Some(0), &json!("subscriptions-transport-ws"))
    );
    assert_eq!(document["heartbeats"]["protocol"]["ok"], 10, "{document:#}");
}

#[test]
fn auto_falls_back_to_ping_frames() {
    let server = Server::start(&[]);
    let (code, document) = ping("auto", &[], &server.url());
    let preset = &document["settings"]["preset"];
    assert_eq!((code, &document["heartbeats"]["protocol"]["ok"]), (Some(0), &json!(10)), "{document:#}");
    assert_eq!((&preset["name"], &preset["auto"]), (&Value::Null, &json!(true)));
    assert_eq!(preset["notes"][0], "no preset is sure enough, so Ping frames are measured");
}

/// Rejected arguments, and required parts of the error line.
const REFUSED: &[(&[&str], &[&str])] = &[
    (&["ping", "--preset", "enginio", "ws://a/"], &["'enginio' is not a preset", "similar names: engine.io"]),
    (&["ping", "--preset", "qqqq", "ws://a/"], &["'wscheck presets' lists them all"]),
    (
        &["ping", "--preset", "engine.io", "--heartbeat", "app", "ws://a/"],
        &["has no app heartbeat to measure"],
    ),
    (
        &["ping", "--preset", "socket.io", "--heartbeat", "app", "--app-ping", "2", "ws://a/"],
        &["'2' is not sent", "invalid heartbeat direction"],
    ),
    (&["ping", "--preset", "twitch-eventsub", "ws://a/"], &["no Ping frame is sent", "anything but Pongs"]),
    (&["probe-idle", "--preset", "twitch-eventsub", "ws://a/"], &["no Ping frame is sent"]),
    (&["probe-zombie", "--preset", "twitch-eventsub", "ws://a/"], &["no Ping frame is sent"]),
    (&["listen", "--preset", "twitch-eventsub", "--talk", "ws://a/"], &["twitch-eventsub"]),
    (&["ping", "--preset", "binance", "-i", "100ms", "ws://a/"], &["more often than every 1 s", "banned"]),
    (
        &["ping", "--preset", "engine.io", "ws://a/engine.io/?EIO=3"],
        &["needs EIO=4 in the URL's query, not EIO=3"],
    ),
    (
        &["ping", "--preset", "home-assistant", "ws://a/"],
        &["needs what only you know: --send '{\"type\":\"auth\""],
    ),
    (&["ping", "--preset", "auto", "ws://a/", "ws://b/"], &["--preset auto works with one URL"]),
    (&["ping", "--preset", "xmpp", "ws://a/", "ws://b/"], &["works with one host only"]),
    (
        &["ping", "--preset", "phoenix", "--await-timeout", "1s", "ws://a/"],
        &["--await-timeout has no effect"],
    ),
    (&["ping", "--framing", "frames", "ws://a/"], &["'frames'"]),
    (&["ping", "--heartbeat", "app", "--app-ping", r"text:\q", "ws://a/"], &["--app-ping", "no escape"]),
    (&["ping", "--heartbeat", "app", "--app-ping", "hex:c?", "ws://a/"], &["bytes to send must all be said"]),
];

#[test]
fn forbidden_traffic_is_refused_with_the_reason() {
    for (args, parts) in REFUSED {
        let ran = run(args);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
        for part in *parts {
            assert!(ran.stderr.contains(part), "{args:?}: '{part}' is not in: {}", ran.stderr);
        }
    }
}

#[test]
fn listen_uses_the_preset() {
    let server = Script::start(|mut stream| {
        upgrade(&mut stream);
        say(&mut stream, r#"{"type":"welcome"}"#);
        for _ in 0..3 {
            say(&mut stream, r#"{"type":"ping","message":1795666306}"#);
        }
        converse(&mut stream, |_, other| panic!("a client says nothing to Action Cable: {other:?}"));
    });
    let args = ["listen", "--json", "--proxy", "none", "--preset", "action-cable", "--for", "500ms"];
    let ran = run(&[&args[..], &[&server.url()]].concat());
    let document = ran.json();
    let received = &document["received"][0];
    assert_eq!((&received["shape"], &received["count"]), (&json!("action-cable"), &json!(3)), "{document:#}");
    assert_eq!(received["kind"], "keep_alive", "{document:#}");
}

#[test]
fn probe_zombie_control_uses_the_preset() {
    let server = nats();
    let args =
        ["probe-zombie", "--json", "--proxy", "none", "--preset", "nats", "--max", "1s", "--every", "100ms"];
    let ran = run(&[&args[..], &[&server.url()]].concat());
    let document = ran.json();
    assert_eq!(document["clients"][0]["client"], "control", "{document:#}");
    assert_eq!(document["clients"][0]["result"], "kept", "{document:#}");
}

#[test]
fn probe_idle_uses_the_preset() {
    let server = nats();
    let args =
        ["probe-idle", "--json", "--proxy", "none", "--preset", "nats", "--min", "100ms", "--max", "600ms"];
    let ran = run(&[&args[..], &["--precision", "100ms", &server.url()]].concat());
    let document = ran.json();
    assert_eq!(document["verdict"], "no_timeout_up_to_max", "{document:#}");
}

#[test]
fn presets_list_source_and_a_valid_command_line() {
    let document = run(&["presets", "--json"]).json();
    let presets = document["presets"].as_array().unwrap();
    assert!(presets.len() > 45, "{}", presets.len());
    for preset in presets {
        let name = preset["name"].as_str().unwrap();
        assert!(!preset["source"].as_str().unwrap().is_empty(), "{name}");
        let line = preset["command_line"].as_str().unwrap();
        let words = shell_words(line);
        assert_eq!(words[0], "wscheck");
        let parsed = wscheck::cli::command().try_get_matches_from(&words);
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
    }
}

/// Splits a line like a shell, with single quotes only.
fn shell_words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match (c, quoted) {
            ('\'', _) => quoted = !quoted,
            (' ', false) => words.push(std::mem::take(&mut word)),
            (c, _) => word.push(c),
        }
    }
    words.push(word);
    words
}

#[test]
fn ndjson_lists_presets_and_ends_with_the_document() {
    let lines = run(&["presets", "-o", "ndjson", "mqtt"]).ndjson();
    let (document, entries) = lines.split_last().unwrap();
    assert_eq!((entries.len(), &entries[0]["preset"]), (1, &document["presets"][0]));
    assert_eq!(entries[0]["preset"]["hello"][0], "hex:100c00044d5154540402003c0000");
}

#[test]
fn unknown_preset_suggests_similar_names() {
    let ran = run(&["presets", "phonix"]);
    let context = "error: 'phonix' is not a preset; similar names: phoenix, phoenix-v1\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", context));
    let ran = run(&["presets", "--json", "qqqq\u{1b}[2J"]);
    let document = ran.json();
    assert_eq!((ran.code, &document["result"]), (Some(2), &json!("usage")));
    assert_eq!(
        document["error"]["message"],
        "'qqqq\\u{1b}[2J' is not a preset; 'wscheck presets' lists them all"
    );
}
