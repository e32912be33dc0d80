//! The figures of heartbeats.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::fields::{Count, FieldError, MAX_NANOS, Millis, Named};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{KindReport, MergeableRtts};
use crate::domain::stats::{
    Counts, Differences, JitterSummary, LagSummary, MomentFigures, RttSummary, Rtts, TICK_NANOS,
};
use crate::output::json::HISTOGRAM_FORM;

/// The figures by kind of heartbeat.
#[derive(Debug, Deserialize)]
pub struct ByKind {
    protocol: Option<Heartbeats>,
    app: Option<Heartbeats>,
}

#[derive(Debug, Deserialize)]
struct Heartbeats {
    status: Named<Status>,
    ok: Count,
    late: Count,
    superseded: Count,
    missed: Count,
    missed_later_answered: Count,
    missed_acknowledged: Count,
    missed_unacknowledged: Count,
    longest_miss_run: u32,
    missed_at_end: Count,
    unsent: Count,
    in_flight: Count,
    unsolicited: Count,
    mismatched: Count,
    duplicate: Count,
    ambiguous: Count,
    #[serde(default)]
    extra: Count,
    rtt: Option<Rtt>,
    jitter: Jitter,
    rtt_histogram: Option<Histogram>,
    unrounded: Option<Unrounded>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Rtt {
    count: Count,
    min_ms: Millis,
    mean_ms: Millis,
    p50_ms: Millis,
    p90_ms: Millis,
    p95_ms: Millis,
    p99_ms: Millis,
    max_ms: Millis,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Jitter {
    stddev_ms: Option<Millis>,
    rfc3550_ms: Option<Millis>,
    ipdv_mean_ms: Option<Millis>,
}

#[derive(Debug, Deserialize)]
struct Histogram {
    form: String,
    unit_ns: u64,
    data: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Unrounded {
    min_ns: u64,
    mean_ns: f64,
    max_ns: u64,
    stddev_ns: f64,
    differences: Count,
    ipdv_mean_ns: f64,
    rfc3550_ns: f64,
}

/// How late a host was.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Lag {
    p50_ms: Millis,
    p99_ms: Millis,
    max_ms: Millis,
}

impl From<Lag> for LagSummary {
    fn from(lag: Lag) -> LagSummary {
        LagSummary { p50: lag.p50_ms.0, p99: lag.p99_ms.0, max: lag.max_ms.0 }
    }
}

/// This host's lag, and what its timestamps leave out.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct HostLag {
    p50_ms: Millis,
    p99_ms: Millis,
    max_ms: Millis,
    pub to_wire: Option<Lag>,
    pub from_wire: Option<Lag>,
}

impl From<HostLag> for LagSummary {
    fn from(lag: HostLag) -> LagSummary {
        Lag { p50_ms: lag.p50_ms, p99_ms: lag.p99_ms, max_ms: lag.max_ms }.into()
    }
}

impl ByKind {
    /// The figures of single connections, whose RTTs are not merged.
    pub fn of_connection(self) -> Vec<KindReport> {
        self.each().map(|(kind, figures)| figures.report(kind)).collect()
    }

    /// The figures of a target or of the run, with all RTTs.
    pub fn with_rtts(self) -> Result<Vec<KindReport>, FieldError> {
        let whole = |(kind, figures): (HeartbeatKind, Heartbeats)| {
            let pooled = figures.pooled().map_err(|error| error.within(&format!("heartbeats.{kind}")))?;
            let Some(pooled) = pooled else { return Ok(figures.report(kind)) };
            Ok(KindReport {
                rtt: pooled.rtts.summary(),
                jitter: JitterSummary::new(pooled.rtts.moments(), &pooled.differences),
                histogram: pooled.rtts.bars(),
                pooled: Some(Arc::new(pooled)),
                ..figures.report(kind)
            })
        };
        self.each().map(whole).collect()
    }

    fn each(self) -> impl Iterator<Item = (HeartbeatKind, Heartbeats)> {
        let kinds = [(HeartbeatKind::Protocol, self.protocol), (HeartbeatKind::App, self.app)];
        kinds.into_iter().filter_map(|(kind, figures)| Some((kind, figures?)))
    }
}

impl Heartbeats {
    fn counts(&self) -> Counts {
        Counts {
            ok: self.ok.0,
            late: self.late.0,
            superseded: self.superseded.0,
            missed: self.missed.0,
            missed_acked: self.missed_acknowledged.0,
            missed_unacked: self.missed_unacknowledged.0,
            missed_later_answered: self.missed_later_answered.0,
            unsent: self.unsent.0,
            in_flight: self.in_flight.0,
            unsolicited: self.unsolicited.0,
            mismatched: self.mismatched.0,
            duplicate: self.duplicate.0,
            ambiguous: self.ambiguous.0,
            extra: self.extra.0,
        }
    }

    fn report(&self, kind: HeartbeatKind) -> KindReport {
        let Jitter { stddev_ms, rfc3550_ms, ipdv_mean_ms } = self.jitter;
        KindReport {
            kind,
            status: self.status.0,
            counts: self.counts(),
            longest_miss_run: self.longest_miss_run,
            missed_at_end: self.missed_at_end.0,
            rtt: self.rtt.map(RttSummary::from),
            jitter: JitterSummary {
                stddev: stddev_ms.map(|ms| ms.0),
                rfc3550: rfc3550_ms.map(|ms| ms.0),
                ipdv_mean: ipdv_mean_ms.map(|ms| ms.0),
            },
            histogram: Vec::new(),
            pooled: None,
        }
    }

    /// All RTTs; the counts, the histogram and the figures must be of the same heartbeats.
    fn pooled(&self) -> Result<Option<MergeableRtts>, FieldError> {
        let answered = self.counts().answered();
        let (Some(histogram), Some(figures)) = (&self.rtt_histogram, self.unrounded) else {
            let why = "it is missing, although heartbeats were answered";
            return if answered == 0 { Ok(None) } else { Err(FieldError::new("rtt_histogram", why)) };
        };
        if histogram.form != HISTOGRAM_FORM || histogram.unit_ns != TICK_NANOS {
            return Err(FieldError::new("rtt_histogram", "its form or unit is not that of wscheck"));
        }
        if figures.max_ns > MAX_NANOS {
            return Err(FieldError::new("unrounded.max_ns", format!("{} is no RTT", figures.max_ns)));
        }
        let (min, max) = (Duration::from_nanos(figures.min_ns), Duration::from_nanos(figures.max_ns));
        let moments = MomentFigures {
            count: answered,
            mean_nanos: figures.mean_ns,
            stddev_nanos: figures.stddev_ns,
            min,
            max,
        };
        let rtts = Rtts::of_parts(&histogram.data, &moments)
            .map_err(|error| FieldError::new("rtt_histogram", error))?;
        let Unrounded { differences, ipdv_mean_ns, rfc3550_ns, .. } = figures;
        let differences = Differences::of_figures(differences.0, ipdv_mean_ns, rfc3550_ns)
            .ok_or_else(|| FieldError::new("unrounded", "no differences of RTTs have such a mean"))?;
        Ok(Some(MergeableRtts { rtts, differences }))
    }
}

impl From<Rtt> for RttSummary {
    fn from(rtt: Rtt) -> RttSummary {
        RttSummary {
            count: rtt.count.0,
            min: rtt.min_ms.0,
            mean: rtt.mean_ms.0,
            max: rtt.max_ms.0,
            p50: rtt.p50_ms.0,
            p90: rtt.p90_ms.0,
            p95: rtt.p95_ms.0,
            p99: rtt.p99_ms.0,
        }
    }
}
