//! Scripted runs of `doctor`: the reports of the other commands' scripts, and what the first checks saw.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectError, ConnectInfo, FailureKind, HttpVersion, RefusalResponse,
};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::doctor::evidence::{
    BrowserPart, FragmentsOutcome, PathEvidence, Resolution, UpgradeChange, UpgradeVariant,
};
use crate::domain::doctor::feature_trial::{FeatureTrial, RepeatedTrial};
use crate::domain::doctor::report::{
    Depth, DoctorEvent, DoctorInfo, DoctorReport, ExaminedPath, PathInfo, judge,
};
use crate::domain::doctor::{CheckSelection, Conditions, advise, compare, examine};
use crate::domain::ping::report::PingReport;
use crate::domain::presets::PresetDetection;
use crate::domain::run::run_result::RunResult;
use crate::output::presenter::Presenter;
use crate::output::testing::named;
use crate::output::{idle, listen, ping};

const URL: &str = "ws://node.example:8080/ws";

/// Every scripted run, by its name.
pub fn all() -> Vec<(&'static str, Vec<DoctorEvent>)> {
    vec![
        ("cut", cut()),
        ("refused", refused()),
        ("hops", hops()),
        ("unreachable", unreachable()),
        ("browsers_fail", browsers_fail()),
        ("browsers_work", browsers_work()),
    ]
}

fn report_of<P: Presenter>(events: &[P::Event]) -> P::Report
where
    P::Report: Clone,
{
    events.iter().find_map(P::report_in).cloned().unwrap()
}

fn resolved() -> PathEvidence {
    let attempt = |address: &str, error: Option<&str>| ConnectAttempt {
        address: address.to_string(),
        took: Duration::from_micros(870),
        error: error.map(str::to_string),
    };
    PathEvidence {
        resolution: Some(Resolution::Answered {
            name: "node.example".to_string(),
            took: Duration::from_millis(12),
        }),
        addresses: vec![
            attempt("192.0.2.7:8080", None),
            attempt("[2001:db8::7]:8080", Some("no route to host (EHOSTUNREACH)")),
        ],
        ..PathEvidence::default()
    }
}

/// An open path: healthy Pings, an idle timeout, and no heartbeat of the server.
fn measured() -> PathEvidence {
    let ping = report_of::<ping::PingPresenter>(&named(ping::fixtures::all(), "healthy"));
    let idle = report_of::<idle::IdlePresenter>(&named(idle::fixtures::all(), "visible"));
    let listen = report_of::<listen::ListenPresenter>(&named(listen::fixtures::all(), "silent"));
    let opened = idle.opened.clone().unwrap();
    let foreign = UpgradeVariant {
        change: UpgradeChange::ForeignOrigin("https://wscheck.invalid".to_string()),
        outcome: Ok(opened.clone()),
    };
    let evidence = vec!["the path is typical of none".to_string()];
    PathEvidence {
        upgrade: Some(Ok(opened)),
        variants: vec![foreign],
        compression: not_agreed(),
        convention: Some(PresetDetection { preset: None, evidence }),
        fragments: Some(FragmentsOutcome::NotTried("no message is known that this server expects")),
        ping: Some(Box::new(ping)),
        idle: Some(Box::new(idle)),
        listen: Some(Box::new(listen)),
        ..resolved()
    }
}

fn refusal() -> PathEvidence {
    let text = |text: &str| UntrustedText::new(text);
    let error = ConnectError {
        url: URL.to_string(),
        phase: Phase::Upgrade,
        kind: FailureKind::UpgradeRefused,
        cause: "HTTP 426 (Upgrade Required) instead of 101".to_string(),
        hint: None,
        attempts: Vec::new(),
        reached: None,
        refusal: Some(RefusalResponse {
            status: 426,
            headers: vec![("server".to_string(), text("nginx/1.22.1"))],
            body: text("Upgrade Required ::error::\u{1b}[31m<script>alert(1)</script>"),
            saw_no_upgrade: true,
        }),
        took: Duration::from_millis(9),
    };
    PathEvidence { upgrade: Some(Err(Arc::new(error))), ..resolved() }
}

fn path(name: &str, address: Option<&str>) -> PathInfo {
    PathInfo { name: name.to_string(), address: address.map(str::to_string), is_alternative: false }
}

fn run(paths: Vec<(PathInfo, PathEvidence)>) -> Vec<DoctorEvent> {
    let info = Arc::new(DoctorInfo {
        url: URL.to_string(),
        connect_options: vec!["--resolve".to_string(), "node.example:8080:192.0.2.7".to_string()],
        depth: Depth::Normal,
        budget: Duration::from_secs(88),
        longest_silence: Duration::from_secs(65),
        paths: paths.iter().map(|(info, _)| info.clone()).collect(),
        strict: false,
    });
    let selection = CheckSelection::default();
    let conditions = Conditions {
        selection: &selection,
        depth: info.depth,
        has_hops: paths.len() > 1,
        interrupted: false,
    };
    let paths: Vec<ExaminedPath> = paths
        .into_iter()
        .map(|(info, evidence)| {
            let results = examine(&evidence, conditions);
            ExaminedPath { info, evidence, results }
        })
        .collect();
    let joined = compare(&paths).into_iter().chain(advise(&paths.last().unwrap().evidence)).collect();
    let started_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let (elapsed, result) = (Duration::from_millis(71_500), RunResult::Passed);
    let report = DoctorReport {
        info: Arc::clone(&info),
        started_at,
        elapsed,
        interrupted: false,
        paths,
        joined,
        result,
    };
    let result = judge(&report);
    let report = DoctorReport { result, ..report };
    let checked = report.paths.iter().enumerate().flat_map(|(path, examined)| {
        let event = move |result| DoctorEvent::Checked { at: started_at, path, result };
        examined.results.iter().cloned().map(event)
    });
    let started = DoctorEvent::Started { at: started_at, info };
    let events: Vec<DoctorEvent> = std::iter::once(started).chain(checked).collect();
    events.into_iter().chain([DoctorEvent::Finished(Arc::new(report))]).collect()
}

/// A path that cuts idle connections.
pub fn cut() -> Vec<DoctorEvent> {
    run(vec![(path("node.example:8080", None), measured())])
}

/// A proxy that does not pass the upgrade on.
fn refused() -> Vec<DoctorEvent> {
    run(vec![(path("node.example:8080", None), refusal())])
}

/// The upgrade works at the server and is refused behind the proxy.
fn hops() -> Vec<DoctorEvent> {
    run(vec![(path("pod", Some("10.0.0.7:8080")), measured()), (path("node.example:8080", None), refusal())])
}

/// Nothing listens.
fn unreachable() -> Vec<DoctorEvent> {
    let mut evidence = resolved();
    for attempt in &mut evidence.addresses {
        attempt.error = Some("connection refused (ECONNREFUSED)".to_string());
    }
    run(vec![(path("node.example:8080", None), evidence)])
}

/// A measurement that a trial rests on, whose connection opened so.
fn tried(change: impl FnOnce(&mut ConnectInfo)) -> PingReport {
    let mut report = report_of::<ping::PingPresenter>(&named(ping::fixtures::all(), "healthy"));
    let connection = &mut report.targets[0].connections[0];
    let mut info = connection.opened.as_deref().cloned().unwrap();
    change(&mut info);
    connection.opened = Some(Arc::new(info));
    report
}

/// The same, if it did not open.
fn not_opened(kind: FailureKind, cause: &str) -> PingReport {
    let mut report = tried(|_| {});
    let connection = &mut report.targets[0].connections[0];
    let error = ConnectError {
        url: URL.to_string(),
        phase: Phase::Upgrade,
        kind,
        cause: cause.to_string(),
        hint: None,
        attempts: Vec::new(),
        reached: None,
        refusal: None,
        took: Duration::from_millis(4),
    };
    (connection.opened, connection.open_error) = (None, Some(Arc::new(error)));
    report
}

/// A trial whose failure is one of what was tried.
fn failing(with: PingReport) -> Option<Box<FeatureTrial>> {
    let without = || tried(|_| {});
    let repeated = RepeatedTrial { without: without(), with: with.clone() };
    Some(Box::new(FeatureTrial { with, without: Some(without()), repeated: Some(repeated) }))
}

/// Compression was offered, and the server did not agree to it.
fn not_agreed() -> Option<Box<FeatureTrial>> {
    let with = tried(|info| info.compression_offered = Some("permessage-deflate".to_string()));
    Some(Box::new(FeatureTrial { with, without: None, repeated: None }))
}

/// HTTP/2 and compression fail, and what browsers send is refused for the offer of compression.
fn browsers_fail() -> Vec<DoctorEvent> {
    let cause = "HTTP 400 (Bad Request) instead of 101";
    let error = refusal().upgrade.unwrap().unwrap_err();
    let refused = |change| UpgradeVariant { change, outcome: Err(error.clone()) };
    let evidence = PathEvidence {
        variants: vec![
            refused(UpgradeChange::Browser),
            refused(UpgradeChange::PartOfBrowser(BrowserPart::Compression)),
        ],
        http2: failing(not_opened(
            FailureKind::H2RstStream,
            "the server reset the stream (PROTOCOL_ERROR) instead of answering",
        )),
        compression: failing(not_opened(FailureKind::UpgradeRefused, cause)),
        ..measured()
    };
    run(vec![(path("node.example:8080", None), evidence)])
}

/// HTTP/2 works.
fn browsers_work() -> Vec<DoctorEvent> {
    let with = tried(|info| info.http = HttpVersion::Http2);
    let trial = FeatureTrial { with, without: Some(tried(|_| {})), repeated: None };
    let evidence = PathEvidence { http2: Some(Box::new(trial)), ..measured() };
    run(vec![(path("node.example:8080", None), evidence)])
}
