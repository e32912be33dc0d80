//! Whether a server speaks the requested protocol; finds a wrong preset.

use std::time::Duration;

use super::finding::PingFinding;
use super::report::{ConnReport, KindReport};
use super::run_info::RunInfo;
use super::server_traffic::UnmatchedTraffic;
use crate::domain::catalogue::{HeartbeatStarter, Preset};
use crate::domain::format;

/// Server intervals without a message after which it counts as silent.
const MAX_SILENT_INTERVALS: u32 = 2;

/// Why no app heartbeat was answered, if a preset was requested or the traffic is typical of one:
///
/// - no app heartbeat was answered; some were missed, or the connection ended before
/// - no app heartbeat was echoed, and no answer had a foreign id: those are other findings
pub fn unanswered(
    info: &RunInfo,
    connections: &[ConnReport],
    app: Option<&KindReport>,
) -> Option<PingFinding> {
    let app = app.filter(|app| app.counts.answered() == 0 && app.counts.mismatched == 0)?;
    let lost = connections.iter().any(|connection| connection.lost.is_some());
    let echoes = connections.iter().any(|connection| connection.echoes > 0);
    if echoes || (app.counts.missed == 0 && !lost) {
        return None;
    }
    let (preset, traffic) = (preset(info), traffic_of(connections, preset(info)));
    (preset.is_some() || !traffic.looks_like.is_empty()).then(|| PingFinding::PresetMismatch {
        preset: preset.map(|preset| preset.name),
        before_end: app.counts.missed == 0,
        traffic,
    })
}

/// Why it is unknown whether a server speaks a preset in which the server sends first:
///
/// - the preset has no hello that is answered, and the server never sent what it should
/// - its traffic is typical of another preset, or two of its intervals passed
pub fn never_started(info: &RunInfo, connection: &ConnReport, elapsed: Duration) -> Option<String> {
    let preset = preset(info).filter(|preset| preset.starter() == HeartbeatStarter::Server)?;
    let shown = preset.first.is_some() || preset.awaited.is_some() || connection.server_pings_app > 0;
    let came = traffic_of(std::slice::from_ref(connection), Some(preset));
    let waited = preset.server_every.is_some_and(|every| elapsed >= every * MAX_SILENT_INTERVALS);
    if shown || (!waited && came.looks_like.is_empty()) {
        return None;
    }
    let every =
        preset.server_every.map(|every| format!(" every {}", format::duration(every))).unwrap_or_default();
    let suggested = came.suggested_preset().map(|name| format!(": try --preset {name}")).unwrap_or_default();
    Some(format!(
        "the server never sent the message that preset {} servers send{every}; {came}{suggested}",
        preset.name
    ))
}

fn preset(info: &RunInfo) -> Option<&'static Preset> {
    info.preset.as_ref().and_then(|used| used.preset)
}

/// What came instead of an answer.
fn traffic_of(connections: &[ConnReport], preset: Option<&Preset>) -> UnmatchedTraffic {
    let traffic = || connections.iter().filter_map(|connection| connection.server_traffic.as_ref());
    let looks_like = traffic().map(|traffic| traffic.looks_like.as_slice()).find(|looks| !looks.is_empty());
    let is_other = |looks: &&[&str]| preset.is_none_or(|preset| !looks.contains(&preset.name));
    UnmatchedTraffic {
        first: traffic().find_map(|traffic| traffic.first_other.clone()),
        nearest: traffic().find_map(|traffic| traffic.nearest.clone()),
        looks_like: looks_like.filter(is_other).unwrap_or_default().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::report::samples;
    use super::super::server_traffic::ServerTraffic;
    use super::*;
    use crate::domain::catalogue::find_preset;
    use crate::domain::connection::untrusted_text::UntrustedText;
    use crate::domain::heartbeat::HeartbeatKind;
    use crate::domain::presets::PresetSelection;
    use crate::domain::stats::Counts;

    fn info(name: &str) -> RunInfo {
        let preset = (!name.is_empty()).then(|| PresetSelection::of(find_preset(name).unwrap(), None, &[]));
        RunInfo { preset, ..samples::report(Vec::new()).info.as_ref().clone() }
    }

    fn throttle(first: &str, looks_like: &[&'static str]) -> ConnReport {
        let first_other = (!first.is_empty()).then(|| UntrustedText::new(first));
        let server_traffic =
            ServerTraffic { first_other, looks_like: looks_like.to_vec(), ..ServerTraffic::default() };
        ConnReport { server_traffic: Some(Arc::new(server_traffic)), ..samples::connection(0) }
    }

    fn missed(missed: u64) -> KindReport {
        KindReport {
            counts: Counts { missed, ..Counts::default() },
            ..samples::kind(HeartbeatKind::App, &[])
        }
    }

    fn finding(name: &str, connection: ConnReport, missed_asks: u64) -> Option<PingFinding> {
        unanswered(&info(name), &[connection], Some(&missed(missed_asks)))
    }

    #[test]
    fn preset_mismatch_has_what_the_server_sent() {
        let found = |preset: Option<&'static str>, first: &str, looks_like: &[&'static str]| {
            let first = (!first.is_empty()).then(|| UntrustedText::new(first));
            let traffic = UnmatchedTraffic { first, nearest: None, looks_like: looks_like.to_vec() };
            Some(PingFinding::PresetMismatch { preset, before_end: false, traffic })
        };
        let phoenix = |first: &str, looks: &[&'static str]| finding("phoenix", throttle(first, looks), 3);
        assert_eq!(phoenix("h", &["sockjs"]), found(Some("phoenix"), "h", &["sockjs"]));
        assert_eq!(phoenix("h", &["sockjs", "phoenix"]), found(Some("phoenix"), "h", &[]));
        assert_eq!(phoenix("", &[]), found(Some("phoenix"), "", &[]));
        assert_eq!(finding("", throttle("h", &["sockjs"]), 3), found(None, "h", &["sockjs"]));
        assert_eq!(finding("", throttle("hello", &[]), 3), None, "another rule reports that");
    }

    #[test]
    fn unmatched_traffic_is_described() {
        let described =
            |first: &str, looks: &[&'static str]| traffic_of(&[throttle(first, looks)], None).to_string();
        assert_eq!(
            described("h", &["sockjs", "phoenix"]),
            "received 'h', which looks like sockjs or phoenix"
        );
        assert_eq!(described("hello", &[]), "the first received: 'hello'");
        assert_eq!(described("", &[]), "no message was received");
    }

    #[test]
    fn no_mismatch_if_another_finding_explains_it() {
        assert_eq!(finding("phoenix", ConnReport { echoes: 1, ..throttle("", &[]) }, 3), None);
        assert_eq!(finding("phoenix", throttle("", &[]), 0), None, "nothing was judged");
        let answered = samples::kind(HeartbeatKind::App, &[5]);
        assert_eq!(unanswered(&info("phoenix"), &[throttle("h", &["sockjs"])], Some(&answered)), None);
    }

    #[test]
    fn silent_server_of_a_server_first_preset_is_inconclusive() {
        let began = |name: &str, connection: ConnReport, seconds: u64| {
            never_started(&info(name), &connection, Duration::from_secs(seconds))
        };
        assert_eq!(
            began("huobi", throttle("", &[]), 10).unwrap(),
            "the server never sent the message that preset huobi servers send every 5 s; no message was received"
        );
        assert_eq!(began("huobi", throttle("", &[]), 9), None, "it may still begin");
        assert!(began("huobi", throttle("h", &["sockjs"]), 1).unwrap().contains("looks like sockjs"));
        let traffic = ConnReport { server_pings_app: 1, ..throttle("", &[]) };
        assert_eq!(began("huobi", traffic, 100), None);
        assert_eq!(began("engine.io", throttle("", &[]), 100), None, "its hello showed it");
        assert_eq!(began("phoenix", throttle("", &[]), 100), None, "the client begins");
    }
}
