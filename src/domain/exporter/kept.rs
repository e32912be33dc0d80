//! The metrics of targets whose connections are kept: counted from their events, for as long as the process lives.

use std::collections::BTreeMap;
use std::time::Duration;

use strum::IntoEnumIterator;

use super::idle::{self, IdleProbeResult};
use super::live::{LiveTarget, RecentHeartbeats};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName};
use crate::domain::exposition::{FamilyUnit, Histogram, MetricFamily, Sample, SampleLabel};
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::label::Label;
use crate::domain::ping::event::{ConnEvent, HeartbeatResult};
use crate::domain::ping::health::Status;
use crate::domain::ping::outage_tracker::OutageTracker;

/// The first upper bound of the histograms, in seconds, and how often it doubles: up to 28 minutes.
const FIRST_BOUND: f64 = 0.000_05;
const BOUNDS: usize = 26;

/// What is counted of one target.
#[derive(Debug, Clone)]
pub struct KeptTarget {
    /// `target` and the labels that the user gave it.
    labels: Vec<SampleLabel>,
    /// Of its heartbeats: the timeout, and from which silence on it is away.
    timeout: Duration,
    outage_after: Duration,
    kinds: Vec<KindCounts>,
    lag: Histogram,
    opened: u64,
    failed_openings: BTreeMap<&'static str, u64>,
    endings: BTreeMap<(&'static str, &'static str, String), u64>,
    status: Status,
    /// When the open connection was opened.
    opened_at: Option<Duration>,
    tls_days_left: Option<i64>,
    outages: OutageTracker,
    retransmits: Retransmits,
    recent: RecentHeartbeats,
    /// What the latest scheduled `probe-idle` found.
    idle: Option<IdleProbeResult>,
}

/// TCP retransmits, as far as they were looked for: at spikes of the RTT, and at the end of a connection.
#[derive(Debug, Clone, Copy, Default)]
struct Retransmits {
    /// `None` until they could be counted.
    of_ended: Option<u64>,
    of_open: Option<u64>,
}

impl Retransmits {
    fn add(&mut self, number: u32) {
        *self.of_open.get_or_insert_default() += u64::from(number);
    }

    /// The connection ended, and TCP counted this many in all.
    fn ended(&mut self, number: Option<u32>) {
        let seen = self.of_open.take().max(number.map(u64::from));
        self.of_ended = self.total_with(seen);
    }

    fn total(self) -> Option<u64> {
        self.total_with(self.of_open)
    }

    fn total_with(self, of_open: Option<u64>) -> Option<u64> {
        self.of_ended.map_or(of_open, |ended| Some(ended + of_open.unwrap_or_default()))
    }
}

#[derive(Debug, Clone)]
struct KindCounts {
    kind: HeartbeatKind,
    /// By the first outcome that was reported.
    outcomes: BTreeMap<&'static str, u64>,
    /// Outcomes that a reply corrected later, by both.
    corrected: BTreeMap<(&'static str, &'static str), u64>,
    rtts: Histogram,
}

impl KeptTarget {
    /// Nothing is counted yet. `labels` are beside `target`.
    pub fn new(
        target: String,
        labels: &BTreeMap<String, String>,
        kinds: &[HeartbeatKind],
        (timeout, outage_after): (Duration, Duration),
    ) -> KeptTarget {
        let of_kind = |kind: &HeartbeatKind| KindCounts {
            kind: *kind,
            outcomes: BTreeMap::new(),
            corrected: BTreeMap::new(),
            rtts: Histogram::doublings(FIRST_BOUND, BOUNDS),
        };
        KeptTarget {
            labels: shown_labels(target, labels),
            timeout,
            outage_after,
            kinds: kinds.iter().map(of_kind).collect(),
            lag: Histogram::doublings(FIRST_BOUND, BOUNDS),
            opened: 0,
            failed_openings: BTreeMap::new(),
            endings: BTreeMap::new(),
            status: Status::Unknown,
            opened_at: None,
            tls_days_left: None,
            outages: OutageTracker::default(),
            retransmits: Retransmits::default(),
            recent: RecentHeartbeats::default(),
            idle: None,
        }
    }

    /// Replaces the labels beside `target`.
    pub fn relabel(&mut self, target: String, labels: &BTreeMap<String, String>) {
        self.labels = shown_labels(target, labels);
    }

    /// Notes what a scheduled `probe-idle` found.
    pub fn note_idle(&mut self, result: IdleProbeResult) {
        self.idle = Some(result);
    }

    /// Counts an event. `now` is the time since the start, by a clock that is never set.
    pub fn observe(&mut self, now: Duration, event: &ConnEvent) {
        self.outages.observe(now, event, self.timeout, self.outage_after);
        match event {
            ConnEvent::Opened(info) => {
                self.opened += 1;
                self.opened_at = Some(now);
                self.tls_days_left = info.tls.as_ref().and_then(|tls| tls.days_left);
            }
            ConnEvent::OpenFailed(error) => {
                *self.failed_openings.entry(error.phase.label()).or_default() += 1;
            }
            ConnEvent::Heartbeat(beat) => {
                self.count(beat);
                self.recent.note(now, beat);
            }
            ConnEvent::Status(change) if change.kind.is_none() => self.status = change.to,
            ConnEvent::Ended(ending) => {
                self.opened_at = None;
                self.retransmits.ended(ending.tcp.as_ref().map(|tcp| tcp.retransmits));
                let key = (ending.who.label(), CloseKindName::from(&ending.how).label(), code_label(ending));
                *self.endings.entry(key).or_default() += 1;
            }
            _ => {}
        }
    }

    fn count(&mut self, beat: &HeartbeatResult) {
        if let Some(lag) = beat.lag.filter(|_| beat.was.is_none()) {
            self.lag.observe(lag.as_secs_f64());
        }
        if let Some(number) = beat.sent_again {
            self.retransmits.add(number);
        }
        let Some(kind) = self.kinds.iter_mut().find(|kind| kind.kind == beat.kind) else { return };
        match beat.was {
            None => *kind.outcomes.entry(beat.outcome.label()).or_default() += 1,
            Some(was) if was != beat.outcome => {
                *kind.corrected.entry((was.label(), beat.outcome.label())).or_default() += 1;
            }
            Some(_) => {}
        }
        if let Some(rtt) = beat.first_rtt() {
            kind.rtts.observe(rtt.as_secs_f64());
        }
    }

    /// The target as it is now, for a page. `now` as for [`Self::observe`].
    pub fn live(&self, id: u64, now: Duration) -> LiveTarget {
        let label = |wanted: &str| self.labels.iter().find(|(name, _)| name == wanted);
        let text = |wanted: &str| label(wanted).map(|(_, value)| value.clone());
        LiveTarget {
            id,
            name: text("name"),
            url: text("target").unwrap_or_default(),
            status: self.status,
            is_up: self.is_up(),
            open_for: self.opened_at.map(|at| now.saturating_sub(at)),
            recent: self.recent.clone(),
            outages: self.outages.report(now),
        }
    }

    fn sample<T>(&self, value: T) -> Sample<T> {
        Sample { labels: self.labels.clone(), value }
    }

    /// Whether the connection is open and answers.
    pub fn is_up(&self) -> bool {
        self.opened_at.is_some() && !self.outages.is_away()
    }
}

fn shown_labels(target: String, labels: &BTreeMap<String, String>) -> Vec<SampleLabel> {
    let own = labels.iter().map(|(name, value)| (name.clone().into(), value.clone()));
    [("target".into(), target)].into_iter().chain(own).collect()
}

/// The code of a close frame as a label of few values.
fn code_label(ending: &CloseCause) -> String {
    match &ending.how {
        CloseKind::CloseFrame { code: Some(code @ 1000..=1015), .. } => code.to_string(),
        CloseKind::CloseFrame { code: Some(3000..=3999), .. } => "3xxx".to_string(),
        CloseKind::CloseFrame { code: Some(4000..=4999), .. } => "4xxx".to_string(),
        CloseKind::CloseFrame { code: Some(_), .. } => "other".to_string(),
        _ => "none".to_string(),
    }
}

/// The metrics of all targets. `now` as for [`KeptTarget::observe`].
pub fn families(targets: &[KeptTarget], now: Duration) -> Vec<MetricFamily> {
    let mut families = of_heartbeats(targets);
    families.extend(of_connections(targets, now));
    families.extend(of_outages(targets, now));
    let probed: Vec<_> =
        targets.iter().filter_map(|target| Some((target.labels.as_slice(), target.idle?))).collect();
    families.extend(idle::families(&probed, now));
    families
}

fn of_heartbeats(targets: &[KeptTarget]) -> Vec<MetricFamily> {
    let kinds = || targets.iter().flat_map(|target| target.kinds.iter().map(move |kind| (target, kind)));
    let outcomes = kinds().flat_map(|(target, kind)| {
        HeartbeatOutcome::iter().map(move |outcome| {
            let count = kind.outcomes.get(outcome.label()).copied().unwrap_or_default();
            target.sample(count as f64).with("kind", kind.kind.label()).with("outcome", outcome.label())
        })
    });
    let corrected = kinds().flat_map(|(target, kind)| {
        kind.corrected.iter().map(move |((from, to), count)| {
            target.sample(*count as f64).with("kind", kind.kind.label()).with("from", *from).with("to", *to)
        })
    });
    let rtts = kinds().map(|(target, kind)| target.sample(kind.rtts.clone()).with("kind", kind.kind.label()));
    let lag = targets.iter().map(|target| target.sample(target.lag.clone()));
    vec![
        MetricFamily::counter(
            "wscheck_probe_heartbeats",
            FamilyUnit::None,
            "Heartbeats by the outcome that was known first.",
            outcomes.collect(),
        ),
        MetricFamily::counter(
            "wscheck_probe_heartbeats_corrected",
            FamilyUnit::None,
            "Outcomes that a reply corrected later.",
            corrected.collect(),
        ),
        MetricFamily::histogram(
            "wscheck_probe_rtt",
            FamilyUnit::Seconds,
            "RTT of answered heartbeats, late ones included.",
            rtts.collect(),
        ),
        MetricFamily::histogram(
            "wscheck_probe_host_lag",
            FamilyUnit::Seconds,
            "How late this host sent heartbeats.",
            lag.collect(),
        ),
    ]
}

fn of_connections(targets: &[KeptTarget], now: Duration) -> Vec<MetricFamily> {
    let gauge = |name: &'static str, unit, help: &'static str, value: &dyn Fn(&KeptTarget) -> Option<f64>| {
        let samples = targets.iter().filter_map(|target| Some(target.sample(value(target)?)));
        MetricFamily::gauge(name, unit, help, samples.collect())
    };
    let age = |target: &KeptTarget| Some(now.saturating_sub(target.opened_at?).as_secs_f64());
    let up = |target: &KeptTarget| Some(f64::from(u8::from(target.is_up())));
    let days_left = |target: &KeptTarget| Some(target.tls_days_left? as f64);
    let statuses = targets.iter().flat_map(|target| {
        Status::iter().map(move |status| {
            let is_it = f64::from(u8::from(target.status == status));
            target.sample(is_it).with("status", status.label())
        })
    });
    let own = vec![
        gauge("wscheck_probe_up", FamilyUnit::None, "Whether the connection is open and answers.", &up),
        gauge("wscheck_probe_connection_age", FamilyUnit::Seconds, "Age of the open connection.", &age),
        gauge(
            "wscheck_probe_certificate",
            FamilyUnit::Days,
            "Whole days until the server's certificate expires, at the last opening.",
            &days_left,
        ),
        MetricFamily::gauge(
            "wscheck_probe_status",
            FamilyUnit::None,
            "The status by the latest heartbeats: 1 for the current one, 0 for the others.",
            statuses.collect(),
        ),
    ];
    own.into_iter().chain(of_openings(targets)).collect()
}

/// How connections began and ended.
fn of_openings(targets: &[KeptTarget]) -> [MetricFamily; 4] {
    let retransmits =
        targets.iter().filter_map(|target| Some(target.sample(target.retransmits.total()? as f64)));
    let opened = targets.iter().map(|target| target.sample(target.opened as f64));
    let failed = targets.iter().flat_map(|target| {
        let each = target.failed_openings.iter();
        each.map(|(phase, count)| target.sample(*count as f64).with("phase", *phase))
    });
    let endings = targets.iter().flat_map(|target| {
        target.endings.iter().map(|((who, how, code), count)| {
            target.sample(*count as f64).with("who", *who).with("how", *how).with("code", code.as_str())
        })
    });
    let counter = |name: &'static str, help: &'static str, samples| {
        MetricFamily::counter(name, FamilyUnit::None, help, samples)
    };
    [
        counter("wscheck_probe_opened", "Connections that were opened.", opened.collect()),
        counter(
            "wscheck_probe_failed_openings",
            "Attempts to open that failed, by the step that failed.",
            failed.collect(),
        ),
        counter("wscheck_probe_endings", "How connections ended.", endings.collect()),
        counter(
            "wscheck_probe_retransmits",
            "TCP retransmits, as far as they were looked for: at RTT spikes and at the end of connections.",
            retransmits.collect(),
        ),
    ]
}

fn of_outages(targets: &[KeptTarget], now: Duration) -> Vec<MetricFamily> {
    let of = |target: &KeptTarget| target.outages.report(now);
    let counts = targets.iter().map(|target| target.sample(of(target).count as f64));
    let seconds = targets.iter().map(|target| target.sample(of(target).total().as_secs_f64()));
    vec![
        MetricFamily::counter(
            "wscheck_probe_outages",
            FamilyUnit::None,
            "Outages, the current one included.",
            counts.collect(),
        ),
        MetricFamily::counter(
            "wscheck_probe_outage",
            FamilyUnit::Seconds,
            "Time from the last proof of life to the first answer after it, of all outages together.",
            seconds.collect(),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use super::*;
    use crate::domain::connection::close_cause::ClosedBy;
    use crate::domain::connection::connect_info::ConnectInfo;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::exposition::encode;
    use crate::domain::idle::IdleVerdict;
    use crate::domain::run::bracket::Bracket;

    fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    fn beat(
        seq: u64,
        outcome: HeartbeatOutcome,
        was: Option<HeartbeatOutcome>,
        rtt: Option<u64>,
    ) -> ConnEvent {
        ConnEvent::Heartbeat(HeartbeatResult {
            kind: HeartbeatKind::Protocol,
            seq,
            outcome,
            was,
            rtt: rtt.map(ms),
            lag: was.is_none().then_some(ms(0)),
            to_wire: None,
            from_wire: None,
            acked: None,
            later_answered: false,
            exhausted_window: None,
            sent_again: None,
            rivals: 1,
        })
    }

    fn closed(code: u16) -> ConnEvent {
        ConnEvent::Ended(Arc::new(CloseCause {
            who: ClosedBy::Peer,
            how: CloseKind::CloseFrame { code: Some(code), reason: UntrustedText::new("") },
            reply: None,
            os_error: None,
            tcp: None,
            age: ms(1000),
            idle: ms(0),
            at: SystemTime::UNIX_EPOCH,
        }))
    }

    fn target() -> KeptTarget {
        let labels = BTreeMap::from([("team".to_string(), "a\"b\\".to_string())]);
        let kinds = [HeartbeatKind::Protocol];
        KeptTarget::new("ws://a.example/".to_string(), &labels, &kinds, (ms(500), ms(500)))
    }

    fn text(target: KeptTarget, now: u64) -> String {
        encode(&families(&[target], ms(now)))
    }

    #[test]
    fn every_outcome_is_counted_once_and_corrections_apart() {
        let mut target = target();
        target.observe(ms(0), &ConnEvent::Opened(Arc::new(ConnectInfo::default())));
        target.observe(ms(1001), &beat(0, HeartbeatOutcome::Ok, None, Some(1)));
        target.observe(ms(2500), &beat(1, HeartbeatOutcome::Missed, None, None));
        target
            .observe(ms(3000), &beat(1, HeartbeatOutcome::Late, Some(HeartbeatOutcome::Missed), Some(1000)));
        let text = text(target, 4000);
        let lines: Vec<&str> = text.lines().collect();
        let own = r#"target="ws://a.example/",team="a\"b\\",kind="protocol""#;
        for line in [
            format!(r#"wscheck_probe_heartbeats_total{{{own},outcome="ok"}} 1"#),
            format!(r#"wscheck_probe_heartbeats_total{{{own},outcome="missed"}} 1"#),
            format!(r#"wscheck_probe_heartbeats_total{{{own},outcome="late"}} 0"#),
            format!(r#"wscheck_probe_heartbeats_corrected_total{{{own},from="missed",to="late"}} 1"#),
            format!("wscheck_probe_rtt_seconds_count{{{own}}} 2"),
            // From 1.001 s to 3 s.
            r#"wscheck_probe_outage_seconds_total{target="ws://a.example/",team="a\"b\\"} 1.999"#.to_string(),
        ] {
            assert!(lines.contains(&line.as_str()), "{line}\n{text}");
        }
    }

    /// 2 and 1 at spikes; TCP counted 5 in all of the first connection, and nothing is known of the second.
    #[test]
    fn retransmits_are_counted_once() {
        let mut target = target();
        assert!(!text(target.clone(), 0).contains("wscheck_probe_retransmits_total{"));
        let mut spike = |number| {
            let ConnEvent::Heartbeat(beat) = beat(0, HeartbeatOutcome::Ok, None, Some(1)) else {
                unreachable!()
            };
            target
                .observe(ms(1), &ConnEvent::Heartbeat(HeartbeatResult { sent_again: Some(number), ..beat }));
            target.retransmits.total()
        };
        assert_eq!([spike(2), spike(1)], [Some(2), Some(3)]);
        target.retransmits.ended(Some(5));
        assert_eq!(target.retransmits.total(), Some(5));
        target.retransmits.ended(None);
        assert_eq!(target.retransmits.total(), Some(5));
        target.retransmits.add(1);
        assert!(
            text(target, 9).contains(
                "wscheck_probe_retransmits_total{target=\"ws://a.example/\",team=\"a\\\"b\\\\\"} 6"
            )
        );
    }

    #[test]
    fn latest_idle_probe_is_shown_with_its_age() {
        let mut target = target();
        let bracket = Bracket { lo: Some(ms(59_000)), hi: None };
        let verdict = IdleVerdict::NoTimeoutUpToMax;
        target.note_idle(IdleProbeResult { verdict, bracket, at: ms(2000) });
        target.relabel("ws://a.example/".to_string(), &BTreeMap::new());
        let text = text(target, 5000);
        let own = r#"target="ws://a.example/""#;
        for line in [
            format!("wscheck_probe_idle_timeout_lower_seconds{{{own}}} 59"),
            format!("wscheck_probe_idle_age_seconds{{{own}}} 3"),
            format!("wscheck_probe_idle_verdict{{{own},verdict=\"no_timeout_up_to_max\"}} 1"),
            format!("wscheck_probe_idle_verdict{{{own},verdict=\"idle_timeout\"}} 0"),
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
        assert!(!text.contains("wscheck_probe_idle_timeout_upper"), "{text}");
    }

    #[test]
    fn connection_that_ended_is_down_until_it_is_open_again() {
        let mut target = target();
        let own = r#"{target="ws://a.example/",team="a\"b\\"}"#;
        target.observe(ms(0), &ConnEvent::Opened(Arc::new(ConnectInfo::default())));
        target.observe(ms(1000), &closed(4321));
        let down = text(target.clone(), 5000);
        assert!(down.contains(&format!("wscheck_probe_up{own} 0")), "{down}");
        assert!(!down.contains("wscheck_probe_connection_age_seconds{"), "{down}");
        assert!(down.contains(r#"who="peer",how="close_frame",code="4xxx"} 1"#), "{down}");
        target.observe(ms(6000), &ConnEvent::Opened(Arc::new(ConnectInfo::default())));
        let up = text(target, 8000);
        assert!(up.contains(&format!("wscheck_probe_up{own} 1")), "{up}");
        assert!(up.contains(&format!("wscheck_probe_connection_age_seconds{own} 2")), "{up}");
        assert!(up.contains(&format!("wscheck_probe_outage_seconds_total{own} 6")), "{up}");
    }
}
