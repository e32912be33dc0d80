//! One probe: opens a connection, sends pings and closes it.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use crate::domain::connection::close_cause::CloseReply;
use crate::domain::connection::connect_info::{ConnectInfo, FailureKind};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::target::Target;
use crate::domain::exporter::allow::TargetPattern;
use crate::domain::exporter::probe::{ProbeFailure, ProbeResult, ProbeStep, ProbeTls};
use crate::domain::format;
use crate::net::client::closing;
use crate::net::client::disconnect::Disconnect;
use crate::net::client::websocket::{SocketEvent, WebSocket};
use crate::net::connect::certificate_facts::read_chain;
use crate::net::connect::dial::{self, DialPlan, FailedOpening, Open};
use crate::net::dial_error::DialError;
use crate::net::fresh_inputs::InputSources;
use crate::net::transport::stream::Stream;

/// Largest message that a probe receives, in bytes. Messages are ignored.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;
/// How long to wait for the peer's close frame; a probe whose time is over does not wait.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// How to probe.
#[derive(Debug, Clone)]
pub struct ProbeModule {
    /// Time limit of the whole probe.
    pub timeout: Duration,
    /// How many pings must be answered, one after the other.
    pub pings: u32,
    pub dial: DialPlan,
    /// Read anew before each probe.
    pub inputs: InputSources,
    /// Which targets may be probed, besides those of the configuration.
    pub allow: Vec<TargetPattern>,
}

/// Probes `target` for at most `limit`.
pub async fn probe(module: &ProbeModule, target: &Target, limit: Duration) -> ProbeResult {
    let began = Instant::now();
    let mut result = ProbeResult { pings: module.pings, ..ProbeResult::default() };
    match open(module, target, began + limit).await {
        Err(failed) => record_failed_opening(&mut result, failed),
        Ok(open) => {
            let Open { upgraded, facts } = open;
            record_opening(&mut result, &facts, &upgraded.stream, target);
            let mut socket = WebSocket::new(upgraded, MAX_MESSAGE_BYTES, 0).await;
            let deadline = began + limit;
            result.failure = ping(&mut socket, &mut result.rtts, module.pings, deadline, limit).await.err();
            result.close = close(&mut socket, deadline).await;
        }
    }
    result.total = began.elapsed();
    result
}

async fn open(module: &ProbeModule, target: &Target, deadline: Instant) -> Result<Open, FailedOpening> {
    let began = Instant::now();
    let unread = |why: DialError| FailedOpening {
        error: why.failed_opening(target, Phase::Input, began.elapsed()),
        phases: PhaseTimes::default(),
    };
    let not_in_time = || DialError::new(FailureKind::Timeout, "the inputs were not read in time");
    let inputs = timeout_at(deadline, module.inputs.read()).await;
    let inputs = inputs.unwrap_or_else(|_| Err(not_in_time())).map_err(unread)?;
    let left = deadline.saturating_duration_since(Instant::now());
    let dial = inputs.dial(&module.dial);
    let dial = DialPlan { connect_timeout: dial.connect_timeout.min(left), ..dial.into_owned() };
    dial::open_with_phases(&dial, target).await
}

fn record_failed_opening(result: &mut ProbeResult, failed: FailedOpening) {
    let FailedOpening { error, phases } = failed;
    record_phases(result, &phases);
    result.address = error.reached.as_ref().and_then(|peer| octets(&peer.address));
    result.status_code = error.refusal.as_ref().map(|refusal| refusal.status);
    let step = ProbeStep::Opening(error.phase);
    result.failure = Some(ProbeFailure { step, kind: error.kind, error: error.to_string() });
}

fn record_opening(result: &mut ProbeResult, facts: &ConnectInfo, stream: &Stream, target: &Target) {
    record_phases(result, &facts.phases);
    result.address = facts.remote.as_deref().and_then(octets);
    result.status_code = Some(facts.http.success());
    result.is_upgraded = true;
    // Without TLS to the target, certificates are those of a proxy.
    result.tls_facts = facts.tls.as_ref().filter(|_| target.secure()).map(|tls| ProbeTls {
        version: tls.version.clone(),
        chain: read_chain(&stream.peer_certificates()),
        is_verified: tls.verified,
    });
}

fn record_phases(result: &mut ProbeResult, phases: &PhaseTimes) {
    let PhaseTimes { dns, tcp, proxy, tls, upgrade, total: _ } = *phases;
    (result.resolve, result.connect, result.proxy) = (dns, tcp, proxy);
    (result.tls, result.processing) = (tls, upgrade);
}

/// The octets of an IP address; `None` for the path of a Unix socket.
fn octets(address: &str) -> Option<Vec<u8>> {
    Some(match address.parse::<SocketAddr>().ok()? {
        SocketAddr::V4(address) => address.ip().octets().to_vec(),
        SocketAddr::V6(address) => address.ip().octets().to_vec(),
    })
}

/// Sends pings, each after the pong of the one before.
async fn ping(
    socket: &mut WebSocket<Stream>,
    rtts: &mut Vec<Duration>,
    pings: u32,
    deadline: Instant,
    limit: Duration,
) -> Result<(), ProbeFailure> {
    for number in 1..=pings {
        let payload = Bytes::from(format!("wscheck-{number}-{:08x}", rand::random::<u32>()));
        let answer = timeout_at(deadline, ask(socket, payload)).await;
        rtts.push(answer.unwrap_or_else(|_| Err(unanswered(number, limit)))?);
    }
    Ok(())
}

fn unanswered(number: u32, limit: Duration) -> ProbeFailure {
    let error = format!("no pong for ping {number} within the probe's {}", format::duration(limit));
    ProbeFailure { step: ProbeStep::Pings, kind: FailureKind::Timeout, error }
}

/// Sends one ping and returns its RTT.
async fn ask(socket: &mut WebSocket<Stream>, payload: Bytes) -> Result<Duration, ProbeFailure> {
    let sent = socket.send(Message::Ping(payload.clone())).map_err(|end| lost(&end))?;
    let mut sent_at = sent.left_at().unwrap_or_else(Instant::now);
    loop {
        match socket.step().await {
            SocketEvent::Pong(answer) if answer == payload => {
                return Ok(socket.last_read_at().saturating_duration_since(sent_at));
            }
            SocketEvent::Ended(end) => return Err(lost(&end)),
            SocketEvent::Flushed(at) => sent_at = at,
            _ => {}
        }
        // A flood keeps the socket always ready, so that the timeout would never fire.
        tokio::task::coop::consume_budget().await;
    }
}

fn lost(end: &Disconnect) -> ProbeFailure {
    let error = format!("the connection ended before the pong: {end}");
    ProbeFailure { step: ProbeStep::Pings, kind: FailureKind::ClosedEarly, error }
}

/// Closes the connection with 1000, and returns how long the peer's close frame took.
async fn close(socket: &mut WebSocket<Stream>, deadline: Instant) -> Option<Duration> {
    let began = Instant::now();
    let wait = deadline.saturating_duration_since(began).min(CLOSE_TIMEOUT);
    match closing::close(socket, wait).await {
        CloseReply::CloseFrame(_) => Some(began.elapsed()),
        CloseReply::Fin
        | CloseReply::Rst
        | CloseReply::TlsClose
        | CloseReply::Broken(_)
        | CloseReply::Nothing { .. }
        | CloseReply::NotSent => None,
    }
}
