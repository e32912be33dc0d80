//! GOAWAY: the peer of HTTP/2 announces the end of the connection (RFC 9113 section 6.8).

use std::fmt;
use std::time::Duration;

use super::http2::Http2Code;
use super::untrusted_text::UntrustedText;

/// The frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goaway {
    pub code: Http2Code,
    /// The peer does not process streams with a higher number; [`Goaway::NOT_YET_KNOWN`] in a first warning.
    pub last_stream: u32,
    /// The start of its debug data.
    pub debug: UntrustedText,
}

impl Goaway {
    /// The highest number that a stream can have: a GOAWAY with a lower one follows.
    pub const NOT_YET_KNOWN: u32 = 0x7fff_ffff;
}

impl fmt::Display for Goaway {
    /// `GOAWAY NO_ERROR "restart", last stream 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GOAWAY {}", self.code)?;
        if !self.debug.is_empty() {
            write!(f, " \"{}\"", self.debug)?;
        }
        match self.last_stream {
            Goaway::NOT_YET_KNOWN => f.write_str(", last stream not yet known"),
            last => write!(f, ", last stream {last}"),
        }
    }
}

/// A GOAWAY, and how old the WebSocket was, or the connection where no WebSocket is observed by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoawayNotice {
    pub goaway: Goaway,
    pub age: Duration,
}

/// The GOAWAYs that several WebSockets got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GoawaySummary {
    /// The one that came to the youngest.
    pub first: GoawayNotice,
    /// The age of the oldest.
    pub latest: Duration,
    /// How many WebSockets got one.
    pub notified: u64,
    /// How many of these the peer ended with it; `None` if that is not known together.
    pub ended: Option<u64>,
}

impl GoawaySummary {
    /// Of notices, each with how many WebSockets got such a one; `None` without any.
    pub fn of<'a>(
        notices: impl IntoIterator<Item = (&'a GoawayNotice, u64)>,
        ended: Option<u64>,
    ) -> Option<GoawaySummary> {
        notices.into_iter().fold(None, |sum: Option<GoawaySummary>, (notice, count)| {
            let Some(sum) = sum else {
                return Some(GoawaySummary {
                    first: notice.clone(),
                    latest: notice.age,
                    notified: count,
                    ended,
                });
            };
            let is_earlier = notice.age < sum.first.age;
            Some(GoawaySummary {
                latest: sum.latest.max(notice.age),
                notified: sum.notified.saturating_add(count),
                first: if is_earlier { notice.clone() } else { sum.first },
                ..sum
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goaway_shows_its_code_data_and_last_stream() {
        let goaway = |last_stream, debug| Goaway {
            code: Http2Code(0),
            last_stream,
            debug: UntrustedText::from_bytes(debug),
        };
        assert_eq!(goaway(1, b"").to_string(), "GOAWAY NO_ERROR, last stream 1");
        assert_eq!(
            goaway(0x7fff_ffff, b"bye\x1b").to_string(),
            "GOAWAY NO_ERROR \"bye\\u{1b}\", last stream not yet known"
        );
    }

    #[test]
    fn notices_are_summed_by_age() {
        let notice = |code, seconds| GoawayNotice {
            goaway: Goaway { code: Http2Code(code), last_stream: 1, debug: UntrustedText::default() },
            age: Duration::from_secs(seconds),
        };
        let all = [notice(0, 5), notice(11, 2), notice(0, 9)];
        let sum = GoawaySummary::of(all.iter().map(|notice| (notice, 2)), Some(1)).unwrap();
        assert_eq!(sum.first, all[1]);
        assert_eq!((sum.latest, sum.notified, sum.ended), (Duration::from_secs(9), 6, Some(1)));
        assert_eq!(GoawaySummary::of([], None), None);
    }
}
