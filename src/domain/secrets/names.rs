//! Which field names mark a value as a secret.

/// How certain a name makes it that the value is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// The value is a secret, whatever it looks like.
    Sure,
    /// The same, up to the end of the line: `Authorization: Basic x`.
    WholeLine,
    /// The value is a secret if it looks like one.
    Perhaps,
}

/// Maximum length of a name.
pub const MAX_NAME_CHARS: usize = 64;

/// Endings of secret names, in lower case without separators: `access_token`, `userPassword`.
const ENDINGS: &[&str] = &[
    "token",
    "tokens",
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "secrets",
    "apikey",
    "apikeys",
    "accesskey",
    "secretkey",
    "privatekey",
    "signingkey",
    "authkey",
    "sharedkey",
    "sessionkey",
    "masterkey",
    "cookies",
    "session",
    "sessions",
    "sessid",
    "jwt",
    "bearer",
    "credential",
    "credentials",
    "signature",
    "authcode",
];
/// Last words of secret names, too short to look for inside others.
const WORDS: &[&str] =
    &["auth", "pass", "pw", "pin", "sid", "sig", "otp", "totp", "jws", "sas", "psk", "csrf", "xsrf"];
/// Suffixes that do not change the meaning: `session_id`, `tokenValue`.
const SUFFIXES: &[&str] = &["id", "key", "value", "hash", "string", "text", "data", "base64", "b64", "hex"];
const LINES: &[&str] = &["authorization", "proxyauthorization", "cookie", "setcookie"];
const PERHAPS: &[&str] =
    &["key", "code", "ticket", "nonce", "challenge", "login", "hmac", "assertion", "saml"];
/// Names that end like secrets but are none.
const OTHERS: &[&str] = &["possession", "obsession"];

/// Whether a name marks the value as a secret; `None` if it does not.
pub fn secrecy(name: &str) -> Option<Secrecy> {
    if name.is_empty() || name.len() > MAX_NAME_CHARS {
        return None;
    }
    let words = words(name);
    let (last, whole) = (words.last()?.as_str(), words.concat());
    if OTHERS.contains(&whole.as_str()) {
        return None;
    }
    if LINES.iter().any(|line| whole.ends_with(line)) {
        return Some(Secrecy::WholeLine);
    }
    let is_sure = |whole: &str, last: &str| {
        WORDS.contains(&last) || ENDINGS.iter().any(|ending| whole.ends_with(ending))
    };
    if is_sure(&whole, last) || bare(&words).is_some_and(|(whole, last)| is_sure(&whole, &last)) {
        return Some(Secrecy::Sure);
    }
    PERHAPS.contains(&last).then_some(Secrecy::Perhaps)
}

/// The name without a meaningless suffix: `session` for `session_id` and `sessionid`.
fn bare(words: &[String]) -> Option<(String, String)> {
    let whole = words.concat();
    let suffix = SUFFIXES.iter().find(|suffix| whole.ends_with(*suffix))?;
    let whole = whole.strip_suffix(suffix)?.to_string();
    let last = match words {
        [.., before, last] if last == suffix => before.clone(),
        _ => whole.clone(),
    };
    Some((whole, last))
}

/// The words of a name in lower case: for `X-Api-Key`, `accessToken` and `ACCESS_TOKEN2` alike.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for c in name.chars().filter(|c| !c.is_ascii_digit()) {
        let begins = before
            .is_none_or(|before| !before.is_alphanumeric() || (before.is_lowercase() && c.is_uppercase()));
        if c.is_alphanumeric() {
            if begins {
                words.push(String::new());
            }
            words.last_mut().into_iter().for_each(|word| word.extend(c.to_lowercase()));
        }
        before = Some(c);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_names_are_known_however_written() {
        for name in [
            "token",
            "access_token",
            "accessToken",
            "ACCESS-TOKEN",
            "authtoken",
            "X-Auth-Token",
            "refreshToken2",
            "password",
            "userPassword",
            "user_pass",
            "passwd",
            "client_secret",
            "api_key",
            "apiKey",
            "X-Api-Key",
            "apikey",
            "session",
            "session_id",
            "sessionId",
            "sessionid",
            "PHPSESSID",
            "connect.sid",
            "sid",
            "jwt",
            "auth",
            "signature",
            "tokenValue",
            "private_key",
            "pin",
            "csrf",
            "credentials",
        ] {
            assert_eq!(secrecy(name), Some(Secrecy::Sure), "{name}");
        }
        for name in ["Authorization", "authorization", "Proxy-Authorization", "Cookie", "set-cookie"] {
            assert_eq!(secrecy(name), Some(Secrecy::WholeLine), "{name}");
        }
    }

    #[test]
    fn other_names_are_no_secrets() {
        for name in [
            "",
            "type",
            "id",
            "author",
            "authorId",
            "token_type",
            "session_timeout",
            "sessionPresent",
            "passenger",
            "bypass",
            "keyboard",
            "monkey",
            "possession",
            "expires_in",
            "password_required",
            "design",
            "residency",
        ] {
            assert_eq!(secrecy(name), None, "{name}");
        }
        assert_eq!(secrecy("key"), Some(Secrecy::Perhaps));
        assert_eq!(secrecy(&"token".repeat(100)), None, "bounded");
    }
}
