//! A run that an input describes, event by event.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Result, Unstructured};
use strum::IntoEnumIterator;

use crate::domain::catalogue;
use crate::domain::connection::close_cause::{
    CloseCause, CloseKind, ClosePayload, CloseReply, ClosedBy, Violation,
};
use crate::domain::connection::connect_info::{
    ConnectAttempt, ConnectError, ConnectInfo, FailureKind, HttpVersion, ReachedPeer, RefusalResponse,
    SharedHttp2, TimestampSource, TlsInfo,
};
use crate::domain::connection::goaway::{Goaway, GoawayNotice};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::connection::phase::{Phase, PhaseTimes};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};
use crate::domain::label::Label;
use crate::domain::nanos::Nanos;
use crate::domain::ping::event::{ConnEvent, ConnId, Event, HeartbeatResult, PeerTraffic, StatusChange};
use crate::domain::ping::expected_ending::ExpectedEnding;
use crate::domain::ping::fail_if::{FailIf, METRICS};
use crate::domain::ping::health::{Status, StatusMetrics};
use crate::domain::ping::held_back::HeldBack;
use crate::domain::ping::report::PingReport;
use crate::domain::ping::run_info::RunInfo;
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::domain::ping::verdict::PassCriteria;
use crate::domain::stats::interval::Interval;

/// 2026-03-01T12:00:00Z
const NOON: Duration = Duration::from_secs(1_772_366_400);
const URLS: [&str; 3] = ["ws://a.example/", "wss://b.example/?token=***", "ws://[::1]:9001/<&>"];
const MAX_EVENTS: usize = 400;
/// Longest text of a peer, in bytes.
const MAX_TEXT: usize = 48;

/// A run that is told by an input.
#[derive(Debug)]
pub struct Scenario {
    pub info: Arc<RunInfo>,
    pub policy: PassCriteria,
    pub start: SystemTime,
    pub elapsed: Duration,
    pub interrupted: bool,
    /// Every heartbeat is judged once, and each revision is of its last outcome.
    pub is_orderly: bool,
    /// The last outcome of each heartbeat of an orderly run.
    outcomes: BTreeMap<(ConnId, HeartbeatKind), Vec<HeartbeatOutcome>>,
    in_flight: u64,
    events: usize,
}

type Input<'i, 'a> = &'i mut Unstructured<'a>;

fn any<T: IntoEnumIterator + Clone>(input: Input<'_, '_>) -> Result<T> {
    let all: Vec<T> = T::iter().collect();
    input.choose(&all).cloned()
}

fn some<T>(input: Input<'_, '_>, make: impl FnOnce(Input<'_, '_>) -> Result<T>) -> Result<Option<T>> {
    if bool::arbitrary(input)? { make(input).map(Some) } else { Ok(None) }
}

/// Mostly below a minute, sometimes of any length.
fn duration(input: Input<'_, '_>) -> Result<Duration> {
    Ok(match u8::arbitrary(input)? {
        0..100 => Duration::from_micros(u16::arbitrary(input)?.into()),
        100..200 => Duration::from_millis(u16::arbitrary(input)?.into()),
        200..250 => Duration::from_nanos(u32::arbitrary(input)?.into()),
        // Up to two years.
        _ => Duration::from_nanos(u64::arbitrary(input)? >> 8),
    })
}

fn number(input: Input<'_, '_>) -> Result<u64> {
    Ok(if u8::arbitrary(input)? < 250 { u8::arbitrary(input)?.into() } else { u32::arbitrary(input)?.into() })
}

fn untrusted(input: Input<'_, '_>) -> Result<UntrustedText> {
    let length = input.int_in_range(0..=MAX_TEXT)?.min(input.len());
    input.bytes(length).map(UntrustedText::from_bytes)
}

/// A sentence of ours around a peer's text.
fn sentence(input: Input<'_, '_>) -> Result<String> {
    Ok(format!("because of '{}'", untrusted(input)?))
}

impl Scenario {
    pub fn new(input: Input<'_, '_>) -> Result<Scenario> {
        let targets = input.int_in_range(1..=URLS.len())?;
        let connections_each = *input.choose(&[1, 1, 2, 3, 12])?;
        let kinds = match input.int_in_range(0..=2)? {
            0 => vec![HeartbeatKind::Protocol],
            1 => vec![HeartbeatKind::App],
            2 => vec![HeartbeatKind::Protocol, HeartbeatKind::Http2],
            _ => vec![HeartbeatKind::Protocol, HeartbeatKind::App],
        };
        let policy = policy(input)?;
        let info = RunInfo {
            targets: URLS[..targets].iter().map(|url| url.to_string()).collect(),
            connections_each,
            worst: input.int_in_range(0..=5)?,
            lists_all: bool::arbitrary(input)?,
            kinds,
            interval: some(input, duration)?,
            timeout: duration(input)?,
            outage_after: duration(input)?,
            count: some(input, number)?,
            deadline: some(input, duration)?,
            preset: None,
            demands: policy.demands(),
        };
        Ok(Scenario {
            info: Arc::new(info),
            policy,
            start: SystemTime::UNIX_EPOCH + NOON,
            elapsed: Duration::from_millis(u32::arbitrary(input)?.into()),
            interrupted: bool::arbitrary(input)?,
            is_orderly: bool::arbitrary(input)?,
            outcomes: BTreeMap::new(),
            in_flight: 0,
            events: 0,
        })
    }

    /// The next event; `None` at the end of the input.
    pub fn next(&mut self, input: Input<'_, '_>) -> Result<Option<Event>> {
        self.events += 1;
        if input.is_empty() || self.events > MAX_EVENTS {
            return Ok(None);
        }
        // One more than there are, which the recorder ignores.
        let beyond = usize::from(!self.is_orderly);
        let target = input.int_in_range(0..=self.info.targets.len() - 1 + beyond)?;
        let index = input.int_in_range(0..=self.info.connections_each - 1 + beyond)?;
        let id = ConnId { target, index };
        let at = match u8::arbitrary(input)? {
            0..10 => self.start - Duration::from_millis(u16::arbitrary(input)?.into()),
            _ => self.start + Duration::from_millis((self.events as u64) << (u8::arbitrary(input)? % 16)),
        };
        let event = self.conn_event(id, at, input)?;
        Ok(Some(Event::Connection { id, at, event }))
    }

    fn conn_event(&mut self, id: ConnId, at: SystemTime, input: Input<'_, '_>) -> Result<ConnEvent> {
        Ok(match u8::arbitrary(input)? {
            0..140 => ConnEvent::Heartbeat(self.heartbeat(id, input)?),
            140..160 => ConnEvent::Opened(Arc::new(connect_info(input)?)),
            160..165 => ConnEvent::OpenFailed(Arc::new(connect_error(input)?)),
            165..175 => ConnEvent::PeerTraffic(traffic(input)?, number(input)?),
            175..180 => ConnEvent::PeerMessage(untrusted(input)?),
            180..190 => ConnEvent::Status(status_change(input)?),
            190..195 => ConnEvent::Standing { status: any(input)?, reason: sentence(input)? },
            195..200 => self.unjudged(any(input)?, number(input)?),
            200..201 => ConnEvent::Goaway(Arc::new(goaway_notice(input)?)),
            201..203 => ConnEvent::Announced(duration(input)?),
            203..215 => ConnEvent::ServerTraffic(Arc::new(server_traffic(input)?)),
            215..235 => ConnEvent::Ended(Arc::new(close_cause(at, input)?)),
            235..240 => ConnEvent::Retry { attempt: u8::arbitrary(input)?.into(), after: duration(input)? },
            240..248 => {
                ConnEvent::Reconnected { outage: duration(input)?, attempts: u8::arbitrary(input)?.into() }
            }
            248..252 => ConnEvent::GaveUp {
                outage: duration(input)?,
                attempts: u8::arbitrary(input)?.into(),
                is_stopped: bool::arbitrary(input)?,
            },
            252.. => ConnEvent::Opening,
        })
    }

    fn unjudged(&mut self, kind: HeartbeatKind, count: u64) -> ConnEvent {
        if self.info.kinds.contains(&kind) {
            self.in_flight += count;
        }
        ConnEvent::Unjudged { kind, count }
    }

    fn heartbeat(&mut self, id: ConnId, input: Input<'_, '_>) -> Result<HeartbeatResult> {
        let kind: HeartbeatKind = any(input)?;
        let (seq, was, outcome) = if self.is_orderly {
            self.judge((id, kind), input)?
        } else {
            (number(input)?, some(input, any)?, any(input)?)
        };
        Ok(HeartbeatResult {
            kind,
            seq,
            outcome,
            was,
            rtt: if self.is_orderly {
                outcome.is_answered().then(|| duration(input)).transpose()?
            } else {
                some(input, duration)?
            },
            lag: some(input, duration)?,
            to_wire: some(input, duration)?.map(Nanos::from),
            from_wire: some(input, duration)?.map(Nanos::from),
            acked: if outcome == HeartbeatOutcome::Missed || !self.is_orderly {
                Option::arbitrary(input)?
            } else {
                None
            },
            later_answered: outcome == HeartbeatOutcome::Missed && bool::arbitrary(input)?,
            exhausted_window: match outcome {
                HeartbeatOutcome::Unsent => some(input, any)?,
                _ => None,
            },
            sent_again: Option::<u8>::arbitrary(input)?.map(u32::from),
            rivals: input.int_in_range(0..=3)?,
        })
    }

    /// The number, the last outcome and the new one of a heartbeat that is judged for the first time, or revised.
    fn judge(
        &mut self,
        (id, kind): (ConnId, HeartbeatKind),
        input: Input<'_, '_>,
    ) -> Result<(u64, Option<HeartbeatOutcome>, HeartbeatOutcome)> {
        use HeartbeatOutcome::{Late, Missed, Ok as Answered, Superseded};
        let outcomes = self.outcomes.entry((id, kind)).or_default();
        let revised = input.choose_index(outcomes.len() + 1)?;
        let outcome = match outcomes.get(revised) {
            Some(Missed) => *input.choose(&[Answered, Late, Superseded])?,
            Some(Superseded) => *input.choose(&[Answered, Late])?,
            Some(_) | None => {
                let outcome = any(input)?;
                outcomes.push(outcome);
                return Ok((outcomes.len() as u64 - 1, None, outcome));
            }
        };
        let was = std::mem::replace(&mut outcomes[revised], outcome);
        Ok((revised as u64, Some(was), outcome))
    }

    /// An orderly run is counted as it was told.
    pub fn check(&self, report: &PingReport) {
        if !self.is_orderly {
            return;
        }
        for figures in &report.kinds {
            let is_kind = |((_, kind), _): &(&(ConnId, HeartbeatKind), _)| *kind == figures.kind;
            let told: Vec<HeartbeatOutcome> =
                self.outcomes.iter().filter(is_kind).flat_map(|(_, outcomes)| outcomes).copied().collect();
            let count = |wanted| told.iter().filter(|outcome| **outcome == wanted).count() as u64;
            let counts = &figures.counts;
            assert_eq!(counts.ok, count(HeartbeatOutcome::Ok));
            assert_eq!(counts.late, count(HeartbeatOutcome::Late));
            assert_eq!(counts.missed, count(HeartbeatOutcome::Missed));
            assert_eq!(counts.superseded, count(HeartbeatOutcome::Superseded));
            assert_eq!(counts.unsent, count(HeartbeatOutcome::Unsent));
            assert_eq!(figures.rtt.map_or(0, |rtt| rtt.count), counts.answered());
        }
        assert_eq!(report.kinds.iter().map(|kind| kind.counts.in_flight).sum::<u64>(), self.in_flight);
    }
}

fn policy(input: Input<'_, '_>) -> Result<PassCriteria> {
    let condition = |input: Input<'_, '_>| -> Result<FailIf> {
        let metric = input.choose(METRICS)?;
        let limit = input.choose(&["1", "5", "100ms", "1s", "0.01", "50%"])?;
        let text = format!("{}{}{limit}", metric.name, input.choose(&[">", "<=", "=="])?);
        text.parse().map_err(|_| arbitrary::Error::IncorrectFormat)
    };
    let status: Status = any(input)?;
    let endings = ExpectedEnding {
        close_codes: some(input, |input| input.choose(&[1000, 1001, 4000]).copied())?.into_iter().collect(),
        refused_with: some(input, |input| input.choose(&[401, 404]).copied())?
            .into_iter()
            .filter(|_| u8::arbitrary(input).is_ok_and(|byte| byte < 16))
            .collect(),
    };
    let fail_if: Vec<FailIf> = some(input, condition)?.into_iter().collect();
    Ok(PassCriteria {
        fail_on: status.label().parse().unwrap_or_default(),
        warn_if: some(input, condition)?.into_iter().collect(),
        fail_if,
        endings,
        ..PassCriteria::default()
    })
}

fn phases(input: Input<'_, '_>) -> Result<PhaseTimes> {
    Ok(PhaseTimes {
        dns: some(input, duration)?,
        tcp: some(input, duration)?,
        proxy: some(input, duration)?,
        tls: some(input, duration)?,
        upgrade: some(input, duration)?,
        total: duration(input)?,
    })
}

fn attempts(input: Input<'_, '_>) -> Result<Vec<ConnectAttempt>> {
    let one = |input: Input<'_, '_>| {
        let address = input.choose(&["127.0.0.1:9001", "[::1]:9001", "/run/x"])?.to_string();
        Ok(ConnectAttempt { address, took: duration(input)?, error: some(input, sentence)? })
    };
    Ok([some(input, one)?, some(input, one)?].into_iter().flatten().collect())
}

fn headers(input: Input<'_, '_>) -> Result<Vec<(String, UntrustedText)>> {
    let one = |input: Input<'_, '_>| {
        let name = input.choose(&["server", "via", "x-cache", "cf-ray", "location"])?.to_string();
        Ok((name, untrusted(input)?))
    };
    Ok([some(input, one)?, some(input, one)?].into_iter().flatten().collect())
}

fn goaway_notice(input: Input<'_, '_>) -> Result<GoawayNotice> {
    let (code, last_stream) = (Http2Code(u32::arbitrary(input)?), u32::arbitrary(input)?);
    Ok(GoawayNotice { goaway: Goaway { code, last_stream, debug: untrusted(input)? }, age: duration(input)? })
}

fn shared_http2(input: Input<'_, '_>) -> Result<SharedHttp2> {
    Ok(SharedHttp2 {
        number: NonZeroU32::MIN.saturating_add(u8::arbitrary(input)?.into()),
        streams_wanted: u8::arbitrary(input)?.into(),
        streams_allowed: Option::<u8>::arbitrary(input)?.map(u32::from),
    })
}

fn connect_info(input: Input<'_, '_>) -> Result<ConnectInfo> {
    if u8::arbitrary(input)? < 128 {
        return Ok(ConnectInfo::default());
    }
    let tls = |input: Input<'_, '_>| {
        Ok(TlsInfo {
            version: "TLSv1.3".to_string(),
            cipher: "TLS13_AES_256_GCM_SHA384".to_string(),
            alpn: some(input, |_| Ok("http/1.1".to_string()))?,
            days_left: Option::<i16>::arbitrary(input)?.map(i64::from),
            subject: some(input, untrusted)?,
            issuer: some(input, untrusted)?,
            verified: bool::arbitrary(input)?,
        })
    };
    Ok(ConnectInfo {
        remote: Some("127.0.0.1:9001".to_string()),
        local: Some("127.0.0.1:51234".to_string()),
        proxy: some(input, |_| Ok("http://p.example:3128".to_string()))?,
        phases: phases(input)?,
        attempts: attempts(input)?,
        tls: some(input, tls)?,
        http: *input.choose(&[HttpVersion::Http1, HttpVersion::Http2])?,
        shared_http2: some(input, shared_http2)?,
        subprotocols_offered: vec!["chat".to_string()],
        subprotocol: some(input, untrusted)?,
        compression_offered: some(input, |_| Ok("permessage-deflate; client_max_window_bits".to_string()))?,
        compression: some(input, |_| Ok("permessage-deflate".to_string()))?,
        headers: headers(input)?,
        timestamps: *input.choose(&[
            TimestampSource::Kernel,
            TimestampSource::KernelReceive,
            TimestampSource::User,
        ])?,
    })
}

fn connect_error(input: Input<'_, '_>) -> Result<ConnectError> {
    let refusal = |input: Input<'_, '_>| {
        Ok(RefusalResponse {
            status: *input.choose(&[200, 401, 404, 503, 999])?,
            headers: headers(input)?,
            body: untrusted(input)?,
            saw_no_upgrade: false,
        })
    };
    let reached = |input: Input<'_, '_>| {
        Ok(ReachedPeer {
            address: "192.0.2.1:443".to_string(),
            proxy: some(input, |_| Ok("http://p.example:3128".to_string()))?,
            untried: some(input, |_| Ok("192.0.2.2:443".to_string()))?.into_iter().collect(),
        })
    };
    Ok(ConnectError {
        url: input.choose(&URLS)?.to_string(),
        phase: any::<Phase>(input)?,
        kind: any::<FailureKind>(input)?,
        cause: sentence(input)?,
        hint: some(input, sentence)?,
        attempts: attempts(input)?,
        reached: some(input, reached)?,
        refusal: some(input, refusal)?,
        took: duration(input)?,
    })
}

fn traffic(input: Input<'_, '_>) -> Result<PeerTraffic> {
    Ok(match input.int_in_range(0..=3)? {
        0 => PeerTraffic::Stray(any(input)?, any::<StrayPong>(input)?),
        1 => PeerTraffic::ServerPing { kind: any(input)?, answered: bool::arbitrary(input)? },
        2 => PeerTraffic::Message,
        _ => PeerTraffic::Echo,
    })
}

fn status_change(input: Input<'_, '_>) -> Result<StatusChange> {
    let share = |input: Input<'_, '_>| Ok(f64::from(u8::arbitrary(input)?) / 255.0);
    Ok(StatusChange {
        kind: some(input, any)?,
        from: any(input)?,
        to: any(input)?,
        reason: sentence(input)?,
        metrics: StatusMetrics {
            window_mean: some(input, duration)?,
            last_rtt: some(input, duration)?,
            loss: some(input, share)?,
            consecutive_missed: u8::arbitrary(input)?.into(),
            judged: number(input)?,
        },
    })
}

fn server_traffic(input: Input<'_, '_>) -> Result<ServerTraffic> {
    let interval = |input: Input<'_, '_>| {
        let gaps = [duration(input)?, duration(input)?, duration(input)?];
        Ok((any(input)?, Interval::of(gaps).ok_or(arbitrary::Error::IncorrectFormat)?))
    };
    let preset = |input: Input<'_, '_>| {
        let names: Vec<&str> = catalogue::presets().map(|preset| preset.name).collect();
        input.choose(&names).copied()
    };
    let substitute = |input: Input<'_, '_>| {
        Ok(match bool::arbitrary(input)? {
            true => Substitute::Pings { count: number(input)? },
            false => Substitute::Messages { count: number(input)?, sample: untrusted(input)? },
        })
    };
    let incomplete = |input: Input<'_, '_>| {
        let part = match input.int_in_range(0..=3)? {
            0 => IncompletePart::Head { bytes: number(input)? },
            1 => IncompletePart::Frame { received: number(input)?, size: number(input)? },
            2 => IncompletePart::Message { fragments: number(input)?, bytes: number(input)? },
            _ => IncompletePart::Record,
        };
        Ok(IncompleteData { part, since: duration(input)? })
    };
    Ok(ServerTraffic {
        intervals: some(input, interval)?.into_iter().collect(),
        first_other: some(input, untrusted)?,
        looks_like: some(input, preset)?.into_iter().collect(),
        nearest: None,
        foreign: some(input, untrusted)?,
        last: some(input, untrusted)?,
        substitute: some(input, substitute)?,
        incomplete: some(input, incomplete)?,
        ended_after_ping: some(input, duration)?,
        held_back: some(input, |input| {
            Ok(HeldBack { delayed: number(input)?, longest: duration(input)?, window: any(input)? })
        })?,
    })
}

fn close_payload(input: Input<'_, '_>) -> Result<ClosePayload> {
    Ok(ClosePayload { code: Option::arbitrary(input)?, reason: untrusted(input)? })
}

fn close_kind(input: Input<'_, '_>) -> Result<CloseKind> {
    Ok(match input.int_in_range(0..=11)? {
        0 => CloseKind::CloseFrame {
            code: Some(*input.choose(&[1000, 1001, 1006, 4000])?),
            reason: untrusted(input)?,
        },
        1 => CloseKind::CloseFrame { code: Option::arbitrary(input)?, reason: untrusted(input)? },
        2 => CloseKind::Fin,
        3 => CloseKind::Rst,
        4 => CloseKind::TlsClose,
        5 => CloseKind::TlsAlert { alert: untrusted(input)? },
        6 => CloseKind::Violation {
            rule: any::<Violation>(input)?,
            detail: untrusted(input)?,
            close: some(input, close_payload)?.map(Box::new),
        },
        7 => CloseKind::TooLarge { size: number(input)?, limit: number(input)? },
        8 => CloseKind::Silent,
        9 => CloseKind::Timeout,
        _ => CloseKind::Error,
    })
}

fn close_cause(at: SystemTime, input: Input<'_, '_>) -> Result<CloseCause> {
    let reply = |input: Input<'_, '_>| {
        Ok(match input.int_in_range(0..=4)? {
            0 => CloseReply::CloseFrame(close_payload(input)?),
            1 => CloseReply::Fin,
            2 => CloseReply::Broken(sentence(input)?),
            3 => CloseReply::Nothing { waited: duration(input)? },
            _ => CloseReply::NotSent,
        })
    };
    Ok(CloseCause {
        who: any::<ClosedBy>(input)?,
        how: close_kind(input)?,
        reply: some(input, reply)?,
        os_error: some(input, |_| Ok("ECONNRESET".to_string()))?,
        tcp: None,
        age: duration(input)?,
        idle: duration(input)?,
        at,
    })
}
