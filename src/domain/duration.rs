//! Durations on the command line: `500ms`, `1m30s`, `1.5s`; a plain number is seconds.

use std::time::Duration;

use humantime::DurationError;

/// The units that errors list. Longer names (`sec`, `minutes`) and `w` are accepted, too.
const UNITS: &str = "ns, us, ms, s, m, h, d";

/// Parses a duration as humantime does; a plain number is seconds. The error is a lower-case fragment that names the
/// value and the rule.
///
/// Refuses what humantime reads as months (`M`, `month`) and years: beside `m` for minutes a slip would wait for weeks.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let trimmed = text.trim();
    let refuse = |why: &str| {
        format!("'{text}' is not a duration: {why}; write 500ms, 1m30s, 1.5s or a plain number of seconds")
    };
    if let Some(unit) = trimmed.split(|c: char| !c.is_alphabetic()).find(|unit| is_long_unit(unit)) {
        return Err(refuse(&no_such_unit(unit)));
    }
    let zero = if trimmed.starts_with('.') { "0" } else { "" };
    let unit = if is_plain_number(text) { "s" } else { "" };
    let value = humantime::parse_duration(&format!("{zero}{trimmed}{unit}"));
    let value = value.map_err(|error| refuse(&explain(trimmed, &error)))?;
    if u64::try_from(value.as_nanos()).is_err() {
        return Err(refuse("it is too long"));
    }
    Ok(value)
}

/// Why the text is no duration. humantime counts bytes and lists units that are refused here.
fn explain(text: &str, error: &DurationError) -> String {
    match error {
        _ if text.starts_with('-') => "a duration cannot be negative".to_string(),
        DurationError::Empty => "it is empty".to_string(),
        DurationError::InvalidCharacter(_) => "it is not a number with a unit".to_string(),
        DurationError::NumberExpected(_) => "a number must come first".to_string(),
        DurationError::UnknownUnit { unit, .. } if unit.is_empty() => {
            format!("each number needs a unit ({UNITS})")
        }
        DurationError::UnknownUnit { unit, .. } => no_such_unit(unit),
        DurationError::NumberOverflow => "it is too long, or finer than 1 ns".to_string(),
    }
}

fn no_such_unit(unit: &str) -> String {
    format!("'{unit}' is not a unit ({UNITS})")
}

/// Whether the text is a number without a unit, which counts as seconds.
pub fn is_plain_number(text: &str) -> bool {
    let text = text.trim();
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn is_long_unit(unit: &str) -> bool {
    matches!(unit, "M" | "month" | "months" | "y" | "year" | "years" | "yr" | "yrs")
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
        assert_eq!(ms(".5"), 500);
    }

    #[test]
    fn nonsense_is_refused_with_the_rule() {
        let rule = "; write 500ms, 1m30s, 1.5s or a plain number of seconds";
        let refused = |text: &str, why: &str| {
            let error = parse_duration(text).unwrap_err();
            assert!(error.starts_with(&format!("'{text}' is not a duration: {why}")), "{error}");
            assert!(error.ends_with(rule), "{error}");
        };
        refused("", "it is empty");
        refused("fast", "a number must come first");
        refused("-1", "a duration cannot be negative");
        refused("-1s", "a duration cannot be negative");
        refused("5x", "'x' is not a unit (ns, us, ms, s, m, h, d)");
        refused("1m30", "each number needs a unit (ns, us, ms, s, m, h, d)");
        refused("1.2.3s", "it is not a number with a unit");
        refused("5 %", "it is not a number with a unit");
        refused("1M", "'M' is not a unit (ns, us, ms, s, m, h, d)");
        refused("2years", "'years' is not a unit");
        refused("99999999999999d", "it is too long");
        refused("9999999999999999999999999999999999999999999s", "it is too long, or finer than 1 ns");
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
