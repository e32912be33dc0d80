//! Durations as people read them.

use std::time::Duration;

/// A duration in the unit that suits its size, with about three significant figures:
/// `850 ns`, `214 µs`, `1.53 ms`, `12.3 s`, `1m 30s`, `2h 5m`.
pub fn show(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..999_500 => scaled(nanos as f64 / 1e3, "µs"),
        999_500..999_500_000 => scaled(nanos as f64 / 1e6, "ms"),
        999_500_000..60_000_000_000 => scaled(nanos as f64 / 1e9, "s"),
        _ => clock(duration.as_secs()),
    }
}

fn scaled(value: f64, unit: &str) -> String {
    let decimals = match value {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    let text = format!("{value:.decimals$}");
    let text = if decimals > 0 { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

fn clock(seconds: u64) -> String {
    let parts =
        [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown = parts.iter().skip_while(|(n, _)| *n == 0).take(2).filter(|(n, _)| *n > 0);
    shown.map(|(n, unit)| format!("{n}{unit}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_suits_the_size() {
        let shown = |nanos| show(Duration::from_nanos(nanos));
        assert_eq!(shown(0), "0 ns");
        assert_eq!(shown(850), "850 ns");
        assert_eq!(shown(214_300), "214 µs");
        assert_eq!(shown(1_530_000), "1.53 ms");
        assert_eq!(shown(1_000_000), "1 ms");
        assert_eq!(shown(999_600), "1 ms");
        assert_eq!(shown(20_040_000), "20 ms");
        assert_eq!(shown(12_340_000_000), "12.3 s");
        assert_eq!(shown(59_990_000_000), "60 s");
    }

    #[test]
    fn minutes_and_more_are_told_in_two_parts() {
        let shown = |seconds| show(Duration::from_secs(seconds));
        assert_eq!(shown(60), "1m");
        assert_eq!(shown(90), "1m 30s");
        assert_eq!(shown(7500), "2h 5m");
        assert_eq!(shown(90_000), "1d 1h");
    }
}
