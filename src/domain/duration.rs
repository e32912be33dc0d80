//! Durations as people write them: `500ms`, `1m30s`, `1.5s`; a plain number is seconds.

use std::time::Duration;

/// The units, with their length in nanoseconds, longest first.
const UNITS: &[(&str, u128)] = &[
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
];

/// The most digits after the point: more would be finer than a nanosecond of a day.
const MAX_FRACTION_DIGITS: usize = 15;

/// Reads a duration. A text without a unit is seconds; several parts are added up (`1m30s`). The
/// error is a lower-case fragment that names the value and the rule.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = |why: &str| {
        format!("'{text}' is not a duration: {why}; write 500ms, 1m30s, 1.5s or a plain number of seconds")
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(refuse("it is empty"));
    }
    if !rest.ends_with(|c: char| c.is_ascii_alphabetic()) && rest.bytes().any(|b| b.is_ascii_alphabetic()) {
        return Err(refuse("its last number has no unit"));
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (nanos, tail) = part(rest).map_err(|why| refuse(&why))?;
        total = total.checked_add(nanos).ok_or_else(|| refuse("it is too long"))?;
        rest = tail;
    }
    u64::try_from(total).map(Duration::from_nanos).map_err(|_| refuse("it is too long"))
}

/// The first number with its unit, in nanoseconds, and what follows it.
fn part(text: &str) -> Result<(u128, &str), String> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, tail) = text.split_at(number_end);
    if number.is_empty() {
        return Err(format!("'{text}' does not begin with a number"));
    }
    let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
    let (unit, tail) = tail.split_at(unit_end);
    Ok((scale(number, nanos_of(unit.trim())?)?, tail))
}

fn nanos_of(unit: &str) -> Result<u128, String> {
    let unit = match unit {
        "" => "s",
        "µs" | "μs" => "us",
        other => other,
    };
    match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, nanos)) => Ok(*nanos),
        None => Err(format!("'{unit}' is not a unit (us, ms, s, m, h, d)")),
    }
}

/// A decimal number of units in nanoseconds; what is finer than one is cut off.
fn scale(number: &str, nanos: u128) -> Result<u128, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return Err(format!("'{number}' is not a number"));
    }
    let digits = |text: &str| match text {
        "" => Ok(0),
        text => text.parse::<u128>().map_err(|_| "it is too long".to_string()),
    };
    let fraction = &fraction[..fraction.len().min(MAX_FRACTION_DIGITS)];
    let part = digits(fraction)? * nanos / 10_u128.pow(fraction.len() as u32);
    let whole = digits(whole)?.checked_mul(nanos).ok_or("it is too long")?;
    whole.checked_add(part).ok_or_else(|| "it is too long".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(text: &str) -> u128 {
        parse_duration(text).unwrap().as_millis()
    }

    #[test]
    fn every_unit_is_understood() {
        assert_eq!(parse_duration("250us"), Ok(Duration::from_micros(250)));
        assert_eq!(parse_duration("250µs"), Ok(Duration::from_micros(250)));
        assert_eq!(ms("500ms"), 500);
        assert_eq!(ms("30s"), 30_000);
        assert_eq!(ms("2m"), 120_000);
        assert_eq!(ms("1h"), 3_600_000);
        assert_eq!(ms("1d"), 86_400_000);
    }

    #[test]
    fn a_plain_number_is_seconds() {
        assert_eq!(ms("10"), 10_000);
        assert_eq!(ms("0.25"), 250);
        assert_eq!(ms("0"), 0);
    }

    #[test]
    fn parts_are_added_up() {
        assert_eq!(ms("1m30s"), 90_000);
        assert_eq!(ms("1h 2m 3s 4ms"), 3_723_004);
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(parse_duration("0.1s"), Ok(Duration::from_millis(100)));
        assert_eq!(ms("1.5s"), 1_500);
        assert_eq!(ms(".5s"), 500);
        assert_eq!(ms("1.s"), 1_000);
    }

    #[test]
    fn nonsense_is_refused_with_the_rule() {
        let rule = "; write 500ms, 1m30s, 1.5s or a plain number of seconds";
        let refused = |text: &str, why: &str| {
            assert_eq!(parse_duration(text), Err(format!("'{text}' is not a duration: {why}{rule}")));
        };
        refused("", "it is empty");
        refused("fast", "'fast' does not begin with a number");
        refused("-1s", "'-1s' does not begin with a number");
        refused("5x", "'x' is not a unit (us, ms, s, m, h, d)");
        refused("1m30", "its last number has no unit");
        refused("1.2.3s", "'1.2.3' is not a number");
        refused(".s", "'.' is not a number");
        refused("99999999999999d", "it is too long");
        refused("9999999999999999999999999999999999999999999s", "it is too long");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse_duration(&text);
        }

        #[test]
        fn whole_milliseconds_survive(n in 0_u64..1_000_000_000) {
            prop_assert_eq!(parse_duration(&format!("{n}ms")), Ok(Duration::from_millis(n)));
        }
    }
}
