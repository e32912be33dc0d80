//! What an HTTP response tells of those who answered, and what to do about a refusal.

use url::Url;

use crate::domain::opening::{FailureKind, Refusal};
use crate::domain::peer_text::PeerText;
use crate::domain::target::{Target, redact_text, redact_url};

use super::fault::Fault;
use super::head::Head;

/// Headers that tell which servers and proxies a response came through.
const HOPS: &[&str] = &[
    "server",
    "via",
    "x-powered-by",
    "x-served-by",
    "x-cache",
    "x-forwarded-server",
    "x-varnish",
    "cf-ray",
    "cf-mitigated",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-azure-ref",
    "fly-request-id",
    "x-vercel-id",
    "sozu-id",
    "alt-svc",
];
/// Beginnings of such headers' names.
const HOP_FAMILIES: &[&str] = &["x-amzn-", "x-envoy-"];
/// Headers that tell why an upgrade was refused.
const REASONS: &[&str] = &[
    "location",
    "www-authenticate",
    "proxy-authenticate",
    "sec-websocket-version",
    "upgrade",
    "retry-after",
    "allow",
    "content-type",
    "x-squid-error",
];
/// The most telling headers that are kept.
const MOST_KEPT: usize = 32;

/// The headers of `head` that tell of hops.
pub fn hops(head: &Head) -> Vec<(String, PeerText)> {
    kept(head, is_hop)
}

fn is_hop(name: &str) -> bool {
    HOPS.contains(&name) || HOP_FAMILIES.iter().any(|family| name.starts_with(family))
}

fn kept(head: &Head, keep: impl Fn(&str) -> bool) -> Vec<(String, PeerText)> {
    let kept = head.headers.iter().filter(|(name, _)| keep(name)).take(MOST_KEPT);
    kept.map(|(name, value)| (name.clone(), shown(name, value))).collect()
}

/// A redirect may carry credentials in its URL.
fn shown(name: &str, value: &[u8]) -> PeerText {
    match name {
        "location" => PeerText::new(&redact_text(&String::from_utf8_lossy(value))),
        _ => PeerText::from_bytes(value),
    }
}

/// The response as evidence: its status, its telling headers and the start of its body.
pub fn evidence(head: &Head, body: &[u8]) -> Refusal {
    let headers = kept(head, |name| is_hop(name) || REASONS.contains(&name));
    let body = if repeats_a_secret(head, body) { PeerText::default() } else { PeerText::from_bytes(body) };
    Refusal { status: head.status, headers, body }
}

/// Whether the body repeats a Location that is not shown as it is: most redirects come with a page
/// that links to it.
fn repeats_a_secret(head: &Head, body: &[u8]) -> bool {
    let Some(location) = head.text("location").filter(|location| redact_text(location) != *location) else {
        return false;
    };
    let body = String::from_utf8_lossy(body);
    let plain = location.split(['?', '#']).next().unwrap_or_default();
    body.contains(plain) || body.to_ascii_lowercase().contains("href")
}

/// The fault of a response to `target`'s upgrade that is not 101.
pub fn fault(target: &Target, head: &Head, body: &[u8]) -> Fault {
    let status = head.status;
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let cause = match reason {
        Some(reason) => format!("HTTP {status} ({reason}) instead of 101"),
        None => format!("HTTP {status} instead of 101"),
    };
    let fault = Fault::new(FailureKind::UpgradeRefused, cause);
    let hint = speaks_tls(target, body).or_else(|| hint(target, head));
    Fault { hint, refusal: Some(evidence(head, body)), ..fault }
}

/// What TLS servers say to plain HTTP: nginx, Go's net/http, Apache httpd, `wscheck serve --tls`.
const WANTS_TLS: &[&str] = &[
    "plain http request was sent to https port",
    "client sent an http request to an https server",
    "speaking plain http to an ssl-enabled server port",
    "this port speaks tls",
];

fn speaks_tls(target: &Target, body: &[u8]) -> Option<String> {
    let body = String::from_utf8_lossy(body).to_ascii_lowercase();
    let wants_tls = WANTS_TLS.iter().any(|words| body.contains(words));
    (wants_tls && !target.secure()).then(|| TRY_WSS.to_string())
}

/// The hint for a TLS server on a plain URL.
pub const TRY_WSS: &str = "the server speaks TLS on this port: use wss://";

fn hint(target: &Target, head: &Head) -> Option<String> {
    let hint = match head.status {
        200..=299 => "the server answers, but this path is not a WebSocket endpoint: check the path".into(),
        300..=399 => return redirect(target, head),
        400 => {
            "the server, or a proxy before it, does not take this as a WebSocket request: check the path, \
                the subprotocol, and that proxies pass Upgrade and Connection on"
                .into()
        }
        401 => match head.text("www-authenticate") {
            Some(_) => {
                "credentials are missing or wrong: give them with --user or -H 'Authorization: ...'".into()
            }
            None => {
                "credentials are missing or wrong: -H 'Authorization: ...', a cookie, or a token in the query"
                    .into()
            }
        },
        403 => {
            "the server forbids it: many check the origin (--origin https://the.site), others the credentials"
                .into()
        }
        404 | 410 => "there is nothing at this path: check the path".into(),
        405 => "this path does not take GET, as every WebSocket upgrade is: check the path".into(),
        407 => "a proxy on the way wants credentials".into(),
        426 => upgrade_required(head),
        429 => retry("the server limits connections or requests", head),
        500 => "the server failed while handling the upgrade: its log knows why".into(),
        502..=504 => retry("a proxy answers, but the server behind it does not", head),
        505 => "the server wants another HTTP version; it may offer HTTP/2 only".into(),
        _ => return None,
    };
    Some(hint)
}

fn upgrade_required(head: &Head) -> String {
    match (head.text("sec-websocket-version"), head.text("upgrade")) {
        (Some(version), _) => {
            format!(
                "the server wants another WebSocket version ({}); wscheck speaks 13",
                PeerText::new(&version)
            )
        }
        (None, Some(upgrade)) if !upgrade.to_ascii_lowercase().contains("websocket") => {
            format!("the server wants another protocol here: {}", PeerText::new(&upgrade))
        }
        (None, _) => {
            "the server saw no WebSocket upgrade: a proxy before it may drop Upgrade and Connection".into()
        }
    }
}

fn retry(why: &str, head: &Head) -> String {
    match head.text("retry-after") {
        Some(after) => format!("{why}; it asks to retry after {}", PeerText::new(&after)),
        None => why.to_string(),
    }
}

/// The URL that a redirect leads to, as a WebSocket one.
fn redirect(target: &Target, head: &Head) -> Option<String> {
    let location = head.text("location")?;
    let scheme = if target.secure() { "https" } else { "http" };
    let here = Url::parse(&format!("{scheme}://{}{}", target.authority(), target.resource())).ok()?;
    let there = here.join(&location).ok()?;
    let scheme = match there.scheme() {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return None,
    };
    let shown = redact_url(&there);
    let (_, rest) = shown.split_once("://")?;
    let url = format!("{scheme}://{rest}");
    can_be_pasted(&url).then(|| format!("follow it with {url}"))
}

/// Whether a URL that a peer made can be copied into a shell: one of a shell's own characters in it
/// could run what the peer likes.
fn can_be_pasted(url: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-._~:/?@%=,+*[]".contains(c);
    url.chars().all(safe) && url.parse::<Target>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(status: u16, headers: &[(&str, &str)]) -> Head {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        Head { status, minor_version: 1, headers }
    }

    fn hint_of(status: u16, headers: &[(&str, &str)]) -> String {
        let target = "ws://a.example:8080/x".parse().unwrap();
        fault(&target, &head(status, headers), b"").hint.unwrap_or_default()
    }

    #[test]
    fn telling_headers_are_kept_and_cookies_are_not() {
        let head = head(
            101,
            &[
                ("server", "nginx\x1b[2J"),
                ("set-cookie", "session=secret"),
                ("date", "now"),
                ("x-envoy-upstream-service-time", "3"),
            ],
        );
        let kept = hops(&head);
        assert_eq!(
            kept,
            [
                ("server".to_string(), PeerText::new("nginx\x1b[2J")),
                ("x-envoy-upstream-service-time".to_string(), PeerText::new("3")),
            ]
        );
    }

    #[test]
    fn a_flood_of_telling_headers_is_cut() {
        let head = head(200, &vec![("via", "x"); 100]);
        assert_eq!(evidence(&head, b"").headers.len(), MOST_KEPT);
    }

    #[test]
    fn a_redirect_is_shown_as_a_websocket_url_without_its_secrets() {
        let follow = |location| hint_of(302, &[("location", location)]);
        assert_eq!(follow("https://b.example/y?token=s"), "follow it with wss://b.example/y?token=***");
        assert_eq!(follow("/login"), "follow it with ws://a.example:8080/login");
        assert_eq!(follow("http://u:p@b.example/"), "follow it with ws://***@b.example/");
        assert_eq!(follow("ftp://b.example/"), "");
        let target = "ws://a.example/".parse().unwrap();
        let fault = fault(&target, &head(301, &[("location", "https://u:pw@b/?token=t0p")]), b"");
        let shown = format!("{fault:?}");
        assert!(!shown.contains("t0p") && !shown.contains("pw"), "{shown}");
    }

    #[test]
    fn a_redirect_that_a_shell_would_read_otherwise_is_not_offered() {
        let follow = |location| hint_of(302, &[("location", location)]);
        for location in
            ["/x;reboot", "/$(id)", "/?a=1&reboot", "/'x'", "/x|y", "/(x)", "/!x", "http://b.example:0/"]
        {
            assert_eq!(follow(location), "", "{location}");
        }
        assert_eq!(follow("http://b.example/`id` x"), "follow it with ws://b.example/%60id%60%20x");
    }

    #[test]
    fn the_secrets_of_a_relative_redirect_are_not_shown_nor_repeated_by_the_body() {
        for location in ["/cb#access_token=SECRET", "/cb?x=1#access_token=SECRET", "/cb?key=SECRET"] {
            let target = "ws://a.example/".parse().unwrap();
            let head = head(302, &[("location", location)]);
            for body in [format!("<a href=\"{location}\">Found</a>"), format!("see {location}")] {
                let fault = fault(&target, &head, body.as_bytes());
                assert!(!format!("{fault:?}").contains("SECRET"), "{fault:?}");
            }
        }
        let open = head(302, &[("location", "/login")]);
        assert_eq!(evidence(&open, b"see /login").body.as_str(), "see /login");
    }

    #[test]
    fn each_known_status_has_its_hint() {
        assert!(hint_of(200, &[]).contains("not a WebSocket endpoint"));
        assert!(hint_of(401, &[("www-authenticate", "Basic")]).contains("--user"));
        assert!(hint_of(403, &[]).contains("--origin"));
        assert!(hint_of(404, &[]).contains("path"));
        assert!(hint_of(426, &[("sec-websocket-version", "8")]).contains("(8); wscheck speaks 13"));
        assert!(hint_of(426, &[("upgrade", "h2c")]).contains("another protocol here: h2c"));
        assert!(hint_of(429, &[("retry-after", "5")]).ends_with("retry after 5"));
        assert!(hint_of(503, &[]).contains("the server behind it"));
        assert_eq!(hint_of(418, &[]), "");
    }

    #[test]
    fn a_tls_server_that_answers_in_plain_http_is_recognised() {
        let body = b"<h1>400 The plain HTTP request was sent to HTTPS port</h1>";
        let plain = "ws://a.example/".parse().unwrap();
        for body in [&body[..], b"This port speaks TLS: connect with a wss:// URL.\n"] {
            assert_eq!(fault(&plain, &head(400, &[]), body).hint.as_deref(), Some(TRY_WSS));
        }
        let secure = "wss://a.example/".parse().unwrap();
        assert_ne!(fault(&secure, &head(400, &[]), body).hint.as_deref(), Some(TRY_WSS));
    }
}
