//! Simulates servers of every kind and tests each claim about them. An inference may be unknown, but never wrong.

use proptest::prelude::*;

use super::behaviour::Behaviour;
use super::client_record::ClientRecord;
use super::inference::infer;
use super::policy::{IdlePolicy, ReapingPolicy, ReapingRule, RequiredTraffic};
use super::timer_kind::TimerKind;
use crate::domain::listen::ServerEventKind;
use crate::domain::simulated_worlds::simulated_worlds;
use crate::domain::stats::interval::tolerance;
use simulated_server::{
    ClaimCheck, STEP_MS, SimHeartbeat, SimIdleTimer, SimNetwork, SimOrigin, SimPatience, SimServer, is_about,
    ms,
};

#[path = "../../../tests/simulators/zombie.rs"]
mod simulated_server;

fn clients(server: &SimServer, every: u64, max: u64) -> Vec<ClientRecord> {
    simulated_server::clients(server, &SimNetwork::default(), every, max)
}

fn needs() -> impl Strategy<Value = RequiredTraffic> {
    prop_oneof![
        Just(RequiredTraffic::AnyFrame),
        Just(RequiredTraffic::OwnFrames),
        Just(RequiredTraffic::Messages)
    ]
}

fn patience() -> impl Strategy<Value = SimPatience> {
    let takes = prop_oneof![3 => Just(None), 1 => needs().prop_map(Some)];
    (1..4_u64, 10..300_u64, takes).prop_map(|(misses, timeout, takes)| SimPatience {
        misses,
        timeout: timeout * STEP_MS,
        takes,
    })
}

fn heart(event_kind: ServerEventKind) -> impl Strategy<Value = SimHeartbeat> {
    let from = prop_oneof![3 => Just(SimOrigin::Clock), 1 => Just(SimOrigin::LastFrame), 1 => Just(SimOrigin::LastMessage)];
    let skips = prop_oneof![3 => Just(None), 1 => needs().prop_map(Some)];
    let patience = prop_oneof![1 => Just(None), 3 => patience().prop_map(Some)];
    (30..400_u64, 0.0..1.0_f64, from, skips, patience).prop_map(
        move |(interval, phase, from, skips, patience)| {
            let first = ((interval as f64 * phase) as u64 * STEP_MS).max(STEP_MS);
            SimHeartbeat { event_kind, interval: interval * STEP_MS, first, from, skips, patience }
        },
    )
}

fn server() -> impl Strategy<Value = SimServer> {
    let ping = proptest::option::weighted(0.6, heart(ServerEventKind::Ping));
    let app = proptest::option::weighted(0.4, heart(ServerEventKind::AppPing));
    let looks = proptest::option::weighted(0.4, (20..600_u64, 0..600_u64));
    let looks = looks.prop_map(|looks| looks.map(|(every, phase)| (every * STEP_MS, phase * STEP_MS)));
    let timer = (60..800_u64, needs(), looks);
    let timer = timer.prop_map(|(after, needs, looks)| SimIdleTimer { after: after * STEP_MS, needs, looks });
    let idle = proptest::option::weighted(0.4, timer);
    let server = (ping, app, idle)
        .prop_map(|(ping, app, idle)| SimServer { hearts: ping.into_iter().chain(app).collect(), idle });
    server.prop_filter("the timeout coincides with a check of the timer", |server| {
        let rare = server.idle.is_some_and(|timer| timer.needs == RequiredTraffic::OwnFrames);
        !rare || server.hearts.iter().all(|heart| heart.patience.is_none())
    })
}

proptest! {
    #![proptest_config(simulated_worlds(256))]
    #[test]
    fn inferred_policy_is_true_of_the_server(server in server(), every in 40..200_u64) {
        let (every, max) = (every * STEP_MS, 24_000);
        let clients = clients(&server, every, max);
        // A control that is not kept voids the run.
        prop_assume!(clients[0].is_kept());
        let policy = infer(&clients, ms(every));
        let court = ClaimCheck { server: &server, network: &SimNetwork::default(), every, max };
        let judged = court.try_policy(&policy);
        prop_assert!(judged.is_ok(), "{}: {:#?}", judged.unwrap_err(), policy);
    }

    /// Always answering "unknown" would be easy, so the common servers must be recognized.
    #[test]
    fn common_heartbeats_are_recognized(
        usual in heart(ServerEventKind::Ping), app in any::<bool>(), patience in patience(), every in 40..200_u64,
    ) {
        let event_kind = if app { ServerEventKind::AppPing } else { ServerEventKind::Ping };
        let heart = SimHeartbeat { event_kind, from: SimOrigin::Clock, skips: None, patience: Some(patience), ..usual };
        let total = (patience.misses - 1) * heart.interval + patience.timeout;
        let clients = clients(&SimServer { hearts: vec![heart], idle: None }, every * STEP_MS, 24_000);
        let ReapingPolicy::Heartbeat(found) = infer(&clients, ms(every * STEP_MS)) else { panic!("not recognised") };
        prop_assert_eq!(found.beats.event_kind, event_kind);
        let ReapingRule::After { total: found_total, .. } = found.reaping else { panic!("{found:?}") };
        prop_assert_eq!((found_total, found.idle), (ms(total), None));
        let interval = found.beats.interval;
        prop_assert!(interval.is_none_or(|found| is_about(heart.interval, found)), "{:?}", interval);
        prop_assert!(app || interval.is_some(), "a client that answers Pings shows the interval");
    }

    #[test]
    fn common_timers_are_recognized(after in 60..800_u64, messages in any::<bool>()) {
        let needs = if messages { RequiredTraffic::Messages } else { RequiredTraffic::AnyFrame };
        let timer = SimIdleTimer { after: after * STEP_MS, needs, looks: None };
        let clients = clients(&SimServer { hearts: Vec::new(), idle: Some(timer) }, 200, 24_000);
        let found = IdlePolicy { after: ms(after * STEP_MS), edge: TimerKind::Sharp, needs };
        prop_assert_eq!(infer(&clients, ms(200)), ReapingPolicy::Idle(found, None));
    }

    /// A check that does not fall between the two ends is recognized; one that does makes the ages look like
    /// no timer.
    #[test]
    fn server_checking_at_intervals_is_recognized(after in 60..400_u64, every in 100..600_u64, phase in 0..600_u64) {
        let looks = Some((every * STEP_MS, phase * STEP_MS));
        let timer = SimIdleTimer { after: after * STEP_MS, needs: RequiredTraffic::AnyFrame, looks };
        let clients = clients(&SimServer { hearts: Vec::new(), idle: Some(timer) }, 200, 24_000);
        let record = |behaviour| clients.iter().find(|record| record.behaviour == behaviour).unwrap();
        let end = |behaviour| record(behaviour).ended().map(|ended| record(behaviour).began + ended);
        let age = |behaviour| record(behaviour).ended().unwrap_or_default();
        let together = end(Behaviour::Mute) == end(Behaviour::Stalled);
        match infer(&clients, ms(200)) {
            ReapingPolicy::Idle(found, None) => {
                prop_assert_eq!(found.edge, if together { TimerKind::Swept } else { TimerKind::Unknown })
            }
            policy => {
                prop_assert_eq!(policy, ReapingPolicy::Unknown);
                let apart = age(Behaviour::Mute).abs_diff(age(Behaviour::Stalled));
                prop_assert!(apart > tolerance(age(Behaviour::Mute)) * 2, "recognised");
            }
        }
    }
}
