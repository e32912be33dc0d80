//! How an Engine.IO server refuses: the error codes in its response body (engine.io lib/server.ts,
//! `Server.errors`).

use serde_json::Value;

/// The server's text for each code, from 0.
const MESSAGES: [&str; 6] = [
    "Transport unknown",
    "Session ID unknown",
    "Bad handshake method",
    "Bad request",
    "Forbidden",
    "Unsupported protocol version",
];

/// A hint for the response of an Engine.IO server; `resource` is the requested path and query. `None` if the
/// body is no such response.
pub fn hint(body: &[u8], resource: &str) -> Option<String> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let code = answer.get("code")?.as_u64().and_then(|code| usize::try_from(code).ok())?;
    let message = answer.get("message")?.as_str()?;
    let expected = MESSAGES.get(code)?;
    if !message.eq_ignore_ascii_case(expected) && !is_engine_io(resource) {
        return None;
    }
    let meaning = match code {
        0 => {
            "it does not know the transport: the query must have transport=websocket, and the server must allow it"
        }
        1 => {
            "it does not know this session (sid): leave sid out, or make the balancer send a session to one server"
        }
        2 => "it takes no such handshake: the query must have no sid, and the request must be GET",
        3 => "it takes this for no handshake: check EIO and transport in the query",
        4 => "it forbids this client: many check the origin (--origin) or a token",
        _ => {
            return Some(format!("the server speaks another Engine.IO version: {}", other_version(resource)));
        }
    };
    Some(format!("an Engine.IO server says code {code} ({expected}): {meaning}"))
}

fn is_engine_io(resource: &str) -> bool {
    ["EIO=", "/socket.io", "/engine.io"].iter().any(|mark| resource.contains(mark))
}

/// Which version to try instead of the query's.
fn other_version(resource: &str) -> &'static str {
    if resource.contains("EIO=3") { "--preset engine.io or socket.io" } else { "--preset engine.io-3" }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESOURCE: &str = "/socket.io/?EIO=4&transport=websocket";

    fn of(body: &str, resource: &str) -> Option<String> {
        hint(body.as_bytes(), resource)
    }

    #[test]
    fn another_version_names_the_preset_to_try() {
        let body = r#"{"code":5,"message":"Unsupported protocol version"}"#;
        assert_eq!(
            of(body, RESOURCE).unwrap(),
            "the server speaks another Engine.IO version: --preset engine.io-3"
        );
        let of_3 = of(body, "/socket.io/?EIO=3&transport=websocket").unwrap();
        assert!(of_3.ends_with("--preset engine.io or socket.io"), "{of_3}");
    }

    #[test]
    fn each_code_has_its_words() {
        for (code, message) in MESSAGES.iter().enumerate().take(5) {
            let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
            let expected = format!("an Engine.IO server says code {code} ({message}): ");
            assert!(of(&body, "/x").unwrap().starts_with(&expected), "{code}");
        }
        let own_words = r#"{"code":4,"message":"no token"}"#;
        assert!(of(own_words, RESOURCE).unwrap().contains("(Forbidden)"));
    }

    #[test]
    fn bodies_of_others_are_none_of_its_answers() {
        for body in [
            r#"{"code":4,"message":"no"}"#,
            r#"{"code":9,"message":"x"}"#,
            "{}",
            "[]",
            "no",
            r#"{"code":"5"}"#,
        ] {
            assert_eq!(of(body, "/api"), None, "{body}");
        }
        assert_eq!(of(r#"{"code":-1,"message":"x"}"#, RESOURCE), None);
    }
}
