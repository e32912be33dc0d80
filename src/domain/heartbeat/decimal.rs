//! JSON numbers, compared exactly by value, with any number of digits.

/// Maximum digits of a whole number that is written out; longer ones stay as received.
const MAX_WHOLE_DIGITS: i64 = 64;

/// A decimal number: `digits` times ten to the power of `exponent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// Without leading and trailing zeros; empty for zero.
    digits: String,
    exponent: i64,
}

impl Decimal {
    /// Parses a JSON number: `1`, `-0.5`, `1e2`. An exponent beyond 64 bits counts as the largest.
    pub(super) fn read(text: &str) -> Decimal {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let unsigned = mantissa.trim_start_matches('-');
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all = format!("{whole}{fraction}");
        let trimmed = all.trim_end_matches('0');
        let zeros = (all.len() - trimmed.len()) as i64 - fraction.len() as i64;
        let digits = trimmed.trim_start_matches('0').to_string();
        if digits.is_empty() {
            return Decimal { is_negative: false, digits, exponent: 0 };
        }
        let exponent = read_exponent(exponent).saturating_add(zeros);
        Decimal { is_negative: mantissa.starts_with('-'), digits, exponent }
    }

    /// The value as an integer without exponent; `None` if it has a fraction or too many digits.
    pub(super) fn whole(&self) -> Option<String> {
        let length = self.exponent.saturating_add(self.digits.len() as i64);
        if self.digits.is_empty() {
            return Some("0".to_string());
        }
        let zeros = usize::try_from(self.exponent).ok().filter(|_| length <= MAX_WHOLE_DIGITS)?;
        let sign = if self.is_negative { "-" } else { "" };
        Some(format!("{sign}{}{}", self.digits, "0".repeat(zeros)))
    }
}

fn read_exponent(text: &str) -> i64 {
    let beyond = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    text.trim_start_matches('+').parse().unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_same(one: &str, other: &str) -> bool {
        Decimal::read(one) == Decimal::read(other)
    }

    #[test]
    fn notations_of_one_value_are_equal() {
        for (one, other) in [
            ("1", "1.0"),
            ("1e2", "100"),
            ("100", "1E+2"),
            ("-0", "0"),
            ("0.5", "5e-1"),
            ("0.50", "0.5"),
            ("-1", "-1.00"),
            ("0e99999999999999999999", "0.0"),
            ("12300", "123e2"),
            ("0.001", "1e-3"),
        ] {
            assert!(is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn values_with_one_different_digit_differ() {
        for (one, other) in [
            ("18446744073709551616", "18446744073709551617"),
            ("1234567890123456789012345678901234567890", "1234567890123456789012345678901234567891"),
            ("0.1", "0.10000000000000000001"),
            ("9007199254740992.0", "9007199254740993"),
            ("1", "-1"),
            ("1e300", "1e301"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn whole_numbers_are_written_out() {
        let whole = |text: &str| Decimal::read(text).whole();
        assert_eq!(whole("5.0").as_deref(), Some("5"));
        assert_eq!(whole("1e2").as_deref(), Some("100"));
        assert_eq!(whole("-12e1").as_deref(), Some("-120"));
        assert_eq!(whole("0.0").as_deref(), Some("0"));
        assert_eq!(whole("18446744073709551617").as_deref(), Some("18446744073709551617"));
        assert_eq!(whole("1.5"), None);
        assert_eq!(whole("1e9999999999999999999999"), None);
    }

    proptest! {
        #[test]
        fn integers_compare_exactly(one in any::<u128>(), other in any::<u128>()) {
            prop_assert_eq!(is_same(&one.to_string(), &other.to_string()), one == other);
            prop_assert!(!is_same(&one.to_string(), &one.wrapping_add(1).to_string()));
            let fraction = format!("{one}.00");
            prop_assert!(is_same(&one.to_string(), &fraction));
        }

        #[test]
        fn no_text_panics(text in "-?[0-9]{0,40}[.]?[0-9]{0,40}([eE][+-]?[0-9]{0,30})?") {
            Decimal::read(&text).whole();
        }
    }
}
