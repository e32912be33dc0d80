//! What is learnt while a connection opens, and how that can fail.

use std::fmt;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::phase::{Phase, PhaseTimes};
use super::untrusted_text::UntrustedText;

/// One address that was tried (RFC 8305: several may be under way at once).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectAttempt {
    /// The address as shown: `127.0.0.1:9001`, `[::1]:9001`, or a socket's path.
    pub address: String,
    pub took: Duration,
    /// Why it failed; `None` for the one that was used.
    pub error: Option<String>,
}

/// What TLS agreed on, and what the server's certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInfo {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// The cipher suite's IANA name.
    pub cipher: String,
    /// The protocol chosen by ALPN, where one was.
    pub alpn: Option<String>,
    /// Whole days until the server's own certificate expires; negative when it has.
    pub days_left: Option<i64>,
    /// The certificate's subject, as its common name or first DNS name.
    pub subject: Option<UntrustedText>,
    /// The name of who issued it.
    pub issuer: Option<UntrustedText>,
    /// False when `--insecure` skipped the check.
    pub verified: bool,
}

/// Who is asked to say when bytes leave and arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampChoice {
    /// The kernel as far as it does, else this process.
    #[default]
    Auto,
    /// The kernel; a connection whose bytes it does not stamp is not opened.
    Kernel,
    /// This process.
    User,
}

/// Who says when bytes left and arrived: always at the socket, under TLS.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, IntoStaticStr, EnumIter, EnumMessage,
)]
#[strum(serialize_all = "snake_case")]
pub enum TimestampSource {
    /// This process: just before the write, and when the read returned.
    #[default]
    User,
    /// The kernel when they arrived; this process, just before the write, when they left.
    KernelReceive,
    /// The kernel, when they left and when they arrived.
    Kernel,
}

impl TimestampSource {
    /// In words.
    pub fn sentence(self) -> &'static str {
        match self {
            TimestampSource::User => "user space, at the socket",
            TimestampSource::KernelReceive => "the kernel's on receipt, user space on sending, at the socket",
            TimestampSource::Kernel => "the kernel's, on sending and on receipt",
        }
    }
}

/// An open connection's facts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectInfo {
    /// The address in use; that of the proxy, when there is one.
    pub remote: Option<String>,
    pub local: Option<String>,
    /// The proxy on the way, without its password: the phases then measure the way to it.
    pub proxy: Option<String>,
    pub phases: PhaseTimes,
    /// Every address that was tried, in the order of their start.
    pub attempts: Vec<ConnectAttempt>,
    pub tls: Option<TlsInfo>,
    pub subprotocols_offered: Vec<String>,
    pub subprotocol: Option<UntrustedText>,
    /// Response headers that tell of servers and proxies (Server, Via, ...), name in lower case.
    pub headers: Vec<(String, UntrustedText)>,
    pub timestamps: TimestampSource,
}

/// What kind of failure kept a connection from opening; scripts see its label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum FailureKind {
    NameNotFound,
    /// The resolver itself failed (no server, temporary failure).
    ResolverFailed,
    Refused,
    Unreachable,
    Reset,
    /// The phase did not end within the connect timeout.
    Timeout,
    ProxyFailed,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateWrongName,
    CertificateUnknownIssuer,
    CertificateRevoked,
    /// Another fault of the certificate.
    CertificateInvalid,
    /// TLS failed for another reason; a plain server on a TLS port is the usual one.
    TlsFailed,
    /// What answered does not speak HTTP/1.1.
    NotHttp,
    /// HTTP answered, but with a status other than 101.
    UpgradeRefused,
    /// 101, but with the wrong Sec-WebSocket-Accept or headers that RFC 6455 forbids.
    BadUpgrade,
    /// Response headers without an end.
    EndlessHeader,
    /// The peer closed before the phase was over.
    ClosedEarly,
    /// The awaited message did not come.
    NotAwaited,
    /// The local side failed: no permission, no ports, no such socket file.
    Local,
    Other,
    /// The arguments make no sense, so that nothing was attempted.
    Usage,
}

/// The HTTP response of a refused upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalResponse {
    pub status: u16,
    /// The telling headers (Server, Location, WWW-Authenticate, ...), name in lower case.
    pub headers: Vec<(String, UntrustedText)>,
    /// The start of the body.
    pub body: UntrustedText,
}

/// The peer of a connection that failed after TCP.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReachedPeer {
    /// The address that answered; that of the proxy, when there is one.
    pub address: String,
    /// The proxy, without its password.
    pub proxy: Option<String>,
    /// Further addresses of the same name that were not tried, since this one answered before.
    pub untried: Vec<String>,
}

/// Why a connection could not be opened: at which step, and what the reader can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectError {
    /// The target, redacted.
    pub url: String,
    pub phase: Phase,
    pub kind: FailureKind,
    /// A lower-case fragment: `certificate expired 3 days ago`.
    pub cause: String,
    /// What the reader can do, where something is known.
    pub hint: Option<String>,
    /// Every address that was tried.
    pub attempts: Vec<ConnectAttempt>,
    /// Where the connection stood when it failed; `None` before TCP.
    pub reached: Option<ReachedPeer>,
    /// Present when HTTP answered with something other than 101.
    pub refusal: Option<RefusalResponse>,
    /// From the start of the opening to the failure.
    pub took: Duration,
}

impl ConnectError {
    /// The address that answered, or the proxy on the way to it; `None` where the URL names the address itself.
    pub fn whereabouts(&self) -> Option<String> {
        let ReachedPeer { address, proxy, .. } = self.reached.as_ref()?;
        if let Some(proxy) = proxy {
            return Some(match self.phase {
                Phase::Dns | Phase::Tcp => return None,
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

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.whereabouts().map(|place| format!(" {place}")).unwrap_or_default();
        write!(f, "cannot open {}: {}{place}: {}", self.url, self.phase, self.cause)
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
