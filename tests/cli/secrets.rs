//! Secrets that were sent, or that a server sends, never appear in output.

use std::io::{Read, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::support::{CLOSE, Script, TEXT, answer_pings, frame, read_frame, run, run_concurrently, upgrade};

const SECRET: &str = "s3cr3t-88213";

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// A server that repeats what it receives in every way, and closes with it.
fn echo_everything() -> Script {
    Script::start(|mut stream| {
        upgrade(&mut stream);
        let Some((_, payload)) = read_frame(&mut stream) else { return };
        let text = String::from_utf8_lossy(&payload).into_owned();
        for echo in [
            text.clone(),
            format!(r#"{{"echo":{}}}"#, serde_json::Value::from(text)),
            format!("you said {SECRET}!"),
            format!("in base64: {}", BASE64.encode(SECRET)),
            format!(r#"{{"echo":"{}"}}"#, BASE64.encode(format!("you sent {SECRET}."))),
            format!("in hex: {}", hex(SECRET)),
            r#"{"event":"welcome","session":"their-own-1"}"#.to_string(),
        ] {
            let _ = stream.write_all(&frame(TEXT, echo.as_bytes()));
        }
        let _ = stream.write_all(&frame(0x82, format!("\0\u{1}{SECRET}").as_bytes()));
        let _ = stream.write_all(&frame(0x89, format!("ping {SECRET}").as_bytes()));
        let goodbye = [&4001_u16.to_be_bytes()[..], format!("no such user: {SECRET}").as_bytes()].concat();
        let _ = stream.write_all(&frame(CLOSE, &goodbye));
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

/// The output of these runs in every format.
fn context(url: &str, sent: &[&str]) -> Vec<(String, String)> {
    let commands: [&[&str]; 5] = [
        &["listen", "--for", "1s"],
        &["probe-zombie", "--max", "1s"],
        &["ping", "-c", "2", "-i", "200ms"],
        &["ping", "-c", "2", "-i", "200ms", "--heartbeat", "app", "--await", "never"],
        &["probe-idle", "--max", "1s"],
    ];
    let mut context = Vec::new();
    for command in commands {
        for format in ["human", "json", "ndjson"] {
            let args = [command, &["--proxy", "none", "-o", format], sent, &[url]].concat();
            let ran = run(&args);
            context.push((args.join(" "), format!("{}{}", ran.stdout, ran.stderr)));
        }
    }
    context
}

#[test]
fn sent_secrets_are_redacted_in_reports() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, format!("{{\"op\":\"login\",\"token\":\"{SECRET}\"}}\n")).unwrap();
    let from_file = format!("@{}", file.path().display());
    let json = format!(r#"{{"op":"login","token":"{SECRET}"}}"#);
    let text = format!("AUTH {SECRET}");
    let array = format!(r#"["login","{SECRET}"]"#);
    run_concurrently(&[json, text, array, from_file], |sent| {
        for (args, context) in context(&echo_everything().url(), &["--send", sent]) {
            assert!(!context.contains(SECRET) && !context.contains("their-own-1"), "{args}\n{context}");
            for encoded in [hex(SECRET), BASE64.encode(SECRET), BASE64.encode(format!("you sent {SECRET}."))]
            {
                assert!(!context.contains(&encoded), "{args}\n{context}");
            }
        }
    });
}

#[test]
fn ordinary_text_is_not_redacted() {
    let echo = Script::start(|mut stream| {
        upgrade(&mut stream);
        let Some((_, payload)) = read_frame(&mut stream) else { return };
        let _ = stream.write_all(&frame(TEXT, &payload));
        answer_pings(&mut stream);
    });
    for sent in ["ping", "join", r#"{"op":"subscribe","channel":"trades"}"#] {
        let ran =
            run(&["listen", "--proxy", "none", "--json", "--for", "500ms", "--send", sent, &echo.url()]);
        let document = ran.json();
        assert_eq!(document["received"][0]["payload"], sent, "{document:#}");
    }
}

#[test]
fn file_is_sent_without_its_last_newline() {
    let echo = Script::start(|mut stream| {
        upgrade(&mut stream);
        let Some((_, payload)) = read_frame(&mut stream) else { return };
        let length = format!("{} bytes", payload.len());
        let _ = stream.write_all(&frame(TEXT, length.as_bytes()));
        answer_pings(&mut stream);
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "two\nlines\n").unwrap();
    let given = format!("@{}", file.path().display());
    for (sent, length) in [(given.as_str(), "9 bytes"), ("@@x", "2 bytes")] {
        let ran =
            run(&["listen", "--proxy", "none", "--json", "--for", "500ms", "--send", sent, &echo.url()]);
        assert_eq!(ran.json()["received"][0]["payload"], length);
    }
}

#[test]
fn file_that_is_missing_is_a_usage_error() {
    for command in ["listen", "probe-zombie", "ping", "probe-idle"] {
        let ran = run(&[command, "--send", "@/nonexistent/login", "ws://127.0.0.1:9/"]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("--send: cannot read /nonexistent/login"), "{}", ran.stderr);
    }
}

#[test]
fn header_and_query_secrets_are_redacted() {
    let refusing = Script::start(|mut stream| {
        let head = crate::support::read_head(&mut stream);
        let body = format!("what you sent:\n{head}");
        let _ = write!(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    });
    let url = format!("{}?room=lobby&access_token={SECRET}", refusing.url());
    let header = format!("X-Api-Key: {SECRET}-b");
    for format in ["human", "json"] {
        let ran =
            run(&["ping", "--proxy", "none", "-o", format, "--user", "bob:swordfish1", "-H", &header, &url]);
        let context = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!context.contains(SECRET) && !context.contains("swordfish1"), "{context}");
        assert!(!context.contains("Ym9iOnN3b3JkZmlzaDE="), "{context}");
        assert!(context.contains("room=lobby"), "{context}");
    }
}

/// Both the proxy and the server behind it reveal what they received.
#[test]
fn proxy_password_is_redacted() {
    let password = "Pr0xy-pass-71";
    let pair = BASE64.encode(format!("me:{password}"));
    let words = format!("{password} {pair} {}", hex(password));
    let answers = [
        format!(
            "HTTP/1.1 407 Proxy Authentication Required\r\nX-Debug: {words}\r\nContent-Length: 0\r\n\r\n"
        ),
        format!("HTTP/1.1 403 {words}\r\nContent-Length: {}\r\n\r\n{words}", words.len()),
    ];
    let refuses = answers.clone().map(Script::answering);
    let relays = answers.map(|answer| {
        Script::start(move |mut stream| {
            crate::support::read_head(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
            crate::support::read_head(&mut stream);
            let _ = stream.write_all(answer.as_bytes());
        })
    });
    for script in refuses.iter().chain(&relays) {
        for format in ["human", "json", "ndjson"] {
            let proxy = format!("http://me:{password}@127.0.0.1:{}", script.port);
            let ran = run(&["ping", "-c", "1", "-o", format, "--proxy", &proxy, "ws://a.invalid/"]);
            let context = format!("{}{}", ran.stdout, ran.stderr);
            for secret in [password, &pair, &hex(password)] {
                assert!(!context.contains(secret), "{secret}\n{context}");
            }
        }
    }
}
