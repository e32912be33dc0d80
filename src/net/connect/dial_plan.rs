//! How to open connections.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};

use super::bind_pool::BindPool;
use super::endpoint::Endpoint;
use super::http2_pool::Http2Pool;
use super::proxy::{ProxyChoice, ProxyUrl};
use super::resolve::{AddressFamily, ResolveOverride};
use super::tls::{self, TlsPlan};
use crate::domain::connection::connect_info::TimestampChoice;
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::permessage_deflate::DeflateOffer;
use crate::domain::connection::target::{Credentials, Target};
use crate::net::transport::http2::goaway_log::GoawayLog;

/// How to open connections.
#[derive(Clone)]
pub struct DialPlan {
    /// Extra request headers; Host, User-Agent, Origin or Authorization among them replace ours.
    pub headers: HeaderMap,
    pub origin: Option<HeaderValue>,
    /// In order of preference.
    pub subprotocols: Vec<String>,
    pub http: HttpChoice,
    /// WebSockets share connections of HTTP/2; `None`: each has its own.
    pub http2_pool: Option<Arc<Http2Pool>>,
    /// Where GOAWAYs of HTTP/2 are recorded.
    pub goaways: Option<GoawayLog>,
    /// Offer permessage-deflate (RFC 7692).
    pub deflate: Option<DeflateOffer>,
    /// Replaces the URL's userinfo.
    pub credentials: Option<Credentials>,
    /// Addresses to use instead of asking the resolver.
    pub resolve: Vec<ResolveOverride>,
    /// Use addresses of this family only.
    pub family: Option<AddressFamily>,
    /// Local addresses to connect from, in turn; if empty, the system chooses.
    pub bind: BindPool,
    /// Connect to this Unix socket instead of the URL's host, without a proxy.
    pub unix_socket: Option<PathBuf>,
    /// Connect to this host and port instead of the URL's; Host, SNI and the certificate's name stay those of the URL.
    pub connect_to: Option<Endpoint>,
    pub proxy: ProxyChoice,
    pub tls: Arc<TlsPlan>,
    /// Time limit from name resolution to the upgrade.
    pub connect_timeout: Duration,
    /// TCP keepalive: both the idle time before the first probe and the probe interval.
    pub tcp_keepalive: Option<Duration>,
    /// How long sent data may stay unacknowledged before TCP gives up; `None`: the system's default, about 15 minutes.
    pub user_timeout: Option<Duration>,
    pub timestamps: TimestampChoice,
}

impl Default for DialPlan {
    /// Connects directly within 10 s and trusts the system's roots; ignores the environment.
    fn default() -> DialPlan {
        DialPlan {
            headers: HeaderMap::new(),
            origin: None,
            subprotocols: Vec::new(),
            http: HttpChoice::default(),
            http2_pool: None,
            goaways: None,
            deflate: None,
            credentials: None,
            resolve: Vec::new(),
            family: None,
            bind: BindPool::default(),
            unix_socket: None,
            connect_to: None,
            proxy: ProxyChoice::default(),
            tls: Arc::default(),
            connect_timeout: Duration::from_secs(10),
            tcp_keepalive: None,
            user_timeout: None,
            timestamps: TimestampChoice::Auto,
        }
    }
}

impl fmt::Debug for DialPlan {
    /// Omits the headers and credentials, which are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DialPlan")
            .field("subprotocols", &self.subprotocols)
            .field("proxy", &self.proxy)
            .field("tls", &self.tls)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl DialPlan {
    /// The proxy to use for `target`; none for a Unix socket.
    pub fn proxy_for(&self, target: &Target) -> Option<ProxyUrl> {
        match (&self.unix_socket, &self.connect_to) {
            (None, None) => self.proxy.proxy_for(target),
            (_, _) => None,
        }
    }

    /// What is offered by ALPN.
    pub(super) fn alpn(&self) -> &'static [&'static [u8]] {
        match self.http {
            HttpChoice::Http1 => &[tls::HTTP1],
            HttpChoice::Http2 => &[tls::HTTP2],
            HttpChoice::Auto => &[tls::HTTP2, tls::HTTP1],
        }
    }

    /// Where the connection goes, if no proxy is between.
    pub(super) fn endpoint(&self, target: &Target) -> Endpoint {
        self.connect_to.clone().unwrap_or_else(|| Endpoint::from(target))
    }
}
