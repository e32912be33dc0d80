//! A set-up that was started: its servers, its proxies, and commands against it.

use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use crate::certificates;
use crate::products::{RunningProduct, Values, with_changes};
use crate::setups::{Backend, Place, Setup};
use crate::support::namespace::Namespace;
use crate::support::programs::{find, folder, missing, node};
use crate::support::{Ran, Server, closed_port, wscheck};

/// A started set-up; all of it ends with the value.
pub struct Running {
    pub setup: Setup,
    pub values: Values,
    // Proxies end before what is behind them.
    _hops: Vec<RunningProduct>,
    _servers: Vec<Server>,
    namespace: Option<Namespace>,
    _files: tempfile::TempDir,
    _dead: socket2::Socket,
}

impl Setup {
    pub fn start(&self) -> Running {
        self.start_changed(None)
    }

    /// Starts the set-up with these lines changed in the configuration of one hop.
    pub fn start_changed(&self, changes: Option<(usize, &[String])>) -> Running {
        let files = tempfile::tempdir().unwrap();
        certificates::write(files.path());
        let (dead, dead_port) = closed_port();
        let mut values = Values::default();
        values.set("files", files.path().display());
        values.set_address(["dead", "deadhost", "deadport"], &format!("127.0.0.1:{dead_port}"));
        let mut servers = Vec::new();
        let (namespace, mut entry) = match self.place {
            Place::Forgetting(seconds) => {
                (Some(Namespace::forgetting(seconds, "drop")), "127.0.0.1:80".to_string())
            }
            Place::Host | Place::Offline => {
                let behind =
                    self.behind.start(&mut servers, &mut values, ["behind", "behindhost", "behindport"]);
                let server =
                    self.server.start(&mut servers, &mut values, ["server", "serverhost", "serverport"]);
                (None, server.or(behind).unwrap_or_else(|| format!("127.0.0.1:{dead_port}")))
            }
        };
        let mut hops = Vec::new();
        for (index, hop) in self.hops.iter().enumerate() {
            let mut values_of_hop = values.clone();
            values_of_hop.set_address(["next", "nexthost", "nextport"], &entry);
            let changed = changes.filter(|(changed, _)| *changed == index);
            let configuration = match changed {
                Some((_, lines)) => with_changes(hop.configuration, lines),
                None => hop.configuration.to_string(),
            };
            let running = hop.product.start(&configuration, &values_of_hop);
            entry = running.address.clone();
            let names = [format!("hop{index}"), format!("hop{index}host"), format!("hop{index}port")];
            values.set_address(names.each_ref().map(String::as_str), &entry);
            values.set(&format!("own{index}"), running.folder().display());
            values.set(&format!("hop{index}port2"), running.second_port());
            hops.push(running);
        }
        values.set_address(["entry", "entryhost", "entryport"], &entry);
        Running {
            setup: *self,
            values,
            _hops: hops,
            _servers: servers,
            namespace,
            _files: files,
            _dead: dead,
        }
    }
}

impl Backend {
    /// Starts the server and sets its address; `None` without a server.
    fn start(&self, servers: &mut Vec<Server>, values: &mut Values, names: [&str; 3]) -> Option<String> {
        let strs = |args: &'static [&'static str]| values.fill_all(args);
        let server = match *self {
            Backend::None => return None,
            Backend::Serve(args) => Server::start(&as_strs(&strs(args))),
            Backend::Node(file, args) => node(file, &as_strs(&strs(args))),
            Backend::Python(file, args) => python(file, &strs(args)),
        };
        let address = format!("{}:{}", Ipv4Addr::LOCALHOST, server.port);
        values.set_address(names, &address);
        servers.push(server);
        Some(address)
    }
}

fn as_strs(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn python(file: &str, args: &[String]) -> Server {
    let program = folder().join("python/.venv/bin/python");
    if !program.exists() {
        missing("python websockets");
    }
    let mut command = Command::new(program);
    command.arg(folder().join("python").join(file)).args(args).stdin(Stdio::piped());
    Server::spawn(command)
}

impl Running {
    /// Runs `wscheck SUBCOMMAND` with the set-up's arguments and URL, and further ones.
    pub fn run(&self, command: &[&str]) -> Ran {
        self.run_at(command, self.setup.url, self.setup.args)
    }

    /// Runs it with another URL and other arguments.
    pub fn run_at(&self, command: &[&str], url: &str, args: &[&str]) -> Ran {
        self.run_words(&[command, args, &[url]].concat())
    }

    /// Runs `wscheck` with exactly these words.
    pub fn run_words(&self, words: &[&str]) -> Ran {
        let words = self.values.fill_all(words);
        let mut command = self.command(&as_strs(&words));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ran::of(command.spawn().unwrap())
    }

    fn command(&self, words: &[&str]) -> Command {
        match (&self.namespace, self.setup.place) {
            (Some(namespace), _) => namespace.command(words),
            (None, Place::Offline) => offline(words),
            (None, _) => wscheck(words),
        }
    }
}

/// The binary in a network namespace without an interface, whose names come from `/etc/hosts` only: no query leaves it.
fn offline(words: &[&str]) -> Command {
    if find("unshare").is_none() {
        missing("unshare");
    }
    let script = "set -e; f=$(mktemp); echo 'hosts: files' >$f; mount --bind $f /etc/nsswitch.conf; rm -f $f; exec \"$@\"";
    let mut command = Command::new("unshare");
    command
        .args(["--net", "--mount", "--", "sh", "-c", script, "sh", env!("CARGO_BIN_EXE_wscheck")])
        .args(words);
    command
}
