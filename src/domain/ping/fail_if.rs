//! The user's failure conditions: a status (fail-on) and expressions over the figures (fail-if).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use strum::IntoEnumIterator;
use thiserror::Error;

use super::health::Status;
use super::report::{ConnReport, KindReport, PingReport, TargetReport};
use crate::domain::connection::connect_info::ConnectInfo;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::label::Label;
use crate::domain::run::condition::{Comparison, ConditionError, ConditionParts, DecisiveEnd, Trend};
use crate::domain::run::metric::{AlertBound, MetricUnit, MetricValue};
use crate::domain::run::truth::Truth;
use crate::domain::stats::RttSummary;

/// An unknown status name.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
#[error("'{given}' is not a status: known are {known}")]
pub struct StatusError {
    given: String,
    known: String,
}

impl FromStr for Status {
    type Err = StatusError;

    fn from_str(given: &str) -> Result<Status, StatusError> {
        status_among(Status::iter(), given)
    }
}

fn status_among(known: impl Iterator<Item = Status> + Clone, given: &str) -> Result<Status, StatusError> {
    let names = || known.clone().map(|status| status.label()).collect::<Vec<_>>().join(", ");
    let found = known.clone().find(|status| status.label() == given);
    found.ok_or_else(|| StatusError { given: given.to_string(), known: names() })
}

/// The best status that fails the run; never `unknown`, which is neither better nor worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailOn(Status);

impl FailOn {
    /// Whether a status is this one or worse; never for an unknown one.
    pub fn rejects(self, status: Status) -> bool {
        status != Status::Unknown && status >= self.0
    }
}

impl Default for FailOn {
    fn default() -> FailOn {
        FailOn(Status::Poor)
    }
}

impl FromStr for FailOn {
    type Err = StatusError;

    fn from_str(given: &str) -> Result<FailOn, StatusError> {
        status_among(Status::iter().filter(|status| *status != Status::Unknown), given).map(FailOn)
    }
}

impl fmt::Display for FailOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.label())
    }
}

fn nanos(value: Duration) -> f64 {
    value.as_nanos() as f64
}

/// What a heartbeat metric is computed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RttSource {
    /// RTTs, which may be only upper bounds.
    Rtts,
    /// Counts, which are exact.
    Counts,
}

/// Where a metric's value is found: in nanoseconds, a fraction, a number or days.
#[derive(Debug, Clone, Copy)]
enum MetricReading {
    /// One for each target and kind of heartbeat.
    Heartbeat(RttSource, fn(&KindReport) -> Option<f64>),
    /// One for each target: the worst of its connections.
    Target(fn(&TargetReport) -> Option<f64>),
    /// One for the run.
    Run(fn(&PingReport) -> Option<f64>),
}

/// A figure usable in an expression.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub unit: MetricUnit,
    /// A lower-case fragment for help.
    pub meaning: &'static str,
    reading: MetricReading,
}

impl Metric {
    fn trend(&self) -> Trend {
        match (self.unit, self.name) {
            (MetricUnit::Count, _) | (_, "rtt.max" | "outage" | "host_lag.max") => Trend::Grows,
            (_, "rtt.min") => Trend::Shrinks,
            (MetricUnit::Time | MetricUnit::Share | MetricUnit::Days, _) => Trend::Either,
        }
    }

    /// The name under which its value is printed: an alias has that of the other metric.
    fn full_name(&self) -> &'static str {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == self.name);
        alias.map_or(self.name, |(_, full)| full)
    }

    fn values(&self, report: &PingReport) -> Vec<MetricValue> {
        let of_target = |target: &TargetReport| vec![("target", name_of(report, target))];
        match self.reading {
            MetricReading::Heartbeat(_, read) => report
                .targets
                .iter()
                .flat_map(|target| target.kinds.iter().map(move |kind| (target, kind)))
                .map(|(target, kind)| {
                    let labels = [of_target(target), vec![("kind", kind.kind.label().to_string())]].concat();
                    self.value(labels, read(kind))
                })
                .collect(),
            MetricReading::Target(read) => {
                report.targets.iter().map(|target| self.value(of_target(target), read(target))).collect()
            }
            MetricReading::Run(read) => vec![self.value(Vec::new(), read(report))],
        }
    }

    /// A reading in seconds, a fraction, a number or days.
    fn in_units(&self, reading: f64) -> f64 {
        match self.unit {
            MetricUnit::Time => reading / 1e9,
            MetricUnit::Share | MetricUnit::Count | MetricUnit::Days => reading,
        }
    }

    fn value(&self, labels: Vec<(&'static str, String)>, value: Option<f64>) -> MetricValue {
        let value = value.map(|value| self.in_units(value));
        MetricValue::new(self.name, self.unit, self.meaning, labels, value)
    }

    /// Whether it accepts the prefix `app.` or `protocol.`.
    pub fn is_heartbeats(&self) -> bool {
        match self.reading {
            MetricReading::Heartbeat(_, _) => true,
            MetricReading::Target(_) | MetricReading::Run(_) => false,
        }
    }
}

const fn timing(name: &'static str, meaning: &'static str, read: fn(&KindReport) -> Option<f64>) -> Metric {
    Metric { name, unit: MetricUnit::Time, meaning, reading: MetricReading::Heartbeat(RttSource::Rtts, read) }
}

const fn heartbeat(
    name: &'static str,
    unit: MetricUnit,
    meaning: &'static str,
    read: fn(&KindReport) -> Option<f64>,
) -> Metric {
    Metric { name, unit, meaning, reading: MetricReading::Heartbeat(RttSource::Counts, read) }
}

const fn target(
    name: &'static str,
    unit: MetricUnit,
    meaning: &'static str,
    read: fn(&TargetReport) -> Option<f64>,
) -> Metric {
    Metric { name, unit, meaning, reading: MetricReading::Target(read) }
}

const fn run(
    name: &'static str,
    unit: MetricUnit,
    meaning: &'static str,
    read: fn(&PingReport) -> Option<f64>,
) -> Metric {
    Metric { name, unit, meaning, reading: MetricReading::Run(read) }
}

/// Short names of metrics, and the full ones.
const ALIASES: &[(&str, &str)] = &[("jitter", "jitter.stddev")];

/// All metrics: used by the parser, the evaluation and the help.
pub const METRICS: &[Metric] = &[
    timing("rtt.min", "the shortest RTT", |k| rtt(k, |rtt| rtt.min)),
    timing("rtt.mean", "the mean RTT", |k| rtt(k, |rtt| rtt.mean)),
    timing("rtt.max", "the longest RTT", |k| rtt(k, |rtt| rtt.max)),
    timing("rtt.p50", "the median RTT", |k| rtt(k, |rtt| rtt.p50)),
    timing("rtt.p90", "the 90th percentile of the RTTs", |k| rtt(k, |rtt| rtt.p90)),
    timing("rtt.p95", "the 95th percentile of the RTTs", |k| rtt(k, |rtt| rtt.p95)),
    timing("rtt.p99", "the 99th percentile of the RTTs", |k| rtt(k, |rtt| rtt.p99)),
    timing("jitter", "alias of jitter.stddev", |k| k.jitter.stddev.map(nanos)),
    timing("jitter.stddev", "standard deviation of the RTTs", |k| k.jitter.stddev.map(nanos)),
    timing("jitter.rfc3550", "smoothed difference of successive RTTs (RFC 3550 6.4.1)", |k| {
        k.jitter.rfc3550.map(nanos)
    }),
    timing("jitter.ipdv_mean", "mean absolute difference of successive RTTs (RFC 5481)", |k| {
        k.jitter.ipdv_mean.map(nanos)
    }),
    heartbeat("loss", MetricUnit::Share, "missed / (ok + late + superseded + missed)", |k| k.counts.loss()),
    heartbeat("sent", MetricUnit::Count, "heartbeats sent", |k| count(k.counts.sent())),
    heartbeat("ok", MetricUnit::Count, "answers within the timeout", |k| count(k.counts.ok)),
    heartbeat("late", MetricUnit::Count, "answers after the timeout", |k| count(k.counts.late)),
    heartbeat(
        "superseded",
        MetricUnit::Count,
        "pings without a pong of their own that the server may have merged with a later one",
        |k| count(k.counts.superseded),
    ),
    heartbeat(
        "missed",
        MetricUnit::Count,
        "heartbeats without a reply within the timeout, or whose reply was dropped",
        |k| count(k.counts.missed),
    ),
    heartbeat("unanswered", MetricUnit::Count, "missed + superseded", |k| count(k.counts.unanswered())),
    heartbeat(
        "missed.consecutive",
        MetricUnit::Count,
        "the most consecutive missed heartbeats on one connection",
        |k| count(k.longest_miss_run.into()),
    ),
    heartbeat("unsent", MetricUnit::Count, "heartbeats that never left this machine", |k| {
        count(k.counts.unsent)
    }),
    target("connect.dns", MetricUnit::Time, "the slowest name resolution", |t| {
        phase(t, |opened| opened.phases.dns)
    }),
    target("connect.tcp", MetricUnit::Time, "the slowest TCP connect", |t| {
        phase(t, |opened| opened.phases.tcp)
    }),
    target("connect.proxy", MetricUnit::Time, "the slowest proxy handshake", |t| {
        phase(t, |opened| opened.phases.proxy)
    }),
    target("connect.tls", MetricUnit::Time, "the slowest TLS handshake", |t| {
        phase(t, |opened| opened.phases.tls)
    }),
    target("connect.upgrade", MetricUnit::Time, "the slowest upgrade", |t| {
        phase(t, |opened| opened.phases.upgrade)
    }),
    target("connect.total", MetricUnit::Time, "the slowest opening", |t| {
        phase(t, |opened| Some(opened.phases.total))
    }),
    target("tls.days_left", MetricUnit::Days, "days until the first certificate expires", days_left),
    target("reconnects", MetricUnit::Count, "reconnections on all connections", |t| {
        let reconnects = |c: &ConnReport| u64::from(c.reconnects).saturating_mul(c.count());
        count(t.connections.iter().map(reconnects).fold(0, u64::saturating_add))
    }),
    target(
        "outage",
        MetricUnit::Time,
        "total time without a connection, on the worst connection (--reconnect)",
        |t| t.connections.iter().filter_map(|c| c.outage).map(nanos).reduce(f64::max),
    ),
    run("host_lag.p50", MetricUnit::Time, "median send delay of this host", |r| {
        r.host_lag.map(|lag| nanos(lag.p50))
    }),
    run("host_lag.p99", MetricUnit::Time, "99th percentile of the send delay of this host", |r| {
        r.host_lag.map(|lag| nanos(lag.p99))
    }),
    run("host_lag.max", MetricUnit::Time, "maximum send delay of this host", |r| {
        r.host_lag.map(|lag| nanos(lag.max))
    }),
];

/// The values of all metrics, aliases left out.
pub fn metric_values(report: &PingReport) -> Vec<MetricValue> {
    let values = METRICS
        .iter()
        .filter(|metric| metric.full_name() == metric.name)
        .flat_map(|metric| metric.values(report));
    let demands = &report.info.demands;
    values
        .map(|value| MetricValue {
            warn: bound_in(&demands.warn_if, &value),
            crit: bound_in(&demands.fail_if, &value),
            ..value
        })
        .collect()
}

/// The URL; the same URL given several times is numbered.
fn name_of(report: &PingReport, target: &TargetReport) -> String {
    let same: Vec<&TargetReport> = report.targets.iter().filter(|other| other.url == target.url).collect();
    let number = same.iter().position(|other| std::ptr::eq(*other, target)).unwrap_or_default() + 1;
    if same.len() > 1 { format!("{} ({number})", target.url) } else { target.url.clone() }
}

/// Where the first of these conditions about a metric begins to be true; none for `==` and `!=`.
fn bound_in(conditions: &[String], value: &MetricValue) -> Option<AlertBound> {
    let kind = value.labels.iter().find(|(key, _)| *key == "kind").map(|(_, kind)| kind.as_str());
    let is_about = |condition: &FailIf| {
        condition.metric.full_name() == value.name
            && condition.kind.is_none_or(|wanted| kind == Some(wanted.label()))
    };
    let parsed = conditions.iter().filter_map(|text| text.parse::<FailIf>().ok());
    parsed.filter(is_about).find_map(|condition| {
        let limit = condition.metric.in_units(condition.comparison.limit());
        match condition.comparison.sign() {
            ">" | ">=" => Some(AlertBound::Above(limit)),
            "<" | "<=" => Some(AlertBound::Below(limit)),
            _ => None,
        }
    })
}

fn rtt(kind: &KindReport, pick: fn(&RttSummary) -> Duration) -> Option<f64> {
    kind.rtt.as_ref().map(|rtt| nanos(pick(rtt)))
}

fn count(number: u64) -> Option<f64> {
    Some(number as f64)
}

fn opened(target: &TargetReport) -> impl Iterator<Item = &ConnectInfo> {
    target.connections.iter().filter_map(|connection| connection.opened.as_deref())
}

fn phase(target: &TargetReport, pick: fn(&ConnectInfo) -> Option<Duration>) -> Option<f64> {
    opened(target).filter_map(pick).max().map(nanos)
}

fn days_left(target: &TargetReport) -> Option<f64> {
    opened(target).filter_map(|opened| opened.tls.as_ref()?.days_left).min().map(|days| days as f64)
}

/// Why a text is not a valid expression.
#[derive(Debug, Clone, Error, PartialEq, Eq)]
pub enum FailIfError {
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error(
        "'{given}' has the unknown metric '{metric}': known are {}; those of heartbeats also with app. or \
         protocol. before them",
        metrics()
    )]
    UnknownMetric { given: String, metric: String },
    #[error(
        "'{given}' asks for one kind of heartbeat, but {metric} is not a heartbeat's: leave app. or \
         protocol. out"
    )]
    NotOfHeartbeats { given: String, metric: &'static str },
}

fn metrics() -> String {
    METRICS.iter().map(|metric| metric.name).collect::<Vec<_>>().join(", ")
}

/// A condition that must not be true: a metric, an operator and a limit, such as `rtt.p95>200ms`.
///
/// - The prefix (`app.`, `protocol.`) names the kind of heartbeat. Without one it is protocol heartbeats if
///   these are measured, else app heartbeats.
/// - With several targets it is true if it is true for any of them. Within a target the heartbeats of all
///   connections count together; `connect.*`, `tls.*` and `outage` are the worst connection's.
/// - A heartbeat metric without a sample at any target is unknown, unless the expression is true for another
///   one. `connect.*`, `tls.*` and `outage` are unknown only if no target has them.
/// - `rtt.*` and `jitter.*` that are true only where RTTs are upper bounds (see [`PingReport::upper_bounds`])
///   are true of upper bounds.
#[derive(Debug, Clone)]
pub struct FailIf {
    text: String,
    metric: &'static Metric,
    kind: Option<HeartbeatKind>,
    comparison: Comparison,
}

impl PartialEq for FailIf {
    fn eq(&self, other: &FailIf) -> bool {
        self.text == other.text
    }
}

impl FailIf {
    /// The kind of heartbeat named by the prefix.
    pub fn kind(&self) -> Option<HeartbeatKind> {
        self.kind
    }

    /// The opposite, which is what the user wants: `rtt.p95 <= 200ms`.
    pub fn negation(&self) -> String {
        let name = self.text.split(['<', '>', '=', '!']).next().unwrap_or_default().trim();
        self.comparison.negated().with_metric(name)
    }

    /// Whether it uses a metric that only TLS has.
    pub fn is_of_tls(&self) -> bool {
        self.metric.name.split('.').any(|part| part == "tls")
    }

    /// Whether the expression is true for a run.
    pub fn evaluate(&self, report: &PingReport) -> Truth {
        match self.metric.reading {
            MetricReading::Heartbeat(source, read) => self.judge_heartbeats(report, source, read),
            MetricReading::Target(read) => {
                let values: Vec<_> =
                    report.targets.iter().filter_map(|t| Some((t.url.as_str(), read(t)?))).collect();
                let none = || Truth::Unknown(format!("{} was not measured", self.metric.name));
                if values.is_empty() { none() } else { self.judge(report, &values) }
            }
            MetricReading::Run(read) => match read(report) {
                Some(value) => self.judge(report, &[("", value)]),
                None => Truth::Unknown(format!("{} was not measured", self.metric.name)),
            },
        }
    }

    fn judge_heartbeats(
        &self,
        report: &PingReport,
        source: RttSource,
        read: fn(&KindReport) -> Option<f64>,
    ) -> Truth {
        let first = || report.info.kinds.iter().min().copied();
        let Some(kind) = self.kind.or_else(first).filter(|kind| report.info.kinds.contains(kind)) else {
            return Truth::Unknown(format!(
                "{} heartbeats were not measured",
                self.kind.unwrap_or(HeartbeatKind::App)
            ));
        };
        let (mut exact, mut bounds, mut without, mut why) = (Vec::new(), Vec::new(), None, None);
        for target in &report.targets {
            let figures = target.kinds.iter().find(|figures| figures.kind == kind);
            let bounded = figures
                .filter(|_| source == RttSource::Rtts)
                .and_then(|figures| report.upper_bounds(figures));
            match (figures.and_then(read), &bounded) {
                (None, _) => without = without.or(Some(target)),
                (Some(value), None) => exact.push((target.url.as_str(), value)),
                (Some(value), Some(_)) => bounds.push((target.url.as_str(), value)),
            }
            why = why.or(bounded);
        }
        match (self.judge(report, &exact), self.judge(report, &bounds), without) {
            (Truth::False(_), Truth::True(actual), _) => {
                Truth::TrueOfBounds(format!("{actual}, but {}", why.unwrap_or_default()))
            }
            (Truth::False(_), Truth::Unknown(why), None) => Truth::Unknown(why),
            (Truth::False(_), _, Some(target)) => {
                Truth::Unknown(format!("no sample of {}{}", self.metric.name, at(report, &target.url)))
            }
            (Truth::False(_), _, None) => self.judge(report, &[exact, bounds].concat()),
            (truth, _, _) => truth,
        }
    }

    fn judge(&self, report: &PingReport, values: &[(&str, f64)]) -> Truth {
        let is_cut = report.cut_short().is_some();
        let trend = self.metric.trend();
        let is_final = |value: f64| !is_cut || !self.comparison.may_become_false(value, trend);
        let is_true = |(_, value): &&(&str, f64)| self.comparison.holds(*value) && is_final(*value);
        let true_of: Vec<(&str, f64)> = values.iter().filter(is_true).copied().collect();
        match true_of.len() {
            0 => self.undecided(report, values),
            1 => Truth::True(self.closest(report, &true_of)),
            several => Truth::True(format!("{} (the worst of {several})", self.closest(report, &true_of))),
        }
    }

    /// The result if no value makes it true: false, or unknown if the run was cut short.
    fn undecided(&self, report: &PingReport, values: &[(&str, f64)]) -> Truth {
        let Some((url, value)) = values.iter().find(|(_, value)| self.comparison.holds(*value)) else {
            return Truth::False(self.closest(report, values));
        };
        let (shown, at) = (self.metric.unit.show(*value), at(report, url));
        Truth::Unknown(format!("it was {shown}{at} when the run was cut short, and might have changed"))
    }

    /// The value that is closest to making it true, or furthest beyond.
    fn closest(&self, report: &PingReport, values: &[(&str, f64)]) -> String {
        let ascending = |a: &&(&str, f64), b: &&(&str, f64)| a.1.total_cmp(&b.1);
        let closest = match self.comparison.decisive_end() {
            DecisiveEnd::Smallest => values.iter().min_by(ascending),
            DecisiveEnd::Largest => values.iter().max_by(ascending),
        };
        closest.map_or_else(String::new, |(url, value)| {
            format!("{}{}", self.metric.unit.show(*value), at(report, url))
        })
    }
}

/// Names the target if there are several.
fn at(report: &PingReport, url: &str) -> String {
    if report.targets.len() > 1 { format!(" at {url}") } else { String::new() }
}

impl FromStr for FailIf {
    type Err = FailIfError;

    fn from_str(given: &str) -> Result<FailIf, FailIfError> {
        let parts = ConditionParts::of(given)?;
        let (kind, metric) = metric(given, parts.name)?;
        let comparison = parts.comparison(metric.name, metric.unit)?;
        Ok(FailIf { text: given.trim().to_string(), metric, kind, comparison })
    }
}

fn metric(given: &str, name: &str) -> Result<(Option<HeartbeatKind>, &'static Metric), FailIfError> {
    let prefixed = HeartbeatKind::iter().find_map(|kind| {
        let rest = name.strip_prefix(kind.label())?.strip_prefix('.')?;
        Some((Some(kind), rest))
    });
    let (kind, plain) = prefixed.unwrap_or((None, name));
    let unknown = || FailIfError::UnknownMetric { given: given.to_string(), metric: name.to_string() };
    let metric = METRICS.iter().find(|metric| metric.name == plain).ok_or_else(unknown)?;
    if kind.is_some() && !metric.is_heartbeats() {
        return Err(FailIfError::NotOfHeartbeats { given: given.to_string(), metric: metric.name });
    }
    Ok((kind, metric))
}

impl fmt::Display for FailIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ping::report::samples;
    use crate::domain::stats::{Counts, JitterSummary, LagSummary};
    use std::sync::Arc;

    fn expression(text: &str) -> FailIf {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<FailIf>().unwrap_err().to_string()
    }

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    /// A run in which each figure has a unique value.
    fn full() -> PingReport {
        let kind = KindReport {
            counts: Counts {
                ok: 11,
                late: 2,
                superseded: 3,
                missed: 4,
                unsent: 5,
                in_flight: 1,
                ..Counts::default()
            },
            longest_miss_run: 3,
            missed_at_end: 0,
            rtt: Some(RttSummary {
                count: 13,
                min: ms(1),
                mean: ms(2),
                max: ms(9),
                p50: ms(3),
                p90: ms(4),
                p95: ms(5),
                p99: ms(6),
            }),
            jitter: JitterSummary { stddev: Some(ms(21)), rfc3550: Some(ms(22)), ipdv_mean: Some(ms(23)) },
            ..samples::kind(HeartbeatKind::Protocol, &[])
        };
        let mut target = samples::target("ws://a/", vec![kind]);
        target.connections[0].opened = Some(Arc::new(samples::opened_tls(40)));
        target.connections[0].reconnects = 2;
        target.connections[0].outage = Some(ms(1_500));
        let mut report = samples::report(vec![target]);
        report.host_lag = Some(LagSummary { p50: ms(31), p99: ms(32), max: ms(33) });
        report
    }

    #[test]
    fn every_metric_reads_its_own_figure() {
        let values = [
            ("rtt.min", "1ms"),
            ("rtt.mean", "2ms"),
            ("rtt.max", "9ms"),
            ("rtt.p50", "3ms"),
            ("rtt.p90", "4ms"),
            ("rtt.p95", "5ms"),
            ("rtt.p99", "6ms"),
            ("jitter", "21ms"),
            ("jitter.stddev", "21ms"),
            ("jitter.rfc3550", "22ms"),
            ("jitter.ipdv_mean", "23ms"),
            ("loss", "20%"),
            ("sent", "21"),
            ("ok", "11"),
            ("late", "2"),
            ("superseded", "3"),
            ("missed", "4"),
            ("unanswered", "7"),
            ("missed.consecutive", "3"),
            ("unsent", "5"),
            ("connect.dns", "1ms"),
            ("connect.tcp", "2ms"),
            ("connect.proxy", "3ms"),
            ("connect.tls", "4ms"),
            ("connect.upgrade", "5ms"),
            ("connect.total", "16ms"),
            ("tls.days_left", "40"),
            ("reconnects", "2"),
            ("outage", "1.5s"),
            ("host_lag.p50", "31ms"),
            ("host_lag.p99", "32ms"),
            ("host_lag.max", "33ms"),
        ];
        assert_eq!(
            values.map(|(name, _)| name).as_slice(),
            METRICS.iter().map(|m| m.name).collect::<Vec<_>>()
        );
        for (name, value) in values {
            let equal = expression(&format!("{name}=={value}")).evaluate(&full());
            assert!(matches!(equal, Truth::True(_)), "{name} is not {value}: {equal:?}");
            assert!(expression(&format!("{name}!={value}")).evaluate(&full()).is_false());
        }
    }

    #[test]
    fn every_operator_compares() {
        let holds = |text: &str| !expression(text).evaluate(&full()).is_false();
        assert!(holds("missed>3") && !holds("missed>4"));
        assert!(holds("missed>=4") && !holds("missed>=5"));
        assert!(holds("missed<5") && !holds("missed<4"));
        assert!(holds("missed<=4") && !holds("missed<=3"));
        assert!(holds("missed==4") && !holds("missed==5"));
        assert!(holds("missed!=5") && !holds("missed!=4"));
    }

    #[test]
    fn actual_value_is_reported() {
        let truth = |text: &str| expression(text).evaluate(&full());
        assert_eq!(truth("rtt.p95>200us"), Truth::True("5 ms".to_string()));
        assert_eq!(truth(" loss > 0.199 "), Truth::True("20 %".to_string()));
        assert_eq!(truth("outage>1s"), Truth::True("1.5 s".to_string()));
        assert_eq!(truth("tls.days_left<41"), Truth::True("40 days".to_string()));
        assert_eq!(truth("missed.consecutive>=2"), Truth::True("3".to_string()));
    }

    #[test]
    fn limits_are_read_with_their_unit() {
        let limit = |text: &str| expression(text).comparison.limit();
        assert_eq!(limit("rtt.p95>1m30s"), 90e9);
        assert_eq!(limit("rtt.p95>0.5ms"), 5e5);
        assert_eq!((limit("loss>1%"), limit("loss>0.01"), limit("loss>2.5 %")), (0.01, 0.01, 0.025));
        assert_eq!((limit("loss>0"), limit("loss>=1.0"), limit("loss==100%")), (0.0, 1.0, 1.0));
        assert_eq!((limit("tls.days_left<-3"), limit("missed>=0")), (-3.0, 0.0));
    }

    #[test]
    fn expression_is_shown_as_written() {
        assert_eq!(expression(" rtt.p95 > 200ms ").to_string(), "rtt.p95 > 200ms");
    }

    #[test]
    fn prefix_selects_the_kind() {
        let both = |protocol: &[u64], app: &[u64]| {
            let kinds = vec![
                samples::kind(HeartbeatKind::Protocol, protocol),
                samples::kind(HeartbeatKind::App, app),
            ];
            samples::report(vec![samples::target("ws://a/", kinds)])
        };
        let report = both(&[1], &[300]);
        assert!(expression("rtt.p50>100ms").evaluate(&report).is_false());
        assert!(expression("protocol.rtt.p50>100ms").evaluate(&report).is_false());
        assert_eq!(expression("app.rtt.p50>100ms").evaluate(&report), Truth::True("300 ms".to_string()));
        assert_eq!(expression("app.rtt.p50>100ms").kind(), Some(HeartbeatKind::App));
    }

    #[test]
    fn app_heartbeats_alone_need_no_prefix() {
        let target = samples::target("ws://a/", vec![samples::kind(HeartbeatKind::App, &[300])]);
        let report = samples::report(vec![target]);
        assert_eq!(expression("rtt.p50>100ms").evaluate(&report), Truth::True("300 ms".to_string()));
        let unmeasured = Truth::Unknown("protocol heartbeats were not measured".to_string());
        assert_eq!(expression("protocol.rtt.p50>100ms").evaluate(&report), unmeasured);
    }

    #[test]
    fn one_bad_target_suffices_and_is_named() {
        let target =
            |url: &str, rtt: u64| samples::target(url, vec![samples::kind(HeartbeatKind::Protocol, &[rtt])]);
        let report =
            samples::report(vec![target("ws://a/", 10), target("ws://b/", 300), target("ws://c/", 400)]);
        let truth = |text: &str| expression(text).evaluate(&report);
        assert_eq!(truth("rtt.max>100ms"), Truth::True("400 ms at ws://c/ (the worst of 2)".to_string()));
        assert_eq!(truth("rtt.max>350ms"), Truth::True("400 ms at ws://c/".to_string()));
        assert!(truth("rtt.max>500ms").is_false());
    }

    #[test]
    fn no_sample_is_unknown() {
        let target = |url: &str, rtts: &[u64]| {
            samples::target(url, vec![samples::kind(HeartbeatKind::Protocol, rtts)])
        };
        let one = samples::report(vec![target("ws://a/", &[])]);
        let unknown = |text: &str| Truth::Unknown(text.to_string());
        assert_eq!(expression("rtt.p95>1s").evaluate(&one), unknown("no sample of rtt.p95"));
        assert_eq!(expression("loss>1%").evaluate(&one), unknown("no sample of loss"));
        assert!(expression("missed>0").evaluate(&one).is_false());
        assert_eq!(expression("tls.days_left<14").evaluate(&one), unknown("tls.days_left was not measured"));
        assert_eq!(expression("host_lag.p99>1ms").evaluate(&one), unknown("host_lag.p99 was not measured"));
        let two = samples::report(vec![target("ws://a/", &[5]), target("ws://b/", &[])]);
        assert_eq!(expression("rtt.p95>1s").evaluate(&two), unknown("no sample of rtt.p95 at ws://b/"));
        assert_eq!(expression("rtt.p95>1ms").evaluate(&two), Truth::True("5 ms at ws://a/".to_string()));
    }

    #[test]
    fn worst_connection_counts_for_its_target() {
        let mut target = samples::target("ws://a/", vec![samples::kind(HeartbeatKind::Protocol, &[5])]);
        target.connections.push(samples::connection(1));
        target.connections[0].opened = Some(Arc::new(samples::opened_tls(40)));
        target.connections[1].opened = Some(Arc::new(samples::opened_tls(9)));
        let report = samples::report(vec![target]);
        assert_eq!(expression("tls.days_left<14").evaluate(&report), Truth::True("9 days".to_string()));
    }

    #[test]
    fn invalid_expression_is_rejected_with_the_valid_names() {
        assert_eq!(refusal("rtt.p95"), "'rtt.p95' has no operator: known are > >= < <= == !=");
        assert_eq!(
            refusal("rtt.p95=1ms"),
            "'rtt.p95=1ms' has the unknown operator '=': known are > >= < <= == !="
        );
        assert!(refusal("rtt.p97>1ms").starts_with(
            "'rtt.p97>1ms' has the unknown metric 'rtt.p97': known are rtt.min, rtt.mean, rtt.max, rtt.p50,"
        ));
        assert!(refusal("rtt.p97>1ms").ends_with("also with app. or protocol. before them"));
        assert_eq!(
            refusal("app.connect.total>1s"),
            "'app.connect.total>1s' asks for one kind of heartbeat, but connect.total is not a \
             heartbeat's: leave app. or protocol. out"
        );
        assert_eq!(refusal("missed>"), "'missed>' has no limit: missed takes a whole number");
        for text in [
            "missed>1.5",
            "missed>-1",
            "missed>1ms",
            "tls.days_left<x",
            "loss>101%",
            "loss>1.5",
            "loss>=1.01",
            "loss>-1%",
            "loss>NaN",
            "loss>1ms",
            "rtt.p95>1parsec",
            "rtt.p95>5%",
        ] {
            assert!(refusal(text).contains("has a bad limit"), "{text}");
        }
    }

    #[test]
    fn bare_1_is_rejected_as_ambiguous_share() {
        assert_eq!(
            refusal("loss>1"),
            "'loss>1' has a bad limit: '1' could mean 1 % or everything: write 1% or 1.0; loss takes a \
             percentage from 0% to 100%, or a fraction from 0.0 to 1.0"
        );
        assert!(refusal("loss>5").contains("'5' has no unit: write 5%"));
        assert!(refusal("loss>101%").contains("'101%' is above 100%"));
    }

    #[test]
    fn impossible_condition_is_rejected() {
        assert_eq!(refusal("loss>100%"), "'loss>100%' can never be true: loss is never more than 100 %");
        assert_eq!(refusal("loss>1.0"), "'loss>1.0' can never be true: loss is never more than 100 %");
        assert_eq!(refusal("missed<0"), "'missed<0' can never be true: missed is never less than 0");
        for text in ["loss>=100%", "loss<1.0", "loss<=0%", "tls.days_left<0"] {
            assert!(text.parse::<FailIf>().is_ok(), "{text}");
        }
    }

    #[test]
    fn tls_metrics_are_marked() {
        for (text, of_tls) in [("tls.days_left<1", true), ("connect.tls>1s", true), ("rtt.max>1s", false)] {
            assert_eq!(expression(text).is_of_tls(), of_tls, "{text}");
        }
    }

    #[test]
    fn rtts_read_after_a_stall_are_upper_bounds() {
        let mut report = samples::report(vec![samples::target(
            "ws://a/",
            vec![samples::kind(HeartbeatKind::Protocol, &[5, 900])],
        )]);
        let lag = |max| LagSummary { p50: Duration::ZERO, p99: Duration::ZERO, max };
        let evaluate =
            |report: &PingReport, expression: &str| expression.parse::<FailIf>().unwrap().evaluate(report);
        report.host_lag = Some(lag(Duration::from_millis(1000)));
        assert_eq!(evaluate(&report, "rtt.max>500ms"), Truth::True("900 ms".to_string()));
        report.host_lag = Some(lag(Duration::from_millis(1001)));
        assert!(
            matches!(evaluate(&report, "rtt.max>500ms"), Truth::TrueOfBounds(why) if why.contains("was stalled for 1."))
        );
        assert!(evaluate(&report, "rtt.max>2s").is_false());
        assert_eq!(evaluate(&report, "sent>1"), Truth::True("2".to_string()));
    }

    #[test]
    fn upper_bound_rtts_differ_from_exact_ones() {
        let target = |url: &str, rtt: u64, ambiguous: u64| {
            let mut figures = samples::kind(HeartbeatKind::App, &[rtt, rtt]);
            (figures.counts.ambiguous, figures.counts.missed) = (ambiguous, 2);
            samples::target(url, vec![figures])
        };
        let one = samples::report(vec![target("ws://a/", 300, 2)]);
        let truth = |text: &str| expression(text).evaluate(&one);
        let why = "300 ms, but app RTTs are upper bounds: 2 answers carried no id while several requests were outstanding; give the request an id or lengthen the interval";
        assert_eq!(truth("rtt.p95>200ms"), Truth::TrueOfBounds(why.to_string()));
        assert!(truth("rtt.p95>400ms").is_false(), "an upper bound below the limit is enough");
        assert_eq!(truth("loss>1%"), Truth::True("50 %".to_string()), "counts are exact");
        let two = samples::report(vec![target("ws://a/", 300, 2), target("ws://b/", 250, 0)]);
        let exact = Truth::True("250 ms at ws://b/".to_string());
        assert_eq!(expression("rtt.p95>200ms").evaluate(&two), exact);
    }

    #[test]
    fn missing_outage_is_unknown() {
        let mut target = samples::target("ws://a/", vec![samples::kind(HeartbeatKind::Protocol, &[5])]);
        target.connections[0].outage = None;
        let unknown = Truth::Unknown("outage was not measured".to_string());
        assert_eq!(expression("outage>1s").evaluate(&samples::report(vec![target])), unknown);
    }

    #[test]
    fn time_without_unit_is_rejected() {
        assert_eq!(
            refusal("rtt.p95>200"),
            "'rtt.p95>200' has a bad limit: '200' has no unit: a plain number would be seconds; write \
             200ms or 200s; rtt.p95 takes a duration with its unit (us, ms, s, m, h, d), such as 200ms"
        );
    }

    #[test]
    fn status_is_parsed_by_name() {
        for status in Status::iter() {
            assert_eq!(status.label().parse(), Ok(status));
        }
        assert_eq!(
            "bad".parse::<Status>().unwrap_err().to_string(),
            "'bad' is not a status: known are healthy, degraded, poor, critical, unknown, timeout, dead"
        );
    }

    #[test]
    fn unknown_is_never_at_or_worse_than_a_status() {
        let poor: FailOn = "poor".parse().unwrap();
        assert_eq!(poor, FailOn::default());
        let rejected: Vec<_> = Status::iter().filter(|status| poor.rejects(*status)).collect();
        assert_eq!(rejected, [Status::Poor, Status::Critical, Status::Timeout, Status::Dead]);
        assert_eq!(
            "unknown".parse::<FailOn>().unwrap_err().to_string(),
            "'unknown' is not a status: known are healthy, degraded, poor, critical, timeout, dead"
        );
    }
}
