//! Interprets a refused upgrade: which hops answered, and what to do about it.

pub mod auth_challenge;
mod body_decoding;
mod body_text;
mod gateway;
mod redirect;

use http::header::{self, HeaderMap, HeaderName};

use crate::domain::connection::connect_info::{FailureKind, HttpVersion, RefusalResponse};
use crate::domain::connection::engine_io;
use crate::domain::connection::target::{Target, redact_text};
use crate::domain::connection::untrusted_text::UntrustedText;

use super::http_head::HttpHead;
use crate::net::dial_error::DialError;
use auth_challenge::AuthSchemes;
use body_decoding::ResponseBody;
use body_text::{BodyText, TlsDemand};

/// Headers that identify servers and proxies on the path.
const HOP_HEADERS: &[&str] = &[
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
/// Prefixes of such headers' names.
const HOP_HEADER_PREFIXES: &[&str] = &["x-amzn-", "x-envoy-"];
/// Headers that explain a refusal.
const REASON_HEADERS: &[&str] = &[
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
/// Maximum number of reported headers.
const MAX_KEPT_HEADERS: usize = 32;

/// The headers of `head` that identify hops.
pub fn hops(head: &HttpHead) -> Vec<(String, UntrustedText)> {
    reported_headers(head, is_hop)
}

fn is_hop(name: &str) -> bool {
    HOP_HEADERS.contains(&name) || HOP_HEADER_PREFIXES.iter().any(|family| name.starts_with(family))
}

fn reported_headers(head: &HttpHead, keep: impl Fn(&str) -> bool) -> Vec<(String, UntrustedText)> {
    let kept = head.headers.iter().filter(|(name, _)| keep(name)).take(MAX_KEPT_HEADERS);
    kept.map(|(name, value)| (name.clone(), redacted_value(name, value))).collect()
}

/// Redacts a header's value if needed: a redirect URL may contain credentials.
fn redacted_value(name: &str, value: &[u8]) -> UntrustedText {
    match name {
        "location" => UntrustedText::new(&redact_text(&String::from_utf8_lossy(value))),
        _ => UntrustedText::from_bytes(value),
    }
}

/// The parts of the refused request that hints depend on.
#[derive(Debug, Clone)]
pub struct SentRequest<'a> {
    pub target: &'a Target,
    /// The user's headers.
    pub headers: HeaderMap,
    /// The scheme of the Authorization header.
    pub authorization: Option<String>,
    pub http: HttpVersion,
}

impl<'a> SentRequest<'a> {
    /// A request without headers from the user.
    #[cfg(test)]
    pub fn plain(target: &'a Target) -> SentRequest<'a> {
        SentRequest { target, headers: HeaderMap::new(), authorization: None, http: HttpVersion::Http1 }
    }

    /// The user's value of a header.
    pub fn given(&self, name: HeaderName) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).trim().to_string())
    }

    /// The value of Sec-WebSocket-Version.
    fn version(&self) -> String {
        self.given(header::SEC_WEBSOCKET_VERSION).unwrap_or_else(|| WEBSOCKET_VERSION.to_string())
    }

    /// Whether the user's own Upgrade or Connection header replaced ours.
    fn has_own_upgrade(&self) -> bool {
        let lacks = |name, token: &str| {
            self.given(name)
                .is_some_and(|value| !value.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
        };
        lacks(header::UPGRADE, "websocket") || lacks(header::CONNECTION, "upgrade")
    }
}

/// The protocol version that wscheck speaks (RFC 6455 section 4.1).
const WEBSOCKET_VERSION: &str = "13";

/// The response as evidence: status, reported headers, and the start of the body (`bytes`).
pub fn evidence(head: &HttpHead, bytes: &[u8]) -> RefusalResponse {
    refusal_evidence(head, &ResponseBody::new(head, bytes))
}

fn refusal_evidence(head: &HttpHead, body: &ResponseBody) -> RefusalResponse {
    let headers = reported_headers(head, |name| is_hop(name) || REASON_HEADERS.contains(&name));
    let body = if repeats_a_secret(head, &body.text) { UntrustedText::default() } else { body.shown.clone() };
    RefusalResponse { status: head.status, headers, body, saw_no_upgrade: false }
}

/// Whether the body repeats a redacted Location. Most redirects come with a page that links to it.
fn repeats_a_secret(head: &HttpHead, body: &str) -> bool {
    let Some(location) = head.text("location").filter(|location| redact_text(location) != *location) else {
        return false;
    };
    let plain = location.split(['?', '#']).next().unwrap_or_default();
    body.contains(plain) || body.to_ascii_lowercase().contains("href")
}

/// Describes a response to the upgrade other than 101.
pub fn fault(sent: &SentRequest<'_>, head: &HttpHead, bytes: &[u8]) -> DialError {
    let status = head.status;
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let cause = match reason {
        Some(reason) => format!("HTTP {status} ({reason}) instead of {}", sent.http.success()),
        None => format!("HTTP {status} instead of {}", sent.http.success()),
    };
    let fault = DialError::new(FailureKind::UpgradeRefused, cause);
    let body = ResponseBody::new(head, bytes);
    let refused = RefusedResponse { sent, head, body: &body, wording: BodyText::new(&body.text) };
    let (hint, saw_no_upgrade) = (refused.hint(), refused.saw_no_upgrade());
    let refusal = RefusalResponse { saw_no_upgrade, ..refusal_evidence(head, &body) };
    DialError { hint, refusal: Some(refusal), ..fault }
}

/// The hint for a TLS server on a plain URL.
pub const TRY_WSS: &str = "the server speaks TLS on this port: use wss://";
const WANTS_TLS: &str = "the server wants TLS: use wss://, perhaps on another port";
const PLAIN_BEFORE_TLS: &str =
    "a proxy before the server sends plain HTTP to its TLS port: the proxy must use https:// towards it";
const NO_UPGRADE: &str = "the server saw no WebSocket upgrade: a proxy before it may drop Upgrade and Connection, or speak HTTP/1.0 to it";
const NOT_PASSED_ON: &str = "the server took no WebSocket from what speaks HTTP/2 before it: that must turn extended CONNECT into an \
                             upgrade of HTTP/1.1; --http 1.1 tells whether only HTTP/2 is affected";
const ALLOWED_AND_NOT_IMPLEMENTED: &str = "its settings allow WebSockets over HTTP/2, and it does not implement them, so that browsers fail that use \
                                           HTTP/2 here: --http 1.1 tells whether only HTTP/2 is affected";
const OWN_HEADERS: &str = "the server saw no WebSocket upgrade: -H replaced Upgrade or Connection";
const BOT_CHECK: &str = "Cloudflare wants a browser to pass its challenge (cf-mitigated): exempt this path, or send the cookie of a browser";

/// A refusal and what its hint depends on.
struct RefusedResponse<'a> {
    sent: &'a SentRequest<'a>,
    head: &'a HttpHead,
    body: &'a ResponseBody,
    wording: BodyText,
}

impl RefusedResponse<'_> {
    fn hint(&self) -> Option<String> {
        if let Some(tls) = self.tls_hint() {
            return Some(tls.to_string());
        }
        if self.head.has_token("cf-mitigated", "challenge") {
            return Some(BOT_CHECK.to_string());
        }
        let engine_io = engine_io::hint(self.body.text.as_bytes(), self.sent.target.resource());
        let hint = engine_io.or_else(|| self.hint_by_text()).or_else(|| self.hint_by_status());
        match hint {
            Some(hint) if self.is_http_1_0_relevant() => Some(format!("{hint}; {HTTP_1_0}")),
            None if self.is_http_1_0_relevant() => Some(HTTP_1_0.to_string()),
            hint => hint,
        }
    }

    /// The hint if the body demands TLS.
    fn tls_hint(&self) -> Option<&'static str> {
        if !(400..500).contains(&self.head.status) {
            return None;
        }
        let upgrade_to_tls =
            self.head.status == 426 && self.head.tokens("upgrade").any(|token| token.starts_with("tls/"));
        let demand = self.wording.wants_tls().or(upgrade_to_tls.then_some(TlsDemand::Server))?;
        Some(match (self.sent.target.secure(), demand) {
            (false, TlsDemand::Port) => TRY_WSS,
            (false, TlsDemand::Server) => WANTS_TLS,
            (true, TlsDemand::Port) => PLAIN_BEFORE_TLS,
            (true, TlsDemand::Server) => return None,
        })
    }

    /// Whether the response says that an ordinary request came, although we sent an upgrade.
    fn saw_no_upgrade(&self) -> bool {
        let is_of_another_cause = self.sent.http == HttpVersion::Http2
            || self.tls_hint().is_some()
            || self.sent.has_own_upgrade()
            || self.version_hint().is_some()
            || matches!(self.head.status, 300..=399 | 401 | 403 | 407 | 429);
        let by_text = self.wording.wants_http_1_1() || self.wording.lacks_upgrade();
        let by_head = match self.head.status {
            400 => self.is_bare() && self.head.tokens("sec-websocket-version").next().is_some(),
            426 => !self.wants_other_protocol(),
            _ => false,
        };
        !is_of_another_cause && (by_text || by_head)
    }

    /// Whether HTTP/1.0 in the response means something. HAProxy's error pages always use HTTP/1.0.
    fn is_http_1_0_relevant(&self) -> bool {
        const BY_A_SERVER: &[u16] = &[200, 400, 404, 405, 426, 500, 501, 505];
        self.head.minor_version == 0 && BY_A_SERVER.contains(&self.head.status)
    }

    /// The hint from the body's text or the offered versions.
    fn hint_by_text(&self) -> Option<String> {
        if matches!(self.head.status, 300..=399 | 401 | 403 | 407 | 429) {
            return None;
        }
        if let Some(other) = self.version_hint() {
            return Some(other);
        }
        if self.wording.has("required ssl certificate") {
            return Some(CLIENT_CERTIFICATE.to_string());
        }
        if self.wording.wants_http_1_1() {
            return Some(format!("{SPEAKS_1_0}{}", self.nginx_hint()));
        }
        self.wording.lacks_upgrade().then(|| self.no_upgrade_hint())
    }

    /// The hint if the server accepts only other versions.
    fn version_hint(&self) -> Option<String> {
        let versions: Vec<String> = self.head.tokens("sec-websocket-version").collect();
        let sent = self.sent.version();
        if versions.is_empty() || versions.contains(&sent) {
            return None;
        }
        let shown = UntrustedText::new(&versions.join(", "));
        Some(match sent.as_str() {
            WEBSOCKET_VERSION => {
                format!("the server wants another WebSocket version ({shown}); wscheck speaks 13")
            }
            own => format!("the server wants another WebSocket version ({shown}) than -H gave ({own})"),
        })
    }

    fn no_upgrade_hint(&self) -> String {
        if self.sent.http == HttpVersion::Http2 {
            NOT_PASSED_ON.to_string()
        } else if self.sent.has_own_upgrade() {
            OWN_HEADERS.to_string()
        } else {
            format!("{NO_UPGRADE}{}", self.nginx_hint())
        }
    }

    /// nginx's settings for passing an upgrade on, if nginx is on the path.
    fn nginx_hint(&self) -> &'static str {
        let server = self.head.text("server").unwrap_or_default().to_ascii_lowercase();
        let seen = ["nginx", "openresty", "tengine"].iter().any(|name| server.starts_with(name));
        if seen || self.wording.has("nginx") { NGINX_NEEDS } else { "" }
    }

    fn hint_by_status(&self) -> Option<String> {
        let head = self.head;
        let hint = match head.status {
            200..=299 => {
                "the server answers, but this path is not a WebSocket endpoint: check the path".into()
            }
            300..=399 => return redirect::hint(self.sent, head),
            400 if self.is_bare() && head.tokens("sec-websocket-version").next().is_some() => {
                self.no_upgrade_hint()
            }
            400 => BAD_REQUEST.into(),
            401 => AuthSchemes::new(head, "www-authenticate").server_hint(self.sent.authorization.as_deref()),
            403 => FORBIDDEN.into(),
            404 | 410 => "there is nothing at this path: check the path".into(),
            405 if self.sent.http == HttpVersion::Http2 => NOT_PASSED_ON.into(),
            405 => "this path does not accept GET, which every WebSocket upgrade uses: check the path".into(),
            407 => AuthSchemes::new(head, "proxy-authenticate").proxy_hint(),
            426 => self.upgrade_required(),
            429 => retry("the server limits connections or requests", head),
            500 => "the server failed while handling the upgrade: see its log".into(),
            501 if self.sent.http == HttpVersion::Http2 => ALLOWED_AND_NOT_IMPLEMENTED.into(),
            502..=504 => retry(&gateway::unavailable(head, self.body, &self.wording), head),
            505 => format!("{OTHER_HTTP}{}", self.nginx_hint()),
            520..=530 => return gateway::cloudflare(head, &self.wording),
            _ => return None,
        };
        Some(hint)
    }

    /// Whether the body says no more than the status.
    fn is_bare(&self) -> bool {
        self.body.text.trim().is_empty() || self.wording.is("bad request")
    }

    /// Whether a 426 names protocols, and not WebSocket.
    fn wants_other_protocol(&self) -> bool {
        let wanted: Vec<String> = self.head.tokens("upgrade").collect();
        wanted.iter().all(|token| token != "websocket") && !wanted.is_empty()
    }

    /// The hint for a 426 that names our version or none.
    fn upgrade_required(&self) -> String {
        match (self.wants_other_protocol(), self.head.text("upgrade")) {
            (true, Some(upgrade)) => {
                format!("the server wants another protocol here: {}", UntrustedText::new(&upgrade))
            }
            (true, None) | (false, _) => self.no_upgrade_hint(),
        }
    }
}

const NGINX_NEEDS: &str = " (nginx is on the way: it needs proxy_http_version 1.1, proxy_set_header Upgrade \
                           $http_upgrade and proxy_set_header Connection upgrade)";
const HTTP_1_0: &str = "it answers in HTTP/1.0, which has no upgrade to WebSocket";
const SPEAKS_1_0: &str = "the server got HTTP/1.0, which has no upgrade: a proxy before the server uses it";
const OTHER_HTTP: &str = "the server wants another HTTP version: a proxy before it may speak HTTP/1.0 to it, or it \
                          offers HTTP/2 only";
const CLIENT_CERTIFICATE: &str = "the server wants a client certificate: --cert and --key";
const BAD_REQUEST: &str = "the server, or a proxy before it, does not take this as a WebSocket request: check the \
                           path, the subprotocol (--subprotocol NAME), and that proxies pass Upgrade and Connection on";
const FORBIDDEN: &str =
    "the server forbids it: many check the origin (--origin https://the.site), others the credentials";

fn retry(why: &str, head: &HttpHead) -> String {
    match head.text("retry-after") {
        Some(after) => format!("{why}; it asks to retry after {}", UntrustedText::new(&after)),
        None => why.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_have_no_gaps() {
        for hint in [OTHER_HTTP, BAD_REQUEST, FORBIDDEN, HTTP_1_0, SPEAKS_1_0, NGINX_NEEDS] {
            assert!(!hint.contains("  "), "{hint}");
        }
    }

    fn head(status: u16, headers: &[(&str, &str)]) -> HttpHead {
        let headers = headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect();
        HttpHead { status, minor_version: 1, headers }
    }

    fn hint_of(status: u16, headers: &[(&str, &str)]) -> String {
        hint_with(status, headers, "")
    }

    fn hint_with(status: u16, headers: &[(&str, &str)], body: &str) -> String {
        let target = "ws://a.example:8080/x".parse().unwrap();
        let fault = fault(&SentRequest::plain(&target), &head(status, headers), body.as_bytes());
        fault.hint.unwrap_or_default()
    }

    #[test]
    fn engine_io_error_codes_are_read_from_the_body() {
        let hint = |target: &str, body: &[u8]| {
            let target = target.parse().unwrap();
            fault(&SentRequest::plain(&target), &head(400, &[]), body).hint.unwrap_or_default()
        };
        let body = br#"{"code":5,"message":"Unsupported protocol version"}"#;
        let found = hint("ws://a/socket.io/?EIO=4&transport=websocket", body);
        assert_eq!(found, "the server speaks another Engine.IO version: --preset engine.io-3");
        assert_eq!(hint("ws://a/x", br#"{"code":7}"#), BAD_REQUEST);
    }

    #[test]
    fn reported_headers_omit_cookies() {
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
                ("server".to_string(), UntrustedText::new("nginx\x1b[2J")),
                ("x-envoy-upstream-service-time".to_string(), UntrustedText::new("3")),
            ]
        );
    }

    #[test]
    fn reported_headers_are_bounded() {
        let head = head(200, &vec![("via", "x"); 100]);
        assert_eq!(evidence(&head, b"").headers.len(), MAX_KEPT_HEADERS);
    }

    #[test]
    fn redirect_is_shown_as_a_redacted_websocket_url() {
        let follow = |location| hint_of(302, &[("location", location)]);
        assert_eq!(follow("https://b.example/y?token=s"), "follow it with wss://b.example/y?token=***");
        assert_eq!(follow("/chat"), "follow it with ws://a.example:8080/chat");
        assert_eq!(follow("http://u:p@b.example/"), "follow it with ws://***@b.example/");
        assert_eq!(follow("ftp://b.example/"), "");
        let target = "ws://a.example/".parse().unwrap();
        let head = head(301, &[("location", "https://u:pw@b/?token=t0p")]);
        let fault = fault(&SentRequest::plain(&target), &head, b"");
        let shown = format!("{fault:?}");
        assert!(!shown.contains("t0p") && !shown.contains("pw"), "{shown}");
    }

    #[test]
    fn redirect_unsafe_for_a_shell_is_not_offered() {
        let follow = |location| hint_of(302, &[("location", location)]);
        for location in
            ["/x;reboot", "/$(id)", "/?a=1&reboot", "/'x'", "/x|y", "/(x)", "/!x", "http://b.example:0/"]
        {
            assert_eq!(follow(location), "", "{location}");
        }
        assert_eq!(follow("http://b.example/`id` x"), "follow it with ws://b.example/%60id%60%20x");
    }

    #[test]
    fn relative_redirect_and_body_hide_secrets() {
        for location in ["/cb#access_token=SECRET", "/cb?x=1#access_token=SECRET", "/cb?key=SECRET"] {
            let target = "ws://a.example/".parse().unwrap();
            let head = head(302, &[("location", location)]);
            for body in [format!("<a href=\"{location}\">Found</a>"), format!("see {location}")] {
                let fault = fault(&SentRequest::plain(&target), &head, body.as_bytes());
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
        assert!(hint_of(503, &[]).starts_with("the response does not show what sent it"));
        assert!(hint_of(521, &[("cf-ray", "1-FRA")]).contains("refused"));
        assert_eq!(hint_of(418, &[]), "");
    }

    #[test]
    fn version_list_with_ours_means_upgrade_was_dropped() {
        for (status, headers) in [
            (426, &[("upgrade", "websocket"), ("sec-websocket-version", "13")][..]),
            (426, &[("upgrade", "WebSocket, h2c"), ("sec-websocket-version", "13, 8, 7")]),
            (426, &[("sec-websocket-version", "8"), ("sec-websocket-version", "13")]),
            (426, &[("upgrade", "websocket")]),
            (426, &[]),
            (400, &[("sec-websocket-version", "13")]),
        ] {
            assert!(hint_of(status, headers).starts_with(NO_UPGRADE), "{headers:?}");
        }
        assert!(hint_with(400, &[("sec-websocket-version", "13")], "Bad Request\n").starts_with(NO_UPGRADE));
        assert_eq!(hint_with(400, &[("sec-websocket-version", "13")], "no such room"), BAD_REQUEST);
    }

    #[test]
    fn version_list_without_ours_is_reported() {
        for (status, value) in [(426, "8, 7"), (400, "8, 7"), (426, "0")] {
            let headers = [("upgrade", "websocket"), ("sec-websocket-version", value)];
            let wanted = format!("the server wants another WebSocket version ({value}); wscheck speaks 13");
            assert_eq!(hint_of(status, &headers), wanted);
        }
        let target = "ws://a.example/".parse().unwrap();
        let mut sent = SentRequest::plain(&target);
        sent.headers.insert(header::SEC_WEBSOCKET_VERSION, "8".parse().unwrap());
        let fault = fault(&sent, &head(426, &[("sec-websocket-version", "13")]), b"");
        assert_eq!(fault.hint.unwrap(), "the server wants another WebSocket version (13) than -H gave (8)");
    }

    #[test]
    fn user_header_is_suspected_before_a_proxy() {
        let target = "ws://a.example/".parse().unwrap();
        let mut sent = SentRequest::plain(&target);
        sent.headers.insert(header::CONNECTION, "close".parse().unwrap());
        let fault = fault(&sent, &head(426, &[("upgrade", "websocket")]), b"");
        assert_eq!(fault.hint.unwrap(), OWN_HEADERS);
    }

    #[test]
    fn refusals_of_extended_connect_are_told_apart() {
        let target = "ws://a.example:8080/".parse().unwrap();
        let sent = SentRequest { http: HttpVersion::Http2, ..SentRequest::plain(&target) };
        let hint = |status, body: &[u8]| fault(&sent, &head(status, &[]), body).hint.unwrap_or_default();
        // Envoy before a server of HTTP/1.1, something that knows GET alone, and Traefik.
        assert_eq!(hint(400, b"Missing or invalid Sec-WebSocket-Key header"), NOT_PASSED_ON);
        assert_eq!(hint(405, b""), NOT_PASSED_ON);
        assert_eq!(hint(501, b""), ALLOWED_AND_NOT_IMPLEMENTED);
        assert_eq!(hint_of(501, &[]), "");
    }

    #[test]
    fn body_text_outranks_the_status() {
        assert!(hint_with(400, &[], "Can \"Upgrade\" only to \"WebSocket\".").starts_with(NO_UPGRADE));
        assert!(hint_with(200, &[], "Expected Upgrade: websocket").starts_with(NO_UPGRADE));
        assert!(hint_with(400, &[], "HTTP/1.1 required").starts_with(SPEAKS_1_0));
        assert!(hint_with(401, &[], "Upgrade Required").contains("credentials"));
    }

    #[test]
    fn nginx_settings_are_shown_only_if_nginx_is_seen() {
        for (headers, body) in [(&[("server", "nginx/1.22.1")][..], ""), (&[], "<hr><center>nginx</center>")]
        {
            for status in [426, 505] {
                assert!(hint_with(status, headers, body).contains("proxy_http_version 1.1"), "{status}");
            }
        }
        assert!(!hint_of(505, &[]).contains("nginx") && hint_of(505, &[]).contains("HTTP/1.0"));
        assert!(!hint_of(426, &[("server", "envoy")]).contains("nginx"));
    }

    #[test]
    fn http_1_0_response_is_reported() {
        let target = "ws://a.example/".parse().unwrap();
        let of = |status| {
            let head = HttpHead { minor_version: 0, ..head(status, &[]) };
            fault(&SentRequest::plain(&target), &head, b"").hint.unwrap_or_default()
        };
        for status in [200, 400, 404, 501] {
            assert!(of(status).ends_with(HTTP_1_0), "{status}: {}", of(status));
        }
        assert!(!of(503).contains("HTTP/1.0"));
    }

    #[test]
    fn cloudflare_challenge_is_reported() {
        assert_eq!(hint_of(403, &[("cf-mitigated", "challenge")]), BOT_CHECK);
    }

    #[test]
    fn compressed_body_is_read_for_hints_and_secrets() {
        use std::io::Write;
        let gzip = |text: &str| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(text.as_bytes()).unwrap();
            encoder.finish().unwrap()
        };
        let target = "ws://a.example/".parse().unwrap();
        let of = |status, headers: &[(&str, &str)], body: &str| {
            let coded = [headers, &[("content-encoding", "gzip")]].concat();
            fault(&SentRequest::plain(&target), &head(status, &coded), &gzip(body))
        };
        let answer = of(400, &[], "Client sent an HTTP request to an HTTPS server.");
        assert_eq!(answer.hint.as_deref(), Some(TRY_WSS));
        let answer = of(302, &[("location", "/cb?key=SECRET")], "<a href='/cb?key=SECRET'>Found</a>");
        assert!(!format!("{answer:?}").contains("SECRET"), "{answer:?}");
    }

    #[test]
    fn tls_on_plain_port_is_recognised_by_the_body() {
        let plain: Target = "ws://a.example/".parse().unwrap();
        let secure: Target = "wss://a.example/".parse().unwrap();
        for body in [
            "<h1>400 The plain HTTP request was sent to HTTPS port</h1>",
            "This port speaks TLS: connect with a wss:// URL.\n",
            "Bad Request\nThis combination of host and port requires TLS.\n",
        ] {
            let of =
                |target| fault(&SentRequest::plain(target), &head(400, &[]), body.as_bytes()).hint.unwrap();
            assert_eq!(of(&plain), TRY_WSS);
            assert_eq!(of(&secure), PLAIN_BEFORE_TLS);
        }
        assert_eq!(hint_of(426, &[("upgrade", "TLS/1.2, HTTP/1.1")]), WANTS_TLS);
        assert_eq!(hint_with(403, &[], "SSL is required to view this resource"), WANTS_TLS);
    }
}
