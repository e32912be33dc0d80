//! A request as handlers see it.

use http::request::Parts;
use http::{HeaderMap, Method};
use url::form_urlencoded;

use super::host_check::is_cross_site;

/// A request without its body.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    pub method: Method,
    /// As it was sent, percent-encoded.
    pub path: String,
    /// Decoded, in the order of the URL.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
}

impl HttpRequest {
    pub(super) fn new(parts: Parts) -> HttpRequest {
        let query = parts.uri.query().unwrap_or_default();
        HttpRequest {
            path: parts.uri.path().to_string(),
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            method: parts.method,
            headers: parts.headers,
        }
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether a page of another site sent it, as far as its browser says so.
    pub fn is_cross_site(&self) -> bool {
        is_cross_site(&self.headers)
    }

    /// Whether it only reads: GET, or HEAD, whose response is that of GET without its body.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }
}
