//! `wscheck serve` through the binary: output, files and exit codes.

#![expect(unsafe_code, reason = "signals and limits of child processes")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// The command with an empty environment except PATH.
fn serve(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wscheck"));
    command.env_clear().arg("serve").args(args).stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = serve(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// A running server, killed when dropped.
struct Served {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Served {
    fn start(args: &[&str]) -> Served {
        Served::spawn(&mut serve(args))
    }

    fn spawn(command: &mut Command) -> Served {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Served { child, stdout }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line
    }

    /// The exit code after Ctrl-C, and the output until then.
    fn interrupt(mut self) -> (Option<i32>, String) {
        let pid = libc::pid_t::try_from(self.child.id()).unwrap();
        // SAFETY: a signal to our own child, which is not yet reaped.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

fn port(file: &Path) -> u16 {
    std::fs::read_to_string(file).unwrap().trim().parse().unwrap()
}

#[test]
fn ctrl_c_closes_every_client_with_1001_and_reports() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let mut served = Served::start(&["--bind", "127.0.0.1:0", "--port-file", file.to_str().unwrap()]);
    let listening = served.line();
    assert!(listening.contains(&format!("listening on ws://127.0.0.1:{}/", port(&file))), "{listening}");
    let mut client = TcpStream::connect(("127.0.0.1", port(&file))).unwrap();
    let upgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    client.write_all(upgrade.as_bytes()).unwrap();
    assert!(served.line().contains("#1 connected from 127.0.0.1:"));
    let closed = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut buffer = [0; 256];
        // The answer to the close frame, masked with zeros; then the server closes.
        while !bytes.windows(4).any(|frame| frame == [0x88, 0x0e, 0x03, 0xe9]) {
            let count = client.read(&mut buffer).unwrap();
            assert!(count > 0, "closed without a close frame: {bytes:?}");
            bytes.extend_from_slice(&buffer[..count]);
        }
        client.write_all(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]).unwrap();
        assert_eq!(client.read(&mut buffer).unwrap(), 0);
    });
    let (code, report) = served.interrupt();
    closed.join().unwrap();
    assert_eq!(code, Some(0), "{report}");
    assert!(report.contains("server sent close 1001 (going away) \"server stops\""), "{report}");
    assert!(report.contains("served 1 client in ") && report.contains(" (at most 1 at once)"), "{report}");
    assert!(report.ends_with("\nverdict      passed (exit 0)\n"), "{report}");
}

#[test]
fn out_of_fds_is_reported_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let limited = "ulimit -n 40; exec \"$0\" serve --bind 127.0.0.1:0 --port-file \"$1\"";
    let mut command = Command::new("/bin/sh");
    command.env_clear().stdin(Stdio::null()).args(["-c", limited, env!("CARGO_BIN_EXE_wscheck")]).arg(&file);
    let mut served = Served::spawn(&mut command);
    assert!(served.line().contains("listening"));
    let clients: Vec<_> = (0..50).map(|_| TcpStream::connect(("127.0.0.1", port(&file))).unwrap()).collect();
    let problem = served.line();
    assert!(problem.contains("error: cannot accept a connection: Too many open files"), "{problem}");
    drop(clients);
    let mut client = TcpStream::connect(("127.0.0.1", port(&file))).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 426 "), "{answer}");
}

#[test]
fn faults_are_listed_from_the_table() {
    let (code, stdout, stderr) = run(&["--list-faults"]);
    assert_eq!((code, stdout, stderr), (Some(0), wscheck::server::faults::list(), String::new()));
}

#[test]
fn invalid_fault_is_a_usage_error() {
    let (code, stdout, stderr) = run(&["--idle-timeout", "soon"]);
    assert_eq!((code, stdout.as_str()), (Some(2), ""));
    assert!(stderr.contains("--idle-timeout") && stderr.contains("'soon' is not a duration"), "{stderr}");
}

#[test]
fn unreachable_idle_timeout_gives_a_hint() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let hinted = |args: &[&str]| {
        let args = [&["--bind", "127.0.0.1:0", "--idle-timeout", "60s"], args].concat();
        let ran = serve(&args).stdout(full()).stderr(Stdio::piped()).output().unwrap();
        String::from_utf8(ran.stderr).unwrap().contains("hint: the server's own heartbeats")
    };
    assert!(hinted(&[]) && !hinted(&["--heartbeat", "none"]));
}

#[test]
fn port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, _, stderr) = run(&["--bind", &address]);
    assert_eq!(code, Some(3), "{stderr}");
    assert!(stderr.contains(&format!("cannot listen on {address}: Address already in use")), "{stderr}");
}

#[test]
fn start_failure_is_a_document_in_json() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let (code, stdout, stderr) = run(&["--bind", &taken.local_addr().unwrap().to_string(), "-o", "json"]);
    assert_eq!((code, stderr.as_str()), (Some(3), ""));
    let document: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((&document["command"], &document["result"]), (&json!("serve"), &json!("unreachable")));
    assert!(document["error"]["hint"].as_str().unwrap().contains("another process"), "{document:#}");
}

#[test]
fn start_failure_is_in_every_report() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let formats = ["human", "json", "ndjson", "markdown", "html", "junit", "prometheus"];
    let mut args = vec!["--bind".to_string(), taken.local_addr().unwrap().to_string()];
    for format in formats {
        args.extend(["--report".to_string(), format!("{format}={}", dir.path().join(format).display())]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(run(&args).0, Some(3));
    for format in formats {
        let text = std::fs::read_to_string(dir.path().join(format)).unwrap();
        let expected = if format == "prometheus" { "unreachable" } else { "Address already in use" };
        assert!(text.contains(expected), "{format}: {text}");
    }
}

#[test]
fn stopped_server_has_passed_in_json() {
    let mut served = Served::start(&["--bind", "127.0.0.1:0", "-o", "ndjson"]);
    let listening: Value = serde_json::from_str(&served.line()).unwrap();
    assert_eq!(listening["event"], "listening");
    let (code, rest) = served.interrupt();
    let document: Value = serde_json::from_str(&rest).unwrap();
    assert_eq!((code, &document["result"], &document["done"]), (Some(0), &json!("passed"), &Value::Null));
    assert_eq!(document["url"], listening["url"]);
}

#[test]
fn invalid_certificate_file_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("cert");
    std::fs::write(&file, "hello").unwrap();
    let path = file.to_str().unwrap();
    let (code, _, stderr) = run(&["--bind", "127.0.0.1:0", "--cert", path, "--key", path]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains(&format!("--cert: {path} is not a certificate")), "{stderr}");
}

#[test]
fn closed_stdout_stops_an_idle_server() {
    let mut served = Served::start(&["--bind", "127.0.0.1:0"]);
    served.line();
    let Served { child, stdout } = &mut served;
    drop(std::mem::replace(stdout, BufReader::new(no_stdout())));
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn full_disk_is_reported() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = serve(&["--bind", "127.0.0.1:0"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    let stderr = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(4), "{stderr}");
    assert_eq!(stderr, "error: cannot write the report to stdout: no storage space\n");
}

/// A closed pipe as a child's stdout.
fn no_stdout() -> std::process::ChildStdout {
    let (reader, _) = std::io::pipe().unwrap();
    std::process::ChildStdout::from(std::os::fd::OwnedFd::from(reader))
}
