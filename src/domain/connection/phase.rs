//! The steps by which a connection opens, and how long each took.

use std::fmt;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// A step on the way to an open WebSocket, in the order they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// The name was turned into addresses.
    Dns,
    /// A TCP (or Unix) connection was made.
    Tcp,
    /// A proxy was asked for the way on (CONNECT or SOCKS).
    Proxy,
    /// TLS was negotiated.
    Tls,
    /// HTTP was upgraded to WebSocket (RFC 6455 section 4).
    Upgrade,
    /// The awaited message came (`--await`).
    Await,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Dns => "DNS",
            Phase::Tcp => "TCP",
            Phase::Proxy => "proxy",
            Phase::Tls => "TLS",
            Phase::Upgrade => "upgrade",
            Phase::Await => "await",
        })
    }
}

/// How long each phase of one opening took. A phase that did not happen is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhaseTimes {
    pub dns: Option<Duration>,
    pub tcp: Option<Duration>,
    pub proxy: Option<Duration>,
    pub tls: Option<Duration>,
    pub upgrade: Option<Duration>,
    /// From the start of the opening to the end of the upgrade; never less than the phases' sum.
    pub total: Duration,
}
