//! What is hidden, and what stays.

use proptest::prelude::*;

use super::*;

fn shown(text: &str) -> String {
    redact_with(text, &SentSecrets::new())
}

fn shown_after(sent: &[&str], text: &str) -> String {
    let mut all = SentSecrets::new();
    sent.iter().for_each(|message| all.message(message));
    redact_with(text, &all)
}

#[test]
fn values_of_secret_fields_are_hidden_in_any_form() {
    for (text, expected) in [
        (r#"{"type":"welcome","token":"abc"}"#, r#"{"type":"welcome","token":"***"}"#),
        (r#"{"Token" : "a\"b\\", "x":1}"#, r#"{"Token" : "***", "x":1}"#),
        (r#"{"data":{"sessionId":"x y","n":2}}"#, r#"{"data":{"sessionId":"***","n":2}}"#),
        (r#"{"pin":4711,"ok":true}"#, r#"{"pin":***,"ok":true}"#),
        (r#"{"tokens":["a","b"],"n":1}"#, r#"{"tokens":["***","***"],"n":1}"#),
        (r#"{"auth":{"user":"bob","n":1},"x":"y"}"#, r#"{"auth":{"user":"***","n":1},"x":"y"}"#),
        (r#"{"m":"{\"password\":\"p\\\"q\",\"a\":\"b\"}"}"#, r#"{"m":"{\"password\":\"***\",\"a\":\"b\"}"}"#),
        ("{'token': 'abc', 'n': 1}", "{'token': '***', 'n': 1}"),
        ("user=bob&password=secret&x=1", "user=bob&password=***&x=1"),
        ("Authorization: Basic dXNlcjpwYXNz\r\nX: y", "Authorization: ***\r\nX: y"),
        ("Set-Cookie: a=b; Path=/\nz", "Set-Cookie: ***\nz"),
        ("passcode:guest\n\n", "passcode:***\n\n"),
        ("<password>x y</password>", "<password>***</password>"),
        ("<auth mechanism='PLAIN'>AGEAYg==</auth>", "<auth mechanism='PLAIN'>***</auth>"),
        (r#"{"api key":"x"}"#, r#"{"api key":"***"}"#),
        ("sent Bearer abcdef0123456789 back", "sent Bearer *** back"),
        ("got eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl!", "got ***!"),
        (r#"42["auth",{"jwt":"x"}]"#, r#"42["auth",{"jwt":"***"}]"#),
        (r#"{"token":"never closed"#, r#"{"token":"***"#),
        ("password=", "password="),
    ] {
        assert_eq!(shown(text), expected, "{text}");
        assert_eq!(shown(expected), expected, "once more");
    }
}

#[test]
fn ordinary_text_stays() {
    for text in [
        "ping",
        r#"{"type":"ping","id":"00000000000000ab-3","timestamp":1700000000020}"#,
        "invalid token: expired",
        "session: closed",
        r#"{"token":null,"session":true,"tokens":1500}"#,
        r#"{"author":"bob","key":"left","code":1008}"#,
        "Bearer authentication required",
        "the password is too short",
        r#"{"op":"subscribe","channel":"orderbook.50.BTCUSDT"}"#,
        "héllo: wörld = ✓",
    ] {
        assert_eq!(shown(text), text);
    }
}

#[test]
fn what_was_sent_is_hidden_wherever_it_returns() {
    let secret = r#"{"op":"login","token":"s3cr3t/é-value","user":"robert"}"#;
    for (text, expected) in [
        ("bad token s3cr3t/é-value here", "bad token *** here"),
        (r#"{"got":"s3cr3t\/é-value"}"#, r#"{"got":"***"}"#),
        (r#"{"got":"s3cr3t/\u00e9-value"}"#, r#"{"got":"***"}"#),
        ("/x?v=s3cr3t%2F%C3%A9-value", "/x?v=***"),
        ("as3cr3t/é-valueb", "a***b"),
        (secret, "***"),
        (r#"{"echo":{"op":"login","token":"s3cr3t/é-value","user":"robert"}}"#, r#"{"echo":***}"#),
        (r#"{"op":"login","user":"robert"}"#, r#"{"op":"login","user":"robert"}"#),
    ] {
        assert_eq!(shown_after(&[secret], text), expected, "{text}");
    }
}

#[test]
fn every_kind_of_message_teaches_its_secrets() {
    for (sent, text, expected) in [
        ("AUTH hunter2", "you said hunter2", "you said ***"),
        ("PASS oauth:abcdefgh", "bad oauth:abcdefgh", "bad ***"),
        ("login bob swordfish", "no swordfish", "no ***"),
        ("CONNECT\npasscode:guest\n\n\0", "a guest, guests", "a ***, guests"),
        (r#"["key-1f2e3d4c5b","x"]"#, "key-1f2e3d4c5b?", "***?"),
        (r#"42["auth",{"token":"abcd"}]"#, "abcd abcde", "*** abcde"),
        (r#"{"a":"{\"token\":\"wxyz1\"}"}"#, "wxyz1", "***"),
        (r#"{"text":"correct horse battery staple"}"#, "correct horse battery staple", "***"),
        ("a b c d e f g", "you said: a b c d e f g", "you said: ***"),
        ("pw=topsecret1 x", "topsecret1", "***"),
        (r#"{"pin":47110}"#, "pin 47110", "pin ***"),
    ] {
        assert_eq!(shown_after(&[sent], text), expected, "{sent}");
    }
}

#[test]
fn an_ordinary_message_hides_nothing() {
    for sent in
        ["ping", "x", "join", r#"{"type":"join","room":"lobby"}"#, "hello world", "2", r#"{"token":true}"#]
    {
        for text in ["ping", r#"{"type":"ping"}"#, "join the lobby", sent, "hello world 2"] {
            assert_eq!(shown_after(&[sent], text), text, "{sent}");
        }
    }
}

#[test]
fn a_binary_message_teaches_its_texts_and_the_whole() {
    let mut sent = SentSecrets::new();
    sent.bytes(b"\x10\x20\0\x04MQTT\x05\xc2bob\0\x07hunter2");
    assert_eq!(redact_with("user hunter2 MQTT", &sent), "user *** MQTT");
    assert_eq!(sent.length_at(b"\x10\x20\0\x04MQTT\x05\xc2bob\0\x07hunter2", 0), Some(22));
}

#[test]
fn secrets_of_headers_are_hidden_and_other_headers_are_not() {
    let mut sent = SentSecrets::new();
    for (name, value) in [
        ("authorization", "Bearer swordfish"),
        ("cookie", "sid=4f5e6d7c8b; theme=dark"),
        ("x-api-key", "letmein"),
        ("x-room", "lobby"),
        ("user-agent", "Mozilla/5.0"),
    ] {
        sent.header(name, value);
    }
    let text = "a swordfish, 4f5e6d7c8b, letmein, dark lobby of Mozilla/5.0";
    assert_eq!(redact_with(text, &sent), "a ***, ***, ***, dark lobby of Mozilla/5.0");
}

#[test]
fn a_flood_of_secrets_costs_bounded_memory() {
    let mut sent = SentSecrets::new();
    (0..2000).for_each(|n| sent.value(&format!("secret-number-{n}")));
    assert!(sent.clone().length_at(b"x", 0).is_none());
    assert!(!shown(&r#"{"token":["a"#.repeat(10_000)).is_empty());
}

proptest! {
    #[test]
    fn no_text_panics(text in "(token|\"|\\\\|:|=|\\{|\\[|\\]|\\}|'|<|>|é|a| ){0,40}") {
        shown(&text);
        prop_assert!(fields::fields(&text).all(|value| text.get(value).is_some()));
    }

    #[test]
    fn any_value_of_a_token_is_hidden(value in "[a-z]{3,6}[0-9]{3,6}\\PC{0,20}", before in "\\PC{0,20}") {
        let message = serde_json::json!({"x": before, "token": value}).to_string();
        let later = shown_after(&[&message], &[before.as_str(), " ", value.as_str()].concat());
        let is_hidden = !shown(&message).contains(&value) && !later.contains(&value);
        prop_assert!(is_hidden || before.contains(&value));
    }
}

#[test]
fn renewed_credentials_replace_older_ones_only() {
    let mut sent = SentSecrets::new();
    sent.value("hunter2!");
    for number in 0..2000 {
        sent.renew();
        sent.value("Kept-through-all-renewals");
        sent.value(&format!("Renewed-{number}-credential"));
    }
    let is_hidden = |text: &str| sent.length_at(text.as_bytes(), 0).is_some();
    assert!(is_hidden("hunter2!"), "the command line's");
    assert!(is_hidden("Kept-through-all-renewals"));
    assert!(is_hidden("Renewed-1999-credential") && is_hidden("Renewed-1700-credential"));
    assert!(!is_hidden("Renewed-1000-credential"), "memory is bounded");
}
