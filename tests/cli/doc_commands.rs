//! Every `wscheck` command line in README and docs is valid.
//!
//! A command that connects runs against a port without a listener: exit code 3 means a valid line, 2 an invalid one.
//! `serve` runs until it listens; the other commands print their result.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::docs::pages;
use crate::support::{Ran, Reaped, Server, closed_port, root, run, run_concurrently, wscheck};

/// A command line and its origin.
struct Line {
    page: String,
    text: String,
}

/// Command lines in a page's code blocks.
fn lines(page: &str, text: &str) -> Vec<Line> {
    let blocks = text.split("\n```").skip(1).step_by(2);
    let mut found = Vec::new();
    for block in blocks {
        let (language, body) = block.split_once('\n').unwrap_or((block, ""));
        let body = body.replace("\\\n", " ");
        let starts: &[&str] = match language.trim() {
            "sh" => &["wscheck "],
            "console" => &["$ wscheck "],
            "yaml" => &["- run: wscheck ", "run: wscheck ", "- wscheck "],
            "groovy" => &["sh \"wscheck "],
            _ => continue,
        };
        for line in body.lines().map(str::trim) {
            if let Some(rest) = starts.iter().find_map(|start| line.strip_prefix(start)) {
                let rest = if language.trim() == "groovy" { rest.trim_end_matches('"') } else { rest };
                found.push(Line { page: page.to_string(), text: unpiped(rest).to_string() });
            }
        }
    }
    found
}

/// Complete command lines in a page's code spans: with a URL, or `serve` with options.
fn spans(page: &str, text: &str) -> Vec<Line> {
    let prose: String = text.split("```").step_by(2).collect();
    let spans = prose.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("wscheck "));
    let lines =
        spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ").replace("URL...", "URL"));
    let complete = lines.filter(|line| {
        let mut words = line.split(' ');
        words.any(|word| word == "URL" || word.contains("://")) || line.starts_with("serve --")
    });
    complete.map(|text| Line { page: page.to_string(), text }).collect()
}

/// The line up to its first pipe, redirection or comment outside quotes.
fn unpiped(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '|' | '>' | ';' | '&' | '#') => return &line[..at],
            _ => {}
        }
    }
    line
}

/// The arguments, with URLs and variables replaced by this loopback port, and few connections.
fn arguments(line: &str, port: u16) -> Vec<String> {
    let words = shlex::split(line).unwrap_or_else(|| panic!("quotes do not match: {line}"));
    let mut args: Vec<String> = words.iter().map(|word| towards_loopback(word, port)).collect();
    for at in 1..args.len() {
        match args[at - 1].as_str() {
            "-n" => args[at] = args[at].parse::<u32>().unwrap().min(20).to_string(),
            "--ramp" if !args[at].contains('/') => args[at] = "100ms".to_string(),
            "--reconnect-attempts" => args[at] = "1".to_string(),
            // Another line reads the file of this name.
            "--log" => args[at] += ".new",
            _ => {}
        }
    }
    if args[0] == "watch" {
        // It would go on for ever.
        args.splice(1..1, ["-w", "300ms", "--no-tui"].map(str::to_string));
    }
    let has = |option: &str| args.iter().any(|arg| arg == option);
    if has("--reconnect") && !has("--reconnect-attempts") {
        args.extend(["--reconnect-attempts", "1"].map(str::to_string));
    }
    args
}

fn towards_loopback(word: &str, port: u16) -> String {
    let is_variable = word.starts_with('$') || word == "URL";
    match word.split_once("://") {
        _ if is_variable => format!("ws://127.0.0.1:{port}/"),
        Some((scheme, rest)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            let path = rest.find(['/', '?']).map_or("", |at| &rest[at..]);
            format!("{scheme}://127.0.0.1:{port}{path}")
        }
        _ => word.to_string(),
    }
}

/// Creates the files that the lines name.
fn write_files(folder: &Path) {
    let files = [("login.json", "{\"type\":\"login\"}\n"), ("headers.txt", "X-Test: 1\n")];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).unwrap();
    }
    std::fs::copy(root().join("src/output/golden/ping.json"), folder.join("run.json")).unwrap();
    std::fs::copy(folder.join("run.json"), folder.join("watch.log")).unwrap();
    let checks = std::fs::read_to_string(root().join("docs/wscheck.toml")).unwrap();
    std::fs::write(folder.join("wscheck.toml"), without_network(&checks)).unwrap();
    let server = Server::start(&[]);
    for name in ["a.json", "b.json"] {
        let report = format!("json={}", folder.join(name).display());
        let args = ["ping", "-c", "2", "-i", "10ms", "--proxy", "none", "--report", &report, &server.url()];
        let ran = run(&args);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let certificate = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    for name in ["ca.pem", "client.pem"] {
        std::fs::write(folder.join(name), certificate.cert.pem()).unwrap();
    }
    std::fs::write(folder.join("client.key"), certificate.signing_key.serialize_pem()).unwrap();
}

/// The example of the docs with a port of ours that nobody listens on.
fn without_network(checks: &str) -> String {
    let hosts = ["${CHAT_HOST:-chat.example}", "eu.chat.example", "us.chat.example", "chat.example"];
    hosts.iter().fold(checks.to_string(), |text, host| text.replace(host, "127.0.0.1:1"))
}

fn check(line: &Line, port: u16, folder: &Path) {
    let args = arguments(&line.text, port);
    let code = match args[0].as_str() {
        "serve" => return check_serve(line, args, "--bind", folder),
        "exporter" => return check_serve(line, args, "--listen", folder),
        "watch" => 3,
        "run" if !args.iter().any(|arg| arg == "--list" || arg == "--check-config") => 3,
        "test-client" => return check_test_client(line, &args, folder),
        "demo" => return assert_eq!(wscheck_in(folder, &["demo", "--help"]).code, Some(0)),
        // Nothing listens on the port: a plugin's CRITICAL, or unreachable.
        _ if args.iter().any(|arg| arg.starts_with("ws://") || arg.starts_with("wss://")) => {
            if line.text.contains("-o nagios") { 2 } else { 3 }
        }
        _ => 0,
    };
    let ran = wscheck_in(folder, &args);
    assert_eq!(ran.code, Some(code), "{}: wscheck {}\n{}", line.page, line.text, ran.stderr);
    assert!(!ran.stdout.contains("UNKNOWN"), "{}: wscheck {}\n{}", line.page, line.text, ran.stdout);
}

/// Runs `test-client` with a client that exits at once: it does not connect.
fn check_test_client(line: &Line, args: &[String], folder: &Path) {
    let options = args.split(|arg| arg == "--").next().unwrap_or_default();
    let args = [options, &["--".to_string(), "true".to_string()]].concat();
    let ran = wscheck_in(folder, &args);
    assert_eq!(ran.code, Some(3), "{}: wscheck {}\n{}", line.page, line.text, ran.stderr);
}

fn wscheck_in(folder: &Path, args: &[impl AsRef<str>]) -> Ran {
    let args: Vec<&str> = args.iter().map(AsRef::as_ref).collect();
    Ran::of(wscheck(&args).env("WS_TOKEN", "t-19").current_dir(folder).spawn().unwrap())
}

/// Runs a command that serves with free ports instead of the given ones; its first line shows the address. `listen`: the
/// option of its address.
fn check_serve(line: &Line, mut args: Vec<String>, listen: &str, folder: &Path) {
    if args.iter().any(|arg| arg == "--list-faults") {
        return assert_eq!(wscheck_in(folder, &args).code, Some(0), "{}: {}", line.page, line.text);
    }
    for at in 1..args.len() {
        if [listen, "--status-addr"].contains(&args[at - 1].as_str()) {
            args[at] = "127.0.0.1:0".to_string();
        }
    }
    if !args.iter().any(|arg| arg == listen) {
        args.extend([listen.to_string(), "127.0.0.1:0".to_string()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut server = Reaped(wscheck(&args).env("WS_TOKEN", "t-19").current_dir(folder).spawn().unwrap());
    let mut first = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut first).unwrap();
    if first.is_empty() {
        let mut why = String::new();
        server.0.stderr.take().unwrap().read_to_string(&mut why).unwrap();
        panic!("{}: wscheck {}\n{why}", line.page, line.text);
    }
}

#[test]
fn every_command_line_makes_a_valid_plan() {
    let pages = pages();
    let found: Vec<Line> = pages
        .iter()
        .flat_map(|(page, text)| lines(page, text).into_iter().chain(spans(page, text)))
        .collect();
    assert!(found.len() > 60, "only {} command lines were found", found.len());
    let (_socket, port) = closed_port();
    let folder = tempfile::tempdir().unwrap();
    write_files(folder.path());
    for few in found.chunks(24) {
        run_concurrently(few, |line| check(line, port, folder.path()));
    }
}

#[test]
fn invalid_line_is_found() {
    let (_socket, port) = closed_port();
    let args = arguments("ping --fail-if 'rtt.p95>200' ws://example.org/", port);
    assert_eq!(args[3], format!("ws://127.0.0.1:{port}/"));
    assert_eq!(wscheck_in(Path::new("."), &args).code, Some(2));
    assert_eq!(
        unpiped("ping --expect '>=5s' ws://a.example/ | jq ."),
        "ping --expect '>=5s' ws://a.example/ "
    );
}
