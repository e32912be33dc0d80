//! Arguments that make no sense: exit 2, one line that names the value and the rule, in any format.

use crate::support::{Ran, closed_port, run, wscheck};

/// Arguments of `ping`, and what the one line must contain.
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
    (&["-i", "0", "ws://a/"], &["'0'", "--interval", "above zero"]),
    (&["-i", "x", "ws://a/"], &["'x'", "is not a duration"]),
    (&["-i", "-1", "ws://a/"], &["-1"]),
    (&["-W", "0s", "ws://a/"], &["'0s'", "--timeout", "above zero"]),
    (&["-n", "0", "ws://a/"], &["'0'", "--connections", "at least 1"]),
    (&["-c", "0", "ws://a/"], &["'0'", "--count", "at least 1"]),
    (&["-w", "0", "ws://a/"], &["'0'", "--deadline", "above zero"]),
    (&["-H", "A: b", "-H", "nonsense", "ws://a/"], &["the 2nd --header is not 'Name: value'"]),
    (
        &["-H", "@/no/such/file", "ws://a/"],
        &["cannot read /no/such/file", "no such file or directory (ENOENT)"],
    ),
    (&["-H", "@/dev/zero", "ws://a/"], &["/dev/zero", "more than 1 MiB"]),
    (&["-H", "Upgrade: h2c", "ws://a/"], &["'upgrade' belongs to the WebSocket handshake"]),
    (&["--cacert", "/no/such.pem", "wss://a/"], &["cannot read '/no/such.pem'", "no such file"]),
    (&["--cert", "/no/such.pem", "wss://a/"], &["--key"]),
    (&["--key", "/no/such.pem", "wss://a/"], &["--cert"]),
    (&["--user", "bob", "ws://a/"], &["--user", "USER:PASSWORD"]),
    (&["--resolve", "a:b", "ws://a/"], &["'a:b' is not host:port:address"]),
    (&["--bind", "nowhere", "ws://a/"], &["'nowhere'", "--bind"]),
    (&["--proxy", "gopher://x", "ws://a/"], &["--proxy", "gopher:// is not a proxy's scheme", "scheme://"]),
    (&["--subprotocol", "a b", "ws://a/"], &["'a b' is not a token"]),
    (&["--app-ping", "hex:c0f", "ws://a/"], &["--app-ping", "hex:c0f"]),
    (&["--app-pong", "{\"type\":", "ws://a/"], &["--app-pong"]),
    (
        &["--fail-on", "bad", "ws://a/"],
        &["'bad'", "healthy", "degraded", "poor", "critical", "timeout", "dead"],
    ),
    (&["--fail-if", "speed>1", "ws://a/"], &["'speed'", "rtt.p95", "loss", "jitter"]),
    (&["--fail-if", "loss~1%", "ws://a/"], &["loss~1%", ">="]),
    (&["--fail-if", "rtt.p95>3parsecs", "ws://a/"], &["3parsecs", "ms"]),
    (&["--healthy", "2s", "ws://a/"], &["--healthy, --degraded and --poor must rise"]),
    (&["--dead-after", "0", "ws://a/"], &["--dead-after", "at least 1"]),
    (&["--max-message-size", "0", "ws://a/"], &["--max-message-size", "above zero"]),
    (
        &["--max-message-size", "1023", "ws://a/"],
        &["--max-message-size", "at least 1KiB: control frames and our own heartbeats must fit"],
    ),
    (&["--tcp-keepalive", "500ms", "ws://a/"], &["--tcp-keepalive", "whole seconds"]),
    (&["-4", "-6", "ws://a/"], &["--ipv4", "--ipv6"]),
    (&["--no-such-flag", "ws://a/"], &["--no-such-flag"]),
    (&["-o", "xml", "ws://a/"], &["'xml'"]),
];

#[test]
fn bad_arguments_are_refused_in_one_line_with_the_value_and_the_rule() {
    for (args, parts) in CASES {
        let ran = run(&[&["ping"], *args].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{args:?}: {}", ran.stderr);
        let first = ran.stderr.lines().next().unwrap();
        assert!(first.starts_with("error: "), "{args:?}: {first}");
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
            assert_eq!((&document["exit_code"], &document["verdict"]), (&2.into(), &"usage".into()));
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
fn a_proxy_of_the_environment_that_is_none_is_refused_by_its_variables_name() {
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
    assert_eq!(run(&[]).code, Some(2));
    let ran = run(&["pong"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("'pong'"), "{}", ran.stderr);
    assert_eq!(run(&["man", "nope"]).code, Some(2));
}
