//! permessage-deflate (RFC 7692) with the parameters that peers can agree to, through real libraries.

use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::programs::{folder, missing};
use crate::support::{ANY_SPEED, Ran, Server, ping_json, run, run_concurrently};

/// Built by `tests/peers/install.sh` from `benches/peers/rust`.
const YAWC: &str = "../../target/peers/test/debug/yawc";
const PYTHON: &str = "python/.venv/bin/python";

/// A program at a path of `tests/peers`, or of the system.
fn peer(program: &str, args: &[&str]) -> Command {
    let path = folder().join(program);
    if program.contains('/') && !path.exists() {
        missing(program);
    }
    let mut command = Command::new(if program.contains('/') { path.as_os_str() } else { program.as_ref() });
    // Standard input stays open until the test ends; servers then exit.
    command.args(args).current_dir(folder()).stdin(Stdio::piped());
    command
}

/// `ping` with heartbeats of messages, by what they say and with this offer.
fn ping(url: &str, offer: &str, more: &[&str], message: &str) -> (Option<i32>, Value) {
    let (template, offer) = (format!("text:{message}"), format!("--compress={offer}"));
    let args = ["--heartbeat", "app", "--app-ping", &template, "--app-pong", &template, &offer, url];
    ping_json(&[ANY_SPEED, &["-i", "10ms"], more, &args].concat())
}

fn is_compressed(name: &str, (code, document): (Option<i32>, Value), count: u64, agreed: &str) {
    let connection = &document["targets"][0]["connections"][0];
    let seen = (code, &document["heartbeats"]["app"]["ok"], &connection["compression"]);
    assert_eq!(seen, (Some(0), &count.into(), &agreed.into()), "{name}: {document:#}");
}

/// Text in JSON, which begins with what is its own.
fn json_text(size: usize) -> String {
    let rows = (0..).map(|row| format!(r#"{{"id":{row},"name":"name {}"}},"#, row * row % 97));
    let rows: String = rows.take(size / 20 + 1).collect();
    format!("{{id}} {}", &rows[..size.saturating_sub("{id} ".len())])
}

#[test]
fn offer_that_is_not_agreed_to_is_reported() {
    let server = Server::start(&[]);
    let ran = run(&["ping", "-c", "1", "--compress", &server.url()]);
    let line = "compression  none agreed (offered: permessage-deflate; client_max_window_bits)";
    assert!(ran.code == Some(0) && ran.stdout.contains(line), "{}", ran.all());
}

/// Over HTTP/1.1 and HTTP/2, what yawc agrees to of an offer with its own parameters.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn yawc_answers_compressed_heartbeats() {
    let cases = [
        ("", "", ""),
        ("", "client_max_window_bits", "; client_max_window_bits=9"),
        ("", "server_max_window_bits=12", "; server_max_window_bits=12"),
        (
            "server_max_window_bits=10; client_max_window_bits=11",
            "client_max_window_bits",
            "; server_max_window_bits=10; client_max_window_bits=11",
        ),
        (
            "server_no_context_takeover",
            "client_no_context_takeover",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            "client_no_context_takeover",
            "server_max_window_bits=9",
            "; client_no_context_takeover; server_max_window_bits=9",
        ),
    ];
    run_concurrently(&cases, |(parameters, offer, agreed)| {
        let server = Server::spawn(peer(YAWC, &["serve", parameters]));
        for http in ["1.1", "2"] {
            let ran = ping(&server.url(), offer, &["-c", "20", "--http", http], &json_text(5000));
            is_compressed(
                &format!("'{offer}' to '{parameters}'"),
                ran,
                20,
                &format!("permessage-deflate{agreed}"),
            );
        }
    });
}

/// yawc 0.5 limits a client's window that did not offer it, and repeats a window of 8 bits without its value.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn wrong_answers_of_yawc_are_named() {
    let cases = [
        ("client_max_window_bits=10", "", "client_max_window_bits is in the answer, and was not offered"),
        ("", "server_max_window_bits=8", "server_max_window_bits needs a value from 8 to 15"),
    ];
    run_concurrently(&cases, |(parameters, offer, why)| {
        let server = Server::spawn(peer(YAWC, &["serve", parameters]));
        let (code, document) = ping(&server.url(), offer, &["-c", "1"], "hello {id}");
        let error = &document["targets"][0]["connections"][0]["error"];
        assert_eq!((code, &error["kind"]), (Some(3), &"bad_upgrade".into()), "{document:#}");
        assert!(error["cause"].as_str().unwrap().ends_with(why), "{document:#}");
    });
}

/// Runs a client to its end, which says whether all messages came back.
fn succeeds(mut client: Command) {
    let ran = Ran::of(client.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    assert_eq!(ran.code, Some(0), "{client:?}: {}", ran.all());
}

#[test]
#[ignore = "needs a real client: tests/peers/install.sh"]
fn messages_of_yawc_come_back_from_serve() {
    let server = Server::start(&["--deflate", "--h2", "--heartbeat", "none"]);
    let url = server.url();
    let parameters = [
        "",
        "server_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits=9; client_max_window_bits=9",
    ];
    run_concurrently(&parameters, |parameters| {
        for http in ["1.1", "2"] {
            succeeds(peer(YAWC, &["echo", http, &url, parameters]));
        }
    });
}

#[test]
#[ignore = "needs a real client: tests/peers/install.sh"]
fn autobahn_compression_cases_succeed_against_serve() {
    let server = Server::start(&["--deflate", "--heartbeat", "none"]);
    succeeds(peer(PYTHON, &["clients/autobahn_deflate.py", &server.url()]));
}

/// Autobahn's sizes of messages in bytes. Its largest is one byte more than Linux takes as an argument, with its end.
const AUTOBAHN_SIZES: [usize; 10] = [16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_000];
/// Of other cases than 12.1.
const SOME_SIZES: [usize; 3] = [16, 4096, 131_000];

/// What the server demands, our offer, and what is agreed. Of the cases 13.1 to 13.7, the last is left out: wscheck makes one
/// offer. A window of 15 bits is the default, which is not shown.
const AUTOBAHN_CASES: [(bool, Option<u8>, &str, &str); 6] = [
    (false, None, "client_max_window_bits", ""),
    (true, None, "server_no_context_takeover", "; server_no_context_takeover; client_no_context_takeover"),
    (
        false,
        Some(9),
        "server_max_window_bits=9; client_max_window_bits",
        "; server_max_window_bits=9; client_max_window_bits=9",
    ),
    (false, Some(15), "server_max_window_bits=15; client_max_window_bits", ""),
    (
        true,
        Some(9),
        "server_no_context_takeover; server_max_window_bits=9; client_max_window_bits",
        "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; client_max_window_bits=9",
    ),
    (
        true,
        Some(15),
        "server_no_context_takeover; server_max_window_bits=15; client_max_window_bits",
        "; server_no_context_takeover; client_no_context_takeover",
    ),
];

/// Runs the cases against servers that are started with what they demand.
fn autobahn(start: impl Fn(bool, Option<u8>) -> Server + Sync) {
    for (index, (forgets, window, offer, agreed)) in AUTOBAHN_CASES.iter().enumerate() {
        let server = start(*forgets, *window);
        let sizes = if index == 0 { &AUTOBAHN_SIZES[..] } else { &SOME_SIZES };
        run_concurrently(sizes, |size| {
            let ran = ping(&server.url(), offer, &["-c", "20"], &json_text(*size));
            let name = format!("13.{} with {size} bytes", index + 1);
            is_compressed(&name, ran, 20, &format!("permessage-deflate{agreed}"));
        });
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn autobahn_compression_cases_succeed_against_node_ws() {
    autobahn(|forgets, window| {
        let options = json!({ "clientNoContextTakeover": forgets, "clientMaxWindowBits": window });
        Server::spawn(peer("node", &["node/server.js", &options.to_string()]))
    });
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn autobahn_compression_cases_succeed_against_python_websockets() {
    autobahn(|forgets, window| {
        let options = json!({ "client_no_context_takeover": forgets, "client_max_window_bits": window });
        Server::spawn(peer(PYTHON, &["python/server.py", "20", &options.to_string()]))
    });
}
