//! The URL of a WebSocket endpoint, parsed once and never shown with its secrets.

mod url_mistakes;

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

use crate::domain::secrets::names::{Secrecy, secrecy};
use crate::domain::secrets::ordinary::is_ordinary;

/// A `ws://` or `wss://` URL.
///
/// `Display` is redacted: no userinfo, and no query value whose name marks it as a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    host: Host<String>,
    zone: Option<String>,
    port: u16,
    resource: String,
    credentials: Option<Credentials>,
    shown: String,
}

/// User name and password from a URL's userinfo or `--user`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(redacted)")
    }
}

/// Why a text is not a WebSocket URL.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TargetError {
    #[error("'{given}' has no scheme: a WebSocket URL begins with ws:// or wss://{}", did_you_mean(.meant))]
    NoScheme { given: String, meant: Option<String> },
    #[error("'{given}' is not a WebSocket URL: {scheme}: must be followed by //{}", did_you_mean(.meant))]
    NoSlashes { given: String, scheme: String, meant: Option<String> },
    #[error("'{given}' is not a WebSocket URL: {scheme}:// must be {ws}://{}", did_you_mean(.meant))]
    Http { given: String, scheme: &'static str, ws: &'static str, meant: Option<String> },
    #[error("'{given}' is not a WebSocket URL: the scheme must be ws or wss, not {scheme}")]
    OtherScheme { given: String, scheme: String },
    #[error("'{given}' has quotes around the URL: write it without them{}", after_colon(.meant))]
    Quoted { given: String, meant: Option<String> },
    #[error("'{given}' is not a URL: {variable} was not expanded: single quotes stop a shell from doing it")]
    Unexpanded { given: String, variable: String },
    #[error("'{given}' is not a WebSocket URL; for a Unix socket: --unix-socket {socket} {meant}")]
    UnixSocket { given: String, socket: String, meant: String },
    #[error("'{given}' is not a URL: an IPv6 address needs brackets: did you mean '{meant}'?")]
    NoBrackets { given: String, meant: String },
    #[error("'{given}' has the zone '{zone}': a zone is the name or the number of a network interface")]
    BadZone { given: String, zone: String },
    #[error("'{given}' has an empty host")]
    EmptyHost { given: String },
    #[error("'{given}' has port 0: a port is 1 to 65535")]
    PortZero { given: String },
    #[error("'{given}' is not a URL: {why}")]
    Malformed { given: String, why: String },
}

fn after_colon(meant: &Option<String>) -> String {
    meant.as_ref().map_or_else(String::new, |meant| format!(": {meant}"))
}

fn did_you_mean(meant: &Option<String>) -> String {
    meant.as_ref().map_or_else(String::new, |meant| format!("; did you mean '{meant}'?"))
}

impl Target {
    /// Whether the scheme requires TLS (`wss`).
    pub fn secure(&self) -> bool {
        self.secure
    }

    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    /// The network interface for a link-local IPv6 address: its name or number (RFC 4007 section 11).
    pub fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, for the request line.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The same target, shown without any value of its query.
    pub fn with_hidden_query(mut self) -> Target {
        if let Some((before, _)) = self.shown.split_once('?') {
            self.shown = format!("{before}?***");
        }
        self
    }

    /// The secrets of the URL: the password, or a user name without one, and the query's secrets.
    pub fn secrets(&self) -> Vec<String> {
        let credentials = self.credentials.iter().map(|given| match given.password.as_str() {
            "" => given.user.clone(),
            password => password.to_string(),
        });
        let query = self.resource.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split(['&', ';']).filter(|pair| redact_pair(pair) != *pair);
        let values = pairs.filter_map(|pair| {
            if redact_pair(pair) == "***" {
                return Some(pair);
            }
            let (name, value) = pair.split_once('=')?;
            let is_one = secrecy(name) == Some(Secrecy::Sure) || !is_ordinary(&percent_decode(value));
            is_one.then_some(value)
        });
        credentials.chain(values.flat_map(|value| [value.to_string(), percent_decode(value)])).collect()
    }

    /// The value of the Host header; with the port unless it is the scheme's default.
    pub fn authority(&self) -> String {
        match (self.secure, self.port) {
            (false, 80) | (true, 443) => self.host.to_string(),
            (_, port) => format!("{}:{port}", self.host),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(given: &str) -> Result<Target, TargetError> {
        let given = given.trim();
        if let Some(mistake) = url_mistakes::find(given) {
            return Err(mistake);
        }
        let shown = || redact_typed(given);
        let Some((scheme, rest)) = split_scheme(given) else { return Err(without_scheme(given)) };
        if ws_scheme(scheme).is_some() && authority(rest).is_empty() {
            return Err(TargetError::EmptyHost { given: shown() });
        }
        let (without_zone, zone) = split_zone(given, rest)?;
        let url = Url::parse(&without_zone).map_err(|error| explain(shown(), error))?;
        let secure = secure(&url, given, rest)?;
        // Case folding and IDNA may make one of what was none as typed.
        if let Some(variable) = url.host_str().and_then(url_mistakes::variable) {
            return Err(TargetError::Unexpanded { given: shown(), variable });
        }
        let host = url.host().ok_or_else(|| TargetError::EmptyHost { given: shown() })?.to_owned();
        let port = url.port().unwrap_or(if secure { 443 } else { 80 });
        if port == 0 {
            return Err(TargetError::PortZero { given: shown() });
        }
        Ok(Target {
            secure,
            host,
            port,
            resource: resource(&url),
            credentials: credentials(&url),
            shown: with_zone(redact_url(&url), zone.as_deref()),
            zone,
        })
    }
}

/// Whether a text is a valid URL scheme (RFC 3986 section 3.1).
pub fn is_scheme(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(allowed)
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    text.split_once("://").filter(|(scheme, _)| is_scheme(scheme))
}

/// The WebSocket scheme for a mistaken one.
fn ws_scheme(scheme: &str) -> Option<&'static str> {
    match scheme.to_ascii_lowercase().as_str() {
        "ws" | "http" => Some("ws"),
        "wss" | "https" => Some("wss"),
        _ => None,
    }
}

/// Splits the zone off an IPv6 address, since the URL parser does not accept zones. The percent sign before
/// it may be encoded (RFC 6874) or not (RFC 9844).
fn split_zone(given: &str, rest: &str) -> Result<(String, Option<String>), TargetError> {
    let without = || (given.to_string(), None);
    let host = authority(rest);
    let Some((_, inner)) = host.rsplit_once('[') else { return Ok(without()) };
    let inner = inner.split(']').next().unwrap_or_default();
    let Some((address, typed)) = inner.split_once('%') else { return Ok(without()) };
    let zone = typed.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(typed);
    if !is_zone(zone) {
        return Err(TargetError::BadZone { given: redact_typed(given), zone: zone.to_string() });
    }
    let url = given.replacen(&format!("[{inner}]"), &format!("[{address}]"), 1);
    Ok((url, Some(zone.to_string())))
}

/// Whether a text can be the name of a network interface.
pub fn is_zone(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:@".contains(c);
    !text.is_empty() && text.chars().all(allowed)
}

/// A shown host with its zone, if it has one, in the brackets of its address.
pub fn with_zone(shown: String, zone: Option<&str>) -> String {
    match zone {
        Some(zone) => shown.replacen(']', &format!("{}]", shown_zone(zone)), 1),
        None => shown,
    }
}

/// The zone behind its percent sign, which is encoded where the zone would be read without its own start: `25eth0`.
fn shown_zone(zone: &str) -> String {
    let percent = if zone.len() > 2 && zone.starts_with("25") { "%25" } else { "%" };
    format!("{percent}{zone}")
}

/// The text between a URL's `://` and its path. The parser would skip an empty one and use the path's first
/// part as host.
pub(super) fn authority(rest: &str) -> String {
    let rest: String = rest.chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
    rest.split(['/', '\\', '?', '#']).next().unwrap_or_default().to_string()
}

fn without_scheme(text: &str) -> TargetError {
    let given = redact_typed(text);
    let slashes = ['/', '\\'];
    match text.split_once(':').and_then(|(scheme, rest)| Some((ws_scheme(scheme)?, scheme, rest))) {
        Some((ws, scheme, rest)) if !begins_with_port(rest) => match rest.trim_start_matches(slashes) {
            "" => TargetError::EmptyHost { given },
            bare => TargetError::NoSlashes { given, scheme: scheme.to_string(), meant: suggest(ws, bare) },
        },
        _ => {
            let (ws, rest) = mistyped(text).unwrap_or(("ws", text.trim_start_matches(slashes)));
            TargetError::NoScheme { given, meant: suggest(ws, rest) }
        }
    }
}

/// Scheme and rest of a text such as `wss//host` or `ws;//host`, whose colon is missing or mistyped.
fn mistyped(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("//")?;
    Some((ws_scheme(scheme.trim_end_matches([';', '.', ',', ' ']))?, rest))
}

/// `ws:8080` is a host called ws.
fn begins_with_port(rest: &str) -> bool {
    let port = authority(rest);
    !port.is_empty() && port.chars().all(|c| c.is_ascii_digit())
}

/// The URL that may have been meant, if it is a valid one.
pub(super) fn suggest(ws: &str, rest: &str) -> Option<String> {
    let meant = format!("{ws}://{rest}");
    meant.parse::<Target>().is_ok().then(|| redact_typed(&meant))
}

fn explain(given: String, error: url::ParseError) -> TargetError {
    match error {
        url::ParseError::EmptyHost => TargetError::EmptyHost { given },
        other => TargetError::Malformed { given, why: other.to_string() },
    }
}

/// Whether `url`, typed as `given` with `rest` after its `://`, requires TLS.
fn secure(url: &Url, given: &str, rest: &str) -> Result<bool, TargetError> {
    let given = || redact_typed(given);
    let http = |scheme, ws| TargetError::Http { given: given(), scheme, ws, meant: suggest(ws, rest) };
    match url.scheme() {
        "ws" => Ok(false),
        "wss" => Ok(true),
        "http" => Err(http("http", "ws")),
        "https" => Err(http("https", "wss")),
        other => Err(TargetError::OtherScheme { given: given(), scheme: other.to_string() }),
    }
}

fn resource(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_string(),
    }
}

fn credentials(url: &Url) -> Option<Credentials> {
    let decode = |text: &str| percent_decode(text);
    (!url.username().is_empty() || url.password().is_some())
        .then(|| Credentials { user: decode(url.username()), password: decode(url.password().unwrap_or("")) })
}

/// Userinfo is percent-encoded; a form decoder would turn `+` into a space, so it is escaped first.
fn percent_decode(text: &str) -> String {
    let shielded = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("v={}", shielded.replace('&', "%26")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Parts of lower-case names of query parameters whose values are secrets.
const SECRET_NAMES: &[&str] = &[
    "token",
    "secret",
    "pass",
    "pwd",
    "auth",
    "key",
    "signature",
    "jwt",
    "session",
    "ticket",
    "credential",
    "bearer",
    "otp",
    "cookie",
    "assertion",
    "saml",
    "hmac",
    "nonce",
];
/// Whole names of secrets, too short to look for inside others.
const SECRET_WORDS: &[&str] = &["sig", "sid", "code", "pw", "sign", "pin", "sas", "hash", "mac"];

/// Whether to hide a query parameter's value, by its name in the query.
pub fn is_secret_name(name: &str) -> bool {
    let name = fully_decoded(name).to_ascii_lowercase();
    SECRET_WORDS.contains(&name.as_str()) || SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Percent-decodes repeatedly, with a limit.
fn fully_decoded(text: &str) -> String {
    (0..3).fold(text.to_string(), |text, _| percent_decode(&text))
}

/// A URL without userinfo, query secrets and fragment.
pub fn redact_url(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() || !shown.username().is_empty() {
        let _ = shown.set_password(None);
        let _ = shown.set_username("***");
    }
    shown.set_fragment(None);
    if let Some(query) = url.query() {
        shown.set_query(Some(&redact_query(query)));
    }
    shown.to_string()
}

/// Redacts a text that may be a URL or a part of one (a `Location` header, a request's target).
pub fn redact_text(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_host() => redact_url(&url),
        _ if text.starts_with('/') && !text.starts_with("//") => redact_tail(before_fragment(text)),
        _ => redact_typed(text),
    }
}

/// Redacts a text meant as a URL. Its password may contain characters that usually end the userinfo, so
/// everything up to the last `@` is removed. A `#` before that may belong to the password or start a
/// fragment; then the rest is removed too.
pub(super) fn redact_typed(text: &str) -> String {
    let head = before_fragment(text);
    let Some((before, after)) = text.rsplit_once('@') else { return redact_tail(head) };
    let scheme = before.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
    if before.contains('#') {
        format!("{scheme}***")
    } else {
        format!("{scheme}***@{}", redact_tail(before_fragment(after)))
    }
}

fn before_fragment(text: &str) -> &str {
    text.split('#').next().unwrap_or_default()
}

/// Host, path and query, the query redacted.
fn redact_tail(text: &str) -> String {
    match text.split_once('?') {
        Some((head, query)) => format!("{head}?{}", redact_query(query)),
        None => text.to_string(),
    }
}

fn redact_query(query: &str) -> String {
    query.split_inclusive(['&', ';']).map(redact_pair).collect()
}

/// One parameter with the separator after it. A parameter without a value may be a token; a value with
/// parameters or userinfo of its own (a return URL) may contain one.
fn redact_pair(pair: &str) -> String {
    let bare = pair.trim_end_matches(['&', ';']);
    let separator = pair.strip_prefix(bare).unwrap_or_default();
    let shown = match bare.split_once('=') {
        None if bare.is_empty() => String::new(),
        None => "***".to_string(),
        Some((_, value)) if value.trim_matches('=').is_empty() => "***".to_string(),
        Some((name, value)) if is_secret_name(name) || fully_decoded(value).contains(['=', '@']) => {
            format!("{name}=***")
        }
        Some(_) => bare.to_string(),
    };
    format!("{shown}{separator}")
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<Target>().unwrap_err().to_string()
    }

    #[test]
    fn the_parts_of_a_url_are_told_apart() {
        let t = target("wss://example.org:8443/a/b?x=1&y=2");
        assert!(t.secure());
        assert_eq!(
            (t.host().to_string().as_str(), t.port(), t.resource()),
            ("example.org", 8443, "/a/b?x=1&y=2")
        );
        assert_eq!(t.authority(), "example.org:8443");
    }

    #[test]
    fn the_zone_of_a_link_local_address_is_kept_apart_from_the_host() {
        for text in ["ws://[fe80::1%eth0]:9/x", "ws://[fe80::1%25eth0]:9/x"] {
            let t = target(text);
            assert_eq!((t.host().to_string().as_str(), t.zone(), t.port()), ("[fe80::1]", Some("eth0"), 9));
            assert_eq!(t.authority(), "[fe80::1]:9", "RFC 6874 section 4: no zone on the wire");
            assert_eq!(t.to_string(), "ws://[fe80::1%eth0]:9/x");
        }
        assert_eq!(target("ws://[fe80::1%25]/").zone(), Some("25"), "a number is a zone, too");
        assert_eq!(target("wss://u%20:p@[fe80::1%2]/%20").zone(), Some("2"));
        assert_eq!(target("ws://[::1]/%25x").zone(), None);
        let numbered = target("ws://[fe80::1%25251]/");
        assert_eq!((numbered.zone(), numbered.to_string().as_str()), (Some("251"), "ws://[fe80::1%25251]/"));
        for text in ["ws://[fe80::1%]/", "ws://[fe80::1%a b]/"] {
            assert!(refusal(text).ends_with("a zone is the name or the number of a network interface"));
        }
        assert!(refusal("ws://[127.0.0.1%lo]/").contains("invalid IPv6 address"));
    }

    #[test]
    fn what_is_not_shown_of_a_url_is_known() {
        let url = "ws://u:p%40ss@a/x?room=lobby7x8&token=s3%2Fcr3t&key=left&QUJDREVGRw==";
        assert_eq!(target(url).secrets(), ["p@ss", "s3%2Fcr3t", "s3/cr3t", "QUJDREVGRw==", "QUJDREVGRw=="]);
        assert_eq!(target("ws://4f5e6d7c@a/").secrets(), ["4f5e6d7c"]);
        assert!(target("ws://a/x?y=1").secrets().is_empty());
    }

    #[test]
    fn the_schemes_own_port_is_left_out_of_the_host_header() {
        assert_eq!(target("ws://a/").authority(), "a");
        assert_eq!(target("wss://a/").authority(), "a");
        assert_eq!(target("ws://a:443/").authority(), "a:443");
        assert_eq!(target("ws://[::1]:9/").authority(), "[::1]:9");
    }

    #[test]
    fn a_missing_path_is_the_root() {
        assert_eq!(target("ws://a").resource(), "/");
        assert_eq!(target("ws://a?b=c").resource(), "/?b=c");
    }

    #[test]
    fn secrets_are_never_shown() {
        let shown =
            target("wss://bob:hunter2@a.example/x?token=abc&room=7&Access_Token=q&key=z#frag").to_string();
        assert_eq!(shown, "wss://***@a.example/x?token=***&room=7&Access_Token=***&key=***");
    }

    #[test]
    fn errors_are_redacted_too() {
        assert!(!refusal("http://bob:hunter2@a/?token=abc").contains("hunter2"));
        assert!(!refusal("bob:hunter2@a/?token=abc").contains("abc"));
        assert!(!refusal("bob:hunter2@a").contains("hunter2"));
    }

    #[test]
    fn no_part_of_a_password_is_shown_whatever_it_holds() {
        assert_eq!(refusal("ws://user:pa?ss@host/"), "'ws://***@host/' is not a URL: invalid port number");
        for (text, shown) in [
            ("ws://user:p@ss@host:99999/", "ws://***@host:99999/"),
            ("ws://u:p@h:99999/#token=SECRET", "ws://***@h:99999/"),
            ("ws://u:p@h:99999/#SECRET@x", "ws://***"),
            ("ws://u:pa#ss@h:99999/", "ws://***"),
            ("ws:\\\\u:p@h:99999", "***@h:99999"),
            ("ws://h:99999/#SECRET", "ws://h:99999/"),
            ("https://h/p/@me/x?room=7", "https://***@me/x?room=7"),
        ] {
            let error = refusal(text);
            assert!(error.starts_with(&format!("'{shown}'")), "{text}: {error}");
        }
    }

    #[test]
    fn secret_query_value_is_known_by_decoded_name() {
        let query = |query: &str| target(&format!("ws://h/?{query}")).to_string().split_off(8);
        for name in [
            "app_key",
            "private_key",
            "accesskey",
            "subscription-key",
            "passphrase",
            "%74oken",
            "%2574oken",
            "X-Amz-Signature",
            "code",
        ] {
            assert_eq!(query(&format!("{name}=SECRET&room=7")), format!("{name}=***&room=7"));
        }
        assert_eq!(query("SECRETJWT"), "***");
        assert_eq!(query("U0VDUkVU=="), "***");
        assert_eq!(query("a=1;token=SECRET"), "a=1;token=***");
        assert_eq!(query("a=1&&SECRET&b=2"), "a=1&&***&b=2");
        assert_eq!(query("next=%2Fws%3Ftoken%3DSECRET"), "next=***");
        assert_eq!(query("next=/ws?token=SECRET"), "next=***");
        assert_eq!(query("country_code=de&q=a%20b"), "country_code=de&q=a%20b");
    }

    #[test]
    fn relative_url_hides_fragment_and_secrets() {
        assert_eq!(redact_text("/cb#access_token=SECRET"), "/cb");
        assert_eq!(redact_text("/cb?x=1#access_token=SECRET"), "/cb?x=1");
        assert_eq!(redact_text("/@me/chat?token=SECRET"), "/@me/chat?token=***");
        assert_eq!(redact_text("cb#access_token=SECRET"), "cb");
        assert_eq!(redact_text("//u:p@h/x"), "***@h/x");
        assert_eq!(redact_text("https://h/@me#SECRET"), "https://h/@me");
    }

    #[test]
    fn credentials_are_decoded() {
        let t = target("ws://b%40b:p%3Ass+w&d@a/");
        let c = t.credentials().unwrap();
        assert_eq!((c.user.as_str(), c.password.as_str()), ("b@b", "p:ss+w&d"));
    }

    #[test]
    fn scheme_with_a_mistyped_colon_is_known() {
        for (text, meant) in [
            ("wss//a.example/x", "wss://a.example/x"),
            ("ws;//a.example:9", "ws://a.example:9"),
            ("https//a.example", "wss://a.example"),
            ("a.example//x", "ws://a.example//x"),
        ] {
            assert!(refusal(text).ends_with(&format!("did you mean '{meant}'?")), "{}", refusal(text));
        }
    }

    #[test]
    fn what_was_meant_is_said() {
        assert_eq!(
            refusal("http://a.example/x"),
            "'http://a.example/x' is not a WebSocket URL: http:// must be ws://; did you mean 'ws://a.example/x'?"
        );
        assert_eq!(
            refusal("a.example/x"),
            "'a.example/x' has no scheme: a WebSocket URL begins with ws:// or wss://; did you mean 'ws://a.example/x'?"
        );
    }

    #[test]
    fn missing_scheme_is_suggested_only_if_it_makes_a_url() {
        assert_eq!(
            refusal("ws:127.0.0.1:1"),
            "'ws:127.0.0.1:1' is not a WebSocket URL: ws: must be followed by //; \
             did you mean 'ws://127.0.0.1:1'?"
        );
        assert!(refusal("https:/a.example").ends_with("did you mean 'wss://a.example'?"));
        assert!(refusal("//127.0.0.1").ends_with("did you mean 'ws://127.0.0.1'?"));
        assert!(refusal("ws:8080/x").ends_with("did you mean 'ws://ws:8080/x'?"));
        for text in ["", "//", "mailto:bob", "a b"] {
            assert!(refusal(text).ends_with("begins with ws:// or wss://"), "{}", refusal(text));
        }
    }

    #[test]
    fn an_empty_host_is_not_filled_from_the_path() {
        for text in
            ["ws://", "ws:///x", "WSS:///x", "ws:////x", "ws://\\x", "ws://?x=1", "http:///x", "wss:", "ws:/"]
        {
            assert_eq!(refusal(text), format!("'{text}' has an empty host"));
        }
        assert!(refusal("ws://u:p@/x").ends_with("has an empty host"));
    }

    #[test]
    fn nonsense_is_refused_with_its_rule() {
        assert_eq!(refusal("ws://a:0/"), "'ws://a:0/' has port 0: a port is 1 to 65535");
        assert_eq!(refusal("ws://a:99999/"), "'ws://a:99999/' is not a URL: invalid port number");
        assert_eq!(
            refusal("ftp://a/"),
            "'ftp://a/' is not a WebSocket URL: the scheme must be ws or wss, not ftp"
        );
    }
}
