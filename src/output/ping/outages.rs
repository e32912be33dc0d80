//! The outages of a connection, in JSON and as a table.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use crate::domain::format::{self, counted};
use crate::domain::ping::outages::{Outage, OutageCause, Outages};
use crate::domain::ping::regular_outages::{RegularEnds, regular_ends};
use crate::domain::ping::report::PingReport;
use crate::domain::stats::interval::Interval;
use crate::output::json::{Count, Ms, Name, Text, document, ms};
use crate::output::server_events::IntervalDocument;
use crate::output::view::Table;

document! {
    /// When the other end of a connection was away.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Outages"))]
    pub struct OutagesDocument from outages: &Outages {
        count: Count = outages.count,
        /// The time away, an outage that lasts included.
        total_ms: Ms = outages.total(),
        longest_ms: Ms = outages.longest(),
        /// The part of the run in which the other end was not away, from 0 to 1; null if nothing was observed.
        availability: Option<f64> = outages.availability(),
        /// Mean time between failures: the time up by the number of outages; null without one.
        mean_time_between_ms: Option<Ms> = ms(outages.mean_time_between()),
        observed_ms: Ms = outages.observed,
        /// What is regular about the latest ends; null if nothing is, or they are too few to tell.
        #[serde(skip_deserializing)]
        #[cfg_attr(test, schemars(!skip_deserializing))]
        regular_ends: Option<RegularEndsDocument> = regular_ends(outages).map(RegularEndsDocument::from),
        /// The latest 100, in order.
        latest: Vec<OutageDocument> = outages.latest.iter().map(OutageDocument::from).collect::<Vec<_>>(),
    }
}

document! {
    /// What is regular about the ends of a connection. Both, where it was back at once each time.
    #[cfg_attr(test, schemars(rename = "RegularEnds"))]
    struct RegularEndsDocument from ends: RegularEnds {
        /// The time up before each end; null if that is not regular.
        up: Option<IntervalDocument> = ends.up.map(Into::into),
        /// The time from one end to the next; null if that is not regular.
        between: Option<IntervalDocument> = ends.apart.map(Into::into),
    }
}

document! {
    /// From the last proof of life to the first answer after it.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Outage"))]
    struct OutageDocument from outage: &Outage {
        /// Since the start of the run.
        from_ms: Ms = outage.from,
        /// Null while it lasts.
        length_ms: Option<Ms> = ms(outage.length()),
        cause: Name<OutageCause> = outage.cause,
        /// How the connection ended, what TCP knew, or why it did not open.
        detail: Text = (&outage.detail),
        /// Attempts to open that failed in it.
        failed_attempts: u32 = outage.failed_attempts,
        /// Why the last of them failed; null if none did.
        last_error: Option<Text> = outage.last_error.as_ref().map(Into::into),
        /// Our own pause before the attempt that succeeded: the other end may have been back already.
        uncertain_ms: Ms = outage.uncertain,
    }
}

impl From<OutagesDocument> for Outages {
    fn from(read: OutagesDocument) -> Outages {
        let (longest, observed) = (Duration::from(read.longest_ms), Duration::from(read.observed_ms));
        let latest: VecDeque<Outage> = read.latest.into_iter().map(Outage::from).collect();
        let lasting = latest.back().filter(|outage| outage.until.is_none());
        let so_far = lasting.map_or(Duration::ZERO, |outage| observed.saturating_sub(outage.from));
        let ended = latest.iter().filter_map(Outage::length).max().unwrap_or_default();
        Outages {
            count: read.count.0,
            ended_total: Duration::from(read.total_ms).saturating_sub(so_far),
            // That of an outage which is no longer listed, unless the current one is longer.
            ended_longest: if so_far < longest { longest } else { ended },
            observed,
            latest,
        }
    }
}

impl From<OutageDocument> for Outage {
    fn from(read: OutageDocument) -> Outage {
        let from = Duration::from(read.from_ms);
        Outage {
            from,
            until: read.length_ms.map(|length| from.saturating_add(length.into())),
            cause: read.cause.0,
            detail: read.detail.into(),
            failed_attempts: read.failed_attempts,
            last_error: read.last_error.map(Into::into),
            uncertain: read.uncertain_ms.into(),
        }
    }
}

/// The most outages that the table lists.
const MAX_ROWS: usize = 20;

/// The latest outages of a run's connections; `None` without one.
pub fn table(report: &PingReport) -> Option<Table> {
    let has_several = report.connection_count() > 1;
    let all = report.targets.iter().flat_map(|target| {
        target.connections.iter().map(move |connection| (target.url.as_str(), connection))
    });
    let mut each: Vec<(&str, usize, &Outage)> = all
        .flat_map(|(url, connection)| {
            connection.outages.latest.iter().map(move |outage| (url, connection.index, outage))
        })
        .collect();
    if !each.iter().any(|(_, _, outage)| is_told(outage)) {
        return None;
    }
    each.sort_by_key(|(_, _, outage)| outage.from);
    let left_out = each.len().saturating_sub(MAX_ROWS);
    let rows = each.iter().skip(left_out).map(|(url, index, outage)| {
        let whose = if has_several { format!("{url} #{index}") } else { String::new() };
        row(report.started_at, whose, outage)
    });
    let mut table =
        Table::of_texts("outages", ["from (UTC)", "lasted", "of which back-off", "cause", "of"], rows);
    if !has_several {
        table.columns.pop();
        table.rows.iter_mut().for_each(|row| {
            row.pop();
        });
    }
    table.note = (left_out > 0).then(|| format!("{} before these", counted(left_out as u64, "more outage")));
    Some(table)
}

/// An end that nothing followed, and an opening that failed once, are told elsewhere.
fn is_told(outage: &Outage) -> bool {
    outage.until.is_some() || outage.failed_attempts > 1
}

fn row(started_at: SystemTime, whose: String, outage: &Outage) -> [String; 5] {
    let pause = outage.uncertain;
    [
        clock(started_at, outage.from),
        outage.length().map_or_else(|| "until the end".to_string(), format::duration),
        if pause.is_zero() { "-".to_string() } else { format!("up to {}", format::duration(pause)) },
        cause(outage),
        whose,
    ]
}

/// The time of day in UTC, with its date.
pub fn clock(started_at: SystemTime, from: Duration) -> String {
    let at = started_at.checked_add(from).and_then(|at| jiff::Timestamp::try_from(at).ok());
    at.map(|at| at.strftime("%F %H:%M:%S").to_string()).unwrap_or_default()
}

/// Why it was an outage: how it began, and what failed in it.
pub fn cause(outage: &Outage) -> String {
    let what = match outage.cause {
        OutageCause::Ended | OutageCause::Unanswered => outage.detail.clone(),
        OutageCause::NotOpened => format!("did not open: {}", outage.detail),
    };
    let attempts = match (&outage.last_error, outage.cause) {
        (Some(error), OutageCause::Ended | OutageCause::Unanswered) => {
            format!("; then {}: {error}", counted(outage.failed_attempts, "failed attempt"))
        }
        (Some(_), OutageCause::NotOpened) => {
            format!(" ({})", counted(outage.failed_attempts, "failed attempt"))
        }
        (None, _) => String::new(),
    };
    format!("{what}{attempts}")
}

/// What is regular about the ends of a connection, and what that is consistent with; `None` if nothing is.
pub fn regularity(outages: &Outages) -> Option<String> {
    let RegularEnds { up, apart } = regular_ends(outages)?;
    let times = up.or(apart).map(|interval| interval.gaps + 1).unwrap_or_default() as u64;
    let ends = counted(times, "end");
    let span = |interval: Interval| format::duration(interval.median);
    Some(match (up.map(span), apart.map(span)) {
        (Some(up), None) => format!("the last {ends} came after about {up} up each: {AGE}"),
        (None, apart) => {
            format!("the last {ends} came about every {}: {SCHEDULE}", apart.unwrap_or_default())
        }
        (Some(up), Some(apart)) => {
            format!("the last {ends} came after about {up} up, and about every {apart}: {AGE}; or {SCHEDULE}")
        }
    })
}

const AGE: &str = "consistent with a limit on the age of connections, or with a timer that these heartbeats do not reset \
                   (wscheck probe-idle tells which)";
const SCHEDULE: &str = "consistent with something that happens on a schedule, such as a restart";

/// What a run's outages come to; `None` without one.
pub fn summary(outages: &Outages) -> Option<String> {
    let availability = outages.availability().filter(|_| outages.latest.iter().any(is_told))?;
    let longest = format::duration(outages.longest());
    let up = outages.mean_time_between().map(format::duration).unwrap_or_default();
    Some(format!(
        "{} of the time: {}, the longest {longest}; {up} up for each outage (mean)",
        format::exact_percent(availability),
        counted(outages.count, "outage")
    ))
}
