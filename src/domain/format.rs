//! Figures as sentences show them.

use std::fmt::Debug;
use std::time::Duration;

/// A duration in the unit that suits its size, with three significant figures, and more where three
/// would round it to a number that limits are made of: `850 ns`, `214 µs`, `1.53 ms`, `1.0004 s`,
/// `12.3 s`, `1m 30s`, `2h 5m`.
pub fn duration(value: Duration) -> String {
    let nanos = value.as_nanos();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => scaled(nanos as f64 / 1e3, "µs"),
        1_000_000..1_000_000_000 => scaled(nanos as f64 / 1e6, "ms"),
        1_000_000_000..60_000_000_000 => scaled(nanos as f64 / 1e9, "s"),
        _ => clock(value.as_secs()),
    }
}

/// `above 1 s` explains nothing beside `1 s`: a last figure of zero gives way to up to three more, until
/// one is not zero.
fn scaled(value: f64, unit: &str) -> String {
    let decimals: usize = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let looks_round = |digits: &usize| format!("{value:.digits$}").ends_with('0');
    let enough = (decimals..decimals + 3).find(|digits| !looks_round(digits)).unwrap_or(decimals + 3);
    format!("{} {unit}", decimal(value, enough))
}

fn clock(seconds: u64) -> String {
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown = parts.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0);
    shown.map(|(n, unit)| format!("{n}{unit}")).collect::<Vec<_>>().join(" ")
}

/// A duration to the microsecond, for comparing it with a limit: `200.001 ms`, `1.0004 s`.
pub fn exact_duration(value: Duration) -> String {
    match value.as_secs() {
        0 => format!("{} ms", decimal(value.as_secs_f64() * 1e3, 3)),
        _ => format!("{} s", decimal(value.as_secs_f64(), 6)),
    }
}

/// A part of the whole (0 to 1) in per cent: `2.5 %`.
pub fn share(part: f64) -> String {
    format!("{} %", decimal(part * 100.0, 3))
}

/// A number of things: `1 pong`, `2 pongs`.
pub fn counted(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// A number of bytes, exactly: `16 MiB`, `64 KiB`, `1025 bytes`.
pub fn size(bytes: u64) -> String {
    const KIB: u64 = 1024;
    const MIB: u64 = 1024 * KIB;
    match bytes {
        MIB.. if bytes.is_multiple_of(MIB) => format!("{} MiB", bytes / MIB),
        KIB.. if bytes.is_multiple_of(KIB) => format!("{} KiB", bytes / KIB),
        _ => counted(bytes, "byte"),
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

/// So many decimals at most, without zeros at the end.
fn decimal(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        let mib = 1024 * 1024;
        let shown = [1, 1025, 2048, 1_048_577, 16 * mib].map(size);
        assert_eq!(shown, ["1 byte", "1025 bytes", "2 KiB", "1048577 bytes", "16 MiB"]);
    }

    #[test]
    fn the_unit_suits_the_size() {
        let shown = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(shown(0), "0 ns");
        assert_eq!(shown(850), "850 ns");
        assert_eq!(shown(214_300), "214 µs");
        assert_eq!(shown(1_530_000), "1.53 ms");
        assert_eq!(shown(1_000_000), "1 ms");
        assert_eq!(shown(20_000_000), "20 ms");
        assert_eq!(shown(12_340_000_000), "12.3 s");
    }

    #[test]
    fn an_excess_is_not_rounded_away_to_the_limit_that_it_exceeds() {
        let shown = |nanos| duration(Duration::from_nanos(nanos));
        assert_eq!(shown(1_000_400_000), "1.0004 s");
        assert_eq!(shown(999_960_000), "999.96 ms");
        assert_eq!(shown(100_040_000), "100.04 ms");
        assert_eq!(shown(150_300_000), "150.3 ms");
        assert_eq!(shown(999_600), "999.6 µs");
        assert_eq!(shown(59_990_000_000), "59.99 s");
        assert_eq!(shown(1_000_000_400), "1 s", "four parts in ten thousand million");
    }

    #[test]
    fn minutes_and_more_are_told_in_two_parts() {
        let shown = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!(shown(60), "1m");
        assert_eq!(shown(90), "1m 30s");
        assert_eq!(shown(7500), "2h 5m");
        assert_eq!(shown(90_000), "1d 1h");
    }

    #[test]
    fn what_is_compared_with_a_limit_is_shown_to_the_microsecond() {
        assert_eq!(exact_duration(Duration::from_micros(200_001)), "200.001 ms");
        assert_eq!(exact_duration(Duration::from_micros(1_000_400)), "1.0004 s");
        assert_eq!(exact_duration(Duration::from_secs(100)), "100 s");
    }

    #[test]
    fn a_share_is_in_per_cent() {
        assert_eq!((share(0.025), share(0.0), share(1.0)), ("2.5 %".into(), "0 %".into(), "100 %".into()));
    }

    #[test]
    fn one_thing_has_no_plural() {
        assert_eq!((counted(1, "pong"), counted(0, "pong")), ("1 pong".into(), "0 pongs".into()));
    }
}
