//! Bytes written in hex: what a binary message says, or must say.

use super::captures::Captures;
use super::placeholder::{PlaceholderName, RequestKeys, TemplateError};

/// The prefix of a template or pattern that is bytes instead of text.
const HEX_PREFIX: &str = "hex:";
/// A number in a binary message has so many bytes, the most significant first.
const NUMBER_BYTES: usize = 8;

/// A stretch of a binary message.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HexAtom {
    /// A byte whose bits under the mask are these: `c0`, `3?`, `??`.
    Byte { value: u8, mask: u8 },
    /// A number of eight bytes, big-endian.
    Place(PlaceholderName),
    /// Whatever follows, also nothing.
    Rest,
}

/// Bytes in hex, some of which may be left open.
///
/// - two digits are a byte; `?` leaves half of one open
/// - `{seq}`, `{seq1}` and `{now_ms}` are numbers of eight bytes, big-endian
/// - `*` at the end is whatever follows
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HexPattern(Vec<HexAtom>);

impl HexPattern {
    /// Reads a `hex:` text; `None` when the text is not one.
    pub(super) fn parse(given: &str) -> Option<Result<HexPattern, TemplateError>> {
        given.strip_prefix(HEX_PREFIX).map(|digits| atoms(given, digits).map(HexPattern))
    }

    /// Why these bytes cannot be sent, if they cannot: some are left open.
    pub(super) fn open_place(&self) -> Option<char> {
        self.0.iter().find_map(|atom| match atom {
            HexAtom::Byte { mask: 0xff, .. } | HexAtom::Place(_) => None,
            HexAtom::Byte { .. } => Some('?'),
            HexAtom::Rest => Some('*'),
        })
    }

    /// Whether a number is among them.
    pub(super) fn has_places(&self) -> bool {
        self.0.iter().any(|atom| matches!(atom, HexAtom::Place(key) if key.tells()))
    }

    /// The message that these bytes are with these keys.
    pub(super) fn render(&self, keys: &RequestKeys) -> Vec<u8> {
        let bytes = self.0.iter().map(|atom| match atom {
            HexAtom::Byte { value, .. } => vec![*value],
            HexAtom::Place(key) => key.number(keys).to_be_bytes().to_vec(),
            HexAtom::Rest => Vec::new(),
        });
        bytes.flatten().collect()
    }

    /// What a message says at the places of these bytes; `None` when it does not read so.
    pub(super) fn captures(&self, message: &[u8]) -> Option<Captures> {
        let (mut rest, mut found) = (message, Captures::default());
        for atom in &self.0 {
            match atom {
                HexAtom::Rest => return Some(found),
                HexAtom::Byte { value, mask } => {
                    let (first, others) = rest.split_first()?;
                    if first & mask != *value {
                        return None;
                    }
                    rest = others;
                }
                HexAtom::Place(key) => {
                    let (number, others) = rest.split_first_chunk::<NUMBER_BYTES>()?;
                    found = found.and(Captures::of_number(*key, u64::from_be_bytes(*number))?)?;
                    rest = others;
                }
            }
        }
        rest.is_empty().then_some(found)
    }
}

fn atoms(given: &str, digits: &str) -> Result<Vec<HexAtom>, TemplateError> {
    let (mut atoms, mut rest, mut count) = (Vec::new(), digits, 0_usize);
    let mut high: Option<HexAtom> = None;
    while let Some(c) = rest.chars().next() {
        if high.is_none()
            && let Some(key) = PlaceholderName::opening(rest).filter(|key| *key != PlaceholderName::Id)
        {
            atoms.push(HexAtom::Place(key));
            rest = &rest[key.placeholder().len()..];
            continue;
        }
        if rest == "*" && high.is_none() && !atoms.is_empty() {
            atoms.push(HexAtom::Rest);
            break;
        }
        let nibble = nibble(c).ok_or_else(|| TemplateError::NotHex { given: given.to_string(), found: c })?;
        count += 1;
        rest = &rest[c.len_utf8()..];
        high = match high.take() {
            None => Some(nibble),
            Some(high) => {
                atoms.push(joined(&high, &nibble));
                None
            }
        };
    }
    match (high, atoms.is_empty()) {
        (Some(_), _) => Err(TemplateError::OddHexDigits { given: given.to_string(), digits: count }),
        (None, true) => Err(TemplateError::NoHexDigits { given: given.to_string() }),
        (None, false) => Ok(atoms),
    }
}

fn nibble(c: char) -> Option<HexAtom> {
    match c {
        '?' => Some(HexAtom::Byte { value: 0, mask: 0 }),
        c => Some(HexAtom::Byte { value: c.to_digit(16)? as u8, mask: 0xf }),
    }
}

fn joined(high: &HexAtom, low: &HexAtom) -> HexAtom {
    let parts = |atom: &HexAtom| match atom {
        HexAtom::Byte { value, mask } => (*value, *mask),
        HexAtom::Place(_) | HexAtom::Rest => (0, 0),
    };
    let ((high, high_mask), (low, low_mask)) = (parts(high), parts(low));
    HexAtom::Byte { value: high << 4 | low, mask: high_mask << 4 | low_mask }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> HexPattern {
        HexPattern::parse(text).unwrap().unwrap()
    }

    fn keys() -> RequestKeys {
        RequestKeys { seq: 258, id: String::new(), now_ms: 7 }
    }

    #[test]
    fn half_a_byte_a_whole_one_and_what_follows_may_be_left_open() {
        let reads = |pattern: &str, message: &[u8]| bytes(pattern).captures(message).is_some();
        assert!(reads("hex:2002??00", &[0x20, 2, 1, 0]) && !reads("hex:2002??00", &[0x20, 2, 1, 5]));
        assert!(reads("hex:3?", &[0x3f]) && !reads("hex:3?", &[0x4f]) && !reads("hex:?0", &[0x3f]));
        assert!(reads("hex:20*", &[0x20]) && reads("hex:20*", &[0x20, 1, 2]) && !reads("hex:20*", &[]));
        assert!(!reads("hex:2002", &[0x20, 2, 0]) && !reads("hex:2002", &[0x20]));
    }

    #[test]
    fn a_number_is_eight_bytes_and_comes_back() {
        let rendered = bytes("hex:09{seq}ff").render(&keys());
        assert_eq!(rendered, [9, 0, 0, 0, 0, 0, 0, 1, 2, 0xff]);
        assert_eq!(bytes("hex:09{seq}ff").captures(&rendered).unwrap().seq, Some(258));
        assert_eq!(bytes("hex:{seq1}").captures(&[0, 0, 0, 0, 0, 0, 1, 3]).unwrap().seq, Some(258));
        assert_eq!(bytes("hex:{seq1}").captures(&[0; 8]), None, "numbers from 1 have no 0");
        assert_eq!(bytes("hex:09{seq}").captures(&[9, 0]), None);
    }

    #[test]
    fn what_is_left_open_cannot_be_sent() {
        assert_eq!(bytes("hex:c0?0").open_place(), Some('?'));
        assert_eq!(bytes("hex:c0*").open_place(), Some('*'));
        assert_eq!(bytes("hex:c0{seq}").open_place(), None);
    }

    #[test]
    fn what_is_no_hex_is_named() {
        let refused = |text: &str| HexPattern::parse(text).unwrap().unwrap_err().to_string();
        assert!(refused("hex:").contains("no hex digits"));
        assert!(refused("hex:*").contains("'*'"));
        assert!(refused("hex:c0*00").contains("'*'"));
        assert!(refused("hex:{id}").contains("'{'"));
        assert!(refused("hex:c{seq}").contains("'{'"));
        assert!(refused("hex:c0?").contains("3 hex digits"));
        assert_eq!(HexPattern::parse("c000"), None);
    }
}
