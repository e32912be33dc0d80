//! Invalid arguments: exit code 2 and one line that names the value and the rule, in any format.

use crate::support::{Ran, closed_port, run, wscheck};

/// Arguments of `ping`, and required parts of the error line.
const CASES: &[(&[&str], &[&str])] = &[
    (&["example.org"], &["'example.org' has no scheme", "ws://"]),
    (&["http://example.org/"], &["http:// must be ws://", "did you mean 'ws://example.org/'"]),
    (&["https://example.org/"], &["did you mean 'wss://example.org/'"]),
    (&["ftp://example.org/"], &["the scheme must be ws or wss"]),
    (&["ws://"], &["'ws://' has an empty host"]),
    (&["ws:///x"], &["'ws:///x' has an empty host"]),
    (&["wss:"], &["'wss:' has an empty host"]),
    (&["ws:127.0.0.1:1"], &["ws: must be followed by //; did you mean 'ws://127.0.0.1:1'"]),
    (&["//127.0.0.1"], &["has no scheme", "did you mean 'ws://127.0.0.1'"]),
    (&["ws://a:0/"], &["has port 0: a port is 1 to 65535"]),
    (&["ws://a:70000/"], &["invalid port number"]),
    (&["--bind", "fe80::1", "ws://a/"], &["--bind", "link-local: name its network interface"]),
    (&["--bind", "fe80::1%nosuch0", "ws://a/"], &["--bind", "no network interface 'nosuch0'"]),
    (&["--bind", "eth0", "ws://a/"], &["'eth0' is not an IP address"]),
    (&["--proxy", "\"http://a:1\"", "ws://a/"], &["--proxy: it has quotes around it"]),
    (&["--proxy", "http://::1", "ws://a/"], &["--proxy: an IPv6 address needs brackets"]),
    (&["-i", "0", "ws://a/"], &["'0'", "--interval", "the interval must be at least 100 µs"]),
    (&["-i", "99us", "ws://a/"], &["'99us'", "--interval", "the interval must be at least 100 µs"]),
    (&["-i", "x", "ws://a/"], &["'x'", "is not a duration"]),
    (&["-i", "-1", "ws://a/"], &["'-1' is not a duration", "--interval"]),
    (&["-W", "-1s", "ws://a/"], &["'-1s' is not a duration", "--timeout"]),
    (&["-W", "0s", "ws://a/"], &["'0s'", "--timeout", "above zero"]),
    (&["-n", "0", "ws://a/"], &["'0'", "--connections", "from 1 to 100000"]),
    (&["-n", "4294967296", "ws://a/"], &["'4294967296'", "--connections", "from 1 to 100000"]),
    (&["-n", "-1", "ws://a/"], &["'-1'", "--connections", "from 1 to 100000"]),
    (
        &["-n", "60000", "ws://a/", "ws://b/"],
        &["--connections: 2 URLs with 60000 each", "at most 100000 together"],
    ),
    (&["-c", "0", "ws://a/"], &["'0'", "--count", "of at least 1"]),
    (&["-c", "18446744073709551616", "ws://a/"], &["--count", "from 1 to 18446744073709551615"]),
    (&["--window", "99999999999", "ws://a/"], &["--window", "from 1 to 100000"]),
    (&["-w", "0", "ws://a/"], &["'0'", "--deadline", "above zero"]),
    (&["-H", "A: b", "-H", "nonsense", "ws://a/"], &["the 2nd --header needs the form 'Name: value'"]),
    (
        &["-H", "@/no/such/file", "ws://a/"],
        &["cannot read /no/such/file", "no such file or directory (ENOENT)"],
    ),
    (&["-H", "@/dev/zero", "ws://a/"], &["/dev/zero", "more than 1 MiB"]),
    (&["-H", "Upgrade: h2c", "ws://a/"], &["'upgrade' belongs to the WebSocket handshake"]),
    (&["--cacert", "/no/such.pem", "wss://a/"], &["--cacert: cannot read /no/such.pem", "no such file"]),
    (&["--cert", "/no/such.pem", "wss://a/"], &["--key"]),
    (&["--key", "/no/such.pem", "wss://a/"], &["--cert"]),
    (&["--user", "bob", "ws://a/"], &["--user", "USER:PASSWORD"]),
    (&["--resolve", "a:b", "ws://a/"], &["'a:b' is not host:port:address"]),
    (&["--bind", "nowhere", "ws://a/"], &["'nowhere'", "--bind"]),
    (&["--proxy", "gopher://x", "ws://a/"], &["--proxy", "gopher:// is not a proxy's scheme", "scheme://"]),
    (&["--subprotocol", "a b", "ws://a/"], &["'a b' is not a token"]),
    (&["--heartbeat", "app", "--app-ping", "hex:c0f", "ws://a/"], &["--app-ping", "hex:c0f"]),
    (&["--heartbeat", "app", "--app-pong", "{\"type\":", "ws://a/"], &["--app-pong"]),
    (
        &["--fail-on", "bad", "ws://a/"],
        &["'bad'", "healthy", "degraded", "poor", "critical", "timeout", "dead"],
    ),
    (&["--fail-if", "speed>1", "ws://a/"], &["'speed'", "rtt.p95", "loss", "jitter"]),
    (&["--fail-if", "loss~1%", "ws://a/"], &["loss~1%", ">="]),
    (&["--fail-if", "rtt.p95>3parsecs", "ws://a/"], &["3parsecs", "ms"]),
    (&["--fail-if", "loss>1", "ws://a/"], &["could mean 1 % or everything: write 1% or 1.0"]),
    (&["--fail-if", "loss>100%", "ws://a/"], &["'loss>100%' can never be true"]),
    (&["--fail-if", "app.rtt.max>1s", "ws://a/"], &["app.rtt.max>1s", "app heartbeats", "--heartbeat"]),
    (
        &["--fail-if", "protocol.loss>1%", "--heartbeat", "app", "ws://a/"],
        &["protocol.loss>1%", "protocol heartbeats", "--heartbeat"],
    ),
    (&["--fail-if", "tls.days_left<14", "ws://a/"], &["tls.days_left<14", "TLS"]),
    (
        &["--healthy", "2s", "ws://a/"],
        &["--healthy (2 s), --degraded (500 ms) and --poor (1 s) must increase"],
    ),
    (&["--dead-after", "0", "ws://a/"], &["--dead-after", "of at least 1"]),
    (&["--timeout-after", "0", "ws://a/"], &["--timeout-after", "of at least 1"]),
    (&["--poor-loss", "5", "ws://a/"], &["--poor-loss", "'5' has no unit: write 5%"]),
    (&["--poor-loss", "30%", "ws://a/"], &["--poor-loss (30 %) is above --critical-loss (20 %)"]),
    (&["--app-ping", "x", "ws://a/"], &["--app-ping has no effect without --heartbeat app or both"]),
    (&["--app-pong", "x", "ws://a/"], &["--app-pong has no effect without --heartbeat app or both"]),
    (&["--await-timeout", "1s", "ws://a/"], &["--await-timeout has no effect without --await"]),
    (&["--reconnect-base", "1s", "ws://a/"], &["--reconnect-base has no effect without --reconnect"]),
    (&["--reconnect-cap", "1s", "ws://a/"], &["--reconnect-cap has no effect without --reconnect"]),
    (&["--reconnect-attempts", "1", "ws://a/"], &["--reconnect-attempts has no effect without --reconnect"]),
    (
        &["--reconnect-reset-after", "1s", "ws://a/"],
        &["--reconnect-reset-after has no effect without --reconnect"],
    ),
    (
        &["--reconnect", "--reconnect-base", "2s", "--reconnect-cap", "1s", "ws://a/"],
        &["--reconnect-base (2 s) is above --reconnect-cap (1 s)"],
    ),
    (&["--max-message-size", "0", "ws://a/"], &["--max-message-size", "above zero"]),
    (
        &["--max-message-size", "1023", "ws://a/"],
        &["--max-message-size", "at least 1KiB: control frames and our own heartbeats must fit"],
    ),
    (&["--tcp-keepalive", "500ms", "ws://a/"], &["--tcp-keepalive", "whole seconds"]),
    (&["-4", "-6", "ws://a/"], &["--ipv4", "--ipv6"]),
    (&["--no-such-flag", "ws://a/"], &["unexpected argument '--no-such-flag' found"]),
    (&["--cuont", "5", "ws://a/"], &["'--cuont'", "a similar argument exists: '--count'"]),
    (&[], &["required", "<URL>"]),
    (&["ws://a b/\nc"], &["'ws://a b/"]),
    (&["-o", "xml", "ws://a/"], &["'xml'", "human, json, ndjson"]),
];

#[test]
fn bad_arguments_name_value_and_rule_in_one_line() {
    for (args, parts) in CASES {
        let ran = run(&[&["ping"], *args].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{args:?}: {}", ran.stderr);
        for part in *parts {
            assert!(ran.stderr.contains(part), "{args:?}: '{part}' is not in: {}", ran.stderr);
        }
    }
}

#[test]
fn under_json_a_bad_argument_is_a_document() {
    for (args, parts) in CASES.iter().filter(|(args, _)| !args.contains(&"-o")) {
        for format in ["json", "ndjson"] {
            let ran = run(&[&["ping", "-o", format], *args].concat());
            assert_eq!((ran.code, ran.stderr.as_str()), (Some(2), ""), "{args:?}");
            let document = ran.json();
            let message = document["error"]["message"].as_str().unwrap();
            assert!(message.contains(parts[0]), "{args:?}: {message}");
            assert!(!message.contains('\n'), "{args:?}: {message}");
            assert_eq!((&document["exit_code"], &document["result"]), (&2.into(), &"usage".into()));
        }
    }
}

#[test]
fn secrets_in_bad_arguments_are_not_repeated() {
    let cases: &[&[&str]] = &[
        &["http://bob:hunter2@a/"],
        &["bob:hunter2@a"],
        &["ws://a:0/?token=hunter2"],
        &["-H", "hunter header: hunter2\u{1}", "ws://a/"],
        &["-H", "Authorization: Bearer hunter2\u{1}", "ws://a/"],
        &["--proxy", "gopher://bob:hunter2@x", "ws://a/"],
        &["-H", "hunter2", "ws://a/"],
        &["-H", "Bearer hunter2: x", "ws://a/"],
        &["ws://bob:hunter2?x@a/"],
        &["ws://bob:x@hunter2@a:99999/"],
        &["ws://bob:x@a:99999/#token=hunter2"],
        &["ws://a:0/?%74oken=hunter2;app_key=hunter2&hunter2"],
    ];
    for args in cases {
        let ran = run(&[&["ping"], *args].concat());
        assert_eq!(ran.code, Some(2), "{args:?}");
        assert!(!ran.all().contains("hunter2"), "{args:?}: {}", ran.all());
    }
}

#[test]
fn bad_environment_proxy_is_named_by_its_variable() {
    let ping = |args: &[&str]| {
        let mut command = wscheck(&[&["ping", "-c", "1", "--connect-timeout", "1s"], args].concat());
        Ran::of(command.env("HTTPS_PROXY", "ftp://bob:hunter2@p:1").spawn().unwrap())
    };
    let (_socket, port) = closed_port();
    let url = format!("ws://127.0.0.1:{port}/");
    let ran = ping(&[&url]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.starts_with("error: HTTPS_PROXY in the environment: ftp:// is not"), "{ran:?}");
    assert!(!ran.all().contains("hunter2"), "{ran:?}");
    assert_eq!(ping(&["--proxy", "none", &url]).code, Some(3));
}

#[test]
fn no_command_and_unknown_commands_are_usage_errors() {
    let ran = run(&[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("Usage: wscheck <COMMAND>") && !ran.stderr.contains("error:"), "{ran:?}");
    let ran = run(&["pong"]);
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(2), 1));
    assert!(ran.stderr.contains("'pong'") && ran.stderr.contains("'ping'"), "{}", ran.stderr);
    assert_eq!(run(&["man", "nope"]).code, Some(2));
}

#[test]
fn closed_stderr_does_not_panic() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [&["ping", "-o", "json", "http://x"][..], &["ping", "http://x"], &[], &["pong"]] {
        let child = wscheck(args).stdout(full()).stderr(full()).spawn().unwrap();
        assert_eq!(Ran::of(child).code, Some(2), "{args:?}");
    }
    let ran = Ran::of(wscheck(&["ping", "-o", "json", "http://x"]).stdout(full()).spawn().unwrap());
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.starts_with("error: cannot write to stdout: No space left"), "{ran:?}");
    for args in [["--help"], ["--version"], ["help"], ["schema"], ["man"]] {
        let ran = Ran::of(wscheck(&args).stdout(full()).spawn().unwrap());
        assert_eq!(ran.code, Some(4), "{args:?}");
        assert!(ran.stderr.starts_with("error: cannot write to stdout: No space left"), "{ran:?}");
    }
    let demo = wscheck(&["demo", "-q"]).stderr(full()).spawn().unwrap();
    assert_eq!(Ran::of(demo).code, Some(0));
}
