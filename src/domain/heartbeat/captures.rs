//! The values of a message at a pattern's placeholders.

use super::placeholder::{PlaceholderName, TextPart};

/// Maximum length of an id, in bytes. Bounds the work that a hostile message causes.
const MAX_ID_BYTES: usize = 256;
/// Digits of `u64::MAX`.
const MAX_NUMBER_DIGITS: usize = 20;
/// Maximum number of positions tried for the text after `{any}`.
const MAX_ANY_TRIES: usize = 256;

/// The keys of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captures {
    pub seq: Option<u64>,
    pub id: Option<String>,
    pub now_ms: Option<u64>,
}

impl Captures {
    pub fn is_empty(&self) -> bool {
        *self == Captures::default()
    }

    /// Both combined; `None` if they disagree on a key.
    pub(super) fn and(self, other: Captures) -> Option<Captures> {
        Some(Captures {
            seq: agree(self.seq, other.seq)?,
            id: agree(self.id, other.id)?,
            now_ms: agree(self.now_ms, other.now_ms)?,
        })
    }

    /// The value of `key` in `text`: digits for a number, any text for an id.
    pub(super) fn of(key: PlaceholderName, text: &str) -> Option<Captures> {
        match key {
            PlaceholderName::Seq | PlaceholderName::Seq1 | PlaceholderName::NowMs | PlaceholderName::NowS => {
                Captures::of_number(key, number(text)?)
            }
            PlaceholderName::Id if text.is_empty() || text.len() > MAX_ID_BYTES => None,
            PlaceholderName::Id => Some(Captures { id: Some(text.to_string()), ..Captures::default() }),
        }
    }

    /// A number as the value of `key`. A key counted from 1 has no 0, and an id is no number.
    pub(super) fn of_number(key: PlaceholderName, number: u64) -> Option<Captures> {
        let mut captures = Captures::default();
        match key {
            PlaceholderName::Seq => captures.seq = Some(number),
            PlaceholderName::Seq1 => captures.seq = Some(number.checked_sub(1)?),
            PlaceholderName::NowMs => captures.now_ms = Some(number),
            PlaceholderName::NowS => {}
            PlaceholderName::Id => return None,
        }
        Some(captures)
    }

    /// The values in `text` at the placeholders of `parts`, if the whole text matches.
    pub(super) fn from_text(parts: &[TextPart], text: &str) -> Option<Captures> {
        match parts {
            [] => text.is_empty().then(Captures::default),
            [TextPart::Literal(literal), rest @ ..] => {
                Captures::from_text(rest, text.strip_prefix(literal.as_str())?)
            }
            [TextPart::Any] => Some(Captures::default()),
            [TextPart::Any, rest @ ..] => {
                starts(rest, text).take(MAX_ANY_TRIES).find_map(|at| Captures::from_text(rest, &text[at..]))
            }
            [TextPart::Place(key), rest @ ..] => ends(*key, rest, text).find_map(|end| {
                Captures::of(*key, &text[..end])?.and(Captures::from_text(rest, &text[end..])?)
            }),
        }
    }
}

fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> Option<Option<T>> {
    match (one, other) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => Some(one.or(other)),
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Where the text after `{any}` may start.
fn starts<'a>(rest: &'a [TextPart], text: &'a str) -> Box<dyn Iterator<Item = usize> + 'a> {
    match rest {
        [TextPart::Literal(literal)] => Box::new(
            text.len().checked_sub(literal.len()).into_iter().filter(|at| text.is_char_boundary(*at)),
        ),
        [TextPart::Literal(literal), ..] => Box::new(text.match_indices(literal.as_str()).map(|(at, _)| at)),
        _ => Box::new((0..=text.len()).filter(|at| text.is_char_boundary(*at))),
    }
}

/// Where a placeholder may end, the likeliest first: numbers as long, ids as short as possible.
fn ends<'a>(key: PlaceholderName, rest: &[TextPart], text: &'a str) -> Box<dyn Iterator<Item = usize> + 'a> {
    let digits = || text.bytes().take(MAX_NUMBER_DIGITS).take_while(u8::is_ascii_digit).count();
    match (key, rest) {
        (_, []) => Box::new(std::iter::once(text.len())),
        (
            PlaceholderName::Seq | PlaceholderName::Seq1 | PlaceholderName::NowMs | PlaceholderName::NowS,
            _,
        ) => Box::new((1..=digits()).rev()),
        (PlaceholderName::Id, _) => {
            Box::new((1..=text.len().min(MAX_ID_BYTES)).filter(|end| text.is_char_boundary(*end)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::placeholder::pattern_parts;
    use super::*;

    fn captured(pattern: &str, text: &str) -> Option<Captures> {
        Captures::from_text(&pattern_parts(pattern), text)
    }

    #[test]
    fn any_placeholder_is_skipped() {
        assert_eq!(captured("PONG{any}", "PONG\r\n"), Some(Captures::default()));
        assert_eq!(captured("PONG{any}", "PONG"), Some(Captures::default()));
        assert_eq!(captured("{any}!", "a!b!"), Some(Captures::default()));
        assert_eq!(captured("{any}!", "a!b"), None);
        assert_eq!(captured("{any}id={seq};{any}", "x;id=a;id=7;y").unwrap().seq, Some(7));
        assert_eq!(captured("{any}é", "éüé"), Some(Captures::default()));
        assert_eq!(captured("{any}xx", "x"), None);
    }

    #[test]
    fn seq1_is_one_more_than_seq() {
        assert_eq!(captured("{seq1}", "1").unwrap().seq, Some(0));
        assert_eq!(captured("{seq1}", "0"), None);
    }

    #[test]
    fn number_is_digits_only() {
        assert_eq!(captured("{seq}", "42").unwrap().seq, Some(42));
        assert_eq!(captured("{now_ms}", "18446744073709551615").unwrap().now_ms, Some(u64::MAX));
        for text in ["", "+4", "-4", "4 ", "4.0", "four", "18446744073709551616", "٤"] {
            assert_eq!(captured("{seq}", text), None, "{text}");
        }
    }

    #[test]
    fn placeholder_ends_where_the_rest_matches() {
        let found = captured("pong {id}-{seq}.", "pong a-b-17.").unwrap();
        assert_eq!((found.id.as_deref(), found.seq), (Some("a-b"), Some(17)));
        assert_eq!(captured("{seq}0", "1230").unwrap().seq, Some(123));
        assert_eq!(captured("é{id}é", "éüé").unwrap().id.as_deref(), Some("ü"));
    }

    #[test]
    fn repeated_key_must_agree() {
        assert_eq!(captured("{seq},{seq}", "5,5").unwrap().seq, Some(5));
        assert_eq!(captured("{seq},{seq}", "5,6"), None);
    }

    #[test]
    fn id_length_is_bounded() {
        assert_eq!(captured("<{id}>", "<>"), None);
        assert_eq!(captured("{id}", &"x".repeat(MAX_ID_BYTES)).unwrap().id.unwrap().len(), MAX_ID_BYTES);
        assert_eq!(captured("{id}", &"x".repeat(MAX_ID_BYTES + 1)), None);
        assert_eq!(captured("{id}!", &"x".repeat(1_000_000)), None);
    }
}
