//! The outages of a connection, read back.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;

use super::fields::{Count, Millis, Named, Text};
use crate::domain::ping::outages::{Outage, OutageCause, Outages};

/// The outages of a connection.
#[derive(Debug, Deserialize)]
pub struct OutagesRead {
    count: Count,
    total_ms: Millis,
    longest_ms: Millis,
    observed_ms: Millis,
    latest: Vec<OutageRead>,
}

#[derive(Debug, Deserialize)]
struct OutageRead {
    from_ms: Millis,
    length_ms: Option<Millis>,
    cause: Named<OutageCause>,
    detail: Text,
    failed_attempts: u32,
    last_error: Option<Text>,
    uncertain_ms: Millis,
}

impl From<OutagesRead> for Outages {
    fn from(read: OutagesRead) -> Outages {
        let latest: VecDeque<Outage> = read.latest.into_iter().map(Outage::from).collect();
        let lasting = latest.back().filter(|outage| outage.until.is_none());
        let so_far = lasting.map_or(Duration::ZERO, |outage| read.observed_ms.0.saturating_sub(outage.from));
        let ended = latest.iter().filter_map(Outage::length).max().unwrap_or_default();
        Outages {
            count: read.count.0,
            ended_total: read.total_ms.0.saturating_sub(so_far),
            // That of an outage which is no longer listed, unless the current one is longer.
            ended_longest: if so_far < read.longest_ms.0 { read.longest_ms.0 } else { ended },
            observed: read.observed_ms.0,
            latest,
        }
    }
}

impl From<OutageRead> for Outage {
    fn from(read: OutageRead) -> Outage {
        Outage {
            from: read.from_ms.0,
            until: read.length_ms.map(|length| read.from_ms.0.saturating_add(length.0)),
            cause: read.cause.0,
            detail: read.detail.0,
            failed_attempts: read.failed_attempts,
            last_error: read.last_error.map(|error| error.0),
            uncertain: read.uncertain_ms.0,
        }
    }
}
