//! What is known about a connection once it is open, and why opening can fail.

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::phase::{Phase, PhaseTimes};
use super::untrusted_text::UntrustedText;

/// An address that was tried (RFC 8305: several attempts may run at once).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// The address as shown: `127.0.0.1:9001`, `[::1]:9001`, or a socket's path.
    pub address: String,
    pub took: Duration,
    /// Why it failed; `None` for the one used.
    pub error: Option<String>,
}

/// The TLS parameters and the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The cipher suite's IANA name.
    pub cipher: String,
    /// The protocol chosen by ALPN.
    pub alpn: Option<String>,
    /// Whole days until the server's certificate expires; negative afterwards.
    pub days_left: Option<i64>,
    /// The certificate's subject, as its common name or first DNS name.
    pub subject: Option<UntrustedText>,
    /// The issuer's name.
    pub issuer: Option<UntrustedText>,
    /// False if `--insecure` skipped verification.
    pub verified: bool,
}

/// The requested source of timestamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampChoice {
    /// The kernel where available, else this process.
    #[default]
    Auto,
    /// The kernel where available for what arrives, this process for what it sends: cheaper with many connections.
    Arrivals,
    /// The kernel; a connection without kernel timestamps is not opened.
    Kernel,
    /// This process.
    User,
}

/// The source of the timestamps of bytes sent and received: always at the socket, below TLS.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage,
)]
#[strum(serialize_all = "snake_case")]
pub enum TimestampSource {
    /// This process: just before the write, and after the read.
    #[default]
    User,
    /// Received: the kernel; sent: this process, just before the write.
    KernelReceive,
    /// The kernel, for both.
    Kernel,
}

impl TimestampSource {
    pub fn sentence(self) -> &'static str {
        match self {
            TimestampSource::User => "from this program, at the socket",
            TimestampSource::KernelReceive => {
                "from the kernel for arrivals, from this program for departures"
            }
            TimestampSource::Kernel => "from the kernel",
        }
    }
}

/// Which HTTP opened a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, IntoStaticStr, EnumIter, EnumMessage)]
pub enum HttpVersion {
    /// HTTP/1.1, by an upgrade (RFC 6455).
    #[default]
    #[strum(serialize = "1.1")]
    Http1,
    /// HTTP/2, by extended CONNECT (RFC 8441).
    #[strum(serialize = "2")]
    Http2,
}

impl HttpVersion {
    /// The status that opens a WebSocket.
    pub fn success(self) -> u16 {
        match self {
            HttpVersion::Http1 => 101,
            HttpVersion::Http2 => 200,
        }
    }
}

/// The connection of HTTP/2 that a WebSocket shares with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedHttp2 {
    /// Which of the run it is, from 1.
    pub number: NonZeroU32,
    /// How many WebSockets were to share it.
    pub streams_wanted: u32,
    /// How many streams its server allows at once (SETTINGS_MAX_CONCURRENT_STREAMS); `None`: it sets no limit.
    pub streams_allowed: Option<u32>,
}

/// The details of an open connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectInfo {
    /// The address used; the proxy's, if there is one.
    pub remote: Option<String>,
    pub local: Option<String>,
    /// The client's proxy, without its password; then the phases measure the path to it.
    pub proxy: Option<String>,
    pub phases: PhaseTimes,
    /// Every address tried, in order of start.
    pub attempts: Vec<ConnectAttempt>,
    pub tls: Option<TlsInfo>,
    pub http: HttpVersion,
    /// `None` if WebSockets share none.
    pub shared_http2: Option<SharedHttp2>,
    pub subprotocols_offered: Vec<String>,
    pub subprotocol: Option<UntrustedText>,
    /// The offered compression of messages, as in the header.
    pub compression_offered: Option<String>,
    /// The agreed one.
    pub compression: Option<String>,
    /// Response headers that reveal servers and proxies (Server, Via, ...), names in lower case.
    pub headers: Vec<(String, UntrustedText)>,
    pub timestamps: TimestampSource,
}

/// The kind of failure that prevented a connection; scripts see its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum FailureKind {
    NameNotFound,
    /// The resolver itself failed (no server, temporary failure).
    ResolverFailed,
    Refused,
    Unreachable,
    Reset,
    /// The phase did not finish within the connect timeout.
    Timeout,
    ProxyFailed,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateWrongName,
    CertificateUnknownIssuer,
    CertificateRevoked,
    /// Another fault of the certificate.
    CertificateInvalid,
    /// TLS failed for another reason, usually a plain server on a TLS port.
    TlsFailed,
    /// The peer does not speak HTTP/1.1.
    NotHttp,
    /// The peer does not speak HTTP/2, which was asked for.
    NotHttp2,
    /// The peer speaks HTTP/2 and does not allow WebSockets on it (RFC 8441 section 3).
    WebsocketsNotAllowed,
    /// The peer's settings allow WebSockets over HTTP/2, and no stream at the moment (RFC 9113 section 6.5.2).
    H2NoStreams,
    /// The peer reset the stream of HTTP/2 instead of an answer.
    H2RstStream,
    /// The peer ended the connection of HTTP/2 instead of an answer.
    H2Goaway,
    /// An HTTP response with a status other than 101, or over HTTP/2 other than 2xx.
    UpgradeRefused,
    /// Status 101, but with a wrong Sec-WebSocket-Accept or headers that RFC 6455 forbids.
    BadUpgrade,
    /// The response headers do not end.
    EndlessHeader,
    /// The peer closed before the phase was finished.
    ClosedEarly,
    /// The awaited message did not come.
    NotAwaited,
    /// A local failure: no permission, no free ports, no such socket file.
    Local,
    Other,
    /// The arguments make no sense, so that nothing was attempted.
    Usage,
}

/// The HTTP response to a refused upgrade.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RefusalResponse {
    pub status: u16,
    /// The relevant headers (Server, Location, WWW-Authenticate, ...), names in lower case.
    pub headers: Vec<(String, UntrustedText)>,
    /// The start of the body.
    pub body: UntrustedText,
    /// It says, in words or by its headers, that an ordinary request came instead of an upgrade.
    pub saw_no_upgrade: bool,
}

/// The peer of a connection that failed after TCP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReachedPeer {
    /// The address that answered; the proxy's, if there is one.
    pub address: String,
    /// The proxy, without its password.
    pub proxy: Option<String>,
    /// Further addresses of the same name, not tried because this one answered first.
    pub untried: Vec<String>,
}

/// Why a connection could not be opened: the failed step, and what the reader can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError {
    /// The target, redacted.
    pub url: String,
    pub phase: Phase,
    pub kind: FailureKind,
    /// A lower-case fragment: `certificate expired 3 days ago`.
    pub cause: String,
    /// What the reader can do, if known.
    pub hint: Option<String>,
    /// Every address tried.
    pub attempts: Vec<ConnectAttempt>,
    /// The state of the connection at the failure; `None` before TCP.
    pub reached: Option<ReachedPeer>,
    /// Present if HTTP answered with a status other than 101.
    pub refusal: Option<RefusalResponse>,
    /// Time from the start of the attempt to the failure.
    pub took: Duration,
}

impl ConnectError {
    /// The address that answered, or the proxy on the path to it; `None` if the URL contains the address.
    pub fn addresses(&self) -> Option<String> {
        let ReachedPeer { address, proxy, .. } = self.reached.as_ref()?;
        if let Some(proxy) = proxy {
            return Some(match self.phase {
                Phase::Input | Phase::Dns | Phase::Tcp => return None,
                Phase::Proxy => format!("at {address}"),
                Phase::Tls | Phase::Upgrade | Phase::Await => format!("through the proxy {proxy}"),
            });
        }
        let authority = self.url.split("://").nth(1)?.split(['/', '?']).next()?;
        let host = authority.rsplit('@').next()?;
        let port = |address: &str| address.rsplit_once(':').map(|(host, _)| host.to_string());
        let is_literal = host == address || port(address).as_deref() == Some(host);
        (!is_literal).then(|| format!("at {address}"))
    }
}

/// Whether it is an address with a port, not the path of a socket.
fn ends_with_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
}

impl ConnectError {
    /// The failed step: `TLS`, or `Unix socket` instead of TCP.
    fn step(&self) -> String {
        let is_path = |attempt: &ConnectAttempt| !ends_with_port(&attempt.address);
        if self.phase == Phase::Tcp && self.attempts.iter().any(is_path) {
            "Unix socket".to_string()
        } else {
            self.phase.to_string()
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.addresses().map(|place| format!(" {place}")).unwrap_or_default();
        write!(f, "cannot open {}: {}{place}: {}", self.url, self.step(), self.cause)
    }
}

impl std::error::Error for ConnectError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str, phase: Phase, address: &str, proxy: Option<&str>) -> String {
        let proxy = proxy.map(str::to_string);
        ConnectError {
            url: url.to_string(),
            phase,
            kind: FailureKind::Other,
            cause: "why".to_string(),
            hint: None,
            attempts: Vec::new(),
            reached: Some(ReachedPeer { address: address.to_string(), proxy, untried: Vec::new() }),
            refusal: None,
            took: Duration::ZERO,
        }
        .to_string()
    }

    #[test]
    fn a_failure_after_tcp_names_the_address_that_answered() {
        let named = error("wss://a.example/", Phase::Tls, "192.0.2.7:443", None);
        assert_eq!(named, "cannot open wss://a.example/: TLS at 192.0.2.7:443: why");
        let unix = error("ws://a.example/", Phase::Upgrade, "/run/x", None);
        assert_eq!(unix, "cannot open ws://a.example/: upgrade at /run/x: why");
    }

    #[test]
    fn an_address_that_the_url_has_is_not_repeated() {
        for (url, address) in [
            ("ws://127.0.0.1:9001/x", "127.0.0.1:9001"),
            ("wss://***@127.0.0.1/", "127.0.0.1:443"),
            ("ws://[::1]:9001/", "[::1]:9001"),
            ("ws://[::1]/?a=b", "[::1]:80"),
        ] {
            assert_eq!(error(url, Phase::Upgrade, address, None), format!("cannot open {url}: upgrade: why"));
        }
    }

    #[test]
    fn a_failure_through_a_proxy_names_the_proxy() {
        let proxy = Some("http://p.example:8080");
        let of = |phase| error("ws://a.example/", phase, "192.0.2.7:8080", proxy);
        assert_eq!(of(Phase::Proxy), "cannot open ws://a.example/: proxy at 192.0.2.7:8080: why");
        assert_eq!(
            of(Phase::Upgrade),
            "cannot open ws://a.example/: upgrade through the proxy http://p.example:8080: why"
        );
    }
}
