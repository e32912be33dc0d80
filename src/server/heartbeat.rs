//! The server's heartbeats to one client: when they are sent, and when a client that misses them is terminated.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::client_stats::HeartbeatStats;
use super::config::ServerHeartbeats;
use super::frame::{Opcode, encode};
use super::sent_pings::{PingRecord, SentPings};
use crate::domain::heartbeat::inbound::InboundMessage;
use crate::domain::heartbeat::passed_over::{self, LargestRtt};
use crate::domain::heartbeat::template::Payload;
use crate::domain::heartbeat::{HeartbeatKind, HeartbeatOutcome, StrayPong};

/// Fractional part of the golden ratio times 2^64. Its multiples, as fractions of the interval, are evenly spread for
/// any number of clients (Weyl; Knuth, volume 3, 6.4).
const GOLDEN_RATIO_BITS: u64 = 0x9e37_79b9_7f4a_7c15;

/// An action to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeartbeatAction {
    /// Send this frame.
    Send(Vec<u8>),
    /// The client has missed the maximum number of heartbeats.
    GiveUp { missed: u32 },
}

/// The heartbeats of one client.
#[derive(Debug)]
pub struct ClientHeartbeats {
    rules: Arc<ServerHeartbeats>,
    schedules: Vec<KindSchedule>,
    /// When the last frame came.
    last_frame_at: Instant,
    /// When the last message came.
    last_message_at: Option<Instant>,
}

/// Heartbeats of one kind.
#[derive(Debug)]
struct KindSchedule {
    kind: HeartbeatKind,
    next: Instant,
    sent_pings: SentPings,
    /// Consecutive heartbeats without any sign of life after them.
    silent: u32,
    largest_rtt: LargestRtt,
    /// The sequence number after the latest answered heartbeat.
    answered_before: u64,
}

impl ClientHeartbeats {
    /// `epoch` is the origin of all clients' time grid, `id` the client's number.
    pub fn new(
        rules: Arc<ServerHeartbeats>,
        id: u64,
        nonce: u32,
        epoch: Instant,
        now: Instant,
    ) -> ClientHeartbeats {
        let schedule = |(n, kind): (usize, &HeartbeatKind)| {
            let offset = offset(id, rules.interval) + rules.interval * n as u32 / rules.kinds.len() as u32;
            let next = next_on_grid(epoch + offset, rules.interval, now);
            KindSchedule::new(*kind, next, SentPings::new(nonce))
        };
        let schedules = rules.kinds.iter().enumerate().map(schedule).collect();
        ClientHeartbeats { rules, schedules, last_frame_at: now, last_message_at: None }
    }

    /// Records a frame.
    pub fn record_frame(&mut self, is_data: bool, now: Instant) {
        self.last_frame_at = now;
        if is_data {
            self.last_message_at = Some(now);
        }
        if self.rules.any_traffic_counts {
            self.schedules.iter_mut().for_each(|schedule| schedule.silent = 0);
        }
    }

    /// Records a Pong frame, which may answer nothing.
    pub fn on_pong(&mut self, payload: &[u8], now: Instant, figures: &mut [HeartbeatStats]) {
        for (schedule, figures) in self
            .schedules
            .iter_mut()
            .zip(figures)
            .filter(|(schedule, _)| schedule.kind == HeartbeatKind::Protocol)
        {
            let found = schedule.sent_pings.by_payload(payload);
            schedule.record_answer(found, now, self.rules.timeout, figures);
        }
    }

    /// Records a message; returns whether it answers an app ping.
    pub fn on_message(
        &mut self,
        incoming: &InboundMessage,
        now: Instant,
        figures: &mut [HeartbeatStats],
    ) -> bool {
        for (schedule, figures) in
            self.schedules.iter_mut().zip(figures).filter(|(schedule, _)| schedule.kind == HeartbeatKind::App)
        {
            if let Some(found) = schedule.sent_pings.by_message(incoming, &self.rules.app_pong) {
                schedule.record_answer(found, now, self.rules.timeout, figures);
                return true;
            }
        }
        false
    }

    /// Does what is due by `now`; `stamp` is the wall clock in milliseconds since the Unix epoch.
    pub fn wake(&mut self, now: Instant, stamp: u64, figures: &mut [HeartbeatStats]) -> Vec<HeartbeatAction> {
        let mut actions = Vec::new();
        for (schedule, figures) in self.schedules.iter_mut().zip(figures) {
            schedule.expire_overdue(&self.rules, self.last_frame_at, now, figures);
            if self.rules.max_missed > 0 && schedule.silent >= self.rules.max_missed {
                return vec![HeartbeatAction::GiveUp { missed: schedule.silent }];
            }
            actions.extend(
                schedule.send(&self.rules, self.last_message_at, now, stamp).map(HeartbeatAction::Send),
            );
        }
        actions
    }

    /// When to call [`ClientHeartbeats::wake`] next.
    pub fn due(&self) -> Option<Instant> {
        let deadline = |schedule: &KindSchedule| {
            schedule.sent_pings.oldest_open().map(|ask| ask.sent + self.rules.timeout)
        };
        let due = |schedule: &KindSchedule| {
            deadline(schedule).map_or(schedule.next, |deadline| deadline.min(schedule.next))
        };
        self.schedules.iter().map(due).min()
    }

    /// Time since the client's last frame.
    pub fn silent_for(&self, now: Instant) -> Duration {
        now - self.last_frame_at
    }
}

impl KindSchedule {
    fn new(kind: HeartbeatKind, next: Instant, sent_pings: SentPings) -> KindSchedule {
        KindSchedule {
            kind,
            next,
            sent_pings,
            silent: 0,
            largest_rtt: LargestRtt::default(),
            answered_before: 0,
        }
    }

    fn record_answer(
        &mut self,
        found: Result<PingRecord, StrayPong>,
        now: Instant,
        timeout: Duration,
        figures: &mut HeartbeatStats,
    ) {
        let ask = match found {
            Ok(ask) => ask,
            Err(stray) => return figures.counts.record_strays(stray, 1),
        };
        self.silent = 0;
        if matches!(ask.outcome, Some(HeartbeatOutcome::Ok | HeartbeatOutcome::Late)) {
            return figures.counts.record_strays(StrayPong::Duplicate, 1);
        }
        let rtt = now - ask.sent;
        let largest_before = self.largest_rtt.record(rtt);
        if self.kind == HeartbeatKind::Protocol {
            self.judge_earlier_pings(&ask, rtt, largest_before, figures);
        }
        self.answered_before = self.answered_before.max(ask.seq + 1);
        let outcome = if rtt <= timeout { HeartbeatOutcome::Ok } else { HeartbeatOutcome::Late };
        self.sent_pings.set_outcome(ask.seq, outcome);
        figures.record(ask.seq, outcome, ask.outcome, Some(rtt), true);
    }

    /// The pong of `answered` decides about the unanswered pings before it.
    fn judge_earlier_pings(
        &mut self,
        answered: &PingRecord,
        rtt: Duration,
        largest: Duration,
        figures: &mut HeartbeatStats,
    ) {
        let pings = self.sent_pings.without_answer(self.answered_before..answered.seq);
        let Some(last) = pings.last() else { return };
        let outcome = passed_over::outcome(answered.sent - last.sent, rtt, largest);
        for ping in pings.iter().filter(|ping| ping.outcome != Some(outcome)) {
            self.sent_pings.set_outcome(ping.seq, outcome);
            figures.record(ping.seq, outcome, ping.outcome, None, true);
        }
    }

    /// Marks overdue heartbeats as missed. A miss is no silence if a later heartbeat was answered, or if other traffic
    /// counts and came since.
    fn expire_overdue(
        &mut self,
        rules: &ServerHeartbeats,
        last_frame_at: Instant,
        now: Instant,
        figures: &mut HeartbeatStats,
    ) {
        while let Some(ask) =
            self.sent_pings.oldest_open().copied().filter(|ask| ask.sent + rules.timeout <= now)
        {
            let is_alive =
                ask.seq < self.answered_before || (rules.any_traffic_counts && last_frame_at > ask.sent);
            self.silent = if is_alive { 0 } else { self.silent.saturating_add(1) };
            self.sent_pings.set_outcome(ask.seq, HeartbeatOutcome::Missed);
            figures.record(ask.seq, HeartbeatOutcome::Missed, None, None, is_alive);
        }
    }

    fn send(
        &mut self,
        rules: &ServerHeartbeats,
        last_message_at: Option<Instant>,
        now: Instant,
        stamp: u64,
    ) -> Option<Vec<u8>> {
        if self.next > now {
            return None;
        }
        let active_until = last_message_at
            .filter(|_| rules.skip_if_active)
            .map(|last_message_at| last_message_at + rules.interval);
        if let Some(quiet) = active_until.filter(|until| *until > now) {
            // GatewayWorker's grid has two steps per interval, so the heartbeat comes 1 to 1.5 intervals after the
            // message.
            let before = quiet - Duration::from_nanos(1);
            self.next = next_on_grid(self.next, (rules.interval / 2).max(Duration::from_nanos(1)), before);
            return None;
        }
        self.next = next_on_grid(self.next, rules.interval, now);
        let ask = self.sent_pings.record(now, stamp);
        Some(match self.kind {
            HeartbeatKind::Protocol | HeartbeatKind::Http2 => {
                encode(Opcode::Ping, self.sent_pings.id(ask.seq).as_bytes())
            }
            HeartbeatKind::App => match self.sent_pings.render(&ask, &rules.app_ping) {
                Payload::Text(text) => encode(Opcode::Text, text.as_bytes()),
                Payload::Binary(bytes) => encode(Opcode::Binary, &bytes),
            },
        })
    }
}

/// A client's offset in the interval.
fn offset(id: u64, interval: Duration) -> Duration {
    let nanos = interval.as_nanos() * u128::from(id.wrapping_mul(GOLDEN_RATIO_BITS));
    Duration::from_nanos(u64::try_from(nanos >> 64).unwrap_or(u64::MAX))
}

/// The first of `origin`, `origin + step`, ... after `now`.
fn next_on_grid(origin: Instant, step: Duration, now: Instant) -> Instant {
    let Some(behind) = now.checked_duration_since(origin) else { return origin };
    let actions = behind.as_nanos() / step.as_nanos().max(1) + 1;
    origin + Duration::from_nanos(u64::try_from(step.as_nanos() * actions).unwrap_or(u64::MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::stats::Counts;
    use proptest::prelude::*;

    const S: Duration = Duration::from_secs(1);

    fn rules() -> ServerHeartbeats {
        ServerHeartbeats {
            kinds: vec![HeartbeatKind::Protocol],
            interval: 30 * S,
            timeout: 10 * S,
            ..ServerHeartbeats::default()
        }
    }

    /// One client in simulated time.
    struct TestClient {
        heartbeats: ClientHeartbeats,
        figures: Vec<HeartbeatStats>,
        epoch: Instant,
    }

    impl TestClient {
        fn new(rules: ServerHeartbeats) -> TestClient {
            let epoch = Instant::now();
            let figures = rules.kinds.iter().map(|kind| HeartbeatStats::new(*kind)).collect();
            // Client 0 has offset 0: its heartbeats are due at whole intervals.
            TestClient {
                heartbeats: ClientHeartbeats::new(Arc::new(rules), 0, 7, epoch, epoch),
                figures,
                epoch,
            }
        }

        fn wake(&mut self, at: Duration) -> Vec<HeartbeatAction> {
            self.heartbeats.wake(self.epoch + at, 0, &mut self.figures)
        }

        fn on_pong(&mut self, at: Duration, payload: &str) {
            self.heartbeats.record_frame(false, self.epoch + at);
            self.heartbeats.on_pong(payload.as_bytes(), self.epoch + at, &mut self.figures);
        }

        fn due(&self) -> Duration {
            self.heartbeats.due().unwrap() - self.epoch
        }
    }

    fn ping(seq: u64) -> Vec<HeartbeatAction> {
        vec![HeartbeatAction::Send(encode(Opcode::Ping, format!("00000007-{seq}").as_bytes()))]
    }

    #[test]
    fn heartbeats_leave_every_interval_and_rtts_are_measured() {
        let mut run = TestClient::new(rules());
        assert_eq!((run.due(), run.wake(30 * S)), (30 * S, ping(0)));
        assert_eq!(run.due(), 40 * S);
        run.on_pong(32 * S, "00000007-0");
        assert_eq!((run.due(), run.wake(60 * S)), (60 * S, ping(1)));
        assert_eq!((run.figures[0].counts.ok, run.figures[0].metrics().last_rtt), (1, Some(2 * S)));
    }

    #[test]
    fn late_wake_shifts_no_heartbeat() {
        let mut run = TestClient::new(rules());
        assert_eq!(run.wake(35 * S), ping(0));
        run.on_pong(36 * S, "00000007-0");
        assert_eq!(run.due(), 60 * S);
    }

    #[test]
    fn silent_client_is_terminated_at_the_timeout() {
        let mut run = TestClient::new(rules());
        run.wake(30 * S);
        assert_eq!(run.wake(40 * S - Duration::from_nanos(1)), []);
        assert_eq!(run.wake(40 * S), [HeartbeatAction::GiveUp { missed: 1 }]);
    }

    #[test]
    fn client_may_miss_up_to_the_limit() {
        let mut run = TestClient::new(ServerHeartbeats { max_missed: 2, ..rules() });
        run.wake(30 * S);
        assert_eq!((run.wake(40 * S), run.wake(60 * S)), (vec![], ping(1)));
        assert_eq!(run.wake(70 * S), [HeartbeatAction::GiveUp { missed: 2 }]);
    }

    #[test]
    fn without_limit_client_may_stay_silent() {
        let mut run = TestClient::new(ServerHeartbeats { max_missed: 0, ..rules() });
        for n in 1..=50 {
            assert_eq!(run.wake(30 * n * S), ping(u64::from(n) - 1));
            assert_eq!(run.wake((30 * n + 10) * S), []);
        }
        assert_eq!((run.figures[0].counts.missed, run.figures[0].metrics().consecutive_missed), (50, 50));
    }

    #[test]
    fn any_traffic_is_a_sign_of_life_by_default() {
        for (any_traffic_counts, expected) in
            [(true, vec![]), (false, vec![HeartbeatAction::GiveUp { missed: 1 }])]
        {
            let mut run = TestClient::new(ServerHeartbeats { any_traffic_counts, ..rules() });
            run.wake(30 * S);
            run.heartbeats.record_frame(true, run.epoch + 31 * S);
            assert_eq!(run.wake(40 * S), expected);
            let Counts { superseded, missed, .. } = run.figures[0].counts;
            assert_eq!((superseded, missed), (0, 1), "no later heartbeat was answered");
            assert_eq!(run.figures[0].metrics().consecutive_missed, u32::from(!any_traffic_counts));
        }
    }

    #[test]
    fn active_client_waits_at_most_one_and_a_half_intervals() {
        for (last_message_at, next) in [(16, 60), (14, 45), (29, 60), (1, 45)] {
            let mut run = TestClient::new(ServerHeartbeats { skip_if_active: true, ..rules() });
            run.heartbeats.record_frame(true, run.epoch + last_message_at * S);
            assert_eq!(run.wake(30 * S), [], "spoke at {last_message_at} s");
            assert_eq!(run.due(), next * S, "spoke at {last_message_at} s");
            assert!(next - last_message_at <= 45 && next - last_message_at >= 30);
            assert_eq!(run.wake(next * S), ping(0));
        }
    }

    #[test]
    fn late_superseded_and_duplicate_pongs_differ() {
        let rules = ServerHeartbeats { interval: 4 * S, max_missed: 0, ..rules() };
        let mut run = TestClient::new(rules);
        for n in 1..=3 {
            assert_eq!(run.wake(4 * n * S), ping(u64::from(n) - 1));
        }
        run.on_pong(13 * S, "00000007-1");
        run.on_pong(13 * S, "00000007-1");
        run.on_pong(13 * S, "whatever");
        assert_eq!(run.wake(22 * S).len(), 1);
        run.on_pong(23 * S, "00000007-2");
        let counts = run.figures[0].counts;
        assert_eq!((counts.superseded, counts.ok, counts.late, counts.missed), (1, 1, 1, 0));
        assert_eq!((counts.duplicate, counts.mismatched), (1, 1));
    }

    #[test]
    fn skipped_pings_do_not_count_as_silence() {
        let mut run =
            TestClient::new(ServerHeartbeats { interval: 4 * S, any_traffic_counts: false, ..rules() });
        for n in 1..=3 {
            assert_eq!(run.wake(4 * n * S), ping(u64::from(n) - 1));
        }
        run.on_pong(12 * S + S / 10, "00000007-2");
        let counts = run.figures[0].counts;
        assert_eq!((counts.superseded, counts.ok, counts.missed), (0, 1, 2));
        assert_eq!(run.wake(16 * S), ping(3), "it is alive");
        run.on_pong(17 * S, "00000007-0");
        let counts = run.figures[0].counts;
        assert_eq!((counts.ok, counts.late, counts.missed), (1, 1, 1), "its own pong corrects it");
    }

    #[test]
    fn both_kinds_run_half_an_interval_apart() {
        let mut run = TestClient::new(ServerHeartbeats {
            kinds: vec![HeartbeatKind::Protocol, HeartbeatKind::App],
            max_missed: 0,
            ..rules()
        });
        let app = run.wake(15 * S);
        let text = r#"{"type":"ping","id":"00000007-0","timestamp":0}"#;
        assert_eq!(app, [HeartbeatAction::Send(encode(Opcode::Text, text.as_bytes()))]);
        assert_eq!(run.wake(30 * S), ping(0));
    }

    #[test]
    fn ten_thousand_clients_cause_no_burst() {
        let interval = 30 * S;
        let epoch = Instant::now();
        // All connect at the same time, which is the worst case.
        let first =
            |id| ClientHeartbeats::new(Arc::new(rules()), id, 0, epoch, epoch + 1000 * S).due().unwrap();
        let mut due: Vec<Instant> = (1..=10_000).map(first).collect();
        due.sort();
        let window = Duration::from_millis(10);
        let most =
            (0..due.len()).map(|n| due[n..].iter().take_while(|at| **at < due[n] + window).count()).max();
        // 10,000 in 30 s are 3.3 in 10 ms.
        assert!(most.unwrap() <= 6, "{most:?} in one window");
        assert!(due[9_999] - due[0] < interval);
    }

    proptest! {
        #[test]
        fn grid_is_ahead_by_at_most_a_step(
            origin in 0_u64..100_000, step in 1_u64..10_000, now in 0_u64..200_000,
        ) {
            let epoch = Instant::now();
            let ms = Duration::from_millis;
            let next = next_on_grid(epoch + ms(origin), ms(step), epoch + ms(now));
            prop_assert!(next > epoch + ms(now) || now < origin);
            prop_assert!(next <= epoch + ms(origin.max(now) + step));
            prop_assert_eq!((next - epoch).as_millis() as u64 % step, origin % step);
        }
    }
}
