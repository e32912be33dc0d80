//! Real hops with known timers: nginx, HAProxy, Apache, lighttpd and Varnish before a real Node `ws` server, and the
//! kernel's connection tracking in a network namespace.

use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::namespace::Namespace;
use crate::support::programs::{find, folder, missing, node, own_address, spawn_until};
use crate::support::{Ran, Reaped, Server, send_signal, wscheck};

/// The configured timeout of every hop.
const TIMEOUT: &str = "3s";
const TIMEOUT_MS: f64 = 3000.0;
const TIMEOUT_SECONDS: u32 = 3;

/// A proxy from a system package, or at a path of `tests/peers`.
pub struct Proxy {
    pub name: &'static str,
    pub program: &'static str,
    /// Its configuration, given the descriptor or address to listen on and the server's port.
    pub config: fn(&TcpListener, u16, &str) -> String,
    pub args: &'static [&'static str],
    /// Its stderr message once it listens; `None`: it inherits a listening socket.
    pub ready: Option<&'static str>,
}

pub const NGINX: Proxy =
    Proxy { name: "nginx", program: "nginx", config: nginx, args: &["-e", "/dev/null", "-c"], ready: None };

fn nginx(listener: &TcpListener, server: u16, folder: &str) -> String {
    let passes = "proxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nproxy_set_header Connection upgrade;";
    nginx_with(listener, server, folder, &format!("{passes}\nproxy_read_timeout {TIMEOUT};\n"))
}

/// A common configuration that does not mention upgrades.
const NGINX_BARE: Proxy = Proxy { config: nginx_bare, ..NGINX };

fn nginx_bare(listener: &TcpListener, server: u16, folder: &str) -> String {
    nginx_with(listener, server, folder, "")
}

fn nginx_with(listener: &TcpListener, server: u16, folder: &str, more: &str) -> String {
    let address = listener.local_addr().unwrap();
    let paths: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|what| format!("{what}_temp_path {folder}/{what};\n"))
        .concat();
    format!(
        "daemon off;\nworker_processes 1;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\nhttp {{\naccess_log off;\n\
         {paths}server {{\nlisten {address};\nlocation / {{\nproxy_pass http://127.0.0.1:{server};\n{more}}}\n}}\n}}\n"
    )
}

pub const HAPROXY: Proxy =
    Proxy { name: "haproxy", program: "haproxy", config: haproxy, args: &["-db", "-q", "-f"], ready: None };

fn haproxy(listener: &TcpListener, server: u16, _: &str) -> String {
    haproxy_with(listener, server, &format!("timeout client {TIMEOUT}\ntimeout server {TIMEOUT}\n"))
}

/// `timeout tunnel` replaces the other two once the connection is upgraded.
const HAPROXY_TUNNEL: Proxy = Proxy { config: haproxy_tunnel, ..HAPROXY };

fn haproxy_tunnel(listener: &TcpListener, server: u16, _: &str) -> String {
    let timeouts = format!("timeout client 20s\ntimeout server 20s\ntimeout tunnel {TIMEOUT}\n");
    haproxy_with(listener, server, &timeouts)
}

fn haproxy_with(listener: &TcpListener, server: u16, timeouts: &str) -> String {
    let descriptor = listener.as_raw_fd();
    format!(
        "defaults\nmode http\ntimeout connect 5s\n{timeouts}\nfrontend hop\nbind fd@{descriptor}\n\
         default_backend peer\nbackend peer\nserver node 127.0.0.1:{server}\n"
    )
}

/// Apache cannot inherit a socket. Its mod_proxy_http supports upgrades.
const APACHE: Proxy = Proxy {
    name: "apache2",
    program: "apache2",
    config: apache,
    args: &["-DFOREGROUND", "-f"],
    ready: Some("resuming normal operations"),
};

fn apache(listener: &TcpListener, server: u16, folder: &str) -> String {
    apache_with(listener, server, folder, "")
}

/// mod_proxy_wstunnel, which has no timeout.
const APACHE_TUNNEL: Proxy = Proxy { config: apache_tunnel, ..APACHE };

fn apache_tunnel(listener: &TcpListener, server: u16, folder: &str) -> String {
    apache_with(listener, server, folder, "ProxyWebsocketFallbackToProxyHttp Off\n")
}

fn apache_with(listener: &TcpListener, server: u16, folder: &str, more: &str) -> String {
    let modules: String = ["mpm_event", "authz_core", "proxy", "proxy_http", "proxy_wstunnel"]
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"))
        .concat();
    let address = own_address(listener);
    format!(
        "{modules}ServerName hop\nServerRoot {folder}\nDefaultRuntimeDir {folder}\nPidFile {folder}/pid\n\
         ErrorLog /dev/stderr\nListen {address}\nTimeout {}\n{more}ProxyPass / ws://127.0.0.1:{server}/\n",
        TIMEOUT.trim_end_matches('s')
    )
}

const LIGHTTPD: Proxy = Proxy {
    name: "lighttpd",
    program: "lighttpd",
    config: lighttpd,
    args: &["-D", "-f"],
    ready: Some("server started"),
};

fn lighttpd(listener: &TcpListener, server: u16, folder: &str) -> String {
    let address = own_address(listener);
    let (host, port) = address.split_once(':').unwrap();
    format!(
        "server.bind = \"{host}\"\nserver.port = {port}\nserver.document-root = \"{folder}\"\n\
         server.modules = (\"mod_proxy\")\nserver.max-read-idle = {}\n\
         proxy.server = (\"\" => ((\"host\" => \"127.0.0.1\", \"port\" => {server})))\n\
         proxy.header = (\"upgrade\" => \"enable\")\n",
        TIMEOUT.trim_end_matches('s')
    )
}

const VARNISH: Proxy = Proxy {
    name: "varnish",
    program: "varnishd",
    config: varnish,
    args: &[
        "-F",
        "-j",
        "none",
        "-s",
        "malloc,8m",
        "-p",
        "pipe_timeout=3",
        "-n",
        "FOLDER",
        "-a",
        "ADDRESS",
        "-f",
    ],
    ready: Some("Child launched OK"),
};

fn varnish(_: &TcpListener, server: u16, _: &str) -> String {
    format!(
        "vcl 4.1;\nbackend default {{ .host = \"127.0.0.1\"; .port = \"{server}\"; }}\n\
         sub vcl_recv {{ return (pipe); }}\nsub vcl_pipe {{ set bereq.http.upgrade = req.http.upgrade;\n\
         set bereq.http.connection = req.http.connection; }}\n"
    )
}

/// A running proxy, the server behind it, and its address.
pub struct Running {
    pub address: String,
    _listener: TcpListener,
    proxy: Reaped,
    _server: Server,
    _folder: tempfile::TempDir,
}

impl Drop for Running {
    /// Ends with SIGTERM instead of SIGKILL, so that nginx ends its worker. (With an inherited socket and no worker, it
    /// crashes.)
    fn drop(&mut self) {
        self.proxy.signal(libc::SIGTERM);
        let _ = self.proxy.0.wait();
    }
}

impl Proxy {
    /// Starts the proxy.
    pub fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Starts the proxy with these variables in its environment.
    pub fn start_with(&self, variables: &[(&str, &str)]) -> Running {
        self.start_before(node("server.js", &[]), variables)
    }

    /// Starts the proxy before this server.
    pub fn start_before(&self, _server: Server, variables: &[(&str, &str)]) -> Running {
        let program = match self.program.contains('/') {
            true => Some(folder().join(self.program)).filter(|file| file.exists()),
            false => find(self.program),
        };
        let program = program.unwrap_or_else(|| missing(self.name));
        let _folder = tempfile::tempdir().unwrap();
        // It already listens, so there is no need to wait for the proxy, and nobody else gets the port.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = match self.ready {
            None => listener.local_addr().unwrap().to_string(),
            Some(_) => own_address(&listener),
        };
        // Envoy and Traefik tell the format by the name.
        let path = _folder.path().join("config.yaml");
        let own_folder = _folder.path().to_str().unwrap();
        let config = (self.config)(&listener, _server.port, own_folder);
        std::fs::write(&path, config).unwrap();
        let mut command = Command::new(program);
        let args = self.args.iter().map(|arg| match *arg {
            "FOLDER" => own_folder,
            "ADDRESS" => &address,
            arg => arg,
        });
        command
            .args(args)
            .arg(&path)
            .envs(variables.iter().copied())
            .current_dir(_folder.path())
            .stdin(Stdio::null());
        inherit(&mut command, &listener);
        let proxy = match self.ready {
            None => Reaped(command.spawn().unwrap()),
            Some(line) => spawn_until(command, line),
        };
        Running { address, _listener: listener, proxy, _server, _folder }
    }
}

/// Passes a listening socket to a child under its own number; nginx learns it from a variable.
fn inherit(command: &mut Command, listener: &TcpListener) {
    let descriptor = listener.as_raw_fd();
    command.env("NGINX", format!("{descriptor};"));
    // SAFETY: between fork and exec only fcntl(2) is called, which is async-signal-safe.
    unsafe {
        command.pre_exec(move || match libc::fcntl(descriptor, libc::F_SETFD, 0) {
            -1 => Err(std::io::Error::last_os_error()),
            _ => Ok(()),
        });
    }
}

/// The search's document for a timer of [`TIMEOUT`].
const SEARCH: &[&str] = &["probe-idle", "--json", "--proxy", "none", "--answer-timeout", "1s"];

/// Bounds for a parallel search.
const WIDE: &[&str] = &["--max", "8s", "--precision", "500ms"];
/// Bounds for a binary search: it tries 3.5 s, 1.75 s and 2.63 s, and never the timer itself, whose result is random.
const HALVES: &[&str] = &["--max", "7s", "--precision", "1s", "--two-ended"];

/// Tolerance: a hop's own clock may have coarse steps.
const EARLY_MS: f64 = 50.0;
/// Tolerance: a hop counts from the last packet it saw, such as an acknowledgement that Linux delays by up to 40 ms;
/// and a busy machine is late.
const LATE_MS: f64 = 250.0;

fn contains(document: &Value, millis: f64) -> bool {
    let end = |name: &str| document["bracket"][name].as_f64().unwrap_or(f64::NAN);
    end("lo_ms") <= millis + LATE_MS && millis - EARLY_MS <= end("hi_ms")
}

fn search(proxy: &Proxy, more: &[&str]) -> Value {
    let running = proxy.start();
    let url = format!("ws://{}/", running.address);
    let ran = Ran::of(wscheck(&[SEARCH, WIDE, more, &[&url]].concat()).spawn().unwrap());
    let document = ran.json();
    assert_eq!(ran.code, Some(0), "{}: {document:#}", proxy.name);
    document
}

fn cut_visibly_by(proxy: &Proxy, more: &[&str]) -> Value {
    let document = search(proxy, more);
    let (cut, verdict) = (&document["cut"], &document["verdict"]);
    assert_eq!(verdict, "idle_timeout", "{}: {document:#}", proxy.name);
    assert_eq!((&cut["manner"], &cut["ending"]["how"]), (&"visible".into(), &"fin".into()), "{document:#}");
    document
}

/// Looks up known timers by name, with their settings.
fn timers<'a>(document: &'a Value, which: &str) -> Vec<(&'a str, &'a str)> {
    let text = |value: &'a Value| value.as_str().unwrap();
    let timers = document[which].as_array().unwrap().iter();
    timers.map(|timer| (text(&timer["id"]), text(&timer["look_for"]))).collect()
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn nginx_read_timeout_is_found() {
    let document = cut_visibly_by(&NGINX, &["--refresh"]);
    assert!(contains(&document, TIMEOUT_MS), "{document:#}");
    let rows = document["refresh"]["rows"].as_array().unwrap();
    for method in ["ping_pong", "unsolicited_pong"] {
        let row = rows.iter().find(|row| row["method"] == method).unwrap();
        assert_eq!(row["survived"], true, "{document:#}");
    }
    let setting = "`proxy_read_timeout 3s` in http, server or location";
    assert_eq!(timers(&document, "candidates"), [("nginx.proxy_read_timeout", setting)], "{document:#}");
}

/// Without a header, a hop that cuts by FIN is not named, but is listed as a match.
fn fits_unnamed(document: &Value, id: &str, setting: &str) {
    assert!(contains(document, TIMEOUT_MS), "{document:#}");
    assert_eq!(timers(document, "candidates"), [], "{document:#}");
    assert!(timers(document, "undecided").contains(&(id, setting)), "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn nginx_dropping_the_upgrade_gets_a_hint() {
    let running = NGINX_BARE.start();
    let url = format!("ws://{}/", running.address);
    let ran = Ran::of(wscheck(&["ping", "-c", "1", "--proxy", "none", &url]).spawn().unwrap());
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.stderr.contains("hint: the server saw no WebSocket upgrade"), "{}", ran.all());
    assert!(ran.stderr.contains("nginx is on the way: it needs proxy_http_version 1.1"), "{}", ran.all());
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn haproxy_client_and_server_timeouts_are_found() {
    // Node's library chooses the first offered subprotocol, but does not support two-ended mode.
    let document = cut_visibly_by(&HAPROXY, &["--two-ended"]);
    assert_eq!(document["two_ended"], "refused", "{document:#}");
    fits_unnamed(&document, "haproxy.client_server", "`timeout client 3s` or `timeout server 3s`");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn haproxy_tunnel_timeout_is_found() {
    let document = cut_visibly_by(&HAPROXY_TUNNEL, &[]);
    fits_unnamed(&document, "haproxy.tunnel", "`timeout tunnel 3s`");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn varnish_pipe_timeout_is_found() {
    let document = cut_visibly_by(&VARNISH, &[]);
    fits_unnamed(&document, "varnish.pipe_timeout", "`pipe_timeout=3`");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn apache_is_named_by_its_half_close() {
    let document = cut_visibly_by(&APACHE, &[]);
    assert!(contains(&document, TIMEOUT_MS), "{document:#}");
    assert_eq!(document["cut"]["ending"]["half_closed"], true, "{document:#}");
    let candidates = timers(&document, "candidates");
    assert_eq!(candidates.len(), 1, "{document:#}");
    assert_eq!(candidates[0].0, "apache.httpd24", "{document:#}");
    assert!(candidates[0].1.starts_with("`ProxyTimeout 3` or `Timeout 3`"), "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn apache_wstunnel_is_not_cut_by_its_timeout() {
    let document = search(&APACHE_TUNNEL, &[]);
    assert_eq!(document["verdict"], "no_timeout_up_to_max", "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn lighttpd_is_named_by_its_header() {
    let document = cut_visibly_by(&LIGHTTPD, &[]);
    let late = document["bracket"]["hi_ms"].as_f64().unwrap() - TIMEOUT_MS;
    assert!(late > -EARLY_MS, "{document:#}");
    assert_eq!(document["cut"]["ending"]["half_closed"], true, "{document:#}");
    let candidates = timers(&document, "candidates");
    assert!(candidates.contains(&("lighttpd.max-read-idle", "`server.max-read-idle = 3`")), "{document:#}");
    assert!(candidates.iter().all(|(id, _)| id.starts_with("lighttpd.")), "{document:#}");
}

/// A server in a namespace that forgets connections idle for [`TIMEOUT`]; their packets meet this nftables verdict.
fn forgetting(action: &str) -> Namespace {
    Namespace::forgetting(TIMEOUT_SECONDS, action)
}

/// The same, but the client's packets revive a forgotten connection.
fn healing() -> Namespace {
    Namespace::healing(TIMEOUT_SECONDS)
}

/// The search's document, run inside the namespace.
fn probe(namespace: &Namespace, bounds: &[&str]) -> Value {
    namespace.inside(&[SEARCH, bounds].concat()).json()
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn conntrack_drop_is_a_silent_cut() {
    let namespace = forgetting("drop");
    let document = probe(&namespace, WIDE);
    assert_eq!(document["verdict"], "idle_timeout", "{document:#}");
    assert_eq!(
        (&document["cut"]["manner"], &document["samples"]),
        (&"silent".into(), &Value::Null),
        "{document:#}"
    );
    assert!(contains(&document, TIMEOUT_MS), "{document:#}");
    assert_eq!(document["cut"]["tcp_acknowledged"], false, "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    let possible = findings.iter().find(|finding| finding["code"] == "possible_products").unwrap();
    assert!(possible["data"]["ids"].as_array().unwrap().contains(&"linux.conntrack".into()), "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn conntrack_reject_is_an_rst_on_use() {
    let namespace = forgetting("tcp flags & rst == 0 reject with tcp reset");
    let document = probe(&namespace, WIDE);
    assert_eq!(document["verdict"], "idle_timeout", "{document:#}");
    let cut = &document["cut"];
    assert_eq!(
        (&cut["manner"], &cut["ending"]["how"]),
        (&"rst_on_use".into(), &"rst".into()),
        "{document:#}"
    );
    assert!(contains(&document, TIMEOUT_MS), "{document:#}");
}

/// The second ping meets the dropped connection.
const SPARSE: [&str; 7] = ["ping", "-o", "json", "-i", "4s", "-c", "2"];

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn missed_pong_on_a_dead_path_is_unacknowledged() {
    let namespace = forgetting("drop");
    let ran = namespace.inside(&[&SPARSE[..], &["-W", "2s"]].concat());
    let document = ran.json();
    let protocol = &document["heartbeats"]["protocol"];
    let seen = ["ok", "missed", "missed_unacknowledged", "missed_acknowledged"].map(|name| &protocol[name]);
    assert_eq!(seen, [1, 1, 1, 0], "{document:#}");
    let reason = document["targets"][0]["connections"][0]["last_status_reason"].as_str().unwrap();
    assert!(reason.contains("1 heartbeat missed; TCP got no acknowledgement: the path is down"), "{reason}");
    let tcp = &document["ending"]["tcp"];
    assert!(tcp["retransmits"].as_u64() > Some(0) && tcp["unacknowledged_segments"] == 1, "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn user_timeout_detects_a_dead_path() {
    let namespace = forgetting("drop");
    let ran = namespace.inside(&[&SPARSE[..], &["-W", "1h", "--user-timeout", "1s"]].concat());
    let document = ran.json();
    let ending = &document["ending"];
    let seen = [&ending["who"], &ending["how"], &ending["os_error"]];
    assert_eq!(seen, ["network", "timeout", "ETIMEDOUT"], "{document:#}");
    assert_eq!(document["exit_code"], 1, "{document:#}");
}

/// Longer than the kernel keeps idle connections, with an interval that keeps the control alive.
const ZOMBIES: [&str; 7] = ["probe-zombie", "-o", "json", "--max", "4s", "--every", "500ms"];

/// Results by client name.
fn clients(document: &Value) -> Vec<(&str, &str)> {
    let clients = document["clients"].as_array().unwrap();
    clients.iter().map(|one| (one["client"].as_str().unwrap(), one["result"].as_str().unwrap())).collect()
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn lost_close_frames_are_no_leak() {
    for action in ["drop", "tcp flags & rst == 0 reject with tcp reset"] {
        let namespace = forgetting(action);
        let ran = namespace.inside(&ZOMBIES);
        let document = ran.json();
        assert_eq!((ran.code, &document["verdict"]), (Some(4), &"inconclusive".into()), "{document:#}");
        let expected = [
            ("control", "kept"),
            ("mute", "lost"),
            ("stalled", "lost"),
            ("half_closed", "ended"),
            ("quiet", "lost"),
            ("pings_only", "kept"),
        ];
        assert_eq!(clients(&document), expected, "{document:#}");
        let reason = document["reasons"][0].as_str().unwrap();
        let context = "the peer no longer knew the connection of the mute and the stalled client";
        assert!(reason.contains(context), "{reason}");
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn interrupt_with_forgotten_clients_finds_none_kept() {
    let namespace = forgetting("drop");
    let hour = ["probe-zombie", "-o", "json", "--max", "1h", "--every", "500ms", "--expect", "<=1s"];
    let process = namespace.begin(&hour);
    // The idle time under test, not a wait for something.
    std::thread::sleep(Duration::from_millis(TIMEOUT_MS as u64 * 2));
    send_signal(&process, libc::SIGINT);
    let ran = Ran::of(process);
    let document = ran.json();
    let criterion = &document["criteria"][0];
    assert_eq!((ran.code, &criterion["state"]), (Some(4), &"unknown".into()), "{document:#}");
    let why = criterion["found"].as_str().unwrap();
    assert!(why.starts_with("interrupted before it was known whether the mute client"), "{why}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn forgotten_connection_is_not_called_silent() {
    for action in ["drop", "tcp flags & rst == 0 reject with tcp reset"] {
        let namespace = forgetting(action);
        let listen = |time: &str| {
            let ran = namespace.inside(&["listen", "-o", "json", "--for", time]);
            (ran.code, ran.json())
        };
        let (code, short) = listen("1s");
        assert_eq!((code, &short["verdict"]), (Some(0), &"server_is_silent_for".into()), "{short:#}");
        let (code, long) = listen("4s");
        assert_eq!((code, &long["verdict"]), (Some(4), &"inconclusive".into()), "{long:#}");
        let reason = long["reasons"][1].as_str().unwrap();
        assert!(reason.starts_with("at the end the peer no longer knew the connection"), "{reason}");
    }
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn two_ended_mode_sees_both_directions_lost() {
    let namespace = forgetting("drop");
    let document = probe(&namespace, HALVES);
    assert_eq!(
        (&document["two_ended"], &document["cut"]["lost"]),
        (&"agreed".into(), &"both".into()),
        "{document:#}"
    );
    assert!(contains(&document, TIMEOUT_MS), "{document:#}");
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn two_ended_mode_sees_a_nat_that_client_traffic_revives() {
    let namespace = healing();
    let one = probe(&namespace, WIDE);
    assert_eq!(one["verdict"], "no_timeout_up_to_max", "{one:#}");
    let both = probe(&namespace, HALVES);
    assert_eq!(both["verdict"], "idle_timeout", "{both:#}");
    let cut = &both["cut"];
    let context = (&cut["manner"], &cut["lost"]);
    assert_eq!(context, (&"server_unheard".into(), &"from_server".into()), "{both:#}");
    assert!(contains(&both, TIMEOUT_MS), "{both:#}");
}
