//! One unit for all durations of a row, so that they can be compared at a glance.

use std::time::Duration;

use crate::domain::format::significant;

/// The unit in which a line's spans are shown, so that they can be compared at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    Micros,
    Millis,
    Seconds,
}

/// The unit of all RTTs of a report, live lines included, so that they can be compared; see
/// [`format::rtt`](crate::domain::format::rtt).
pub const RTT_UNIT: TimeUnit = TimeUnit::Millis;

/// The shortest time that is shown in seconds.
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
}
