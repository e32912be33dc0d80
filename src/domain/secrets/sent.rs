//! What the user sent, so that it is hidden where it returns.

use serde_json::Value;

use super::encoded::encoded_at;
use super::fields::fields;
use super::names::secrecy;
use super::ordinary::{is_ordinary, is_state};

/// Shorter values occur in too many words.
const MIN_VALUE_CHARS: usize = 4;
/// Shorter values are only searched as whole words.
const MIN_SUBSTRING_CHARS: usize = 8;
/// Maximum number of values kept, because searching takes time: the longest, without credentials that were replaced.
const MAX_REMEMBERED: usize = 512;
/// A longer message is a document, whose values are not typed secrets.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Commands followed by a secret: `PASS oauth:x` of IRC.
const COMMANDS: &[&str] = &["pass", "password", "auth", "login", "token", "identify", "authenticate"];
/// Separators of the values in a text that is not JSON.
const SEPARATORS: &[char] =
    &['=', ':', ',', ';', '&', '|', '"', '\'', '<', '>', '(', ')', '{', '}', '[', ']', '\0'];

/// A value to hide.
#[derive(Debug, Clone, PartialEq, Eq)]
struct SecretText {
    bytes: Vec<u8>,
    /// Hidden only as a whole word.
    is_word: bool,
    /// How often credentials were read anew before it was added last.
    generation: u64,
}

/// The user's values to hide.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SentSecrets {
    /// The longest first.
    needles: Vec<SecretText>,
    /// How often credentials were read anew.
    generation: u64,
}

impl SentSecrets {
    pub const fn new() -> SentSecrets {
        SentSecrets { needles: Vec::new(), generation: 0 }
    }

    pub fn is_empty(&self) -> bool {
        self.needles.is_empty()
    }

    /// Adds a message of the user's: every value that is not ordinary, the values of secret fields, and the
    /// whole.
    pub fn message(&mut self, text: &str) {
        let text = text.get(..MAX_MESSAGE_BYTES).unwrap_or(text);
        let before = self.needles.len();
        self.fields(text);
        match json(text) {
            Some(value) => self.leaves(&value),
            None => self.words(text),
        }
        let has_secrets = self.needles.len() > before;
        if has_secrets || (json(text).is_none() && !is_ordinary(text)) {
            self.value(text);
        }
    }

    /// Adds a binary message: the texts in it, and the whole.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let is_text = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
        for text in bytes.split(|byte| !is_text(byte)).filter(|text| text.len() >= MIN_VALUE_CHARS) {
            self.message(&String::from_utf8_lossy(text));
        }
        if bytes.len() >= MIN_SUBSTRING_CHARS {
            self.needle(bytes.to_vec(), false);
        }
    }

    /// Adds a repeated text, such as a heartbeat: only the values of its secret fields.
    pub fn fields(&mut self, text: &str) {
        fields(text).for_each(|value| self.value(&text[value]));
        json(text).into_iter().for_each(|value| self.secret_leaves(&value, false));
    }

    /// Adds a header: its whole value if its name marks a secret, and credentials after a scheme.
    pub fn header(&mut self, name: &str, value: &str) {
        let is_secret = secrecy(name).is_some();
        if is_secret {
            self.value(value);
            value.split_once(' ').into_iter().for_each(|(_, credentials)| self.value(credentials));
        }
        if is_secret || !is_ordinary(value) {
            let parts = value.split([' ', ';', '=', ',']);
            parts.chain([value]).filter(|part| !is_ordinary(part)).for_each(|part| self.value(part));
        }
    }

    /// Adds a password, or another value that is always a secret.
    pub fn value(&mut self, value: &str) {
        let value = value.trim();
        if value.len() < MIN_VALUE_CHARS || is_state(value) {
            return;
        }
        let is_word = value.chars().count() < MIN_SUBSTRING_CHARS;
        for written in spellings(value) {
            self.needle(written.into_bytes(), is_word);
        }
    }

    fn needle(&mut self, bytes: Vec<u8>, is_word: bool) {
        if let Some(known) = self.needles.iter_mut().find(|needle| needle.bytes == bytes) {
            known.generation = known.generation.min(1) * self.generation;
            return;
        }
        self.needles.push(SecretText { bytes, is_word, generation: self.generation });
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.bytes.len()));
        if self.needles.len() > MAX_REMEMBERED {
            self.forget_one();
        }
    }

    /// Forgets a value of the oldest credentials that were replaced since; if there are none, the shortest value.
    fn forget_one(&mut self) {
        let is_replaced = |needle: &SecretText| (1..self.generation).contains(&needle.generation);
        let replaced = self.needles.iter().enumerate().filter(|(_, needle)| is_replaced(needle));
        match replaced.min_by_key(|(_, needle)| needle.generation) {
            Some((oldest, _)) => drop(self.needles.remove(oldest)),
            None => drop(self.needles.pop()),
        }
    }

    /// Credentials are read anew: what is added from now on replaces what was added after the last such call. What was
    /// added before the first one, such as the command line's, is never replaced.
    pub fn renew(&mut self) {
        self.generation += 1;
    }

    /// Adds the strings of a JSON document that are not ordinary.
    fn leaves(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                if let Some(inner) = json(text) {
                    self.fields(text);
                    self.leaves(&inner);
                } else if !is_ordinary(text) {
                    self.value(text);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.leaves(item)),
            Value::Object(fields) => fields.values().for_each(|value| self.leaves(value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Adds the strings and numbers of secret fields, without JSON's escapes.
    fn secret_leaves(&mut self, value: &Value, is_secret: bool) {
        match value {
            Value::String(text) if is_secret => self.value(text),
            Value::Number(number) if is_secret => self.value(&number.to_string()),
            Value::Array(items) => items.iter().for_each(|item| self.secret_leaves(item, is_secret)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                let is_sure = secrecy(name).is_some_and(|found| found != super::names::Secrecy::Perhaps);
                self.secret_leaves(value, is_secret || is_sure);
            }),
            Value::String(_) | Value::Number(_) | Value::Null | Value::Bool(_) => {}
        }
    }

    fn words(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let begins = words.next().unwrap_or_default().trim_start_matches('/').to_ascii_lowercase();
            if COMMANDS.contains(&begins.as_str()) {
                words.for_each(|word| {
                    self.value(word);
                    self.value(word.rsplit(':').next().unwrap_or_default());
                });
            }
        }
        let parts = text.split(|c: char| c.is_whitespace() || SEPARATORS.contains(&c));
        let words = text.split_whitespace();
        words.chain(parts).filter(|word| !is_ordinary(word)).for_each(|word| self.value(word));
    }

    /// The length of a user's value at this position, plain or inside a word in base64, hex or
    /// percent-encoding.
    pub fn length_at(&self, text: &[u8], at: usize) -> Option<usize> {
        if self.is_empty() {
            return None;
        }
        let is_secret = |bytes: &[u8]| (0..bytes.len()).any(|at| self.plain_at(bytes, at).is_some());
        let encoded = || encoded_at(text, at, is_secret).map(|end| end - at);
        self.plain_at(text, at).or_else(encoded)
    }

    fn plain_at(&self, text: &[u8], at: usize) -> Option<usize> {
        let rest = text.get(at..)?;
        let is_here = |needle: &&SecretText| {
            rest.starts_with(&needle.bytes) && (!needle.is_word || is_apart(text, at, needle.bytes.len()))
        };
        self.needles.iter().find(is_here).map(|needle| needle.bytes.len())
    }
}

/// Whether these bytes are a whole word.
fn is_apart(text: &[u8], at: usize, length: usize) -> bool {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80);
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    // `\nhunter2` in JSON is a line break before the word.
    let is_escape = at >= 2 && text[at - 2] == b'\\';
    (is_escape || !is_word(before)) && !is_word(text.get(at + length))
}

/// The object or array in a text, also after a prefix: `42["auth",{}]` of Socket.IO.
fn json(text: &str) -> Option<Value> {
    let begins = text.find(['{', '['])?;
    let is_prefix = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '/' | ',' | '-');
    if !text[..begins].chars().all(is_prefix) {
        return None;
    }
    serde_json::from_str(text[begins..].trim_end_matches(['\x1e', '\0'])).ok()
}

/// The forms in which a value may return: plain, in JSON with either escaping, or percent-encoded.
fn spellings(value: &str) -> Vec<String> {
    let json = |text: &str| Value::from(text).to_string().trim_matches('"').to_string();
    let inner = Value::from(value).to_string();
    let inner = inner[1..inner.len() - 1].to_string();
    let slashes = inner.replace('/', "\\/");
    let ascii: String =
        inner.chars().map(|c| if c.is_ascii() { c.to_string() } else { json_escape(c) }).collect();
    let twice = json(&inner);
    let percent: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let mut all = vec![value.to_string(), inner, slashes, ascii, twice, percent.replace('+', "%20"), percent];
    all.dedup();
    all
}

/// `\u00e9`; two of them for a character beyond the first plane.
fn json_escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|half| format!("\\u{half:04x}")).collect()
}
