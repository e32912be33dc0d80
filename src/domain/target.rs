//! The URL of a WebSocket endpoint, parsed once and never shown with its secrets.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use url::{Host, Url};

/// A `ws://` or `wss://` URL.
///
/// `Display` is redacted: no userinfo, and no query value whose name speaks of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    secure: bool,
    host: Host<String>,
    port: u16,
    resource: String,
    credentials: Option<Credentials>,
    shown: String,
}

/// User name and password out of a URL's userinfo or `--user`.
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
    #[error("'{given}' has no scheme: a WebSocket URL begins with ws:// or wss://; did you mean '{meant}'?")]
    NoScheme { given: String, meant: String },
    #[error("'{given}' is not a WebSocket URL: {scheme}:// must be {ws}://; did you mean '{meant}'?")]
    Http { given: String, scheme: String, ws: &'static str, meant: String },
    #[error("'{given}' is not a WebSocket URL: the scheme must be ws or wss, not {scheme}")]
    OtherScheme { given: String, scheme: String },
    #[error("'{given}' has an empty host")]
    EmptyHost { given: String },
    #[error("'{given}' has port 0: a port is 1 to 65535")]
    PortZero { given: String },
    #[error("'{given}' is not a URL: {why}")]
    Malformed { given: String, why: String },
}

impl Target {
    /// Whether TLS is asked for (`wss`).
    pub fn secure(&self) -> bool {
        self.secure
    }

    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query, as the request line carries them.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    pub fn credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// The value of the Host header: the port only when it is not the scheme's own.
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
        let shown = || redact_text(given);
        if !given.contains("://") {
            return Err(TargetError::NoScheme { given: shown(), meant: format!("ws://{}", shown()) });
        }
        let url = Url::parse(given).map_err(|error| explain(given, error))?;
        let secure = scheme(&url, shown())?;
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
            shown: redact_url(&url),
        })
    }
}

fn explain(given: &str, error: url::ParseError) -> TargetError {
    let given = redact_text(given);
    match error {
        url::ParseError::EmptyHost => TargetError::EmptyHost { given },
        other => TargetError::Malformed { given, why: other.to_string() },
    }
}

fn scheme(url: &Url, given: String) -> Result<bool, TargetError> {
    match url.scheme() {
        "ws" => Ok(false),
        "wss" => Ok(true),
        "http" => Err(meant_ws(given, "http", "ws")),
        "https" => Err(meant_ws(given, "https", "wss")),
        other => Err(TargetError::OtherScheme { given, scheme: other.to_string() }),
    }
}

fn meant_ws(given: String, scheme: &str, ws: &'static str) -> TargetError {
    let rest = given.split_once("://").map_or("", |(_, rest)| rest);
    let meant = format!("{ws}://{rest}");
    TargetError::Http { given, scheme: scheme.to_string(), ws, meant }
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

/// Userinfo arrives percent-encoded; a form decoder would turn `+` into a space, so it is shielded.
fn percent_decode(text: &str) -> String {
    let shielded = text.replace('+', "%2B");
    url::form_urlencoded::parse(format!("v={}", shielded.replace('&', "%26")).as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// Query parameters whose values are secrets, by a part of their lower-case names.
const SECRET_NAMES: &[&str] = &[
    "token",
    "secret",
    "passw",
    "pwd",
    "auth",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "signature",
    "jwt",
    "session",
    "ticket",
    "credential",
    "bearer",
    "otp",
];
/// Whole names that are secrets, too short to look for inside others.
const SECRET_WORDS: &[&str] = &["key", "sig", "sid", "code", "pass", "pw", "sign"];

/// Whether a query parameter's value is to be hidden.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_WORDS.contains(&name.as_str()) || SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// A URL without its userinfo, secrets in its query, or fragment.
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

/// A text that may be a URL (a `Location` header, a mistyped argument), redacted as one.
pub fn redact_text(text: &str) -> String {
    if let Ok(url) = Url::parse(text)
        && url.has_host()
    {
        return redact_url(&url);
    }
    let (head, query) = match text.split_once('?') {
        Some((head, query)) => (head, format!("?{}", redact_query(query))),
        None => (text, String::new()),
    };
    match head.split_once('@') {
        Some((userinfo, rest)) => {
            let scheme =
                userinfo.split_once("://").map_or(String::new(), |(scheme, _)| format!("{scheme}://"));
            format!("{scheme}***@{rest}{query}")
        }
        None => format!("{head}{query}"),
    }
}

fn redact_query(query: &str) -> String {
    let pair = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}=***"),
        _ => pair.to_string(),
    };
    query.split('&').map(pair).collect::<Vec<_>>().join("&")
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
    fn credentials_are_decoded() {
        let t = target("ws://b%40b:p%3Ass+w&d@a/");
        let c = t.credentials().unwrap();
        assert_eq!((c.user.as_str(), c.password.as_str()), ("b@b", "p:ss+w&d"));
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
    fn nonsense_is_refused_with_its_rule() {
        assert_eq!(refusal("ws://"), "'ws://' has an empty host");
        assert_eq!(refusal("ws://a:0/"), "'ws://a:0/' has port 0: a port is 1 to 65535");
        assert_eq!(refusal("ws://a:99999/"), "'ws://a:99999/' is not a URL: invalid port number");
        assert_eq!(
            refusal("ftp://a/"),
            "'ftp://a/' is not a WebSocket URL: the scheme must be ws or wss, not ftp"
        );
    }
}
