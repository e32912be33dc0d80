//! A connection: how it opened, what came, and how it ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::fields::{Count, FieldError, Instant, Millis, Named, Text, strings};
use super::figures::ByKind;
use super::outages::OutagesRead;
use crate::domain::catalogue::find_preset;
use crate::domain::connection::close_cause::{
    CloseCause, CloseKind, CloseKindName, ClosePayload, CloseReply, ClosedBy, Violation,
};
use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectError, ConnectInfo, FailureKind, ReachedPeer, RefusalResponse, TimestampSource,
    TlsInfo,
};
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::tcp::TcpView;
use crate::domain::connection::untrusted_text::{UntrustedText, without_controls};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::substitutes::{OtherPayload, Substitute};
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::ping::health::Status;
use crate::domain::ping::merged_runs::ConnOrigin;
use crate::domain::ping::report::{ConnReport, RttSpikes};
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::domain::stats::interval::Interval;
use crate::output::ping::document::{IncompleteDocument, IncompleteName, SubstituteDocument, SubstituteName};

/// The most connections that an entry may stand for, and the most reconnects of one: their product is still a number.
const MAX_OF_ENTRY: u64 = 100_000_000;

#[derive(Debug, Deserialize)]
pub struct Connection {
    pub index: usize,
    origin: Option<Origin>,
    stands_for: u64,
    status: Named<Status>,
    status_reason: Text,
    status_without_rtt: Named<Status>,
    last_status: Named<Status>,
    last_status_reason: Text,
    remote: Option<Text>,
    local: Option<Text>,
    proxy: Option<Text>,
    phases: Option<Phases>,
    attempts: Vec<Attempt>,
    tls: Option<Tls>,
    subprotocols_offered: Vec<Text>,
    subprotocol: Option<Text>,
    headers: BTreeMap<String, Text>,
    heartbeats: ByKind,
    ending: Option<Ending>,
    last_unplanned_ending: Option<Ending>,
    answered_until_ms: Option<Millis>,
    unplanned_endings: u32,
    reconnects: u32,
    outage_ms: Option<Millis>,
    outages: OutagesRead,
    messages: Count,
    server_pings: ServerPings,
    echoes: Count,
    spikes: Spikes,
    first_other_message: Option<Text>,
    last_other_message: Option<Text>,
    nearest_to_answer: Option<Nearest>,
    foreign_answer: Option<Text>,
    substitute: Option<SubstituteDocument>,
    incomplete: Option<IncompleteDocument>,
    ended_after_ping_ms: Option<Millis>,
    looks_like: Vec<Text>,
    error: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Origin {
    run: Text,
    index: usize,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Phases {
    dns_ms: Option<Millis>,
    tcp_ms: Option<Millis>,
    proxy_ms: Option<Millis>,
    tls_ms: Option<Millis>,
    upgrade_ms: Option<Millis>,
    total_ms: Millis,
}

#[derive(Debug, Deserialize)]
pub(super) struct Attempt {
    address: Text,
    took_ms: Millis,
    error: Option<Text>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tls {
    version: Text,
    cipher: Text,
    alpn: Option<Text>,
    days_left: Option<i64>,
    subject: Option<Text>,
    issuer: Option<Text>,
    verified: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Ending {
    who: Named<ClosedBy>,
    how: Named<CloseKindName>,
    code: Option<u16>,
    reason: Option<Text>,
    violation: Option<Named<Violation>>,
    detail: Option<Text>,
    too_large: Option<TooLarge>,
    close_reply: Option<Reply>,
    os_error: Option<Text>,
    tcp: Option<Tcp>,
    age_ms: Millis,
    idle_ms: Millis,
    at: Instant,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct TooLarge {
    bytes: u64,
    limit_bytes: u64,
}

#[derive(Debug, Deserialize)]
struct Reply {
    how: String,
    code: Option<u16>,
    reason: Option<Text>,
    detail: Option<Text>,
    waited_ms: Option<Millis>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Tcp {
    rtt_ms: Millis,
    rtt_deviation_ms: Millis,
    min_rtt_ms: Option<Millis>,
    retransmits: u32,
    unacknowledged_segments: u32,
    unsent_bytes: u32,
    last_ack_ms: Millis,
    last_data_ms: Millis,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct ServerPings {
    protocol: Count,
    app: Count,
    protocol_interval_ms: Option<Millis>,
    app_interval_ms: Option<Millis>,
    announced_interval_ms: Option<Millis>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Spikes {
    count: Count,
    after_retransmits: Count,
}

#[derive(Debug, Deserialize)]
struct Nearest {
    message: Text,
    agreeing: u32,
    differences: Vec<Text>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Failure {
    url: Option<Text>,
    phase: Option<Named<Phase>>,
    kind: Named<FailureKind>,
    cause: Text,
    hint: Option<Text>,
    attempts: Vec<Attempt>,
    remote: Option<Text>,
    proxy: Option<Text>,
    untried: Vec<Text>,
    refusal: Option<Refusal>,
}

#[derive(Debug, Deserialize)]
struct Refusal {
    status: u16,
    headers: BTreeMap<String, Text>,
    body: Text,
}

/// What the whole document says of each of its connections.
pub struct OfRun<'a> {
    pub name: &'a Arc<str>,
    pub timestamps: TimestampSource,
}

impl Connection {
    pub fn report(mut self, run: &OfRun<'_>) -> Result<ConnReport, FieldError> {
        if !(1..=MAX_OF_ENTRY).contains(&self.stands_for) {
            let why = format!("{} is no number of connections", self.stands_for);
            return Err(FieldError::new("stands_for", why));
        }
        if u64::from(self.reconnects.max(self.unplanned_endings)) > MAX_OF_ENTRY {
            return Err(FieldError::new("reconnects", format!("{} are too many", self.reconnects)));
        }
        let traffic = self.traffic()?;
        let ending = self.ending.map(|ending| ending.cause("ending")).transpose()?;
        let lost = self.last_unplanned_ending.map(|ending| ending.cause("last_unplanned_ending"));
        let opening = Opened {
            remote: self.remote,
            local: self.local,
            proxy: self.proxy,
            attempts: self.attempts,
            tls: self.tls,
            subprotocols_offered: self.subprotocols_offered,
            subprotocol: self.subprotocol,
            headers: self.headers,
        };
        Ok(ConnReport {
            index: self.index,
            origin: Some(match self.origin {
                Some(origin) => ConnOrigin { run: origin.run.0.into(), index: origin.index },
                None => ConnOrigin { run: Arc::clone(run.name), index: self.index },
            }),
            alike: self.stands_for - 1,
            status: self.status.0,
            status_reason: self.status_reason.0,
            status_without_rtt: self.status_without_rtt.0,
            last_status: self.last_status.0,
            last_status_reason: self.last_status_reason.0,
            opened: self.phases.map(|phases| Arc::new(opening.info(phases.into(), run.timestamps))),
            open_error: self.error.map(|error| error.report().map(Arc::new)).transpose()?,
            kinds: self.heartbeats.of_connection(),
            ending: ending.map(Arc::new),
            lost: lost.transpose()?.map(Arc::new),
            answered_until: self.answered_until_ms.map(|ms| ms.0),
            unplanned_endings: self.unplanned_endings,
            reconnects: self.reconnects,
            outage: self.outage_ms.map(|ms| ms.0),
            outages: self.outages.into(),
            messages: self.messages.0,
            server_pings_protocol: self.server_pings.protocol.0,
            server_pings_app: self.server_pings.app.0,
            echoes: self.echoes.0,
            spikes: RttSpikes { count: self.spikes.count.0, sent_again: self.spikes.after_retransmits.0 },
            announced: self.server_pings.announced_interval_ms.map(|ms| ms.0),
            server_traffic: (!traffic.is_empty()).then(|| Arc::new(traffic)),
        })
    }

    fn traffic(&mut self) -> Result<ServerTraffic, FieldError> {
        let pings = self.server_pings;
        let intervals = [
            (HeartbeatKind::Protocol, pings.protocol_interval_ms),
            (HeartbeatKind::App, pings.app_interval_ms),
        ];
        // Only the median was kept: an interval of one gap, which no report calls regular.
        let interval = |(kind, median): (HeartbeatKind, Option<Millis>)| {
            Some((kind, Interval::of(std::iter::once(median?.0))?))
        };
        let presets = self.looks_like.iter().filter_map(|name| find_preset(&name.0));
        Ok(ServerTraffic {
            intervals: intervals.into_iter().filter_map(interval).collect(),
            first_other: self.first_other_message.take().map(Text::untrusted),
            looks_like: presets.map(|preset| preset.name).collect(),
            nearest: self.nearest_to_answer.take().map(NearestMessage::from),
            foreign: self.foreign_answer.take().map(Text::untrusted),
            last: self.last_other_message.take().map(Text::untrusted),
            substitute: self.substitute.take().map(substitute).transpose()?,
            incomplete: self.incomplete.take().map(incomplete).transpose()?,
            ended_after_ping: self.ended_after_ping_ms.map(|ms| ms.0),
        })
    }
}

/// The details of an opened connection, but its times.
pub(super) struct Opened {
    pub(super) remote: Option<Text>,
    pub(super) local: Option<Text>,
    pub(super) proxy: Option<Text>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) tls: Option<Tls>,
    pub(super) subprotocols_offered: Vec<Text>,
    pub(super) subprotocol: Option<Text>,
    pub(super) headers: BTreeMap<String, Text>,
}

impl Opened {
    pub(super) fn info(self, phases: PhaseTimes, timestamps: TimestampSource) -> ConnectInfo {
        let text = |text: Option<Text>| text.map(|text| text.0);
        ConnectInfo {
            remote: text(self.remote),
            local: text(self.local),
            proxy: text(self.proxy),
            phases,
            attempts: self.attempts.into_iter().map(ConnectAttempt::from).collect(),
            tls: self.tls.map(TlsInfo::from),
            subprotocols_offered: strings(self.subprotocols_offered),
            subprotocol: self.subprotocol.map(Text::untrusted),
            headers: headers(self.headers),
            timestamps,
        }
    }
}

fn headers(headers: BTreeMap<String, Text>) -> Vec<(String, UntrustedText)> {
    headers.into_iter().map(|(name, value)| (without_controls(&name, false), value.untrusted())).collect()
}

impl From<Phases> for PhaseTimes {
    fn from(phases: Phases) -> PhaseTimes {
        let some = |ms: Option<Millis>| ms.map(|ms| ms.0);
        PhaseTimes {
            dns: some(phases.dns_ms),
            tcp: some(phases.tcp_ms),
            proxy: some(phases.proxy_ms),
            tls: some(phases.tls_ms),
            upgrade: some(phases.upgrade_ms),
            total: phases.total_ms.0,
        }
    }
}

impl From<Attempt> for ConnectAttempt {
    fn from(attempt: Attempt) -> ConnectAttempt {
        let error = attempt.error.map(|error| error.0);
        ConnectAttempt { address: attempt.address.0, took: attempt.took_ms.0, error }
    }
}

impl From<Tls> for TlsInfo {
    fn from(tls: Tls) -> TlsInfo {
        TlsInfo {
            version: tls.version.0,
            cipher: tls.cipher.0,
            alpn: tls.alpn.map(|alpn| alpn.0),
            days_left: tls.days_left,
            subject: tls.subject.map(Text::untrusted),
            issuer: tls.issuer.map(Text::untrusted),
            verified: tls.verified,
        }
    }
}

impl From<Nearest> for NearestMessage {
    fn from(nearest: Nearest) -> NearestMessage {
        let difference = Difference { agreeing: nearest.agreeing, points: strings(nearest.differences) };
        NearestMessage { message: nearest.message.untrusted(), difference }
    }
}

/// Text that this module reads by the types of the document.
fn escaped(text: Option<String>) -> UntrustedText {
    UntrustedText::escaped(without_controls(&text.unwrap_or_default(), false))
}

fn substitute(document: SubstituteDocument) -> Result<Substitute, FieldError> {
    let SubstituteDocument { what, count, sample, bytes, of_bytes } = document;
    let sizes = || {
        let missing = || FieldError::new("substitute.bytes", "it is missing");
        bytes.zip(of_bytes).ok_or_else(missing)
    };
    let payload = match what {
        SubstituteName::Pings => return Ok(Substitute::Pings { count }),
        SubstituteName::Messages => return Ok(Substitute::Messages { count, sample: escaped(sample) }),
        SubstituteName::EmptyPongs => OtherPayload::Empty,
        SubstituteName::TruncatedPongs => {
            let (bytes, of) = sizes()?;
            OtherPayload::Truncated { bytes, of }
        }
        SubstituteName::ExtendedPongs => {
            let (bytes, of) = sizes()?;
            OtherPayload::Extended { bytes, of }
        }
        SubstituteName::ForeignPongs => OtherPayload::Foreign(escaped(sample)),
    };
    Ok(Substitute::Pongs { count, payload })
}

fn incomplete(document: IncompleteDocument) -> Result<IncompleteData, FieldError> {
    let IncompleteDocument { part, bytes, of_bytes, fragments, since_ms } = document;
    let known = |number: Option<u64>, name: &str| {
        number.ok_or_else(|| FieldError::new(format!("incomplete.{name}"), "it is missing"))
    };
    let part = match part {
        IncompleteName::FrameHead => IncompletePart::Head { bytes: known(bytes, "bytes")? },
        IncompleteName::Frame => {
            IncompletePart::Frame { received: known(bytes, "bytes")?, size: known(of_bytes, "of_bytes")? }
        }
        IncompleteName::Message => IncompletePart::Message {
            fragments: known(fragments, "fragments")?,
            bytes: known(bytes, "bytes")?,
        },
        IncompleteName::TlsRecord => IncompletePart::Record,
    };
    Ok(IncompleteData { part, since: Duration::from(since_ms) })
}

impl Ending {
    pub(super) fn cause(self, field: &str) -> Result<CloseCause, FieldError> {
        let reply = self.close_reply.map(Reply::report).transpose().map_err(|error| error.within(field))?;
        let missing = |name: &str| FieldError::new(format!("{field}.{name}"), "it is missing");
        let reason = self.reason.map(Text::untrusted).unwrap_or_default();
        let detail = self.detail.map(Text::untrusted);
        let how = match self.how.0 {
            CloseKindName::CloseFrame => CloseKind::CloseFrame { code: self.code, reason },
            CloseKindName::Fin => CloseKind::Fin,
            CloseKindName::Rst => CloseKind::Rst,
            CloseKindName::TlsClose => CloseKind::TlsClose,
            CloseKindName::TlsAlert => CloseKind::TlsAlert { alert: detail.unwrap_or_default() },
            CloseKindName::Violation => {
                let has_close = self.code.is_some() || !reason.is_empty();
                CloseKind::Violation {
                    rule: self.violation.ok_or_else(|| missing("violation"))?.0,
                    detail: detail.unwrap_or_default(),
                    close: has_close.then(|| Box::new(ClosePayload { code: self.code, reason })),
                }
            }
            CloseKindName::TooLarge => {
                let TooLarge { bytes, limit_bytes } = self.too_large.ok_or_else(|| missing("too_large"))?;
                CloseKind::TooLarge { size: bytes, limit: limit_bytes }
            }
            CloseKindName::Silent => CloseKind::Silent,
            CloseKindName::Timeout => CloseKind::Timeout,
            CloseKindName::Error => CloseKind::Error,
        };
        Ok(CloseCause {
            who: self.who.0,
            how,
            reply,
            os_error: self.os_error.map(|name| name.0),
            tcp: self.tcp.map(TcpView::from),
            age: self.age_ms.0,
            idle: self.idle_ms.0,
            at: self.at.0,
        })
    }
}

impl Reply {
    fn report(self) -> Result<CloseReply, FieldError> {
        let reason = self.reason.map(Text::untrusted).unwrap_or_default();
        Ok(match self.how.as_str() {
            "close_frame" => CloseReply::CloseFrame(ClosePayload { code: self.code, reason }),
            "fin" => CloseReply::Fin,
            "rst" => CloseReply::Rst,
            "tls_close" => CloseReply::TlsClose,
            "error" => CloseReply::Broken(self.detail.unwrap_or_default().0),
            "none" => CloseReply::Nothing { waited: self.waited_ms.unwrap_or_default().0 },
            "not_sent" => CloseReply::NotSent,
            _ => return Err(FieldError::new("close_reply.how", "it is no reaction to a close frame")),
        })
    }
}

impl From<Tcp> for TcpView {
    fn from(tcp: Tcp) -> TcpView {
        TcpView {
            rtt: tcp.rtt_ms.0,
            rtt_deviation: tcp.rtt_deviation_ms.0,
            min_rtt: tcp.min_rtt_ms.map(|ms| ms.0),
            retransmits: tcp.retransmits,
            unacked: tcp.unacknowledged_segments,
            unsent: tcp.unsent_bytes,
            last_ack: tcp.last_ack_ms.0,
            last_data: tcp.last_data_ms.0,
            acked: 0,
        }
    }
}

impl Failure {
    pub(super) fn report(self) -> Result<ConnectError, FieldError> {
        let missing = |name: &str| FieldError::new(format!("error.{name}"), "it is missing");
        let proxy = self.proxy.map(|proxy| proxy.0);
        let untried = strings(self.untried);
        Ok(ConnectError {
            url: self.url.ok_or_else(|| missing("url"))?.0,
            phase: self.phase.ok_or_else(|| missing("phase"))?.0,
            kind: self.kind.0,
            cause: self.cause.0,
            hint: self.hint.map(|hint| hint.0),
            attempts: self.attempts.into_iter().map(ConnectAttempt::from).collect(),
            reached: self.remote.map(|address| ReachedPeer { address: address.0, proxy, untried }),
            refusal: self.refusal.map(|refusal| RefusalResponse {
                status: refusal.status,
                headers: headers(refusal.headers),
                body: refusal.body.untrusted(),
                // Only doctor reads it, while it runs.
                saw_no_upgrade: false,
            }),
            // Only the event of the failure has it.
            took: Duration::ZERO,
        })
    }
}
