//! The checks of `doctor`: stable ids, in the order in which they are shown.

use strum::{EnumIter, EnumMessage, EnumString, IntoEnumIterator, IntoStaticStr};

/// A check. Its documentation is shown by `--list-checks`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage, EnumString,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Check {
    /// The name has addresses, in both families, and how long the answer took.
    Resolve,
    /// Every address accepts a TCP connection.
    Tcp,
    /// A proxy of the environment or of --proxy is on the path.
    Proxy,
    /// TLS version, cipher and protocol, and whether a client certificate is asked for.
    Tls,
    /// The certificate's chain, names, validity, key and issuer.
    Certificate,
    /// The server accepts the upgrade to a WebSocket.
    Upgrade,
    /// Whether the server looks at the Origin header.
    Origin,
    /// Whether the server needs a subprotocol.
    Subprotocol,
    /// Whether a page in a browser may open it, and what the page sees of a failure.
    Browser,
    /// Whether WebSockets work over HTTP/2, which browsers use where the server allows it.
    Http2,
    /// Whether WebSockets work with compression offered, as browsers do.
    Compression,
    /// Which convention of heartbeats and messages the server speaks.
    Convention,
    /// Ping frames are answered, with their payload.
    Pings,
    /// Control frames between the fragments of a message are answered (RFC 6455 5.4).
    Fragments,
    /// The server answers a close frame.
    Close,
    /// RTT of Ping frames, of app heartbeats and of TCP, and loss.
    Latency,
    /// Which heartbeats the server sends by itself.
    ServerHeartbeats,
    /// How long the path may be idle.
    IdleTimeout,
    /// How long the server keeps dead clients (only with --thorough).
    DeadClients,
    /// Whether connections end at a certain age.
    Lifetime,
    /// At which hop something begins (with --via or --each-address).
    Hops,
    /// What follows from several checks together.
    Advice,
}

/// What a check is about; the report has a heading for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Category {
    Name,
    Reach,
    Tls,
    Upgrade,
    Protocol,
    Latency,
    ServerHeartbeats,
    Idle,
    Zombies,
    Ages,
    Hops,
    Advice,
}

impl Check {
    /// What the check is about.
    pub fn category(self) -> Category {
        match self {
            Check::Resolve => Category::Name,
            Check::Tcp | Check::Proxy => Category::Reach,
            Check::Tls | Check::Certificate => Category::Tls,
            Check::Upgrade
            | Check::Origin
            | Check::Subprotocol
            | Check::Browser
            | Check::Http2
            | Check::Compression => Category::Upgrade,
            Check::Convention | Check::Pings | Check::Fragments | Check::Close => Category::Protocol,
            Check::Latency => Category::Latency,
            Check::ServerHeartbeats => Category::ServerHeartbeats,
            Check::IdleTimeout => Category::Idle,
            Check::DeadClients => Category::Zombies,
            Check::Lifetime => Category::Ages,
            Check::Hops => Category::Hops,
            Check::Advice => Category::Advice,
        }
    }
}

/// Which checks are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckSelection {
    /// Only these; empty: all.
    pub only: Vec<Check>,
    /// Not these.
    pub skip: Vec<Check>,
}

impl CheckSelection {
    /// Whether a check is wanted.
    pub fn has(&self, check: Check) -> bool {
        (self.only.is_empty() || self.only.contains(&check)) && !self.skip.contains(&check)
    }

    /// Whether this one or any after it is wanted.
    pub fn has_any_from(&self, first: Check) -> bool {
        Check::iter().any(|check| check >= first && self.has(check))
    }

    /// Whether any of these is wanted.
    pub fn has_any(&self, checks: &[Check]) -> bool {
        checks.iter().any(|check| self.has(*check))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_back() {
        assert_eq!("server-heartbeats".parse(), Ok(Check::ServerHeartbeats));
        assert_eq!(<&str>::from(Check::IdleTimeout), "idle-timeout");
        assert_eq!(<&str>::from(Check::Http2), "http2");
        assert!("idle".parse::<Check>().is_err());
    }

    #[test]
    fn only_and_skip_narrow_the_choice() {
        let all = CheckSelection::default();
        assert!(all.has(Check::Tcp));
        let some = CheckSelection { only: vec![Check::Tcp, Check::Tls], skip: vec![Check::Tls] };
        assert!(some.has(Check::Tcp) && !some.has(Check::Tls) && !some.has(Check::Upgrade));
        assert!(some.has_any(&[Check::Upgrade, Check::Tcp]) && !some.has_any(&[Check::Upgrade]));
    }
}
