//! Responses other than 101 from servers and proxies, and the resulting hints.

use std::io::{Read, Write};
use std::net::TcpListener;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use crate::support::{
    Ran, Script, Server, TEXT, accept, frame, ping_json, read_head, run, run_concurrently, upgrade,
};

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// Pings a server with this response; returns the document's hint.
fn hinted(answer: Vec<u8>, more: &[&str]) -> (Ran, String) {
    hinted_at(&Script::answering(answer).url(), more)
}

fn hinted_at(url: &str, more: &[&str]) -> (Ran, String) {
    let human = run(&[&["ping", "-c", "1", url], more].concat());
    assert_eq!(human.code, Some(3), "{}", human.all());
    let (_, document) = ping_json(&[&["-c", "1", url], more].concat());
    let hint = document["error"]["hint"].as_str().unwrap_or_default().to_string();
    assert!(human.stderr.ends_with(&format!("hint: {hint}\n")) || hint.is_empty(), "{}", human.all());
    (human, hint)
}

/// Checks cases of status line, headers, body, and the beginning of the hint.
fn begin_as(cases: &[(&str, &str, &str, &str)]) {
    run_concurrently(cases, |(status, headers, body, begins)| {
        let (_, hint) = hinted(answer(status, headers, body.as_bytes()), &[]);
        assert!(hint.starts_with(begins), "{status} {headers} {body}: {hint}");
    });
}

const NO_UPGRADE: &str =
    "the server saw no WebSocket upgrade: a proxy before it may drop Upgrade and Connection";

#[test]
fn status_426_for_version_13_means_dropped_upgrade() {
    let required = "426 Upgrade Required";
    begin_as(&[
        (required, "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "", NO_UPGRADE),
        (required, "Upgrade: websocket\r\nSec-WebSocket-Version: 7, 8, 13\r\n", "", NO_UPGRADE),
        (required, "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Version: 13\r\n", "", NO_UPGRADE),
        (required, "Upgrade: websocket\r\n", "", NO_UPGRADE),
        (
            required,
            "Upgrade: websocket\r\nSec-WebSocket-Version: 8, 7\r\n",
            "",
            "the server wants another WebSocket version (8, 7); wscheck speaks 13",
        ),
        (required, "Upgrade: h2c\r\n", "", "the server wants another protocol here: h2c"),
    ]);
}

#[test]
fn status_400_without_upgrade_is_explained() {
    let bad = "400 Bad Request";
    begin_as(&[
        (bad, "", "Can \"Upgrade\" only to \"WebSocket\".", NO_UPGRADE),
        (bad, "", "not a websocket handshake", NO_UPGRADE),
        (bad, "", "Bad Request: missing Connection header", NO_UPGRADE),
        (bad, "Sec-WebSocket-Version: 13\r\n", "Bad Request\n", NO_UPGRADE),
        (
            bad,
            "",
            "WebSocket upgrade failed: invalid token",
            "the server, or a proxy before it, does not take this",
        ),
    ]);
}

#[test]
fn http_1_0_on_the_path_is_named() {
    begin_as(&[
        (
            "505 HTTP Version Not Supported",
            "",
            "",
            "the server wants another HTTP version: a proxy before it may speak",
        ),
        (
            "400 Bad Request",
            "",
            "unsupported HTTP version: HTTP/1.0",
            "the server got HTTP/1.0, which has no upgrade",
        ),
    ]);
    let (_, hint) = hinted(answer("505 X", "Server: nginx/1.22.1\r\n", b""), &[]);
    assert!(hint.contains("proxy_http_version 1.1") && hint.contains("$http_upgrade"), "{hint}");
    let old = String::from_utf8(answer("404 Not Found", "", b"")).unwrap().replace("HTTP/1.1", "HTTP/1.0");
    let (_, hint) = hinted(old.into_bytes(), &[]);
    assert!(hint.ends_with("it answers in HTTP/1.0, which has no upgrade to WebSocket"), "{hint}");
}

#[test]
fn status_401_names_the_accepted_schemes() {
    let challenged = |headers: &str, more: &[&str]| hinted(answer("401 Unauthorized", headers, b""), more).1;
    let user = ["--user", "bob:pw"];
    for (headers, names) in [
        ("WWW-Authenticate: Digest realm=\"x\", nonce=\"a,b\"\r\n", "Digest"),
        ("WWW-Authenticate: NTLM\r\n", "NTLM"),
        ("WWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n", "Negotiate, NTLM"),
        ("WWW-Authenticate: Negotiate, NTLM, Digest realm=\"Basic\"\r\n", "Negotiate, NTLM, Digest"),
    ] {
        let hint = challenged(headers, &[]);
        assert!(
            hint.starts_with(&format!("the server takes {names}; --user is Basic only and cannot help")),
            "{hint}"
        );
        let hint = challenged(headers, &user);
        assert!(hint.contains("--user was sent and refused"), "{hint}");
    }
    let basic = "WWW-Authenticate: Digest realm=\"x\"\r\nWWW-Authenticate: Basic realm=\"x\"\r\n";
    assert!(challenged(basic, &[]).ends_with("give them with --user NAME:PASSWORD"));
    assert!(challenged(basic, &user).starts_with("the server did not accept the user name and password"));
    let bearer = "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    assert!(challenged(bearer, &user).ends_with("give a token with -H 'Authorization: Bearer TOKEN'"));
    let token = ["-H", "Authorization: Bearer t"];
    assert!(challenged(bearer, &token).starts_with("the server did not accept the token (invalid_token)"));
    let (_, hint) = hinted(answer("407 X", "Proxy-Authenticate: NTLM\r\n", b""), &[]);
    assert!(hint.starts_with("a proxy on the way takes NTLM; wscheck has Basic only"), "{hint}");
}

#[test]
fn self_redirect_wants_its_cookie() {
    let peer = Script::start(|mut stream| {
        let head = read_head(&mut stream);
        let host = head.lines().find_map(|line| line.strip_prefix("Host: ")).unwrap();
        let headers = format!("Location: http://{host}/ws\r\nSet-Cookie: sticky=s3cret; Path=/\r\n");
        let _ = stream.write_all(&answer("302 Found", &headers, b""));
    });
    let url = format!("{}ws", peer.url());
    let (human, hint) = hinted_at(&url, &[]);
    assert!(hint.starts_with("the server redirects to itself: it wants a cookie"), "{hint}");
    assert!(hint.contains("-H 'Cookie: sticky=VALUE'") && !hint.contains("follow it"), "{hint}");
    assert!(!human.all().contains("s3cret"), "{}", human.all());
    let (_, hint) = hinted_at(&url, &["-H", "Cookie: sticky=old"]);
    assert!(hint.contains("does not take the cookie that was sent"), "{hint}");
}

#[test]
fn redirects_are_classified() {
    begin_as(&[
        ("307 X", "Location: https://b.example/ws\r\n", "", "follow it with wss://b.example/ws"),
        ("302 X", "Location: //b.example:81/ws\r\n", "", "follow it with ws://b.example:81/ws"),
        (
            "302 X",
            "Location: /users/sign_in\r\n",
            "",
            "it redirects to what looks like a login page (http://127.0.0.1",
        ),
        ("302 X", "Location: /\r\n", "", "the server redirects to itself, without end"),
        ("302 X", "", "", "it redirects, but without a Location header"),
    ]);
}

#[test]
fn tls_port_hints_at_wss() {
    let speaks_tls = "the server speaks TLS on this port: use wss://";
    begin_as(&[
        ("400 ", "", "Bad Request\r\nThis combination of host and port requires TLS.\r\n", speaks_tls),
        ("400 Bad Request", "", "<center>The plain HTTP request was sent to HTTPS port</center>", speaks_tls),
        ("400 Bad Request", "", "Client sent an HTTP request to an HTTPS server.\n", speaks_tls),
        (
            "400 Bad Request",
            "",
            "You're speaking plain HTTP to an SSL-enabled server port.<br />",
            speaks_tls,
        ),
    ]);
    for alert in [&b"\x15\x03\x01\x00\x02\x02\x46"[..], b"\x15\x03\x03\x00\x02\x02\x0a", b"\x15\x03"] {
        let peer = Script::start(move |mut stream| {
            read_head(&mut stream);
            let _ = stream.write_all(alert);
        });
        assert_eq!(hinted_at(&peer.url(), &[]).1, speaks_tls);
    }
}

#[test]
fn plain_port_hints_at_ws() {
    let peer = Script::start(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(&answer("400 Bad Request", "Connection: close\r\n", b"bad"));
    });
    let (human, hint) = hinted_at(&peer.url().replace("ws://", "wss://"), &["--insecure"]);
    assert!(hint.ends_with("on this port: use ws://"), "{}", human.all());
}

#[test]
fn status_503_names_the_responder() {
    begin_as(&[
        (
            "503 X",
            "Server: Python/3.11 websockets/12.0\r\n",
            "shutting down",
            "the server itself sent this (server: ",
        ),
        ("503 X", "", "<h1>503</h1>\nNo server is available to handle this request.", "HAProxy answers"),
        ("503 X", "Server: envoy\r\n", "no healthy upstream", "Envoy answers"),
        ("503 X", "Server: nginx\r\n", "busy", "the response does not show what sent it"),
        (
            "502 X",
            "",
            "<hr><center>nginx/1.22.1</center>",
            "nginx answers (its own error page), not the server behind it",
        ),
        ("504 X", "", "", "by its status a proxy before the server sent this"),
    ]);
}

#[test]
fn each_cloudflare_status_names_the_failed_hop() {
    let of = "Server: cloudflare\r\n";
    begin_as(&[
        ("520 X", of, "", "the origin closed, reset, or answered something"),
        ("521 X", of, "", "the origin refused Cloudflare's connection"),
        ("522 X", of, "", "Cloudflare's connection to the origin timed out"),
        ("523 X", of, "", "Cloudflare has no route to the origin"),
        ("524 X", of, "", "the origin took the connection but did not answer"),
        ("525 X", of, "", "the TLS handshake between Cloudflare and the origin failed"),
        ("526 X", of, "", "the origin's certificate is not valid"),
        ("530 X", of, "error code: 1016", "Cloudflare could not resolve the origin's name"),
        ("521 X", "", "", "Cloudflare uses this status, but nothing else here names it"),
    ]);
}

#[test]
fn compressed_body_is_shown_decompressed() {
    let page = b"<h1>Forbidden by the firewall</h1>";
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(page).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(page).unwrap();
    for (coding, packed) in [("gzip", gzip.finish().unwrap()), ("deflate", zlib.finish().unwrap())] {
        let headers = format!("Content-Encoding: {coding}\r\n");
        let (human, _) = hinted(answer("403 Forbidden", &headers, &packed), &[]);
        assert!(human.stderr.contains("  body: <h1>Forbidden by the firewall</h1>\n"), "{}", human.all());
    }
    let noise: Vec<u8> = (0..200_u8).map(|n| n.wrapping_mul(151) | 0x80).collect();
    let (human, _) = hinted(answer("503 X", "Content-Encoding: br\r\n", &noise), &[]);
    assert!(human.stderr.contains("  body: (br, 200 bytes)\n"), "{}", human.all());
}

#[test]
fn zip_bomb_is_bounded() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b' '; 5_000_000]).unwrap();
    let bomb = gzip.finish().unwrap();
    let (human, _) = hinted(answer("403 X", "Content-Encoding: gzip\r\n", &bomb), &[]);
    assert!(human.stderr.len() < 2000, "{}", human.stderr.len());
}

#[test]
fn empty_subprotocol_is_reported() {
    let peer = chooses(Some(""));
    let ran = run(&["ping", "-c", "1", "-i", "10ms", "--subprotocol", "mqtt", &peer.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.all().contains("none of the subprotocols offered (mqtt): browsers refuse"), "{}", ran.all());
    let (code, document) = ping_json(&["-c", "1", &peer.url()]);
    assert_eq!(code, Some(0), "{document:#}");
    let findings = document["findings"].as_array().unwrap();
    assert!(findings.iter().any(|finding| finding["code"] == "subprotocol_header_empty"), "{document:#}");
}

#[test]
fn unchosen_offer_passes_with_a_finding() {
    let peer = chooses(None);
    let ran = run(&["ping", "-c", "1", "--subprotocol", "mqtt", &peer.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.all().contains("browsers refuse such a connection"), "{}", ran.all());
    let ran = run(&["ping", "-c", "1", &peer.url()]);
    assert!(!ran.all().contains("browsers"), "{}", ran.all());
}

#[test]
fn unchosen_subprotocol_offer_warns_of_browsers() {
    let script = chooses(None);
    for command in [
        &["ping", "-c", "1"][..],
        &["listen", "--for", "200ms"],
        &["probe-idle", "--min", "100ms", "--max", "200ms"],
        &["probe-zombie", "--max", "300ms"],
    ] {
        let ran = run(&[command, &["--proxy", "none", "--subprotocol", "mqtt", &script.url()]].concat());
        let expected = "none chosen (offered: mqtt): browsers refuse that";
        assert!(ran.stdout.contains(expected), "{}", ran.all());
    }
}

#[test]
fn unoffered_subprotocol_hints_at_the_flag() {
    let peer = chooses(Some("arduino"));
    let (human, hint) = hinted_at(&peer.url(), &[]);
    assert_eq!(hint, "offer it: --subprotocol arduino", "{}", human.all());
    assert_eq!(hinted_at(&peer.url(), &["--subprotocol", "mqtt"]).1, "offer it: --subprotocol arduino");
    assert_eq!(run(&["ping", "-c", "1", "--subprotocol", "arduino", &peer.url()]).code, Some(0));
}

/// Upgrades with this subprotocol and answers pings.
fn chooses(subprotocol: Option<&'static str>) -> Script {
    Script::start(move |mut stream| {
        let head = read_head(&mut stream);
        accept(&mut stream, &head, subprotocol);
        crate::support::answer_pings(&mut stream);
    })
}

#[test]
fn malformed_head_shows_the_failing_line() {
    for (line, shown) in [
        ("X-Broken without a colon\r\n", "line 3 has no colon: \"X-Broken without a colon\""),
        ("Sec-WebSocket-Accept : abc\r\n", "line 3 has a blank before its colon: \"Sec-WebSocket-Accept\""),
        ("X\u{1}Y: s3cret\r\n", "line 3 has a name with a character that is not allowed: \"X\\x01Y\""),
    ] {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n{line}Set-Cookie: s3cret\r\n\r\n"
        );
        let (human, _) = hinted(answer.into_bytes(), &[]);
        assert!(human.stderr.contains(shown), "{}", human.all());
        assert!(
            !human.stderr.contains("101 Switching") && !human.all().contains("s3cret"),
            "{}",
            human.all()
        );
    }
}

#[test]
fn folded_header_lines_are_read() {
    let peer = Script::start(|mut stream| {
        let head = read_head(&mut stream);
        let mut answer = Vec::new();
        accept(&mut answer, &head, None);
        let folded = String::from_utf8(answer)
            .unwrap()
            .replace("Accept: ", "Accept:\r\n\t ")
            .replace("Connection: Upgrade", "Connection: keep-alive,\r\n  Upgrade");
        let _ = stream.write_all(folded.as_bytes());
        crate::support::answer_pings(&mut stream);
    });
    let ran = run(&["ping", "-c", "1", &peer.url()]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

/// One port on two loopback addresses: the first uses `first`, the second upgrades.
fn two_addresses(first: impl Fn(std::net::TcpStream) + Send + 'static) -> (u16, Vec<String>) {
    let listen = |address: &str, port| TcpListener::bind((address, port));
    let (bad, good) = std::iter::repeat_with(|| {
        let bad = listen("127.0.0.1", 0).unwrap();
        let good = listen("127.0.0.2", bad.local_addr().unwrap().port());
        good.map(|good| (bad, good))
    })
    .find_map(Result::ok)
    .unwrap();
    let port = bad.local_addr().unwrap().port();
    std::thread::spawn(move || bad.incoming().flatten().for_each(first));
    std::thread::spawn(move || good.incoming().flatten().for_each(|mut stream| drop(upgrade(&mut stream))));
    let flags = ["127.0.0.1", "127.0.0.2"].map(|address| format!("--resolve=two.test:{port}:{address}"));
    (port, flags.to_vec())
}

#[test]
fn failure_after_tcp_names_the_address() {
    type Act = fn(std::net::TcpStream);
    let busy: Act = |mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(&answer("503 Busy", "", b""));
    };
    let hangs: Act = |mut stream| drop(stream.read_to_end(&mut Vec::new()));
    for (act, why) in [(busy, "HTTP 503"), (hangs, "the server did not answer within 300 ms")] {
        let (port, resolve) = two_addresses(act);
        let url = format!("ws://two.test:{port}/");
        let mut args = vec!["ping", "-c", "1", "--connect-timeout", "300ms", &url];
        args.extend(resolve.iter().map(String::as_str));
        let ran = run(&args);
        assert_eq!(ran.code, Some(3), "{}", ran.all());
        let named = format!("error: cannot open {url}: upgrade at 127.0.0.1:{port}: {why}");
        assert!(ran.stderr.starts_with(&named), "{}", ran.all());
        assert!(
            ran.stderr.contains(&format!("  127.0.0.2:{port}: not tried, since another answered")),
            "{}",
            ran.all()
        );
        let (_, document) = ping_json(&args[1..]);
        let error = &document["error"];
        assert_eq!(error["remote"], format!("127.0.0.1:{port}"), "{error}");
        assert_eq!(error["untried"][0], format!("127.0.0.2:{port}"), "{error}");
    }
}

#[test]
fn missing_awaited_message_names_the_address() {
    let peer = Script::upgraded_then(frame(TEXT, b"hello"));
    let url = format!("ws://one.test:{}/", peer.port);
    let resolve = format!("one.test:{}:127.0.0.1", peer.port);
    let args = ["-c", "1", "--resolve", &resolve, "--await", "welcome", "--await-timeout", "200ms", &url];
    let ran = run(&[&["ping"], &args[..]].concat());
    assert!(
        ran.stderr.contains(&format!("{url}: await at 127.0.0.1:{}: no message", peer.port)),
        "{}",
        ran.all()
    );
    let (_, document) = ping_json(&args);
    assert_eq!(document["error"]["remote"], format!("127.0.0.1:{}", peer.port), "{document:#}");
}

#[test]
fn refusal_through_a_proxy_names_the_proxy() {
    let proxy = Script::start(|mut stream| {
        read_head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        read_head(&mut stream);
        let _ = stream.write_all(&answer("503 Busy", "", b""));
    });
    let through = format!("http://127.0.0.1:{}", proxy.port);
    let (human, _) = hinted_at("ws://a.example/", &["--proxy", &through]);
    let named = format!("cannot open ws://a.example/: upgrade through the proxy {through}: HTTP 503");
    assert!(human.stderr.contains(&named), "{}", human.all());
}

#[test]
fn proxy_without_basic_is_reported() {
    let refused = |userinfo: &str| {
        let proxy = Script::answering(answer(
            "407 X",
            "Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Negotiate\r\n",
            b"",
        ));
        hinted_at("ws://a.example/", &["--proxy", &format!("http://{userinfo}127.0.0.1:{}", proxy.port)])
    };
    for userinfo in ["", "bob:pw@"] {
        let (human, hint) = refused(userinfo);
        assert!(human.stderr.contains("the proxy takes NTLM, Negotiate (HTTP 407)"), "{}", human.all());
        assert!(hint.contains("Basic only"), "{hint}");
    }
}

/// Sends a plain TCP request to `wscheck serve`; returns the answer.
fn asked(serve: &[&str], request: &str) -> String {
    let server = Server::start(serve);
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let head = read_head(&mut stream);
    head.lines().next().unwrap_or_default().to_string()
}

#[test]
fn serve_refuses_http_1_0_and_requests_without_host() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let old = request.replace("HTTP/1.1", "HTTP/1.0");
    let nameless = request.replace("Host: a\r\n", "");
    assert_eq!(asked(&[], request), "HTTP/1.1 101 Switching Protocols");
    for wrong in [&old, &nameless] {
        assert_eq!(asked(&[], wrong), "HTTP/1.1 400 Bad Request");
        assert_eq!(asked(&["--lenient-upgrade"], wrong), "HTTP/1.1 101 Switching Protocols");
    }
    assert_eq!(asked(&[], &request.replace("Version: 13", "Version: 8")), "HTTP/1.1 426 Upgrade Required");
    assert_eq!(asked(&[], &request.replace("Sec-WebSocket-Key", "X")), "HTTP/1.1 400 Bad Request");
}
