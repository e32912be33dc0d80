//! State of one kind of heartbeat on one connection: schedule, outstanding requests, and status.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::extra_heartbeats::ExtraHeartbeats;
use super::plan::SessionPlan;
use crate::domain::connection::tcp::MissedAtTcp;
use crate::domain::format;
use crate::domain::heartbeat::extra_numbers::HeartbeatNumber;
use crate::domain::heartbeat::outstanding::{OutstandingPings, Resolution, Superseding};
use crate::domain::heartbeat::substitutes::{Substitute, Substitutes};
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome};
use crate::domain::ping::event::PeerTraffic;
use crate::domain::ping::event::StatusChange;
use crate::domain::ping::health::{HealthTracker, Status};
use crate::net::client::schedule::Schedule;

/// An RTT that is less than this above the mean is no spike. A retransmission that a timer starts delays more: TCP's earliest
/// loss probe waits two ticks of the kernel's clock of at most 1,000 Hz (Linux, tcp_schedule_loss_probe). What is sent again
/// sooner, because of later acknowledgements, counts at the next spike or at the end.
const LEAST_SPIKE: Duration = Duration::from_millis(1);

/// State of one kind of heartbeat.
#[derive(Debug)]
pub struct HeartbeatState {
    pub kind: HeartbeatKind,
    pub schedule: Schedule,
    pub outstanding: OutstandingPings,
    pub health: HealthTracker,
    /// What TCP reported about consecutive missed heartbeats.
    missed_at_tcp: MissedAtTcp,
    /// As far as known, answers carry no id and are matched in order: a lost one shows only at the end.
    pub in_order: bool,
    reported_status: Status,
    /// Heartbeats sent since the last answer.
    unanswered: u64,
    /// No heartbeat was answered yet.
    never_answered: bool,
    /// When the first heartbeat left.
    first_sent: Option<Instant>,
    /// What came in place of answers.
    substitutes: Option<Box<Substitutes>>,
    /// Messages since the last answer that came while an app heartbeat was in flight and do not answer it.
    unmatched: u64,
    /// The peer sent something since the last answer that shows that it does not hang.
    peer_sent: bool,
    /// Heartbeats besides those of the schedule, if the plan has any.
    extra: Option<Box<ExtraHeartbeats>>,
}

/// Where the numbers of one kind go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NextNumbers {
    /// Of the heartbeats of the schedule.
    pub seq: u64,
    /// Of the extra ones.
    pub extra: u64,
}

/// A heartbeat that is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingHeartbeat {
    pub seq: u64,
    pub due: Instant,
    /// The time it carries, in ms since the Unix epoch; 0 if it carries none.
    pub timestamp_ms: u64,
    /// Local delay: from its due time to the start of its write.
    pub lag: Duration,
}

impl HeartbeatState {
    /// The first heartbeat is due at `due` and has the number `first`.
    pub fn new(kind: HeartbeatKind, plan: &SessionPlan, due: Instant, first: NextNumbers) -> HeartbeatState {
        let NextNumbers { seq, extra } = first;
        let superseding = match kind {
            HeartbeatKind::Protocol => Superseding::Allowed,
            HeartbeatKind::App | HeartbeatKind::Http2 => Superseding::No,
        };
        let left = plan.count.map(|count| count.saturating_sub(seq));
        HeartbeatState {
            kind,
            schedule: Schedule::new(due, plan.interval, left),
            outstanding: OutstandingPings::new(plan.timeout, superseding, seq),
            health: HealthTracker::new(Arc::clone(&plan.limits)),
            missed_at_tcp: MissedAtTcp::default(),
            in_order: kind == HeartbeatKind::App && !plan.ask.has_keys(),
            reported_status: Status::Unknown,
            unanswered: 0,
            never_answered: true,
            first_sent: None,
            substitutes: None,
            unmatched: 0,
            peer_sent: false,
            extra: plan
                .degraded_interval
                .filter(|_| kind != HeartbeatKind::Http2)
                .map(|interval| Box::new(ExtraHeartbeats::new(interval, extra))),
        }
    }

    /// Counts a message that answers no heartbeat.
    pub fn count_unmatched(&mut self) {
        self.unmatched += u64::from(self.outstanding.in_flight() > 0);
    }

    /// Records that the peer sent something that is no reply. An echo or a stray reply shows that heartbeats
    /// reach the peer; anything else, once a heartbeat was missed, shows that the peer does not hang.
    pub fn record_peer_traffic(&mut self, traffic: PeerTraffic) {
        self.peer_sent |= self.unanswered > 0
            && match traffic {
                PeerTraffic::Echo => self.kind == HeartbeatKind::App,
                PeerTraffic::Stray(kind, _) => self.kind == kind,
                PeerTraffic::Message | PeerTraffic::ServerPing { .. } => {
                    self.missed_at_tcp != MissedAtTcp::default()
                }
            };
    }

    /// Records that a heartbeat left.
    pub fn record_sent(&mut self, at: Instant) {
        self.first_sent.get_or_insert(at);
        self.unanswered += 1;
        if let Some(substitutes) = &mut self.substitutes {
            substitutes.ping();
        }
    }

    /// Takes the sequence number of a heartbeat of the schedule, which leaves now.
    pub fn take_seq(&mut self, now: Instant) -> u64 {
        if let Some(extra) = &mut self.extra {
            extra.note_sent(now);
        }
        self.outstanding.take_seq()
    }

    /// Takes the extra heartbeat that is due: when it was, and its sequence number.
    pub fn take_due_extra(&mut self, now: Instant) -> Option<(Instant, u64)> {
        let extra = self.extra.as_mut().filter(|_| self.schedule.has_more())?;
        let due = extra.take_due(now)?;
        let seq = self.outstanding.take_seq();
        extra.note(seq);
        extra.note_sent(now);
        Some((due, seq))
    }

    /// Lets an extra heartbeat leave at once.
    pub fn ask_now(&mut self, now: Instant) {
        if let Some(extra) = &mut self.extra {
            extra.request(now);
        }
    }

    /// Lets extra heartbeats follow the status.
    pub fn follow_status(&mut self, now: Instant) {
        if let Some(extra) = &mut self.extra {
            extra.follow(self.health.status(), now);
        }
    }

    /// The number of a heartbeat, among those of the schedule or among the extra ones.
    pub fn number(&self, seq: u64) -> HeartbeatNumber {
        match &self.extra {
            Some(extra) => extra.number(seq),
            None => HeartbeatNumber { seq, is_extra: false },
        }
    }

    /// Where the numbers go on after this connection.
    pub fn next_numbers(&self) -> NextNumbers {
        let seq = self.number(self.outstanding.next_seq()).seq;
        NextNumbers { seq, extra: self.extra.as_ref().map_or(0, |extra| extra.count()) }
    }

    /// Heartbeats of the schedule that are in flight.
    pub fn unjudged(&self) -> u64 {
        match &self.extra {
            Some(extra) => self.outstanding.in_flight_of(|seq| !extra.number(seq).is_extra),
            None => self.outstanding.in_flight(),
        }
    }

    /// Whether any heartbeat left since the last answer.
    pub fn is_unanswered(&self) -> bool {
        self.unanswered > 0
    }

    /// The tracker of what comes in place of answers.
    pub fn substitutes(&mut self) -> &mut Substitutes {
        let unanswered = self.unanswered;
        self.substitutes.get_or_insert_with(|| Box::new(Substitutes::after(unanswered)))
    }

    /// What has replaced answers since the last one.
    pub fn substitute(&self) -> Option<Substitute> {
        self.substitutes.as_ref()?.found()
    }

    /// When the only heartbeat left, if exactly one was sent and none was answered.
    pub fn only_unanswered_ping(&self) -> Option<Instant> {
        self.first_sent.filter(|_| self.never_answered && self.unanswered == 1)
    }

    pub fn timeout(&self) -> Duration {
        self.outstanding.timeout()
    }

    /// Whether enough consecutive heartbeats were missed that the connection counts as dead.
    pub fn is_dead(&self) -> bool {
        self.health.status() == Status::Dead
    }

    /// Whether all heartbeats have been sent and have an outcome.
    pub fn is_done(&self) -> bool {
        !self.schedule.has_more() && self.outstanding.in_flight() == 0
    }

    /// Whether requests are in flight whose answers carry no id.
    pub fn awaits_in_order(&self) -> bool {
        self.in_order && self.outstanding.in_flight() > 0
    }

    /// The next due time: a heartbeat leaves, or one in flight expires.
    pub fn next_deadline(&self, opened_at: Instant) -> Option<Instant> {
        let expiry = self.outstanding.next_expiry().map(|expiry| opened_at + expiry);
        let extra =
            self.extra.as_ref().filter(|_| self.schedule.has_more()).and_then(|extra| extra.next_due());
        [self.schedule.next_due(), expiry, extra].into_iter().flatten().min()
    }

    /// Records an outcome. Returns whether the RTT is a spike: more than twice the mean of those before it, and
    /// [`LEAST_SPIKE`] longer.
    pub fn record(&mut self, resolution: &Resolution) -> bool {
        let Resolution { outcome, was, rtt, acked, later_answered, .. } = *resolution;
        match outcome {
            HeartbeatOutcome::Missed if later_answered => {}
            HeartbeatOutcome::Missed => self.missed_at_tcp.miss(acked),
            HeartbeatOutcome::Ok | HeartbeatOutcome::Late | HeartbeatOutcome::Superseded => {
                self.missed_at_tcp = MissedAtTcp::default()
            }
            HeartbeatOutcome::Unsent => {}
        }
        if outcome.is_answered() {
            (self.unanswered, self.never_answered, self.substitutes) = (0, false, None);
            (self.unmatched, self.peer_sent) = (0, false);
        }
        let before = self.health.window_mean();
        self.health.record(outcome, was, rtt, later_answered);
        rtt.zip(before).is_some_and(|(rtt, before)| rtt > before * 2 && rtt >= before + LEAST_SPIKE)
    }

    /// Why the status is what it is: a fragment.
    pub fn reason(&self) -> String {
        let substitute = self.substitute().filter(|_| self.health.metrics().consecutive_missed > 0);
        if self.unmatched > 0 && self.health.metrics().consecutive_missed > 0 {
            let came = format::counted(self.unmatched, "message");
            return format!("{}; {came} came that are no answer by the pattern", self.health.reason());
        }
        match (substitute, self.missed_at_tcp.meaning(self.peer_sent)) {
            (Some(substitute), _) => format!("{}; {}", self.health.reason(), substitute.describe()),
            (None, Some(meaning)) => format!("{}; {meaning}", self.health.reason()),
            (None, None) => self.health.reason(),
        }
    }

    /// The status change since the last call.
    pub fn status_change(&mut self) -> Option<StatusChange> {
        let (from, to) = (self.reported_status, self.health.status());
        if from == to {
            return None;
        }
        self.reported_status = to;
        let (reason, metrics) = (self.reason(), self.health.metrics());
        Some(StatusChange { kind: Some(self.kind), from, to, reason, metrics })
    }
}

/// A Ping's payload, which no other connection's Pong can match: the connection's nonce and the sequence number, eight
/// bytes each, big-endian.
pub fn ping_payload(nonce: u64, seq: u64) -> [u8; 16] {
    (u128::from(nonce) << 64 | u128::from(seq)).to_be_bytes()
}

/// The sequence number in a Pong's payload, if the nonce is this connection's.
pub fn seq_of(payload: &[u8], nonce: u64) -> Option<u64> {
    let whole = u128::from_be_bytes(payload.try_into().ok()?);
    ((whole >> 64) as u64 == nonce).then_some(whole as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_identifies_connection_and_heartbeat() {
        let payload = ping_payload(7, 9);
        assert_eq!(payload, [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9]);
        assert_eq!(seq_of(&payload, 7), Some(9));
        assert_eq!(seq_of(&payload, 8), None);
        assert_eq!(seq_of(&payload[1..], 7), None);
        assert_eq!(seq_of(b"", 7), None);
    }
}
