//! The authentication schemes that a server or proxy accepts, and hints for them.

use crate::domain::connection::untrusted_text::UntrustedText;
use crate::net::connect::http_head::HttpHead;

/// Maximum number of challenges that are read.
const MAX_CHALLENGES: usize = 16;
/// Schemes that compute their answer with the server, so no fixed header can satisfy them.
const MULTI_STEP_SCHEMES: &[&str] =
    &["digest", "ntlm", "negotiate", "kerberos", "scram-sha-1", "scram-sha-256", "mutual", "hoba"];

/// One challenge of a WWW-Authenticate or Proxy-Authenticate header (RFC 9110 section 11.3).
#[derive(Debug, Clone, PartialEq, Eq)]
struct AuthChallenge {
    /// As spelled by the server: `Basic`, `NTLM`.
    scheme: String,
    /// Names in lower case.
    parameters: Vec<(String, String)>,
}

impl AuthChallenge {
    fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }

    fn parameter(&self, name: &str) -> Option<UntrustedText> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| UntrustedText::new(value)).filter(|value| !value.is_empty())
    }
}

/// The challenges in the headers called `name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthSchemes(Vec<AuthChallenge>);

impl AuthSchemes {
    /// Reads a response's challenges; there may be several headers with several challenges each.
    pub fn new(head: &HttpHead, name: &str) -> AuthSchemes {
        let mut schemes = AuthSchemes::default();
        for value in head.all(name) {
            for item in items(&String::from_utf8_lossy(value)) {
                schemes.read(item.trim());
            }
        }
        schemes
    }

    fn read(&mut self, item: &str) {
        let (first, rest) = item.split_at(item.find(|c: char| !is_token_char(c)).unwrap_or(item.len()));
        if let Some(value) = rest.trim_start().strip_prefix('=') {
            if let Some(challenge) = self.0.last_mut() {
                challenge.parameters.push(parameter(first, value));
            }
            return;
        }
        let is_scheme = first.starts_with(|c: char| c.is_ascii_alphabetic());
        if !is_scheme || self.0.len() == MAX_CHALLENGES {
            return;
        }
        let parameters = rest.split_once('=').map(|(name, value)| parameter(name, value));
        self.0
            .push(AuthChallenge { scheme: first.to_string(), parameters: parameters.into_iter().collect() });
    }

    fn find(&self, scheme: &str) -> Option<&AuthChallenge> {
        self.0.iter().find(|challenge| challenge.is(scheme))
    }

    /// Whether Basic authentication is accepted.
    pub fn accepts_basic(&self) -> bool {
        self.find("basic").is_some()
    }

    /// Whether no scheme was named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `Digest, NTLM`
    pub fn list(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        for challenge in &self.0 {
            if !names.iter().any(|name| challenge.is(name)) {
                names.push(&challenge.scheme);
            }
        }
        names.join(", ")
    }

    /// The hint for a 401; `sent` is the scheme of the request's Authorization header.
    pub fn server_hint(&self, sent: Option<&str>) -> String {
        let was = |scheme: &str| sent.is_some_and(|sent| sent.eq_ignore_ascii_case(scheme));
        match (self.is_empty(), self.accepts_basic()) {
            (true, _) => no_scheme_hint(sent),
            (false, true) if was("basic") => {
                format!("the server did not accept the user name and password (it takes {})", self.list())
            }
            (false, true) => {
                let other =
                    sent.map(|sent| format!(", not {}", UntrustedText::new(sent))).unwrap_or_default();
                format!(
                    "the server wants credentials ({}{other}): give them with --user NAME:PASSWORD",
                    self.list()
                )
            }
            (false, false) => self.without_basic_hint(was("basic"), was("bearer")),
        }
    }

    /// The hint if the server does not accept Basic.
    fn without_basic_hint(&self, sent_basic: bool, sent_bearer: bool) -> String {
        let takes = format!("the server takes {}", self.list());
        if let Some(bearer) = self.find("bearer").filter(|_| sent_bearer) {
            let why = [bearer.parameter("error"), bearer.parameter("error_description")];
            let why = why.into_iter().flatten().map(|text| text.to_string()).collect::<Vec<_>>().join(": ");
            let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
            return format!("the server did not accept the token{why}: send another, or one for this server");
        }
        let user = if sent_basic {
            "--user was sent and refused: it is Basic only and cannot help"
        } else {
            "--user is Basic only and cannot help"
        };
        format!("{takes}; {user}; {}", self.remedy())
    }

    fn remedy(&self) -> String {
        let by_hand = |challenge: &&AuthChallenge| {
            !MULTI_STEP_SCHEMES.contains(&challenge.scheme.to_ascii_lowercase().as_str())
        };
        match (self.find("bearer"), self.0.iter().find(by_hand)) {
            (Some(_), _) => "give a token with -H 'Authorization: Bearer TOKEN'".to_string(),
            (None, Some(other)) => format!("give it with -H 'Authorization: {} ...'", other.scheme),
            (None, None) => {
                "wscheck cannot log in by it: use a session's cookie (-H 'Cookie: ...') or token, or a path that \
                 needs no login"
                    .to_string()
            }
        }
    }

    /// The hint for a 407 that answers the upgrade itself instead of our CONNECT.
    pub fn proxy_hint(&self) -> String {
        match (self.is_empty(), self.accepts_basic()) {
            (true, _) => "a proxy on the way wants credentials".to_string(),
            (false, true) => format!(
                "a proxy on the way wants credentials ({}): --proxy http://user:password@host:port, or \
                 -H 'Proxy-Authorization: Basic ...'",
                self.list()
            ),
            (false, false) => {
                format!("a proxy on the way takes {}; wscheck has Basic only: {LOCAL_PROXY}", self.list())
            }
        }
    }
}

/// How to use a proxy that does not accept Basic.
pub const LOCAL_PROXY: &str = "a local proxy that logs in for you can be given as --proxy";

fn no_scheme_hint(sent: Option<&str>) -> String {
    const WAYS: &str = "-H 'Authorization: ...', a cookie, or a token in the query";
    match sent {
        Some(sent) => format!(
            "the server did not accept the credentials ({}) and does not name a kind that it takes: {WAYS}",
            UntrustedText::new(sent)
        ),
        None => format!("credentials are missing or wrong, and the server does not name their kind: {WAYS}"),
    }
}

/// Splits a header's value at commas outside quotes.
fn items(value: &str) -> Vec<&str> {
    let (mut items, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in value.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                items.extend(value.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    items.extend(value.get(start..));
    items
}

fn parameter(name: &str, value: &str) -> (String, String) {
    let value = value.trim().trim_start_matches('"').trim_end_matches('"');
    (name.trim().to_ascii_lowercase(), value.to_string())
}

/// RFC 9110 section 5.6.2.
fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn schemes(values: &[&str]) -> AuthSchemes {
        let headers =
            values.iter().map(|v| ("www-authenticate".to_string(), v.as_bytes().to_vec())).collect();
        AuthSchemes::new(&HttpHead { status: 401, minor_version: 1, headers }, "www-authenticate")
    }

    #[test]
    fn challenges_are_read_from_one_header_or_several() {
        for values in [
            &["Digest realm=\"a, Basic b\", qop=\"auth,auth-int\", nonce=\"x\", NTLM, Negotiate abc=="][..],
            &["Digest realm=\"a \\\", Basic\"", "NTLM", "Negotiate"],
            &["Digest realm = \"x\" , NTLM,, Negotiate", "ntlm"],
        ] {
            let schemes = schemes(values);
            assert_eq!(schemes.list(), "Digest, NTLM, Negotiate", "{values:?}");
            assert!(!schemes.accepts_basic());
        }
        assert_eq!(schemes(&["realm=\"x\", BASIC"]).list(), "BASIC");
        assert!(schemes(&["", "=", "\"\"", "\x1b[2J"]).is_empty());
    }

    #[test]
    fn unsupported_scheme_is_named() {
        for (value, name) in [("Digest realm=\"x\"", "Digest"), ("NTLM", "NTLM"), ("Negotiate", "Negotiate")]
        {
            let hint = schemes(&[value]).server_hint(None);
            assert!(hint.starts_with(&format!("the server takes {name}; --user is Basic only")), "{hint}");
            assert!(hint.contains("cannot log in"), "{hint}");
            let hint = schemes(&[value]).server_hint(Some("Basic"));
            assert!(hint.contains("--user was sent and refused"), "{hint}");
        }
    }

    #[test]
    fn basic_hints_at_user_option() {
        let takes = schemes(&["Negotiate", "NTLM", "Basic realm=\"x\""]);
        let hint = takes.server_hint(None);
        assert_eq!(
            hint,
            "the server wants credentials (Negotiate, NTLM, Basic): give them with --user NAME:PASSWORD"
        );
        let hint = takes.server_hint(Some("basic"));
        assert!(hint.starts_with("the server did not accept the user name and password"), "{hint}");
        assert!(takes.server_hint(Some("Bearer")).contains("not Bearer"));
    }

    #[test]
    fn bearer_hints_at_a_token() {
        let takes =
            schemes(&["Bearer realm=\"x\", error=\"invalid_token\", error_description=\"it expired\""]);
        let hint = takes.server_hint(None);
        assert!(
            hint.ends_with("-H 'Authorization: Bearer TOKEN'") && hint.contains("--user is Basic only"),
            "{hint}"
        );
        assert!(takes.server_hint(Some("Bearer")).contains("token (invalid_token: it expired)"));
        assert!(schemes(&["ApiKey"]).server_hint(None).ends_with("-H 'Authorization: ApiKey ...'"));
    }

    #[test]
    fn missing_scheme_is_reported() {
        assert!(schemes(&[]).server_hint(None).contains("does not name their kind"));
        assert!(schemes(&[]).server_hint(Some("Basic")).contains("did not accept the credentials (Basic)"));
    }

    #[test]
    fn proxy_scheme_is_named() {
        assert!(schemes(&["Basic"]).proxy_hint().contains("Proxy-Authorization"));
        assert!(schemes(&["NTLM"]).proxy_hint().contains("takes NTLM; wscheck has Basic only"));
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic_or_show_controls(values: Vec<String>) {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let schemes = schemes(&values);
            let shown = [schemes.server_hint(None), schemes.server_hint(Some("Bearer")), schemes.proxy_hint()];
            prop_assert!(!shown.concat().contains(char::is_control));
        }
    }
}
