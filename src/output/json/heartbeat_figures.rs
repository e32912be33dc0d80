//! The figures of heartbeats, in JSON and read back.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::document::document;
use super::names::Name;
use super::values::{Count, FieldError, Ms, ms};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{KindReport, MergeableRtts, StampingReport};
use crate::domain::stats::{
    Counts, Differences, JitterSummary, LagSummary, MomentFigures, RttSummary, Rtts, TICK_NANOS,
};

/// The form of an encoded histogram.
const HISTOGRAM_FORM: &str = "hdrhistogram_v2_deflate_base64";
/// The longest RTT in nanoseconds that can be read: 31 years.
const MAX_NANOS: u64 = 1_000_000_000_000_000_000;

document! {
    /// RTT of the answered heartbeats, including late ones.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Rtt"))]
    pub struct JsonRttDocument from rtt: RttSummary {
        count: Count = rtt.count,
        min_ms: Ms = rtt.min,
        mean_ms: Ms = rtt.mean,
        p50_ms: Ms = rtt.p50,
        p90_ms: Ms = rtt.p90,
        p95_ms: Ms = rtt.p95,
        p99_ms: Ms = rtt.p99,
        max_ms: Ms = rtt.max,
    }
}

document! {
    /// Jitter by three formulas, each null with fewer than two samples.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Jitter"))]
    pub struct JsonJitterDocument from jitter: JitterSummary {
        /// Population standard deviation of the RTT (what ping prints as mdev).
        stddev_ms: Option<Ms> = ms(jitter.stddev),
        /// Jitter by RFC 3550 6.4.1, from successive RTTs in the order of sending.
        rfc3550_ms: Option<Ms> = ms(jitter.rfc3550),
        /// Mean difference of successive RTTs (RFC 5481).
        ipdv_mean_ms: Option<Ms> = ms(jitter.ipdv_mean),
    }
}

document! {
    /// The figures of one kind of heartbeat.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Heartbeats"))]
    pub struct HeartbeatsDocument from report: &KindReport {
        /// Status over the whole run; with several connections, the worst.
        status: Name<Status> = report.status,
        /// Heartbeats that left this machine: ok + late + superseded + missed + in_flight.
        sent: u64 = report.counts.sent(),
        ok: Count = report.counts.ok,
        /// Heartbeats answered after the timeout.
        late: Count = report.counts.late,
        /// No pong of its own; a later ping was answered, and the server may have held both at once (RFC 6455 5.5.3 lets it
        /// answer only the latest).
        superseded: Count = report.counts.superseded,
        /// No reply of its own: nothing came within the timeout, or a later ping was answered although the server had time to
        /// answer this one first.
        missed: Count = report.counts.missed,
        /// Judged heartbeats without a reply of their own: missed + superseded.
        unanswered: u64 = report.counts.unanswered(),
        /// Missed heartbeats for which a later one was answered by then, or an answer without an id came after they were
        /// sent. So the connection was alive, and a reply was dropped.
        missed_later_answered: Count = report.counts.missed_later_answered,
        /// Missed heartbeats that TCP had acknowledged by then: the next TCP hop was alive.
        missed_acknowledged: Count = report.counts.missed_acked,
        /// Missed heartbeats that TCP had not acknowledged: the path is down, or slower than the timeout. For the other
        /// missed ones this is unknown.
        missed_unacknowledged: Count = report.counts.missed_unacked,
        /// Maximum number of heartbeats missed in a row.
        longest_miss_run: u32 = report.longest_miss_run,
        /// Heartbeats missed after the last one that was not.
        missed_at_end: Count = report.missed_at_end,
        /// Heartbeats that never left this machine, because the send buffer was full or the machine was suspended. They
        /// count neither for `sent` nor for `loss`.
        unsent: Count = report.counts.unsent,
        /// Those of `unsent` for which the peer of HTTP/2 granted no room: its flow-control window was exhausted.
        #[serde(default)]
        unsent_window_exhausted: Count = report.counts.unsent_window_exhausted,
        /// Heartbeats that were sent, but not judged before the connection or the run ended.
        in_flight: Count = report.counts.in_flight,
        unsolicited: Count = report.counts.unsolicited,
        mismatched: Count = report.counts.mismatched,
        duplicate: Count = report.counts.duplicate,
        /// Answers without an id that came while several requests were outstanding.
        ambiguous: Count = report.counts.ambiguous,
        /// Heartbeats besides those of the schedule (`watch` sends them after a missed one, while the status is worse than
        /// healthy, and after a change of the network). They count in no other figure.
        #[serde(default)]
        #[cfg_attr(test, schemars(!default))]
        extra: Count = report.counts.extra,
        /// missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
        #[cfg_attr(test, schemars(range(min = 0.0, max = 1.0)))]
        loss: Option<f64> = report.counts.loss(),
        /// Null before the first answer.
        rtt: Option<JsonRttDocument> = report.rtt.map(JsonRttDocument::from),
        jitter: JsonJitterDocument = report.jitter,
        /// All RTTs, to merge and compare runs; null for a single connection of a target, and before the first answer.
        rtt_histogram: Option<EncodedHistogram> =
            report.pooled.as_ref().and_then(|pooled| pooled.rtts.encoded()).map(Into::into),
        /// RTT and jitter unrounded, to merge runs; null where `rtt_histogram` is.
        unrounded: Option<UnroundedFigures> = report.pooled.as_deref().and_then(unrounded),
    }
}

document! {
    /// RTT and jitter in nanoseconds.
    #[derive(Deserialize)]
    struct UnroundedFigures from (figures, differences): (MomentFigures, &Differences) {
        min_ns: u64 = nanos(figures.min),
        mean_ns: f64 = figures.mean_nanos,
        max_ns: u64 = nanos(figures.max),
        /// The population standard deviation.
        stddev_ns: f64 = figures.stddev_nanos,
        /// Number of differences of successive RTTs, each on one connection.
        differences: Count = differences.count(),
        /// Their mean; zero without one.
        ipdv_mean_ns: f64 = differences.ipdv_mean_nanos(),
        /// Jitter by RFC 3550; the largest of all connections.
        rfc3550_ns: f64 = differences.rfc3550_nanos(),
    }
}

fn unrounded(pooled: &MergeableRtts) -> Option<UnroundedFigures> {
    Some((pooled.rtts.moments().figures()?, &pooled.differences).into())
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

document! {
    /// A histogram in the exchange form of HdrHistogram.
    #[derive(Deserialize)]
    struct EncodedHistogram from data: String {
        /// The form of `data`: HdrHistogram V2, deflated, in base64, as in its log files.
        #[cfg_attr(test, schemars(extend("const" = HISTOGRAM_FORM)))]
        form: Cow<'static, str> = HISTOGRAM_FORM,
        /// What one unit of the recorded values is, in nanoseconds.
        unit_ns: u64 = TICK_NANOS,
        data: String = data,
    }
}

document! {
    /// The figures for each kind of heartbeat; null for a kind that was not measured.
    #[derive(Deserialize)]
    pub struct ByKind from kinds: &[KindReport] {
        protocol: Option<HeartbeatsDocument> = of_kind(HeartbeatKind::Protocol, kinds),
        app: Option<HeartbeatsDocument> = of_kind(HeartbeatKind::App, kinds),
        /// PING frames of HTTP/2 (`--h2-ping`), which what ends HTTP/2 acknowledges.
        #[serde(default)]
        http2: Option<HeartbeatsDocument> = of_kind(HeartbeatKind::Http2, kinds),
    }
}

fn of_kind(kind: HeartbeatKind, kinds: &[KindReport]) -> Option<HeartbeatsDocument> {
    kinds.iter().find(|report| report.kind == kind).map(Into::into)
}

document! {
    /// This host's own delay: from the planned time of a heartbeat to the start of its write.
    #[derive(Deserialize)]
    pub struct HostLag from (lag, stamping): (LagSummary, &StampingReport) {
        p50_ms: Ms = lag.p50,
        p99_ms: Ms = lag.p99,
        max_ms: Ms = lag.max,
        /// Time from the start of a heartbeat's write to its departure by the kernel's timestamps; not part of the RTT.
        /// Null without kernel timestamps.
        to_wire: Option<Delay> = stamping.to_wire.map(Into::into),
        /// Time from the arrival of an answer by the kernel's timestamps to the read that returned it; not part of the RTT.
        /// Null without kernel timestamps.
        from_wire: Option<Delay> = stamping.from_wire.map(Into::into),
    }
}

document! {
    /// Delay added by this host.
    #[derive(Deserialize)]
    struct Delay from lag: LagSummary {
        p50_ms: Ms = lag.p50,
        p99_ms: Ms = lag.p99,
        max_ms: Ms = lag.max,
    }
}

impl From<JsonRttDocument> for RttSummary {
    fn from(rtt: JsonRttDocument) -> RttSummary {
        RttSummary {
            count: rtt.count.0,
            min: rtt.min_ms.into(),
            mean: rtt.mean_ms.into(),
            max: rtt.max_ms.into(),
            p50: rtt.p50_ms.into(),
            p90: rtt.p90_ms.into(),
            p95: rtt.p95_ms.into(),
            p99: rtt.p99_ms.into(),
        }
    }
}

impl From<JsonJitterDocument> for JitterSummary {
    fn from(jitter: JsonJitterDocument) -> JitterSummary {
        JitterSummary {
            stddev: jitter.stddev_ms.map(Into::into),
            rfc3550: jitter.rfc3550_ms.map(Into::into),
            ipdv_mean: jitter.ipdv_mean_ms.map(Into::into),
        }
    }
}

impl From<Delay> for LagSummary {
    fn from(lag: Delay) -> LagSummary {
        LagSummary { p50: lag.p50_ms.into(), p99: lag.p99_ms.into(), max: lag.max_ms.into() }
    }
}

impl HostLag {
    /// This host's lag, and what its timestamps leave out: to the wire, and from it.
    pub fn summaries(self) -> [Option<LagSummary>; 3] {
        let HostLag { p50_ms, p99_ms, max_ms, to_wire, from_wire } = self;
        let lag = Delay { p50_ms, p99_ms, max_ms };
        [Some(lag), to_wire, from_wire].map(|lag| lag.map(LagSummary::from))
    }
}

impl ByKind {
    /// The figures of single connections, whose RTTs are not merged.
    pub fn of_connection(self) -> Vec<KindReport> {
        self.each().map(|(kind, figures)| figures.report(kind)).collect()
    }

    /// The figures of a target or of the run, with all RTTs.
    pub fn with_rtts(self) -> Result<Vec<KindReport>, FieldError> {
        let whole = |(kind, figures): (HeartbeatKind, HeartbeatsDocument)| {
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

    fn each(self) -> impl Iterator<Item = (HeartbeatKind, HeartbeatsDocument)> {
        let kinds = [
            (HeartbeatKind::Protocol, self.protocol),
            (HeartbeatKind::App, self.app),
            (HeartbeatKind::Http2, self.http2),
        ];
        kinds.into_iter().filter_map(|(kind, figures)| Some((kind, figures?)))
    }
}

impl HeartbeatsDocument {
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
            unsent_window_exhausted: self.unsent_window_exhausted.0,
            in_flight: self.in_flight.0,
            unsolicited: self.unsolicited.0,
            mismatched: self.mismatched.0,
            duplicate: self.duplicate.0,
            ambiguous: self.ambiguous.0,
            extra: self.extra.0,
        }
    }

    fn report(self, kind: HeartbeatKind) -> KindReport {
        KindReport {
            kind,
            status: self.status.0,
            counts: self.counts(),
            longest_miss_run: self.longest_miss_run,
            missed_at_end: self.missed_at_end.0,
            rtt: self.rtt.map(RttSummary::from),
            jitter: self.jitter.into(),
            histogram: Vec::new(),
            pooled: None,
        }
    }

    /// All RTTs; the counts, the histogram and the figures must be of the same heartbeats.
    fn pooled(&self) -> Result<Option<MergeableRtts>, FieldError> {
        let answered = self.counts().answered();
        let (Some(histogram), Some(figures)) = (&self.rtt_histogram, &self.unrounded) else {
            let why = "it is missing, although heartbeats were answered";
            return if answered == 0 { Ok(None) } else { Err(FieldError::new("rtt_histogram", why)) };
        };
        if histogram.form != HISTOGRAM_FORM || histogram.unit_ns != TICK_NANOS {
            return Err(FieldError::new("rtt_histogram", "its form or unit is not that of wscheck"));
        }
        if figures.max_ns > MAX_NANOS {
            return Err(FieldError::new("unrounded.max_ns", format!("{} is no RTT", figures.max_ns)));
        }
        let moments = MomentFigures {
            count: answered,
            mean_nanos: figures.mean_ns,
            stddev_nanos: figures.stddev_ns,
            min: Duration::from_nanos(figures.min_ns),
            max: Duration::from_nanos(figures.max_ns),
        };
        let rtts = Rtts::of_parts(&histogram.data, &moments)
            .map_err(|error| FieldError::new("rtt_histogram", error))?;
        let differences =
            Differences::of_figures(figures.differences.0, figures.ipdv_mean_ns, figures.rfc3550_ns)
                .ok_or_else(|| FieldError::new("unrounded", "no differences of RTTs have such a mean"))?;
        Ok(Some(MergeableRtts { rtts, differences }))
    }
}
