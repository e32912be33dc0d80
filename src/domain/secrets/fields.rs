//! Finds fields with secret values in any text: JSON, also inside a JSON string, headers, query parameters,
//! XML, and tokens without a name.

use std::ops::Range;

use super::names::{self, Secrecy, secrecy};
use super::ordinary::{is_ordinary, is_random, is_state};

/// Maximum secrets per field; more are never displayed.
const MAX_VALUES: usize = 1024;
/// White space allowed between a name, its separator and its value.
const MAX_WHITE_SPACE: usize = 64;
/// Shorter numbers are no secrets: counts or versions.
const MIN_NUMBER_DIGITS: usize = 4;
/// A shorter text after `Bearer` is a word of a sentence.
const MIN_TOKEN_CHARS: usize = 16;
/// Minimum length of a JWT, which starts with `{"` in base64.
const MIN_JWT_CHARS: usize = 20;
const JWT_BEGINS: &str = "eyJ";
/// HTTP authentication schemes followed by credentials (RFC 7617, RFC 6750).
const SCHEMES: &[&str] = &["bearer", "basic"];

/// A field with secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The positions of the secrets, in order.
    pub values: Vec<Range<usize>>,
    /// The field's end.
    pub end: usize,
}

impl Field {
    fn of(value: Range<usize>) -> Field {
        Field { end: value.end, values: vec![value] }
    }
}

/// The field with secrets whose name starts at this byte; `None` if there is none.
pub fn field_at(text: &str, at: usize) -> Option<Field> {
    let begins = text[at..].starts_with(is_name) && !text[..at].ends_with(is_name);
    if !begins {
        return None;
    }
    jwt(text, at).or_else(|| named(text, at)).or_else(|| scheme(text, at))
}

/// All fields of a text with secrets, in order.
pub fn fields(text: &str) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    let mut found = std::iter::from_fn(move || {
        while at < text.len() {
            if let Some(field) = field_at(text, at) {
                at = field.end.max(at + 1);
                return Some(field.values);
            }
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        None
    });
    let mut values = Vec::new().into_iter();
    std::iter::from_fn(move || {
        loop {
            if let Some(value) = values.next() {
                return Some(value);
            }
            values = found.next()?.into_iter();
        }
    })
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// The end of the longest run of such characters.
fn run(text: &str, from: usize, is_in: impl Fn(char) -> bool) -> usize {
    text[from..].find(|c: char| !is_in(c)).map_or(text.len(), |length| from + length)
}

fn skip_space(text: &str, from: usize) -> usize {
    run(text, from, |c| c.is_ascii_whitespace()).min(from + MAX_WHITE_SPACE)
}

/// A quote and the backslashes before it: in a string inside a string it has some.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quote {
    backslashes: usize,
    mark: char,
}

impl Quote {
    /// The quote that ends at this byte.
    fn before(text: &str, at: usize) -> Option<Quote> {
        let mark = text[..at].chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        Some(Quote { backslashes: backslashes(text, at - 1), mark })
    }

    /// The quote that starts at this byte.
    fn at(text: &str, at: usize) -> Option<Quote> {
        let end = run(text, at, |c| c == '\\');
        let mark = text[end..].chars().next().filter(|c| matches!(c, '"' | '\''))?;
        Some(Quote { backslashes: end - at, mark })
    }

    fn length(self) -> usize {
        self.backslashes + 1
    }

    /// The content of the string that this quote starts; unterminated strings end with the text.
    fn content(self, text: &str, from: usize) -> Range<usize> {
        let marks = text[from..].match_indices(self.mark).map(|(length, _)| from + length);
        let closes = |mark: &usize| {
            let before = backslashes(text, *mark).min(mark - from);
            let more = before.checked_sub(self.backslashes);
            more.is_some_and(|more| more % (2 * (self.backslashes + 1)) == 0)
        };
        let end = marks.into_iter().find(closes);
        from..end.map_or(text.len(), |mark| mark - self.backslashes)
    }
}

/// The number of backslashes before this byte.
fn backslashes(text: &str, at: usize) -> usize {
    text[..at].bytes().rev().take_while(|byte| *byte == b'\\').count()
}

/// `name: value` in any of its forms.
fn named(text: &str, at: usize) -> Option<Field> {
    quoted_name(text, at).or_else(|| {
        let end = run(text, at, is_name);
        let name = &text[at..end];
        let secrecy = secrecy(name)?;
        element(text, at, end, secrecy).or_else(|| valued(text, end, name, secrecy, true))
    })
}

/// A name in quotes may have spaces: `"api key": "x"`.
fn quoted_name(text: &str, at: usize) -> Option<Field> {
    let quote = Quote::before(text, at)?;
    let most = (at + names::MAX_NAME_CHARS + 8).min(text.len());
    let end = quote.content(text.get(..most).unwrap_or(text), at).end;
    let name = text.get(at..end)?;
    let after = end + quote.length();
    if after > text.len() || !text.is_char_boundary(after) {
        return None;
    }
    valued(text, after, name, secrecy(name)?, false)
}

/// `<password>x</password>`, with or without attributes.
fn element(text: &str, at: usize, end: usize, secrecy: Secrecy) -> Option<Field> {
    if !text[..at].ends_with('<') || !text[end..].starts_with(['>', ' ', '\t', '\r', '\n']) {
        return None;
    }
    let opened = run(text, end, |c| !matches!(c, '>' | '<'));
    let content = opened + 1..run(text, (opened + 1).min(text.len()), |c| c != '<');
    let is_one = text[opened..].starts_with('>') && is_value(&text[content.clone()], secrecy);
    is_one.then(|| Field::of(content))
}

/// The separator and the value after a name.
fn valued(text: &str, name_end: usize, name: &str, secrecy: Secrecy, is_bare: bool) -> Option<Field> {
    let separator_at = skip_space(text, name_end);
    let separator = text[separator_at..].chars().next().filter(|c| matches!(c, ':' | '='))?;
    let after = separator_at + 1 + usize::from(text[separator_at + 1..].starts_with('>'));
    let at = skip_space(text, after);
    if let Some(quote) = Quote::at(text, at) {
        let content = quote.content(text, at + quote.length());
        return is_value(&text[content.clone()], secrecy).then(|| Field::of(content));
    }
    if text[at..].starts_with(['{', '[']) {
        return container(text, at, secrecy);
    }
    let value = match secrecy {
        Secrecy::WholeLine => at..run(text, at, |c| !matches!(c, '\r' | '\n' | '"' | '\'' | '\\' | '<')),
        Secrecy::Sure | Secrecy::Perhaps => at..run(text, at, is_unquoted),
    };
    let is_loose = is_bare && separator == ':' && at > after;
    is_unquoted_value(&text[value.clone()], name, secrecy, is_loose).then(|| Field::of(value))
}

fn is_unquoted(c: char) -> bool {
    !c.is_whitespace()
        && !matches!(c, ',' | ';' | '&' | ')' | '}' | ']' | '<' | '>' | '"' | '\'' | '\\' | '\0')
}

/// Whether a value of such a field is a secret.
fn is_value(value: &str, secrecy: Secrecy) -> bool {
    match secrecy {
        Secrecy::Sure | Secrecy::WholeLine => !is_state(value),
        Secrecy::Perhaps => is_random(value),
    }
}

/// The same for an unquoted value: a number, a parameter, or a word of a sentence (`loose`).
fn is_unquoted_value(value: &str, name: &str, secrecy: Secrecy, loose: bool) -> bool {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    match secrecy {
        _ if is_state(value) => false,
        // `total_tokens: 1500` is a count.
        _ if is_number => {
            let is_whole = !value.contains('.') && value.len() >= MIN_NUMBER_DIGITS;
            is_whole && secrecy != Secrecy::Perhaps && !name.ends_with('s')
        }
        Secrecy::WholeLine => true,
        Secrecy::Sure => !loose || is_random(value),
        Secrecy::Perhaps => is_random(value) && !is_ordinary(value),
    }
}

/// The values of all fields of an object or array: `"auth": {"user": "x", "hash": "y"}`.
fn container(text: &str, at: usize, secrecy: Secrecy) -> Option<Field> {
    let (mut depth, mut here, mut values) = (0_usize, at, Vec::new());
    while here < text.len() && values.len() < MAX_VALUES {
        if let Some(quote) = Quote::at(text, here) {
            let content = quote.content(text, here + quote.length());
            here = (content.end + quote.length()).min(text.len());
            let is_name = text[skip_space(text, here)..].starts_with(':');
            if !is_name && is_value(&text[content.clone()], secrecy) {
                values.push(content);
            }
            continue;
        }
        match text.as_bytes()[here] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        here += text[here..].chars().next().map_or(1, char::len_utf8);
        if depth == 0 {
            break;
        }
    }
    (!values.is_empty()).then_some(Field { values, end: here })
}

/// `eyJhbGciOi.eyJzdWIi.c2ln`: header, claims and signature (RFC 7519).
fn jwt(text: &str, at: usize) -> Option<Field> {
    if !text[at..].starts_with(JWT_BEGINS) {
        return None;
    }
    let end = run(text, at, |c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '='));
    let is_one = end - at >= MIN_JWT_CHARS && text[at..end].matches('.').count() >= 2;
    is_one.then(|| Field::of(at..end))
}

/// `Bearer x`
fn scheme(text: &str, at: usize) -> Option<Field> {
    let end = run(text, at, |c| c.is_ascii_alphabetic());
    let is_scheme = SCHEMES.iter().any(|scheme| text[at..end].eq_ignore_ascii_case(scheme));
    let from = skip_space(text, end);
    if !is_scheme || from == end {
        return None;
    }
    let token = from..run(text, from, |c| c.is_ascii_alphanumeric() || "-._~+/=".contains(c));
    let word = &text[token.clone()];
    (word.len() >= MIN_TOKEN_CHARS || is_random(word)).then(|| Field::of(token))
}
