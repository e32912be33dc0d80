//! Durations and numbers as reports show them: one formatter for all.

use std::fmt::Debug;
use std::time::Duration;

/// To which side a number is rounded to the last digit shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    Nearest,
    Down,
    Up,
}

const MICROSECOND: u128 = 1_000;
const MILLISECOND: u128 = 1_000_000;
const SECOND: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * SECOND;
const TWO_MINUTES: u128 = 2 * MINUTE;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;

/// A duration in the unit that suits its size: three significant figures below a second, four above, hours and
/// days in two parts: `850 ns`, `214 µs`, `1.53 ms`, `2.625 s`, `90 s`, `5m`, `20m 30s`, `2h 5m`. From two minutes on
/// every formatter here counts in minutes, so that one report shows one time in one way.
pub fn duration(value: Duration) -> String {
    rounded(value, Rounding::Nearest)
}

/// As [`duration`], never longer than the value: what was survived, or an interval to set.
pub fn at_least(value: Duration) -> String {
    rounded(value, Rounding::Down)
}

/// As [`duration`], never shorter than the value: the upper end of a bracket.
pub fn at_most(value: Duration) -> String {
    rounded(value, Rounding::Up)
}

fn rounded(value: Duration, rounding: Rounding) -> String {
    shown(round_to(value.as_nanos(), step(value.as_nanos()), rounding))
}

fn shown(nanos: u128) -> String {
    if nanos < TWO_MINUTES { in_unit(nanos) } else { in_minutes(nanos) }
}

/// Days, hours, minutes and seconds, as they are typed: `20m 30.5s`.
fn in_minutes(nanos: u128) -> String {
    let rest = nanos % MINUTE;
    let seconds = u64::try_from((nanos - rest) / SECOND).unwrap_or(u64::MAX);
    let minutes = humantime::format_duration(Duration::from_secs(seconds));
    if rest == 0 { minutes.to_string() } else { format!("{minutes} {}s", decimal(rest, SECOND)) }
}

/// The size of the last digit shown, in nanoseconds.
fn step(nanos: u128) -> u128 {
    let figures = match nanos {
        DAY.. => return HOUR,
        HOUR.. => return MINUTE,
        SECOND.. => 4,
        _ => 3,
    };
    let digits = nanos.checked_ilog10().unwrap_or(0) + 1;
    10_u128.pow(digits.saturating_sub(figures))
}

fn round_to(nanos: u128, step: u128, rounding: Rounding) -> u128 {
    match rounding {
        Rounding::Nearest => (nanos + step / 2) / step * step,
        Rounding::Down => nanos / step * step,
        Rounding::Up => nanos.div_ceil(step) * step,
    }
}

/// Nanoseconds in the largest unit up to seconds that they reach, without zeros at the end.
fn in_unit(nanos: u128) -> String {
    let (size, unit) = match nanos {
        SECOND.. => (SECOND, "s"),
        MILLISECOND.. => (MILLISECOND, "ms"),
        MICROSECOND.. => (MICROSECOND, "µs"),
        1.. => (1, "ns"),
        0 => return "0 s".to_string(),
    };
    format!("{} {unit}", decimal(nanos, size))
}

/// Nanoseconds in a unit of this size: `2.625`.
fn decimal(nanos: u128, size: u128) -> String {
    let (whole, rest) = (nanos / size, nanos % size);
    if rest == 0 {
        return whole.to_string();
    }
    let digits = size.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// A duration to the microsecond, for comparing it with a limit: `200.001 ms`, `1.0004 s`, `20m 0.5s`.
pub fn exact_duration(value: Duration) -> String {
    shown(round_to(value.as_nanos(), MICROSECOND, Rounding::Nearest))
}

/// A number with three significant figures and at most three decimals: `0.214`, `12.3`, `12034`.
pub fn significant(value: f64) -> String {
    let decimals = match value {
        ..0.9995 => 3,
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// An RTT in milliseconds, as all RTTs of a report are shown: `0.214 ms`, `46.0 ms`, `1830 ms`.
pub fn rtt(value: Duration) -> String {
    format!("{} ms", significant(value.as_secs_f64() * 1e3))
}

/// A frequency in events per second: `12.3 per second`.
pub fn rate(per_second: f64) -> String {
    format!("{} per second", without_zeros(&significant(per_second)))
}

/// A fraction (0 to 1) as a percentage with three significant figures: `0.833 %`, `33.3 %`. Only zero is shown as
/// `0 %`, and only the whole as `100 %`.
pub fn percent(fraction: f64) -> String {
    match fraction {
        0.0 => "0 %".to_string(),
        ..0.000_005 => "<0.001 %".to_string(),
        0.9995..1.0 => ">99.9 %".to_string(),
        _ => format!("{} %", without_zeros(&significant(fraction * 100.0))),
    }
}

/// A fraction (0 to 1) as a percentage with three decimals, for comparing it with a limit: `2.505 %`.
pub fn exact_percent(fraction: f64) -> String {
    format!("{} %", without_zeros(&format!("{:.3}", fraction * 100.0)))
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

/// A number of things: `1 pong`, `2 pongs`.
pub fn counted(number: impl Into<u64>, thing: &str) -> String {
    let number = number.into();
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A list in words: `a`, `a and b`, `a, b and c`.
pub fn list(items: &[impl AsRef<str>]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_string(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

/// Binary units of sizes, the largest first.
const SIZE_UNITS: &[(u64, &str)] = &[
    (1 << 60, "EiB"),
    (1 << 50, "PiB"),
    (1 << 40, "TiB"),
    (1 << 30, "GiB"),
    (1 << 20, "MiB"),
    (1 << 10, "KiB"),
];

/// A number of bytes, exactly, in the largest unit that divides it: `4 EiB`, `16 MiB`, `64 KiB`, `1025 bytes`.
pub fn size(bytes: u64) -> String {
    let unit = SIZE_UNITS.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match unit {
        Some((unit, name)) => format!("{} {name}", bytes / unit),
        None => counted(bytes, "byte"),
    }
}

/// The longest name of a variant that is put in words.
const MAX_VARIANT_NAME: usize = 80;

/// The name of an enum's variant in words, without its fields: `NoCertificateRequestSignatureSchemes` is `no certificate
/// request signature schemes`.
pub fn variant_words(value: &impl Debug) -> String {
    let text = format!("{value:?}");
    let is_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let name: Vec<char> = text.chars().take(MAX_VARIANT_NAME).take_while(is_name).collect();
    let mut words = String::with_capacity(name.len() + 8);
    for (at, letter) in name.iter().enumerate() {
        if begins_word(&name, at) && !words.is_empty() {
            words.push(' ');
        }
        words.push(if *letter == '_' { ' ' } else { letter.to_ascii_lowercase() });
    }
    words
}

/// A capital begins a word when a small letter is before it, or behind it in a row of capitals.
fn begins_word(name: &[char], at: usize) -> bool {
    let is = |at: usize, test: fn(&char) -> bool| name.get(at).is_some_and(test);
    let after_small = at > 0 && is(at - 1, |c| !c.is_ascii_uppercase() && *c != '_');
    let before_small = is(at + 1, char::is_ascii_lowercase);
    is(at, char::is_ascii_uppercase) && (after_small || before_small)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_of_three_has_a_comma() {
        assert_eq!(list(&[] as &[&str]), "");
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b"]), "a and b");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn sizes_are_exact() {
        let mib = 1024 * 1024;
        let shown = [0, 1, 1025, 2048, 1_048_577, 16 * mib].map(size);
        assert_eq!(shown, ["0 bytes", "1 byte", "1025 bytes", "2 KiB", "1048577 bytes", "16 MiB"]);
        assert_eq!([1024 * mib, 1025 * mib, 1 << 62].map(size), ["1 GiB", "1025 MiB", "4 EiB"]);
    }

    fn nanos(nanos: u64) -> Duration {
        Duration::from_nanos(nanos)
    }

    #[test]
    fn the_unit_suits_the_size() {
        let shown =
            [0, 850, 214_300, 1_530_000, 1_000_000, 20_000_000, 402_400_000].map(|n| duration(nanos(n)));
        assert_eq!(shown, ["0 s", "850 ns", "214 µs", "1.53 ms", "1 ms", "20 ms", "402 ms"]);
        let shown =
            [2_625_400_000, 54_012_000_000, 90_000_000_000, 350_240_000_000].map(|n| duration(nanos(n)));
        assert_eq!(shown, ["2.625 s", "54.01 s", "90 s", "5m 50.2s"]);
    }

    #[test]
    fn rounding_up_to_the_next_unit_changes_the_unit() {
        let shown = [999_600, 999_700_000, 9_999_600_000, 3_599_900_000_000].map(|n| duration(nanos(n)));
        assert_eq!(shown, ["1 ms", "1 s", "10 s", "1h"]);
    }

    #[test]
    fn two_minutes_and_more_are_shown_in_minutes() {
        let shown = [60, 119, 120, 125, 300, 350, 1_230].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(shown, ["60 s", "119 s", "2m", "2m 5s", "5m", "5m 50s", "20m 30s"]);
        assert_eq!(duration(nanos(300_001_000_000)), "5m");
        let (below, above) = (nanos(299_980_000_000), nanos(300_020_000_000));
        assert_eq!([at_least(below), at_most(above)], ["4m 59.9s", "5m 0.1s"]);
    }

    #[test]
    fn hours_and_days_have_two_parts() {
        let shown = [3_600, 7_500, 7_550, 86_399, 90_000, 266_500].map(|s| duration(Duration::from_secs(s)));
        assert_eq!(shown, ["1h", "2h 5m", "2h 6m", "1day", "1day 1h", "3days 2h"]);
    }

    #[test]
    fn an_end_of_a_bracket_is_rounded_outwards() {
        let (short, long) = (nanos(2_968_999_999), nanos(3_000_000_001));
        assert_eq!((at_least(short), at_most(long)), ("2.968 s".into(), "3.001 s".into()));
        assert_eq!(
            (at_least(nanos(3_000_000_000)), at_most(nanos(3_000_000_000))),
            ("3 s".into(), "3 s".into())
        );
        assert_eq!(
            (at_least(nanos(54_019_000_000)), at_most(nanos(54_011_000_000))),
            ("54.01 s".into(), "54.02 s".into())
        );
        assert_eq!(
            (at_least(nanos(999_999_999)), at_most(nanos(999_000_001))),
            ("999 ms".into(), "1 s".into())
        );
        assert_eq!(
            (at_least(Duration::from_secs(7_559)), at_most(Duration::from_secs(7_501))),
            ("2h 5m".into(), "2h 6m".into())
        );
    }

    #[test]
    fn the_longest_duration_is_shown() {
        assert!([duration(Duration::MAX), at_most(Duration::MAX)].iter().all(|shown| shown.contains("year")));
    }

    #[test]
    fn limits_are_shown_to_the_microsecond() {
        assert_eq!(exact_duration(Duration::from_micros(200_001)), "200.001 ms");
        assert_eq!(exact_duration(Duration::from_micros(1_000_400)), "1.0004 s");
        let shown = [100, 300, 1_200, 5_400].map(|s| exact_duration(Duration::from_secs(s)));
        assert_eq!(shown, ["100 s", "5m", "20m", "1h 30m"]);
        assert_eq!(exact_duration(Duration::from_micros(300_000_400)), "5m 0.0004s");
    }

    #[test]
    fn numbers_have_three_significant_figures() {
        let shown = [0.087, 0.9996, 1.0, 9.996, 12.34, 99.96, 123.4, 12_034.21].map(significant);
        assert_eq!(shown, ["0.087", "1.00", "1.00", "10.0", "12.3", "100", "123", "12034"]);
        assert_eq!(
            [41_234.0, 12.34, 0.5].map(rate),
            ["41234 per second", "12.3 per second", "0.5 per second"]
        );
    }

    #[test]
    fn rtts_are_in_milliseconds_with_three_significant_figures() {
        let shown = [87, 214, 1_700, 46_000, 2_504_000, 12_034_210].map(|us| rtt(Duration::from_micros(us)));
        assert_eq!(shown, ["0.087 ms", "0.214 ms", "1.70 ms", "46.0 ms", "2504 ms", "12034 ms"]);
    }

    #[test]
    fn percentages_never_round_some_to_none_or_all() {
        let shown = [0.0, 1.0 / 3.0, 1.0, 1.0 / 120.0, 1e-6, 0.99999].map(percent);
        assert_eq!(shown, ["0 %", "33.3 %", "100 %", "0.833 %", "<0.001 %", ">99.9 %"]);
        assert_eq!([0.025, 0.0, 1.0, 0.05001].map(exact_percent), ["2.5 %", "0 %", "100 %", "5.001 %"]);
    }

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!((counted(1_u64, "pong"), counted(0_u64, "pong")), ("1 pong".into(), "0 pongs".into()));
    }
}
