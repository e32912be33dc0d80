//! WebSockets over HTTP/2 (RFC 8441) through real servers and proxies.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsRawFd;

use serde_json::Value;

use crate::peers::Peer;
use crate::proxies::{HAPROXY, NGINX, Proxy};
use crate::support::programs::{node, own_address};
use crate::support::{
    ANY_SPEED, CLOSE, PING, PONG, Ran, Script, Server, frame, ping_json, read_frame, run, run_concurrently,
    validate, wscheck,
};

/// Built by `tests/peers/install.sh` from `benches/peers/rust`.
const HYPER: &str = "../../target/peers/test/debug/hyper_http2";

/// nginx has no extended CONNECT.
const NGINX_H2: Proxy = Proxy { config: nginx, ..NGINX };

fn nginx(listener: &TcpListener, server: u16, folder: &str) -> String {
    let config = (NGINX.config)(listener, server, folder);
    let address = listener.local_addr().unwrap();
    config.replace(&format!("listen {address};"), &format!("listen {address} http2;"))
}

const HAPROXY_H2: Proxy = Proxy { config: haproxy, ..HAPROXY };

fn haproxy(listener: &TcpListener, server: u16, folder: &str) -> String {
    let bind = format!("bind fd@{}", listener.as_raw_fd());
    (HAPROXY.config)(listener, server, folder).replace(&bind, &format!("{bind} proto h2"))
}

const CADDY: Proxy = Proxy {
    name: "caddy",
    program: "python/.venv-proxies/bin/caddy",
    config: caddy,
    args: &["run", "--adapter", "caddyfile", "--config"],
    ready: Some("serving initial configuration"),
};

fn caddy(listener: &TcpListener, server: u16, _: &str) -> String {
    let address = own_address(listener);
    let (host, _) = address.split_once(':').unwrap();
    format!(
        "{{\n  admin off\n  auto_https off\n  persist_config off\n  servers {{\n    protocols h1 h2c\n  }}\n}}\n\
         http://{address} {{\n  bind {host}\n  reverse_proxy 127.0.0.1:{server}\n}}\n"
    )
}

/// With `allow_connect`, before a server of HTTP/1.1.
const ENVOY: Proxy = Proxy {
    name: "envoy",
    program: "python/.venv-proxies/bin/envoy",
    config: |listener, server, _| envoy(listener, server, ""),
    args: &["--use-dynamic-base-id", "--concurrency", "1", "-c"],
    ready: Some("starting main dispatch loop"),
};

/// Before a server of HTTP/2, to which it passes extended CONNECT on.
const ENVOY_TO_H2: Proxy = Proxy { config: |listener, server, _| envoy(listener, server, TO_H2), ..ENVOY };
const TO_H2: &str = r#"    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        explicit_http_config: {http2_protocol_options: {allow_connect: true}}
"#;

/// With these lines about the server.
fn envoy(listener: &TcpListener, server: u16, upstream: &str) -> String {
    let address = own_address(listener);
    let (host, port) = address.split_once(':').unwrap();
    let extensions = "type.googleapis.com/envoy.extensions.filters";
    format!(
        r#"static_resources:
  listeners:
  - address: {{socket_address: {{address: {host}, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": {extensions}.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: hop
          upgrade_configs: [{{upgrade_type: websocket}}]
          http2_protocol_options: {{allow_connect: true}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": {extensions}.http.router.v3.Router}}
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: "/"}}, route: {{cluster: app}}}}]}}
  clusters:
  - name: app
    connect_timeout: 5s
{upstream}    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {server}}}}}}}}}]
"#
    )
}

/// Without routes: it judges extended CONNECT before it looks for one.
const TRAEFIK: Proxy = Proxy {
    name: "traefik",
    program: "python/.venv-proxies/bin/traefik",
    config: traefik,
    args: &["--configFile"],
    ready: Some("Starting TCP Server"),
};

fn traefik(listener: &TcpListener, _: u16, _: &str) -> String {
    let address = own_address(listener);
    format!(
        "entryPoints: {{web: {{address: \"{address}\"}}}}\n\
         global: {{checkNewVersion: false, sendAnonymousUsage: false}}\n\
         log: {{level: DEBUG, filePath: /dev/stderr, noColor: true}}\n"
    )
}

fn ping(url: &str, more: &[&str]) -> (Option<i32>, Value) {
    ping_json(&[ANY_SPEED, &["-c", "3", "-i", "50ms", "--http", "2"], more, &[url]].concat())
}

/// That heartbeats on a stream of HTTP/2 are answered, and that it ends in order.
fn is_healthy(name: &str, url: &str, more: &[&str]) {
    let (code, document) = ping(url, more);
    assert_eq!((code, &document["status"]), (Some(0), &"healthy".into()), "{name}: {document:#}");
    let connection = &document["targets"][0]["connections"][0];
    assert_eq!(
        (&connection["http"], &connection["ending"]["how"], &connection["ending"]["code"]),
        (&"2".into(), &"close_frame".into(), &1000.into()),
        "{name}: {document:#}"
    );
}

/// That it cannot be opened for this reason; the document.
fn fails(name: &str, url: &str, kind: &str) -> Value {
    let ran = Ran::of(
        wscheck(&["ping", "--proxy", "none", "--json", "-c", "1", "--http", "2", url]).spawn().unwrap(),
    );
    let document = ran.json();
    assert_eq!(ran.code, Some(3), "{name}: {document:#}");
    assert_eq!(document["targets"][0]["connections"][0]["error"]["kind"], kind, "{name}: {document:#}");
    document
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_servers_are_measured_over_http2() {
    let hypercorn = Peer {
        name: "hypercorn",
        needs: "python/.venv/bin/hypercorn",
        command: &["python/.venv/bin/python", "python/hypercorn_server.py"],
    };
    let hyper = Peer { name: "hyper", needs: HYPER, command: &[HYPER] };
    let (hypercorn, hyper) = (hypercorn.start(), hyper.start());
    let node = node("http2.js", &[]);
    let app = ["--heartbeat", "both", "--app-ping", "text:hello {id}", "--app-pong", "text:hello {id}"];
    for (name, url) in [("hypercorn", hypercorn.url()), ("hyper", hyper.url()), ("node", node.url())] {
        is_healthy(name, &url, &[]);
        is_healthy(name, &url, &app);
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_proxies_turn_streams_into_upgrades() {
    for (proxy, variables) in [(HAPROXY_H2, &[][..]), (CADDY, &[("GODEBUG", "http2xconnect=1")])] {
        let running = proxy.start_with(variables);
        is_healthy(proxy.name, &format!("ws://{}/", running.address), &[]);
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn envoy_passes_streams_on_to_servers_of_http2() {
    for server in [node("http2.js", &[]), Server::start(&["--h2"])] {
        let running = ENVOY_TO_H2.start_before(server, &[]);
        is_healthy("envoy", &format!("ws://{}/", running.address), &[]);
    }
}

/// They allow extended CONNECT by their settings: Envoy makes an upgrade of it without the key that HTTP/1.1 needs, and Traefik
/// refuses every CONNECT.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn proxies_that_allow_streams_and_refuse_them_are_named() {
    let cases = [
        (ENVOY, &[][..], 400, "that must turn extended CONNECT into an upgrade of HTTP/1.1"),
        (TRAEFIK, &[("GODEBUG", "http2xconnect=1")], 501, "it does not implement them"),
    ];
    for (proxy, variables, status, hint) in cases {
        let running = proxy.start_with(variables);
        let document = fails(proxy.name, &format!("ws://{}/", running.address), "upgrade_refused");
        let error = &document["targets"][0]["connections"][0]["error"];
        assert_eq!(error["refusal"]["status"], status, "{}: {document:#}", proxy.name);
        assert!(error["hint"].as_str().unwrap().contains(hint), "{}: {document:#}", proxy.name);
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn real_servers_that_allow_no_websockets_over_http2_are_named() {
    let node = node("http2.js", &["deny"]);
    fails("node", &node.url(), "websockets_not_allowed");
    for proxy in [NGINX_H2, CADDY, TRAEFIK] {
        let running = proxy.start();
        let shown = fails(proxy.name, &format!("ws://{}/", running.address), "websockets_not_allowed");
        let shown = shown.to_string();
        assert!(shown.contains("SETTINGS_ENABLE_CONNECT_PROTOCOL=1"), "{shown}");
    }
}

/// The connections of a run against `wscheck serve --h2`.
fn connections(serve: &[&str], more: &[&str]) -> Vec<Value> {
    let server = Server::start(&[&["--h2"], serve].concat());
    let (code, document) = ping(&server.url(), &[&["--all-connections"], more].concat());
    assert_eq!(code, Some(0), "{document:#}");
    document["targets"][0]["connections"].as_array().unwrap().clone()
}

#[test]
fn connections_carry_as_many_streams_as_asked_for() {
    let local = |more: &[&str]| {
        let connections = connections(&[], &[&["-n", "6"], more].concat());
        assert!(connections.iter().all(|connection| connection["heartbeats"]["protocol"]["ok"] == 3));
        connections.iter().map(|connection| connection["local"].to_string()).collect::<HashSet<_>>().len()
    };
    assert_eq!(local(&[]), 6);
    assert_eq!(local(&["--streams-per-connection", "3"]), 2);
    assert_eq!(local(&["--streams-per-connection", "100"]), 1);
}

#[test]
fn pings_of_http2_are_heartbeats_of_their_own() {
    // The server's heartbeats are late, and what ends HTTP/2 is not.
    let connections = connections(&["--delay", "30ms"], &["--h2-ping"]);
    let heartbeats = &connections[0]["heartbeats"];
    let rtt = |kind: &str| heartbeats[kind]["rtt"]["min_ms"].as_f64().unwrap();
    assert!(heartbeats["http2"]["ok"].as_u64().unwrap() >= 1 && heartbeats["protocol"]["ok"] == 3);
    assert!(rtt("protocol") >= 30.0 && rtt("http2") < rtt("protocol"), "{heartbeats:#}");
}

#[test]
fn exhausted_window_is_named() {
    let server = Server::start(&["--h2", "--h2-window", "0"]);
    let args =
        ["--http", "2", "--h2-ping", "-c", "3", "-i", "50ms", "-W", "100ms", "-w", "5s", &server.url()];
    let (_, document) = ping_json(&args);
    let found = |code: &str| {
        let findings = document["findings"].as_array().unwrap();
        findings.iter().find(|finding| finding["code"] == code).map(|finding| finding["data"].clone())
    };
    let unsent = found("heartbeats_unsent").unwrap_or_else(|| panic!("{document:#}"));
    assert!(unsent["window_exhausted"].as_u64().unwrap() >= 1, "{document:#}");
    assert_eq!(unsent["window"], "stream", "{document:#}");
    assert_eq!(document["heartbeats"]["http2"]["missed"], 0, "{document:#}");
}

/// A server whose stream takes nothing, with heartbeats of its own.
fn without_room() -> Server {
    Server::start(&["--h2", "--h2-window", "0", "--heartbeat", "protocol", "--interval", "300ms"])
}

/// The document of a run over HTTP/2, which must find that flow control held heartbeats back in the stream's window.
fn held_back(args: &[&str]) -> Value {
    let ran = run(&[args, &["-o", "json", "--http", "2"]].concat());
    let document = ran.json();
    let findings = document["findings"].as_array().unwrap_or_else(|| panic!("{document:#}"));
    let found = findings.iter().find(|finding| finding["code"] == "held_back_by_flow_control");
    let found = found.unwrap_or_else(|| panic!("{document:#}"));
    assert_eq!(found["data"]["window"], "stream", "{document:#}");
    document
}

#[test]
fn probes_have_no_result_where_flow_control_holds_their_questions_back() {
    let server = without_room();
    let url = server.url();
    let idle = held_back(&["probe-idle", "--max", "4s", "--answer-timeout", "500ms", &url]);
    assert_eq!((&idle["result"], &idle["verdict"]), (&"inconclusive".into(), &"inconclusive".into()));
    let zombie = held_back(&["probe-zombie", "--max", "3s", "--answer-timeout", "500ms", &url]);
    assert_eq!(zombie["result"], "inconclusive", "{zombie:#}");
}

#[test]
fn answers_to_the_server_that_flow_control_holds_back_are_named() {
    let server = without_room();
    let listen = held_back(&["listen", "--for", "1500ms", &server.url()]);
    assert_eq!(listen["verdict"], "server_pings_every", "{listen:#}");
}

/// The table says how products cut connections of HTTP/1.1: a value that fits one of them says nothing about a stream.
#[test]
fn refresh_tells_the_timer_of_the_stream() {
    let faults = ["--h2", "--heartbeat", "none", "--echo", "--idle-timeout", "2s"];
    for (more, conclusion) in [(&[][..], "any_byte"), (&["--messages-only"], "messages_only")] {
        let server = Server::start(&[&faults[..], more].concat());
        let search = ["--max", "4s", "--precision", "500ms", "--answer-timeout", "500ms", "--refresh"];
        let ran =
            run(&[&["probe-idle", "-o", "json", "--http", "2"], &search[..], &[&server.url()]].concat());
        let document = ran.json();
        assert_eq!(document["refresh"]["conclusion"], conclusion, "{document:#}");
        assert_eq!(document["refresh"]["timer_of"], "stream", "{document:#}");
    }
}

#[test]
fn no_product_is_named_by_a_cut_stream() {
    let server =
        Server::start(&["--h2", "--heartbeat", "none", "--idle-timeout", "2s", "--idle-cut", "silent"]);
    let search = ["--max", "4s", "--precision", "500ms", "--answer-timeout", "500ms"];
    let ran = run(&[&["probe-idle", "-o", "json", "--http", "2"], &search[..], &[&server.url()]].concat());
    let document = ran.json();
    assert_eq!(document["verdict"], "idle_timeout", "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    let code = |code: &str| findings.iter().find(|finding| finding["code"] == code);
    assert!(code("possible_products").or(code("likely_product")).is_none(), "{document:#}");
    assert_eq!(code("no_known_timer_fits").unwrap()["data"]["over_http2"], true, "{document:#}");
}

#[test]
fn connection_of_http_1_1_has_no_pings_of_http2() {
    let server = Server::start(&[]);
    let args = ["--http", "auto", "--h2-ping", "-c", "2", "-i", "50ms", &server.url()];
    let (code, document) = ping_json(&[ANY_SPEED, &args].concat());
    assert_eq!((code, &document["result"]), (Some(4), &"inconclusive".into()), "{document:#}");
    let reason = "no PING of HTTP/2 was sent: the connection is one of HTTP/1.1";
    assert_eq!(document["reasons"], serde_json::json!([reason]), "{document:#}");
}

#[test]
fn options_that_need_http2_say_so() {
    for option in [&["--h2-ping"][..], &["--streams-per-connection", "2"]] {
        let ran = Ran::of(
            wscheck(&[&["ping", "-c", "1"], option, &["ws://127.0.0.1:9/"]].concat()).spawn().unwrap(),
        );
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains("has no effect without --http 2"), "{}", ran.all());
    }
    let both =
        ["ping", "-c", "1", "--http", "2", "--h2-ping", "--streams-per-connection", "2", "ws://127.0.0.1:9/"];
    let ran = Ran::of(wscheck(&both).spawn().unwrap());
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stderr.contains("PINGs belong to a connection"), "{}", ran.all());
    let ran = Ran::of(
        wscheck(&["ping", "-c", "1", "--fail-if", "http2.loss>1%", "ws://127.0.0.1:9/"]).spawn().unwrap(),
    );
    assert!(ran.stderr.contains("(see --h2-ping)"), "{}", ran.all());
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn h2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The kind, stream and payload of the next frame.
fn read_h2_frame(stream: &mut impl Read) -> Option<(u8, u32, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let [a, b, c, kind, _, id @ ..] = head;
    let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
    stream.read_exact(&mut payload).ok()?;
    Some((kind, u32::from_be_bytes(id), payload))
}

const H2_DATA: u8 = 0;
const H2_HEADERS: u8 = 1;
const H2_SETTINGS: u8 = 4;
const H2_GOAWAY: u8 = 7;

/// SETTINGS_ENABLE_CONNECT_PROTOCOL=1.
const H2_ALLOWED: [u8; 6] = [0, 8, 0, 0, 0, 1];

/// Accepts every WebSocket on a connection, announces its end (GOAWAY) at once, and answers Pings and the closing handshake as if
/// nothing had happened.
fn announce_the_end(stream: TcpStream) {
    h2_serve(stream, &H2_ALLOWED, |id| {
        let goaway = [&id.to_be_bytes()[..], &[0; 4], b"restart"].concat();
        h2_frame(H2_GOAWAY, 0, 0, &goaway)
    });
}

/// Accepts every WebSocket, allows two at once on a connection, and answers as above.
fn allow_two_streams(stream: TcpStream) {
    h2_serve(stream, &[H2_ALLOWED, [0, 3, 0, 0, 0, 2]].concat(), |_| Vec::new());
}

/// Serves a connection with these settings; sends `more` behind the response to a request.
fn h2_serve(mut stream: TcpStream, settings: &[u8], more: fn(u32) -> Vec<u8>) {
    let settings = h2_frame(H2_SETTINGS, 0, 0, settings);
    let _ = stream.read_exact(&mut [0; 24]).and_then(|()| stream.write_all(&settings));
    while let Some((kind, id, payload)) = read_h2_frame(&mut stream) {
        let answer = match kind {
            H2_HEADERS => [h2_frame(H2_HEADERS, 4, id, &[0x88]), more(id)].concat(),
            H2_DATA => match read_frame(&mut &payload[..]) {
                Some((PING, payload)) => h2_frame(H2_DATA, 0, id, &frame(PONG, &payload)),
                Some((CLOSE, payload)) => h2_frame(H2_DATA, 1, id, &frame(CLOSE, &payload)),
                _ => continue,
            },
            _ => continue,
        };
        let _ = stream.write_all(&answer);
    }
}

/// A server of HTTP/2 whose connections all do this.
fn h2_script(act: fn(TcpStream)) -> Script {
    Script::start(move |stream| drop(std::thread::spawn(move || act(stream))))
}

/// The finding with this code in a document.
fn finding<'a>(document: &'a Value, code: &str) -> &'a Value {
    let findings = document["findings"].as_array().unwrap();
    findings.iter().find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("{document:#}"))
}

#[test]
fn goaway_is_reported_wherever_it_comes() {
    let server = h2_script(announce_the_end);
    let url = server.url();
    let commands: [&[&str]; 4] = [
        &["ping", "-c", "3", "-i", "50ms"],
        &["probe-idle", "--max", "2s", "--precision", "500ms", "--answer-timeout", "500ms"],
        &["listen", "--for", "300ms"],
        &["probe-zombie", "--max", "1s"],
    ];
    run_concurrently(&commands, |command| {
        let ran = run(&[command, &["--json", "--http", "2", &url][..]].concat());
        let document = ran.json();
        let data = &finding(&document, "h2_goaway_received")["data"];
        let said = [&data["h2_code_name"], &data["last_stream"], &data["detail"]];
        assert_eq!(said, [&Value::from("NO_ERROR"), &1.into(), &"restart".into()], "{document:#}");
        validate(&document);
    });
}

#[test]
fn goaway_on_a_connection_that_goes_on_is_an_event() {
    let server = h2_script(announce_the_end);
    let ran = run(&["ping", "-o", "ndjson", "-c", "3", "-i", "50ms", "--http", "2", &server.url()]);
    let lines = ran.ndjson();
    let goaway =
        lines.iter().find(|line| line["event"] == "goaway").unwrap_or_else(|| panic!("{}", ran.all()));
    assert_eq!(goaway["goaway"]["last_stream"], 1, "{goaway}");
    let last = lines.last().unwrap();
    assert_eq!((last["heartbeats"]["protocol"]["ok"].as_u64(), ran.code), (Some(3), Some(0)), "{last:#}");
    let ran = run(&["ping", "-c", "3", "-i", "50ms", "--http", "2", &server.url()]);
    assert!(
        ran.stdout.contains("(GOAWAY NO_ERROR \"restart\", last stream 1): no new streams"),
        "{}",
        ran.all()
    );
}

#[test]
fn websockets_that_end_with_their_connection_are_one_end() {
    let server = Server::start(&["--h2", "--goaway-after", "200ms"]);
    let shared = ["-n", "5", "--streams-per-connection", "5", "-w", "5s"];
    let url = server.url();
    let (code, document) =
        ping_json(&[ANY_SPEED, &["-i", "50ms", "--http", "2"], &shared[..], &[&url]].concat());
    let data = &finding(&document, "ended_with_http2_connection")["data"];
    assert_eq!(
        (code, &data["ended"], &data["carried"], &data["connections"]),
        (Some(1), &5.into(), &5.into(), &1.into())
    );
    let target = &document["targets"][0];
    assert_eq!(target["shared_http2_connections"], 1, "{document:#}");
    assert_eq!(target["connections"][4]["last_unplanned_ending_on"], 1, "{document:#}");
    assert_eq!(finding(&document, "h2_goaway_received")["data"]["ended"], 5, "{document:#}");
    let ran = run(&[&["ping", "--http", "2", "-i", "50ms"], &shared[..], &[&server.url()]].concat());
    let said = "5 of 5 WebSockets ended with the one HTTP/2 connection that carried them";
    assert!(ran.stdout.contains(said), "{}", ran.all());
    assert!(ran.stdout.contains("5 WebSockets opened on 1 HTTP/2 connection"), "{}", ran.all());
}

#[test]
fn limit_of_the_server_on_streams_is_said() {
    let server = h2_script(allow_two_streams);
    let shared = |wanted: &str| ping(&server.url(), &["-n", "5", "--streams-per-connection", wanted]);
    let (code, document) = shared("100");
    let data = &finding(&document, "h2_streams_limited")["data"];
    let expected = serde_json::json!({"wanted": 100, "allowed": 2, "websockets": 5, "connections": 3});
    assert_eq!((code, data), (Some(0), &expected), "{document:#}");
    let (_, document) = shared("2");
    assert_eq!(document["findings"], serde_json::json!([]), "{document:#}");
}
