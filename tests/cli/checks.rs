//! `wscheck run`: a file of checks, against servers of our own.

use std::path::Path;

use serde_json::Value;

use crate::report_formats::judge;
use crate::support::{Ran, Reaped, Script, Server, root, run, validate, wscheck};

/// A folder with a file of checks.
fn file_of(text: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("wscheck.toml");
    std::fs::write(&path, text).unwrap();
    (dir, path.display().to_string())
}

/// Four checks: one passes, one has a criterion that is not met, one listens, one finds nobody.
fn four(pinging: &Server, cutting: &Server) -> String {
    format!(
        r#"
        [defaults]
        proxy = "none"
        interval = "20ms"

        [[check]]
        name = "chat"
        url = "{pinging}"
        count = 3
        fail_if = "loss>0%"
        labels = {{ team = "chat" }}

        [[check]]
        name = "idle <&>"
        command = "probe-idle"
        url = "{cutting}"
        min = "100ms"
        max = "1s"
        expect = ">=900ms"

        [[check]]
        name = "heartbeats"
        command = "listen"
        url = "{pinging}"
        for = "500ms"

        [[check]]
        name = "gone"
        url = "ws://127.0.0.1:1/"
        "#,
        pinging = pinging.url(),
        cutting = cutting.url(),
    )
}

fn servers() -> (Server, Server) {
    let pinging = Server::start(&["--heartbeat", "protocol", "--interval", "100ms"]);
    (pinging, Server::start(&["--idle-timeout", "400ms"]))
}

fn results(document: &Value) -> Vec<(&str, &str)> {
    let checks = document["checks"].as_array().unwrap().iter();
    checks.map(|check| (check["name"].as_str().unwrap(), check["result"].as_str().unwrap())).collect()
}

#[test]
fn one_report_over_all_checks_in_every_format() {
    let (pinging, cutting) = servers();
    let (dir, file) = file_of(&four(&pinging, &cutting));
    let path = |name: &str| dir.path().join(name);
    let report = |name: &str| format!("{name}={}", path(name).display());
    let formats = ["json", "junit", "html", "markdown", "prometheus", "github"];
    let reports: Vec<String> = formats.iter().map(|format| report(format)).collect();
    let options: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let ran = run(&[&["run", &file], &options[..]].concat());
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stdout.contains("2 of 4 checks passed: idle <&> failed, gone unreachable"), "{}", ran.stdout);
    let read = |name: &str| std::fs::read_to_string(path(name)).unwrap();
    let document: Value = serde_json::from_str(&read("json")).unwrap();
    validate(&document);
    let expected =
        [("chat", "passed"), ("idle <&>", "failed"), ("heartbeats", "passed"), ("gone", "unreachable")];
    assert_eq!(results(&document), expected);
    assert_eq!(read("junit").matches("<testsuite ").count(), 4);
    let of_chat = r#"check="chat",kind="protocol",target=""#;
    assert!(read("prometheus").contains(of_chat) && read("prometheus").contains(r#"team="chat""#));
    for format in ["html", "markdown"] {
        assert!(
            read(format).contains("heartbeats (listen") && !read(format).contains("idle <&>"),
            "{format}"
        );
    }
    assert_eq!(read("github").matches("::error ").count(), 2);
    for format in ["junit", "prometheus", "markdown"] {
        let again = run(&["report", path("json").to_str().unwrap(), "-o", format]);
        assert_eq!(again.stdout, read(format), "an archived run looks as it did");
    }
}

#[test]
#[ignore = "needs its judge: tests/peers/install.sh"]
fn one_report_passes_the_judges_of_its_formats() {
    let (pinging, cutting) = servers();
    let (_dir, file) = file_of(&four(&pinging, &cutting));
    let schema = root().join("tests/peers/junit.xsd");
    let junit = run(&["run", &file, "-o", "junit"]).stdout;
    judge("xmllint", &["--noout", "--schema", schema.to_str().unwrap(), "-"], &junit);
    judge("promtool", &["check", "metrics"], &run(&["run", &file, "-o", "prometheus"]).stdout);
}

#[test]
fn exit_code_is_that_of_all_together() {
    let server = Server::start(&[]);
    let check = |name: &str, url: &str, more: &str| {
        format!("[[check]]\nname = \"{name}\"\nurl = \"{url}\"\nproxy = \"none\"\ncount = 1\n{more}\n")
    };
    let good = || check("good", &server.url(), "");
    let gone = |name: &str| check(name, "ws://127.0.0.1:1/", "");
    let failing = check("failing", &server.url(), "fail_if = \"rtt.max>0ms\"");
    let warned = check("warned", &server.url(), "warn = \"rtt.max>0ms\"");
    for (text, code) in [
        (good(), 0),
        (good() + &warned, 0),
        (good() + &gone("gone"), 1),
        (gone("gone") + &gone("gone too"), 3),
        (good() + &failing, 1),
    ] {
        let (_dir, file) = file_of(&text);
        let ran = run(&["run", &file]);
        assert_eq!(ran.code, Some(code), "{text}\n{}", ran.all());
    }
    let (_dir, file) = file_of(&(good() + &warned));
    assert_eq!(run(&["run", &file, "-o", "nagios"]).code, Some(1), "a warning");
}

/// What began and ended, in order: `+chat`, `-chat`.
fn order(args: &[&str]) -> Vec<String> {
    let ran = run(&[args, &["-o", "ndjson"]].concat());
    let names: Vec<String> =
        serde_json::from_value(ran.ndjson()[0]["checks"].clone()).unwrap_or_else(|_| panic!("{}", ran.all()));
    let steps = ran.ndjson().into_iter().filter_map(|event| {
        let sign = match event["event"].as_str()? {
            "check_started" => '+',
            "check_finished" => '-',
            _ => return None,
        };
        Some(format!("{sign}{}", names[event["index"].as_u64()? as usize]))
    });
    steps.collect()
}

#[test]
fn checks_run_side_by_side_within_the_limit() {
    let (server, check) = (Server::start(&[]), |name: &str, url: &str, more: &str| {
        format!(
            "[[check]]\nname = \"{name}\"\nurl = \"{url}\"\nproxy = \"none\"\ncount = 5\ninterval = \"20ms\"\n{more}\n"
        )
    });
    let three = |more: &str| {
        ["a", "b", "c"].map(|name| check(name, &server.url(), if name == "b" { more } else { "" })).concat()
    };
    let (_dir, file) = file_of(&three(""));
    let together = order(&["run", &file]);
    assert_eq!(together[..3], ["+a", "+b", "+c"], "{together:?}");
    let after_another = ["+a", "-a", "+b", "-b", "+c", "-c"];
    assert_eq!(order(&["run", &file, "--serial"]), after_another);
    assert_eq!(order(&["run", &file, "--max-connections", "1"]), after_another);
    for more in ["serial = true", "connections = 100"] {
        let (_dir, file) = file_of(&three(more));
        assert_eq!(order(&["run", &file]), after_another, "{more}");
    }
    let (_dir, file) = file_of(&format!("max_connections = 1\n{}", three("")));
    assert_eq!(order(&["run", &file]), after_another);
    assert_eq!(order(&["run", &file, "--max-connections", "3"])[..3], ["+a", "+b", "+c"]);
}

#[test]
fn only_list_and_check_config() {
    let (pinging, cutting) = servers();
    let (_dir, file) = file_of(&four(&pinging, &cutting));
    let ran = run(&["run", &file, "--only", "chat", "--json"]);
    assert_eq!((ran.code, results(&ran.json())), (Some(0), vec![("chat", "passed")]));
    let ran = run(&["run", &file, "--only", "caht"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("did you mean 'chat'?"), "{}", ran.all());
    let ran = run(&["run", &file, "--list"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert!(ran.code == Some(0) && lines.len() == 4, "{}", ran.all());
    assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["gone", "ping", "ws://127.0.0.1:1/"]);
    let ran = run(&["run", &file, "--check-config"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), &*format!("{file}: no mistake in 4 checks\n")));
}

#[test]
fn mistakes_have_their_places() {
    let (_dir, file) = file_of(
        "[[check]]\nname = \"a\"\nurl = \"ws://a.example/\"\nintervall = \"1s\"\n\
         [[check]]\nname = \"b\"\nurl = \"ws://${WSCHECK_NO_SUCH}/\"\n",
    );
    for command in [&["run", &file, "--check-config"][..], &["run", &file], &["run", &file, "--list"]] {
        let ran = run(command);
        let expected = format!(
            "error: {file}:4:1: ping has no option 'intervall'; did you mean 'interval'?\n\
             {file}:7:7: the environment has no variable WSCHECK_NO_SUCH\n"
        );
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr), (Some(2), "", expected));
    }
    let (_dir, file) = file_of(
        "[[check]]\nname = \"a\"\nurl = \"ws://a.example/\"\ninterval = \"fast\"\n\
         [[check]]\nname = \"b\"\nurl = \"http://a.example/\"\npoor_loss = \"50%\"\n",
    );
    let ran = run(&["run", &file]);
    assert!(ran.stderr.contains(":4:12: check 'a': invalid value 'fast'"), "{}", ran.stderr);
    let ran = run(&["run", "/no/such/file.toml", "--json"]);
    let message = "cannot read /no/such/file.toml: no such file or directory (ENOENT)";
    assert_eq!((ran.code, &ran.json()["error"]["message"]), (Some(2), &message.into()));
}

#[test]
fn secrets_of_the_environment_are_sent_and_never_shown() {
    let (send, sent) = std::sync::mpsc::channel();
    let script = Script::start(move |mut stream| {
        let _ = send.send(crate::support::upgrade(&mut stream));
        crate::support::answer_pings(&mut stream);
    });
    let (dir, file) = file_of(&format!(
        "[[check]]\nname = \"a\"\nurl = \"{}\"\nproxy = \"none\"\ncount = 1\nheader = \"X-Key: ${{WS_KEY}}\"\n",
        script.url()
    ));
    let html = dir.path().join("a.html");
    let report = format!("html={}", html.display());
    let mut command = wscheck(&["run", &file, "--json", "--report", &report]);
    let ran = Ran::of(command.env("WS_KEY", "k-91f7c0ffee42").spawn().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(sent.recv().unwrap().contains("k-91f7c0ffee42"), "the server got it");
    let page = std::fs::read_to_string(&html).unwrap();
    assert!(!ran.all().contains("k-91f7c0ffee42") && !page.contains("k-91f7c0ffee42"));
}

/// Nor in the error, if it stands where it makes no sense.
#[test]
fn secret_in_a_mistake_is_not_shown() {
    let (_dir, file) = file_of(
        "[[check]]\nname = \"a\"\nurl = \"ws://127.0.0.1:1/\"\ninterval = \"${WS_KEY}\"\nuser = \"${WS_KEY}\"\n",
    );
    let mut command = wscheck(&["run", &file]);
    let ran = Ran::of(command.env("WS_KEY", "k-91f7c0ffee42").spawn().unwrap());
    assert!(
        ran.code == Some(2) && ran.stderr.contains(":4:12: check 'a': invalid value '***'"),
        "{}",
        ran.all()
    );
    assert!(!ran.all().contains("k-91f7"), "{}", ran.all());
}

#[test]
fn interrupt_ends_what_runs_and_starts_no_more() {
    let server = Server::start(&[]);
    let check = |name: &str| {
        let url = server.url();
        format!(
            "[[check]]\nname = \"{name}\"\nurl = \"{url}\"\nproxy = \"none\"\ncount = 100000\ninterval = \"20ms\"\n"
        )
    };
    let (_dir, file) = file_of(&[check("a"), check("b")].concat());
    let mut process = Reaped(wscheck(&["run", &file, "--serial", "-o", "ndjson"]).spawn().unwrap());
    let mut events = std::io::BufRead::lines(std::io::BufReader::new(process.0.stdout.take().unwrap()))
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    events.find(|event| event["event"] == "check_started").unwrap();
    process.signal(libc::SIGINT);
    let document = events.last().unwrap();
    let code = process.0.wait().unwrap().code();
    validate(&document);
    assert_eq!(document["interrupted"], true);
    assert_eq!(document["checks"][1]["not_run"]["reason"], "the run was interrupted before it began");
    let first_opened = document["checks"][0]["exit_code"] == 4;
    assert_eq!(code, Some(if first_opened { 4 } else { 130 }), "{document:#}");
}

#[test]
fn cut_off_and_closed_pipes_are_quiet() {
    let (pinging, cutting) = servers();
    let (_dir, file) = file_of(&four(&pinging, &cutting));
    let line = format!("{} run {file} -o ndjson | head -1", env!("CARGO_BIN_EXE_wscheck"));
    let ran = Ran::of(
        std::process::Command::new("sh")
            .args(["-c", &line])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap(),
    );
    assert_eq!((ran.stdout.lines().count(), ran.stderr.as_str()), (1, ""));
}

/// Its schema, which editors read, is the one in the docs.
#[test]
fn schema_of_the_file_is_in_the_docs() {
    let path = root().join("docs/wscheck.schema.json");
    let schema = run(&["schema", "checks"]).stdout;
    if std::env::var_os("WSCHECK_UPDATE_DOCS").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == schema, "WSCHECK_UPDATE_DOCS=1 writes {} anew", Path::display(&path));
}

/// The example of the docs is a file of checks.
#[test]
fn example_of_the_docs_has_no_mistake() {
    let example = root().join("docs/wscheck.toml").display().to_string();
    let mut command = wscheck(&["run", &example, "--check-config"]);
    let ran = Ran::of(command.env("WS_TOKEN", "t").spawn().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[test]
fn preset_is_detected_in_a_check() {
    let server = Script::start(|mut stream| {
        let head = crate::support::read_head(&mut stream);
        crate::support::accept(&mut stream, &head, Some("graphql-transport-ws"));
        while let Some((_, message)) = crate::support::read_frame(&mut stream) {
            let message: Value = serde_json::from_slice(&message).unwrap_or_default();
            let answer = match message["type"].as_str() {
                Some("connection_init") => r#"{"type":"connection_ack"}"#.to_string(),
                Some("ping") => {
                    serde_json::json!({ "type": "pong", "payload": message["payload"] }).to_string()
                }
                _ => continue,
            };
            let _ = std::io::Write::write_all(&mut stream, &crate::support::frame(0x81, answer.as_bytes()));
        }
    });
    let (_dir, file) = file_of(&format!(
        "[[check]]\nname = \"a\"\nurl = \"ws://127.0.0.1:{}/graphql\"\nproxy = \"none\"\ncount = 1\npreset = \"auto\"\n",
        server.port
    ));
    let ran = run(&["run", &file, "--json"]);
    let document = ran.json();
    assert_eq!(ran.code, Some(0), "{document:#}");
    let preset = &document["checks"][0]["report"]["settings"]["preset"];
    assert_eq!(preset["name"], "graphql-ws", "{document:#}");
}
