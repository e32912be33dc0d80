//! Numbers as JSON shows them: milliseconds to the microsecond, instants, and the figures of heartbeats.

use std::time::{Duration, SystemTime};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::Name;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::health::Status;
use crate::domain::ping::report::{KindReport, MergeableRtts, StampingReport};
use crate::domain::stats::{Counts, JitterSummary, LagSummary, RttSummary, TICK_NANOS};

/// A duration in milliseconds, rounded to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ms(#[schemars(range(min = 0.0))] f64);

impl From<Duration> for Ms {
    /// A whole number of microseconds divided by 1000 is the double nearest to its decimal, so it prints as `0.123`
    /// without rounding digits.
    fn from(span: Duration) -> Ms {
        let micros = (span.as_nanos() + 500) / 1000;
        Ms(micros as f64 / 1000.0)
    }
}

impl From<Ms> for Duration {
    /// What no duration has, such as a negative number of an edited file, is zero.
    fn from(Ms(millis): Ms) -> Duration {
        Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default()
    }
}

/// A duration that may be unknown.
pub fn ms(span: Option<Duration>) -> Option<Ms> {
    span.map(Ms::from)
}

/// A point in time: RFC 3339 in UTC, to the microsecond.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Timestamp(#[schemars(extend("format" = "date-time"))] String);

impl From<SystemTime> for Timestamp {
    /// A time outside the range of RFC 3339 is shown as the nearest one inside.
    fn from(at: SystemTime) -> Timestamp {
        let nearest = if at < SystemTime::UNIX_EPOCH { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        Timestamp(format!("{:.6}", jiff::Timestamp::try_from(at).unwrap_or(nearest)))
    }
}

impl Timestamp {
    pub fn to_text(&self) -> &str {
        &self.0
    }
}

/// RTT of the answered heartbeats, including late ones.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Rtt")]
pub struct JsonRttDocument {
    count: u64,
    min_ms: Ms,
    mean_ms: Ms,
    p50_ms: Ms,
    p90_ms: Ms,
    p95_ms: Ms,
    p99_ms: Ms,
    max_ms: Ms,
}

impl From<RttSummary> for JsonRttDocument {
    fn from(rtt: RttSummary) -> JsonRttDocument {
        JsonRttDocument {
            count: rtt.count,
            min_ms: rtt.min.into(),
            mean_ms: rtt.mean.into(),
            p50_ms: rtt.p50.into(),
            p90_ms: rtt.p90.into(),
            p95_ms: rtt.p95.into(),
            p99_ms: rtt.p99.into(),
            max_ms: rtt.max.into(),
        }
    }
}

/// Jitter by three formulas, each null with fewer than two samples.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Jitter")]
pub struct JsonJitterDocument {
    /// Population standard deviation of the RTT (what ping prints as mdev).
    stddev_ms: Option<Ms>,
    /// Jitter by RFC 3550 6.4.1, from successive RTTs in the order of sending.
    rfc3550_ms: Option<Ms>,
    /// Mean difference of successive RTTs (RFC 5481).
    ipdv_mean_ms: Option<Ms>,
}

impl From<JitterSummary> for JsonJitterDocument {
    fn from(jitter: JitterSummary) -> JsonJitterDocument {
        JsonJitterDocument {
            stddev_ms: ms(jitter.stddev),
            rfc3550_ms: ms(jitter.rfc3550),
            ipdv_mean_ms: ms(jitter.ipdv_mean),
        }
    }
}

/// The figures of one kind of heartbeat.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
#[schemars(rename = "Heartbeats")]
pub struct HeartbeatsDocument {
    /// Status over the whole run; with several connections, the worst.
    status: Name<Status>,
    /// Heartbeats that left this machine: ok + late + superseded + missed + in_flight.
    sent: u64,
    ok: u64,
    /// Heartbeats answered after the timeout.
    late: u64,
    /// No pong of its own; a later ping was answered, and the server may have held both at once (RFC 6455 5.5.3 lets it
    /// answer only the latest).
    superseded: u64,
    /// No reply of its own: nothing came within the timeout, or a later ping was answered although the server had time to
    /// answer this one first.
    missed: u64,
    /// Judged heartbeats without a reply of their own: missed + superseded.
    unanswered: u64,
    /// Missed heartbeats for which a later one was answered by then, or an answer without an id came after they were
    /// sent. So the connection was alive, and a reply was dropped.
    missed_later_answered: u64,
    /// Missed heartbeats that TCP had acknowledged by then: the next TCP hop was alive.
    missed_acknowledged: u64,
    /// Missed heartbeats that TCP had not acknowledged: the path is down, or slower than the timeout. For the other
    /// missed ones this is unknown.
    missed_unacknowledged: u64,
    /// Maximum number of heartbeats missed in a row.
    longest_miss_run: u32,
    /// Heartbeats missed after the last one that was not.
    missed_at_end: u64,
    /// Heartbeats that never left this machine, because the send buffer was full or the machine was suspended. They
    /// count neither for `sent` nor for `loss`.
    unsent: u64,
    /// Heartbeats that were sent, but not judged before the connection or the run ended.
    in_flight: u64,
    unsolicited: u64,
    mismatched: u64,
    duplicate: u64,
    /// Answers without an id that came while several requests were outstanding.
    ambiguous: u64,
    /// Heartbeats besides those of the schedule (`watch` sends them after a missed one, while the status is worse than
    /// healthy, and after a change of the network). They count in no other figure.
    extra: u64,
    /// missed / (ok + late + superseded + missed), from 0 to 1; null if no heartbeat was judged.
    #[schemars(range(min = 0.0, max = 1.0))]
    loss: Option<f64>,
    /// Null before the first answer.
    rtt: Option<JsonRttDocument>,
    jitter: JsonJitterDocument,
    /// All RTTs, to merge and compare runs; null for a single connection of a target, and before the first answer.
    rtt_histogram: Option<EncodedHistogram>,
    /// RTT and jitter unrounded, to merge runs; null where `rtt_histogram` is.
    unrounded: Option<UnroundedFigures>,
}

/// RTT and jitter in nanoseconds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct UnroundedFigures {
    min_ns: u64,
    mean_ns: f64,
    max_ns: u64,
    /// The population standard deviation.
    stddev_ns: f64,
    /// Number of differences of successive RTTs, each on one connection.
    differences: u64,
    /// Their mean; zero without one.
    ipdv_mean_ns: f64,
    /// Jitter by RFC 3550; the largest of all connections.
    rfc3550_ns: f64,
}

impl UnroundedFigures {
    fn new(pooled: &MergeableRtts) -> Option<UnroundedFigures> {
        let figures = pooled.rtts.moments().figures()?;
        let nanos = |span: Duration| u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Some(UnroundedFigures {
            min_ns: nanos(figures.min),
            mean_ns: figures.mean_nanos,
            max_ns: nanos(figures.max),
            stddev_ns: figures.stddev_nanos,
            differences: pooled.differences.count(),
            ipdv_mean_ns: pooled.differences.ipdv_mean_nanos(),
            rfc3550_ns: pooled.differences.rfc3550_nanos(),
        })
    }
}

/// A histogram in the exchange form of HdrHistogram.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct EncodedHistogram {
    /// The form of `data`: HdrHistogram V2, deflated, in base64, as in its log files.
    #[schemars(extend("const" = HISTOGRAM_FORM))]
    form: &'static str,
    /// What one unit of the recorded values is, in nanoseconds.
    unit_ns: u64,
    data: String,
}

/// The form of an encoded histogram.
pub const HISTOGRAM_FORM: &str = "hdrhistogram_v2_deflate_base64";

impl From<String> for EncodedHistogram {
    fn from(data: String) -> EncodedHistogram {
        EncodedHistogram { form: HISTOGRAM_FORM, unit_ns: TICK_NANOS, data }
    }
}

impl From<&KindReport> for HeartbeatsDocument {
    fn from(report: &KindReport) -> HeartbeatsDocument {
        let Counts {
            ok,
            late,
            superseded,
            missed,
            missed_acked,
            missed_unacked,
            missed_later_answered,
            unsent,
            in_flight,
            unsolicited,
            mismatched,
            duplicate,
            ambiguous,
            extra,
        } = report.counts;
        let pooled = report.pooled.as_deref();
        HeartbeatsDocument {
            status: report.status.into(),
            sent: report.counts.sent(),
            ok,
            late,
            superseded,
            missed,
            unanswered: report.counts.unanswered(),
            missed_later_answered,
            missed_acknowledged: missed_acked,
            missed_unacknowledged: missed_unacked,
            longest_miss_run: report.longest_miss_run,
            missed_at_end: report.missed_at_end,
            unsent,
            in_flight,
            unsolicited,
            mismatched,
            duplicate,
            ambiguous,
            extra,
            loss: report.counts.loss(),
            rtt: report.rtt.map(JsonRttDocument::from),
            jitter: report.jitter.into(),
            rtt_histogram: pooled.and_then(|pooled| pooled.rtts.encoded()).map(EncodedHistogram::from),
            unrounded: pooled.and_then(UnroundedFigures::new),
        }
    }
}

/// The figures for each kind of heartbeat; null for a kind that was not measured.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ByKind {
    protocol: Option<HeartbeatsDocument>,
    app: Option<HeartbeatsDocument>,
}

impl From<&[KindReport]> for ByKind {
    fn from(kinds: &[KindReport]) -> ByKind {
        let of = |kind: HeartbeatKind| {
            kinds.iter().find(|report| report.kind == kind).map(HeartbeatsDocument::from)
        };
        ByKind { protocol: of(HeartbeatKind::Protocol), app: of(HeartbeatKind::App) }
    }
}

/// This host's own delay: from the planned time of a heartbeat to the start of its write.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct HostLag {
    p50_ms: Ms,
    p99_ms: Ms,
    max_ms: Ms,
    /// Time from the start of a heartbeat's write to its departure by the kernel's timestamps; not part of the RTT.
    /// Null without kernel timestamps.
    to_wire: Option<Delay>,
    /// Time from the arrival of an answer by the kernel's timestamps to the read that returned it; not part of the RTT.
    /// Null without kernel timestamps.
    from_wire: Option<Delay>,
}

/// Delay added by this host.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Delay {
    p50_ms: Ms,
    p99_ms: Ms,
    max_ms: Ms,
}

impl HostLag {
    pub fn new(lag: LagSummary, stamping: &StampingReport) -> HostLag {
        let Delay { p50_ms, p99_ms, max_ms } = Delay::from(lag);
        let StampingReport { to_wire, from_wire, .. } = stamping;
        let (to_wire, from_wire) = (to_wire.map(Delay::from), from_wire.map(Delay::from));
        HostLag { p50_ms, p99_ms, max_ms, to_wire, from_wire }
    }
}

impl From<LagSummary> for Delay {
    fn from(lag: LagSummary) -> Delay {
        Delay { p50_ms: lag.p50.into(), p99_ms: lag.p99.into(), max_ms: lag.max.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(span: Duration) -> String {
        serde_json::to_string(&Ms::from(span)).unwrap()
    }

    #[test]
    fn a_span_is_rounded_to_the_microsecond_without_noise() {
        assert_eq!(shown(Duration::from_nanos(123_456)), "0.123");
        assert_eq!(shown(Duration::from_nanos(123_500)), "0.124");
        assert_eq!(shown(Duration::from_micros(1_100_300)), "1100.3");
        assert_eq!(shown(Duration::from_micros(4_503_599_627_001)), "4503599627.001");
        assert_eq!(shown(Duration::from_nanos(499)), "0.0");
    }

    #[test]
    fn an_instant_is_utc_to_the_microsecond() {
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_767_225_600, 1_500);
        assert_eq!(Timestamp::from(at), Timestamp("2026-01-01T00:00:00.000001Z".to_string()));
    }

    #[test]
    fn a_clock_beyond_all_years_is_no_panic() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60);
        assert_eq!(
            serde_json::to_value(Timestamp::from(at)).unwrap().as_str().map(|text| &text[..5]),
            Some("9999-")
        );
    }
}
