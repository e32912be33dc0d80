//! A scripted run with every event of a server.

use std::time::{Duration, SystemTime};

use crate::commands::serve::{ServeReport, ServeRunEvent};
use crate::domain::client_test::activity::ClientActivity;
use crate::domain::client_test::connection_record::{ConnectionEnd, ConnectionRecord, FaultKind, FaultOnset};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName, ClosedBy};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::StatusChange;
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::stats::Counts;
use crate::output::testing::HOSTILE;
use crate::server::faults::CutAction;
use crate::server::{
    ClientSnapshot, ClientStats, FaultAction, HeartbeatStats, ListenAddress, RejectedConnection, ServeEvent,
    ServeEventKind, ServerSnapshot, ServerSummary, TlsIdentityInfo,
};

const MS: Duration = Duration::from_millis(1);

fn client() -> ClientSnapshot {
    let mut beat = HeartbeatStats::new(HeartbeatKind::Protocol);
    beat.record(0, HeartbeatOutcome::Ok, None, Some(20 * MS), true);
    beat.record(1, HeartbeatOutcome::Ok, None, Some(30 * MS), true);
    beat.record(2, HeartbeatOutcome::Missed, None, None, false);
    ClientSnapshot {
        id: 1,
        remote: "127.0.0.1:4711".into(),
        http: HttpVersion::Http2,
        resource: "/chat?token=***".into(),
        subprotocol: Some("chat".into()),
        faulty: true,
        age: 100_000 * MS,
        idle: 40_250 * MS,
        figures: ClientStats {
            messages: 3,
            pings: 2,
            app_pings: 1,
            beats: vec![beat],
            terminated: true,
            ..ClientStats::default()
        },
    }
}

fn summary() -> ServerSummary {
    ServerSummary {
        started_at: SystemTime::UNIX_EPOCH,
        elapsed: 123_456 * MS,
        clients: 2,
        most_at_once: 2,
        rejected: 1,
        dead_clients_closed: 1,
        heartbeats: Counts { ok: 2, missed: 1, ..Counts::default() },
        endings: [
            ((ClosedBy::Peer, CloseKindName::CloseFrame), 1),
            ((ClosedBy::Us, CloseKindName::Timeout), 1),
        ]
        .into(),
        messages: 3,
        pings: 2,
        app_pings: 1,
        faults: [("silent", 1)].into(),
        activity: activity(),
    }
}

fn fault() -> FaultAction {
    FaultAction { cut: CutAction::Silent, reason: "after 5 s idle".into() }
}

fn ended(how: CloseKind, who: ClosedBy) -> ServeEventKind {
    let at = SystemTime::UNIX_EPOCH;
    let ending = CloseCause {
        who,
        how,
        reply: None,
        os_error: None,
        tcp: None,
        age: 100_000 * MS,
        idle: 40_250 * MS,
        at,
    };
    ServeEventKind::Closed { ending, last: Box::new(client()) }
}

/// Two clients: the first became silent and did not come back, and the other came later.
fn activity() -> ClientActivity {
    let mut activity = ClientActivity::default();
    activity.record_opening(MS);
    activity.record_opening(MS);
    activity.record_rejection();
    let pings = Counts { ok: 2, missed: 1, ..Counts::default() };
    let fault = FaultOnset { at: 60_000 * MS, kind: FaultKind::Silence };
    let end =
        ConnectionEnd { at: 100_000 * MS, by: ClosedBy::Us, how: CloseKindName::Timeout, at_stop: false };
    activity.record_noticing(99_000 * MS);
    activity.record_end(&ConnectionRecord {
        id: 1,
        opened: MS,
        pings,
        fault: Some(fault),
        noticed: Some(99_000 * MS),
        close_frame_received: false,
        end: Some(end),
    });
    activity.record_stop(123_456 * MS);
    activity
}

/// With an expectation that is met, one that is not, and one that is undecided.
fn report() -> ServeReport {
    let expected = ["clients>=2", "reconnects>=1", "closed_cleanly>=90%"].map(|text| text.parse().unwrap());
    ServeReport::judge(summary(), &expected, Some(123_000 * MS), 123_000 * MS)
}

pub fn run() -> Vec<ServeRunEvent> {
    let tls = TlsIdentityInfo { fingerprint: "AB:CD".into(), ca_file: Some("wscheck-ca.pem".into()) };
    let address = "127.0.0.1:9001".parse().unwrap();
    let status_address = "127.0.0.1:9002".parse().ok();
    let hostile = UntrustedText::new(HOSTILE);
    let script = [
        (None, ServeEventKind::Listening(ListenAddress { address, tls: Some(tls), status_address })),
        (
            Some(1),
            ServeEventKind::Opened {
                remote: "127.0.0.1:4711".into(),
                http: HttpVersion::Http2,
                resource: UntrustedText::new("/chat?token=***"),
                subprotocol: Some("chat".into()),
                compression: Some("permessage-deflate".to_string()),
                faulty: true,
            },
        ),
        (
            Some(2),
            ServeEventKind::Rejected { remote: "127.0.0.1:4712".into(), why: RejectedConnection::TlsOnPlain },
        ),
        (
            Some(1),
            ServeEventKind::Status(StatusChange {
                kind: None,
                from: Status::Unknown,
                to: Status::Healthy,
                reason: "mean protocol RTT of the last 1 is 20.0 ms".into(),
                metrics: StatusMetrics { window_mean: Some(20 * MS), judged: 1, ..StatusMetrics::default() },
            }),
        ),
        (Some(1), ServeEventKind::Fault(fault())),
        (Some(1), ServeEventKind::SilenceNoticed { after: 40_000 * MS }),
        (Some(1), ServeEventKind::DeadClientClosed { missed: 1, silent_for: 40_250 * MS }),
        (Some(1), ended(CloseKind::Timeout, ClosedBy::Us)),
        (Some(3), ended(CloseKind::CloseFrame { code: Some(1001), reason: hostile }, ClosedBy::Peer)),
        (Some(4), ended(CloseKind::Rst, ClosedBy::Us)),
        (None, ServeEventKind::Error("cannot accept a connection: Too many open files".into())),
    ];
    let at = |n: usize| SystemTime::UNIX_EPOCH + n as u32 * 1500 * MS;
    let event = |(n, (client, what))| ServeRunEvent::Server(Box::new(ServeEvent { at: at(n), client, what }));
    script.into_iter().enumerate().map(event).chain([ServeRunEvent::Finished(Box::new(report()))]).collect()
}

pub fn snapshot() -> ServerSnapshot {
    ServerSnapshot { at: SystemTime::UNIX_EPOCH, clients: vec![client()], so_far: summary() }
}
