//! How fast a run opens its connections.

use std::str::FromStr;
use std::time::Duration;

use crate::domain::duration::parse_duration;

/// How fast connections are opened: at a rate, or all of them within a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Ramp {
    /// Connections a second; above zero.
    Rate(f64),
    /// The last one opens after this time.
    Over(Duration),
}

impl Ramp {
    /// When to open connection `number` (from 0) of `of`, since the start.
    pub fn delay(self, number: usize, of: usize) -> Duration {
        let spread = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        match self {
            Ramp::Rate(rate) => spread(number as f64 / rate),
            Ramp::Over(whole) => {
                spread(whole.as_secs_f64() * number as f64 / of.saturating_sub(1).max(1) as f64)
            }
        }
    }
}

impl FromStr for Ramp {
    type Err = String;

    /// Parses `500/s`, `0.5/s`, `1000/m`, or a duration such as `20s`.
    fn from_str(text: &str) -> Result<Ramp, String> {
        let refuse = |why: &str| {
            format!("'{text}' is not a ramp: {why}; write 500/s, 1000/m or a duration such as 20s")
        };
        let Some((count, unit)) = text.split_once('/') else {
            return parse_duration(text)
                .map(Ramp::Over)
                .map_err(|_| refuse("it is neither a rate nor a duration"));
        };
        let per_second = match unit.trim() {
            "s" => 1.0,
            "m" => 60.0,
            _ => return Err(refuse("a rate is by the second (/s) or by the minute (/m)")),
        };
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let count =
            Some(count.trim()).filter(|count| is_number(count)).and_then(|count| count.parse::<f64>().ok());
        match count.map(|count| count / per_second) {
            Some(rate) if rate > 0.0 && rate.is_finite() => Ok(Ramp::Rate(rate)),
            _ => Err(refuse("its number must be above zero")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(text: &str) -> Ramp {
        text.parse().unwrap()
    }

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn rate_spaces_any_number_of_openings() {
        for of in [3, 10_000] {
            let delays: Vec<_> = (0..3).map(|number| ramp("500/s").delay(number, of)).collect();
            assert_eq!(delays, [ms(0), ms(2), ms(4)]);
        }
        assert_eq!(ramp("120/m").delay(4, 10), ms(2000));
        assert_eq!(ramp("0.5/s").delay(1, 10), ms(2000));
    }

    #[test]
    fn duration_opens_the_first_at_once_and_the_last_at_its_end() {
        let delays: Vec<_> = (0..5).map(|number| ramp("20s").delay(number, 5)).collect();
        assert_eq!(delays, [ms(0), ms(5000), ms(10_000), ms(15_000), ms(20_000)]);
        assert_eq!(ramp("20s").delay(0, 1), ms(0));
    }

    #[test]
    fn slowest_rate_does_not_panic() {
        assert_eq!(Ramp::Rate(f64::MIN_POSITIVE).delay(usize::MAX, 1), Duration::MAX);
    }

    #[test]
    fn invalid_ramp_is_rejected() {
        for text in ["", "fast", "0/s", "-5/s", "5/h", "nan/s", "inf/s", "1e999/s", "/s", "5/"] {
            let error = text.parse::<Ramp>().unwrap_err();
            assert!(error.starts_with(&format!("'{text}' is not a ramp: ")), "{error}");
        }
    }
}
