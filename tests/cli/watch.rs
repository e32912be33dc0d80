//! `watch`: outages as they were, what makes it ask at once, its log, its hooks, and the live view.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::exporter::get;
use crate::support::namespace::Namespace;
use crate::support::{Ran, Reaped, Run, Server, closed_port, run, wscheck};
use crate::terminal::terminal;

/// Heartbeats often enough for a short test.
const QUICK: [&str; 12] = [
    "-i",
    "50ms",
    "-W",
    "400ms",
    "--outage-after",
    "600ms",
    "--dead-after",
    "1000",
    "--reconnect-base",
    "20ms",
    "--reconnect-cap",
    "100ms",
];

fn watch(args: &[&str]) -> Run {
    Run::of("watch", args)
}

/// The outages of the only connection of a report.
fn outages(document: &Value) -> Vec<(String, f64)> {
    let latest = &document["targets"][0]["connections"][0]["outages"]["latest"];
    let each = latest.as_array().unwrap_or_else(|| panic!("no outages: {document:#}"));
    each.iter()
        .map(|one| (one["cause"].as_str().unwrap().to_string(), one["length_ms"].as_f64().unwrap()))
        .collect()
}

/// Each outage has its cause, is not shorter than the server was away, and not longer than from before it left to after its
/// answer was seen.
fn assert_story(document: &Value, away: [(&str, Duration, Duration); 2]) {
    let found = outages(document);
    assert_eq!(found.len(), 2, "{found:?}");
    for ((cause, length), (expected, least, most)) in found.iter().zip(away) {
        let [least, most] = [least, most].map(|span| span.as_secs_f64() * 1000.0);
        assert_eq!(cause, expected, "{found:?}");
        // The last proof of life is up to an interval before.
        assert!(*length >= least - 100.0 && *length <= most + 100.0, "{found:?}: {least} to {most}");
    }
}

/// A server is stopped, then killed; one that refuses takes its place for a while, then one that does not. Two watchers tell
/// both outages, and the log of a third, which was killed, tells them, too.
#[test]
fn three_watchers_tell_the_same_story() {
    const AWAY: Duration = Duration::from_millis(1500);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log").display().to_string();
    let server = Server::start(&["--heartbeat", "none"]);
    let (url, bind) = (server.url(), format!("127.0.0.1:{}", server.port));
    let logged = [&QUICK[..], &["--log", &log, &url]].concat();
    let plain = [&QUICK[..], &[&url]].concat();
    let mut all = [watch(&plain), watch(&plain), watch(&logged)];
    all.iter_mut().for_each(|run| drop(run.until("heartbeat")));
    let stopped = Instant::now();
    server.process.signal(libc::SIGSTOP);
    std::thread::sleep(AWAY);
    let least_stopped = stopped.elapsed();
    server.process.signal(libc::SIGCONT);
    for run in &mut all {
        // Those from before it was stopped come first.
        while run.until("heartbeat")["outcome"] != "missed" {}
        while run.until("heartbeat")["outcome"] != "ok" {}
    }
    let most_stopped = stopped.elapsed();
    let killed = Instant::now();
    drop(server);
    std::thread::sleep(AWAY);
    let refusing = Server::spawn(wscheck(&["serve", "--bind", &bind, "--refuse", "503"]));
    for run in &mut all {
        while run.until("open_failed")["error"]["refusal"]["status"] != 503 {}
    }
    drop(refusing);
    let least_killed = killed.elapsed();
    let _again = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    for run in &mut all {
        run.until("reconnected");
        run.until("heartbeat");
    }
    let most_killed = killed.elapsed();
    let story = [("unanswered", least_stopped, most_stopped), ("ended", least_killed, most_killed)];
    let [one, other, third] = all;
    for run in [one, other] {
        run.process.signal(libc::SIGINT);
        let (lines, _) = run.rest();
        assert_story(lines.last().unwrap(), story);
    }
    third.process.signal(libc::SIGKILL);
    drop(third);
    let replayed = run(&["report", "-o", "json", &log]);
    assert_story(&replayed.json(), story);
}

/// Runs a command in the network namespace of another process's.
fn change(pid: u32, script: &str) {
    let mut command = Command::new("nsenter");
    let pid = pid.to_string();
    command.args([
        "--net",
        "--target",
        &pid,
        "--",
        "sh",
        "-ec",
        &format!("PATH=$PATH:/usr/sbin:/sbin; {script}"),
    ]);
    assert!(command.status().unwrap().success(), "{script}");
}

/// Whatever changes, a heartbeat follows, though the next of the schedule is an hour away.
#[test]
#[ignore = "makes a network namespace"]
fn heartbeat_follows_each_change_of_the_network() {
    let place = Namespace::forgetting(600, "accept");
    let args = ["watch", "-o", "ndjson", "-i", "1h", "ws://127.0.0.1:80/"];
    let mut command = place.command(&args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut watching = Run::of_child(command.spawn().unwrap());
    watching.until("heartbeat");
    for (script, change_seen) in [
        ("ip link add wan0 type veth peer name wan1; ip link set wan1 up; ip link set wan0 up", "link_up"),
        ("ip address add 192.0.2.9/24 dev wan0", "address_added"),
        ("ip route add default via 192.0.2.1", "default_route"),
        ("ip address del 192.0.2.9/24 dev wan0", "address_removed"),
        ("ip link set wan0 down", "link_down"),
    ] {
        change(watching.process.0.id(), script);
        while watching.until("host_changed")["change"] != change_seen {}
        let beat = watching.until("heartbeat");
        assert_eq!((&beat["extra"], &beat["outcome"]), (&true.into(), &"ok".into()), "{script}: {beat:#}");
    }
    watching.process.signal(libc::SIGINT);
    let (lines, _) = watching.rest();
    let report = lines.last().unwrap();
    assert!(report["host_changes"]["count"].as_u64() >= Some(5), "{report:#}");
    let figures = &report["targets"][0]["heartbeats"]["protocol"];
    assert_eq!(figures["ok"], 1, "the figures are of the schedule alone: {figures:#}");
}

#[test]
fn watch_starts_while_its_target_is_down() {
    let (held, port) = closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let mut run = watch(&[&QUICK[..], &[&url]].concat());
    for _ in 0..3 {
        run.until("open_failed");
    }
    drop(held);
    let bind = format!("127.0.0.1:{port}");
    let _server = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    run.until("opened");
    while run.until("heartbeat")["outcome"] != "ok" {}
    run.process.signal(libc::SIGINT);
    let (lines, _) = run.rest();
    let report = lines.last().unwrap();
    assert_eq!(report["command"], "watch");
    assert_eq!(outages(report)[0].0, "not_opened");
}

/// The targets of a file, whose log is read again after the watch was killed.
#[test]
fn targets_of_a_file_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let servers = [Server::start(&["--heartbeat", "none"]), Server::start(&["--heartbeat", "none"])];
    let of = |name: &str, server: &Server, interval: &str| {
        format!("[[target]]\nname = \"{name}\"\nurl = \"{}\"\ninterval = \"{interval}\"\n", server.url())
    };
    let text = of("chat", &servers[0], "40ms") + &of("feed", &servers[1], "70ms");
    std::fs::write(path("wscheck.toml"), text).unwrap();
    let mut run = watch(&["--config", &path("wscheck.toml"), "--log", &path("log")]);
    for name in ["chat", "feed"] {
        while run.until("heartbeat")["group"] != name {}
    }
    run.process.signal(libc::SIGINT);
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    let names = |report: &Value| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().map(|check| check["name"].as_str().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!((names(report), code), (vec!["chat".to_string(), "feed".to_string()], Some(0)), "{report:#}");
    let log = std::fs::read_to_string(path("log")).unwrap();
    let events: Vec<&str> = log.lines().filter(|line| line.contains("\"event\"")).collect();
    std::fs::write(path("cut"), events.join("\n") + "\n").unwrap();
    let read = crate::support::run(&["report", "-o", "json", &path("cut")]).json();
    assert_eq!(names(&read), ["chat", "feed"]);
    assert!(read["checks"][0]["report"]["heartbeats"]["protocol"]["ok"].as_u64() > Some(0), "{read:#}");
}

/// A log of connections that are lost after ten minutes each and come back after different times, made of the lines of a
/// run that lost one.
#[test]
fn ends_at_the_same_age_are_told_of_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log").display().to_string();
    let server = Server::start(&["--heartbeat", "none", "--close-after", "100ms"]);
    let mut run = watch(&[&QUICK[..], &["--log", &log, &server.url()]].concat());
    // A busy host may be too late for a heartbeat on the first connections.
    run.until("heartbeat");
    run.until("closed");
    drop(run);
    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let line = |event: &str, at: i64| {
        let mut line = lines.iter().find(|line| line["event"] == event).unwrap().clone();
        let at = jiff::Timestamp::new(1_800_000_000 + at, 0).unwrap();
        line["at"] = json!(format!("{at:.6}"));
        format!("{line}\n")
    };
    let mut story = line("started", 0);
    let mut at = 0;
    for pause in [10, 300, 3, 120, 47, 8] {
        story += &["opened", "heartbeat"].map(|event| line(event, at)).concat();
        at += 600;
        story += &["heartbeat", "closed"].map(|event| line(event, at)).concat();
        at += pause;
    }
    std::fs::write(&log, story + &["opened", "heartbeat"].map(|event| line(event, at)).concat()).unwrap();
    let document = crate::support::run(&["report", "-o", "json", &log]).json();
    let regular = &document["targets"][0]["connections"][0]["outages"]["regular_ends"];
    assert_eq!((regular["up"]["median_ms"].as_f64(), &regular["between"]), (Some(600_000.0), &Value::Null));
    let text = crate::support::run(&["report", &log]).stdout;
    assert!(text.contains("the last 6 ends came after about 10m up each: consistent with a limit"), "{text}");
}

/// SIGHUP has the file read again: a target whose entry is the same keeps its connection, the others come and go, and a
/// mistake changes nothing.
#[test]
fn changed_file_changes_what_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let server = Server::start(&["--heartbeat", "none"]);
    let of = |name: &str, interval: &str| {
        format!("[[target]]\nname = \"{name}\"\nurl = \"{}\"\ninterval = \"{interval}\"\n", server.url())
    };
    let write = |text: String| std::fs::write(path("wscheck.toml"), text).unwrap();
    write(of("stays", "40ms") + &of("changes", "40ms") + &of("goes", "40ms"));
    let mut run = watch(&["--config", &path("wscheck.toml"), "--log", &path("log")]);
    for name in ["stays", "changes", "goes"] {
        while run.until("heartbeat")["group"] != name {}
    }
    write("[[target]]\nname = \"stays\"\n".to_string());
    run.process.signal(libc::SIGHUP);
    let mistake = run.until("not_reloaded");
    assert!(mistake["reason"].as_str().unwrap().contains("url"), "{mistake}");
    write(of("comes", "40ms") + &of("changes", "70ms") + &of("stays", "40ms"));
    run.process.signal(libc::SIGHUP);
    let reloaded = run.until("reloaded");
    let lists = [&reloaded["added"], &reloaded["removed"], &reloaded["unchanged"]];
    assert_eq!(lists, [&json!(["comes", "changes"]), &json!(["changes", "goes"]), &json!(1)]);
    let removed = [run.until("removed"), run.until("removed")].map(|line| line["group"].clone());
    assert!(removed.contains(&json!("changes")) && removed.contains(&json!("goes")), "{removed:?}");
    for name in ["stays", "comes", "changes"] {
        while run.until("heartbeat")["group"] != name {}
    }
    run.process.signal(libc::SIGINT);
    let (lines, code) = run.rest();
    let report = lines.last().unwrap();
    assert_eq!(code, Some(0), "{report:#}");
    let checks = report["checks"].as_array().unwrap();
    let reconnects = |check: &Value| check["report"]["targets"][0]["connections"][0]["reconnects"].clone();
    let named: Vec<_> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(named, ["stays", "comes", "changes"]);
    assert!(checks.iter().all(|check| reconnects(check) == 0), "{report:#}");
    let gone = report["removed_targets"]["latest"].as_array().unwrap();
    assert_eq!((gone.len(), &report["removed_targets"]["count"]), (2, &json!(2)));
    assert!(gone.iter().all(|one| one["report"]["heartbeats"]["protocol"]["ok"].as_u64() > Some(0)));
    assert_eq!(std::fs::read_to_string(path("log")).unwrap().matches("\"event\":\"opened\"").count(), 5);
}

/// Each file of a log that was rotated can be read by itself, and all together.
#[test]
fn each_file_of_a_rotated_log_is_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Server::start(&["--heartbeat", "none"]);
    let shown = log.display().to_string();
    let args = ["-i", "5ms", "-c", "60", "--log", &shown, "--log-size", "8KiB", "--log-files", "100"];
    let ran = run(&[&["watch", "-o", "json"], &args[..], &[&server.url()]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut files: Vec<String> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path().display().to_string())
        .collect();
    files.sort();
    assert!(files.len() > 2, "{files:?}");
    let ok = |files: &[&str]| {
        let read = run(&[&["report", "-o", "json"], files].concat()).json();
        assert_eq!(read["targets"][0]["connections"].as_array().map(Vec::len), Some(1), "{read:#}");
        assert_ne!(read["last_status"], "unknown", "{read:#}");
        read["heartbeats"]["protocol"]["ok"].as_u64().unwrap_or_else(|| panic!("{read:#}"))
    };
    // The present file has the report of the whole.
    let earlier: Vec<&str> = files.iter().map(String::as_str).filter(|file| *file != shown).collect();
    let each: u64 = earlier.iter().map(|file| ok(&[file])).sum();
    assert_eq!(ok(&earlier), each);
    // On a busy host not all of the 60 are.
    let of_run = ran.json()["heartbeats"]["protocol"]["ok"].as_u64().unwrap();
    assert_eq!(ok(&[&shown]), of_run);
    let all: Vec<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(ok(&all), of_run);
}

#[test]
fn command_gets_each_change_on_its_stdin() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let server = Server::start(&["--heartbeat", "none", "--close-after", "300ms:1012"]);
    let command = format!("sh -c 'echo \"$WSCHECK_EVENT $WSCHECK_TARGET\"; cat >> {out}; echo >> {out}'");
    let mut run = watch(&[&QUICK[..], &["--on-change", &command, &server.url()]].concat());
    while run.until("hook_ended")["of"] != "reconnected" {}
    run.process.signal(libc::SIGINT);
    run.rest();
    let text = std::fs::read_to_string(out).unwrap();
    let events: Vec<Value> = text
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    for expected in ["opened", "status", "closed", "reconnecting", "reconnected"] {
        assert!(names.contains(&expected), "{names:?}");
    }
}

#[test]
fn bad_arguments_are_named() {
    let cases: [(&[&str], &str); 6] = [
        (&["--metrics", "nowhere", "ws://127.0.0.1:1/"], "invalid socket address"),
        (&[], "there is nothing to watch: give a URL, or --config FILE with a [[target]]"),
        (&["--adaptive", "ws://127.0.0.1:1/"], "--adaptive has no meaning for connections that are watched"),
        (&["--config", "/nonexistent.toml"], "cannot read /nonexistent.toml"),
        (&["--on-change", "'", "ws://127.0.0.1:1/"], "it ends inside quotes"),
        (&["--log", "/nonexistent/log", "ws://127.0.0.1:1/"], "--log: cannot write /nonexistent/log"),
    ];
    for (args, why) in cases {
        let ran = run(&[&["watch"], args].concat());
        assert!(ran.code == Some(2) && ran.stderr.contains(why), "{args:?}: {ran:?}");
    }
}

/// A watch on a terminal of 80 columns: our end of it, and the process.
fn on_terminal(url: &str) -> (std::fs::File, Reaped) {
    let (ours, theirs) = terminal();
    let mut command = wscheck(&["watch", "-i", "50ms", "--color", "never", url]);
    let stdin = theirs.try_clone().unwrap();
    command.env("TERM", "xterm").env("LANG", "C.UTF-8").stdin(Stdio::from(stdin)).stdout(Stdio::from(theirs));
    let child = command.spawn().unwrap();
    drop(command);
    (ours, Reaped(child))
}

/// Reads until all these were shown; returns everything. A word each: only cells that change are written.
fn read_until(terminal: &mut std::fs::File, texts: &[&str]) -> String {
    let (mut all, mut part) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&all).into_owned();
        if texts.iter().all(|wanted| text.contains(wanted)) {
            return text;
        }
        match terminal.read(&mut part) {
            Ok(length) if length > 0 => all.extend_from_slice(&part[..length]),
            Ok(_) | Err(_) => panic!("{texts:?} is not in {text}"),
        }
    }
}

const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";

/// What is shown until the process ends, and its exit code.
fn rest(mut terminal: std::fs::File, mut process: Reaped) -> (String, Option<i32>) {
    let mut bytes = Vec::new();
    // A terminal ends with an error (EIO) that keeps the data read before.
    let _ = terminal.read_to_end(&mut bytes);
    (String::from_utf8_lossy(&bytes).into_owned(), process.0.wait().unwrap().code())
}

#[test]
fn live_view_is_left_with_the_report() {
    let server = Server::start(&["--heartbeat", "none"]);
    for key in ["q", "Q", "\x03"] {
        let (mut terminal, process) = on_terminal(&server.url());
        read_until(&mut terminal, &[ENTER, "wscheck watch:", "●"]);
        terminal.write_all(b"d?").unwrap();
        read_until(&mut terminal, &["keys"]);
        terminal.write_all(key.as_bytes()).unwrap();
        let (text, code) = rest(terminal, process);
        let report = text.split_once(LEAVE).unwrap_or_else(|| panic!("never left: {text}")).1;
        assert!(report.contains("answer       healthy") && code == Some(0), "{code:?}: {report}");
        assert_eq!(report.contains("wscheck watch:"), key == "Q", "{report}");
    }
}

#[test]
fn signal_leaves_the_live_view_with_the_report() {
    let server = Server::start(&["--heartbeat", "none"]);
    let (mut terminal, process) = on_terminal(&server.url());
    read_until(&mut terminal, &[ENTER, "●"]);
    process.signal(libc::SIGTERM);
    let (text, code) = rest(terminal, process);
    let report = text.split_once(LEAVE).unwrap().1;
    assert!(report.contains("answer       healthy") && code == Some(0), "{code:?}: {report}");
}

/// The terminal is closed, and no signal tells it: the watch ends, also while its view stands still.
#[test]
fn watch_ends_when_its_terminal_is_gone() {
    for keys in ["", " "] {
        let server = Server::start(&["--heartbeat", "none"]);
        let (mut terminal, mut process) = on_terminal(&server.url());
        read_until(&mut terminal, &["healthy"]);
        terminal.write_all(keys.as_bytes()).unwrap();
        drop(terminal);
        let deadline = Instant::now() + Duration::from_secs(60);
        while process.0.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "it goes on without a terminal, after {keys:?}");
            std::thread::yield_now();
        }
    }
}

/// The pages of the targets, which change as the file does.
#[test]
fn metrics_are_those_of_what_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("wscheck.toml");
    let server = Server::start(&["--heartbeat", "none"]);
    let write = |name: &str| {
        let text = format!(
            "[[target]]\nname = \"{name}\"\nurl = \"{}\"\ninterval = \"50ms\"\nlabels = {{ team = \"a\" }}\n",
            server.url()
        );
        std::fs::write(&config, text).unwrap();
    };
    write("chat");
    let args = ["watch", "-o", "ndjson", "--metrics", "127.0.0.1:0", "--config"];
    let mut command = wscheck(&args);
    let child = command.arg(&config).stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut run = Run::of_child(child);
    let mut line = String::new();
    let mut stderr = BufReader::new(run.process.0.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    let address =
        line.trim().strip_prefix("metrics on http://127.0.0.1:").unwrap_or_else(|| panic!("{line}"));
    let port = address.strip_suffix("/metrics").unwrap().parse().unwrap();
    while run.until("heartbeat")["outcome"] != "ok" {}
    let (status, page) = get(port, "/metrics");
    let up = format!("wscheck_probe_up{{target=\"{}\",name=\"chat\",team=\"a\"}} 1", server.url());
    assert!(status == 200 && page.contains(&up), "{page}");
    assert_eq!(get(port, "/-/ready"), (200, "Ready.\n".to_string()));
    assert!(get(port, "/").1.contains("<h1>wscheck watch</h1>"));
    assert_eq!(get(port, "/config").0, 404);
    write("news");
    run.process.signal(libc::SIGHUP);
    run.until("removed");
    while run.until("heartbeat")["group"] != "news" {}
    let page = get(port, "/metrics").1;
    assert!(page.contains("name=\"news\"") && !page.contains("name=\"chat\""), "{page}");
    run.process.signal(libc::SIGTERM);
    assert_eq!(run.rest().1, Some(0));
}

/// Piped, with a dumb terminal, or as asked: lines.
#[test]
fn lines_are_shown_where_there_is_no_live_view() {
    let server = Server::start(&["--heartbeat", "none"]);
    let ran: Ran = run(&["watch", "-i", "20ms", "-c", "3", &server.url()]);
    assert!(!ran.stdout.contains('\x1b') && ran.stdout.contains(" (UTC)\n"), "{ran:?}");
    for (term, args) in [("dumb", &[][..]), ("xterm", &["--no-tui"][..])] {
        let (ours, theirs) = terminal();
        let mut command = wscheck(&[&["watch", "-i", "20ms", "-c", "3", &server.url()], args].concat());
        command.env("TERM", term).stdin(Stdio::from(theirs.try_clone().unwrap())).stdout(Stdio::from(theirs));
        let child = Reaped(command.spawn().unwrap());
        drop(command);
        let (text, _) = rest(ours, child);
        assert!(!text.contains(ENTER) && text.contains("opened in"), "{text}");
    }
}
