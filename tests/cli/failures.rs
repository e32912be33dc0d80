//! Connections that fail to open: exit code 3, `cannot open URL: PHASE: cause`, and a hint if known.

use crate::support::{Ran, Script, Server, closed_port, ping_json, read_head, run, wscheck};
use std::io::Write;

fn refusal(url: &str, more: &[&str]) -> (Ran, serde_json::Value) {
    let args = [&["-c", "1", url], more].concat();
    let human = run(&[&["ping"], args.as_slice()].concat());
    assert_eq!(human.code, Some(3), "{human:?}");
    assert!(human.stderr.starts_with(&format!("error: cannot open {url}: ")), "{human:?}");
    let (code, document) = ping_json(&args);
    assert_eq!(
        (code, &document["result"], &document["status"]),
        (Some(3), &"unreachable".into(), &"unknown".into())
    );
    assert_eq!(document["error"]["url"], url);
    assert!(
        document["rtt"].is_null() && document["loss"].is_null() && document["jitter"]["stddev_ms"].is_null()
    );
    (human, document["error"].clone())
}

/// The failure's phase and kind, and the text output.
fn failure(url: &str, more: &[&str]) -> (String, String, String) {
    let (human, error) = refusal(url, more);
    let text = |name: &str| error[name].as_str().unwrap().to_string();
    (text("phase"), text("kind"), human.stderr)
}

#[test]
fn refused_connection_names_the_address() {
    let (_socket, port) = closed_port();
    let (phase, kind, said) = failure(&format!("ws://127.0.0.1:{port}/"), &[]);
    assert_eq!((phase.as_str(), kind.as_str()), ("tcp", "refused"));
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    assert!(said.contains("\nhint: "), "{said}");
}

#[test]
fn every_address_is_tried_and_reported() {
    let (_socket, port) = closed_port();
    let four = format!("many.test:{port}:127.0.0.1");
    let six = format!("many.test:{port}:[::1]");
    let (human, error) =
        refusal(&format!("ws://many.test:{port}/"), &["--resolve", &four, "--resolve", &six]);
    assert_eq!(error["attempts"].as_array().unwrap().len(), 2);
    for address in ["127.0.0.1", "[::1]"] {
        assert!(human.stderr.contains(address), "{}", human.stderr);
    }
}

#[test]
fn failed_address_before_success_is_reported() {
    let server = Server::start(&[]);
    let of = |address: &str| format!("many.test:{}:{address}", server.port);
    let url = format!("ws://many.test:{}/", server.port);
    let (bad, good) = (of("127.0.0.2"), of("127.0.0.1"));
    let ran = run(&["ping", "-c", "1", "--resolve", &bad, "--resolve", &good, &url]);
    let refused = format!("not reached  127.0.0.2:{}: connection refused by ", server.port);
    assert!(ran.code == Some(0) && ran.stdout.contains(&refused), "{}", ran.all());
}

#[test]
fn refusing_proxy_is_named_with_its_origin() {
    let (_socket, port) = closed_port();
    let refused = format!(": TCP: connection refused by the proxy 127.0.0.1:{port} (ECONNREFUSED)");
    let (phase, kind, said) = failure("ws://a.example/", &["--proxy", &format!("http://127.0.0.1:{port}")]);
    assert_eq!((phase.as_str(), kind.as_str()), ("tcp", "refused"));
    assert!(said.contains(&refused) && said.contains("the proxy is from --proxy"), "{said}");
    let mut command = wscheck(&["ping", "-c", "1", "ws://a.example/"]);
    let ran = Ran::of(command.env("http_proxy", format!("127.0.0.1:{port}")).spawn().unwrap());
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains(&refused), "{}", ran.stderr);
    assert!(ran.stderr.contains("the proxy is from http_proxy in the environment"), "{}", ran.stderr);
}

#[cfg(unix)]
#[test]
fn refusing_unix_socket_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ws");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let (_, kind, said) = failure("ws://a.example/", &["--unix-socket", path.to_str().unwrap()]);
    assert_eq!(kind, "refused");
    assert!(said.contains(&format!("refused by {} (ECONNREFUSED)", path.display())), "{said}");
    assert!(!said.contains("host and port"), "{said}");
}

#[test]
fn redirect_secrets_are_redacted() {
    for location in
        ["/cb#access_token=s3cret", "/cb?x=1#access_token=s3cret", "/cb?s3cret", "/a;b?k=1;key=s3cret"]
    {
        let answer = format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        let (_, _, said) = failure(&Script::answering(answer).url(), &[]);
        assert!(!said.contains("s3cret") && said.contains("location: /"), "{said}");
    }
}

#[test]
fn malformed_answer_shows_status_but_no_headers() {
    let answer = "HTTP/1.1 503 Busy\r\nSet-Cookie: s3cret\r\nBad Name: x\r\n\r\n";
    let (human, error) = refusal(&Script::answering(answer).url(), &[]);
    assert_eq!((&error["kind"], &error["refusal"]["status"]), (&"not_http".into(), &503.into()));
    assert!(human.stderr.contains("line 3") && human.stderr.contains("HTTP 503"), "{}", human.stderr);
    assert!(!format!("{human:?}{error}").contains("s3cret"), "{error}");
}

#[test]
fn unknown_name_is_reported() {
    let (phase, kind, _) = failure("ws://no-such-name.invalid/", &[]);
    assert_eq!(phase, "dns");
    assert!(["name_not_found", "resolver_failed"].contains(&kind.as_str()), "{kind}");
}

#[test]
fn each_http_refusal_shows_status_and_hint() {
    let cases = [
        (
            "301 Moved Permanently",
            "Location: https://a.example/ws?token=s3cret\r\n",
            "wss://a.example/ws?token=***",
        ),
        ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "credentials"),
        ("403 Forbidden", "", "origin"),
        ("404 Not Found", "", "path"),
        ("426 Upgrade Required", "Sec-WebSocket-Version: 8\r\n", "version"),
        ("200 OK", "", "not a WebSocket endpoint"),
        ("502 Bad Gateway", "Server: nginx\r\n", "nginx"),
    ];
    for (status, header, said) in cases {
        let body = "sorry \x1b[31mred";
        let answer = format!("HTTP/1.1 {status}\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len());
        let peer = Script::answering(answer);
        let (phase, kind, text) = failure(&peer.url(), &[]);
        assert_eq!((phase.as_str(), kind.as_str()), ("upgrade", "upgrade_refused"), "{status}");
        assert!(text.to_lowercase().contains(&said.to_lowercase()), "{status}: {text}");
        assert!(text.contains(&status[..3]) && text.contains("sorry \\u{1b}[31mred"), "{status}: {text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}

#[test]
fn non_http_answer_is_named() {
    let (_, kind, text) = failure(&Script::answering("SSH-2.0-OpenSSH_9.2\r\n").url(), &[]);
    assert_eq!(kind, "not_http");
    assert!(text.contains("SSH-2.0"), "{text}");
    // An HTTP/2 SETTINGS frame, as an HTTP/2-only server sends.
    let (_, _, text) = failure(&Script::answering(*b"\x00\x00\x00\x04\x00\x00\x00\x00\x00").url(), &[]);
    assert!(text.contains("HTTP/2"), "{text}");
}

#[test]
fn wrong_accept_is_named() {
    let answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                  Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    let (_, kind, text) = failure(&Script::answering(answer).url(), &[]);
    assert_eq!(kind, "bad_upgrade");
    assert!(text.contains("Sec-WebSocket-Accept"), "{text}");
}

#[test]
fn endless_header_is_an_error() {
    let peer = Script::start(|mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 101 Switching Protocols\r\n");
        while stream.write_all(&b"X-More: and more and more and more\r\n".repeat(100)).is_ok() {}
    });
    let (_, kind, _) = failure(&peer.url(), &[]);
    assert_eq!(kind, "endless_header");
}

#[test]
fn slow_phase_is_named() {
    let peer = Script::answering("HTTP/1.1 101 Swi");
    let (phase, kind, text) = failure(&peer.url(), &["--connect-timeout", "200ms"]);
    assert_eq!((phase.as_str(), kind.as_str()), ("upgrade", "timeout"));
    assert!(text.contains("within 200 ms"), "{text}");
}

#[test]
fn early_close_is_named() {
    let peer = Script::start(|mut stream| drop(read_head(&mut stream)));
    let (phase, kind, _) = failure(&peer.url(), &[]);
    assert_eq!((phase.as_str(), kind.as_str()), ("upgrade", "closed_early"));
}

#[test]
fn missing_awaited_message_error_shows_what_came() {
    let peer = Script::upgraded_then(*b"\x81\x05hello");
    let (phase, kind, text) =
        failure(&peer.url(), &["--await", r#"{"type":"welcome"}"#, "--await-timeout", "300ms"]);
    assert_eq!((phase.as_str(), kind.as_str()), ("await", "not_awaited"));
    assert!(text.contains(r#"{"type":"welcome"}"#) && text.contains("hello"), "{text}");
}

#[test]
fn plain_server_on_wss_is_suspected_however_it_closes() {
    let (server, script) = (Server::start(&[]), Script::answering("HTTP/1.1 400 Bad Request\r\n\r\n"));
    for url in [server.url(), script.url()] {
        let ran = run(&[
            "ping",
            "-c",
            "1",
            "--connect-timeout",
            "1s",
            "--insecure",
            &url.replace("ws://", "wss://"),
        ]);
        assert_eq!(ran.code, Some(3));
        assert!(ran.stderr.contains("hint: ") && ran.stderr.contains("ws://"), "{}", ran.stderr);
    }
}
