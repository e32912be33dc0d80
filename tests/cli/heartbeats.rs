//! `listen` and `probe-zombie` against real servers: the interval within 5 %, the reaping time within 5 % or 100 ms, the
//! right ending; and a server that leaks dead clients.

use serde_json::{Value, json};

use crate::peers::Peer;
use crate::support::{run, run_concurrently};

/// Expected behaviour of a real server.
struct Beat {
    peer: Peer,
    interval_ms: f64,
    /// Time from the first unanswered ping to the end.
    total_ms: f64,
    /// How long a mute client is kept, from the opening: lower and upper bound.
    kept_ms: (f64, f64),
    /// How it ends, with the close code if any.
    ending: (&'static str, Value),
}

fn beats() -> [Beat; 4] {
    let node = Peer {
        name: "node ws, isAlive",
        needs: "node/node_modules/ws/package.json",
        command: &["node", "node/alive.js"],
    };
    let python = Peer {
        name: "python websockets, keepalive",
        needs: "python/.venv/bin/python",
        command: &["python/.venv/bin/python", "python/keepalive.py"],
    };
    let go = Peer { name: "go gorilla/websocket, deadline", needs: "go/deadline", command: &["go/deadline"] };
    let aiohttp = Peer {
        name: "python aiohttp, heartbeat",
        needs: "python/.venv/bin/python",
        command: &["python/.venv/bin/python", "python/aiohttp_server.py"],
    };
    let (fin, policy) = (("fin", Value::Null), ("close_frame", json!(1011)));
    [
        // One timer serves all clients, so the first ping's time is random.
        Beat {
            peer: node,
            interval_ms: 2000.0,
            total_ms: 2000.0,
            kept_ms: (2000.0, 4000.0),
            ending: fin.clone(),
        },
        Beat {
            peer: python,
            interval_ms: 2000.0,
            total_ms: 1000.0,
            kept_ms: (3000.0, 3000.0),
            ending: policy,
        },
        Beat {
            peer: aiohttp,
            interval_ms: 2000.0,
            total_ms: 1000.0,
            kept_ms: (3000.0, 3000.0),
            ending: fin.clone(),
        },
        Beat { peer: go, interval_ms: 2700.0, total_ms: 300.0, kept_ms: (3000.0, 3000.0), ending: fin },
    ]
}

fn document(command: &str, more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = run(&[&[command, "--proxy", "none", "--json"], more, &[url]].concat());
    (ran.code, ran.json())
}

fn is_within_5_percent(value: &Value, expected: f64) -> bool {
    value.as_f64().is_some_and(|value| (value - expected).abs() <= expected * 0.05)
}

/// Within 5 % or 100 ms of the range.
fn is_between(value: &Value, (least, most): (f64, f64)) -> bool {
    let slack = |edge: f64| (edge * 0.05).max(100.0);
    value.as_f64().is_some_and(|value| (least - slack(least)..=most + slack(most)).contains(&value))
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn heartbeat_intervals_of_real_servers_are_found() {
    run_concurrently(&beats(), |beat| {
        let server = beat.peer.start();
        let (code, document) = document("listen", &["--for", "9s"], &server.url());
        assert_eq!((code, &document["verdict"]), (Some(0), &"server_pings_every".into()), "{document:#}");
        let median = &document["interval"]["median_ms"];
        assert!(is_within_5_percent(median, beat.interval_ms), "{}: {document:#}", beat.peer.name);
    });
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn reaping_of_real_servers_is_found() {
    run_concurrently(&beats(), |beat| {
        let server = beat.peer.start();
        let (code, document) = document("probe-zombie", &["--max", "9s", "--expect", "<=6s"], &server.url());
        let context = format!("{}: {document:#}", beat.peer.name);
        assert_eq!((code, &document["verdict"]), (Some(0), &"reaps_dead_clients".into()), "{context}");
        let (policy, mute) = (&document["policy"], &document["clients"][1]);
        assert_eq!((&policy["kind"], &policy["misses"]), (&json!("heartbeat"), &json!(1)), "{context}");
        assert!(is_within_5_percent(&policy["interval_ms"], beat.interval_ms), "{context}");
        let total = &policy["first_unanswered_to_end_ms"];
        assert!(is_between(total, (beat.total_ms, beat.total_ms)), "{context}");
        assert_eq!(mute["client"], "mute", "{context}");
        assert!(is_between(&mute["kept_ms"], beat.kept_ms), "{context}");
        let ending = (&mute["ending"]["how"], &mute["ending"]["code"]);
        assert_eq!(ending, (&json!(beat.ending.0), &beat.ending.1), "{context}");
        assert_eq!(document["clients"][4]["result"], "kept", "who answers is kept: {context}");
    });
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn own_traffic_does_not_distort_the_interval() {
    let [_, _, aiohttp, _] = beats();
    let server = aiohttp.peer.start();
    let (code, document) = document("probe-zombie", &["--max", "9s", "--every", "2300ms"], &server.url());
    let policy = &document["policy"];
    assert_eq!((code, &policy["kind"], &policy["heartbeat"]), (Some(0), &json!("heartbeat"), &json!("ping")));
    assert!(is_within_5_percent(&policy["interval_ms"], 2000.0), "{document:#}");
    assert_eq!(policy["skips_active"], Value::Null, "who talks gets them later, and not fewer: {document:#}");
    let pinged = &document["clients"][5]["received"][0]["interval"]["median_ms"];
    assert!(is_within_5_percent(pinged, 2300.0), "as often as it sent Pings itself: {document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_server_without_heartbeats_leaks_clients() {
    let none = Peer {
        name: "node ws, no heartbeat",
        needs: "node/node_modules/ws/package.json",
        command: &["node", "node/alive.js", "none"],
    };
    let server = none.start();
    let (code, received) = document("listen", &["--for", "2s"], &server.url());
    assert_eq!((code, &received["verdict"]), (Some(0), &"server_is_silent_for".into()), "{received:#}");
    let (code, document) = document("probe-zombie", &["--max", "3s", "--expect", "<=3s"], &server.url());
    assert_eq!((code, &document["verdict"]), (Some(1), &"zombies_kept".into()), "{document:#}");
    assert_eq!(
        (&document["policy"]["kind"], &document["clients"][1]["result"]),
        (&json!("none"), &json!("kept"))
    );
}
