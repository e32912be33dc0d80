//! Presets on real servers: ten heartbeats each, the servers' own heartbeats, detection, and each preset on another
//! preset's server.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::preset_servers::{LIVE, Live, Measures, Says, servers};
use crate::support::{Server, ping_json, run, run_concurrently};

/// The only connection of a ping run.
fn connection(document: &Value) -> &Value {
    &document["targets"][0]["connections"][0]
}

/// Tolerance for a median of few gaps on a busy machine.
fn is_about(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= expected * 0.1)
}

fn ten_heartbeats(live: &Live, server: &Server) -> Value {
    let url = live.url(server);
    let args = ["--proxy", "none", "--preset", live.preset, "-c", "10", "-i", "300ms", &url];
    let (code, document) = ping_json(&args);
    assert_eq!(code, Some(0), "{}: {document:#}", live.peer.name);
    document
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn each_preset_works_on_its_real_server() {
    run_concurrently(servers(), |(live, server)| {
        let document = ten_heartbeats(live, server);
        let context = format!("{}: {document:#}", live.peer.name);
        let (measured, other) = match live.measures {
            Measures::App => ("app", "protocol"),
            Measures::Protocol => ("protocol", "app"),
        };
        assert_eq!(document["heartbeats"][measured]["ok"], 10, "{context}");
        assert_eq!(document["heartbeats"][other], Value::Null, "{context}");
        assert_eq!(document["settings"]["preset"]["name"], live.preset, "{context}");
        let pings = &connection(&document)["server_pings"];
        match live.says {
            Says::App(interval) => assert!(is_about(&pings["app_interval_ms"], interval), "{context}"),
            Says::Protocol(interval) => {
                assert!(is_about(&pings["protocol_interval_ms"], interval), "{context}")
            }
            Says::AppUnlessAsked(_) => assert!(pings["app"].as_u64() < Some(3), "{context}"),
            Says::Nothing => {
                assert_eq!((&pings["app"], &pings["protocol"]), (&json!(0), &json!(0)), "{context}")
            }
        }
    });
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn listen_reports_each_real_servers_heartbeats() {
    run_concurrently(servers(), |(live, server)| {
        let url = live.url(server);
        // Enough for five heartbeats a second apart: a busy host delays some, and few irregular ones show no interval.
        let args = ["listen", "--proxy", "none", "--json", "--preset", live.preset, "--for", "6s", &url];
        let ran = run(&args);
        let document = ran.json();
        let context = format!("{}: {document:#}", live.peer.name);
        assert_eq!(ran.code, Some(0), "{context}");
        match live.says {
            Says::App(interval) | Says::Protocol(interval) | Says::AppUnlessAsked(interval) => {
                assert_eq!(document["verdict"], "server_pings_every", "{context}");
                assert!(is_about(&document["interval"]["median_ms"], interval), "{context}");
            }
            Says::Nothing => assert_eq!(document["verdict"], "server_is_silent_for", "{context}"),
        }
    });
}

#[test]
fn presets_verified_live_have_a_server_here() {
    let document = run(&["presets", "--json"]).json();
    let presets = document["presets"].as_array().unwrap().iter();
    let said: BTreeSet<_> = presets
        .filter(|preset| preset["verified"] == "live")
        .map(|preset| preset["name"].as_str().unwrap())
        .collect();
    // This SignalR server is not Microsoft's, which defines the protocol.
    let here = LIVE.iter().map(|live| live.preset).filter(|preset| *preset != "signalr");
    assert_eq!(said, here.collect());
}

/// The expected result of `--preset auto`; `None` if the server does not show its protocol.
fn found(live: &Live) -> Option<&'static str> {
    match live.preset {
        "stomp" | "signalr" | "jupyter" | "jsonrpc" | "nostr" | "text" => None,
        preset => Some(preset),
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn auto_detects_real_servers() {
    // It closes unknown clients without an answer.
    let answers = |(live, _): &&(&Live, Server)| live.preset != "vite";
    let servers: Vec<_> = servers().iter().filter(answers).collect();
    run_concurrently(&servers, |(live, server)| {
        let url = live.url(server);
        let (code, document) =
            ping_json(&["--proxy", "none", "--preset", "auto", "-c", "3", "-i", "300ms", &url]);
        let context = format!("{}: {document:#}", live.peer.name);
        let preset = &document["settings"]["preset"];
        assert_eq!((code, preset["name"].as_str()), (Some(0), found(live)), "{context}");
        assert!(preset["evidence"].as_array().is_some_and(|evidence| !evidence.is_empty()), "{context}");
        let ok = ["app", "protocol"].map(|kind| document["heartbeats"][kind]["ok"].as_u64());
        assert!(ok.contains(&Some(3)), "{context}");
    });
}

/// The expected diagnosis of a preset on the next server; `None` if it works there.
fn mistake(wrong: &str, peer: &str) -> Option<(i32, &'static str)> {
    match (wrong, peer) {
        // Socket.IO 4 runs on Engine.IO 4.
        ("engine.io", "python-engineio" | "socket.io 4") => None,
        ("socket.io", _) => Some((
            3,
            "no message matched '40{\\\"sid\\\":{any}}' of the preset socket.io within 2 s; one other came: 40",
        )),
        ("engine.io-3", _) => {
            Some((3, "peer sent close 4406 (private to the application) \\\"Subprotocol not acceptable\\\""))
        }
        ("graphql-ws", _) => Some((3, "peer sent close 1002 (protocol error)")),
        ("subscriptions-transport-ws", _) => Some((3, "try --preset sockjs")),
        ("sockjs", _) => {
            Some((3, "no message matched 'o' of the preset sockjs within 2 s; no message was received"))
        }
        ("stomp", _) => Some((3, "the server closed the connection without an answer")),
        // The preset completes the URL with /mqtt, where nats-server waits for an MQTT client that logs in.
        ("mqtt", _) => Some((3, "of the preset mqtt within 2 s; no message was received")),
        ("nats", _) => Some((3, "try --preset action-cable")),
        ("action-cable", _) => Some((3, "HTTP 501 (Not Implemented) instead of 101")),
        ("xmpp", _) => Some((3, "of the preset xmpp within 2 s; no message was received")),
        ("signalr", _) => Some((3, "the server did not answer within 3 s")),
        ("vite", _) => Some((3, "'wscheck listen' shows what it sends by itself")),
        ("jupyter", _) => Some((1, "Invalid Host/Origin header")),
        // Any server answers Ping frames, and this preset uses nothing else.
        ("webpack-dev-server", _) => None,
        ("jsonrpc", _) => Some((1, "try --preset nostr")),
        ("nostr", _) => Some((1, "no message matched the preset nostr's answer; no message was received")),
        ("text", _) => Some((3, "HTTP 400 (Bad Request) instead of 101")),
        (wrong, peer) => panic!("what does {wrong} say on {peer}?"),
    }
}

/// A short run with few heartbeats.
const QUICK: &[&str] =
    &["--proxy", "none", "-c", "4", "-i", "200ms", "-W", "900ms", "--connect-timeout", "3s"];

/// Text output of a run, and the server traffic it saw.
fn context(document: &Value) -> String {
    let heard = &connection(document)["first_other_message"];
    let error = &document["error"];
    [&error["message"], &error["hint"], &document["reasons"], &document["findings"], heard]
        .map(Value::to_string)
        .join("\n")
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn preset_on_another_server_is_diagnosed() {
    let running = |live: &Live| servers().iter().find(|(running, _)| running.peer.name == live.peer.name);
    let nexts = LIVE.iter().cycle().skip(1);
    let pairs: Vec<_> =
        LIVE.iter().zip(nexts).filter_map(|(wrong, next)| Some((wrong, running(next)?))).collect();
    run_concurrently(&pairs, |(wrong, (live, server))| {
        // The query belongs to the other preset.
        let url = live
            .url(server)
            .replace("?EIO=4&transport=websocket", "")
            .replace("?EIO=3&transport=websocket", "");
        let patience: &[&str] = match wrong.preset {
            "jupyter" | "webpack-dev-server" | "jsonrpc" | "nostr" | "text" => &[],
            _ => &["--await-timeout", "2s"],
        };
        let run = [patience, QUICK, &["--preset", wrong.preset, &url]].concat();
        let (code, document) = ping_json(&run);
        let pair = format!("{} on {}", wrong.preset, live.peer.name);
        let expected = mistake(wrong.preset, live.peer.name);
        assert_eq!(code, Some(expected.map_or(0, |(code, _)| code)), "{pair}: {document:#}");
        let found = context(&document);
        assert!(expected.is_none_or(|(_, words)| found.contains(words)), "{pair}: {found}");
    });
}
