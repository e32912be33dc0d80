//! The way through a proxy: which one, and how it is asked for the way on.

use std::fmt;
use std::future::{Ready, ready};
use std::io;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV4, SocksV5};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, timeout_at};
use tower_service::Service;
use url::Host;

use crate::domain::opening::FailureKind;
use crate::domain::target::Target;

use super::fault::Fault;
use super::head::{Head, HeadError, HeadReader, Speaks};
use super::refusal;
use super::stream::Stream;

/// Which proxy connections go through.
#[derive(Debug, Clone, Default)]
pub enum ProxyChoice {
    /// Straight to the target.
    #[default]
    None,
    /// As the environment said when the snapshot was taken: HTTP_PROXY for ws://, HTTPS_PROXY for
    /// wss://, ALL_PROXY for both, unless NO_PROXY names the host.
    Environment(Arc<Matcher>),
    /// This one, for every target.
    Url(ProxyUrl),
}

impl ProxyChoice {
    /// Takes a snapshot of the environment. Variables that hold no proxy URL are ignored.
    pub fn from_environment() -> ProxyChoice {
        ProxyChoice::Environment(Arc::new(Matcher::from_env()))
    }

    /// The proxy on the way to `target`.
    pub fn proxy_for(&self, target: &Target) -> Option<ProxyUrl> {
        match self {
            ProxyChoice::None => None,
            ProxyChoice::Url(url) => Some(url.clone()),
            ProxyChoice::Environment(matcher) => {
                let scheme = if target.secure() { "https" } else { "http" };
                let uri: Uri = format!("{scheme}://{}:{}/", target.host(), target.port()).parse().ok()?;
                ProxyUrl::from_intercept(matcher.intercept(&uri)?)
            }
        }
    }
}

/// How a proxy is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP CONNECT.
    Http,
    /// HTTP CONNECT inside TLS.
    Https,
    /// SOCKS 4: names are resolved here, IPv4 only.
    Socks4,
    /// SOCKS 4a: names are resolved by the proxy.
    Socks4a,
    /// SOCKS 5 (RFC 1928), with names resolved here.
    Socks5,
    /// SOCKS 5, with names resolved by the proxy.
    Socks5h,
}

impl Scheme {
    const ALL: [Scheme; 6] =
        [Scheme::Http, Scheme::Https, Scheme::Socks4, Scheme::Socks4a, Scheme::Socks5, Scheme::Socks5h];

    fn label(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Socks4 => "socks4",
            Scheme::Socks4a => "socks4a",
            Scheme::Socks5 => "socks5",
            Scheme::Socks5h => "socks5h",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Scheme::Http => 80,
            Scheme::Https => 443,
            Scheme::Socks4 | Scheme::Socks4a | Scheme::Socks5 | Scheme::Socks5h => 1080,
        }
    }

    /// Whether the proxy must be told an address, not a name.
    pub fn resolves_here(self) -> bool {
        matches!(self, Scheme::Socks4 | Scheme::Socks5)
    }
}

/// A proxy's URL: `http://user:password@host:port`, `socks5://...`; a bare `host:port` is HTTP.
///
/// `Display` leaves the user name and password out.
#[derive(Debug, Clone)]
pub struct ProxyUrl {
    scheme: Scheme,
    host: Host<String>,
    port: u16,
    intercept: Intercept,
}

impl ProxyUrl {
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub fn host(&self) -> &Host<String> {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn from_intercept(intercept: Intercept) -> Option<ProxyUrl> {
        let uri = intercept.uri();
        let scheme = Scheme::ALL.into_iter().find(|scheme| uri.scheme_str() == Some(scheme.label()))?;
        let host = Host::parse(uri.host()?).ok()?;
        // `Uri::port` takes a port that is too large for none at all.
        let port = match uri.authority()?.as_str().strip_prefix(uri.host()?)? {
            "" => scheme.default_port(),
            port => port.strip_prefix(':')?.parse().ok()?,
        };
        (port != 0).then_some(ProxyUrl { scheme, host, port, intercept })
    }

    fn has_credentials(&self) -> bool {
        self.intercept.basic_auth().is_some() || self.intercept.raw_auth().is_some()
    }
}

impl FromStr for ProxyUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<ProxyUrl, String> {
        let matcher = Matcher::builder().all(text).build();
        let everywhere = Uri::from_static("http://any.invalid/");
        // The text is not quoted: it may hold a password.
        matcher.intercept(&everywhere).and_then(ProxyUrl::from_intercept).ok_or_else(|| {
            let schemes: Vec<_> = Scheme::ALL.iter().map(|scheme| scheme.label()).collect();
            format!(
                "a proxy is scheme://[user:password@]host[:port], the scheme one of {}",
                schemes.join(", ")
            )
        })
    }
}

impl fmt::Display for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.scheme.label(), self.host, self.port)
    }
}

/// Where the proxy is asked to connect to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    pub host: Host<String>,
    pub port: u16,
}

impl Destination {
    /// The host and port of `target`, its name left to the proxy.
    pub fn of(target: &Target) -> Destination {
        Destination { host: target.host().clone(), port: target.port() }
    }

    /// A name resolved here, or the address that it was.
    pub fn at(address: IpAddr, port: u16) -> Destination {
        let host = match address {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        };
        Destination { host, port }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Asks the proxy at the other end of `stream` for the way to `destination`; until `deadline`, of a
/// `budget` that began earlier.
pub async fn tunnel(
    stream: Stream,
    proxy: &ProxyUrl,
    destination: &Destination,
    deadline: Instant,
    budget: Duration,
) -> Result<Stream, Fault> {
    let tunnelling = async {
        match proxy.scheme {
            Scheme::Http | Scheme::Https => connect(stream, proxy, destination, deadline, budget).await,
            Scheme::Socks4 | Scheme::Socks4a => socks4(stream, destination).await,
            Scheme::Socks5 | Scheme::Socks5h => socks5(stream, proxy, destination).await,
        }
    };
    let silent = |_| Fault::timeout(budget, format!("the proxy did not open the way to {destination}"));
    timeout_at(deadline, tunnelling).await.map_err(silent)?
}

/// HTTP CONNECT (RFC 9110 section 9.3.6). Not hyper-util's, which keeps neither the status of a refusal
/// nor its headers.
async fn connect(
    mut stream: Stream,
    proxy: &ProxyUrl,
    destination: &Destination,
    deadline: Instant,
    budget: Duration,
) -> Result<Stream, Fault> {
    let request = connect_request(proxy, destination);
    stream.write_all(&request).await.map_err(|error| broken(&error))?;
    stream.flush().await.map_err(|error| broken(&error))?;
    let mut reader = HeadReader::new(&mut stream, deadline);
    let head = reader.head().await.map_err(|error| unanswered(proxy, &error, budget))?;
    if !(200..300).contains(&head.status) {
        let body = reader.body_start(&head).await;
        return Err(refused(proxy, destination, &head, &body));
    }
    match reader.into_leftover().len() {
        0 => Ok(stream),
        extra => {
            let cause = format!("the proxy sent {extra} bytes that nobody asked for");
            Err(Fault::new(FailureKind::ProxyFailed, cause))
        }
    }
}

fn connect_request(proxy: &ProxyUrl, destination: &Destination) -> Vec<u8> {
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

fn broken(error: &io::Error) -> Fault {
    let fault = Fault::talking("the proxy broke off", error);
    Fault { kind: FailureKind::ProxyFailed, ..fault }
}

fn unanswered(proxy: &ProxyUrl, error: &HeadError, budget: Duration) -> Fault {
    let fault = error.fault("the proxy", budget);
    let kind = match error {
        HeadError::Timeout(_) => FailureKind::Timeout,
        _ => FailureKind::ProxyFailed,
    };
    let hint = match (error.speaks(), error) {
        (Some(Speaks::Tls), _) if proxy.scheme == Scheme::Http => {
            Some("the proxy speaks TLS: give it as https://".to_string())
        }
        (None, HeadError::NotHttp(bytes))
            if bytes.first().is_some_and(|version| matches!(version, 0 | 4 | 5)) =>
        {
            Some("it may be a SOCKS proxy: give it as socks5://".to_string())
        }
        _ => None,
    };
    Fault { kind, hint, ..fault }
}

fn refused(proxy: &ProxyUrl, destination: &Destination, head: &Head, body: &[u8]) -> Fault {
    let status = head.status;
    let (cause, hint) = match status {
        407 if proxy.has_credentials() => (
            "the proxy did not accept the user name and password (HTTP 407)".to_string(),
            Some("check the user name and password in the proxy's URL"),
        ),
        407 => (
            "the proxy wants a user name and password (HTTP 407)".to_string(),
            Some("give them in the proxy's URL: http://user:password@host:port"),
        ),
        403 => (
            format!("the proxy forbids the way to {destination} (HTTP 403)"),
            Some("many proxies allow CONNECT to port 443 only: ask who runs it, or use another --proxy"),
        ),
        405 | 501 => (
            format!("the proxy does not take CONNECT (HTTP {status})"),
            Some("what answers there may be a web server, not a proxy"),
        ),
        502..=504 => (
            format!("the proxy could not reach {destination} (HTTP {status})"),
            Some("the proxy works; the way from it to the server, or the server's name, does not"),
        ),
        _ => (format!("the proxy refused the way to {destination} (HTTP {status})"), None),
    };
    let fault = Fault::new(FailureKind::ProxyFailed, cause);
    Fault { hint: hint.map(str::to_string), refusal: Some(refusal::evidence(head, body)), ..fault }
}

/// Hands hyper-util's SOCKS the connection that is there already.
struct Here(Option<Stream>);

impl Service<Uri> for Here {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Stream>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        ready(self.0.take().map(TokioIo::new).ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

async fn socks4(stream: Stream, destination: &Destination) -> Result<Stream, Fault> {
    let mut socks = SocksV4::new(Uri::from_static("/"), Here(Some(stream)));
    let way = socks.call(uri(destination)?).await;
    way.map(TokioIo::into_inner).map_err(|error| socks_fault(destination, &error.to_string()))
}

async fn socks5(stream: Stream, proxy: &ProxyUrl, destination: &Destination) -> Result<Stream, Fault> {
    let mut socks = SocksV5::new(Uri::from_static("/"), Here(Some(stream)));
    if let Some((user, password)) = proxy.intercept.raw_auth() {
        socks = socks.with_auth(user.to_string(), password.to_string());
    }
    let way = socks.call(uri(destination)?).await;
    way.map(TokioIo::into_inner).map_err(|error| socks_fault(destination, &error.to_string()))
}

fn uri(destination: &Destination) -> Result<Uri, Fault> {
    let wrong = |_| {
        let cause = format!("the proxy cannot be asked for the host {}", destination.host);
        Fault::new(FailureKind::Local, cause)
    };
    format!("http://{destination}/").parse().map_err(wrong)
}

/// hyper-util's words for a SOCKS failure (its types cannot be named), how we say it, and what to do.
const SOCKS_FAILURES: &[(&str, &str, Option<&str>)] = &[
    ("general server failure", "the proxy failed (SOCKS reply 1)", None),
    (
        "connection not allowed",
        "the proxy's rules forbid it (SOCKS reply 2)",
        Some("ask who runs the proxy, or use another --proxy"),
    ),
    ("network unreachable", "the proxy has no network to it (SOCKS reply 3)", None),
    (
        "host unreachable",
        "the proxy cannot reach it (SOCKS reply 4)",
        Some("the server is down for the proxy, or the proxy does not know its name"),
    ),
    ("connection refused", "the server refused the proxy's connection (SOCKS reply 5)", None),
    ("ttl expired", "the way from the proxy is too long (SOCKS reply 6)", None),
    ("command not supported", "the proxy does not take CONNECT (SOCKS reply 7)", None),
    (
        "address type not supported",
        "the proxy does not take this kind of address (SOCKS reply 8)",
        Some("try -4, or let the proxy resolve the name: socks5h://"),
    ),
    ("credentials not accepted", "the proxy did not accept the user name and password", None),
    (
        "does not support user/pass",
        "the proxy accepts none of our ways to authenticate",
        Some("it may want a user name and password: socks5://user:password@host:port"),
    ),
    (
        "implements authentication incorrectly",
        "the proxy chose a way to authenticate that was not offered",
        Some("it may want a user name and password: socks5://user:password@host:port"),
    ),
    ("failed to execute command", "the proxy refused or failed (SOCKS 4 reply 91)", None),
    ("ident", "the proxy wants an ident service (SOCKS 4 reply 92 or 93)", None),
    ("IPV6 is not supported", "SOCKS 4 cannot carry an IPv6 address", Some("use -4 or socks5://")),
    ("io error", "the proxy broke off", Some("what answers there may not be a SOCKS proxy")),
    (
        "failed parsing",
        "the proxy's answer is not SOCKS",
        Some("it may be an HTTP proxy: give it as http://"),
    ),
];

fn socks_fault(destination: &Destination, words: &str) -> Fault {
    let known = SOCKS_FAILURES.iter().find(|(theirs, _, _)| words.contains(theirs));
    let (ours, hint) = known.map_or((words, None), |(_, ours, hint)| (*ours, *hint));
    let fault = Fault::new(FailureKind::ProxyFailed, format!("no way to {destination}: {ours}"));
    Fault { hint: hint.map(str::to_string), ..fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<ProxyUrl>().unwrap().to_string()
    }

    #[test]
    fn a_proxy_is_shown_without_its_password() {
        assert_eq!(shown("http://bob:hunter2@p.example:3128"), "http://p.example:3128");
        assert_eq!(shown("socks5h://bob:hunter2@[::1]"), "socks5h://[::1]:1080");
        assert_eq!(shown("p.example:3128"), "http://p.example:3128");
        let debug = format!("{:?}", "http://bob:hunter2@p:1".parse::<ProxyUrl>().unwrap());
        assert!(!debug.contains("hunter2"), "{debug}");
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_repeating_its_password() {
        for text in ["ftp://bob:hunter2@p", "", "http://", "http://bob:hunter2@p:0", "http://p:99999"] {
            let error = text.parse::<ProxyUrl>().unwrap_err();
            assert!(error.contains("socks5h") && !error.contains("hunter2"), "{error}");
        }
    }

    fn chosen(matcher: Matcher, target: &str) -> Option<String> {
        let choice = ProxyChoice::Environment(Arc::new(matcher));
        choice.proxy_for(&target.parse().unwrap()).map(|proxy| proxy.to_string())
    }

    #[test]
    fn ws_goes_by_http_proxy_and_wss_by_https_proxy() {
        let matcher = || Matcher::builder().http("http://plain:1").https("http://secure:2").build();
        assert_eq!(chosen(matcher(), "ws://a.example").as_deref(), Some("http://plain:1"));
        assert_eq!(chosen(matcher(), "wss://a.example").as_deref(), Some("http://secure:2"));
        let all = Matcher::builder().all("socks5://all:3").build();
        assert_eq!(chosen(all, "wss://a.example").as_deref(), Some("socks5://all:3"));
    }

    #[test]
    fn only_no_proxy_exempts_a_host_be_it_loopback_or_not() {
        let matcher = |no: &str| Matcher::builder().all("http://p:1").no(no).build();
        assert!(chosen(matcher(""), "ws://127.0.0.1:9").is_some());
        assert!(chosen(matcher(""), "ws://localhost:9").is_some());
        assert!(chosen(matcher("127.0.0.0/8"), "ws://127.0.0.1:9").is_none());
        assert!(chosen(matcher("::1"), "ws://[::1]:9").is_none());
        assert!(chosen(matcher(".example"), "wss://a.example").is_none());
        assert!(chosen(matcher("b.example"), "wss://a.example").is_some());
    }
}
