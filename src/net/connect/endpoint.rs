//! A host and a port to connect to.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use url::Host;

use crate::domain::connection::target::{Target, with_zone};

/// Where a connection goes: `10.0.0.7:8080`, `[::1]:8080`, `pod.local:80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub host: Host<String>,
    /// The network interface of a link-local IPv6 host.
    pub zone: Option<String>,
    pub port: u16,
}

impl From<&Target> for Endpoint {
    fn from(target: &Target) -> Endpoint {
        let zone = target.zone().map(str::to_string);
        Endpoint { host: target.host().clone(), zone, port: target.port() }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Endpoint {
        let host = match address.ip() {
            IpAddr::V4(ip) => Host::Ipv4(ip),
            IpAddr::V6(ip) => Host::Ipv6(ip),
        };
        Endpoint { host, zone: None, port: address.port() }
    }
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Endpoint, String> {
        let wrong = |why: &str| format!("'{text}' is not HOST:PORT: {why}");
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("the port is missing"))?;
        let port =
            port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("the port is not 1 to 65535"))?;
        let host = Host::parse(host).map_err(|why| wrong(&why.to_string()))?;
        Ok(Endpoint { host, zone: None, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", with_zone(self.host.to_string(), self.zone.as_deref()), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoint_is_a_host_and_a_port() {
        let shown = |text: &str| text.parse::<Endpoint>().map(|endpoint| endpoint.to_string());
        for text in ["127.0.0.1:80", "[::1]:8080", "pod.local:65535"] {
            assert_eq!(shown(text).as_deref(), Ok(text));
        }
        for text in ["127.0.0.1", "a:0", "a:65536", ":80", "a b:80"] {
            assert!(shown(text).unwrap_err().contains("is not HOST:PORT"), "{text}");
        }
    }
}
