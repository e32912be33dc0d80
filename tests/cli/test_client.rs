//! `wscheck test-client` and `serve --expect`: real clients are judged, and no process of a client is left behind.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::peers::{folder, missing};
use crate::support::{Ran, Reaped, Server, run, wscheck};

const WSCHECK: &str = env!("CARGO_BIN_EXE_wscheck");

/// `wscheck test-client -q` with these options and this client.
fn test_client(options: &[&str], client: &[&str]) -> Ran {
    run(&[&["test-client", "-q"], options, &["--"], client].concat())
}

/// What a client did about a fault, as the matrix shows it.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    fault: String,
    connected: bool,
    answers: bool,
    /// `None`: there was no silence to notice.
    noticed: Option<bool>,
    returned: bool,
    /// `None`: no close handshake was possible.
    closes: Option<bool>,
    result: String,
}

impl Row {
    fn of(test: &Value) -> Row {
        let is_known = |span: &Value, field: &str| !span[field].is_null();
        let noticed = &test["noticed"];
        let (cleanly, pings) = (&test["closed_cleanly"], &test["pings"]);
        Row {
            fault: test["fault"].as_str().unwrap().to_string(),
            connected: test["clients"].as_u64().unwrap() > 0,
            answers: pings["of"].as_u64().unwrap() > 0 && pings["count"] == pings["of"],
            noticed: match (is_known(noticed, "longest_ms"), is_known(noticed, "at_least_ms")) {
                (false, false) => None,
                (is_noticed, _) => Some(is_noticed),
            },
            returned: test["reconnects"].as_u64().unwrap() > 0,
            closes: (cleanly["of"] != json!(0)).then(|| cleanly["count"] == cleanly["of"]),
            result: test["result"].as_str().unwrap().to_string(),
        }
    }

    /// A client that connects and answers.
    fn good(fault: &str, noticed: Option<bool>, returned: bool, closes: Option<bool>, result: &str) -> Row {
        let (fault, result) = (fault.to_string(), result.to_string());
        Row { fault, connected: true, answers: true, noticed, returned, closes, result }
    }
}

/// What a client does that notices silence, comes back and closes properly. The healthy connection at the end allows a close
/// handshake, too.
fn survives_all() -> Vec<Row> {
    let silence = |fault| Row::good(fault, Some(true), true, Some(true), "passed");
    let end = |fault| Row::good(fault, None, true, Some(true), "passed");
    vec![
        silence("silent"),
        silence("stall"),
        silence("mute"),
        end("close"),
        end("rst"),
        silence("half-close"),
        Row::good("slow-upgrade", None, false, Some(true), "passed"),
    ]
}

/// The document and the rows of the matrix.
fn matrix(mut command: Command) -> (Option<i32>, Value, Vec<Row>) {
    let ran =
        Ran::of(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let document = ran.json();
    let rows = document["faults"].as_array().unwrap().iter().map(Row::of).collect();
    (ran.code, document, rows)
}

fn client(name: &str) -> PathBuf {
    folder().join("clients").join(name)
}

/// Whether a command runs and succeeds.
fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

/// The matrix of a Node client.
fn node_matrix(script: &str, options: &[&str], arguments: &[&str]) -> Command {
    let modules = folder().join("node/node_modules");
    if !works(Command::new("node").env("NODE_PATH", &modules).args(["-e", "require('ws')"])) {
        missing("Node ws");
    }
    let mut command = Command::new(WSCHECK);
    command.env("NODE_PATH", modules).args(["test-client", "--matrix", "-o", "json", "-q"]).args(options);
    command.args(["--", "node"]).arg(client(script)).args(arguments);
    command
}

/// `ws` answers pings and close frames by itself, and does nothing about silence; when its only connection has ended, the
/// process has nothing left to do and exits.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn node_ws_without_reconnect_survives_only_a_slow_upgrade() {
    let command = node_matrix("ws.cjs", &["--for", "20s"], &["{url}"]);
    let (code, document, rows) = matrix(command);
    let unnoticed = |fault| Row::good(fault, Some(false), false, None, "failed");
    let expected = [
        unnoticed("silent"),
        unnoticed("stall"),
        unnoticed("mute"),
        Row::good("close", None, false, Some(true), "failed"),
        Row::good("rst", None, false, None, "failed"),
        Row::good("half-close", Some(true), false, None, "failed"),
        Row::good("slow-upgrade", None, false, Some(true), "passed"),
    ];
    assert_eq!(rows, expected, "{document:#}");
    assert_eq!((code, &document["result"]), (Some(1), &json!("failed")));
    let exits: Vec<bool> =
        document["faults"].as_array().unwrap().iter().map(|test| test["exit"]["code"] == json!(0)).collect();
    assert_eq!(exits, [false, false, false, true, true, true, false]);
}

#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn node_ws_with_heartbeat_and_reconnect_survives_all() {
    let command = node_matrix("ws_heartbeat.cjs", &[], &[]);
    let (code, document, rows) = matrix(command);
    assert_eq!(rows, survives_all(), "{document:#}");
    assert_eq!((code, &document["result"]), (Some(0), &json!("passed")));
}

/// It sends Pings, fails a connection without pongs with 1011, and then waits for the close timeout before it returns.
#[test]
#[ignore = "needs a real peer: tests/peers/install.sh"]
fn python_websockets_with_reconnect_survives_all() {
    let python = folder().join("python/.venv/bin/python");
    if !works(Command::new(&python).args(["-c", "import websockets"])) {
        missing("Python websockets");
    }
    let mut command = Command::new(WSCHECK);
    command.args(["test-client", "--matrix", "-o", "json", "-q", "--"]).arg(python);
    let (code, document, rows) = matrix({
        command.arg(client("websockets_reconnect.py")).arg("{url}");
        command
    });
    assert_eq!(rows, survives_all(), "{document:#}");
    assert_eq!((code, &document["result"]), (Some(0), &json!("passed")));
}

/// `ping` notices unanswered pings, comes back with --reconnect, and answers close frames.
#[test]
fn wscheck_ping_with_reconnect_survives_all() {
    let options = ["--matrix", "-o", "json"];
    let client = [WSCHECK, "ping", "--reconnect", "-i", "200ms", "-W", "1s", "--proxy", "none", "{url}"];
    let ran = test_client(&options, &client);
    let document = ran.json();
    let rows: Vec<Row> = document["faults"].as_array().unwrap().iter().map(Row::of).collect();
    assert_eq!(rows, survives_all(), "{document:#}");
    assert_eq!(ran.code, Some(0));
}

#[test]
fn junit_has_a_case_for_each_fault() {
    let ran = test_client(&["--matrix", "--for", "4s", "-o", "junit"], &["/bin/sh", "-c", "exit 3"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let faults = ["silent", "stall", "mute", "close", "rst", "half-close", "slow-upgrade"];
    for fault in faults {
        assert_eq!(ran.stdout.matches(&format!("name=\"--fault: {fault}: ")).count(), 1, "{fault}: {ran:?}");
    }
    assert!(ran.stdout.contains("the client exited with status 3 before it connected"), "{ran:?}");
}

#[test]
fn client_that_cannot_be_started_is_a_usage_error() {
    let ran = test_client(&["--fault", "stall"], &["/no/such/client"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("cannot start the client '/no/such/client': No such file"), "{ran:?}");
    let ran = test_client(&["--matrix", "-o", "json"], &["/no/such/client"]);
    assert_eq!((ran.code, &ran.json()["result"]), (Some(2), &json!("usage")));
}

#[test]
fn client_that_exits_before_it_connects_is_named_with_its_status() {
    let ran = test_client(&["--fault", "rst"], &["/bin/sh", "-c", "exit 7"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("the client exited with status 7 before it connected"), "{ran:?}");
    let ran = test_client(&["--fault", "rst", "-o", "json"], &["/bin/sh", "-c", "kill -9 $$"]);
    let exit = &ran.json()["faults"][0]["exit"];
    assert_eq!(
        (&exit["code"], &exit["signal"], &exit["had_connected"]),
        (&Value::Null, &json!(9), &json!(false))
    );
}

#[test]
fn own_expectation_replaces_the_default() {
    let client = [WSCHECK, "ping", "-q", "--proxy", "none", "{url}"];
    let options =
        ["--fault", "rst", "--expect", "reconnects<=0", "--expect", "reconnect.delay>=0s", "-o", "json"];
    let ran = test_client(&options, &client);
    let wanted: Vec<String> = ran.json()["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| format!("{} {}", one["option"].as_str().unwrap(), one["wanted"].as_str().unwrap()))
        .collect();
    assert_eq!(
        wanted,
        ["--fault answered >= 90 %", "--expect reconnects <= 0", "--expect reconnect.delay >= 0 s"]
    );
}

#[test]
fn what_the_client_prints_goes_to_stderr_or_nowhere() {
    let client = ["/bin/sh", "-c", "echo printed; echo complained >&2"];
    let loud = run(&[&["test-client", "--fault", "rst", "-o", "json", "--"], &client[..]].concat());
    assert!(loud.stderr.contains("printed\n") && loud.stderr.contains("complained\n"), "{loud:?}");
    loud.json();
    let quiet = test_client(&["--fault", "rst", "-o", "json"], &client);
    assert_eq!(quiet.stderr, "");
}

/// The processes of a group that are not zombies.
fn living(group: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    let is_alive = |stat: &String| {
        let (_, rest) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = rest.split(' ').collect();
        fields[2] == group && fields[0] != "Z"
    };
    stats.filter(is_alive).collect()
}

/// A client that tells its process group, forks twice, and ignores SIGTERM.
fn stubborn(folder: &Path) -> (Vec<String>, PathBuf) {
    let file = folder.join("group");
    let script = format!(
        "trap '' TERM; (sh -c 'trap \"\" TERM; while :; do sleep 100; done' &) ; echo $$ > {0}.new; mv {0}.new {0}; \
         while :; do sleep 100; done",
        file.display()
    );
    (vec!["/bin/sh".to_string(), "-c".to_string(), script], file)
}

/// Starts a test of a stubborn client; returns it when the client runs, and the client's group.
fn start_stubborn(folder: &Path, options: &[&str]) -> (Reaped, String) {
    let (client, file) = stubborn(folder);
    let client: Vec<&str> = client.iter().map(String::as_str).collect();
    let args = [&["test-client", "-q", "-o", "json"], options, &["--"], &client[..]].concat();
    let process = Reaped(wscheck(&args).spawn().unwrap());
    while !file.exists() {
        std::thread::yield_now();
    }
    (process, std::fs::read_to_string(file).unwrap().trim().to_string())
}

#[test]
fn every_process_of_a_client_is_ended_with_the_test() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, group) =
        start_stubborn(dir.path(), &["--fault", "slow-upgrade", "--after", "1ms", "--for", "1s"]);
    assert_eq!(process.0.wait().unwrap().code(), Some(3), "it never connected");
    assert_eq!(living(&group), Vec::<String>::new());
}

#[test]
fn ctrl_c_ends_the_client_and_reports() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, group) = start_stubborn(dir.path(), &["--fault", "stall"]);
    assert_ne!(living(&group), Vec::<String>::new());
    process.signal(libc::SIGINT);
    let mut report = String::new();
    process.0.stdout.take().unwrap().read_to_string(&mut report).unwrap();
    let document: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((process.0.wait().unwrap().code(), &document["result"]), (Some(130), &json!("interrupted")));
    assert_eq!(document["faults"][0]["result"], "interrupted");
    assert_eq!(living(&group), Vec::<String>::new());
}

#[test]
fn second_ctrl_c_leaves_no_process_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (mut process, group) = start_stubborn(dir.path(), &["--fault", "stall"]);
    process.signal(libc::SIGINT);
    // Within half a second, a second signal counts as the same.
    std::thread::sleep(std::time::Duration::from_millis(600));
    process.signal(libc::SIGINT);
    assert_eq!(process.0.wait().unwrap().code(), Some(130));
    // SIGKILL was sent; the processes end in their own time.
    while !living(&group).is_empty() {
        std::thread::yield_now();
    }
}

/// Runs `serve` for a time, with a client.
fn serve_with_client(options: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("port");
    let port_file = file.to_str().unwrap();
    let args =
        [&["serve", "--bind", "127.0.0.1:0", "--port-file", port_file, "-o", "json"], options].concat();
    let server = wscheck(&args).spawn().unwrap();
    while !file.exists() {
        std::thread::yield_now();
    }
    let url = format!("ws://127.0.0.1:{}/", std::fs::read_to_string(&file).unwrap().trim());
    let client =
        wscheck(&["ping", "-q", "--reconnect", "-i", "100ms", "--proxy", "none", &url]).spawn().unwrap();
    let client = Reaped(client);
    let ran = Ran::of(server);
    drop(client);
    ran
}

#[test]
fn serve_judges_its_clients_at_the_end() {
    let faults = ["--for", "5s", "--close-after", "200ms:1012", "--interval", "100ms"];
    let met = ["--expect", "reconnects>=1", "--expect", "answered>=1%", "--expect", "clients>=2"];
    let ran = serve_with_client(&[&faults[..], &met].concat());
    let document = ran.json();
    assert_eq!((ran.code, &document["result"]), (Some(0), &json!("passed")), "{document:#}");
    assert_eq!((&document["interrupted"], &document["done"]["of_time_ms"]), (&json!(false), &json!(5000.0)));
    assert_eq!(document["faults"][0]["fault"], "close", "{document:#}");
    let ran = serve_with_client(&["--for", "3s", "--expect", "reconnects>=1"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let ran = serve_with_client(&["--for", "3s", "--expect", "noticed<=1s"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
}

#[test]
fn serve_without_clients_has_measured_nothing() {
    let ran = run(&["serve", "--bind", "127.0.0.1:0", "--for", "1ms", "--expect", "reconnects>=1", "-q"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stdout.contains("unreachable (exit 3): no client connected"), "{ran:?}");
    assert_eq!(run(&["serve", "--bind", "127.0.0.1:0", "--for", "1ms", "-q"]).code, Some(0));
}

#[test]
fn serve_stopped_before_its_end_is_interrupted() {
    let server = Server::start(&["--for", "1h", "--expect", "clients>=1"]);
    server.process.signal(libc::SIGINT);
    let mut server = server;
    assert_eq!(server.process.0.wait().unwrap().code(), Some(130));
}

#[test]
fn bad_expectation_names_the_rule() {
    let ran = run(&["serve", "--expect", "speed>1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("unknown metric 'speed': known are clients, reconnects"), "{ran:?}");
}
