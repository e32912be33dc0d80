//! Which requests a hostile web page could have sent: by DNS rebinding, or to a site other than its own.
//!
//! A page can give its own name the address 127.0.0.1 and then read what a server on loopback answers (DNS rebinding). The
//! browser still sends that name in `Host`, so a server on loopback answers its own names only. Browsers always send `Host`; a
//! request without it comes from another program, and is answered.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Uri};

/// Which names of this server requests may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostNames {
    #[default]
    Any,
    /// The names and addresses of loopback, this address, and these names.
    Local { listen: IpAddr, more: Vec<String> },
}

impl HostNames {
    /// On loopback, the names of this server and `more`: a browser may have been led here. Elsewhere any name.
    pub fn of_listener(address: SocketAddr, more: Vec<String>) -> HostNames {
        if address.ip().is_loopback() {
            HostNames::Local { listen: address.ip(), more }
        } else {
            HostNames::Any
        }
    }

    /// Whether a request uses one of these names. A URI with a host goes before `Host` (RFC 9112 section 3.2.2).
    pub(super) fn admits(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let HostNames::Local { listen, more } = self else { return true };
        let mut hosts = headers.get_all(HOST).iter().map(authority);
        let is_own = |authority: Authority| is_own(authority.host(), *listen, more);
        match uri.authority() {
            Some(named) => is_own(named.clone()),
            None => hosts.all(|host| host.is_some_and(is_own)),
        }
    }
}

fn authority(value: &HeaderValue) -> Option<Authority> {
    value.to_str().ok()?.parse().ok()
}

fn is_own(host: &str, listen: IpAddr, more: &[String]) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = host.parse::<IpAddr>() {
        return address.is_loopback() || address == listen;
    }
    let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    // Browsers resolve these names themselves (RFC 6761 section 6.3).
    let is_local = host == "localhost" || host.ends_with(".localhost");
    is_local || more.iter().any(|name| name.eq_ignore_ascii_case(&host))
}

/// Whether a page of another site sent a request, as far as its browser says: by `Sec-Fetch-Site`, or by an `Origin` that is not
/// this server's.
pub(super) fn is_cross_site(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let is_foreign = |origin: &HeaderValue| {
        let own = headers.get(HOST).and_then(|host| host.to_str().ok());
        let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        !origin.zip(own).is_some_and(|((_, origin), own)| origin.eq_ignore_ascii_case(own))
    };
    site.is_some_and(|site| site != b"same-origin" && site != b"none")
        || headers.get(ORIGIN).is_some_and(is_foreign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    fn admits(uri: &str, pairs: &[(&'static str, &'static str)]) -> bool {
        let more = vec!["metrics.example".to_string()];
        let names = HostNames::Local { listen: "127.0.0.2".parse().unwrap(), more };
        names.admits(&uri.parse().unwrap(), &headers(pairs))
    }

    #[test]
    fn only_own_names_are_admitted() {
        for host in [
            "localhost",
            "LocalHost:9788",
            "localhost.",
            "wscheck.localhost:80",
            "127.0.0.1:9788",
            "127.9.9.9",
            "127.0.0.2",
            "[::1]:9788",
            "metrics.example",
            "Metrics.Example:443",
        ] {
            assert!(admits("/metrics", &[("host", host)]), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:9788",
            "192.0.2.1",
            "127.0.0.1.evil.example",
            "[2001:db8::1]:80",
            "",
            "a b",
        ] {
            assert!(!admits("/metrics", &[("host", host)]), "{host}");
        }
        assert!(admits("/metrics", &[]));
        assert!(HostNames::Any.admits(&Uri::from_static("/"), &headers(&[("host", "evil.example")])));
    }

    #[test]
    fn host_of_the_uri_goes_first_and_every_host_counts() {
        assert!(!admits("http://evil.example/metrics", &[("host", "localhost")]));
        assert!(admits("http://localhost/metrics", &[("host", "localhost")]));
        let mut both = headers(&[("host", "localhost")]);
        both.append(HOST, HeaderValue::from_static("evil.example"));
        let names = HostNames::Local { listen: "127.0.0.1".parse().unwrap(), more: Vec::new() };
        assert!(!names.admits(&Uri::from_static("/"), &both));
    }

    #[test]
    fn pages_of_other_sites_are_told_by_their_browser() {
        let host = ("host", "localhost:9788");
        for (foreign, more) in [
            (false, vec![]),
            (false, vec![("origin", "http://localhost:9788")]),
            (false, vec![("origin", "https://LOCALHOST:9788"), ("sec-fetch-site", "same-origin")]),
            (false, vec![("sec-fetch-site", "none")]),
            (true, vec![("sec-fetch-site", "cross-site")]),
            (true, vec![("sec-fetch-site", "same-site")]),
            (true, vec![("origin", "http://evil.example")]),
            (true, vec![("origin", "http://localhost:9999")]),
            (true, vec![("origin", "null")]),
        ] {
            let pairs = [vec![host], more.clone()].concat();
            assert_eq!(is_cross_site(&headers(&pairs)), foreign, "{more:?}");
        }
    }
}
