//! The events of a run of `ping`, and the reports on it.

mod scenario;

use std::sync::Arc;

use arbitrary::{Result, Unstructured};

use self::scenario::Scenario;
use super::forget_secrets;
use super::rendered::{assert_has_no_controls, check_metrics, render_everywhere};
use crate::domain::ping::event::Event;
use crate::domain::ping::merge::RunMerger;
use crate::domain::ping::recorder::Recorder;
use crate::domain::ping::report::{KindReport, PingReport};
use crate::domain::stats::{Counts, JitterSummary};
use crate::output::archive::{find_report, read};
use crate::output::ping::{PingPresenter, finished, read_run};
use crate::output::{HumanOptions, Presenter, RunOrigin};

/// Beyond this many connections or targets the histograms of some are coarse, and cannot be merged exactly.
const MAX_EXACT_CONNECTIONS: usize = 32;

/// The input chooses a run (targets, connections, kinds, criteria), and then event after event: in an orderly run every
/// heartbeat is judged once and each revision is of its last outcome; else anything goes.
pub fn event_stream(data: &[u8]) {
    forget_secrets();
    let mut input = Unstructured::new(data);
    // What ends in the middle of an event ends before it.
    let _ = run(&mut input);
}

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let mut scenario = Scenario::new(input)?;
    let mut presenter = PingPresenter::new(HumanOptions { verbose: true, ..HumanOptions::default() });
    let started = Event::Started { at: scenario.start, info: Arc::clone(&scenario.info) };
    let mut events = vec![started];
    while let Ok(Some(event)) = scenario.next(input) {
        events.push(event);
    }
    events.iter().for_each(|event| show(&mut presenter, event));
    let recorded = Recorded { scenario: &scenario, events: &events };
    let report = recorded.report(|_| true);
    check(&report);
    scenario.check(&report);
    let whole = finished(RunOrigin::default(), &report);
    check_metrics(&whole.view);
    let document = render_everywhere(&whole);
    read(&document).expect("our own document");
    recorded.merge(&report, &document);
    presenter.interim_line(&report);
    show(&mut presenter, &Event::Interim(Box::new(report.clone())));
    show(&mut presenter, &Event::Finished(Box::new(report)));
    Ok(())
}

/// The lines of an event.
fn show(presenter: &mut PingPresenter, event: &Event) {
    presenter.observe(event);
    let lines = presenter.lines(event);
    assert_has_no_controls(&lines.stdout);
    assert_has_no_controls(&lines.stderr);
    if let Some(line) = presenter.ndjson_line(event) {
        assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "not JSON: {line}");
    }
    presenter.progress(event);
}

/// A run that is over.
struct Recorded<'a> {
    scenario: &'a Scenario,
    events: &'a [Event],
}

impl Recorded<'_> {
    /// The report on the events of some connections.
    fn report(&self, is_in: impl Fn(&Event) -> bool) -> PingReport {
        let Scenario { info, policy, start, .. } = self.scenario;
        let mut recorder = Recorder::new(Arc::clone(info), policy.clone(), *start);
        self.events.iter().filter(|event| is_in(event)).for_each(|event| recorder.observe(event));
        recorder.report(self.scenario.elapsed, self.scenario.interrupted)
    }

    /// The archived run is the run; and two halves of it, each with every second connection, make the whole.
    fn merge(&self, report: &PingReport, document: &str) {
        let is_exact = self.scenario.info.connections() <= MAX_EXACT_CONNECTIONS;
        let (_, unread) = find_report(document).expect("our own document");
        let archived = read_run(unread.json, "whole.json", false);
        if !(is_exact && self.scenario.is_orderly) {
            return;
        }
        let archived = archived.expect("our own document");
        assert_eq!(counts(report), counts(&archived));
        let halves = [0, 1].map(|half| {
            self.report(|event| match event {
                Event::Connection { id, .. } => (id.target + id.index) % 2 == half,
                _ => true,
            })
        });
        let [first, second] = halves;
        let mut merger = RunMerger::new(first).expect("a run");
        merger.add(second).expect("a run of the same");
        let merged = merger.judged(&self.scenario.policy);
        check(&merged);
        for (kind, of_merged) in report.kinds.iter().zip(&merged.kinds) {
            assert_eq!(kind.counts, of_merged.counts);
            assert_eq!(kind.rtt.map(|rtt| (rtt.count, rtt.min, rtt.p50, rtt.p99, rtt.max)), {
                of_merged.rtt.map(|rtt| (rtt.count, rtt.min, rtt.p50, rtt.p99, rtt.max))
            });
        }
        render_everywhere(&finished(RunOrigin::default(), &merged));
    }
}

fn counts(report: &PingReport) -> Vec<(Counts, u32)> {
    let of = |kinds: &[KindReport]| {
        kinds.iter().map(|kind| (kind.counts, kind.longest_miss_run)).collect::<Vec<_>>()
    };
    [of(&report.kinds), report.targets.iter().flat_map(|target| of(&target.kinds)).collect()].concat()
}

/// What holds of every report.
fn check(report: &PingReport) {
    assert_eq!(sum(&report.kinds), sum(report.targets.iter().flat_map(|target| &target.kinds)));
    for target in &report.targets {
        let of_connections = target.connections.iter().flat_map(|connection| &connection.kinds);
        assert_eq!(sum(&target.kinds), sum(of_connections));
        target.kinds.iter().for_each(check_kind);
        for connection in &target.connections {
            connection.kinds.iter().for_each(check_kind);
        }
    }
    report.kinds.iter().for_each(check_kind);
    let by_status = report.status_counts.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(by_status, report.connection_count());
}

fn sum<'a>(kinds: impl IntoIterator<Item = &'a KindReport>) -> Counts {
    kinds.into_iter().fold(Counts::default(), |mut sum, kind| {
        sum.add(&kind.counts);
        sum
    })
}

fn check_kind(kind: &KindReport) {
    let counts = &kind.counts;
    let parts = [counts.ok, counts.late, counts.superseded, counts.missed, counts.in_flight];
    assert_eq!(counts.sent(), parts.into_iter().fold(0, u64::saturating_add));
    assert!(counts.loss().is_none_or(|loss| (0.0..=1.0).contains(&loss)));
    let drawn = kind.histogram.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(kind.rtt.map_or(0, |rtt| rtt.count), drawn);
    assert!(kind.histogram.iter().is_sorted_by_key(|(bound, _)| *bound));
    if let Some(rtt) = kind.rtt {
        assert!([rtt.min, rtt.p50, rtt.p90, rtt.p95, rtt.p99, rtt.max].is_sorted(), "{rtt:?}");
        assert!((rtt.min..=rtt.max).contains(&rtt.mean), "{rtt:?}");
        let JitterSummary { stddev, .. } = kind.jitter;
        assert!(stddev.is_none_or(|stddev| stddev <= rtt.max - rtt.min), "{stddev:?} {rtt:?}");
    }
}
