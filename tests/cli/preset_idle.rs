//! Presets against real servers' idle rules: which clients are closed, and what keeps them alive.

use serde_json::{Value, json};

use crate::peers::Peer;
use crate::preset_servers::PYTHON;
use crate::support::{Server, ping_json, run, run_concurrently};

/// A run of `ping` against a server with short timeouts, and its expected end.
struct KeptAlive {
    peer: Peer,
    path: &'static str,
    args: &'static [&'static str],
    ends: Ends,
}

#[derive(Clone, Copy)]
enum Ends {
    /// Alive, with all heartbeats answered.
    Alive,
    /// The server closed it in this manner.
    Cut(&'static str),
}

const ENGINE: Peer = Peer {
    name: "engine.io",
    needs: "node/node_modules/engine.io/package.json",
    command: &["node", "node/engineio.js", "500", "400"],
};
const SOCKETIO: Peer = Peer {
    name: "socket.io 4",
    needs: "node/node_modules/socket.io/package.json",
    command: &["node", "node/socketio.js", "500", "400"],
};
const SOCKETIO_2: Peer = Peer {
    name: "socket.io 2",
    needs: "node/node_modules/socket.io-v2/package.json",
    command: &["node", "node/socketio_v2.js", "1000", "700"],
};
const GRAPHQL: Peer = Peer {
    name: "graphql-ws",
    needs: "node/node_modules/graphql-ws/package.json",
    command: &["node", "node/graphql.js", "500", "1000"],
};
const APOLLO: Peer = Peer {
    name: "subscriptions-transport-ws",
    needs: "node/node_modules/subscriptions-transport-ws/package.json",
    command: &["node", "node/graphql_legacy.js", "500"],
};
const SOCKJS: Peer = Peer {
    name: "sockjs",
    needs: "node/node_modules/sockjs/package.json",
    command: &["node", "node/sockjs.js", "500"],
};
/// Requires a newline every 10 s, as the preset promises.
const STOMP: Peer = Peer {
    name: "stomp-broker-js",
    needs: "node/node_modules/stomp-broker-js/package.json",
    command: &["node", "node/stomp.js", "500", "500"],
};
const MQTT: Peer = Peer {
    name: "mosquitto",
    needs: "/usr/sbin/mosquitto",
    command: &["python3", "daemons/start.py", "mosquitto"],
};
const NATS: Peer = Peer {
    name: "nats-server",
    needs: "/usr/sbin/nats-server",
    command: &["python3", "daemons/start.py", "nats", "1"],
};
const SIGNALR: Peer = Peer {
    name: "aiosignalr",
    needs: "python/.venv-signalr/bin/python",
    command: &["python/.venv-signalr/bin/python", "python/signalr.py", "15", "30"],
};
const CABLE: Peer = Peer {
    name: "Action Cable",
    needs: "/var/lib/dpkg/info/ruby-actioncable.list",
    command: &["ruby", "ruby/cable.rb", "0.5"],
};
const JUPYTER: Peer = Peer {
    name: "Jupyter Server",
    needs: "python/.venv/bin/jupyter-server",
    command: &[PYTHON, "python/jupyter.py", "500", "900"],
};
const WEBPACK: Peer = Peer {
    name: "webpack-dev-server",
    needs: "node/node_modules/webpack-dev-server/package.json",
    command: &["node", "node/webpack.js"],
};
/// Sends a Ping after a second without data and ignores the answer.
const XMPP: Peer = Peer {
    name: "prosody",
    needs: "/usr/bin/prosody",
    command: &["python3", "daemons/start.py", "prosody", "1"],
};
const KERNEL: &str = "/api/kernels/00000000-0000-0000-0000-000000000000/channels?token=wscheck";

/// CONNECT with a keepalive of 2 s, which mosquitto checks every 6 s.
const SHORT_MQTT: &str = "hex:100c00044d515454040200020000";
/// The first messages of presets, sent without the presets.
const STOMP_HELLO: &str = r"text:CONNECT\naccept-version:1.2,1.1\nhost:/\nheart-beat:10000,10000\n\n\0";
const SIGNALR_HELLO: &str = r#"text:{"protocol":"json","version":1}\x1e"#;

const KEPT_ALIVE: &[KeptAlive] = &[
    KeptAlive {
        peer: ENGINE,
        path: "",
        args: &["--preset", "engine.io", "-c", "12", "-i", "200ms"],
        ends: Ends::Alive,
    },
    KeptAlive {
        peer: ENGINE,
        path: "",
        args: &["--preset", "engine.io", "--no-answer", "-c", "50", "-i", "200ms"],
        ends: Ends::Cut("close_frame"),
    },
    KeptAlive {
        peer: SOCKETIO,
        path: "",
        args: &["--preset", "socket.io", "--no-answer", "-c", "50", "-i", "200ms"],
        ends: Ends::Cut("close_frame"),
    },
    KeptAlive {
        peer: SOCKETIO,
        path: "",
        args: &["--preset", "socket.io", "-c", "12", "-i", "200ms"],
        ends: Ends::Alive,
    },
    KeptAlive {
        peer: SOCKETIO_2,
        path: "",
        args: &["--preset", "engine.io-3", "-c", "12", "-i", "200ms"],
        ends: Ends::Alive,
    },
    KeptAlive {
        peer: SOCKETIO_2,
        path: "",
        args: &["--preset", "engine.io-3", "--heartbeat", "protocol", "-c", "50", "-i", "200ms"],
        ends: Ends::Cut("close_frame"),
    },
    KeptAlive {
        peer: GRAPHQL,
        path: "",
        args: &["--preset", "graphql-ws", "-c", "12", "-i", "200ms"],
        ends: Ends::Alive,
    },
    KeptAlive {
        // Without connection_init.
        peer: GRAPHQL,
        path: "/graphql",
        args: &["--subprotocol", "graphql-transport-ws", "-c", "50", "-i", "200ms"],
        ends: Ends::Cut("close_frame"),
    },
    KeptAlive {
        peer: MQTT,
        path: "",
        args: &["--preset", "mqtt", "--send", SHORT_MQTT, "-c", "11", "-i", "1s"],
        ends: Ends::Alive,
    },
    KeptAlive {
        peer: MQTT,
        path: "",
        args: &["--preset", "mqtt", "--send", SHORT_MQTT, "--heartbeat", "protocol", "-c", "50", "-i", "1s"],
        ends: Ends::Cut("fin"),
    },
    KeptAlive {
        peer: NATS,
        path: "",
        args: &["--preset", "nats", "--heartbeat", "protocol", "-c", "12", "-i", "400ms"],
        ends: Ends::Alive,
    },
    KeptAlive {
        // It closes with 1006, which must not appear on the wire.
        peer: NATS,
        path: "",
        args: &["--preset", "nats", "--heartbeat", "protocol", "--no-answer", "-c", "50", "-i", "400ms"],
        ends: Ends::Cut("violation"),
    },
    KeptAlive {
        peer: STOMP,
        path: "/stomp",
        args: &["--preset", "stomp", "-c", "10", "-i", "4s"],
        ends: Ends::Alive,
    },
    KeptAlive {
        peer: STOMP,
        path: "/stomp",
        args: &["--subprotocol", "v12.stomp", "--send", STOMP_HELLO, "-c", "20", "-i", "4s"],
        ends: Ends::Cut("close_frame"),
    },
    KeptAlive {
        peer: SIGNALR,
        path: "/hub",
        args: &["--preset", "signalr", "-c", "10", "-i", "4s"],
        ends: Ends::Alive,
    },
    KeptAlive {
        peer: SIGNALR,
        path: "/hub",
        args: &["--send", SIGNALR_HELLO, "-c", "20", "-i", "4s"],
        ends: Ends::Cut("close_frame"),
    },
];

fn url(server: &Server, path: &str) -> String {
    format!("ws://127.0.0.1:{}{path}", server.port)
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn only_preset_messages_keep_the_client_alive() {
    run_concurrently(KEPT_ALIVE, |case| {
        let server = case.peer.start();
        let (code, document) =
            ping_json(&[&["--proxy", "none"], case.args, &[&url(&server, case.path)]].concat());
        let context = format!("{} {:?}: {document:#}", case.peer.name, case.args);
        let ending = &document["ending"];
        match case.ends {
            Ends::Alive => assert_eq!((code, &ending["who"]), (Some(0), &json!("us")), "{context}"),
            Ends::Cut(how) => {
                assert_eq!(
                    (code, &ending["who"], &ending["how"]),
                    (Some(1), &json!("peer"), &json!(how)),
                    "{context}"
                );
            }
        }
    });
}

/// The search's document.
fn searched(preset: &str, more: &[&str], url: &str) -> (Option<i32>, Value) {
    let ran = run(&[&["probe-idle", "--proxy", "none", "--json", "--preset", preset], more, &[url]].concat());
    (ran.code, ran.json())
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn idle_timeout_of_a_waiting_server_is_found() {
    let server = SOCKETIO_2.start();
    let bounds = ["--max", "5s", "--precision", "300ms", "--refresh"];
    let (code, document) = searched("engine.io-3", &bounds, &url(&server, ""));
    assert_eq!((code, &document["verdict"]), (Some(0), &json!("idle_timeout")), "{document:#}");
    let bracket = ["lo_ms", "hi_ms"].map(|end| document["bracket"][end].as_f64().unwrap());
    // pingInterval and pingTimeout are 1 s and 700 ms; its timers are a few milliseconds late.
    assert!(bracket[0] < 1700.0 && bracket[1] > 1690.0, "{document:#}");
    assert_eq!(document["refresh"]["conclusion"], "messages_only", "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn periodically_checked_timeout_is_not_sharp() {
    let server = MQTT.start();
    let (_, document) = searched("mqtt", &["--send", SHORT_MQTT, "--max", "15s"], &url(&server, ""));
    let verdict = document["verdict"].as_str().unwrap();
    assert!(["stochastic", "idle_timeout"].contains(&verdict), "{document:#}");
    assert_eq!(document["cut"]["ending"]["how"], "fin", "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn server_requests_keep_the_path_busy() {
    let busy: &[(&str, Peer, &str)] = &[
        ("engine.io", ENGINE, ""),
        ("socket.io", SOCKETIO, ""),
        ("graphql-ws", GRAPHQL, ""),
        ("subscriptions-transport-ws", APOLLO, ""),
        ("sockjs", SOCKJS, "/echo/000/wscheck1/websocket"),
        ("action-cable", CABLE, ""),
        ("jupyter", JUPYTER, KERNEL),
    ];
    run_concurrently(busy, |(preset, peer, path)| {
        let server = peer.start();
        let (code, document) = searched(preset, &["--max", "5s"], &url(&server, path));
        let verdict = (code, &document["verdict"]);
        assert_eq!(verdict, (Some(0), &json!("server_keeps_it_busy")), "{preset}: {document:#}");
    });
}

/// Its keepalive comes every 15 s, the second one just before it closes a client that was silent for 30 s.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn server_reaping_silent_clients_has_no_idle_timeout() {
    let server = SIGNALR.start();
    let (code, document) = searched("signalr", &["--max", "60s"], &url(&server, "/hub"));
    let verdict = (code, &document["verdict"]);
    assert_eq!(verdict, (Some(0), &json!("server_keeps_it_busy")), "{document:#}");
    assert_eq!(document["bracket"]["hi_ms"], Value::Null, "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn pinging_servers_reap_only_dead_clients() {
    let reapers: &[(&str, Peer, &str, &str)] = &[
        ("engine.io", ENGINE, "", "close_frame"),
        ("socket.io", SOCKETIO, "", "close_frame"),
        ("graphql-ws", GRAPHQL, "", "fin"),
        ("nats", NATS, "", "violation"),
        ("jupyter", JUPYTER, KERNEL, "close_frame"),
        ("webpack-dev-server", WEBPACK, "/ws", "fin"),
    ];
    run_concurrently(reapers, |(preset, peer, path, how)| {
        let server = peer.start();
        let args = ["probe-zombie", "--proxy", "none", "--json", "--preset", preset, "--max", "6s"];
        let ran = run(&[&args[..], &[&url(&server, path)]].concat());
        let document = ran.json();
        let context = format!("{preset}: {document:#}");
        assert_eq!((ran.code, &document["verdict"]), (Some(0), &json!("reaps_dead_clients")), "{context}");
        let client = |name: &str| {
            let clients = document["clients"].as_array().unwrap();
            clients.iter().find(|client| client["client"] == name).unwrap().clone()
        };
        assert_eq!(client("mute")["ending"]["how"], *how, "{context}");
        assert_eq!(client("quiet")["result"], "kept", "{context}");
    });
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn server_that_never_reaps_is_reported() {
    let server = XMPP.start();
    let url = format!("ws://localhost:{}", server.port);
    let ran = run(&["probe-zombie", "--proxy", "none", "--json", "--preset", "xmpp", "--max", "6s", &url]);
    let document = ran.json();
    assert_eq!((ran.code, &document["verdict"]), (Some(0), &json!("zombies_kept")), "{document:#}");
    assert_eq!(document["policy"]["kind"], "heartbeat_only", "{document:#}");
}
