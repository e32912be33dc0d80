//! A scripted run with every event: a client that comes back after an RST, and one that never notices a stall.

use std::time::{Duration, SystemTime};

use crate::commands::test_client::{TestClientEvent, TestClientEventKind};
use crate::domain::client_test::activity::ClientActivity;
use crate::domain::client_test::connection_record::{ConnectionEnd, ConnectionRecord, FaultKind, FaultOnset};
use crate::domain::client_test::faults::ClientFault;
use crate::domain::client_test::report::{
    ClientExit, ClientTestReport, ExitStatus, FaultTest, FaultTestOutcome,
};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseKindName, ClosedBy};
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::stats::Counts;
use crate::output::testing::HOSTILE;
use crate::server::faults::CutAction;
use crate::server::{
    ClientSnapshot, ClientStats, FaultAction, RejectedConnection, ServeEvent, ServeEventKind,
};

const S: Duration = Duration::from_secs(1);

fn connection(id: u64, opened: u32, at: u32, by: ClosedBy, how: CloseKindName) -> ConnectionRecord {
    let end = ConnectionEnd { at: at * S, by, how, at_stop: false };
    ConnectionRecord {
        id,
        opened: opened * S,
        pings: Counts { ok: 3, ..Counts::default() },
        fault: None,
        noticed: None,
        close_frame_received: how == CloseKindName::CloseFrame,
        end: Some(end),
    }
}

/// The first connection is reset after 3 s; the client is back after 2 s more.
fn comes_back() -> ClientActivity {
    let mut activity = ClientActivity::default();
    activity.record_opening(S);
    activity.record_end(&connection(1, 1, 4, ClosedBy::Us, CloseKindName::Rst));
    activity.record_opening(6 * S);
    activity.record_stop(7 * S);
    let mut last = connection(2, 6, 7, ClosedBy::Us, CloseKindName::CloseFrame);
    last.end = last.end.map(|end| ConnectionEnd { at_stop: true, ..end });
    activity.record_end(&last);
    activity
}

/// The only connection is silent from second 4 on.
fn never_notices() -> ClientActivity {
    let mut activity = ClientActivity::default();
    activity.record_rejection();
    activity.record_opening(S);
    activity.record_stop(90 * S);
    let fault = Some(FaultOnset { at: 4 * S, kind: FaultKind::Silence });
    let mut record = connection(2, 1, 90, ClosedBy::Us, CloseKindName::Silent);
    record.end = record.end.map(|end| ConnectionEnd { at_stop: true, ..end });
    activity.record_end(&ConnectionRecord { fault, ..record });
    activity
}

fn test(fault: &str, activity: ClientActivity, exit: Option<ClientExit>, elapsed: Duration) -> FaultTest {
    let fault = ClientFault::named(fault).unwrap();
    let url = Some("ws://127.0.0.1:4711/".to_string());
    let outcome = FaultTestOutcome { url, activity, exit, elapsed, interrupted: false };
    FaultTest::judge(fault, 3 * S, &fault.criteria(&[]), outcome)
}

fn exit() -> ClientExit {
    ClientExit { status: ExitStatus::Code(1), after: 90 * S, had_connected: true }
}

fn report(tests: Vec<FaultTest>) -> ClientTestReport {
    ClientTestReport {
        command: "node client.mjs {url}".to_string(),
        started_at: SystemTime::UNIX_EPOCH,
        elapsed: 92 * S,
        interrupted: false,
        limit: 90 * S,
        after: 3 * S,
        tests,
    }
}

fn events(report: ClientTestReport) -> Vec<TestClientEvent> {
    let started = TestClientEventKind::Started {
        command: report.command.clone(),
        faults: report.tests.iter().map(|test| test.fault).collect(),
        limit: report.limit,
    };
    let mut script = vec![(None, started)];
    for test in &report.tests {
        let server = server_events().into_iter().map(|event| TestClientEventKind::Server(Box::new(event)));
        let over = TestClientEventKind::TestOver(Box::new(test.clone()));
        let begin = TestClientEventKind::ClientStarted { url: test.url.clone().unwrap_or_default() };
        let exited = test.exit.map(TestClientEventKind::ClientExited);
        let all = [begin].into_iter().chain(server).chain(exited).chain([over]);
        script.extend(all.map(|what| (Some(test.fault), what)));
    }
    script.push((None, TestClientEventKind::Finished(Box::new(report))));
    let at = SystemTime::UNIX_EPOCH;
    script.into_iter().map(|(fault, what)| TestClientEvent { at, fault, what }).collect()
}

fn server_events() -> Vec<ServeEvent> {
    let at = SystemTime::UNIX_EPOCH;
    let ending = CloseCause {
        who: ClosedBy::Peer,
        how: CloseKind::CloseFrame { code: Some(1000), reason: UntrustedText::new(HOSTILE) },
        reply: None,
        os_error: None,
        tcp: None,
        age: 3 * S,
        idle: S,
        at,
    };
    let last = ClientSnapshot {
        id: 2,
        remote: "127.0.0.1:4712".into(),
        http: HttpVersion::Http1,
        resource: "/".into(),
        subprotocol: None,
        faulty: true,
        age: 3 * S,
        idle: S,
        figures: ClientStats::default(),
    };
    let opened = ServeEventKind::Opened {
        remote: "127.0.0.1:4712".into(),
        http: HttpVersion::Http1,
        resource: UntrustedText::new("/"),
        subprotocol: None,
        compression: None,
        faulty: true,
    };
    let rejected = ServeEventKind::Rejected {
        remote: "127.0.0.1:4711".into(),
        why: RejectedConnection::ClosedUnanswered,
    };
    let fault = FaultAction { cut: CutAction::Stall, reason: "at age 3 s".to_string() };
    let script = [
        (Some(1), rejected),
        (Some(2), opened),
        (Some(2), ServeEventKind::Fault(fault)),
        (Some(2), ServeEventKind::SilenceNoticed { after: 2 * S }),
        (Some(2), ServeEventKind::Closed { ending, last: Box::new(last) }),
        (None, ServeEventKind::Error("cannot accept a connection: Too many open files".into())),
    ];
    script.into_iter().map(|(client, what)| ServeEvent { at, client, what }).collect()
}

/// Two faults, of which the client survives one.
pub fn matrix() -> Vec<TestClientEvent> {
    let survived = test("rst", comes_back(), None, 8 * S);
    let failed = test("stall", never_notices(), Some(exit()), 92 * S);
    events(report(vec![failed, survived]))
}

/// One fault, which the client does not survive.
pub fn single() -> Vec<TestClientEvent> {
    events(report(vec![test("stall", never_notices(), None, 92 * S)]))
}

/// A client that exits before it connects.
pub fn never_connects() -> Vec<TestClientEvent> {
    let exit = ClientExit { had_connected: false, after: S, ..exit() };
    events(report(vec![test("stall", ClientActivity::default(), Some(exit), S)]))
}
