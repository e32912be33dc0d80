//! Metric families, and Prometheus' classic text format (version 0.0.4) for all of them.
//!
//! The format: <https://prometheus.io/docs/instrumenting/exposition_formats/>. Every Prometheus reads it, and so do
//! node_exporter's textfile collector, Grafana Alloy and VictoriaMetrics.
//!
//! The crate `prometheus-client` is declined: it writes OpenMetrics, which has another content type, takes `_total` off the
//! names in `# TYPE` lines, ends in `# EOF`, and is not read by the textfile collector. Its registry also collects live values
//! of its own types, while everything here is rendered from values that exist already.

use std::borrow::Cow;
use std::fmt::Write;

/// The media type of the format.
pub const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The name and value of a label.
pub type SampleLabel = (Cow<'static, str>, String);

/// All samples of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricFamily {
    /// Without its unit, and without the `_total` of counters.
    pub name: Cow<'static, str>,
    /// What it is, in one line.
    pub help: Cow<'static, str>,
    pub unit: FamilyUnit,
    pub samples: Samples,
}

/// A metric's unit: the end of its name (<https://prometheus.io/docs/practices/naming/>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FamilyUnit {
    /// A number of things, a state, or a name that blackbox_exporter has set.
    None,
    Seconds,
    /// A fraction of 1.
    Ratio,
    Days,
}

/// The samples of a family, which all have one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// Only grow while the process runs.
    Counter(Vec<Sample<f64>>),
    Gauge(Vec<Sample<f64>>),
    Histogram(Vec<Sample<Histogram>>),
}

/// A value with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<T> {
    /// In this order. Each name occurs once.
    pub labels: Vec<SampleLabel>,
    pub value: T,
}

impl<T> Sample<T> {
    /// A sample without labels.
    pub fn plain(value: T) -> Sample<T> {
        Sample { labels: Vec::new(), value }
    }

    /// The same sample with one more label.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Sample<T> {
        self.labels.push((name.into(), value.into()));
        self
    }
}

/// How often values fell into classic buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Upper bounds, inclusive, each larger than the one before. The bucket `+Inf` follows.
    bounds: Vec<f64>,
    /// Of each bucket by itself, `+Inf` included.
    counts: Vec<u64>,
    sum: f64,
}

impl Histogram {
    /// An empty histogram whose upper bounds are `first` and its doublings.
    pub fn doublings(first: f64, number: usize) -> Histogram {
        let bounds = std::iter::successors(Some(first), |bound| Some(bound * 2.0)).take(number).collect();
        Histogram { bounds, counts: vec![0; number + 1], sum: 0.0 }
    }

    /// Counts a value.
    pub fn observe(&mut self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        self.counts[bucket] += 1;
        self.sum += value;
    }

    /// The bounds as `le` shows them, with the number of values up to each.
    fn cumulative(&self) -> impl Iterator<Item = (String, u64)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]).map(number);
        let mut so_far = 0;
        bounds.zip(&self.counts).map(move |(bound, count)| {
            so_far += count;
            (bound, so_far)
        })
    }

    fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

impl MetricFamily {
    /// A gauge.
    pub fn gauge(
        name: impl Into<Cow<'static, str>>,
        unit: FamilyUnit,
        help: impl Into<Cow<'static, str>>,
        samples: Vec<Sample<f64>>,
    ) -> MetricFamily {
        MetricFamily { name: name.into(), help: help.into(), unit, samples: Samples::Gauge(samples) }
    }

    /// A counter, whose name ends in `_total`.
    pub fn counter(
        name: impl Into<Cow<'static, str>>,
        unit: FamilyUnit,
        help: impl Into<Cow<'static, str>>,
        samples: Vec<Sample<f64>>,
    ) -> MetricFamily {
        MetricFamily { name: name.into(), help: help.into(), unit, samples: Samples::Counter(samples) }
    }

    /// A histogram.
    pub fn histogram(
        name: impl Into<Cow<'static, str>>,
        unit: FamilyUnit,
        help: impl Into<Cow<'static, str>>,
        samples: Vec<Sample<Histogram>>,
    ) -> MetricFamily {
        MetricFamily { name: name.into(), help: help.into(), unit, samples: Samples::Histogram(samples) }
    }

    /// The name with its unit, and with `_total` if it is a counter.
    pub fn full_name(&self) -> String {
        let unit = match self.unit {
            FamilyUnit::None => "",
            FamilyUnit::Seconds => "_seconds",
            FamilyUnit::Ratio => "_ratio",
            FamilyUnit::Days => "_days",
        };
        let end = match self.samples {
            Samples::Counter(_) => "_total",
            Samples::Gauge(_) | Samples::Histogram(_) => "",
        };
        format!("{}{unit}{end}", self.name)
    }
}

/// The text of these families. A family without samples is left out.
pub fn encode(families: &[MetricFamily]) -> String {
    let mut text = String::new();
    for family in families {
        let name = family.full_name();
        match &family.samples {
            Samples::Counter(samples) => numbers(&mut text, family, &name, "counter", samples),
            Samples::Gauge(samples) => numbers(&mut text, family, &name, "gauge", samples),
            Samples::Histogram(samples) => {
                head(&mut text, family, &name, "histogram", samples.is_empty());
                samples.iter().for_each(|sample| histogram(&mut text, &name, sample));
            }
        }
    }
    text
}

fn numbers(text: &mut String, family: &MetricFamily, name: &str, kind: &str, samples: &[Sample<f64>]) {
    head(text, family, name, kind, samples.is_empty());
    for sample in samples {
        let labels = shown_labels(&sample.labels);
        let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
        let _ = writeln!(text, "{name}{labels} {}", number(sample.value));
    }
}

fn histogram(text: &mut String, name: &str, sample: &Sample<Histogram>) {
    let (labels, histogram) = (shown_labels(&sample.labels), &sample.value);
    let comma = if labels.is_empty() { "" } else { "," };
    for (bound, count) in histogram.cumulative() {
        let _ = writeln!(text, "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {count}");
    }
    let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
    let _ = writeln!(text, "{name}_sum{labels} {}", number(histogram.sum));
    let _ = writeln!(text, "{name}_count{labels} {}", histogram.count());
}

/// Writing to a String cannot fail.
fn head(text: &mut String, family: &MetricFamily, name: &str, kind: &str, is_empty: bool) {
    if !is_empty {
        let help = escaped(&family.help, false);
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
}

/// Labels without their braces.
fn shown_labels(labels: &[SampleLabel]) -> String {
    let shown = labels.iter().map(|(key, value)| format!("{}=\"{}\"", label_name(key), escaped(value, true)));
    shown.collect::<Vec<_>>().join(",")
}

fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_string();
    }
    value.to_string()
}

/// A label's name: what the format does not allow becomes `_`.
fn label_name(name: &str) -> Cow<'_, str> {
    let is_allowed =
        |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
    if !name.is_empty() && name.chars().enumerate().all(is_allowed) {
        return Cow::Borrowed(name);
    }
    let kept = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
    let start = name.chars().next().filter(|c| !c.is_ascii_digit()).map_or("_", |_| "");
    Cow::Owned(start.chars().chain(kept).collect())
}

/// Text as the format wants it: in help a backslash and a line feed are escaped, in labels a quote, too.
fn escaped(text: &str, is_label: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if is_label { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_and_units_are_named() {
        let families = [
            MetricFamily::gauge("probe_success", FamilyUnit::None, "whether", vec![Sample::plain(1.0)]),
            MetricFamily::counter("x_wait", FamilyUnit::Seconds, "how long", vec![Sample::plain(0.5)]),
            MetricFamily::gauge("nothing", FamilyUnit::Ratio, "left out", Vec::new()),
        ];
        assert_eq!(
            encode(&families),
            "# HELP probe_success whether\n# TYPE probe_success gauge\nprobe_success 1\n\
             # HELP x_wait_seconds_total how long\n# TYPE x_wait_seconds_total counter\nx_wait_seconds_total 0.5\n"
        );
    }

    /// Worked out by hand: a value at a bound belongs to that bucket.
    #[test]
    fn histogram_counts_up_to_each_bound() {
        let mut histogram = Histogram::doublings(0.25, 3);
        for value in [0.25, 0.26, 0.5, 1.0, 1.5] {
            histogram.observe(value);
        }
        let sample = Sample::plain(histogram).with("target", "a");
        let text = encode(&[MetricFamily::histogram("rtt", FamilyUnit::Seconds, "h", vec![sample])]);
        assert_eq!(
            text,
            "# HELP rtt_seconds h\n# TYPE rtt_seconds histogram\n\
             rtt_seconds_bucket{target=\"a\",le=\"0.25\"} 1\n\
             rtt_seconds_bucket{target=\"a\",le=\"0.5\"} 3\n\
             rtt_seconds_bucket{target=\"a\",le=\"1\"} 4\n\
             rtt_seconds_bucket{target=\"a\",le=\"+Inf\"} 5\n\
             rtt_seconds_sum{target=\"a\"} 3.51\n\
             rtt_seconds_count{target=\"a\"} 5\n"
        );
    }

    #[test]
    fn numbers_are_what_prometheus_reads() {
        let shown = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.00005, 1_717_113_599.0].map(number);
        assert_eq!(shown, ["+Inf", "-Inf", "NaN", "0.00005", "1717113599"]);
    }

    #[test]
    fn hostile_labels_stay_in_their_place() {
        let sample = Sample {
            labels: vec![("7 a{\"".into(), "x\"} 1\nwscheck_up 0\\".to_string()), ("".into(), "é\r".into())],
            value: 1.0,
        };
        let text = encode(&[MetricFamily::gauge("a", FamilyUnit::None, "b\\\nc", vec![sample])]);
        assert_eq!(
            text,
            "# HELP a b\\\\\\nc\n# TYPE a gauge\na{_7_a__=\"x\\\"} 1\\nwscheck_up 0\\\\\",_=\"é\r\"} 1\n"
        );
    }

    proptest! {
        #[test]
        fn label_value_returns_when_read_back(value in "\\PC*|[\\\\\"\n]*") {
            let sample = Sample::plain(1.0).with("l", value.clone());
            let text = encode(&[MetricFamily::gauge("a", FamilyUnit::None, "", vec![sample])]);
            prop_assert_eq!(text.lines().count(), 3);
            let shown = text.lines().nth(2).unwrap();
            let shown = shown.strip_prefix("a{l=\"").unwrap().strip_suffix("\"} 1").unwrap();
            let mut read = String::new();
            let mut chars = shown.chars();
            while let Some(c) = chars.next() {
                read.push(match c {
                    '\\' if chars.as_str().starts_with('n') => chars.next().map(|_| '\n').unwrap(),
                    '\\' => chars.next().unwrap(),
                    '"' => panic!("an unescaped quote"),
                    c => c,
                });
            }
            prop_assert_eq!(read, value);
        }
    }
}
