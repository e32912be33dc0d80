//! `--on-change`: runs a command for each event, one at a time, while measuring goes on.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::domain::command_line::CommandLine;
use crate::domain::exit_status::ExitStatus;
use crate::domain::rate_limit::RateLimit;
use crate::domain::watch::hook_result::{HookOutcome, HookResult};
use crate::net::os_error;
use crate::net::process_group::{ProcessGroup, stderr_or_null};

/// The environment variables of a command.
const EVENT_VARIABLE: &str = "WSCHECK_EVENT";
const TARGET_VARIABLE: &str = "WSCHECK_TARGET";

/// Events that wait for the command; further ones are dropped and counted.
const MAX_QUEUED: usize = 64;
/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// The command, and its limits.
#[derive(Debug, Clone)]
pub struct HookPlan {
    pub command: CommandLine,
    /// Minimum mean time between two starts.
    pub interval: Duration,
    /// Starts without that time between them.
    pub burst: u32,
    /// The most that one run may last.
    pub limit: Duration,
    /// Whether what the command prints goes to stderr, or nowhere.
    pub shows_output: bool,
}

impl HookPlan {
    /// With the default limits: one start a second, five at once, and 30 s for each.
    pub fn new(command: CommandLine) -> HookPlan {
        HookPlan {
            command,
            interval: Duration::from_secs(1),
            burst: 5,
            limit: Duration::from_secs(30),
            shows_output: true,
        }
    }
}

/// What the command is started for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookEvent {
    /// The event's name, for WSCHECK_EVENT.
    pub name: String,
    /// The target without secrets, for WSCHECK_TARGET.
    pub target: String,
}

/// An event and its document.
type QueuedEvent = (HookEvent, String);

/// Gives events to the command. When it is dropped, a run in progress is killed.
#[derive(Debug)]
pub struct Hook {
    queue: Sender<QueuedEvent>,
    /// Events dropped since the last one that was queued.
    dropped: u64,
    /// Events that were queued, and those whose run has begun.
    queued: u64,
    begun: Arc<AtomicU64>,
    worker: JoinHandle<()>,
}

impl Hook {
    /// Starts waiting for events; each run's result is sent to `results`.
    pub fn start(plan: HookPlan) -> (Hook, UnboundedReceiver<HookResult>) {
        let (queue, queued) = mpsc::channel(MAX_QUEUED);
        let (results, received) = mpsc::unbounded_channel();
        let begun = Arc::new(AtomicU64::new(0));
        let worker = tokio::spawn(run_all(plan, queued, results, Arc::clone(&begun)));
        (Hook { queue, dropped: 0, queued: 0, begun, worker }, received)
    }

    /// Queues an event without waiting. `document` makes what the command reads on stdin, and is told how many events
    /// were dropped before this one because the queue was full. Returns whether there was room.
    pub fn send(&mut self, event: HookEvent, document: impl FnOnce(u64) -> String) -> bool {
        let Ok(place) = self.queue.try_reserve() else {
            self.dropped += 1;
            return false;
        };
        self.queued += 1;
        place.send((event, document(std::mem::take(&mut self.dropped))));
        true
    }

    /// Waits until the queued events were handled, at most this long; kills what is left. Returns for how many events no run
    /// began since the last one that was told of dropped ones.
    pub async fn finish(mut self, within: Duration) -> u64 {
        // The worker ends with the last queued event when there is no sender.
        let (closed, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.queue, closed));
        let _ = timeout(within, &mut self.worker).await;
        self.queued - self.begun.load(Relaxed) + self.dropped
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        self.worker.abort();
    }
}

async fn run_all(
    plan: HookPlan,
    mut queued: Receiver<QueuedEvent>,
    results: UnboundedSender<HookResult>,
    begun_runs: Arc<AtomicU64>,
) {
    let started = Instant::now();
    let mut limit = RateLimit::new(plan.interval, plan.burst);
    while let Some((event, document)) = queued.recv().await {
        sleep_until(started + limit.next_at()).await;
        limit.take(started.elapsed());
        begun_runs.fetch_add(1, Relaxed);
        let begun = Instant::now();
        let outcome = run_once(&plan, &event, document).await;
        let HookEvent { name, target } = event;
        let (command, elapsed) = (plan.command.to_string(), begun.elapsed());
        // Nobody need want the results.
        let _ = results.send(HookResult { command, event: name, target, outcome, elapsed });
    }
}

/// Runs the command, until all its processes have ended or its time is up.
async fn run_once(plan: &HookPlan, event: &HookEvent, document: String) -> HookOutcome {
    let mut group = match start(plan, event) {
        Ok(group) => group,
        Err(why) => return HookOutcome::NotStarted { why: os_error::describe(&why) },
    };
    let stdin = group.child.stdin.take();
    let write = async {
        if let Some(mut stdin) = stdin {
            // A command need not read its input.
            let _ = stdin.write_all(document.as_bytes()).await;
        }
        std::future::pending().await
    };
    let status = tokio::select! {
        status = group.exited() => Some(status),
        () = write => None,
        () = sleep(plan.limit) => None,
    };
    match status {
        Some(ExitStatus::Code(0)) => HookOutcome::Succeeded,
        Some(status) => HookOutcome::Failed(status),
        None => {
            group.end(GRACE).await;
            HookOutcome::TimedOut { limit: plan.limit }
        }
    }
}

fn start(plan: &HookPlan, event: &HookEvent) -> std::io::Result<ProcessGroup> {
    let mut command = Command::new(plan.command.program());
    command.args(plan.command.arguments());
    command.env(EVENT_VARIABLE, &event.name).env(TARGET_VARIABLE, &event.target);
    command.stdin(Stdio::piped());
    command.stdout(stderr_or_null(plan.shows_output)?).stderr(stderr_or_null(plan.shows_output)?);
    ProcessGroup::start(&mut command)
}

#[cfg(test)]
mod tests;
