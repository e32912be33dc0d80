//! Resolves a host name to the addresses to try.

use std::collections::HashSet;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use url::Host;

pub use crate::domain::connection::address_family::AddressFamily;
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::target::is_zone;

use super::endpoint::Endpoint;
use crate::net::dial_error::DialError;
use crate::net::os_error;

/// An IP address, with the zone of a link-local one (RFC 4007 section 11): `127.0.0.1`, `::1`, `fe80::1%eth0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonedAddress {
    pub ip: IpAddr,
    /// The network interface's name or number.
    pub zone: Option<String>,
}

impl ZonedAddress {
    /// Adds a port. Fails if this host has no such interface.
    pub fn at(&self, port: u16) -> Result<SocketAddr, DialError> {
        match (self.ip, &self.zone) {
            (IpAddr::V6(ip), Some(zone)) => Ok(SocketAddrV6::new(ip, port, 0, interface_index(zone)?).into()),
            (ip, _) => Ok(SocketAddr::new(ip, port)),
        }
    }
}

impl From<IpAddr> for ZonedAddress {
    fn from(ip: IpAddr) -> ZonedAddress {
        ZonedAddress { ip, zone: None }
    }
}

impl FromStr for ZonedAddress {
    type Err = ();

    fn from_str(text: &str) -> Result<ZonedAddress, ()> {
        let (ip, zone) = text.split_once('%').map_or((text, None), |(ip, zone)| (ip, Some(zone)));
        let ip: IpAddr = ip.parse().map_err(drop)?;
        match zone {
            Some(zone) if ip.is_ipv4() || !is_zone(zone) => Err(()),
            zone => Ok(ZonedAddress { ip, zone: zone.map(str::to_string) }),
        }
    }
}

impl fmt::Display for ZonedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "{}%{zone}", self.ip),
            None => write!(f, "{}", self.ip),
        }
    }
}

/// The number of the network interface with this name or number.
fn interface_index(zone: &str) -> Result<u32, DialError> {
    let named = || nix::net::if_::if_nametoindex(zone).ok();
    zone.parse().ok().or_else(named).ok_or_else(|| {
        DialError::new(FailureKind::Local, format!("this host has no network interface '{zone}'"))
            .hint("`ip link` lists the interfaces")
    })
}

/// Parses a local address to connect from, with port 0. IPv6 may have brackets; a link-local address needs its zone.
pub fn local_address(text: &str) -> Result<SocketAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address: ZonedAddress = bare.parse().map_err(|()| format!("'{text}' is not an IP address"))?;
    let address = address.at(0).map_err(|fault| fault.cause)?;
    check_zone(address)
        .map_err(|_| format!("'{text}' is link-local: name its network interface, as in {bare}%eth0"))?;
    Ok(address)
}

/// Rejects a link-local address without a zone, since the system cannot know the interface.
pub fn check_zone(address: SocketAddr) -> Result<(), DialError> {
    match address {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() && v6.scope_id() == 0 => {
            let cause = format!("{} is a link-local address without a network interface", v6.ip());
            let hint = format!("name the interface: [{}%eth0] in the URL", v6.ip());
            Err(DialError::new(FailureKind::Local, cause).hint(hint))
        }
        SocketAddr::V4(_) | SocketAddr::V6(_) => Ok(()),
    }
}

/// A fixed address for a host and port: `host:port:addr`. An IPv6 address may have brackets; a link-local one needs its
/// zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveOverride {
    /// In lower case.
    pub host: String,
    pub port: u16,
    pub addr: ZonedAddress,
}

impl FromStr for ResolveOverride {
    type Err = String;

    fn from_str(text: &str) -> Result<ResolveOverride, String> {
        let wrong = |why: &str| format!("'{text}' is not host:port:address: {why}");
        let (host, rest) = split_host(text).ok_or_else(|| wrong("the host is missing"))?;
        let (port, addr) = rest.split_once(':').ok_or_else(|| wrong("the address is missing"))?;
        let port = match port.parse() {
            Ok(0) | Err(_) => return Err(wrong(&format!("the port '{port}' is not 1 to 65535"))),
            Ok(port) => port,
        };
        let bare = addr.strip_prefix('[').and_then(|addr| addr.strip_suffix(']')).unwrap_or(addr);
        let addr = bare.parse().map_err(|()| wrong(&format!("'{addr}' is not an IP address")))?;
        Ok(ResolveOverride { host: host.to_ascii_lowercase(), port, addr })
    }
}

impl fmt::Display for ResolveOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = |is_v6: bool, text: &str| if is_v6 { format!("[{text}]") } else { text.to_string() };
        let host = brackets(self.host.contains(':'), &self.host);
        write!(f, "{host}:{}:{}", self.port, brackets(self.addr.ip.is_ipv6(), &self.addr.to_string()))
    }
}

/// The host (IPv6 in brackets) and the text after its colon.
fn split_host(text: &str) -> Option<(&str, &str)> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(inner) => inner.split_once("]:")?,
        None => text.split_once(':')?,
    };
    (!host.is_empty()).then_some((host, rest))
}

/// The addresses of an endpoint whose host is an address, or is overridden; `None`: the resolver must be asked.
pub fn known(endpoint: &Endpoint, overrides: &[ResolveOverride]) -> Option<Vec<ZonedAddress>> {
    let Endpoint { host, zone, port } = endpoint;
    let (name, itself) = match host {
        Host::Domain(name) => (name.to_ascii_lowercase(), None),
        Host::Ipv4(ip) => (ip.to_string(), Some(IpAddr::from(*ip))),
        Host::Ipv6(ip) => (ip.to_string(), Some(IpAddr::from(*ip))),
    };
    let overridden = overrides.iter().filter(|o| o.port == *port && o.host == name);
    let overridden: Vec<_> = overridden.map(|o| o.addr.clone()).collect();
    let itself = || itself.map(|ip| vec![ZonedAddress { ip, zone: zone.clone() }]);
    Some(overridden).filter(|addresses| !addresses.is_empty()).or_else(itself)
}

/// Asks the system's resolver, as other programs do. `whose` is put before the name in errors: `the proxy `.
pub async fn ask(name: &str, port: u16, whose: &str) -> Result<Vec<SocketAddr>, DialError> {
    match tokio::net::lookup_host((name, port)).await {
        Ok(addresses) => {
            let mut seen = HashSet::new();
            Ok(addresses.filter(|address| seen.insert(*address)).collect())
        }
        Err(error) => Err(lookup_fault(&format!("{whose}{name}"), &error)),
    }
}

/// getaddrinfo's texts for a name that does not exist or has no address (EAI_NONAME, EAI_NODATA) in glibc, musl, macOS
/// and Windows; the code itself is not available.
const NOT_FOUND: &[&str] = &[
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided",
    "No such host is known",
];

fn lookup_fault(name: &str, error: &io::Error) -> DialError {
    let text = error.to_string();
    if NOT_FOUND.iter().any(|words| text.contains(words)) {
        return DialError::new(FailureKind::NameNotFound, format!("name not found: {name}"));
    }
    let why = match error.raw_os_error() {
        Some(_) => os_error::describe(error),
        None => text.rsplit(": ").next().unwrap_or(&text).to_ascii_lowercase(),
    };
    let cause = format!("the resolver failed on {name}: {why}");
    DialError::new(FailureKind::ResolverFailed, cause)
        .hint("the name may well exist: check this machine's DNS servers and network")
}

/// Keeps the addresses of `family`, and of the family of `bind`.
pub fn restrict(
    host: &str,
    addresses: Vec<SocketAddr>,
    family: Option<AddressFamily>,
    bind: Option<IpAddr>,
) -> Result<Vec<SocketAddr>, DialError> {
    let wanted = |ip: IpAddr| family.is_none_or(|family| family.has(ip));
    let reachable = |ip: IpAddr| bind.is_none_or(|bind| AddressFamily::of(bind).has(ip));
    let kept: Vec<_> = addresses.into_iter().filter(|a| wanted(a.ip()) && reachable(a.ip())).collect();
    match (kept.is_empty(), family, bind) {
        (false, _, _) => Ok(kept),
        (true, Some(family), _) if bind.is_none_or(|bind| family.has(bind)) => {
            Err(DialError::new(FailureKind::NameNotFound, format!("{host} has no {family} address")))
        }
        (true, _, Some(bind)) => {
            let cause = format!("{host} has no address that can be reached from {bind}");
            Err(DialError::new(FailureKind::Local, cause))
        }
        (true, _, None) => Err(DialError::new(FailureKind::NameNotFound, format!("{host} has no address"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (String, u16, String) {
        let o: ResolveOverride = text.parse().unwrap();
        (o.host, o.port, o.addr.to_string())
    }

    #[test]
    fn override_has_host_port_and_address() {
        assert_eq!(parsed("A.example:443:127.0.0.1"), ("a.example".into(), 443, "127.0.0.1".into()));
        assert_eq!(parsed("h:443:[::1]"), ("h".into(), 443, "::1".into()));
        assert_eq!(parsed("h:443:::1"), ("h".into(), 443, "::1".into()));
        assert_eq!(parsed("[2001:db8::1]:443:::1"), ("2001:db8::1".into(), 443, "::1".into()));
        assert_eq!(parsed("h:443:fe80::1%eth0"), ("h".into(), 443, "fe80::1%eth0".into()));
        assert_eq!(parsed("h:443:[fe80::1%2]"), ("h".into(), 443, "fe80::1%2".into()));
    }

    #[test]
    fn invalid_override_is_explained() {
        let error = |text: &str| text.parse::<ResolveOverride>().unwrap_err();
        assert_eq!(error("h:443"), "'h:443' is not host:port:address: the address is missing");
        assert_eq!(error("443"), "'443' is not host:port:address: the host is missing");
        assert_eq!(error("h:0:::1"), "'h:0:::1' is not host:port:address: the port '0' is not 1 to 65535");
        assert_eq!(error("h:1:x"), "'h:1:x' is not host:port:address: 'x' is not an IP address");
        assert!(error("h:1:127.0.0.1%lo").ends_with("'127.0.0.1%lo' is not an IP address"));
    }

    #[test]
    fn zone_becomes_the_interface_number() {
        let at = |text: &str| text.parse::<ZonedAddress>().unwrap().at(80).map(|a| a.to_string());
        assert_eq!(at("fe80::1%7").unwrap(), "[fe80::1%7]:80");
        assert_eq!(at("fe80::1%lo").unwrap(), "[fe80::1%1]:80", "the loopback interface is the first");
        assert_eq!(at("127.0.0.1").unwrap(), "127.0.0.1:80");
        assert_eq!(at("fe80::1%nosuch").unwrap_err().cause, "this host has no network interface 'nosuch'");
    }

    #[test]
    fn local_addresses_may_have_brackets_and_zones() {
        let shown = |text| local_address(text).map(|address| address.to_string());
        for (text, address) in [("127.0.0.1", "127.0.0.1:0"), ("::1", "[::1]:0"), ("[::1]", "[::1]:0")] {
            assert_eq!(shown(text), Ok(address.to_string()));
        }
        for text in ["fe80::1%lo", "[fe80::1%lo]"] {
            assert!(
                local_address(text)
                    .is_ok_and(|address| matches!(address, SocketAddr::V6(v6) if v6.scope_id() > 0))
            );
        }
        let refused = |text| local_address(text).unwrap_err();
        assert_eq!(
            refused("fe80::1"),
            "'fe80::1' is link-local: name its network interface, as in fe80::1%eth0"
        );
        assert_eq!(refused("fe80::1%nosuch"), "this host has no network interface 'nosuch'");
        assert_eq!(refused("eth0"), "'eth0' is not an IP address");
    }

    #[test]
    fn link_local_address_without_zone_is_refused() {
        let fault = check_zone("[fe80::1]:80".parse().unwrap()).unwrap_err();
        assert_eq!(fault.cause, "fe80::1 is a link-local address without a network interface");
        assert_eq!(fault.hint.as_deref(), Some("name the interface: [fe80::1%eth0] in the URL"));
        for fine in ["[fe80::1%1]:80", "[::1]:80", "169.254.0.1:80"] {
            assert!(check_zone(fine.parse().unwrap()).is_ok(), "{fine}");
        }
    }

    #[test]
    fn resolver_is_asked_only_without_override() {
        let overrides = ["a.example:443:127.0.0.1".parse().unwrap(), "a.example:443:::1".parse().unwrap()];
        let known = |text: &str, overrides: &[ResolveOverride]| known(&text.parse().unwrap(), overrides);
        let both = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
        assert_eq!(known("a.example:443", &overrides), Some(both));
        assert_eq!(known("a.example:80", &overrides), None);
        assert_eq!(known("[::1]:80", &[]), Some(vec!["::1".parse().unwrap()]));
        let zoned = Some(vec!["fe80::1%lo".parse().unwrap()]);
        let link_local = Endpoint { zone: Some("lo".into()), .."[fe80::1]:80".parse().unwrap() };
        assert_eq!(super::known(&link_local, &[]), zoned);
    }

    #[test]
    fn missing_name_differs_from_failed_resolver() {
        let fault = |words: &str| {
            let text = format!("failed to lookup address information: {words}");
            lookup_fault("a.example", &io::Error::other(text))
        };
        assert_eq!(fault("Name or service not known").cause, "name not found: a.example");
        assert_eq!(fault("Name or service not known").kind, FailureKind::NameNotFound);
        let temporary = fault("Temporary failure in name resolution");
        assert_eq!(temporary.kind, FailureKind::ResolverFailed);
        assert_eq!(temporary.cause, "the resolver failed on a.example: temporary failure in name resolution");
    }

    #[test]
    fn os_error_is_described_with_its_name() {
        let fault = lookup_fault("a.example", &io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(fault.cause, "the resolver failed on a.example: too many open files (EMFILE)");
    }

    #[test]
    fn missing_family_is_named() {
        let addresses = || vec!["127.0.0.1:80".parse().unwrap()];
        let cause = |family, bind| restrict("h", addresses(), family, bind).unwrap_err().cause;
        assert_eq!(cause(Some(AddressFamily::V6), None), "h has no IPv6 address");
        let bind: IpAddr = "::1".parse().unwrap();
        assert_eq!(cause(None, Some(bind)), "h has no address that can be reached from ::1");
        assert_eq!(
            cause(Some(AddressFamily::V4), Some(bind)),
            "h has no address that can be reached from ::1"
        );
        assert_eq!(restrict("h", addresses(), Some(AddressFamily::V4), None).unwrap(), addresses());
    }
}
