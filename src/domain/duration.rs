//! Durations on the command line: `500ms`, `1m30s`, `1.5s`; a plain number is seconds.

use std::time::Duration;

/// Parses a duration as humantime does; a plain number is seconds. The error is a lower-case fragment that names the
/// value and the rule.
///
/// Refuses what humantime reads as months (`M`, `month`) and years: beside `m` for minutes a slip would wait for weeks.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = |why: &str| {
        format!("'{text}' is not a duration: {why}; write 500ms, 1m30s, 1.5s or a plain number of seconds")
    };
    let trimmed = text.trim();
    if let Some(unit) = trimmed.split(|c: char| !c.is_alphabetic()).find(|unit| is_long_unit(unit)) {
        return Err(refuse(&format!("'{unit}' is not a unit (us, ms, s, m, h, d)")));
    }
    let zero = if trimmed.starts_with('.') { "0" } else { "" };
    let unit = if is_plain_number(text) { "s" } else { "" };
    let value = humantime::parse_duration(&format!("{zero}{trimmed}{unit}"));
    let value = value.map_err(|error| refuse(&error.to_string()))?;
    if u64::try_from(value.as_nanos()).is_err() {
        return Err(refuse("it is too long"));
    }
    Ok(value)
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
        refused("", "value was empty");
        refused("fast", "expected number");
        refused("-1s", "expected number");
        refused("5x", "unknown time unit \"x\"");
        refused("1m30", "time unit needed");
        refused("1.2.3s", "invalid character");
        refused("1M", "'M' is not a unit (us, ms, s, m, h, d)");
        refused("2years", "'years' is not a unit");
        refused("99999999999999d", "it is too long");
        refused("9999999999999999999999999999999999999999999s", "number is too large");
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
