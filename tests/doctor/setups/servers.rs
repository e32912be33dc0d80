//! Servers that refuse, limit, or end connections, or do not answer.

use super::{Backend, CUT_WHEN_IDLE, Cure, REFUSED, SETUP, Setup, Symptom, problem, warning};
use crate::running::Running;

const APP_HEARTBEAT: &[&str] = &["--app-ping", "{\"type\":\"ping\"}", "--app-pong", "{\"type\":\"pong\"}"];

/// All checks of an open connection: which of them has it is for `doctor` to decide.
const OPEN: &[&str] =
    &["upgrade", "convention", "pings", "close", "idle-timeout", "dead-clients", "lifetime"];

pub const SETUPS: &[Setup] = &[
    Setup {
        name: "server that requires an Origin",
        server: Backend::Node("policies.js", &["origin", "https://chat.test"]),
        symptom: Symptom::Refused(403),
        expected: &[problem(&["upgrade", "origin"])],
        cure: Cure::Arguments { check: "upgrade", args: &["--origin", "https://chat.test"] },
        ..SETUP
    },
    Setup {
        name: "server that refuses this Origin",
        server: Backend::Node("policies.js", &["origin", "https://chat.test"]),
        args: &["--origin", "https://evil.test"],
        symptom: Symptom::Refused(403),
        expected: &[problem(&["upgrade", "origin"])],
        ..SETUP
    },
    Setup {
        name: "server with basic auth",
        server: Backend::Node("policies.js", &["basic", "bob:pw"]),
        symptom: Symptom::Refused(401),
        expected: REFUSED,
        cure: Cure::Arguments { check: "upgrade", args: &["--user", "bob:pw"] },
        ..SETUP
    },
    Setup {
        name: "server with a bearer token",
        server: Backend::Node("policies.js", &["bearer", "t0ken"]),
        symptom: Symptom::Refused(401),
        expected: REFUSED,
        cure: Cure::Arguments { check: "upgrade", args: &["-H", "Authorization: Bearer t0ken"] },
        ..SETUP
    },
    Setup {
        name: "server that requires a subprotocol",
        server: Backend::Node("policies.js", &["subprotocol", "chat.v2"]),
        symptom: Symptom::Refused(400),
        expected: &[problem(&["upgrade", "subprotocol"])],
        cure: Cure::Arguments { check: "upgrade", args: &["--subprotocol", "chat.v2"] },
        ..SETUP
    },
    Setup {
        name: "server that requires another subprotocol",
        server: Backend::Node("policies.js", &["subprotocol", "chat.v2"]),
        args: &["--subprotocol", "chat.v1"],
        symptom: Symptom::Refused(400),
        expected: &[problem(&["upgrade", "subprotocol"])],
        ..SETUP
    },
    Setup {
        name: "server with another path",
        server: Backend::Node("policies.js", &["path", "/ws"]),
        symptom: Symptom::Refused(404),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "server that keeps dead clients",
        server: Backend::Node("alive.js", &["none"]),
        symptom: Symptom::Proved(keeps_dead_clients),
        doctor: &["--thorough", "--max", "40s"],
        expected: &[warning(&["dead-clients"])],
        cure: Cure::Server { server: Backend::Node("alive.js", &[]), then: Symptom::KeptOpen(5) },
        ..SETUP
    },
    Setup {
        name: "server that takes two connections and answers 503 to others",
        server: Backend::Node("policies.js", &["limit", "2"]),
        symptom: Symptom::Proved(|running| takes_two(running, "upgrade_refused")),
        expected: &[warning(OPEN)],
        ..SETUP
    },
    Setup {
        name: "server that takes two connections and closes others with 1013",
        server: Backend::Node("policies.js", &["limit-close", "2"]),
        symptom: Symptom::Proved(closes_the_third),
        expected: &[warning(OPEN)],
        ..SETUP
    },
    Setup {
        name: "server that closes with 1008 at once",
        server: Backend::Node("policies.js", &["violation", "not authorised"]),
        symptom: Symptom::Closes(1008),
        expected: &[problem(OPEN)],
        ..SETUP
    },
    Setup {
        name: "server that never answers the upgrade",
        server: Backend::Node("policies.js", &["silent"]),
        args: &["--connect-timeout", "2s"],
        symptom: Symptom::Fails("timeout"),
        expected: &[problem(&["upgrade"])],
        ..SETUP
    },
    Setup {
        name: "captive portal",
        server: Backend::Node("policies.js", &["captive"]),
        symptom: Symptom::Refused(200),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "server that wants an app heartbeat every 4 s",
        server: Backend::Node("policies.js", &["heartbeat", "4000"]),
        symptom: Symptom::Proved(wants_an_app_heartbeat),
        expected: &[warning(&["idle-timeout", "lifetime", "convention"])],
        ..SETUP
    },
    Setup {
        name: "edge that answers Pings before an app that hangs",
        behind: Backend::Node("policies.js", &["hang"]),
        server: Backend::Node("policies.js", &["edge", "@behind@"]),
        symptom: Symptom::Proved(answers_only_pings),
        doctor: APP_HEARTBEAT,
        expected: &[problem(&["pings", "convention", "latency"])],
        ..SETUP
    },
    Setup {
        name: "server that stops answering",
        server: Backend::Serve(&["--mute", "0s"]),
        symptom: Symptom::Proved(answers_no_pings),
        expected: &[problem(&["pings"]), problem(&["pings", "latency"])],
        ..SETUP
    },
    Setup {
        name: "server that loses half of the Pongs",
        server: Backend::Serve(&["--pong-loss", "50%"]),
        symptom: Symptom::Proved(loses_pongs),
        expected: &[warning(&["pings", "latency"])],
        ..SETUP
    },
    Setup {
        name: "server that answers slowly",
        server: Backend::Serve(&["--delay", "700ms"]),
        symptom: Symptom::Opens,
        expected: &[warning(&["latency"])],
        ..SETUP
    },
    Setup {
        name: "server that ends every connection after 4 s",
        server: Backend::Serve(&["--lifetime", "4s", "--heartbeat", "none"]),
        symptom: Symptom::Lifetime(4),
        expected: &[warning(&["lifetime"])],
        ..SETUP
    },
    Setup {
        name: "server with an idle timeout that Pings do not reset",
        server: Backend::Serve(&["--idle-timeout", "4s", "--messages-only", "--heartbeat", "none"]),
        symptom: Symptom::Ends(6),
        expected: &[warning(&["idle-timeout", "lifetime"])],
        ..SETUP
    },
    Setup {
        name: "server with a wrong Sec-WebSocket-Accept",
        server: Backend::Serve(&["--wrong-accept"]),
        symptom: Symptom::Fails("bad_upgrade"),
        expected: &[problem(&["upgrade"])],
        ..SETUP
    },
    Setup {
        name: "server in maintenance",
        server: Backend::Serve(&["--refuse", "503"]),
        symptom: Symptom::Refused(503),
        expected: REFUSED,
        ..SETUP
    },
    Setup {
        name: "server that drops idle connections silently",
        server: Backend::Serve(&["--idle-timeout", "4s", "--idle-cut", "silent", "--heartbeat", "none"]),
        symptom: Symptom::Idle(4),
        // A silent cut shows only in use, after a longer search.
        doctor: &["--thorough", "--max", "60s"],
        expected: CUT_WHEN_IDLE,
        ..SETUP
    },
];

fn keeps_dead_clients(running: &Running) {
    let document = running.run(&["probe-zombie", "--max", "5s", "-o", "json"]).json();
    let clients = document["clients"].as_array().unwrap();
    let mute = clients.iter().find(|client| client["client"] == "mute").unwrap();
    assert_eq!(mute["result"], "kept", "{document:#}");
}

/// Three connections at once, of which one does not open.
fn takes_two(running: &Running, kind: &str) {
    let document = running.run(&["ping", "-n", "3", "-c", "3", "-i", "200ms", "-o", "json"]).json();
    let connections = document["targets"][0]["connections"].as_array().unwrap();
    let refused = connections.iter().filter(|one| one["error"]["kind"] == kind).count();
    assert_eq!((connections.len(), refused), (3, 1), "{document:#}");
}

fn closes_the_third(running: &Running) {
    let document = running.run(&["ping", "-n", "3", "-c", "3", "-i", "200ms", "-o", "json"]).json();
    let connections = document["targets"][0]["connections"].as_array().unwrap();
    let closed = connections.iter().filter(|one| one["ending"]["code"] == 1013).count();
    assert_eq!((connections.len(), closed), (3, 1), "{document:#}");
}

fn wants_an_app_heartbeat(running: &Running) {
    let without = running.run(&["ping", "-c", "8", "--expect-close", "4408"]);
    assert_eq!(without.code, Some(0), "{}", without.all());
    let with = running.run(&[&["ping", "-c", "6", "-i", "1s", "--heartbeat", "app"], APP_HEARTBEAT].concat());
    assert_eq!(with.code, Some(0), "{}", with.all());
}

fn answers_only_pings(running: &Running) {
    let both = ["ping", "-c", "2", "-W", "1s", "--heartbeat", "both", "-o", "json"];
    let document = running.run(&[&both, APP_HEARTBEAT].concat()).json();
    let [protocol, app] = ["protocol", "app"].map(|kind| &document["heartbeats"][kind]);
    assert_eq!((&protocol["ok"], &app["ok"]), (&2.into(), &0.into()), "{document:#}");
}

fn answers_no_pings(running: &Running) {
    let document = running.run(&["ping", "-c", "2", "-W", "1s", "-i", "200ms", "-o", "json"]).json();
    assert_eq!(document["heartbeats"]["protocol"]["missed"], 2, "{document:#}");
}

fn loses_pongs(running: &Running) {
    let document = running.run(&["ping", "-c", "10", "-W", "1s", "-i", "100ms", "-o", "json"]).json();
    let protocol = &document["heartbeats"]["protocol"];
    assert_eq!((&protocol["unanswered"], &protocol["ok"]), (&5.into(), &5.into()), "{document:#}");
}
