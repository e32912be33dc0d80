//! Interprets a redirect and whether a WebSocket can follow it.

use http::header;
use url::Url;

use super::SentRequest;
use crate::domain::connection::target::{Target, redact_url};
use crate::net::connect::http_head::HttpHead;

/// Maximum number of cookies that are named.
const MAX_COOKIES: usize = 3;
/// Path or host name parts of login pages.
const LOGIN_WORDS: &[&str] = &[
    "login",
    "logon",
    "signin",
    "sso",
    "oauth",
    "oauth2",
    "saml",
    "saml2",
    "authorize",
    "authenticate",
    "openid",
    "openid-connect",
    "accounts",
    "idp",
    "cas",
    "adfs",
];
/// Two-word parts of login pages: `/sign-in`, `/users/sign_in`.
const LOGIN_PAIRS: &[[&str; 2]] =
    &[["log", "in"], ["sign", "in"], ["log", "on"], ["sign", "on"], ["session", "new"], ["sessions", "new"]];

/// What to do about a redirect; `None` if its destination cannot be shown.
pub fn hint(sent: &SentRequest<'_>, head: &HttpHead) -> Option<String> {
    let Some(location) = head.text("location") else {
        return Some("it redirects, but without a Location header: the path may be wrong".to_string());
    };
    let here = request_url(sent)?;
    let there = here.join(&location).ok()?;
    if is_same(&here, &there) {
        return Some(self_redirect_hint(sent, &cookies(head)));
    }
    let url = websocket_url(&there)?;
    if is_login(&there) {
        return Some(format!(
            "it redirects to what looks like a login page ({}): send a session's cookie (-H 'Cookie: ...') or \
             -H 'Authorization: ...'",
            redact_url(&there)
        ));
    }
    let plain = if sent.target.secure() && url.starts_with("ws://") { " (it is without TLS)" } else { "" };
    Some(format!("follow it with {url}{plain}"))
}

/// The request's URL with an HTTP scheme.
fn request_url(sent: &SentRequest<'_>) -> Option<Url> {
    let target = sent.target;
    let scheme = if target.secure() { "https" } else { "http" };
    let of = |authority: &str| Url::parse(&format!("{scheme}://{authority}{}", target.resource())).ok();
    sent.given(header::HOST).as_deref().and_then(of).or_else(|| of(&target.authority()))
}

/// Whether two URLs request the same resource of the same server.
fn is_same(here: &Url, there: &Url) -> bool {
    let query = |url: &Url| url.query().filter(|query| !query.is_empty()).map(str::to_string);
    let is_same_server = websocket_scheme(here) == websocket_scheme(there)
        && here.host_str() == there.host_str()
        && here.port_or_known_default() == there.port_or_known_default();
    is_same_server && here.path() == there.path() && query(here) == query(there)
}

fn self_redirect_hint(sent: &SentRequest<'_>, cookies: &[String]) -> String {
    const ITSELF: &str = "the server redirects to itself";
    match (cookies, sent.headers.contains_key(header::COOKIE)) {
        ([], _) if sent.target.secure() => format!(
            "{ITSELF}, without end: behind a proxy that ends TLS it may think that the request came without TLS \
             (X-Forwarded-Proto)"
        ),
        ([], _) => {
            format!("{ITSELF}, without end: its redirect rules, or those of a proxy before it, are wrong")
        }
        (names, true) => {
            format!("{ITSELF} and sets {} again: it does not take the cookie that was sent", named(names))
        }
        (names, false) => format!(
            "{ITSELF}: it wants a cookie; send {} with -H 'Cookie: {}=VALUE' (the value is in its Set-Cookie)",
            named(names),
            names.first().map_or("NAME", |name| if name.is_empty() { "NAME" } else { name.as_str() })
        ),
    }
}

/// `the cookie sticky`, `the cookies a, b`
fn named(names: &[String]) -> String {
    let shown = names.iter().filter(|name| !name.is_empty()).cloned().collect::<Vec<_>>();
    match shown.as_slice() {
        [] => "a cookie".to_string(),
        [one] => format!("the cookie {one}"),
        more => format!("the cookies {}", more.join(", ")),
    }
}

/// Names of the cookies that the response sets; empty for a name that is unsafe to paste.
fn cookies(head: &HttpHead) -> Vec<String> {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    let name = |value: &[u8]| {
        let text = String::from_utf8_lossy(value);
        let name = text.split(['=', ';']).next().unwrap_or_default().trim();
        if name.len() <= 64 && name.chars().all(safe) { name.to_string() } else { String::new() }
    };
    head.all("set-cookie").take(MAX_COOKIES).map(name).collect()
}

fn is_login(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().split('.');
    let path = url.path().split(['/', '_', '.', ';']);
    let words: Vec<String> = host.chain(path).map(str::to_ascii_lowercase).collect();
    let parts: Vec<&str> = words.iter().flat_map(|word| word.split('-')).collect();
    words.iter().any(|word| LOGIN_WORDS.contains(&word.as_str()))
        || parts.iter().any(|word| LOGIN_WORDS.contains(word))
        || parts.windows(2).any(|pair| LOGIN_PAIRS.iter().any(|words| words == pair))
}

fn websocket_scheme(url: &Url) -> Option<&'static str> {
    match url.scheme() {
        "http" | "ws" => Some("ws"),
        "https" | "wss" => Some("wss"),
        _ => None,
    }
}

/// The URL with a WebSocket scheme and without secrets.
fn websocket_url(url: &Url) -> Option<String> {
    let shown = redact_url(url);
    let (_, rest) = shown.split_once("://")?;
    let url = format!("{}://{rest}", websocket_scheme(url)?);
    is_pasteable(&url).then_some(url)
}

/// Whether a peer's URL is safe to paste into a shell, which might run its special characters.
fn is_pasteable(url: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@%=,+*[]".contains(c);
    url.chars().all(safe) && url.parse::<Target>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_for(url: &str, headers: &[(&str, &str)]) -> String {
        let target = url.parse().unwrap();
        hint_of(&SentRequest::plain(&target), headers)
    }

    fn hint_of(sent: &SentRequest<'_>, headers: &[(&str, &str)]) -> String {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        hint(sent, &HttpHead { status: 302, minor_version: 1, headers }).unwrap_or_default()
    }

    #[test]
    fn self_redirect_with_cookie_wants_the_cookie() {
        for location in
            ["http://a.example/ws?x=1", "/ws?x=1", "ws?x=1", "", "ws://A.example:80/ws?x=1#top", "?x=1"]
        {
            let headers = [("location", location), ("set-cookie", "sticky=s3cret; Path=/")];
            let hint = hint_for("ws://a.example/ws?x=1", &headers);
            assert!(
                hint.starts_with("the server redirects to itself: it wants a cookie"),
                "{location}: {hint}"
            );
            assert!(hint.contains("-H 'Cookie: sticky=VALUE'") && !hint.contains("s3cret"), "{hint}");
        }
    }

    #[test]
    fn sent_cookie_is_not_suggested_again() {
        let target = "ws://a.example/ws".parse().unwrap();
        let mut sent = SentRequest::plain(&target);
        sent.headers.insert(header::COOKIE, "a=0".parse().unwrap());
        let hint = hint_of(&sent, &[("location", "/ws"), ("set-cookie", "a=1"), ("set-cookie", "b=1")]);
        assert_eq!(
            hint,
            "the server redirects to itself and sets the cookies a, b again: it does not take the cookie that was sent"
        );
    }

    #[test]
    fn self_redirect_without_cookie_is_a_loop() {
        let hint = hint_for("ws://a.example/ws", &[("location", "http://a.example/ws")]);
        assert!(hint.contains("redirects to itself, without end: its redirect rules"), "{hint}");
        let hint = hint_for("wss://a.example/ws", &[("location", "https://a.example/ws")]);
        assert!(hint.contains("X-Forwarded-Proto"), "{hint}");
    }

    #[test]
    fn user_host_header_is_the_server_name() {
        let target = "ws://127.0.0.1:8080/ws".parse().unwrap();
        let mut sent = SentRequest::plain(&target);
        sent.headers.insert(header::HOST, "a.example".parse().unwrap());
        assert!(hint_of(&sent, &[("location", "http://a.example/ws")]).contains("redirects to itself"));
        assert_eq!(hint_of(&sent, &[("location", "/x")]), "follow it with ws://a.example/x");
    }

    #[test]
    fn other_scheme_or_slash_is_another_url() {
        let follow = |location| hint_for("ws://a.example/ws", &[("location", location)]);
        assert_eq!(follow("https://a.example/ws"), "follow it with wss://a.example/ws");
        assert_eq!(follow("/ws/"), "follow it with ws://a.example/ws/");
        assert_eq!(follow("//b.example/ws"), "follow it with ws://b.example/ws");
        let plain = hint_for("wss://a.example/ws", &[("location", "http://a.example/ws")]);
        assert_eq!(plain, "follow it with ws://a.example/ws (it is without TLS)");
    }

    #[test]
    fn login_page_is_not_followed() {
        for location in [
            "/login",
            "/users/sign_in",
            "/auth/sign-in?next=/ws",
            "https://login.b.example/x",
            "https://sso.b.example/",
            "/oauth2/start?rd=/ws",
            "/Account/Login?ReturnUrl=%2Fws",
            "/cdn-cgi/access/login/a.example",
            "/login.php",
        ] {
            let hint = hint_for("ws://a.example/ws", &[("location", location)]);
            assert!(
                hint.contains("looks like a login page") && hint.contains("Cookie"),
                "{location}: {hint}"
            );
        }
        let hint = hint_for("ws://a.example/ws", &[("location", "http://b.example:9/login?token=s3cret")]);
        assert!(hint.contains("(http://b.example:9/login?token=***)"), "{hint}");
        for location in ["/blogin", "/signal/in", "/ws2", "/socket/websocket", "/castle"] {
            let hint = hint_for("ws://a.example/ws", &[("location", location)]);
            assert!(hint.starts_with("follow it with"), "{location}: {hint}");
        }
    }

    #[test]
    fn cookie_name_is_safe_for_a_shell() {
        let hint = hint_for("ws://a.example/ws", &[("location", "/ws"), ("set-cookie", "'$(id)'=v")]);
        assert!(hint.contains("-H 'Cookie: NAME=VALUE'") && !hint.contains("$("), "{hint}");
    }

    #[test]
    fn redirect_without_location_is_reported() {
        assert!(hint_for("ws://a.example/", &[]).contains("without a Location header"));
    }
}
