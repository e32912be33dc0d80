//! Parsers of fault values.

use std::fmt;
use std::time::Duration;

use rand::{Rng, RngExt};

use crate::domain::connection::http2::Http2Code;
use crate::domain::duration::parse_duration;

/// A duration above zero.
pub fn period(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        Duration::ZERO => Err(format!("'{text}' must be above zero")),
        period => Ok(period),
    }
}

/// The largest window of HTTP/2, in bytes (RFC 9113 section 6.9.1).
pub const MAX_WINDOW: u32 = i32::MAX as u32;

/// A window of HTTP/2, in bytes.
pub fn window(text: &str) -> Result<u32, String> {
    let size = text.parse().ok().filter(|size| *size <= MAX_WINDOW);
    size.ok_or_else(|| format!("'{text}' is not a window: write a number of bytes, at most {MAX_WINDOW}"))
}

/// An error code of HTTP/2: a name of RFC 9113 section 7 in any case, or a number.
pub fn http2_code(text: &str) -> Result<Http2Code, String> {
    let mut named = (0..).map(Http2Code).map_while(|code| Some((code, code.name()?)));
    let named = named.find(|(_, name)| name.eq_ignore_ascii_case(text)).map(|(code, _)| code);
    named.or_else(|| text.parse().ok().map(Http2Code)).ok_or_else(|| {
        format!("'{text}' is not an error code of HTTP/2: write a name such as PROTOCOL_ERROR, or a number")
    })
}

/// A count of at least `min`.
pub fn count(text: &str, min: u32) -> Result<u32, String> {
    match text.parse() {
        Ok(count) if count >= min => Ok(count),
        _ => Err(format!("'{text}' is not a count: write a whole number of at least {min}")),
    }
}

/// A duration, or a range `LO..HI` from which each connection draws its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DurationRange {
    pub lo: Duration,
    pub hi: Duration,
}

impl DurationRange {
    pub fn parse(text: &str) -> Result<DurationRange, String> {
        let (lo, hi) = text.split_once("..").unwrap_or((text, text));
        let (lo, hi) = (period(lo)?, period(hi)?);
        if lo > hi {
            return Err(format!("'{text}' is not a range: its end is below its start"));
        }
        Ok(DurationRange { lo, hi })
    }

    /// Draws uniformly from the range.
    pub fn draw(self, rng: &mut impl Rng) -> Duration {
        rng.random_range(self.lo..=self.hi)
    }
}

impl fmt::Display for DurationRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lo == self.hi {
            write!(f, "{:?}", self.lo)
        } else {
            write!(f, "{:?}..{:?}", self.lo, self.hi)
        }
    }
}

/// Distribution of random delays, all at least 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JitterShape {
    /// Uniform from 0 to the scale.
    Uniform,
    /// Absolute value of a normal variable whose standard deviation is the scale.
    HalfNormal,
    /// Exponential with the scale as mean.
    Exponential,
}

/// A random delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JitterSpec {
    pub shape: JitterShape,
    pub scale: Duration,
}

impl JitterSpec {
    /// Parses `20ms` (uniform), `normal:20ms` or `exponential:20ms`.
    pub fn parse(text: &str) -> Result<JitterSpec, String> {
        let (shape, scale) = match text.split_once(':') {
            None => (JitterShape::Uniform, text),
            Some(("uniform", scale)) => (JitterShape::Uniform, scale),
            Some(("normal", scale)) => (JitterShape::HalfNormal, scale),
            Some(("exponential", scale)) => (JitterShape::Exponential, scale),
            Some((other, _)) => {
                return Err(format!("'{other}' is not a distribution: uniform, normal or exponential"));
            }
        };
        Ok(JitterSpec { shape, scale: parse_duration(scale)? })
    }

    /// Draws a delay, limited to a hundred scales.
    pub fn draw(self, rng: &mut impl Rng) -> Duration {
        // 1 - [0, 1) excludes zero, so the logarithm is finite.
        let u = 1.0 - rng.random::<f64>();
        let factor = match self.shape {
            JitterShape::Uniform => rng.random::<f64>(),
            JitterShape::HalfNormal => {
                // Box-Muller transform (1958).
                ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * rng.random::<f64>()).cos()).abs()
            }
            JitterShape::Exponential => -u.ln(),
        };
        self.scale.mul_f64(factor.min(100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::SmallRng;

    const N: u32 = 20_000;

    fn mean_in_scales(jitter: &str) -> f64 {
        let mut rng = SmallRng::seed_from_u64(1);
        let jitter = JitterSpec::parse(jitter).unwrap();
        let sum: Duration = (0..N).map(|_| jitter.draw(&mut rng)).sum();
        sum.as_secs_f64() / f64::from(N) / jitter.scale.as_secs_f64()
    }

    #[test]
    fn each_distribution_has_its_mean() {
        assert!((mean_in_scales("20ms") - 0.5).abs() < 0.02);
        // sqrt(2/pi), the mean of the half-normal distribution.
        assert!((mean_in_scales("normal:20ms") - 0.797_885).abs() < 0.02);
        assert!((mean_in_scales("exponential:20ms") - 1.0).abs() < 0.03);
    }

    #[test]
    fn uniform_jitter_stays_within_its_scale() {
        let mut rng = SmallRng::seed_from_u64(7);
        let jitter = JitterSpec::parse("uniform:20ms").unwrap();
        assert!((0..N).all(|_| jitter.draw(&mut rng) <= Duration::from_millis(20)));
    }

    #[test]
    fn range_is_drawn_evenly_including_its_ends() {
        let mut rng = SmallRng::seed_from_u64(7);
        let span = DurationRange::parse("5s..8s").unwrap();
        let drawn: Vec<Duration> = (0..N).map(|_| span.draw(&mut rng)).collect();
        assert!(drawn.iter().all(|d| (span.lo..=span.hi).contains(d)));
        let mean = drawn.iter().sum::<Duration>() / N;
        assert!((mean.as_secs_f64() - 6.5).abs() < 0.03);
    }

    #[test]
    fn http2_codes_have_names_and_numbers() {
        assert_eq!(http2_code("PROTOCOL_ERROR"), Ok(Http2Code(1)));
        assert_eq!(http2_code("refused_stream"), Ok(Http2Code(7)));
        assert_eq!(http2_code("4294967295"), Ok(Http2Code(u32::MAX)));
        assert!(http2_code("error code 77").is_err() && http2_code("4294967296").is_err());
        assert!(window("2147483647").is_ok() && window("2147483648").is_err() && window("-1").is_err());
    }

    #[test]
    fn invalid_values_are_refused() {
        assert!(period("0").is_err() && count("0", 1).is_err() && count("x", 0).is_err());
        assert!(DurationRange::parse("8s..5s").is_err() && DurationRange::parse("0..5s").is_err());
        assert!(JitterSpec::parse("cauchy:1s").is_err());
    }
}
