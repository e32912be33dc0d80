//! Numbers for eyes: three significant figures, one unit to a line.

use std::time::Duration;

/// The unit in which a line's spans are shown, so that they can be compared at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    Micros,
    Millis,
    Seconds,
}

/// The least span that is better told in seconds.
const MIN_SHOWN_IN_SECONDS: Duration = Duration::from_secs(10);

impl TimeUnit {
    /// The unit that suits all of these: seconds when none is shorter than ten, so that a second keeps its
    /// milliseconds; microseconds when none reaches a millisecond; milliseconds else.
    pub fn of(spans: impl IntoIterator<Item = Duration>) -> TimeUnit {
        let range = spans.into_iter().fold(None, |range, span| match range {
            None => Some((span, span)),
            Some((low, high)) => Some((span.min(low), span.max(high))),
        });
        match range {
            Some((low, _)) if low >= MIN_SHOWN_IN_SECONDS => TimeUnit::Seconds,
            Some((_, high)) if high < Duration::from_millis(1) && !high.is_zero() => TimeUnit::Micros,
            _ => TimeUnit::Millis,
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            TimeUnit::Micros => "µs",
            TimeUnit::Millis => "ms",
            TimeUnit::Seconds => "s",
        }
    }

    /// The number alone: `0.214`, `12.3`, `12034`.
    pub fn number(self, span: Duration) -> String {
        let scale = match self {
            TimeUnit::Micros => 1e6,
            TimeUnit::Millis => 1e3,
            TimeUnit::Seconds => 1.0,
        };
        significant(span.as_secs_f64() * scale)
    }

    /// Number and unit: `0.214 ms`.
    pub fn span(self, span: Duration) -> String {
        format!("{} {}", self.number(span), self.symbol())
    }
}

/// Three significant figures and at most three decimals; whole digits are never rounded away.
fn significant(value: f64) -> String {
    let decimals = match value {
        v if v < 0.9995 => 3,
        v if v < 9.995 => 2,
        v if v < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

/// A span that somebody set, or that is told roughly, as people say it: `1 s`, `500 ms`, `1m30s`, `2h05m`.
pub fn spoken(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0 if span.is_zero() => "0 s".to_string(),
        0 if span.subsec_millis() == 0 => format!("{} µs", trimmed(span.as_secs_f64() * 1e6)),
        0 => format!("{} ms", trimmed(span.as_secs_f64() * 1e3)),
        1..120 => format!("{} s", trimmed(span.as_secs_f64())),
        120..7200 => two_parts(seconds / 60, "m", seconds % 60, "s"),
        _ => two_parts(seconds / 3600, "h", seconds % 3600 / 60, "m"),
    }
}

/// Shorter spans are told in parts of a millisecond.
const MAX_SHOWN_IN_FRACTIONS: Duration = Duration::from_millis(10);

/// A span that was measured on one connection, to the millisecond, or to three figures where that says too little:
/// `0.05 ms`, `402 ms`, `2.625 s`, `54.01 s`. What is not nothing is never told as nothing.
pub fn precise(span: Duration) -> String {
    if span < MAX_SHOWN_IN_FRACTIONS {
        return match trimmed(span.as_secs_f64() * 1e3) {
            none if none == "0" && !span.is_zero() => "<0.001 ms".to_string(),
            millis => format!("{millis} ms"),
        };
    }
    match (span.as_secs_f64() * 1e3).round() {
        millis if millis < 1000.0 => format!("{millis} ms"),
        millis => {
            let text = format!("{:.3}", millis / 1e3);
            format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
        }
    }
}

/// How often in a second.
pub fn rate(per_second: f64) -> String {
    format!("{} a second", trimmed(per_second))
}

fn trimmed(value: f64) -> String {
    let text = significant(value);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

fn two_parts(high: u64, high_unit: &str, low: u64, low_unit: &str) -> String {
    match low {
        0 => format!("{high}{high_unit}"),
        _ => format!("{high}{high_unit}{low:02}{low_unit}"),
    }
}

/// A fraction as a percentage: `0 %`, `0.833 %`, `33.3 %`. Unknown is `-`. What is not none is never rounded to
/// none, nor what is not all to all.
pub fn percent(fraction: Option<f64>) -> String {
    match fraction {
        None => "-".to_string(),
        Some(0.0) => "0 %".to_string(),
        Some(fraction) if fraction < 0.000_005 => "<0.001 %".to_string(),
        Some(fraction) if (0.9995..1.0).contains(&fraction) => ">99.9 %".to_string(),
        Some(fraction) => format!("{} %", trimmed(fraction * 100.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn us(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn numbers_have_three_significant_figures() {
        let shown = [87, 214, 999, 1_000, 9_996, 12_340, 99_960, 123_400, 12_034_210]
            .map(|micros| TimeUnit::Millis.number(us(micros)));
        assert_eq!(shown, ["0.087", "0.214", "0.999", "1.00", "10.0", "12.3", "100", "123", "12034"]);
    }

    #[test]
    fn a_line_has_the_unit_that_suits_all_of_it() {
        assert_eq!(TimeUnit::of([us(214), us(999)]), TimeUnit::Micros);
        assert_eq!(TimeUnit::of([us(214), us(1_000)]), TimeUnit::Millis);
        assert_eq!(TimeUnit::of([us(214), us(12_000_000)]), TimeUnit::Millis);
        assert_eq!(TimeUnit::of([us(1_001_000), us(12_000_000)]), TimeUnit::Millis);
        assert_eq!(TimeUnit::of([us(10_000_000), us(12_000_000)]), TimeUnit::Seconds);
        assert_eq!(TimeUnit::of([]), TimeUnit::Millis);
    }

    #[test]
    fn a_setting_is_shown_as_people_say_it() {
        let shown = [us(500), us(1_500), us(100_000), us(1_000_000), us(2_500_000)].map(spoken);
        assert_eq!(spoken(us(0)), "0 s");
        assert_eq!(shown, ["500 µs", "1.5 ms", "100 ms", "1 s", "2.5 s"]);
        assert_eq!(
            [90, 130, 180, 7_500].map(|s| spoken(Duration::from_secs(s))),
            ["90 s", "2m10s", "3m", "2h05m"]
        );
    }

    #[test]
    fn a_measured_span_is_told_to_the_millisecond() {
        let shown = [us(402_400), us(999_700), us(2_625_000), us(54_010_000)].map(precise);
        assert_eq!(shown, ["402 ms", "1 s", "2.625 s", "54.01 s"]);
        assert_eq!(
            [us(50), us(1_420), us(9_996), us(12_400)].map(precise),
            ["0.05 ms", "1.42 ms", "10 ms", "12 ms"]
        );
        assert_eq!([Duration::ZERO, Duration::from_nanos(300)].map(precise), ["0 ms", "<0.001 ms"]);
    }

    #[test]
    fn a_rate_is_told_in_whole_times_or_to_three_figures() {
        assert_eq!([41_234.0, 12.34, 0.5].map(rate), ["41234 a second", "12.3 a second", "0.5 a second"]);
    }

    #[test]
    fn a_loss_is_a_percentage() {
        assert_eq!(percent(Some(0.0)), "0 %");
        assert_eq!(percent(Some(1.0 / 3.0)), "33.3 %");
        assert_eq!(percent(Some(1.0)), "100 %");
        assert_eq!(percent(Some(1.0 / 120.0)), "0.833 %");
        assert_eq!(percent(None), "-");
    }

    #[test]
    fn some_loss_is_never_shown_as_none_nor_as_all() {
        assert_eq!(percent(Some(1e-6)), "<0.001 %");
        assert_eq!(percent(Some(0.99999)), ">99.9 %");
    }
}
