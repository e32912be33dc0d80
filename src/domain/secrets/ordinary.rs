//! Which values are ordinary words rather than secrets.

/// Minimum length of a value to look for in other texts ...
const MIN_SECRET_CHARS: usize = 8;
/// ... and if it mixes letters and digits, as `hunter2` does.
const MIN_MIXED_SECRET_CHARS: usize = 6;
/// Maximum parts of a channel or command name: `orderbook.50.BTCUSDT`.
const MAX_NAME_PARTS: usize = 3;
/// More words than this are a phrase.
const MAX_WORDS: usize = 2;
/// Longer words are rare, and may be passwords.
const MAX_WORD_CHARS: usize = 14;
/// Longer numbers are codes.
const MAX_NUMBER_DIGITS: usize = 6;
/// Maximum changes from lower to upper case in a camelCase word.
const MAX_CASE_CHANGES: usize = 2;

/// Values of a secret's field that reveal no secret.
const STATES: &[&str] = &[
    "true",
    "false",
    "null",
    "none",
    "undefined",
    "required",
    "missing",
    "invalid",
    "expired",
    "wrong",
    "denied",
    "accepted",
    "refused",
    "unknown",
    "ok",
    "valid",
    "bearer",
    "basic",
    "closed",
    "open",
    "opened",
    "started",
    "ended",
    "active",
    "resumed",
    "ready",
    "created",
    "revoked",
    "failed",
    "is",
    "not",
    "must",
    "has",
    "was",
    "for",
];

/// Whether a value is ordinary, so that it need not be hidden where it returns:
///
/// 1. It is short: below 8 characters, or below 6 if it mixes letters and digits; or
/// 2. it is one or two words of at most three parts in all, each of them plain: letters only (up to 14, in
///    usual case), up to 6 digits, or a short mixture such as `v2`.
pub fn is_ordinary(value: &str) -> bool {
    let length = value.chars().count();
    let parts = || value.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let least = if parts().any(is_mixed) { MIN_MIXED_SECRET_CHARS } else { MIN_SECRET_CHARS };
    if length < least {
        return true;
    }
    let is_phrase = value.split_whitespace().count() > MAX_WORDS;
    !is_phrase && parts().count() <= MAX_NAME_PARTS && parts().all(is_plain)
}

/// Whether a word looks randomly generated.
pub fn is_random(word: &str) -> bool {
    let parts = || word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    word.chars().count() >= MIN_MIXED_SECRET_CHARS && !parts().all(is_plain)
}

/// Whether it only describes the state of a secret: `expired`.
pub fn is_state(value: &str) -> bool {
    let value = value.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    value.is_empty() || STATES.contains(&value.as_str())
}

/// Letters and digits, longer than a `v2`.
fn is_mixed(part: &str) -> bool {
    let (letters, digits) = (part.chars().any(char::is_alphabetic), part.chars().any(char::is_numeric));
    letters && digits && part.chars().count() >= MIN_MIXED_SECRET_CHARS
}

fn is_plain(part: &str) -> bool {
    let length = part.chars().count();
    if part.chars().all(char::is_numeric) {
        return length <= MAX_NUMBER_DIGITS;
    }
    let humps = part.chars().zip(part.chars().skip(1)).filter(|(a, b)| a.is_lowercase() && b.is_uppercase());
    !is_mixed(part) && length <= MAX_WORD_CHARS && humps.count() <= MAX_CASE_CHANGES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_names_of_channels_are_ordinary() {
        for value in [
            "",
            "ping",
            "join",
            "subscribe",
            "hello world",
            "orderbook.50.BTCUSDT",
            "ticker_1m",
            "room:lobby",
            "orderBook",
            "2024-01-31",
            "connection_init",
            "BTC-USD",
        ] {
            assert!(is_ordinary(value), "{value}");
        }
    }

    #[test]
    fn passwords_tokens_and_phrases_are_not_ordinary() {
        for value in [
            "hunter2",
            "s3cr3t",
            "s3cr3t-value",
            "AbCdEfGhIj",
            "correct horse battery staple",
            "Top Secret Plan",
            "correcthorsebatterystaple",
            "123e4567-e89b-12d3-a456-426614174000",
            "12345678",
            "a.b.c.d.e.f",
        ] {
            assert!(!is_ordinary(value), "{value}");
        }
    }

    #[test]
    fn states_tell_no_secret() {
        assert!(is_state("expired") && is_state("Required.") && is_state("***"));
        assert!(!is_state("swordfish"));
    }
}
