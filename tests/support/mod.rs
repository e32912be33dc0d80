//! Runs the binary in a cleared environment, and servers for it to connect to.

pub mod browser;
pub mod namespace;
pub mod programs;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::LazyLock;
use std::thread::JoinHandle;

use serde_json::Value;

/// The crate's directory.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text, by its path in the crate.
pub fn text(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The binary with a minimal environment. SIGHUP ends it even if the tests run under nohup, whose setting it would
/// inherit.
pub fn wscheck(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscheck"));
    command.env_clear().args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: signal(2) is async-signal-safe, and nothing else happens between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_DFL);
            Ok(())
        });
    }
    command
}

/// Output of a finished run.
#[derive(Debug)]
pub struct Ran {
    pub stdout: String,
    pub stderr: String,
    /// `None` if a signal ended it.
    pub code: Option<i32>,
}

impl Ran {
    /// Waits for the end of a run.
    pub fn of(child: Child) -> Ran {
        let output = child.wait_with_output().unwrap();
        Ran {
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }

    /// The JSON document on stdout, validated by the schema.
    pub fn json(&self) -> Value {
        let document = serde_json::from_str(&self.stdout).unwrap_or_else(|why| panic!("{why}: {self:?}"));
        validate(&document);
        document
    }

    /// The NDJSON lines on stdout, validated by the schema.
    pub fn ndjson(&self) -> Vec<Value> {
        let lines = self.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
        lines.inspect(validate).collect()
    }

    /// stdout, stderr and exit code in one text, for snapshots.
    pub fn all(&self) -> String {
        format!("exit {:?}\n--- stdout\n{}--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

/// Panics unless the document is one of those that `wscheck schema` describes.
pub fn validate(document: &Value) {
    static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../../src/cli/output.schema.json")).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    let errors: Vec<String> = SCHEMA.iter_errors(document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}\nin {document:#}");
}

pub fn run(args: &[&str]) -> Ran {
    Ran::of(wscheck(args).spawn().unwrap())
}

/// Runs a function on all items concurrently, since they mostly wait.
pub fn run_concurrently<T: Sync>(cases: &[T], act: impl Fn(&T) + Sync) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(|| act(case));
        }
    });
}

/// Limits of the mean RTT that keep a status from depending on how busy this machine is.
pub const ANY_SPEED: &[&str] = &["--healthy", "20s", "--degraded", "30s", "--poor", "40s"];

/// `wscheck ping -o json` with these arguments: the exit code and the document.
pub fn ping_json(args: &[&str]) -> (Option<i32>, Value) {
    let ran = run(&[&["ping", "-o", "json"], args].concat());
    (ran.code, ran.json())
}

/// A child process that is killed when dropped.
pub struct Reaped(pub Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Reaped {
    pub fn signal(&self, signal: i32) {
        send_signal(&self.0, signal);
    }
}

/// Signals a child that has not been reaped.
pub fn send_signal(child: &Child, signal: i32) {
    // SAFETY: kill(2) has no memory effects; the child is ours and not yet reaped.
    assert_eq!(unsafe { libc::kill(child.id() as i32, signal) }, 0);
}

/// A running command with NDJSON output.
pub struct Run {
    pub process: Reaped,
    lines: BufReader<ChildStdout>,
}

impl Run {
    /// Starts `ping`.
    pub fn start(args: &[&str]) -> Run {
        Run::of("ping", args)
    }

    pub fn of(command: &str, args: &[&str]) -> Run {
        Run::of_child(wscheck(&[&[command, "-o", "ndjson"], args].concat()).spawn().unwrap())
    }

    /// A process that prints NDJSON to a pipe.
    pub fn of_child(child: Child) -> Run {
        let mut process = Reaped(child);
        let lines = BufReader::new(process.0.stdout.take().unwrap());
        Run { process, lines }
    }

    fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        let value = (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap());
        value.inspect(validate)
    }

    /// Reads to the next line with this event.
    pub fn until(&mut self, event: &str) -> Value {
        std::iter::from_fn(|| self.line())
            .find(|line| line["event"] == event)
            .unwrap_or_else(|| panic!("no {event}"))
    }

    /// All remaining lines, and the exit code.
    pub fn rest(mut self) -> (Vec<Value>, Option<i32>) {
        let lines = std::iter::from_fn(|| self.line()).collect();
        (lines, self.process.0.wait().unwrap().code())
    }
}

/// A server process that prints its address on its first line.
pub struct Server {
    pub process: Reaped,
    pub port: u16,
    /// Kept open: a server may stop when its output closes.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    /// `wscheck serve` on a free port.
    pub fn start(args: &[&str]) -> Server {
        Server::spawn(wscheck(&[&["serve", "--bind", "127.0.0.1:0"], args].concat()))
    }

    /// Any server whose first line ends in its port, optionally with a slash.
    pub fn spawn(mut command: Command) -> Server {
        command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut process = Reaped(command.spawn().unwrap());
        let mut stdout = BufReader::new(process.0.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let digits: String = line.chars().skip_while(|c| *c != ':' && !line.starts_with("PORT")).collect();
        let port =
            digits.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).next_back();
        Server { process, port: port.unwrap_or_else(|| panic!("no port in '{line}'")), _stdout: stdout }
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }
}

/// A scripted peer on a thread; handles its connections one after the other.
pub struct Script {
    pub port: u16,
    _thread: JoinHandle<()>,
}

impl Script {
    pub fn start(act: impl Fn(TcpStream) + Send + 'static) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        // Ends with the test process.
        let thread = std::thread::spawn(move || listener.incoming().flatten().for_each(&act));
        Script { port, _thread: thread }
    }

    /// Reads the request, sends these bytes, and waits until the client closes.
    pub fn answering(bytes: impl Into<Vec<u8>>) -> Script {
        let bytes = bytes.into();
        Script::start(move |mut stream| {
            read_head(&mut stream);
            let _ = stream.write_all(&bytes);
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    /// Upgrades, sends these bytes, and waits until the client closes.
    pub fn upgraded_then(bytes: impl Into<Vec<u8>>) -> Script {
        let bytes = bytes.into();
        Script::start(move |mut stream| {
            upgrade(&mut stream);
            let _ = stream.write_all(&bytes);
            let _ = stream.read_to_end(&mut Vec::new());
        })
    }

    pub fn url(&self) -> String {
        format!("ws://127.0.0.1:{}/", self.port)
    }
}

pub const TEXT: u8 = 0x81;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// A server frame: its first byte, and a payload of at most 125 bytes.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[first, payload.len() as u8], payload].concat()
}

/// Reads a client's short frame: its first byte and its unmasked payload.
pub fn read_frame(stream: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 6];
    stream.read_exact(&mut head).ok()?;
    let mut payload = vec![0; usize::from(head[1] & 0x7f)];
    stream.read_exact(&mut payload).ok()?;
    payload.iter_mut().zip(head[2..].iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    Some((head[0], payload))
}

/// Answers Pings and the closing handshake until the client closes.
pub fn answer_pings(stream: &mut (impl Read + Write)) {
    while let Some((first, payload)) = read_frame(stream) {
        let answered = match first {
            PING => stream.write_all(&frame(PONG, &payload)),
            CLOSE => return drop(stream.write_all(&frame(CLOSE, &payload))),
            _ => Ok(()),
        };
        if answered.is_err() {
            return;
        }
    }
}

/// Reads a request's head.
pub fn read_head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

/// Sends a valid 101 response; returns the request's head.
pub fn upgrade(stream: &mut (impl Read + Write)) -> String {
    let head = read_head(stream);
    accept(stream, &head, None);
    head
}

/// A valid response to this request, with this subprotocol.
pub fn accept(stream: &mut impl Write, head: &str, subprotocol: Option<&str>) {
    let key = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("sec-websocket-key").then(|| value.trim().to_string())
    });
    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
    let chosen = subprotocol.map(|name| format!("Sec-WebSocket-Protocol: {name}\r\n")).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n{chosen}\r\n"
    );
    stream.write_all(answer.as_bytes()).unwrap();
}

/// A port without a listener; it stays bound, so nobody else gets it.
pub fn closed_port() -> (socket2::Socket, u16) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}
