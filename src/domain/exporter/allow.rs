//! Which targets `/probe` may open: patterns of hosts and URLs.
//!
//! A pattern is compared with the parts of the parsed target, never with its text, so that no path can look like a host:
//!
//! 1. `HOST` or `HOST:PORT`: any scheme and any path; without a port any port.
//! 2. `ws://HOST[:PORT][/PATH]` or `wss://...`: that scheme; without a port the scheme's; without a path any path.
//!
//! In HOST and PATH, `*` stands for any number of characters. The query is not compared.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::domain::connection::target::Target;

/// A pattern of targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetPattern {
    given: String,
    secure: Option<bool>,
    /// In lower case.
    host: String,
    /// `None`: any.
    port: Option<u16>,
    /// `None`: any.
    path: Option<String>,
}

/// Why a text is not a pattern of targets.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PatternError {
    #[error("'{0}' has a scheme other than ws or wss")]
    Scheme(String),
    #[error("'{0}' has no host")]
    NoHost(String),
    #[error("'{0}' has a port that is not 1 to 65535")]
    Port(String),
    #[error("'{0}' has a path without a scheme: begin it with ws:// or wss://")]
    PathWithoutScheme(String),
    #[error("'{0}' has user information or a query: a pattern is a host, a port and a path")]
    MoreThanAddress(String),
}

impl FromStr for TargetPattern {
    type Err = PatternError;

    fn from_str(given: &str) -> Result<TargetPattern, PatternError> {
        let given = given.trim();
        let wrong = |kind: fn(String) -> PatternError| kind(given.to_string());
        if given.contains(['@', '?', '#']) {
            return Err(wrong(PatternError::MoreThanAddress));
        }
        let (secure, rest) = match given.split_once("://") {
            Some(("ws", rest)) => (Some(false), rest),
            Some(("wss", rest)) => (Some(true), rest),
            Some(_) => return Err(wrong(PatternError::Scheme)),
            None => (None, given),
        };
        let (authority, path) = match rest.split_once('/') {
            Some(_) if secure.is_none() => return Err(wrong(PatternError::PathWithoutScheme)),
            Some((authority, path)) => (authority, Some(format!("/{path}"))),
            None => (rest, None),
        };
        let (host, port) = split_port(authority).ok_or_else(|| wrong(PatternError::Port))?;
        if host.is_empty() {
            return Err(wrong(PatternError::NoHost));
        }
        let port = port.or(secure.map(|secure| if secure { 443 } else { 80 }));
        Ok(TargetPattern { given: given.to_string(), secure, host: host.to_ascii_lowercase(), port, path })
    }
}

/// A host and its port; `None` if the port is unusable. An IPv6 address is in brackets.
fn split_port(authority: &str) -> Option<(&str, Option<u16>)> {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => {
            let port = port.parse().ok().filter(|port| *port > 0)?;
            Some((host, Some(port)))
        }
        Some(_) | None => Some((authority, None)),
    }
}

impl TargetPattern {
    /// Whether the target is one of these.
    pub fn matches(&self, target: &Target) -> bool {
        let path = target.resource().split('?').next().unwrap_or_default();
        self.secure.is_none_or(|secure| secure == target.secure())
            && self.port.is_none_or(|port| port == target.port())
            && glob(&self.host, &target.host().to_string())
            && self.path.as_ref().is_none_or(|pattern| glob(pattern, path))
    }
}

impl fmt::Display for TargetPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.given)
    }
}

/// Whether a text matches a pattern in which `*` stands for any characters. Takes at most the product of both lengths.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(pattern: &str, target: &str) -> bool {
        pattern.parse::<TargetPattern>().unwrap().matches(&target.parse().unwrap())
    }

    #[test]
    fn hosts_match_with_any_scheme_and_path() {
        assert!(allows("a.example", "wss://a.example/x?y=z") && allows("A.example", "ws://a.EXAMPLE:81/"));
        assert!(allows("*.example", "ws://b.a.example/") && allows("*", "wss://[::1]/"));
        assert!(allows("a.example:81", "ws://a.example:81/") && allows("[::1]:81", "ws://[::1]:81/"));
        assert!(allows("[::1]", "ws://[::1]:81/") && allows("127.*", "ws://127.0.0.1/"));
        for (pattern, target) in [
            ("a.example", "ws://b.a.example/"),
            ("a.example", "ws://a.example.invalid/"),
            ("*.example", "ws://example/"),
            ("a.example:81", "ws://a.example/"),
            ("127.*", "ws://[::1]/"),
        ] {
            assert!(!allows(pattern, target), "{pattern} {target}");
        }
    }

    #[test]
    fn urls_match_by_their_parts() {
        assert!(allows("wss://*.example", "wss://a.example/any/path"));
        assert!(allows("wss://a.example/chat/*", "wss://a.example:443/chat/1?x=/"));
        for (pattern, target) in [
            ("wss://*.example/*", "wss://evil.invalid/a.example/"),
            ("wss://*.example", "ws://a.example/"),
            ("wss://*.example", "wss://a.example:444/"),
            ("wss://*.example/*", "wss://evil.invalid/?x=a.example/"),
            ("ws://a.example/chat/*", "ws://a.example/chat/../admin"),
            ("ws://a.example/chat", "ws://a.example/chat/1"),
        ] {
            assert!(!allows(pattern, target), "{pattern} {target}");
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, expected) in [
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "ac", false),
            ("ab*ba", "aba", false),
            ("**", "", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn unusable_patterns_are_named() {
        let error = |text: &str| text.parse::<TargetPattern>().unwrap_err().to_string();
        assert_eq!(error("http://a"), "'http://a' has a scheme other than ws or wss");
        assert_eq!(error("wss:///x"), "'wss:///x' has no host");
        assert_eq!(error("a:0"), "'a:0' has a port that is not 1 to 65535");
        assert_eq!(error("a/x"), "'a/x' has a path without a scheme: begin it with ws:// or wss://");
        assert!(error("ws://u@a").contains("user information") && error("a?b").contains("query"));
    }
}
