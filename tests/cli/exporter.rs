//! `exporter` at the command line: scrapes over real sockets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::{Reaped, Server, closed_port, run, wscheck};

/// `wscheck exporter` on a free port.
pub fn exporter(args: &[&str]) -> Server {
    Server::spawn(wscheck(&[&["exporter", "--listen", "127.0.0.1:0"], args].concat()))
}

/// Status and body of a request.
fn request(port: u16, method: &str, path: &str, headers: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
    let head = format!("{method} {path} HTTP/1.1\r\n{host}Connection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_string())
}

fn get_with(port: u16, path: &str, headers: &str) -> (u16, String) {
    request(port, "GET", path, headers)
}

pub fn get(port: u16, path: &str) -> (u16, String) {
    get_with(port, path, "")
}

/// The value of the sample whose line begins with this.
pub fn sample(page: &str, start: &str) -> Option<f64> {
    page.lines().find(|line| line.starts_with(start))?.rsplit(' ').next()?.parse().ok()
}

/// Scrapes until a sample is as wanted; a test that waits for ever is ended from outside.
pub fn until(port: u16, start: &str, is_wanted: impl Fn(f64) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (_, page) = get(port, "/metrics");
        if sample(&page, start).is_some_and(&is_wanted) {
            return page;
        }
        assert!(Instant::now() < deadline, "{start}:\n{page}");
    }
}

const UP: &str = "wscheck_probe_up{";
const RELOADED: &str = "wscheck_config_last_reload_successful";

/// A target that is asked often, and opened again soon.
pub fn target(name: &str, url: &str, more: &str) -> String {
    format!(
        "[[target]]\nname = \"{name}\"\nurl = \"{url}\"\ninterval = \"50ms\"\nreconnect_base = \"20ms\"\n\
         reconnect_cap = \"50ms\"\n{more}\n"
    )
}

/// A family's sample of a target by its name.
fn of_target(family: &str, url: &str, name: &str) -> String {
    format!("{family}{{target=\"{url}\",name=\"{name}\"")
}

pub fn config(folder: &std::path::Path, text: &str) -> String {
    let path = folder.join("wscheck.toml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn kept_target_is_counted_through_an_outage() {
    let server = Server::start(&["--heartbeat", "none"]);
    let (url, bind) = (server.url(), format!("127.0.0.1:{}", server.port));
    let folder = tempfile::tempdir().unwrap();
    let options = "interval = \"50ms\"\nreconnect_base = \"20ms\"\nreconnect_cap = \"50ms\"\n";
    let file = config(
        folder.path(),
        &format!("[[target]]\nname = \"chat\"\nurl = \"{url}\"\nlabels = {{ team = \"a\\\"b\" }}\n{options}"),
    );
    let exporter = exporter(&["--config", &file]);
    let count = "wscheck_probe_rtt_seconds_count{";
    let page = until(exporter.port, count, |count| count >= 3.0);
    assert!(page.contains(&format!("target=\"{url}\",name=\"chat\",team=\"a\\\"b\"")), "{page}");
    assert_eq!((sample(&page, UP), sample(&page, "wscheck_probe_outages_total{")), (Some(1.0), Some(0.0)));
    drop(server);
    let page = until(exporter.port, "wscheck_probe_failed_openings_total{", |count| count >= 1.0);
    assert_eq!((sample(&page, UP), sample(&page, "wscheck_probe_outages_total{")), (Some(0.0), Some(1.0)));
    assert!(page.contains("wscheck_probe_endings_total{"), "{page}");
    let _again = Server::spawn(wscheck(&["serve", "--bind", &bind, "--heartbeat", "none"]));
    let page = until(exporter.port, UP, |up| up == 1.0);
    assert_eq!(sample(&page, "wscheck_probe_opened_total{"), Some(2.0), "{page}");
    assert!(
        sample(&page, "wscheck_probe_outage_seconds_total{").is_some_and(|seconds| seconds > 0.0),
        "{page}"
    );
}

#[test]
fn probe_opens_anew_and_answers_in_time() {
    let server = Server::start(&["--heartbeat", "none"]);
    let exporter = exporter(&["--allow", "127.0.0.1"]);
    let probe =
        |url: &str, more: &str| get(exporter.port, &format!("/probe?module=websocket&target={url}{more}"));
    let (status, page) = probe(&server.url(), "");
    assert_eq!((status, sample(&page, "probe_success")), (200, Some(1.0)), "{page}");
    assert_eq!(sample(&page, "probe_websocket_status_code"), Some(101.0), "{page}");
    let (_held, port) = closed_port();
    let (status, page) = probe(&format!("ws://127.0.0.1:{port}/"), "");
    assert_eq!((status, sample(&page, "probe_success")), (200, Some(0.0)), "{page}");
    let (_, told) = probe(&server.url(), "&debug=true");
    assert!(told.contains("pong 1:") && told.contains("succeeded"), "{told}");
    assert_eq!(probe("ws://node.example/", "").0, 400);
    assert_eq!(get(exporter.port, "/probe?module=nope&target=ws://127.0.0.1/").0, 400);
    assert_eq!((get(exporter.port, "/-/ready").0, get(exporter.port, "/").0), (200, 200));
}

#[test]
fn credentials_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "s3cret-token\n").unwrap();
    let exporter = exporter(&["--allow", "127.0.0.1", "--token-file", token.to_str().unwrap()]);
    assert_eq!(get(exporter.port, "/metrics").0, 401);
    assert_eq!(get_with(exporter.port, "/metrics", "Authorization: Bearer wrong\r\n").0, 401);
    assert_eq!(get_with(exporter.port, "/metrics", "Authorization: Bearer s3cret-token\r\n").0, 200);
}

#[test]
fn mistakes_of_the_configuration_have_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, why) in [
        (
            "[[target]]\nname = \"a\"\nurl = \"ws://a/\"\ncount = 3\n",
            "4:9: target 'a': --count has no meaning",
        ),
        ("[[target]]\nname = \"a\"\nurl = [\"ws://a/\", \"ws://b/\"]\n", "3:7: a target has one 'url'"),
        ("[[target]]\nname = \"a\"\ncommand = \"listen\"\nurl = \"ws://a/\"\n", "a target has no 'command'"),
        ("[module.m]\nallow = \"a b@c\"\n", "module 'm'"),
        ("[module.m]\ncolour = \"red\"\n", "2:1: ping has no option 'colour'"),
        ("[[target]]\nname = \"a\"\nurl = \"ws://a/\"\npreset = \"auto\"\n", "needs a preset by name"),
    ] {
        let file = config(folder.path(), text);
        let ran = run(&["exporter", "--config", &file, "--check-config"]);
        assert_eq!(ran.code, Some(2), "{text}: {}", ran.all());
        assert!(ran.all().contains(why), "{text}: {}", ran.all());
    }
    let file = config(folder.path(), "[[target]]\nname = \"a\"\nurl = \"ws://a.example/\"\n[module.m]\n");
    let ran = run(&["exporter", "--config", &file, "--check-config"]);
    assert_eq!((ran.code, ran.stdout.trim()), (Some(0), "no mistake in 1 target and 2 modules"));
}

#[test]
fn exporter_without_anything_to_do_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), "[module.m]\ntimeout = \"1s\"\n");
    for (args, why) in [
        (vec!["exporter"], "there is nothing to do: give a URL to keep"),
        (vec!["exporter", "--config", &file], "has no [[target]], and no module with 'allow'"),
    ] {
        let ran = run(&args);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains(why), "{}", ran.all());
    }
}

#[test]
fn sighup_reloads_and_keeps_unchanged_connections() {
    let server = Server::start(&["--heartbeat", "none"]);
    let url = server.url();
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), &(target("stays", &url, "") + &target("goes", &url, "")));
    let exporter = exporter(&["--config", &file]);
    let answered = |name| of_target("wscheck_probe_rtt_seconds_count", &url, name);
    let opened = |name| of_target("wscheck_probe_opened_total", &url, name);
    until(exporter.port, &answered("goes"), |count| count >= 2.0);
    let before = until(exporter.port, &answered("stays"), |count| count >= 2.0);
    assert_eq!(sample(&before, RELOADED), Some(1.0), "{before}");
    config(folder.path(), &(target("new", &url, "") + &target("stays", &url, "labels = { team = \"a\" }")));
    exporter.process.signal(libc::SIGHUP);
    until(exporter.port, &answered("new"), |count| count >= 2.0);
    let more = sample(&before, &answered("stays")).unwrap();
    let after = until(exporter.port, &answered("stays"), |count| count > more);
    assert_eq!(sample(&after, &opened("stays")), Some(1.0), "{after}");
    assert!(after.contains("name=\"stays\",team=\"a\""), "{after}");
    assert!(!after.contains("name=\"goes\""), "{after}");
    let success = "wscheck_config_last_reload_success_timestamp_seconds";
    assert!(sample(&after, success) > sample(&before, success), "{after}");
}

#[test]
fn configuration_with_a_mistake_leaves_the_old_one() {
    let server = Server::start(&["--heartbeat", "none"]);
    let folder = tempfile::tempdir().unwrap();
    let good = target("chat", &server.url(), "");
    let file = config(folder.path(), &good);
    let exporter = exporter(&["--config", &file]);
    let post = |method, headers| request(exporter.port, method, "/-/reload", headers);
    config(folder.path(), "[[target]]\nname = \"a\"\nurl = \"ws://a/\"\ncount = 3\n");
    let (status, why) = post("POST", "");
    assert_eq!(status, 500);
    assert!(why.contains("4:9: target 'a': --count has no meaning"), "{why}");
    let page = until(exporter.port, UP, |up| up == 1.0);
    assert_eq!(sample(&page, RELOADED), Some(0.0), "{page}");
    config(folder.path(), &good);
    for (method, headers, status) in [
        ("GET", "", 405),
        ("POST", "Sec-Fetch-Site: cross-site\r\n", 403),
        ("POST", "Origin: http://evil.example\r\n", 403),
        ("PUT", "Origin: http://localhost\r\n", 200),
        ("POST", "", 200),
    ] {
        assert_eq!(post(method, headers).0, status, "{method} {headers}");
    }
    assert_eq!(sample(&get(exporter.port, "/metrics").1, RELOADED), Some(1.0));
    let opened = sample(&get(exporter.port, "/metrics").1, "wscheck_probe_opened_total{");
    assert_eq!(opened, Some(1.0), "the connection was kept");
}

/// The token's file is read again, too; what went wrong is also on stderr.
#[test]
fn reload_is_logged_and_takes_a_new_token() {
    let folder = tempfile::tempdir().unwrap();
    let token = folder.path().join("token");
    std::fs::write(&token, "first\n").unwrap();
    let text = "[module.m]\nallow = \"127.0.0.1\"\n";
    let file = config(folder.path(), text);
    let args = ["exporter", "--listen", "127.0.0.1:0", "--config", &file, "--token-file"];
    let mut command = wscheck(&[&args[..], &[token.to_str().unwrap()]].concat());
    let mut process = Reaped(command.spawn().unwrap());
    let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let port = first.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap();
    let mut log = BufReader::new(process.0.stderr.take().unwrap()).lines().map_while(Result::ok);
    std::fs::write(&token, "second\n").unwrap();
    config(folder.path(), &text.replace("allow", "alow"));
    process.signal(libc::SIGHUP);
    let said = log.next().unwrap();
    assert!(said.contains("the configuration was not reloaded, and the old one stays"), "{said}");
    let with = |token: &str| get_with(port, "/metrics", &format!("Authorization: Bearer {token}\r\n")).0;
    assert_eq!((with("first"), with("second")), (200, 401));
    config(folder.path(), text);
    process.signal(libc::SIGHUP);
    assert!(log.any(|line| line.starts_with("configuration reloaded; connections started: 0")));
    assert_eq!((with("first"), with("second")), (401, 200));
}

#[test]
fn sighup_without_a_file_ends_it_unless_it_is_ignored() {
    use std::os::unix::process::CommandExt;
    let mut ends = exporter(&["--allow", "127.0.0.1"]);
    assert_eq!(request(ends.port, "POST", "/-/reload", "").0, 404);
    ends.process.signal(libc::SIGHUP);
    assert_eq!(ends.process.0.wait().unwrap().code(), Some(0));
    let folder = tempfile::tempdir().unwrap();
    let file = config(folder.path(), "[module.m]\nallow = \"127.0.0.1\"\n");
    let mut command = wscheck(&["exporter", "--listen", "127.0.0.1:0", "--config", &file]);
    // SAFETY: signal(2) is async-signal-safe, and nothing else happens between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
            Ok(())
        });
    }
    let ignores = Server::spawn(command);
    let read = || {
        let page = get(ignores.port, "/metrics").1;
        sample(&page, "wscheck_config_last_reload_success_timestamp_seconds").unwrap()
    };
    let before = read();
    ignores.process.signal(libc::SIGHUP);
    // A reload that was asked for later is answered: the signal was ignored, or there would be two.
    assert_eq!(request(ignores.port, "POST", "/-/reload", "").0, 200);
    assert!(read() > before);
}

#[test]
fn hosts_of_others_are_not_answered() {
    let exporter = exporter(&["--allow", "127.0.0.1", "--server-name", "metrics.example"]);
    let as_host = |host: &str| get_with(exporter.port, "/metrics", &format!("Host: {host}\r\n"));
    for host in ["localhost:9788", "127.0.0.1", "[::1]:1", "metrics.example"] {
        assert_eq!(as_host(host).0, 200, "{host}");
    }
    for path in ["/metrics", "/config", "/-/reload", "/probe?module=websocket&target=ws://127.0.0.1/"] {
        let (status, why) = get_with(exporter.port, path, "Host: evil.example:9788\r\n");
        assert_eq!(status, 421, "{path}");
        assert!(why.contains("Host names another"), "{why}");
    }
}

#[test]
fn configuration_is_shown_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let headers = folder.path().join("headers");
    std::fs::write(&headers, "X-Key: from-a-file\n").unwrap();
    let text = format!(
        "[defaults]\nconnect_timeout = \"3s\"\n[[target]]\nname = \"chat\"\n\
         url = \"ws://user:pa55word@127.0.0.1:1/?token=in-the-url\"\nlabels = {{ team = \"a\" }}\n\
         header = [\"Authorization: Bearer s3cret-token\", \"X-Plain: hunter2-header\"]\n\
         headers_file = \"{}\"\nidle_probe = \"24h\"\nidle_probe_max = \"2m\"\n\
         [module.m]\nallow = [\"a.example\"]\nheader = \"Cookie: session=s3ssion-id\"\n",
        headers.display()
    );
    let file = config(folder.path(), &text);
    let exporter =
        exporter(&["--config", &file, "--allow", "*.example", "ws://127.0.0.1:2/?key=on-the-line"]);
    let (status, shown) = get(exporter.port, "/config");
    assert_eq!(status, 200);
    for secret in [
        "pa55word",
        "in-the-url",
        "s3cret-token",
        "hunter2-header",
        "from-a-file",
        "s3ssion-id",
        "on-the-line",
    ] {
        assert!(!shown.contains(secret), "{secret}:\n{shown}");
    }
    let table: toml::Table = shown.parse().unwrap();
    let (targets, modules) = (table["target"].as_array().unwrap(), &table["module"]);
    assert_eq!(targets.len(), 2, "{shown}");
    assert_eq!(targets[0]["connect_timeout"].as_str(), Some("3s"));
    assert_eq!(targets[0]["labels"]["team"].as_str(), Some("a"));
    assert_eq!(targets[0]["idle_probe_max"].as_str(), Some("2m"));
    assert!(targets[0]["url"].as_str().unwrap().contains("127.0.0.1:1/"), "{shown}");
    assert_eq!(modules["websocket"]["allow"][0].as_str(), Some("*.example"));
    assert_eq!(modules["m"]["allow"][0].as_str(), Some("a.example"));
}

/// The server cuts what is idle for a second.
#[test]
fn idle_timeout_is_measured_on_schedule() {
    // Long against the delays of a busy host: the lower end is a span that was asked and answered.
    let server = Server::start(&["--heartbeat", "none", "--idle-timeout", "3s"]);
    let folder = tempfile::tempdir().unwrap();
    let idle = "idle_probe = \"1h\"\nidle_probe_max = \"5s\"\nheartbeat = \"both\"\n";
    let file = config(folder.path(), &target("chat", &server.url(), idle));
    let exporter = exporter(&["--config", &file]);
    let page = until(exporter.port, "wscheck_probe_idle_age_seconds{", |age| age >= 0.0);
    let found =
        page.lines().find(|line| line.starts_with("wscheck_probe_idle_verdict{") && line.ends_with(" 1"));
    assert!(found.is_some_and(|line| line.contains("verdict=\"idle_timeout\"")), "{page}");
    let bound = |name: &str| sample(&page, &format!("wscheck_probe_idle_timeout_{name}_seconds{{")).unwrap();
    assert!(bound("lower") <= bound("upper") && bound("upper") < 5.0, "{page}");
}
