//! Proxies: which one to use, and how to open a tunnel through it.

use std::ffi::OsString;
use std::fmt;
use std::future::{Ready, ready};
use std::io;
use std::net::Ipv6Addr;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};
use tokio::io::AsyncWriteExt;
use tower_service::Service;
use url::Host;

use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::target::{Target, is_scheme, is_zone};
use crate::domain::label::Label;

use super::endpoint::Endpoint;
use super::http_head::{HeadError, HeadReader, HttpHead, KnownProtocol};
use super::upgrade_error;
use super::upgrade_error::auth_challenge::{AuthSchemes, LOCAL_PROXY};
use crate::net::dial_error::DialError;
use crate::net::os_error;
use crate::net::time_limit::TimeLimit;
use crate::net::transport::byte_stream::ByteStream;
use crate::net::transport::tap::{StreamEnd, TapState};

/// The proxies to use for connections; none by default.
#[derive(Debug, Clone, Default)]
pub struct ProxyChoice {
    /// For ws://.
    plain: Option<ProxyUrl>,
    /// For wss://.
    secure: Option<ProxyUrl>,
    exempt: Vec<NoProxyRule>,
}

impl From<ProxyUrl> for ProxyChoice {
    /// This proxy for every target.
    fn from(url: ProxyUrl) -> ProxyChoice {
        ProxyChoice { plain: Some(url.clone()), secure: Some(url), exempt: Vec::new() }
    }
}

impl ProxyChoice {
    /// Takes a snapshot of the environment: HTTP_PROXY for ws://, HTTPS_PROXY for wss://, ALL_PROXY for both; NO_PROXY
    /// excludes hosts. Lower-case names are accepted, too. The error names an invalid variable but not its value.
    pub fn from_environment() -> Result<ProxyChoice, String> {
        ProxyChoice::read(|name| std::env::var_os(name))
    }

    /// Reads the variables through `value`. Ignores a CGI environment, where HTTP_PROXY holds the Proxy header of the
    /// request (CVE-2016-5385).
    pub fn read(value: impl Fn(&str) -> Option<OsString>) -> Result<ProxyChoice, String> {
        if value("REQUEST_METHOD").is_some() {
            return Ok(ProxyChoice::default());
        }
        let all = read_variable(&value, ["ALL_PROXY", "all_proxy"])?;
        let plain = read_variable(&value, ["HTTP_PROXY", "http_proxy"])?;
        let secure = read_variable(&value, ["HTTPS_PROXY", "https_proxy"])?;
        let exempt =
            first_set_variable(&value, ["NO_PROXY", "no_proxy"])?.map(|(_, list)| list).unwrap_or_default();
        let entries = exempt.split([',', ' ', '\t']).filter(|entry| !entry.is_empty());
        Ok(ProxyChoice {
            plain: plain.or_else(|| all.clone()),
            secure: secure.or(all),
            exempt: entries.map(NoProxyRule::parse).collect(),
        })
    }

    /// The proxies' passwords, to be redacted from reports.
    pub fn secrets(&self) -> Vec<String> {
        [&self.plain, &self.secure].into_iter().flatten().filter_map(ProxyUrl::password).collect()
    }

    /// The proxy for `target`.
    pub fn proxy_for(&self, target: &Target) -> Option<ProxyUrl> {
        let proxy = if target.secure() { &self.secure } else { &self.plain };
        proxy.clone().filter(|_| !self.is_exempt(target))
    }

    /// Uses hyper-util's matching rules for names, addresses and networks, which are curl's.
    fn is_exempt(&self, target: &Target) -> bool {
        let meant = self.exempt.iter().filter(|entry| entry.port.is_none_or(|port| port == target.port()));
        let hosts: Vec<&str> = meant.map(|entry| entry.host.as_str()).collect();
        if hosts.contains(&"*") {
            return true;
        }
        let matcher = Matcher::builder().all("http://any.invalid").no(hosts.join(",")).build();
        let uri = format!("http://{}/", target.host()).parse::<Uri>();
        uri.is_ok_and(|uri| matcher.intercept(&uri).is_none())
    }
}

/// The first of these variables that is set, unless it is empty.
fn first_set_variable(
    value: impl Fn(&str) -> Option<OsString>,
    names: [&'static str; 2],
) -> Result<Option<(&'static str, String)>, String> {
    let Some((name, value)) = names.into_iter().find_map(|name| Some((name, value(name)?))) else {
        return Ok(None);
    };
    let text = value.into_string().map_err(|_| format!("{name} in the environment is not UTF-8 text"))?;
    Ok(Some((name, text.trim().to_string())).filter(|(_, text)| !text.is_empty()))
}

/// The proxy in the first of these variables that is set.
fn read_variable(
    value: impl Fn(&str) -> Option<OsString>,
    names: [&'static str; 2],
) -> Result<Option<ProxyUrl>, String> {
    let Some((name, text)) = first_set_variable(value, names)? else { return Ok(None) };
    match text.parse::<ProxyUrl>() {
        Ok(url) => Ok(Some(ProxyUrl { variable: Some(name), ..url })),
        Err(why) => Err(format!("{name} in the environment: {why}; --proxy none ignores it")),
    }
}

/// A host, a network, or `*` for all, reached without the proxy on one port or all ports.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoProxyRule {
    host: String,
    port: Option<u16>,
}

impl NoProxyRule {
    /// Parses `host`, `host:port`, `[::1]`, `[::1]:port` or `::1`; `*.host` means `.host`.
    fn parse(entry: &str) -> NoProxyRule {
        let (host, port) = match entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':')),
            None => match entry.split_once(':') {
                Some((host, port)) if !port.contains(':') => (host, Some(port)),
                _ => (entry, None),
            },
        };
        let host = if host.starts_with("*.") { host.trim_start_matches('*') } else { host };
        match port.map(str::parse) {
            Some(Ok(port)) => NoProxyRule { host: host.to_string(), port: Some(port) },
            Some(Err(_)) => NoProxyRule { host: entry.to_string(), port: None },
            None => NoProxyRule { host: host.to_string(), port: None },
        }
    }
}

/// The protocol for talking to a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum ProxyScheme {
    /// HTTP CONNECT.
    Http,
    /// HTTP CONNECT inside TLS.
    Https,
    /// SOCKS 4: names are resolved locally, IPv4 only.
    Socks4,
    /// SOCKS 4a: names are resolved by the proxy.
    Socks4a,
    /// SOCKS 5 (RFC 1928): names are resolved locally.
    Socks5,
    /// SOCKS 5: names are resolved by the proxy.
    Socks5h,
}

impl ProxyScheme {
    fn default_port(self) -> u16 {
        match self {
            ProxyScheme::Http => 80,
            ProxyScheme::Https => 443,
            ProxyScheme::Socks4 | ProxyScheme::Socks4a | ProxyScheme::Socks5 | ProxyScheme::Socks5h => 1080,
        }
    }

    fn is_socks(self) -> bool {
        !matches!(self, ProxyScheme::Http | ProxyScheme::Https)
    }

    /// Whether the proxy needs an address instead of a name.
    pub fn resolves_here(self) -> bool {
        matches!(self, ProxyScheme::Socks4 | ProxyScheme::Socks5)
    }
}

/// A proxy's URL: `http://user:password@host:port`, `socks5://...`; a bare `host:port` is HTTP.
///
/// `Display` omits the user name and password.
#[derive(Debug, Clone)]
pub struct ProxyUrl {
    pub scheme: ProxyScheme,
    pub endpoint: Endpoint,
    intercept: Intercept,
    /// The environment variable it came from; `None` if the user gave it.
    variable: Option<&'static str>,
}

impl ProxyUrl {
    fn from_intercept(intercept: Intercept) -> Option<ProxyUrl> {
        let uri = intercept.uri();
        let scheme = ProxyScheme::iter().find(|scheme| uri.scheme_str() == Some(scheme.label()))?;
        let host = Host::parse(uri.host()?).ok()?;
        // `Uri::port` returns no port at all for one that is too large.
        let port = match uri.authority()?.as_str().strip_prefix(uri.host()?)? {
            "" => scheme.default_port(),
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        let endpoint = Endpoint { host, zone: None, port };
        (port != 0).then_some(ProxyUrl { scheme, endpoint, intercept, variable: None })
    }

    /// Adds where the proxy came from as a hint: the user may not know that the environment sets one.
    pub fn with_origin(&self, fault: DialError) -> DialError {
        let origin = match self.variable {
            Some(name) => format!("the proxy is from {name} in the environment; --proxy none ignores it"),
            None => "the proxy is from --proxy".to_string(),
        };
        let hint = match (fault.kind, &fault.hint) {
            (FailureKind::Refused, _) => format!("nothing listens there, or a firewall says so; {origin}"),
            (_, Some(hint)) => hint.clone(),
            (_, None) => origin,
        };
        fault.hint(hint)
    }

    /// The password, or the user name if there is no password.
    fn password(&self) -> Option<String> {
        let (user, password) = match self.intercept.raw_auth() {
            Some((user, password)) => (user.to_string(), password.to_string()),
            None => {
                let basic = self.intercept.basic_auth()?.to_str().ok()?.strip_prefix("Basic ")?;
                let pair = String::from_utf8(BASE64.decode(basic).ok()?).ok()?;
                pair.split_once(':').map(|(user, password)| (user.to_string(), password.to_string()))?
            }
        };
        Some(if password.is_empty() { user } else { password })
    }

    fn has_credentials(&self) -> bool {
        self.intercept.basic_auth().is_some() || self.intercept.raw_auth().is_some()
    }
}

impl FromStr for ProxyUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<ProxyUrl, String> {
        let (bare, zone) = without_zone(text);
        let matcher = Matcher::builder().all(bare.as_str()).build();
        let everywhere = Uri::from_static("http://any.invalid/");
        // The error omits the text, which may contain a password.
        let url = matcher.intercept(&everywhere).and_then(ProxyUrl::from_intercept);
        let url = url.filter(|url| zone.is_none() || matches!(url.endpoint.host, Host::Ipv6(_)));
        let mut url = url.ok_or_else(|| format!("{}{}", explain_invalid_url(text), proxy_rule()))?;
        url.endpoint.zone = zone;
        Ok(url)
    }
}

/// Splits off the zone of an IPv6 address, which URLs cannot contain (RFC 6874, RFC 9844).
fn without_zone(text: &str) -> (String, Option<String>) {
    let parts = || {
        // A password may contain brackets.
        let host = text.rfind('@').map_or(0, |at| at + 1);
        let percent = host + text[host..].find('%')?;
        let end = percent + text[percent..].find(']')?;
        let typed = &text[percent + 1..end];
        let zone = typed.strip_prefix("25").filter(|zone| !zone.is_empty()).unwrap_or(typed);
        let is_address = text[host..percent].contains('[');
        (is_address && is_zone(zone))
            .then(|| (format!("{}{}", &text[..percent], &text[end..]), Some(zone.to_string())))
    };
    parts().unwrap_or_else(|| (text.to_string(), None))
}

/// Explains what is wrong with an invalid proxy URL, if it can be seen; ends with `: `.
fn explain_invalid_url(text: &str) -> String {
    let quotes = ['"', '\'', '\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}'];
    let host = text.rsplit_once("://").map_or(text, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if text.starts_with(quotes) || text.ends_with(quotes) {
        return "it has quotes around it: write it without them: ".to_string();
    }
    let host = host.split(['/', '%']).next().unwrap_or_default();
    if host.parse::<Ipv6Addr>().is_ok() {
        return "an IPv6 address needs brackets, as in http://[::1]:3128: ".to_string();
    }
    refused_scheme(text)
}

fn proxy_rule() -> String {
    let schemes = ProxyScheme::iter().map(|scheme| scheme.label()).collect::<Vec<_>>().join(", ");
    format!("a proxy is scheme://[user:password@]host[:port], the scheme one of {schemes}")
}

/// `ftp:// is not a proxy's scheme: `; empty if there is no scheme or it is valid.
fn refused_scheme(text: &str) -> String {
    let scheme = text.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
    let known = |given: &str| ProxyScheme::iter().any(|scheme| scheme.label().eq_ignore_ascii_case(given));
    match scheme {
        Some(given) if !known(given) => format!("{given}:// is not a proxy's scheme: "),
        Some(_) | None => String::new(),
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.label(), self.endpoint)
    }
}

/// Opens a tunnel to `destination` through the proxy at the other end of `stream`.
pub async fn tunnel(
    stream: ByteStream,
    proxy: &ProxyUrl,
    destination: &Endpoint,
    limit: TimeLimit,
) -> Result<ByteStream, DialError> {
    let tap_state = tap_state(&stream);
    let tunnelling = async {
        match proxy.scheme {
            ProxyScheme::Http | ProxyScheme::Https => connect(stream, proxy, destination, limit).await,
            ProxyScheme::Socks4 | ProxyScheme::Socks4a | ProxyScheme::Socks5 | ProxyScheme::Socks5h => {
                socks(stream, proxy, destination).await
            }
        }
    };
    let doing = format!("the proxy did not connect to {destination}");
    limit.run(tunnelling, doing).await.map_err(|silent| {
        // An HTTP proxy waits for the end of a line and so answers nothing.
        if proxy.scheme.is_socks() && tap_state.read_bytes() == 0 { silent.hint(MAYBE_HTTP) } else { silent }
    })?
}

const MAYBE_HTTP: &str = "it may be an HTTP proxy: give it as http://";

/// HTTP CONNECT (RFC 9110 section 9.3.6). hyper-util's version keeps neither a refusal's status nor its headers.
async fn connect(
    mut stream: ByteStream,
    proxy: &ProxyUrl,
    destination: &Endpoint,
    limit: TimeLimit,
) -> Result<ByteStream, DialError> {
    let request = connect_request(proxy, destination);
    stream.write_all(&request).await.map_err(|error| io_error(&error))?;
    stream.flush().await.map_err(|error| io_error(&error))?;
    let mut reader = HeadReader::new(&mut stream, limit.end);
    let head = reader.head().await.map_err(|error| head_error(proxy, &error, limit.span))?;
    if !(200..300).contains(&head.status) {
        let body = reader.body_start(&head).await;
        return Err(refusal_error(proxy, destination, &head, &body));
    }
    match reader.into_leftover().len() {
        0 => Ok(stream),
        extra => {
            let cause = format!("the proxy sent {extra} unexpected bytes after its response");
            Err(DialError::new(FailureKind::ProxyFailed, cause))
        }
    }
}

fn connect_request(proxy: &ProxyUrl, destination: &Endpoint) -> Vec<u8> {
    let agent = concat!("wscheck/", env!("CARGO_PKG_VERSION"));
    let head = format!("CONNECT {destination} HTTP/1.1\r\nHost: {destination}\r\nUser-Agent: {agent}\r\n");
    let mut request = head.into_bytes();
    if let Some(basic) = proxy.intercept.basic_auth() {
        request.extend(b"Proxy-Authorization: ");
        request.extend(basic.as_bytes());
        request.extend(b"\r\n");
    }
    request.extend(b"\r\n");
    request
}

fn io_error(error: &io::Error) -> DialError {
    let fault = DialError::on_open_connection("the connection to the proxy broke", error);
    DialError { kind: FailureKind::ProxyFailed, ..fault }
}

fn head_error(proxy: &ProxyUrl, error: &HeadError, budget: Duration) -> DialError {
    let fault = error.fault("the proxy", budget);
    let kind = match error {
        HeadError::Timeout(_) => FailureKind::Timeout,
        _ => FailureKind::ProxyFailed,
    };
    let hint = match (error.other_protocol(), error) {
        (Some(KnownProtocol::Tls), _) if proxy.scheme == ProxyScheme::Http => {
            Some("the proxy speaks TLS: give it as https://".to_string())
        }
        (None, HeadError::NotHttp(bytes))
            if bytes.first().is_some_and(|version| matches!(version, 0 | 4 | 5)) =>
        {
            Some("it may be a SOCKS proxy: give it as socks5://".to_string())
        }
        _ => None,
    };
    DialError { kind, hint, ..fault }
}

fn refusal_error(proxy: &ProxyUrl, destination: &Endpoint, head: &HttpHead, body: &[u8]) -> DialError {
    let status = head.status;
    let schemes = AuthSchemes::new(head, "proxy-authenticate");
    let basic_cannot_help =
        format!("a proxy's user name and password are sent as Basic only and cannot help; {LOCAL_PROXY}");
    let (cause, hint) = match status {
        407 if !schemes.is_empty() && !schemes.accepts_basic() => {
            (format!("the proxy takes {} (HTTP 407)", schemes.list()), Some(basic_cannot_help.as_str()))
        }
        407 if proxy.has_credentials() => (
            "the proxy did not accept the user name and password (HTTP 407)".to_string(),
            Some("check the user name and password in the proxy's URL"),
        ),
        407 => (
            "the proxy wants a user name and password (HTTP 407)".to_string(),
            Some("give them in the proxy's URL: http://user:password@host:port"),
        ),
        403 => (
            format!("the proxy forbids connections to {destination} (HTTP 403)"),
            Some("many proxies allow CONNECT to port 443 only: ask who runs it, or use another --proxy"),
        ),
        405 | 501 => (
            format!("the proxy does not support CONNECT (HTTP {status})"),
            Some("what answers there may be a web server, not a proxy"),
        ),
        502..=504 => (
            format!("the proxy could not reach {destination} (HTTP {status})"),
            Some("the proxy works, but it cannot reach the server or resolve its name"),
        ),
        _ => (format!("the proxy refused to connect to {destination} (HTTP {status})"), None),
    };
    let fault = DialError::new(FailureKind::ProxyFailed, cause);
    DialError { hint: hint.map(str::to_string), refusal: Some(upgrade_error::evidence(head, body)), ..fault }
}

/// Hands the open connection to hyper-util's SOCKS client.
struct OpenedStream(Option<ByteStream>);

impl Service<Uri> for OpenedStream {
    type Response = TokioIo<ByteStream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<ByteStream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

async fn socks(
    stream: ByteStream,
    proxy: &ProxyUrl,
    destination: &Endpoint,
) -> Result<ByteStream, DialError> {
    let tap_state = tap_state(&stream);
    let (unused, opened, uri) = (Uri::from_static("/"), OpenedStream(Some(stream)), uri(destination)?);
    let tunnel = match (proxy.scheme, proxy.intercept.raw_auth()) {
        (ProxyScheme::Socks4 | ProxyScheme::Socks4a, _) => SocksV4::new(unused, opened).call(uri).await,
        (_, None) => SocksV5::new(unused, opened).call(uri).await,
        (_, Some((user, password))) => {
            let socks = SocksV5::new(unused, opened);
            socks.with_auth(user.to_string(), password.to_string()).call(uri).await
        }
    };
    tunnel.map(TokioIo::into_inner).map_err(|error| socks_fault(destination, &error.to_string(), &tap_state))
}

fn uri(destination: &Endpoint) -> Result<Uri, DialError> {
    let wrong = |_| {
        let cause = format!("the proxy cannot be asked for the host {}", destination.host);
        DialError::new(FailureKind::Local, cause)
    };
    format!("http://{destination}/").parse().map_err(wrong)
}

/// hyper-util's texts of SOCKS failures (its types are private), our descriptions, and hints.
const SOCKS_FAILURES: &[(&str, &str, Option<&str>)] = &[
    ("general server failure", "the proxy failed (SOCKS reply 1)", None),
    (
        "connection not allowed",
        "the proxy's rules forbid it (SOCKS reply 2)",
        Some("ask who runs the proxy, or use another --proxy"),
    ),
    ("network unreachable", "the proxy has no route to its network (SOCKS reply 3)", None),
    (
        "host unreachable",
        "the proxy cannot reach the host (SOCKS reply 4)",
        Some("the server is down for the proxy, or the proxy does not know its name"),
    ),
    ("connection refused", "the server refused the proxy's connection (SOCKS reply 5)", None),
    ("ttl expired", "the TTL expired between the proxy and the server (SOCKS reply 6)", None),
    ("command not supported", "the proxy does not support CONNECT (SOCKS reply 7)", None),
    (
        "address type not supported",
        "the proxy does not support this address type (SOCKS reply 8)",
        Some("try -4, or let the proxy resolve the name: socks5h://"),
    ),
    ("credentials not accepted", "the proxy did not accept the user name and password", None),
    (
        "does not support user/pass",
        "the proxy accepts none of our authentication methods",
        Some("it may want a user name and password: socks5://user:password@host:port"),
    ),
    (
        "implements authentication incorrectly",
        "the proxy chose an authentication method that was not offered",
        Some("it may want a user name and password: socks5://user:password@host:port"),
    ),
    ("failed to execute command", "the proxy refused or failed (SOCKS 4 reply 91)", None),
    ("ident", "the proxy wants an ident service (SOCKS 4 reply 92 or 93)", None),
    ("IPV6 is not supported", "SOCKS 4 cannot carry an IPv6 address", Some("use -4 or socks5://")),
    ("failed parsing", "the proxy's answer is not SOCKS", Some(MAYBE_HTTP)),
];

fn socks_fault(destination: &Endpoint, words: &str, tap_state: &TapState) -> DialError {
    if words.contains("io error") {
        let cause = format!("no connection to {destination}: {}", describe_disconnect(tap_state));
        let fault = DialError::new(FailureKind::ProxyFailed, cause);
        return if tap_state.read_bytes() == 0 { fault.hint(MAYBE_HTTP) } else { fault };
    }
    let known = SOCKS_FAILURES.iter().find(|(theirs, _, _)| words.contains(theirs));
    let (ours, hint) = known.map_or((words, None), |(_, ours, hint)| (*ours, *hint));
    let fault = DialError::new(FailureKind::ProxyFailed, format!("no connection to {destination}: {ours}"));
    DialError { hint: hint.map(str::to_string), ..fault }
}

/// The state of the tap on the socket.
fn tap_state(stream: &ByteStream) -> Arc<TapState> {
    match stream {
        ByteStream::Plain(tap) => tap.state(),
        ByteStream::Tls(tls) => tap_state(tls.get_ref().0),
    }
}

/// Describes a broken connection. hyper-util hides the error, but the tap has it.
fn describe_disconnect(tap_state: &TapState) -> String {
    match tap_state.end() {
        Some(StreamEnd::Error(Some(errno))) => {
            format!(
                "the connection to the proxy broke: {}",
                os_error::describe(&io::Error::from_raw_os_error(errno))
            )
        }
        Some(StreamEnd::Fin) => "the proxy closed the connection".to_string(),
        Some(StreamEnd::Error(None)) | None => "the connection to the proxy broke".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<ProxyUrl>().unwrap().to_string()
    }

    #[test]
    fn proxy_is_shown_without_its_password() {
        assert_eq!(shown("http://bob:hunter2@p.example:3128"), "http://p.example:3128");
        assert_eq!(shown("socks5h://bob:hunter2@[::1]"), "socks5h://[::1]:1080");
        assert_eq!(shown("p.example:3128"), "http://p.example:3128");
        let debug = format!("{:?}", "http://bob:hunter2@p:1".parse::<ProxyUrl>().unwrap());
        assert!(!debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn zone_of_a_link_local_proxy_is_split_off() {
        for text in ["http://me:p%40x@[fe80::1%lo]:3128", "[fe80::1%25lo]:3128"] {
            let url: ProxyUrl = text.parse().unwrap();
            assert_eq!((url.endpoint.zone.as_deref(), url.endpoint.port), (Some("lo"), 3128), "{text}");
            assert_eq!(url.to_string(), "http://[fe80::1%lo]:3128");
        }
        let numbered: ProxyUrl = "[fe80::1%25251]:3128".parse().unwrap();
        assert_eq!(
            (numbered.endpoint.zone.as_deref(), numbered.to_string().as_str()),
            (Some("251"), "http://[fe80::1%25251]:3128")
        );
        assert_eq!("http://me:p%5D@a:1".parse::<ProxyUrl>().unwrap().endpoint.zone, None);
        assert!("http://[127.0.0.1%lo]:1".parse::<ProxyUrl>().is_err());
    }

    #[test]
    fn proxy_passwords_are_secrets() {
        let secrets = |text: &str| {
            let mut secrets = ProxyChoice::from(text.parse::<ProxyUrl>().unwrap()).secrets();
            secrets.dedup();
            secrets
        };
        assert_eq!(secrets("http://me:p%40ss:word@a:1"), ["p@ss:word"]);
        assert_eq!(secrets("socks5://me:hunter22@a:1"), ["hunter22"]);
        assert_eq!(secrets("http://token77@a:1"), ["token77"]);
        assert!(secrets("http://a:1").is_empty());
    }

    #[test]
    fn invalid_proxy_url_is_explained() {
        let refusal = |text: &str| text.parse::<ProxyUrl>().unwrap_err();
        for text in ["\"http://a:1\"", "'a:1'"] {
            assert!(refusal(text).starts_with("it has quotes around it"), "{text}");
        }
        for text in ["fe80::1", "http://::1"] {
            assert!(refusal(text).starts_with("an IPv6 address needs brackets"), "{text}");
        }
    }

    #[test]
    fn invalid_proxy_error_omits_the_password() {
        for text in ["ftp://bob:hunter2@p", "", "http://", "http://bob:hunter2@p:0", "http://p:99999"] {
            let error = text.parse::<ProxyUrl>().unwrap_err();
            assert!(error.contains("socks5h") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn invalid_scheme_is_named() {
        let error = |text: &str| text.parse::<ProxyUrl>().unwrap_err();
        assert!(error("ftp://x:1").starts_with("ftp:// is not a proxy's scheme: a proxy is scheme://"));
        assert!(error("bob:hunter2@ftp://x").starts_with("a proxy is scheme://"));
        assert!(error("http://p:0").starts_with("a proxy is scheme://"));
    }

    fn environment(variables: &[(&str, &str)]) -> Result<ProxyChoice, String> {
        let value = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.into());
        ProxyChoice::read(value)
    }

    fn chosen(variables: &[(&str, &str)], target: &str) -> Option<String> {
        let choice = environment(variables).unwrap();
        choice.proxy_for(&target.parse().unwrap()).map(|proxy| proxy.to_string())
    }

    #[test]
    fn ws_uses_http_proxy_and_wss_https_proxy() {
        let both = [("HTTP_PROXY", "http://plain:1"), ("https_proxy", "http://secure:2")];
        assert_eq!(chosen(&both, "ws://a.example").as_deref(), Some("http://plain:1"));
        assert_eq!(chosen(&both, "wss://a.example").as_deref(), Some("http://secure:2"));
        let all = [("ALL_PROXY", "socks5://all:3"), ("HTTP_PROXY", "")];
        assert_eq!(chosen(&all, "wss://a.example").as_deref(), Some("socks5://all:3"));
        assert_eq!(chosen(&all, "ws://a.example").as_deref(), Some("socks5://all:3"));
        assert_eq!(chosen(&[("HTTP_PROXY", "http://p:1"), ("REQUEST_METHOD", "GET")], "ws://a"), None);
    }

    #[test]
    fn only_no_proxy_exempts_a_host() {
        let direct = |no: &str, target: &str| {
            chosen(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", no)], target).is_none()
        };
        assert!(!direct("", "ws://127.0.0.1:9"));
        assert!(!direct("", "ws://localhost:9"));
        assert!(direct("127.0.0.0/8", "ws://127.0.0.1:9"));
        assert!(direct("::1", "ws://[::1]:9"));
        assert!(direct("[::1]", "ws://[::1]:9"));
        assert!(direct(".example", "wss://a.example"));
        assert!(direct("*.example", "wss://a.example"));
        assert!(direct("c.example b.example", "wss://b.example"));
        assert!(!direct("b.example", "wss://a.example"));
    }

    #[test]
    fn star_exempts_all_and_a_port_itself_only() {
        let direct = |no: &str, target: &str| {
            chosen(&[("ALL_PROXY", "http://p:1"), ("NO_PROXY", no)], target).is_none()
        };
        for target in ["ws://127.0.0.1:9", "ws://[::1]:9", "wss://a.example"] {
            assert!(direct("*", target) && direct("x, *", target), "{target}");
        }
        for (entry, host) in
            [("127.0.0.1:9", "127.0.0.1"), ("[::1]:9", "[::1]"), ("a.example:9", "b.a.example"), ("*:9", "x")]
        {
            assert!(direct(entry, &format!("ws://{host}:9")), "{entry}");
            assert!(!direct(entry, &format!("ws://{host}:10")), "{entry}");
        }
    }

    #[test]
    fn invalid_variable_is_named_without_its_value() {
        for (name, value) in [
            ("HTTP_PROXY", "ftp://bob:hunter2@p"),
            ("https_proxy", "http://p:99999"),
            ("ALL_PROXY", "http://"),
        ] {
            let error = environment(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(&format!("{name} in the environment: ")), "{error}");
            assert!(error.ends_with("--proxy none ignores it") && !error.contains("hunter2"), "{error}");
        }
        assert!(environment(&[("HTTP_PROXY", ""), ("NO_PROXY", "")]).is_ok());
    }

    #[test]
    fn non_utf8_variable_is_named() {
        use std::os::unix::ffi::OsStringExt;
        let value = |name: &str| (name == "ALL_PROXY").then(|| OsString::from_vec(vec![b'p', 0xff]));
        assert_eq!(ProxyChoice::read(value).unwrap_err(), "ALL_PROXY in the environment is not UTF-8 text");
    }

    #[test]
    fn error_names_the_origin_of_the_proxy() {
        let by_variable = environment(&[("all_proxy", "http://p:1")]).unwrap().plain.unwrap();
        let by_user: ProxyUrl = "http://p:1".parse().unwrap();
        let refused = || DialError::new(FailureKind::Refused, "x").hint("check host and port");
        assert_eq!(
            by_variable.with_origin(refused()).hint.unwrap(),
            "nothing listens there, or a firewall says so; the proxy is from all_proxy in the environment; \
             --proxy none ignores it"
        );
        assert!(by_user.with_origin(refused()).hint.unwrap().ends_with("the proxy is from --proxy"));
        let local = DialError::new(FailureKind::Local, "x");
        assert_eq!(by_user.with_origin(local.clone()).hint.unwrap(), "the proxy is from --proxy");
        assert_eq!(by_user.with_origin(local.hint("no such address")).hint.unwrap(), "no such address");
    }
}
