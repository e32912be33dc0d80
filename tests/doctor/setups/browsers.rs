//! What only browsers meet: HTTP/2 and compression.

use super::{Backend, Cure, SETUP, Setup, Symptom, TLS_ARGS, TLS_URL, problem};
use crate::running::Running;

/// A TLS server that speaks HTTP/2, too, with further arguments.
macro_rules! http2 {
    ($($argument:literal),*) => {
        Backend::Serve(&["--cert", "@files@/good.pem", "--key", "@files@/good.key", "--h2", $($argument),*])
    };
}

const TLS_SETUP: Setup = Setup { url: TLS_URL, args: TLS_ARGS, ..SETUP };
const HTTP2_FAILS: Setup = Setup {
    expected: &[problem(&["http2"])],
    cure: Cure::Server { server: http2!(), then: Symptom::Opens },
    ..TLS_SETUP
};
const COMPRESSION_FAILS: Setup = Setup {
    expected: &[problem(&["compression"])],
    cure: Cure::Server { server: Backend::Serve(&["--deflate"]), then: Symptom::Opens },
    ..SETUP
};

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "a server with HTTP/2",
        server: http2!(),
        symptom: Symptom::Proved(opens_over_http2),
        ..TLS_SETUP
    },
    Setup {
        name: "HTTP/2 without WebSockets",
        server: http2!("--no-connect-protocol"),
        symptom: Symptom::Proved(|running| fails(running, &["--http", "2"], "websockets_not_allowed")),
        ..TLS_SETUP
    },
    Setup {
        name: "HTTP/2 whose streams are reset",
        server: http2!("--h2-reset", "INTERNAL_ERROR"),
        symptom: Symptom::Proved(|running| fails(running, &["--http", "2"], "h2_rst_stream")),
        ..HTTP2_FAILS
    },
    Setup {
        name: "HTTP/2 whose windows never open",
        server: http2!("--h2-window", "0"),
        symptom: Symptom::Proved(nothing_leaves),
        ..HTTP2_FAILS
    },
    Setup { name: "a server with compression", server: Backend::Serve(&["--deflate"]), ..SETUP },
    Setup {
        name: "compression with a parameter that nobody knows",
        server: Backend::Serve(&["--deflate=server_max_window_bits=99"]),
        symptom: Symptom::Proved(|running| fails(running, &["--compress"], "bad_upgrade")),
        ..COMPRESSION_FAILS
    },
    Setup {
        name: "compression that is a bomb",
        server: Backend::Serve(&["--deflate-bomb"]),
        // The limit is that of wscheck: it is no failure of the server's.
        symptom: Symptom::Proved(ends_by_own_limit),
        ..SETUP
    },
];

fn opens_over_http2(running: &Running) {
    let document = running.run(&["ping", "-c", "1", "-o", "json", "--http", "auto"]).json();
    assert_eq!(document["targets"][0]["connections"][0]["http"], "2", "{document:#}");
}

fn fails(running: &Running, more: &[&str], kind: &str) {
    let ran = running.run(&[&["ping", "-c", "1", "-o", "json"], more].concat());
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert_eq!(ran.json()["error"]["kind"], kind, "{}", ran.all());
}

fn nothing_leaves(running: &Running) {
    let document = running.run(&["ping", "-w", "1s", "-i", "200ms", "-o", "json", "--http", "2"]).json();
    let counts = &document["targets"][0]["connections"][0]["heartbeats"]["protocol"];
    assert_eq!(counts["sent"], 0, "{document:#}");
}

fn ends_by_own_limit(running: &Running) {
    let document = running.run(&["ping", "-w", "5s", "-i", "200ms", "-o", "json", "--compress"]).json();
    let ending = &document["targets"][0]["connections"][0]["ending"];
    assert_eq!(ending["how"], "message_size_limit", "{document:#}");
}
