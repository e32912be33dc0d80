//! Scripted runs of `doctor`: the reports of the other commands' scripts, and what the first checks saw.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError, FailureKind, RefusalResponse};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::doctor::evidence::{
    FragmentsOutcome, PathEvidence, Resolution, UpgradeChange, UpgradeVariant,
};
use crate::domain::doctor::report::{
    Depth, DoctorEvent, DoctorInfo, DoctorReport, ExaminedPath, PathInfo, judge,
};
use crate::domain::doctor::{CheckSelection, Conditions, advise, compare, examine};
use crate::domain::presets::PresetDetection;
use crate::domain::run::run_result::RunResult;
use crate::output::presenter::Presenter;
use crate::output::testing::named;
use crate::output::{idle, listen, ping};

const URL: &str = "ws://node.example:8080/ws";

/// Every scripted run, by its name.
pub fn all() -> Vec<(&'static str, Vec<DoctorEvent>)> {
    vec![("cut", cut()), ("refused", refused()), ("hops", hops()), ("unreachable", unreachable())]
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
