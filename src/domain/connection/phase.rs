//! The phases of opening a connection, and their durations.

use std::fmt;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// A phase of opening a WebSocket, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Phase {
    /// What is read before each opening was read: headers, messages, the URL.
    Input,
    /// The name was resolved.
    Dns,
    /// A TCP (or Unix) connection was made.
    Tcp,
    /// The proxy was asked to connect (CONNECT or SOCKS).
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
            Phase::Input => "input",
            Phase::Dns => "DNS",
            Phase::Tcp => "TCP",
            Phase::Proxy => "proxy",
            Phase::Tls => "TLS",
            Phase::Upgrade => "upgrade",
            Phase::Await => "await",
        })
    }
}

/// The durations of an opening's phases; `None` for a phase that did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PhaseTimes {
    pub dns: Option<Duration>,
    pub tcp: Option<Duration>,
    pub proxy: Option<Duration>,
    pub tls: Option<Duration>,
    pub upgrade: Option<Duration>,
    /// From the start of the opening to the end of the upgrade; at least the phases' sum.
    pub total: Duration,
}
