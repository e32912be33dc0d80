//! Arguments that control how connections are opened.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use http::{HeaderMap, HeaderName, HeaderValue};
use strum::IntoEnumIterator;

use super::args::{byte_size, positive_duration};
use crate::domain::connection::connect_info::TimestampChoice;
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::permessage_deflate::DeflateOffer;
use crate::domain::connection::target::Credentials;
use crate::domain::label::Label;
use crate::domain::secrets;
use crate::net::connect::dial::DialPlan;
use crate::net::connect::endpoint::Endpoint;
use crate::net::connect::proxy::{ProxyChoice, ProxyUrl};
use crate::net::connect::request_headers::{add_header, add_lines};
use crate::net::connect::resolve::{AddressFamily, ResolveOverride, local_address};
use crate::net::connect::tls::{TlsOptions, TlsPlan};
pub(super) use crate::net::text_file::read;

/// Connection options shared by all commands that open connections.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connecting")]
pub struct ConnectArgs {
    /// Use IPv4 addresses only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    pub ipv4: bool,
    /// Use IPv6 addresses only
    #[arg(short = '6', long)]
    pub ipv6: bool,
    /// Add a request header; @FILE reads one per line (repeatable)
    #[arg(short = 'H', long, value_name = "NAME: VALUE|@FILE")]
    pub header: Vec<String>,
    /// Send this Origin header, as a browser does
    #[arg(long, value_name = "ORIGIN")]
    pub origin: Option<String>,
    /// Offer a subprotocol (repeatable, most preferred first)
    #[arg(long, value_name = "NAME")]
    pub subprotocol: Vec<String>,
    /// Which HTTP opens the WebSocket: 1.1; 2, by extended CONNECT (RFC 8441), without TLS with prior knowledge; auto takes
    /// what the server chooses by ALPN
    #[arg(long, value_name = "VERSION", default_value = "1.1", value_parser = http_choice())]
    pub http: HttpChoice,
    /// Offer to compress messages, as browsers do (permessage-deflate, RFC 7692); PARAMS replace their parameters, for example
    /// 'client_no_context_takeover; server_max_window_bits=10'
    #[arg(
        long,
        value_name = "PARAMS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "client_max_window_bits"
    )]
    pub compress: Option<DeflateOffer>,
    /// Credentials for HTTP Basic authentication
    #[arg(long, value_name = "USER:PASSWORD")]
    pub user: Option<String>,
    /// Use this address for a host and port instead of DNS; a link-local address needs its interface: fe80::1%eth0
    /// (repeatable)
    #[arg(long, value_name = "HOST:PORT:ADDR")]
    pub resolve: Vec<ResolveOverride>,
    /// Connect to this Unix socket instead of the URL's host
    #[arg(long, value_name = "PATH")]
    pub unix_socket: Option<PathBuf>,
    /// Connect to this host and port instead of the URL's, without a proxy; Host, TLS and the request stay those of the URL
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "unix_socket")]
    pub connect_to: Option<Endpoint>,
    /// Local addresses to connect from, in turn; each has some 28000 ports per server address; a link-local address
    /// needs its interface: fe80::1%eth0
    #[arg(long, value_name = "ADDR,...", value_delimiter = ',', value_parser = local_address)]
    pub bind: Vec<SocketAddr>,
    /// Maximum time to open a connection, from DNS to the upgrade
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = positive_duration)]
    pub connect_timeout: Duration,
    /// Maximum size of a message from the server
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = message_size)]
    pub max_message_size: usize,
    /// Send TCP keepalive probes after this much silence, and at this interval
    #[arg(long, value_name = "TIME", value_parser = keepalive)]
    pub tcp_keepalive: Option<Duration>,
    /// Give up when the peer's TCP has acknowledged nothing for this long (Linux); none leaves it to the system
    /// (about 15 minutes) [default: for ping three timeouts, at least 30s; otherwise none]
    #[arg(long, value_name = "TIME|none", value_parser = user_timeout)]
    pub user_timeout: Option<UserTimeout>,
    /// Source of timestamps: the kernel where available (Linux), else this program
    #[arg(long, value_name = "SOURCE", default_value = "auto", value_parser = timestamp_choice())]
    pub timestamps: TimestampChoice,
    /// Connect through this proxy: http://, https://, socks4://, socks5:// or socks5h://, with USER:PASSWORD@ if
    /// needed; none ignores HTTP(S)_PROXY, ALL_PROXY and NO_PROXY of the environment
    #[arg(long, value_name = "URL|none")]
    pub proxy: Option<String>,
    /// Trust the certificates in FILE (PEM) instead of the system's (repeatable)
    #[arg(long, value_name = "FILE")]
    pub cacert: Vec<PathBuf>,
    /// Client certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// Accept any server certificate; the report says that it was not verified
    #[arg(short = 'k', long)]
    pub insecure: bool,
    /// Server name for SNI and certificate verification, instead of the URL's host
    #[arg(long, value_name = "NAME")]
    pub server_name: Option<String>,
}

impl ConnectArgs {
    /// Builds the plan. Errors never show a secret.
    pub fn dial(&self) -> Result<DialPlan, String> {
        Ok(DialPlan {
            headers: headers(&self.header)?,
            origin: self.origin.as_deref().map(origin).transpose()?,
            subprotocols: self.subprotocols()?,
            http: self.http,
            http2_pool: None,
            goaways: None,
            deflate: self.compress,
            credentials: self.user.as_deref().map(credentials).transpose()?,
            resolve: self.resolve.clone(),
            family: self.family(),
            bind: self.bind.clone().into(),
            unix_socket: self.unix_socket.clone(),
            connect_to: self.connect_to.clone(),
            proxy: self.proxy_choice()?,
            tls: Arc::new(self.tls()?),
            connect_timeout: self.connect_timeout,
            tcp_keepalive: self.tcp_keepalive,
            user_timeout: match self.user_timeout {
                Some(UserTimeout::After(timeout)) => Some(timeout),
                Some(UserTimeout::SystemDefault) | None => None,
            },
            timestamps: self.timestamps,
        })
    }

    /// The options that say how to reach the server, as they are typed. Values that may be secret are left out.
    pub fn typed(&self) -> Vec<String> {
        let flag = |is_set: bool, name: &str| is_set.then(|| vec![name.to_string()]);
        let with = |name: &str, value: String| vec![name.to_string(), value];
        let path = |name: &str, path: &PathBuf| with(name, path.display().to_string());
        let single = [
            flag(self.ipv4, "-4"),
            flag(self.ipv6, "-6"),
            flag(self.insecure, "-k"),
            flag(self.proxy.as_deref() == Some("none"), "--proxy=none"),
            self.origin.as_ref().map(|origin| with("--origin", origin.clone())),
            self.server_name.as_ref().map(|name| with("--server-name", name.clone())),
            self.unix_socket.as_ref().map(|socket| path("--unix-socket", socket)),
            self.connect_to.as_ref().map(|to| with("--connect-to", to.to_string())),
            self.cert.as_ref().map(|cert| path("--cert", cert)),
            self.key.as_ref().map(|key| path("--key", key)),
            (self.http != HttpChoice::Http1).then(|| with("--http", self.http.label().to_string())),
            self.compress.map(|offer| vec![format!("--compress={}", offer.parameters())]),
            self.user.as_ref().map(|_| with("--user", "USER:PASSWORD".to_string())),
        ];
        let of_resolve = self.resolve.iter().map(|one| with("--resolve", one.to_string()));
        let of_cacert = self.cacert.iter().map(|file| path("--cacert", file));
        let of_subprotocol = self.subprotocol.iter().map(|name| with("--subprotocol", name.clone()));
        let of_header = self.header.iter().map(|header| with("-H", unvalued(header)));
        let several = of_resolve.chain(of_cacert).chain(of_subprotocol).chain(of_header);
        single.into_iter().flatten().chain(several).flatten().collect()
    }

    fn family(&self) -> Option<AddressFamily> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(AddressFamily::V4),
            (false, true) => Some(AddressFamily::V6),
            (false, false) => None,
        }
    }

    fn proxy_choice(&self) -> Result<ProxyChoice, String> {
        let choice = match self.proxy.as_deref() {
            None if self.unix_socket.is_some() => ProxyChoice::default(),
            None => ProxyChoice::from_environment()?,
            Some("none") => ProxyChoice::default(),
            Some(url) => url.parse().map(ProxyUrl::into).map_err(|why| format!("--proxy: {why}"))?,
        };
        secrets::learn(|sent| {
            for secret in choice.secrets() {
                sent.value(&secret);
            }
        });
        Ok(choice)
    }

    fn tls(&self) -> Result<TlsPlan, String> {
        TlsPlan::build(&TlsOptions {
            cacert: self.cacert.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            insecure: self.insecure,
            server_name: self.server_name.clone(),
        })
    }

    /// The subprotocols, which must be distinct tokens (RFC 6455 4.1).
    fn subprotocols(&self) -> Result<Vec<String>, String> {
        for (index, name) in self.subprotocol.iter().enumerate() {
            let is_token = HeaderName::from_bytes(name.as_bytes()).is_ok();
            if !is_token {
                return Err(format!(
                    "--subprotocol: '{name}' is not a token: letters, digits and !#$%&'*+-.^_`|~"
                ));
            }
            if self.subprotocol[..index].contains(name) {
                return Err(format!("--subprotocol: '{name}' is offered twice"));
            }
        }
        Ok(self.subprotocol.clone())
    }
}

/// A header without its value; the name of a file stays.
fn unvalued(header: &str) -> String {
    match header.split_once(':') {
        _ if header.starts_with('@') => header.to_string(),
        Some((name, _)) => format!("{}: VALUE", name.trim()),
        None => "NAME: VALUE".to_string(),
    }
}

/// How long sent data may stay unacknowledged before TCP gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserTimeout {
    After(Duration),
    /// The system's default.
    SystemDefault,
}

fn user_timeout(text: &str) -> Result<UserTimeout, String> {
    match text {
        "none" => Ok(UserTimeout::SystemDefault),
        _ => positive_duration(text).map(UserTimeout::After),
    }
}

/// Source of timestamps.
fn timestamp_choice() -> impl TypedValueParser<Value = TimestampChoice> {
    PossibleValuesParser::new(["auto", "kernel", "user"]).map(|name| match name.as_str() {
        "kernel" => TimestampChoice::Kernel,
        "user" => TimestampChoice::User,
        _ => TimestampChoice::Auto,
    })
}

/// Versions of HTTP.
fn http_choice() -> impl TypedValueParser<Value = HttpChoice> {
    PossibleValuesParser::new(HttpChoice::iter().map(|choice| choice.label()))
        .map(|name| HttpChoice::iter().find(|choice| choice.label() == name).unwrap_or_default())
}

/// TCP keepalive in whole seconds, the unit of its timers.
fn keepalive(text: &str) -> Result<Duration, String> {
    let duration = positive_duration(text)?;
    if duration.subsec_nanos() > 0 {
        return Err("TCP keepalive counts in whole seconds".to_string());
    }
    Ok(duration)
}

/// Minimum, in bytes: a control frame's payload has up to 125 bytes (RFC 6455 section 5.5).
const MIN_MESSAGE_SIZE: usize = 1024;

/// Maximum, in bytes: every connection may hold a message of this size in memory.
const MAX_MESSAGE_SIZE: usize = 1024 * 1024 * 1024;

fn message_size(text: &str) -> Result<usize, String> {
    match byte_size(text)? {
        size if size < MIN_MESSAGE_SIZE => {
            Err("it must be at least 1KiB: control frames and our own heartbeats must fit".to_string())
        }
        size if size > MAX_MESSAGE_SIZE => {
            Err("it must be at most 1GiB: a message is held in memory".to_string())
        }
        size => Ok(size),
    }
}

fn headers(given: &[String]) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (index, text) in given.iter().enumerate() {
        match text.strip_prefix('@') {
            Some(path) => read_headers(path, &mut headers)?,
            None => add_header(text, &format!("the {} --header", ordinal(index + 1)), &mut headers)?,
        }
    }
    Ok(headers)
}

/// The ordinal number: `1st`, `2nd`, `11th`.
fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn read_headers(path: &str, headers: &mut HeaderMap) -> Result<(), String> {
    let text = read(path).map_err(|why| format!("--header: cannot read {path}: {why}"))?;
    add_lines(&text, path, headers).map_err(|why| format!("--header: {why}"))
}

fn origin(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text)
        .map_err(|_| "--origin: it has characters that a header cannot carry".to_string())
}

fn credentials(text: &str) -> Result<Credentials, String> {
    match text.split_once(':') {
        Some((user, password)) => {
            secrets::learn(|sent| sent.value(password));
            Ok(Credentials { user: user.to_string(), password: password.to_string() })
        }
        None => Err("--user: it must be USER:PASSWORD".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(header: &str) -> String {
        headers(&["X-Fine: 1".to_string(), header.to_string()]).unwrap_err()
    }

    fn file(text: &str) -> (tempfile::NamedTempFile, String) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        let given = format!("@{}", file.path().display());
        (file, given)
    }

    /// The options of a connection, as they are typed.
    fn typed(words: &[&str]) -> Vec<String> {
        #[derive(clap::Parser)]
        struct TestConnectCli {
            #[command(flatten)]
            args: ConnectArgs,
        }
        let line = ["wscheck"].iter().chain(words);
        <TestConnectCli as clap::Parser>::try_parse_from(line).unwrap().args.typed()
    }

    #[test]
    fn options_are_typed_again_without_secrets() {
        let words =
            ["-k", "--resolve", "a.example:80:[::1]", "--cacert", "ca.pem", "--connect-to", "127.0.0.1:9"];
        let again = typed(&words);
        assert_eq!(typed(&again.iter().map(String::as_str).collect::<Vec<_>>()), again);
        let mut all: Vec<&str> = again.iter().map(String::as_str).collect();
        let mut given = words.to_vec();
        all.sort_unstable();
        given.sort_unstable();
        assert_eq!(all, given);
        let secret = typed(&["--user", "bob:hunter2", "-H", "Authorization: hunter2", "-H", "@headers"]);
        assert_eq!(secret, ["--user", "USER:PASSWORD", "-H", "Authorization: VALUE", "-H", "@headers"]);
    }

    #[test]
    fn invalid_header_is_named_by_position() {
        assert_eq!(refusal("SECRETTOKEN"), "the 2nd --header needs the form 'Name: value'");
        assert_eq!(
            refusal("Bearer SECRET: x"),
            "the 2nd --header has an invalid header name: letters, digits and !#$%&'*+-.^_`|~"
        );
        assert_eq!(
            refusal("X-Token: sec\x01ret"),
            "the 2nd --header: the value of 'x-token' has characters that a header cannot carry"
        );
        assert_eq!(
            refusal("Upgrade: h2c"),
            "the 2nd --header: 'upgrade' belongs to the WebSocket handshake and cannot be set"
        );
        assert_eq!(
            refusal("Sec-WebSocket-Extensions: permessage-deflate"),
            "the 2nd --header: 'sec-websocket-extensions' belongs to the WebSocket handshake and cannot be set: use --compress"
        );
        let (_file, given) = file("X-A: 1\nSECRET\n");
        assert_eq!(
            refusal(&given),
            format!("--header: line 2 of {} needs the form 'Name: value'", given.trim_start_matches('@'))
        );
    }

    #[test]
    fn ordinals_follow_english_rules() {
        let ordinals = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal);
        assert_eq!(ordinals.join(" "), "1st 2nd 3rd 4th 11th 12th 13th 21st 102nd 111th");
    }

    #[test]
    fn headers_are_read_from_a_file() {
        let (_file, given) = file("# ours: no\nX-A: 1\n\n  # X-C: 3\n X-B: two # words \n");
        let headers = headers(&[given]).unwrap();
        assert_eq!(headers.len(), 2);
        assert_eq!(
            (&headers["x-a"], &headers["x-b"]),
            (&"1".parse().unwrap(), &"two # words".parse().unwrap())
        );
    }

    #[test]
    fn unusable_header_file_is_refused() {
        assert_eq!(
            refusal("@/nonexistent/file"),
            "--header: cannot read /nonexistent/file: no such file or directory (ENOENT)"
        );
        let (_file, given) = file(&"# 789\n".repeat(200_000));
        assert!(refusal(&given).ends_with(": it holds more than 1 MiB"));
        let (binary, given) = file("");
        std::fs::write(&binary, b"X-A: \xff\n").unwrap();
        assert!(refusal(&given).ends_with(": it is not UTF-8 text"));
    }

    #[test]
    fn endless_header_file_is_bounded() {
        assert_eq!(refusal("@/dev/zero"), "--header: cannot read /dev/zero: it holds more than 1 MiB");
    }

    #[test]
    fn message_size_has_bounds() {
        assert_eq!(message_size("1KiB"), Ok(1024));
        assert!(message_size("1023").unwrap_err().contains("control frames"));
        assert!(message_size("0").unwrap_err().contains("above zero"));
    }
}
