//! Common mistakes in a typed URL: quotes around it, a variable that the shell did not expand, an IPv6
//! address without brackets, the URL form of a Unix socket.

use url::Host;

use crate::domain::connection::target::{TargetError, authority, is_scheme, redact_typed, suggest};

/// The first mistake in `given` that a user can correct; `None` if it has no known one.
pub fn find(given: &str) -> Option<TargetError> {
    quoted(given)
        .or_else(|| unexpanded(given))
        .or_else(|| unix_socket(given))
        .or_else(|| without_brackets(given))
}

const QUOTES: [char; 9] = ['\'', '"', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '<', '>'];

/// Quotes that became part of the URL: from a CI file, from `cmd.exe`, or pasted.
fn quoted(given: &str) -> Option<TargetError> {
    let bare = given.trim_matches(|c: char| QUOTES.contains(&c) || c.is_whitespace());
    // A path may end in an apostrophe, so without an opening quote the other end decides.
    let opened = given.starts_with(QUOTES);
    let closed = given.ends_with(QUOTES) && !authority_and_path(given).contains(['/', '?', '#']);
    (opened || closed).then(|| TargetError::Quoted {
        given: redact_typed(given),
        meant: bare.parse::<crate::domain::connection::target::Target>().is_ok().then(|| redact_typed(bare)),
    })
}

fn authority_and_path(given: &str) -> &str {
    given.split_once("://").map_or(given, |(_, rest)| rest)
}

/// A variable as the URL or in its host: `$URL`, `ws://${HOST}/`, `%URL%`, `{{ url }}`, `$(cmd)`.
fn unexpanded(given: &str) -> Option<TargetError> {
    let place = match given.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => host_and_port(&authority(rest)).to_string(),
        Some(_) | None => given.to_string(),
    };
    let variable = variable(&place)?;
    Some(TargetError::Unexpanded { given: redact_typed(given), variable })
}

/// The first reference to a variable in `text`.
pub fn variable(text: &str) -> Option<String> {
    let cut = |start: usize, close: &str| {
        let tail = &text[start..];
        let end = tail.find(close).map_or(tail.len(), |at| at + close.len());
        tail[..end].to_string()
    };
    if let Some(start) = text.find("${") {
        return Some(cut(start, "}"));
    }
    if let Some(start) = text.find("$(") {
        return Some(cut(start, ")"));
    }
    if let Some(start) = text.find("{{") {
        return Some(cut(start, "}}"));
    }
    if let Some(start) = text.find('$') {
        let name: String = text[start + 1..].chars().take_while(|c| is_name(*c)).collect();
        return (!name.is_empty()).then(|| format!("${name}"));
    }
    let name = text.strip_prefix('%')?.split('%').next()?;
    (!name.is_empty() && name.chars().all(is_name) && text.get(name.len() + 1..)?.starts_with('%'))
        .then(|| format!("%{name}%"))
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// URL forms of a Unix socket: `ws+unix:///run/app.sock:/path` of the npm package `ws`, and similar ones.
fn unix_socket(given: &str) -> Option<TargetError> {
    let (scheme, rest) = given.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let ws = match scheme.as_str() {
        "ws+unix" | "http+unix" | "unix" | "unix+ws" | "unix+http" => "ws",
        "wss+unix" | "https+unix" | "unix+wss" | "unix+https" => "wss",
        _ => return None,
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (socket, path) = rest.split_once(':').unwrap_or((rest, "/"));
    let path = if path.starts_with('/') { path.to_string() } else { format!("/{path}") };
    let socket = if socket.is_empty() { "PATH" } else { socket };
    let meant = format!("{ws}://localhost{}", redact_typed(&path));
    Some(TargetError::UnixSocket { given: redact_typed(given), socket: socket.to_string(), meant })
}

/// A host with more than one colon outside brackets: an IPv6 address as written outside URLs.
fn without_brackets(given: &str) -> Option<TargetError> {
    let (scheme, rest) =
        given.split_once("://").filter(|(scheme, _)| is_scheme(scheme)).unwrap_or(("ws", given));
    let typed = authority(rest);
    let host = host_and_port(&typed);
    if host.starts_with('[') || host.matches(':').count() < 2 {
        return None;
    }
    let tail = rest.get(typed.len()..).unwrap_or_default();
    let meant: Vec<String> =
        bracketed(host).into_iter().filter_map(|host| suggest(scheme, &format!("{host}{tail}"))).collect();
    (!meant.is_empty())
        .then(|| TargetError::NoBrackets { given: redact_typed(given), meant: meant.join("' or '") })
}

/// The possible readings of `host` as an IPv6 address, those with a port first.
fn bracketed(host: &str) -> Vec<String> {
    let is_address =
        |text: &str| text.split('%').next().is_some_and(|ip| Host::parse(&format!("[{ip}]")).is_ok());
    let with_port =
        host.rsplit_once(':').filter(|(address, port)| is_address(address) && port.parse::<u16>().is_ok());
    let with_port = with_port.map(|(address, port)| format!("[{address}]:{port}"));
    with_port.into_iter().chain(is_address(host).then(|| format!("[{host}]"))).collect()
}

/// The text after the userinfo.
fn host_and_port(authority: &str) -> &str {
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

#[cfg(test)]
mod tests {
    use crate::domain::connection::target::Target;

    fn refusal(text: &str) -> String {
        text.parse::<Target>().unwrap_err().to_string()
    }

    #[test]
    fn quotes_around_a_url_are_named() {
        for text in [
            "'ws://a.example/x'",
            "\"ws://a.example/x\"",
            "`ws://a.example/x`",
            "<ws://a.example/x>",
            "'ws://a.example/x",
        ] {
            let expected =
                format!("'{text}' has quotes around the URL: write it without them: ws://a.example/x");
            assert_eq!(refusal(text), expected);
        }
        assert!(refusal("\u{201c}wss://a/\u{201d}").ends_with("write it without them: wss://a/"));
        assert!(refusal("'nonsense'").ends_with("has quotes around the URL: write it without them"));
        assert!(refusal("'ws://a/?token=SECRET'").ends_with("ws://a/?token=***"));
        assert_eq!("ws://a/it's'".parse::<Target>().unwrap().resource(), "/it's'");
    }

    /// The full-width dollar sign is one in a domain name.
    #[test]
    fn a_variable_that_idna_makes_is_one() {
        for given in ["ws://a\u{ff04}HOST/", "ws://{\u{ad}{host}}/"] {
            let error = given.parse::<Target>().unwrap_err();
            assert!(error.to_string().contains("was not expanded"), "{given}: {error}");
        }
    }

    #[test]
    fn a_variable_that_was_not_expanded_is_named() {
        for (text, variable) in [
            ("$WS_URL", "$WS_URL"),
            ("${WS_URL}/ws", "${WS_URL}"),
            ("ws://$HOST:8080/ws", "$HOST"),
            ("wss://${HOST}/", "${HOST}"),
            ("%WS_URL%", "%WS_URL%"),
            ("ws://{{ host }}/", "{{ host }}"),
            ("$(cat url)", "$(cat url)"),
            ("wss://u:p@$HOST/", "$HOST"),
        ] {
            let error = refusal(text);
            let expected = format!("{variable} was not expanded: single quotes stop a shell from doing it");
            assert!(error.ends_with(&expected), "{text}: {error}");
        }
        assert!("ws://a/$x?y=$z".parse::<Target>().is_ok(), "a path may have a dollar sign");
        assert!("ws://us%65r:p%20w@a/".parse::<Target>().is_ok());
        assert!("ws://u:$pass@a/".parse::<Target>().is_ok(), "so may a password");
    }

    #[test]
    fn an_ipv6_address_without_brackets_is_named() {
        let says =
            |text: &str| refusal(text).split_once("needs brackets: ").map(|(_, meant)| meant.to_string());
        assert_eq!(says("ws://fe80::1%eth0/x").unwrap(), "did you mean 'ws://[fe80::1%eth0]/x'?");
        assert_eq!(says("ws://::1:80/").unwrap(), "did you mean 'ws://[::1]:80/' or 'ws://[::1:80]/'?");
        assert_eq!(says("wss://::1/").unwrap(), "did you mean 'wss://[::1]/'?");
        assert_eq!(
            says("ws://2001:db8:0:0:0:0:0:1:9000/x").unwrap(),
            "did you mean 'ws://[2001:db8:0:0:0:0:0:1]:9000/x'?"
        );
        assert_eq!(says("::1").unwrap(), "did you mean 'ws://[::1]'?");
        assert!(says("ws://a:1:2/").is_none());
    }

    #[test]
    fn the_url_form_of_a_unix_socket_is_answered_by_the_option() {
        let says =
            |text: &str| refusal(text).split_once("; for a Unix socket: ").map(|(_, rest)| rest.to_string());
        assert_eq!(says("ws+unix:///s:/p").unwrap(), "--unix-socket /s ws://localhost/p");
        assert_eq!(says("ws+unix:///run/a.sock").unwrap(), "--unix-socket /run/a.sock ws://localhost/");
        assert_eq!(
            says("wss+unix:/run/a.sock:/x?token=SECRET").unwrap(),
            "--unix-socket /run/a.sock wss://localhost/x?token=***"
        );
        assert_eq!(says("unix:/run/a.sock").unwrap(), "--unix-socket /run/a.sock ws://localhost/");
        assert_eq!(says("ws+unix://").unwrap(), "--unix-socket PATH ws://localhost/");
    }
}
