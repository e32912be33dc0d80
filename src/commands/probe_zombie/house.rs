//! All clients of a run, and what they tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Told, Word};
use super::plan::ZombiePlan;
use crate::domain::opening::{OpenError, Opened};
use crate::domain::zombie::report::{Progress, ZombieEvent, ZombieReporter};
use crate::domain::zombie::{Fate, Life, Way};
use crate::net::clock::at;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);
/// When the control died, so long is waited for others that die of the same; and when all others are over, so long
/// at least the control must outlive them.
const GRACE: Duration = Duration::from_millis(500);

/// What was seen.
pub struct Seen {
    pub lives: Vec<Life>,
    pub opened: Option<Arc<Opened>>,
    pub error: Option<Arc<OpenError>>,
    pub interrupted: bool,
}

/// A run under way.
pub struct House<'a> {
    max: Duration,
    start: Instant,
    lives: HashMap<Way, Guest>,
    words: mpsc::UnboundedReceiver<Word>,
    tasks: JoinSet<()>,
    cancel: CancellationToken,
    opened: Option<Arc<Opened>>,
    error: Option<Arc<OpenError>>,
    progress_at: Instant,
    /// How long the control must outlive the others.
    grace: Duration,
    /// Then the run is over: the control died, or it outlived all others.
    over_at: Option<Instant>,
    reporter: &'a mut dyn ZombieReporter,
}

/// One client as the house knows it.
struct Guest {
    life: Life,
    /// When it was open.
    since: Option<Instant>,
    is_over: bool,
}

enum Woken {
    Interrupted,
    Word(Word),
    Progress,
    Over,
}

impl<'a> House<'a> {
    /// Opens all clients side by side.
    pub fn open(plan: ZombiePlan, reporter: &'a mut dyn ZombieReporter) -> House<'a> {
        let (sender, words) = mpsc::unbounded_channel();
        let (plan, cancel, mut tasks) = (Arc::new(plan), CancellationToken::new(), JoinSet::new());
        let guest = |way| {
            let (plan, words, cancel) = (Arc::clone(&plan), sender.clone(), cancel.clone());
            tasks.spawn(Client { way, plan, words, cancel }.run());
            (way, Guest { life: Life::new(way), since: None, is_over: false })
        };
        let lives = Way::ALL.into_iter().map(guest).collect();
        let start = Instant::now();
        let progress_at = start + PROGRESS_EVERY;
        // Two of its questions at least.
        let (max, grace) = (plan.max, GRACE.max(plan.every * 2));
        let (opened, error) = (None, None);
        House {
            max,
            start,
            lives,
            words,
            tasks,
            cancel,
            opened,
            error,
            progress_at,
            grace,
            over_at: None,
            reporter,
        }
    }

    /// Watches until all clients but the control are over, the control is, or the user wants no more.
    pub async fn watch(mut self, interrupt: &CancellationToken) -> Seen {
        let mut interrupted = false;
        loop {
            let (progress_at, over_at) = (self.progress_at, self.over_at);
            let woken = tokio::select! {
                biased;
                () = interrupt.cancelled() => Woken::Interrupted,
                Some(word) = self.words.recv() => Woken::Word(word),
                () = at(over_at) => Woken::Over,
                () = at(Some(progress_at)) => Woken::Progress,
            };
            match woken {
                Woken::Interrupted => {
                    interrupted = true;
                    break;
                }
                Woken::Over => break,
                Woken::Word((way, told)) => {
                    self.on_word(way, told);
                    self.settle(way);
                }
                Woken::Progress => self.progress(),
            }
            tokio::task::coop::consume_budget().await;
        }
        self.dismiss().await;
        let House { mut lives, opened, error, .. } = self;
        let lives = Way::ALL.into_iter().filter_map(|way| lives.remove(&way)).map(|guest| guest.life);
        Seen { lives: lives.collect(), opened, error, interrupted }
    }

    /// Whether all but the control are over.
    fn is_done(&self) -> bool {
        self.lives.iter().all(|(way, guest)| *way == Way::Control || guest.is_over)
    }

    /// Has everybody go, and takes what they still tell.
    async fn dismiss(&mut self) {
        self.cancel.cancel();
        while self.tasks.join_next().await.is_some() {}
        while let Ok((way, told)) = self.words.try_recv() {
            self.on_word(way, told);
        }
    }

    fn on_word(&mut self, way: Way, told: Told) {
        let at = SystemTime::now();
        let Some(guest) = self.lives.get_mut(&way) else { return };
        match told {
            Told::Opened(opened) => {
                guest.since = Some(Instant::now());
                guest.life.fate = Fate::Kept { so_far: Duration::ZERO };
                self.opened.get_or_insert_with(|| Arc::clone(&opened));
                self.reporter.report(&ZombieEvent::Opened { way, at, opened });
            }
            Told::OpenFailed(error) => {
                guest.is_over = true;
                guest.life.fate = Fate::Unopened { why: format!("{}: {}", error.phase, error.cause) };
                self.error = Some(Arc::clone(&error));
                self.reporter.report(&ZombieEvent::OpenFailed { way, at, error });
            }
            Told::Said(said) => self.reporter.report(&ZombieEvent::Said { way, said }),
            Told::Over { fate, listening, unread } => {
                guest.is_over = true;
                guest.life = Life { way, listening: *listening, unread, fate: fate.clone() };
                let unanswered = guest.life.unanswered();
                self.reporter.report(&ZombieEvent::Over { way, at, fate, unanswered });
            }
        }
    }

    /// The control died, or all others did.
    fn settle(&mut self, way: Way) {
        let control_died = way == Way::Control && self.lives.get(&way).is_some_and(|guest| guest.is_over);
        if control_died {
            self.over_at = Some(Instant::now() + GRACE);
        } else if self.over_at.is_none() && self.is_done() {
            self.over_at = Some(Instant::now() + self.grace);
        }
    }

    fn progress(&mut self) {
        self.progress_at = Instant::now() + PROGRESS_EVERY;
        let others = || Way::ALL.into_iter().filter(|way| *way != Way::Control);
        let guests = || others().filter_map(|way| Some((way, self.lives.get(&way)?)));
        let alive = guests().filter(|(_, guest)| guest.since.is_some() && !guest.is_over);
        let alive = alive.map(|(way, _)| way).collect();
        let gone = guests().filter_map(|(way, guest)| Some((way, guest.life.ended()?))).collect();
        let elapsed = self.start.elapsed();
        let until = self
            .lives
            .values()
            .filter_map(|guest| guest.since)
            .max()
            .map_or(self.max, |last| last.saturating_duration_since(self.start) + self.max);
        self.reporter.report(&ZombieEvent::Progress(Progress { elapsed, until, alive, gone }));
    }
}
