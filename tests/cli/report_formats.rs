//! Reports in other formats, each before its own judge: xmllint with a schema, promtool, and axe-core in Chromium.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use wscheck::domain::connection::connect_info::FailureKind;
use wscheck::domain::connection::phase::Phase;
use wscheck::domain::exporter::probe::{ProbeFailure, ProbeResult, ProbeStep, ProbeTls};
use wscheck::domain::exposition::{FamilyUnit, Histogram, MetricFamily, Sample, encode};

use crate::peers::missing;
use crate::support::{Ran, Reaped, Script, Server, root, run, run_concurrently, text, wscheck};

/// Formats of reports.
const FORMATS: [&str; 7] = ["human", "markdown", "html", "junit", "github", "nagios", "prometheus"];

/// Fails a test whose judge is not installed.
fn need(program: &str) {
    let found =
        ["/usr/bin", "/usr/local/bin", "/bin"].iter().any(|dir| Path::new(dir).join(program).exists());
    if !found {
        missing(program);
    }
}

/// What a program says of a text on its stdin; it must succeed.
pub fn judge(program: &str, args: &[&str], input: &str) {
    use std::io::Write;
    need(program);
    let mut judge = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    judge.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let said = judge.wait_with_output().unwrap();
    let words = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    assert!(said.status.success(), "{program}: {words}\n{input}");
}

/// Each command against a server, with arguments that end it soon.
fn commands() -> Vec<(Server, Vec<&'static str>)> {
    let cut = || Server::start(&["--idle-timeout", "400ms"]);
    let pinging = || Server::start(&["--heartbeat", "protocol", "--interval", "100ms"]);
    vec![
        (Server::start(&["--pong-loss", "20%"]), vec!["ping", "-c", "10", "-i", "20ms", "-W", "100ms"]),
        (Server::start(&[]), vec!["ping", "-c", "3", "-i", "20ms", "--heartbeat", "both", "-n", "2"]),
        (
            Server::start(&[]),
            vec!["ping", "-c", "3", "-i", "20ms", "--fail-if", "rtt.max>0ms", "--warn", "sent>1"],
        ),
        (cut(), vec!["probe-idle", "--min", "100ms", "--max", "1s", "--expect", ">=900ms"]),
        (pinging(), vec!["listen", "--for", "500ms"]),
        (pinging(), vec!["probe-zombie", "--max", "1s"]),
    ]
}

fn in_format(format: &str, server: &Server, args: &[&str]) -> Ran {
    let ran = run(&[args, &["--proxy", "none", "-o", format, &server.url()]].concat());
    assert!(!ran.stdout.is_empty(), "{}", ran.all());
    ran
}

#[test]
#[ignore = "needs its judge: tests/peers/install.sh"]
fn junit_is_as_jenkins_and_gitlab_read_it() {
    let schema = root().join("tests/peers/junit.xsd");
    run_concurrently(&commands(), |(server, args)| {
        let ran = in_format("junit", server, args);
        judge("xmllint", &["--noout", "--schema", schema.to_str().unwrap(), "-"], &ran.stdout);
        assert_eq!(ran.stdout.contains("<failure"), ran.code == Some(1), "{}", ran.all());
    });
}

#[test]
#[ignore = "needs its judge: tests/peers/install.sh"]
fn prometheus_text_passes_promtool() {
    run_concurrently(&commands(), |(server, args)| {
        let ran = in_format("prometheus", server, args);
        judge("promtool", &["check", "metrics"], &ran.stdout);
        assert!(!ran.stdout.contains("# EOF"), "{}", ran.stdout);
    });
}

/// A target's name and a certificate's subject come from outside.
const HOSTILE: &str = "a\"} 1\nwscheck_up{x=\"\\";

#[test]
#[ignore = "needs its judge: tests/peers/install.sh"]
fn every_kind_of_metric_passes_promtool_with_hostile_labels() {
    let mut rtts = Histogram::doublings(0.00005, 20);
    [0.0, 0.0002, 1.0, 1e9].into_iter().for_each(|rtt| rtts.observe(rtt));
    let numbers =
        |value| vec![Sample::plain(value).with("target", HOSTILE), Sample::plain(value).with("9 {", "é\r")];
    let families = [
        MetricFamily::histogram("a_rtt", FamilyUnit::Seconds, "of\n\\", vec![Sample::plain(rtts)]),
        MetricFamily::counter("a_sent", FamilyUnit::None, "how many", numbers(3.0)),
        MetricFamily::gauge("a_share", FamilyUnit::Ratio, "how much", numbers(f64::INFINITY)),
        MetricFamily::gauge("a_mean", FamilyUnit::Seconds, "how long", numbers(f64::NAN)),
    ];
    judge("promtool", &["check", "metrics"], &encode(&families));
}

#[test]
#[ignore = "needs its judge: tests/peers/install.sh"]
fn metrics_of_probes_pass_promtool() {
    let span = Some(Duration::from_millis(1));
    let full = ProbeResult {
        resolve: span,
        connect: span,
        proxy: span,
        tls: span,
        processing: span,
        close: span,
        address: Some(vec![127, 0, 0, 1]),
        tls_facts: Some(ProbeTls { version: "TLSv1.3".into(), chain: Vec::new(), is_verified: true }),
        rtts: vec![Duration::from_millis(1)],
        ..ProbeResult::default()
    };
    let failure = ProbeFailure {
        step: ProbeStep::Opening(Phase::Tls),
        kind: FailureKind::CertificateExpired,
        error: String::new(),
    };
    let failed = ProbeResult { failure: Some(failure), ..ProbeResult::default() };
    for result in [full, failed] {
        judge("promtool", &["check", "metrics"], &encode(&result.families()));
    }
}

/// The violations that axe-core finds in a page, in light and in dark. The page forbids scripts, so its policy is taken
/// out for this.
fn violations(page: &str, dir: &Path, is_dark: bool) -> String {
    let policy = page.find("<meta http-equiv=\"Content-Security-Policy\"").unwrap();
    let end = policy + page[policy..].find('>').unwrap() + 1;
    let axe = text("tests/peers/node/node_modules/axe-core/axe.min.js").replace("</script", "<\\/script");
    let script = "onload = () => axe.run().then(r => { document.title = 'done'; document.body.innerHTML = '<pre id=said>' \
                  + JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.html)])).replace(/</g, '&lt;') + '</pre>'; })";
    let judged =
        format!("{}<script>{axe}</script><script>{script}</script>{}", &page[..policy], &page[end..]);
    let scheme = if is_dark { "0" } else { "1" };
    let file = dir.join(format!("page{scheme}.html"));
    std::fs::write(&file, judged).unwrap();
    let said = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--dump-dom"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", dir.join(format!("profile{scheme}")).display()))
        .arg(format!("file://{}", file.display()))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&said.stdout).into_owned();
    let said =
        dom.split_once("<pre id=\"said\">").unwrap_or_else(|| panic!("axe did not run: {dom:.2000}")).1;
    said.split_once("</pre>").unwrap().0.to_string()
}

#[test]
#[ignore = "needs its judge: tests/peers/install.sh"]
fn page_is_accessible_in_light_and_dark() {
    need("chromium");
    if !root().join("tests/peers/node/node_modules/axe-core/axe.min.js").exists() {
        missing("axe-core");
    }
    for (server, args) in commands() {
        let page = in_format("html", &server, &args).stdout;
        let dir = tempfile::tempdir().unwrap();
        for is_dark in [false, true] {
            assert_eq!(violations(&page, dir.path(), is_dark), "[]", "{args:?}, dark: {is_dark}");
        }
    }
}

#[test]
fn one_run_gives_the_human_log_and_every_file() {
    let (server, dir) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let report = |format: &str, name: &str| format!("{format}={}", path(name));
    let (json, junit, html) = (report("json", "a.json"), report("junit", "a.xml"), report("html", "a.html"));
    let (ndjson, human) = (report("ndjson", "a.ndjson"), report("human", "a.txt"));
    let options =
        ["--report", &json, "--report", &junit, "--report", &html, "--report", &ndjson, "--report", &human];
    let ran = run(
        &[&["ping", "-c", "3", "-i", "10ms", "--proxy", "none"], &options[..], &[&server.url()]].concat()
    );
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(
        ran.stdout.contains("seq=2") && ran.stdout.contains("verdict      passed (exit 0)"),
        "{}",
        ran.stdout
    );
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let document: serde_json::Value = serde_json::from_str(&read("a.json")).unwrap();
    assert_eq!((&document["result"], &document["exit_code"]), (&"passed".into(), &0.into()));
    let last: serde_json::Value = serde_json::from_str(read("a.ndjson").lines().last().unwrap()).unwrap();
    assert_eq!(last, document);
    assert_eq!(read("a.ndjson").matches("\"event\":\"heartbeat\"").count(), 3);
    assert!(read("a.xml").contains("tests=\"4\"") && read("a.html").starts_with("<!DOCTYPE html>"));
    assert!(read("a.txt").starts_with("--- ws://") && !read("a.txt").contains("seq="));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5, "nothing else is left");
}

#[test]
fn file_that_cannot_be_written_is_found_before_the_run() {
    let server = Server::start(&[]);
    let ran = run(&["ping", "-c", "1", "--report", "junit=/no/such/dir/a.xml", &server.url()]);
    let expected =
        "error: --report junit: cannot write /no/such/dir/a.xml: No such file or directory (os error 2)\n";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(2), "", expected));
    for (option, why) in
        [("xml=a", "'xml' is not a format"), ("junit", "names no file"), ("junit=", "names no file")]
    {
        let ran = run(&["ping", "-c", "1", "--report", option, &server.url()]);
        assert!(ran.code == Some(2) && ran.stderr.contains(why), "{}", ran.all());
    }
}

#[test]
fn interrupted_run_still_writes_its_reports() {
    let (server, dir) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let file = dir.path().join("a.json");
    let report = format!("json={}", file.display());
    let args = ["ping", "-c", "10000", "-i", "20ms", "--proxy", "none", "--report", &report, &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.starts_with("seq=")).unwrap();
    process.signal(libc::SIGINT);
    lines.for_each(drop);
    assert_eq!(process.0.wait().unwrap().code(), Some(4));
    let document: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert_eq!(document["interrupted"], true, "{document:#}");
}

#[test]
fn nagios_has_its_own_exit_codes() {
    let server = Server::start(&[]);
    let plugin = |args: &[&str], url: &str| {
        let ran = run(&[&["ping", "-o", "nagios", "-i", "10ms", "--proxy", "none"], args, &[url]].concat());
        (ran.code, ran.stdout.lines().next().unwrap_or_default().to_string())
    };
    let (code, line) = plugin(&["--warn", "rtt.p95>10s", "--crit", "loss>5%"], &server.url());
    assert!(code == Some(0) && line.starts_with("WEBSOCKET OK - healthy: "), "{line}");
    assert!(
        line.contains("'rtt.p95'=") && line.contains("s;10;;0 ") && line.contains("'loss'=0%;;5;0"),
        "{line}"
    );
    assert!(line.contains("'sent'=5;"), "without a count there are five heartbeats: {line}");
    let (_, line) = plugin(&["--warn", "jitter>10s"], &server.url());
    let jitter: Vec<&str> = line.split(' ').filter(|figure| figure.starts_with("'jitter")).collect();
    assert!(jitter[0].starts_with("'jitter.stddev'=") && jitter[0].ends_with("s;10;;0"), "{jitter:?}");
    assert!(
        jitter.iter().all(|figure| !figure.starts_with("'jitter'")),
        "an alias is printed once: {jitter:?}"
    );
    let (code, line) = plugin(&["--warn", "rtt.p95>0ms"], &server.url());
    assert!(code == Some(1) && line.starts_with("WEBSOCKET WARNING - "), "{line}");
    let (code, line) = plugin(&["--crit", "rtt.p95>0ms"], &server.url());
    assert!(code == Some(2) && line.starts_with("WEBSOCKET CRITICAL - "), "{line}");
    let (code, line) = plugin(&[], "ws://127.0.0.1:1/");
    assert!(code == Some(2) && line.starts_with("WEBSOCKET CRITICAL - not opened: "), "{line}");
    let (code, document) = crate::support::ping_json(&["-c", "1", "--warn", "rtt.p95>0ms", &server.url()]);
    let kept = (&document["settings"]["warn"][0], &document["result"]);
    assert_eq!((code, kept), (Some(0), (&"rtt.p95>0ms".into(), &"passed".into())), "{document:#}");
    for wrong in [&["--crit", "rtt.p95"][..], &["--no-such-option"]] {
        let (code, line) = plugin(wrong, &server.url());
        assert!(code == Some(3) && line.starts_with("WEBSOCKET UNKNOWN - "), "{line}");
    }
}

#[test]
fn github_gets_annotations_and_a_summary() {
    let (server, dir) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let summary = dir.path().join("summary.md");
    let args = [
        "ping",
        "-c",
        "2",
        "-i",
        "10ms",
        "--proxy",
        "none",
        "--fail-if",
        "rtt.p95>0ms",
        "--report",
        "github",
    ];
    let mut command = wscheck(&[&args[..], &[&server.url()]].concat());
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let ran = Ran::of(command.spawn().unwrap());
    let error = ran.stderr.lines().find(|line| line.starts_with("::error title=wscheck ping::rtt.p95>0ms"));
    assert!(ran.code == Some(1) && error.is_some(), "{}", ran.all());
    let written = std::fs::read_to_string(&summary).unwrap();
    assert!(written.starts_with("## wscheck ping: ") && written.contains("| not met |"), "{written}");
}

/// A server whose refusal has workflow commands in its headers and its body.
#[test]
fn peer_cannot_command_a_workflow() {
    let refusal = "HTTP/1.1 403 No\r\nserver: ##[error]owned\r\ncontent-length: 40\r\n\r\n::error::owned\n##[error]owned\n::add-mask::x";
    for format in ["human", "json", "ndjson", "markdown", "junit", "github", "nagios", "prometheus", "html"] {
        let script = Script::answering(refusal);
        let mut command = wscheck(&["ping", "-c", "1", "--proxy", "none", "-o", format, &script.url()]);
        let ran = Ran::of(command.env("GITHUB_ACTIONS", "true").spawn().unwrap());
        assert_eq!(ran.code, Some(if format == "nagios" { 2 } else { 3 }), "{}", ran.all());
        let ours = |line: &&str| format == "github" && line.starts_with("::");
        for line in ran.stdout.lines().chain(ran.stderr.lines()).filter(|line| !ours(line)) {
            assert!(!line.trim_start().starts_with("::") && !line.contains("##["), "{format}: {line}");
        }
    }
}

#[test]
fn archived_run_looks_as_it_did() {
    run_concurrently(&commands(), |(server, args)| {
        let dir = tempfile::tempdir().unwrap();
        let path = |format: &str| dir.path().join(format).display().to_string();
        let reports: Vec<String> = FORMATS
            .iter()
            .chain(&["json", "ndjson"])
            .map(|format| format!("{format}={}", path(format)))
            .collect();
        let options: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
        let ran = run(&[&args[..], &["--proxy", "none"], &options, &[&server.url()]].concat());
        for archive in ["json", "ndjson"] {
            for format in FORMATS {
                let shown = run(&["report", &path(archive), "-o", format]);
                let kept = std::fs::read_to_string(path(format)).unwrap();
                assert_eq!(
                    (shown.code, &shown.stdout),
                    (Some(0), &kept),
                    "{args:?} as {format}: {}",
                    ran.all()
                );
            }
        }
        let json = run(&["report", &path("json"), "-o", "json"]).stdout;
        assert_eq!(json, std::fs::read_to_string(path("json")).unwrap());
    });
}

#[test]
fn what_is_no_report_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    let cut = r#"{"event":"started","schema_version":2,"command":"ping"}"#.to_string()
        + "\n{\"event\":\"opened\",\"x\"";
    let error = r#"{"schema_version":2,"command":"ping","error":{"kind":"usage","message":"no such thing"}}"#;
    for (text, why) in [
        ("", "it is empty"),
        ("hello", "it is not JSON: "),
        ("[1]", "it is no report of wscheck: "),
        (r#"{"schema_version":1,"command":"ping"}"#, "it has schema_version 1, and this wscheck reads 2"),
        (&cut, "the run was cut off: its last line is the event 'started'"),
        (error, "it is an error of wscheck: no such thing"),
    ] {
        std::fs::write(&path, text).unwrap();
        let ran = run(&["report", path.to_str().unwrap()]);
        assert!(
            ran.code == Some(2) && ran.stdout.is_empty() && ran.stderr.contains(why),
            "{text}: {}",
            ran.all()
        );
    }
    let ran = run(&["report", "/no/such/file"]);
    assert!(
        ran.code == Some(2) && ran.stderr.contains("cannot read /no/such/file: No such file"),
        "{}",
        ran.all()
    );
}

/// A run that was killed leaves its lines: they are recorded again.
#[test]
fn killed_run_is_shown_up_to_its_last_line() {
    let (server, dir) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let file = dir.path().join("a.ndjson");
    let report = format!("ndjson={}", file.display());
    let args = ["ping", "-c", "10000", "-i", "20ms", "--proxy", "none", "--report", &report, &server.url()];
    let mut process = Reaped(wscheck(&args).spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    lines.find(|line| line.starts_with("seq=5")).unwrap();
    process.0.kill().unwrap();
    process.0.wait().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let whole: Vec<&str> = text.split_inclusive('\n').filter(|line| line.ends_with('\n')).collect();
    let answered = whole.iter().filter(|line| line.contains("\"event\":\"heartbeat\"")).count();
    assert!(answered >= 5, "{text}");
    let document = run(&["report", file.to_str().unwrap(), "-o", "json"]).json();
    assert_eq!(document["heartbeats"]["protocol"]["ok"], answered, "{document:#}");
    assert_eq!((&document["result"], &document["interrupted"]), (&"interrupted".into(), &true.into()));
    let ran = run(&["report", file.to_str().unwrap()]);
    assert!(ran.code == Some(0) && ran.stdout.contains("(so far: the run was cut off)"), "{}", ran.all());
    for format in FORMATS {
        assert_eq!(run(&["report", file.to_str().unwrap(), "-o", format]).code, Some(0), "{format}");
    }
}

/// The figures of the lines are those of the run.
#[test]
fn lines_of_a_run_say_what_its_document_says() {
    let server = Server::start(&["--pong-loss", "20%", "--jitter", "3ms", "--close-after", "400ms"]);
    let (dir, url) = (tempfile::tempdir().unwrap(), server.url());
    let args = ["ping", "-w", "1500ms", "-i", "20ms", "-W", "100ms", "-n", "2", "--reconnect"];
    let ran =
        run(&[&args[..], &["--reconnect-base", "10ms", "--proxy", "none", "-o", "ndjson", &url]].concat());
    let document = ran.ndjson().pop().unwrap();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let file = dir.path().join("a.ndjson");
    std::fs::write(&file, lines[..lines.len() - 1].join("\n") + "\n").unwrap();
    let replayed = run(&["report", file.to_str().unwrap(), "--json"]).json();
    let figures = |document: &serde_json::Value| {
        let of_kind = &document["heartbeats"]["protocol"];
        let counts = ["sent", "ok", "late", "missed", "superseded"].map(|name| of_kind[name].clone());
        let connection = &document["targets"][0]["connections"][0];
        let losses = ["reconnects", "unplanned_endings"].map(|name| connection[name].clone());
        (counts, losses, document["loss"].clone())
    };
    assert_eq!(figures(&replayed), figures(&document));
    let p95 = |document: &serde_json::Value| document["rtt"]["p95_ms"].as_f64().unwrap();
    // Lines are rounded to the microsecond, which may move an RTT into the next bucket of the histogram: its percentiles
    // have three significant figures.
    let bound = 0.002 + p95(&document) / 1000.0;
    let (ours, theirs) = (p95(&replayed), p95(&document));
    assert!((ours - theirs).abs() < bound, "{ours} ms, and {theirs} ms");
}

/// An archive may be another's: its texts drive no terminal, and its numbers break nothing.
#[test]
fn hostile_archive_is_harmless() {
    let mut document: serde_json::Value = serde_json::from_str(&text("src/output/golden/ping.json")).unwrap();
    let hostile = "\u{1b}[31mRED\u{7}\u{202e}\r\n::error::owned ##[error]owned";
    for pointer in
        ["/view/headline/claim", "/view/subject", "/reasons/0", "/host/arch", "/view/about_run/0/label"]
    {
        *document.pointer_mut(pointer).unwrap() = hostile.into();
    }
    let counts = serde_json::json!([u64::MAX, 7]);
    *document.pointer_mut("/view/sections/0/charts/0/distribution/counts").unwrap() = counts;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.json").display().to_string();
    std::fs::write(&path, document.to_string()).unwrap();
    for format in ["human", "markdown", "html", "junit", "github", "nagios", "prometheus"] {
        let ran = run(&["report", "-o", format, &path]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let is_harmless = |c: char| c == '\n' || !(c.is_control() || c == '\u{202e}');
        assert!(ran.stdout.chars().all(is_harmless), "{format}: {}", ran.stdout);
        let ours = |line: &&str| format == "github" && line.starts_with("::");
        for line in ran.stdout.lines().filter(|line| !ours(line)) {
            assert!(!line.trim_start().starts_with("::"), "{format}: {line}");
        }
    }
    document["metrics"][0]["name"] = "x 1\ninjected".into();
    std::fs::write(&path, document.to_string()).unwrap();
    let ran = run(&["report", "-o", "prometheus", &path]);
    assert!(ran.code == Some(2) && ran.stderr.contains("is no name"), "{}", ran.all());
}

#[test]
fn one_file_holds_one_report_and_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let (server, dir) = (Server::start(&[]), tempfile::tempdir().unwrap());
    let path = dir.path().join("a").display().to_string();
    let (json, html) = (format!("json={path}"), format!("html={}/./a", dir.path().display()));
    let ping = |reports: &[&str]| {
        let options: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
        run(&[&["ping", "-c", "1", "--proxy", "none"], &options[..], &[&server.url()]].concat())
    };
    let ran = ping(&[&json, &html]);
    assert!(ran.code == Some(2) && ran.stderr.contains("is given twice"), "{}", ran.all());
    let ran = ping(&["json=-"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("- is no file"), "{}", ran.all());
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(ping(&[&json]).code, Some(0));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let full = run(&[
        "ping",
        "-c",
        "1",
        "--proxy",
        "none",
        "-o",
        "nagios",
        "--report",
        "json=/dev/full",
        &server.url(),
    ]);
    assert!(full.code == Some(3) && full.stderr.contains("cannot write /dev/full"), "{}", full.all());
}

#[test]
fn changes_are_told_from_chance() {
    let dir = tempfile::tempdir().unwrap();
    let archived = |name: &str, delay: &str, loss: &str| {
        let server = Server::start(&["--delay", delay, "--pong-loss", loss]);
        let path = dir.path().join(name).display().to_string();
        let report = format!("json={path}");
        let args =
            ["ping", "-c", "60", "-i", "15ms", "-W", "500ms", "--proxy", "none", "-q", "--report", &report];
        run(&[&args[..], &[&server.url()]].concat());
        path
    };
    let (fast, slow) = (archived("fast", "2ms", "0%"), archived("slow", "60ms", "0%"));
    let ran =
        run(&["compare", &fast, &slow, "--fail-if", "rtt.p50>+20%", "--fail-if", "sent<-10%", "-o", "json"]);
    let document = ran.json();
    assert_eq!((ran.code, &document["criteria"][1]["state"]), (Some(1), &"met".into()), "{document:#}");
    let median =
        document["changes"].as_array().unwrap().iter().find(|change| change["name"] == "rtt.p50").unwrap();
    assert_eq!(median["significance"], "beyond_chance", "{median:#}");
    let ran = run(&["compare", &fast, &fast, "--fail-if", "rtt.p50>+20%"]);
    assert!(
        ran.code == Some(0) && ran.stdout.contains("answer       no change is beyond chance"),
        "{}",
        ran.all()
    );
    let ran = run(&["compare", &fast, "/no/such/file"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("cannot read /no/such/file"), "{}", ran.all());
    for format in ["markdown", "html", "junit", "github", "nagios", "prometheus"] {
        assert!(!run(&["compare", &fast, &slow, "-o", format]).stdout.is_empty(), "{format}");
    }
}
