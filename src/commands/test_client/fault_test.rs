//! The test of one fault: a server, a client, and what happened between them.

use std::io;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::event::{TestClientEvent, TestClientEventKind};
use super::plan::{ClientCommand, TestClientPlan};
use crate::commands::start_failure::StartFailure;
use crate::domain::client_test::activity::ClientActivity;
use crate::domain::client_test::course::{CourseEvent, TestCourse};
use crate::domain::client_test::faults::ClientFault;
use crate::domain::client_test::report::{ClientExit, FaultTest, FaultTestOutcome};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::health::Status;
use crate::net::process_group::{ProcessGroup, stderr_or_null};
use crate::server::faults::{self, Faults};
use crate::server::{ServeEvent, ServeEventKind, Server, ServerConfig, ServerHeartbeats};

/// The environment variables of a client.
const URL_VARIABLE: &str = "WSCHECK_URL";
const FAULT_VARIABLE: &str = "WSCHECK_FAULT";
/// How long a client may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How long the server may take to see that the connections of a client which exited have ended.
const EXIT_DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
const EXIT_DRAIN_INTERVAL: Duration = Duration::from_millis(10);

/// Runs a client against a fault, and ends it.
pub async fn run(
    plan: &TestClientPlan,
    fault: &'static ClientFault,
    events: UnboundedSender<TestClientEvent>,
    interrupt: CancellationToken,
) -> Result<FaultTest, StartFailure> {
    if interrupt.is_cancelled() {
        return Ok(never_begun(plan, fault));
    }
    let tell = |what| drop(events.send(TestClientEvent::of_test(fault.name, what)));
    let config = config(plan, fault).map_err(StartFailure::usage)?;
    let not_listening = |why| StartFailure::unreachable(format!("cannot listen on a loopback port: {why}"));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(not_listening)?;
    let address = listener.local_addr().map_err(not_listening)?;
    let (url, started) = (format!("ws://{address}/"), Instant::now());
    let program = plan.command.program.to_string_lossy();
    let mut process = start_client(&plan.command, &url, fault.name, plan.shows_output)
        .map_err(|why| StartFailure::usage(format!("cannot start the client '{program}': {why}")))?;
    tell(TestClientEventKind::ClientStarted { url: url.clone() });
    let (server_events, happened) = unbounded_channel();
    let server = Arc::new(Server::new(config, server_events));
    let (stop, over) = (CancellationToken::new(), CancellationToken::new());
    let watching = async {
        let exit = watch(&server, &mut process, plan.limit, &over, &interrupt).await;
        stop.cancel();
        exit
    };
    let following = follow(happened, TestCourse::new(fault.acts_when_open()), &over, |event| {
        tell(TestClientEventKind::Server(Box::new(event)));
    });
    let serving = Arc::clone(&server).run(listener, stop.clone());
    let (summary, (), exit) = tokio::join!(serving, following, watching);
    process.end(GRACE).await;
    if let Some(exit) = exit {
        tell(TestClientEventKind::ClientExited(exit));
    }
    let interrupted = interrupt.is_cancelled() && !over.is_cancelled();
    let (activity, elapsed) = (summary.activity, started.elapsed());
    let outcome = FaultTestOutcome { url: Some(url), activity, exit, elapsed, interrupted };
    let test = FaultTest::judge(fault, plan.after, &fault.criteria(&plan.expected), outcome);
    tell(TestClientEventKind::TestOver(Box::new(test.clone())));
    Ok(test)
}

/// Starts a client in a process group of its own, without stdin. What it prints goes to stderr, or nowhere.
///
/// # Errors
///
/// The program is missing or cannot be executed.
fn start_client(
    command: &ClientCommand,
    url: &str,
    fault: &str,
    shows_output: bool,
) -> io::Result<ProcessGroup> {
    let mut client = Command::new(&command.program);
    client.args(command.arguments_with(url)).env(URL_VARIABLE, url).env(FAULT_VARIABLE, fault);
    client.stdin(Stdio::null()).stdout(stderr_or_null(shows_output)?).stderr(stderr_or_null(shows_output)?);
    ProcessGroup::start(&mut client)
}

/// The test of a fault that the user's interrupt left out.
fn never_begun(plan: &TestClientPlan, fault: &'static ClientFault) -> FaultTest {
    let outcome = FaultTestOutcome {
        url: None,
        activity: ClientActivity::default(),
        exit: None,
        elapsed: Duration::ZERO,
        interrupted: true,
    };
    FaultTest::judge(fault, plan.after, &fault.criteria(&plan.expected), outcome)
}

/// The server for a fault. It terminates no client by itself, so that the fault is the only cause.
fn config(plan: &TestClientPlan, fault: &ClientFault) -> Result<ServerConfig, String> {
    let mut faults = Faults::default();
    faults::set(&mut faults, fault.server_option, &fault.server_value(plan.after))?;
    let heartbeats = ServerHeartbeats {
        kinds: vec![HeartbeatKind::Protocol],
        interval: plan.interval,
        timeout: plan.timeout,
        max_missed: 0,
        ..ServerHeartbeats::default()
    };
    let max_faulty = fault.is_once.then_some(1);
    Ok(ServerConfig { heartbeats: Arc::new(heartbeats), faults, max_faulty, ..ServerConfig::default() })
}

/// Waits until the client has shown all, has exited, or the time is up; returns its exit.
async fn watch(
    server: &Server,
    process: &mut ProcessGroup,
    limit: Duration,
    over: &CancellationToken,
    interrupt: &CancellationToken,
) -> Option<ClientExit> {
    let started = Instant::now();
    let status = tokio::select! {
        biased;
        () = interrupt.cancelled() => return None,
        () = over.cancelled() => return None,
        status = process.exited() => status,
        () = sleep(limit) => return None,
    };
    let after = started.elapsed();
    // The system has closed the client's sockets; the server is to see that before it stops.
    let drained = async {
        while !server.snapshot().clients.is_empty() {
            sleep(EXIT_DRAIN_INTERVAL).await;
        }
    };
    let _ = timeout(EXIT_DRAIN_TIMEOUT, drained).await;
    let had_connected = server.snapshot().so_far.clients > 0;
    over.cancel();
    Some(ClientExit { status, after, had_connected })
}

/// Passes the server's events on until it stops, and notes in `over` when the client has shown all.
async fn follow(
    mut happened: UnboundedReceiver<ServeEvent>,
    mut course: TestCourse,
    over: &CancellationToken,
    mut tell: impl FnMut(ServeEvent),
) {
    while let Some(event) = happened.recv().await {
        if matches!(event.what, ServeEventKind::Stopped(_)) {
            return;
        }
        if let Some((id, step)) = event.client.zip(course_event(&event.what)) {
            course.record(id, step);
        }
        if course.is_over() {
            over.cancel();
        }
        tell(event);
    }
}

/// What an event means for the course of a test.
fn course_event(what: &ServeEventKind) -> Option<CourseEvent> {
    match what {
        ServeEventKind::Opened { .. } => Some(CourseEvent::Opened),
        ServeEventKind::Fault(_) => Some(CourseEvent::FaultActed),
        // The first answer ends the unknown status.
        ServeEventKind::Status(change) if change.from == Status::Unknown && change.to <= Status::Critical => {
            Some(CourseEvent::Answered)
        }
        ServeEventKind::Status(_)
        | ServeEventKind::Listening(_)
        | ServeEventKind::Rejected { .. }
        | ServeEventKind::DeadClientClosed { .. }
        | ServeEventKind::SilenceNoticed { .. }
        | ServeEventKind::Closed { .. }
        | ServeEventKind::Error(_)
        | ServeEventKind::Stopped(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::domain::client_test::faults::CLIENT_FAULTS;
    use crate::domain::exit_status::ExitStatus;
    use crate::server::faults::CutAction;

    fn plan() -> TestClientPlan {
        TestClientPlan {
            command: ClientCommand { program: "true".into(), arguments: Vec::new() },
            faults: CLIENT_FAULTS.iter().collect(),
            after: Duration::from_secs(3),
            limit: Duration::from_secs(90),
            expected: Vec::new(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
            one_at_a_time: false,
            shows_output: false,
        }
    }

    #[test]
    fn every_fault_configures_the_server() {
        let plan = plan();
        let timelines = CLIENT_FAULTS.iter().map(|fault| config(&plan, fault).unwrap().faults.timeline);
        let cuts: Vec<Option<CutAction>> =
            timelines.map(|timeline| timeline.first().map(|(_, cut)| *cut)).collect();
        let expected = [
            Some(CutAction::Silent),
            Some(CutAction::Stall),
            Some(CutAction::Mute),
            Some(CutAction::Close(1012)),
            Some(CutAction::Rst),
            Some(CutAction::HalfClose),
            None,
        ];
        assert_eq!(cuts, expected);
        let slow = config(&plan, ClientFault::named("slow-upgrade").unwrap()).unwrap();
        assert_eq!((slow.faults.opening.slow, slow.max_faulty), (plan.after, None));
    }

    #[tokio::test]
    async fn client_learns_url_and_fault() {
        let checks =
            r#"[ "$WSCHECK_URL" = ws://127.0.0.1:1/ ] && [ "$WSCHECK_FAULT" = stall ] && ! read line"#;
        let arguments = ["-c", checks].map(OsString::from).to_vec();
        let command = ClientCommand { program: "/bin/sh".into(), arguments };
        let mut client = start_client(&command, "ws://127.0.0.1:1/", "stall", false).unwrap();
        assert_eq!(client.exited().await, ExitStatus::Code(0));
    }
}
