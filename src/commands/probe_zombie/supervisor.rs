//! All clients of a run, and what they tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client_task::{ClientTask, ClientTaskEvent, ClientTaskMessage};
use super::plan::ZombiePlan;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::zombie::report::{ZombieEvent, ZombieProgress, ZombieReporter};
use crate::domain::zombie::{Behaviour, ClientEnd, ClientRecord, outlived};
use crate::net::client::observer::RelayDetector;
use crate::net::stall_detector::StallDetector;
use crate::net::time::at;

/// How often progress is told.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);
/// When the control died, so long is waited for others that die of the same; and when the user wants no more, for the
/// control to vouch for what was seen.
const CONTROL_GRACE: Duration = Duration::from_millis(500);
/// What a client says is passed on to the others within this part of the time between two words of the control...
const RELAY_WINDOW_FRACTION: f64 = 0.5;
/// ... and within this time.
const MAX_RELAY_WINDOW: Duration = Duration::from_secs(1);

/// What was seen.
pub struct SupervisorResult {
    pub lives: Vec<ClientRecord>,
    pub opened: Option<Arc<ConnectInfo>>,
    pub error: Option<Arc<ConnectError>>,
    pub interrupted: bool,
    /// The control was answered after all that was seen of the others.
    pub vouched: bool,
    /// For so long at the longest this host stood still.
    pub stood_still: Option<Duration>,
    /// The longest that the server did not answer the control.
    pub unanswered: Duration,
}

/// A run under way.
pub struct Supervisor<'a> {
    max: Duration,
    start: Instant,
    lives: HashMap<Behaviour, ClientSlot>,
    words: mpsc::UnboundedReceiver<ClientTaskMessage>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
    /// The others are over, so the control may go when it has vouched for that.
    vouch: CancellationToken,
    opened: Option<Arc<ConnectInfo>>,
    error: Option<Arc<ConnectError>>,
    progress_at: Instant,
    stall_detector: StallDetector,
    /// Then the run is over, for the control is.
    over_at: Option<Instant>,
    /// When the last of the others was over, of itself.
    seen_until: Instant,
    /// When the server last answered the control.
    answered: Option<Instant>,
    unanswered: Duration,
    /// Then the control may go when it has vouched for all.
    vouch_at: Option<Instant>,
    interrupted: bool,
    reporter: &'a mut dyn ZombieReporter,
}

/// One client as the house knows it.
struct ClientSlot {
    life: ClientRecord,
    /// When it was open.
    since: Option<Instant>,
    is_over: bool,
}

enum SupervisorWake {
    Interrupted,
    Word(ClientTaskMessage),
    Progress,
    Vigil,
    Vouch,
    Over,
}

impl<'a> Supervisor<'a> {
    /// Opens all clients side by side.
    pub fn open(plan: ZombiePlan, reporter: &'a mut dyn ZombieReporter) -> Supervisor<'a> {
        let (sender, words) = mpsc::unbounded_channel();
        let (plan, mut tasks) = (Arc::new(plan), JoinSet::new());
        let said = RelayDetector::new(plan.every.mul_f64(RELAY_WINDOW_FRACTION).min(MAX_RELAY_WINDOW));
        let (cancel, vouch) = (CancellationToken::new(), CancellationToken::new());
        let observer = |way| {
            let (plan, words, said) = (Arc::clone(&plan), sender.clone(), said.clone());
            let (cancel, vouch) = (cancel.clone(), vouch.clone());
            tasks.spawn(ClientTask { way, plan, words, said, cancel, vouch }.run());
            (way, ClientSlot { life: ClientRecord::new(way), since: None, is_over: false })
        };
        let lives = Behaviour::ALL.into_iter().map(observer).collect();
        let start = Instant::now();
        let progress_at = start + PROGRESS_INTERVAL;
        let max = plan.max;
        let (opened, error) = (None, None);
        Supervisor {
            max,
            start,
            lives,
            words,
            tasks,
            cancel,
            vouch,
            opened,
            error,
            progress_at,
            stall_detector: StallDetector::start(),
            over_at: None,
            seen_until: start,
            answered: None,
            unanswered: Duration::ZERO,
            vouch_at: None,
            interrupted: false,
            reporter,
        }
    }

    /// Watches until all clients but the control are over, the control is, or the user wants no more.
    pub async fn watch(mut self, interrupt: &CancellationToken) -> SupervisorResult {
        loop {
            let (progress_at, over_at, look_at) = (self.progress_at, self.over_at, self.stall_detector.due());
            let vouch_at = self.vouch_at.filter(|_| !self.vouch.is_cancelled());
            let woken = tokio::select! {
                biased;
                () = interrupt.cancelled(), if !self.interrupted => SupervisorWake::Interrupted,
                () = at(over_at) => SupervisorWake::Over,
                Some(word) = self.words.recv() => SupervisorWake::Word(word),
                () = at(Some(progress_at)) => SupervisorWake::Progress,
                () = at(Some(look_at)) => SupervisorWake::Vigil,
                () = at(vouch_at) => SupervisorWake::Vouch,
            };
            self.stall_detector.check();
            match woken {
                SupervisorWake::Interrupted => self.interrupted = true,
                SupervisorWake::Over => break,
                SupervisorWake::Word((way, told)) => {
                    self.on_word(way, told);
                    self.note_end(way);
                }
                SupervisorWake::Progress => self.progress(),
                SupervisorWake::Vigil => {}
                SupervisorWake::Vouch => self.vouch.cancel(),
            }
            self.settle();
            tokio::task::coop::consume_budget().await;
        }
        self.dismiss().await;
        let stood_still = self.stall_detector.longest();
        let Supervisor { mut lives, opened, error, answered, seen_until, interrupted, unanswered, .. } = self;
        let vouched = answered.is_some_and(|answered| answered > seen_until);
        let lives =
            Behaviour::ALL.into_iter().filter_map(|way| lives.remove(&way)).map(|observer| observer.life);
        SupervisorResult {
            lives: lives.collect(),
            opened,
            error,
            interrupted,
            vouched,
            stood_still,
            unanswered,
        }
    }

    /// Whether all but the control are over.
    fn is_done(&self) -> bool {
        self.lives.iter().all(|(way, observer)| *way == Behaviour::Control || observer.is_over)
    }

    /// Has everybody go, and takes what they still tell.
    async fn dismiss(&mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        while let Ok((way, told)) = self.words.try_recv() {
            self.on_word(way, told);
        }
    }

    fn on_word(&mut self, way: Behaviour, told: ClientTaskEvent) {
        let at = SystemTime::now();
        let Some(observer) = self.lives.get_mut(&way) else { return };
        match told {
            ClientTaskEvent::Opened(opened) => {
                observer.since = Some(Instant::now());
                observer.life.fate = ClientEnd::Kept { so_far: Duration::ZERO, proven: false };
                self.opened.get_or_insert_with(|| Arc::clone(&opened));
                self.reporter.report(&ZombieEvent::Opened { way, at, opened });
            }
            ClientTaskEvent::OpenFailed(error) => {
                observer.is_over = true;
                observer.life.fate = ClientEnd::Unopened { why: format!("{}: {}", error.phase, error.cause) };
                self.error = Some(Arc::clone(&error));
                self.reporter.report(&ZombieEvent::OpenFailed { way, at, error });
            }
            ClientTaskEvent::Said(said) => self.reporter.report(&ZombieEvent::Said { way, said }),
            ClientTaskEvent::Over {
                fate,
                began,
                greeting,
                listening,
                relayed,
                unread,
                deaf,
                answered,
                longest,
            } => {
                self.answered = self.answered.max(answered);
                self.unanswered = self.unanswered.max(longest);
                observer.is_over = true;
                let began = began.saturating_duration_since(self.start);
                let (listening, told) = (*listening, fate.clone());
                observer.life = ClientRecord {
                    way,
                    began,
                    greeting,
                    listening,
                    passed_on: relayed,
                    unread,
                    deaf,
                    fate: told,
                };
                let unanswered = observer.life.unanswered();
                self.reporter.report(&ZombieEvent::Over { way, at, fate, unanswered });
            }
        }
    }

    fn note_end(&mut self, way: Behaviour) {
        if way != Behaviour::Control && self.is_over(way) {
            self.seen_until = Instant::now();
        }
    }

    fn is_over(&self, way: Behaviour) -> bool {
        self.lives.get(&way).is_some_and(|observer| observer.is_over)
    }

    /// Whether the run is over, or will be soon.
    fn settle(&mut self) {
        let now = Instant::now();
        let control_is_open =
            self.lives.get(&Behaviour::Control).is_some_and(|control| control.since.is_some());
        match (self.is_over(Behaviour::Control), self.is_done() || self.interrupted) {
            (true, true) => self.over_at = Some(now),
            (true, false) => self.over_at = self.over_at.or(Some(now + CONTROL_GRACE)),
            (false, true) => self.vouch_at = self.vouch_at.or(Some(self.outlived_at().unwrap_or(now))),
            (false, false) => {}
        }
        if self.interrupted {
            self.vouch.cancel();
            let grace = if control_is_open { CONTROL_GRACE } else { Duration::ZERO };
            self.over_at = self.over_at.or(Some(now + grace));
        }
    }

    /// When the control will have outlived all that were let go, and visibly: whoever dies of age dies then.
    fn outlived_at(&self) -> Option<Instant> {
        let opened = self.lives.get(&Behaviour::Control)?.since?;
        let longest = self.lives.values().filter_map(|observer| observer.life.ended()).max()?;
        Some(opened + outlived(longest))
    }

    fn progress(&mut self) {
        self.progress_at = Instant::now() + PROGRESS_INTERVAL;
        let others = || Behaviour::ALL.into_iter().filter(|way| *way != Behaviour::Control);
        let guests = || others().filter_map(|way| Some((way, self.lives.get(&way)?)));
        let alive = guests().filter(|(_, observer)| observer.since.is_some() && !observer.is_over);
        let alive = alive.map(|(way, _)| way).collect();
        let gone = guests().filter(|(_, observer)| observer.life.ended().is_some());
        let gone = gone.map(|(way, observer)| (way, observer.life.fate.clone())).collect();
        let (elapsed, until) = (self.start.elapsed(), self.until() - self.start);
        self.reporter.report(&ZombieEvent::Progress(ZombieProgress { elapsed, until, alive, gone }));
    }

    /// When the run is over at the latest: the control may have to outlive one that is let go at the last moment.
    fn until(&self) -> Instant {
        let last = self.lives.values().filter_map(|observer| observer.since).max();
        self.vouch_at.unwrap_or(last.unwrap_or(self.start) + outlived(self.max))
    }
}
