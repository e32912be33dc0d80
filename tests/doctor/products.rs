//! Real proxies and web servers: how each is started from a configuration text, and when it is ready.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::Reaped;
use crate::support::programs::{find, folder, missing, own_address, spawn_until};

/// A product, as installed by `tests/peers/install.sh`.
pub struct Product {
    pub name: &'static str,
    /// Its program: a system program, or a path in `tests/peers`.
    program: &'static str,
    /// Its arguments; `@config@` is the path of its configuration.
    args: &'static [&'static str],
    ready: Ready,
}

/// When a product has begun to listen.
enum Ready {
    /// Its stderr has a line with this text, and the kernel lists its socket.
    Says(&'static str),
    /// The kernel lists its listening socket.
    Listens,
    /// Its second listener answers HTTP with another status than 404: it listens before it has read its routes.
    Routes,
}

pub const NGINX: Product = Product {
    name: "nginx",
    program: "nginx",
    args: &["-e", "stderr", "-c", "@config@"],
    ready: Ready::Says("start worker process "),
};

pub const HAPROXY: Product = Product {
    name: "haproxy",
    program: "haproxy",
    args: &["-db", "-q", "-f", "@config@"],
    ready: Ready::Listens,
};

pub const APACHE: Product = Product {
    name: "apache",
    program: "apache2",
    args: &["-DFOREGROUND", "-f", "@config@"],
    ready: Ready::Says("resuming normal operations"),
};

pub const LIGHTTPD: Product = Product {
    name: "lighttpd",
    program: "lighttpd",
    args: &["-D", "-f", "@config@"],
    ready: Ready::Says("server started"),
};

pub const VARNISH: Product = Product {
    name: "varnish",
    program: "varnishd",
    args: &["-F", "-j", "none", "-s", "malloc,8m", "-n", "@own@/work", "-a", "@listen@", "-f", "@config@"],
    ready: Ready::Says("Child launched OK"),
};

pub const CADDY: Product = Product {
    name: "caddy",
    program: "python/.venv-proxies/bin/caddy",
    args: &["run", "--adapter", "caddyfile", "--config", "@config@"],
    ready: Ready::Says("serving initial configuration"),
};

/// Its configuration is the dynamic one; the static one is its arguments.
pub const TRAEFIK: Product = Product {
    name: "traefik",
    program: "python/.venv-proxies/bin/traefik",
    args: &[
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--entrypoints.web.address=@listen@",
        "--entrypoints.ready.address=@listen2@",
        "--providers.file.filename=@config@",
        "--providers.file.watch=false",
    ],
    ready: Ready::Routes,
};

pub const ENVOY: Product = Product {
    name: "envoy",
    program: "python/.venv-proxies/bin/envoy",
    args: &["-c", "@config@", "--use-dynamic-base-id", "--concurrency", "1"],
    ready: Ready::Says("starting main dispatch loop"),
};

/// Values of the placeholders, such as `@listen@`.
#[derive(Clone, Default)]
pub struct Values(Vec<(String, String)>);

impl Values {
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.0.push((format!("@{name}@"), value.to_string()));
    }

    /// An address and, under other names, its host and its port.
    pub fn set_address(&mut self, names: [&str; 3], address: &str) {
        let (host, port) = address.rsplit_once(':').unwrap();
        for (name, value) in names.into_iter().zip([address, host, port]) {
            self.set(name, value);
        }
    }

    /// The text with its placeholders replaced; of two values, the later one.
    pub fn fill(&self, text: &str) -> String {
        self.0.iter().rev().fold(text.to_string(), |text, (name, value)| text.replace(name, value))
    }

    pub fn fill_all(&self, texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| self.fill(text)).collect()
    }
}

/// A running product. It ends with the value.
pub struct RunningProduct {
    pub address: String,
    process: Reaped,
    reserved: [TcpListener; 2],
    folder: tempfile::TempDir,
}

/// Maximum time for a program that was asked to end.
const TIME_TO_END: Duration = Duration::from_secs(5);

impl Drop for RunningProduct {
    /// Ends with SIGTERM, so that nginx and Apache end their workers, and with SIGKILL what does not.
    fn drop(&mut self) {
        self.process.signal(libc::SIGTERM);
        let asked = Instant::now();
        while asked.elapsed() < TIME_TO_END && matches!(self.process.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl RunningProduct {
    /// Its own folder, `@own@` in its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The port of `@listen2@`.
    pub fn second_port(&self) -> u16 {
        self.reserved[1].local_addr().unwrap().port()
    }
}

impl Product {
    /// Starts the product with a configuration whose placeholders have these values, and waits until it listens. Lines of
    /// the configuration that begin with `#ARG ` are further arguments.
    pub fn start(&self, configuration: &str, values: &Values) -> RunningProduct {
        let program = self.path();
        let own = tempfile::tempdir().unwrap();
        // The program listens on another address with the same port: nobody else gets it while the reservation exists.
        let reserved = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [address, second] = [&reserved[0], &reserved[1]].map(own_address);
        let mut values = values.clone();
        values.set_address(["listen", "host", "port"], &address);
        values.set_address(["listen2", "host2", "port2"], &second);
        values.set("own", own.path().display());
        let file = own.path().join(if self.name == "envoy" { "config.yaml" } else { "config.yml" });
        values.set("config", file.display());
        let configuration = values.fill(configuration);
        std::fs::write(&file, &configuration).unwrap();
        let more = configuration.lines().filter_map(|line| line.trim().strip_prefix("#ARG "));
        let mut command = Command::new(program);
        command.args(values.fill_all(self.args)).args(more.flat_map(str::split_whitespace));
        command.current_dir(own.path()).env("HOME", own.path()).stdin(Stdio::null());
        let process = self.spawn(command, &address, &second);
        RunningProduct { address, process, reserved, folder: own }
    }

    /// Path of the program; Envoy's wheel has it inside a package, behind a script.
    fn path(&self) -> PathBuf {
        let installed = match self.program.contains('/') {
            true => Some(folder().join(self.program)).filter(|path| path.exists()),
            false => find(self.program),
        };
        let program = installed.unwrap_or_else(|| missing(self.name));
        if self.name == "envoy" { packaged_envoy(&program) } else { program }
    }

    /// Starts the program and waits until it is ready. That it says so does not suffice: Varnish says it too early.
    fn spawn(&self, mut command: Command, address: &str, second: &str) -> Reaped {
        let mut process = match self.ready {
            Ready::Says(line) => spawn_until(command, line),
            Ready::Listens | Ready::Routes => {
                Reaped(command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap())
            }
        };
        let is_ready = || match self.ready {
            Ready::Routes => is_listening(second) && has_routes(second),
            Ready::Says(_) | Ready::Listens => is_listening(address),
        };
        while !is_ready() {
            assert!(matches!(process.0.try_wait(), Ok(None)), "{} ended before it listened", self.name);
            std::thread::sleep(Duration::from_millis(10));
        }
        process
    }
}

/// The binary that the script of this environment starts.
fn packaged_envoy(script: &Path) -> PathBuf {
    let library = script.parent().unwrap().with_file_name("lib");
    let versions = std::fs::read_dir(library).unwrap().flatten();
    let binaries = versions.map(|version| version.path().join("site-packages/envoy/_bin/envoy"));
    binaries.into_iter().find(|path| path.exists()).unwrap_or_else(|| missing("envoy"))
}

/// Whether the kernel lists a listening IPv4 socket with this address, without a connection to it.
fn is_listening(address: &str) -> bool {
    const LISTEN: &str = "0A";
    let address: std::net::SocketAddrV4 = address.parse().unwrap();
    let mut listed = String::new();
    address.ip().octets().iter().rev().for_each(|byte| write!(listed, "{byte:02X}").unwrap());
    write!(listed, ":{:04X}", address.port()).unwrap();
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    table.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        fields[1] == listed && fields[3] == LISTEN
    })
}

fn has_routes(address: &str) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: ready\r\nConnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer.starts_with(b"HTTP/1.1 ") && !answer.starts_with(b"HTTP/1.1 404")
}

/// Inserts lines where the configuration has a `#CHANGE` line, with its indentation; a line whose directive the
/// configuration already has replaces that. `#CHANGE 2` takes the second line only. An address in a line becomes `@next@`, the server that is passed to.
pub fn with_changes(configuration: &str, lines: &[String]) -> String {
    let mut result: Vec<String> = configuration.lines().map(str::to_string).collect();
    // Whether the configuration has the block that the lines open, and so its end, too.
    let mut has_block = false;
    for (index, line) in lines.iter().flat_map(|line| line.lines()).enumerate() {
        let line = localised(line);
        let line = line.trim_start_matches("varnishd ");
        let own_marker = format!("#CHANGE {}", index + 1);
        let present =
            result.iter().position(|old| !directive(old).is_empty() && directive(old) == directive(line));
        let marker = result.iter().position(|old| ["#CHANGE", &own_marker].contains(&old.trim()));
        if line.trim() == "}" && has_block {
            continue;
        }
        has_block |= line.trim_end().ends_with('{') && present.is_some();
        let at = present.or(marker).unwrap_or_else(|| panic!("no #CHANGE in {configuration}"));
        let indentation: String = result[at].chars().take_while(|c| *c == ' ').collect();
        let argument = if line.starts_with("-p ") { "#ARG " } else { "" };
        let line = format!("{indentation}{argument}{line}");
        if present.is_some() {
            result[at] = line;
        } else {
            result.insert(at, line);
        }
    }
    result.join("\n") + "\n"
}

/// The name of a line's directive, with its first argument where that selects what it sets. Empty for braces and comments.
fn directive(line: &str) -> String {
    let line = line.trim().trim_start_matches("#ARG ");
    let selecting = ["proxy_set_header", "timeout", "LoadModule", "ProxyPass", "-p", "set", "sub"];
    let mut words = line.split([' ', '=', ':']).filter(|word| !word.is_empty());
    let name = words.next().unwrap_or_default();
    match name {
        name if selecting.contains(&name) => format!("{name} {}", words.next().unwrap_or_default()),
        name if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name.to_string(),
        _ => String::new(),
    }
}

/// The line with `@next@` instead of the host that an example has.
fn localised(line: &str) -> String {
    let Some((before, after)) = line.split_once("://") else { return line.to_string() };
    let end = after.find(['/', ' ', ';', '"']).unwrap_or(after.len());
    format!("{before}://@next@{}", &after[end..])
}

#[test]
fn changed_lines_are_inserted_or_replace_their_directive() {
    let lines = |lines: &[&str]| lines.iter().map(|line| line.to_string()).collect::<Vec<_>>();
    let text = "location / {\n  proxy_read_timeout 4s;\n  #CHANGE\n}\n";
    let changed =
        with_changes(text, &lines(&["proxy_read_timeout 1h;", "proxy_set_header Upgrade $http_upgrade;"]));
    assert_eq!(
        changed,
        "location / {\n  proxy_read_timeout 1h;\n  proxy_set_header Upgrade $http_upgrade;\n  #CHANGE\n}\n"
    );
    let changed = with_changes(
        "ProxyPass / http://@next@/\n",
        &lines(&["ProxyPass / http://app:80/ upgrade=websocket"]),
    );
    assert_eq!(changed, "ProxyPass / http://@next@/ upgrade=websocket\n");
    let changed = with_changes("#ARG -p pipe_timeout=4\n", &lines(&["-p pipe_timeout=3600"]));
    assert_eq!(changed, "#ARG -p pipe_timeout=3600\n");
}
