//! A watch of real connections, with a host whose suspension is simulated.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::commands::kept::KeptConnection;
use crate::commands::run_control::RunControl;
use crate::commands::testing::{plan, server};
use crate::domain::ping::event::{ConnEvent, Event};
use crate::domain::run::reporter::Reporter;
use crate::domain::watch::host_event::HostEvent;
use crate::net::batch_sleep::BatchSleep;
use crate::net::host_events::HostEvents;

static SUSPENDED_S: AtomicU64 = AtomicU64::new(5);

fn suspended() -> Duration {
    Duration::from_secs(SUSPENDED_S.load(SeqCst))
}

/// Suspends the host after the first heartbeat, and stops the watch after an extra one.
struct Script {
    stop: CancellationToken,
    seen: Vec<&'static str>,
}

impl Reporter<WatchEvent> for Script {
    fn report(&mut self, event: &WatchEvent) {
        match event {
            WatchEvent::OfGroup {
                event: Event::Connection { event: ConnEvent::Heartbeat(_), .. }, ..
            } => {
                self.seen.push("heartbeat");
                SUSPENDED_S.fetch_add(60, SeqCst);
            }
            WatchEvent::Host { event: HostEvent::Resumed { slept }, .. } => {
                assert_eq!(*slept, Duration::from_secs(60));
                self.seen.push("resumed");
            }
            WatchEvent::OfGroup {
                event: Event::Connection { event: ConnEvent::ExtraHeartbeat(_), .. },
                ..
            } => {
                self.seen.push("extra");
                self.stop.cancel();
            }
            _ => {}
        }
    }
}

/// The next heartbeat of the schedule is an hour away; the extra one follows the resume.
#[tokio::test]
async fn heartbeat_follows_a_resume() {
    let mut plan = plan(&server().await, Duration::from_secs(3600));
    plan.session.degraded_interval = Some(Duration::from_secs(3600));
    let connection = KeptConnection { key: Vec::new(), labels: Default::default(), plan };
    let plan =
        WatchPlan { file: None, groups: vec![connection], reload: None, metrics: None, on_change: None };
    let stop = CancellationToken::new();
    let (_ask, asked) = mpsc::unbounded_channel();
    let (_want, interim) = mpsc::unbounded_channel();
    let (interrupt, batch_sleep) = (stop.clone(), BatchSleep::default());
    let run = RunControl {
        interrupt,
        interim,
        batch_sleep,
        ask_now: Default::default(),
        openings: Default::default(),
    };
    let host = HostEvents::of_suspension(suspended);
    let control = WatchControl { run, asked, host, hook_document: Box::new(|_| None) };
    let mut script = Script { stop, seen: Vec::new() };
    let report = super::run(plan, &mut script, control).await;
    assert_eq!(script.seen, ["heartbeat", "resumed", "extra"]);
    assert_eq!(report.changes.count, 1);
}
