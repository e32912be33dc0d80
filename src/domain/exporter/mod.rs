//! What `wscheck exporter` decides: which targets may be probed, for how long, and which metrics a probe gives.

pub mod allow;
pub mod idle;
pub mod kept;
pub mod live;
pub mod probe;
pub mod reload;

use std::time::Duration;

/// How long before the scraper's timeout a probe must end, so that its answer still arrives.
const SCRAPE_MARGIN: Duration = Duration::from_millis(500);

/// The time limit of a probe: the module's own, but less than the scraper's timeout if it has sent one. A scraper's
/// timeout of less than twice the margin is halved instead.
pub fn probe_timeout(module: Duration, scrape: Option<Duration>) -> Duration {
    let usable = scrape.map(|scrape| scrape.saturating_sub(SCRAPE_MARGIN).max(scrape / 2));
    usable.map_or(module, |usable| usable.min(module))
}

/// The scraper's timeout in seconds, as Prometheus sends it; `None` if it is no positive number.
pub fn parse_scrape_timeout(text: &str) -> Option<Duration> {
    let seconds = text.trim().parse::<f64>().ok().filter(|seconds| *seconds > 0.0)?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_ends_before_the_scrape() {
        let ms = Duration::from_millis;
        for (module, scrape, expected) in [
            (ms(5000), None, ms(5000)),
            (ms(5000), Some(ms(10_000)), ms(5000)),
            (ms(15_000), Some(ms(10_000)), ms(9500)),
            (ms(5000), Some(ms(600)), ms(300)),
        ] {
            assert_eq!(probe_timeout(module, scrape), expected);
        }
    }

    #[test]
    fn scrape_timeout_is_a_positive_number() {
        assert_eq!(parse_scrape_timeout("10"), Some(Duration::from_secs(10)));
        assert_eq!(parse_scrape_timeout("0.25"), Some(Duration::from_millis(250)));
        for text in ["", "0", "-1", "nan", "inf", "1e300", "10s"] {
            assert_eq!(parse_scrape_timeout(text), None, "{text}");
        }
    }
}
