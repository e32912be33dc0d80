//! One client that dies in its way, on a task of its own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::plan::ZombiePlan;
use crate::commands::room::{self, Ready};
use crate::domain::ending::{Ending, How, Who};
use crate::domain::listen::Utterance;
use crate::domain::opening::{OpenError, Opened};
use crate::domain::zombie::{Fate, Way};
use crate::net::guest::{Guest, Heard, until_over};
use crate::net::stream::Stream;

/// How long a client that stalled reads on, to learn how it ended.
const READ_ON: Duration = Duration::from_millis(300);

/// What a client tells.
#[derive(Debug)]
pub enum Told {
    /// It is open; `began`: from the end of the upgrade to that of the greeting.
    Opened {
        facts: Arc<Opened>,
        began: Duration,
        missed_some: bool,
    },
    OpenFailed(Arc<OpenError>),
    /// The server said something, this long after the opening.
    Said {
        age: Duration,
        said: Utterance,
        answered: bool,
    },
    /// So many heartbeats were found unread.
    Unread(u64),
    Over(Fate),
}

/// Which client tells it.
pub type Word = (Way, Told);

/// A client to be.
pub struct Client {
    pub way: Way,
    pub plan: Arc<ZombiePlan>,
    pub words: mpsc::UnboundedSender<Word>,
    pub cancel: CancellationToken,
}

impl Client {
    /// Opens the connection, and lives as its way is until it is over, long enough, or cancelled.
    pub async fn run(self) {
        let plan = &self.plan;
        let opening =
            room::open(&plan.target, &plan.dial, &plan.greeting, plan.max_message_size, plan.largest());
        let opened = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return,
            opened = opening => opened,
        };
        let ready = match opened {
            Err(error) => return self.tell(Told::OpenFailed(Arc::new(error))),
            Ok(ready) => ready,
        };
        let facts = Arc::new(ready.facts.clone());
        let (began, missed_some) = (ready.greeted - ready.opened, ready.missed_some);
        self.tell(Told::Opened { facts, began, missed_some });
        let fate = match self.way {
            Way::Stalled => self.stall(ready).await,
            Way::Control | Way::Mute | Way::HalfClosed | Way::Quiet | Way::PingsOnly => {
                self.live(ready).await
            }
        };
        self.tell(Told::Over(fate));
    }

    /// Nobody reads any more when the run is over.
    fn tell(&self, told: Told) {
        let _ = self.words.send((self.way, told));
    }

    /// Reads all the while.
    async fn live(&self, mut ready: Ready) -> Fate {
        let (began, opened) = (ready.greeted, ready.opened);
        self.fall_silent(&ready);
        let mut guest = Guest::new(&mut ready.socket, self.plan.manners(self.way), opened);
        let until = began + self.plan.max;
        let ending = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ending = self.hear(&mut guest, opened, until) => ending,
        };
        if !self.way.is_dead() {
            guest.leave(ending.as_ref().map(|ending| &ending.how)).await;
        }
        fate(ending, began - opened, began.elapsed())
    }

    /// From here on it is dead, if it is to be.
    fn fall_silent(&self, ready: &Ready) {
        if self.way == Way::HalfClosed {
            // If it fails, the connection is over, which will be seen.
            let _ = ready.socket.stream().socket().shut_write();
        }
        if self.way.is_dead() {
            ready.valve.shut();
        }
    }

    /// Tells all that it hears, until the connection ends; `None`: it did not.
    async fn hear(&self, guest: &mut Guest<'_, Stream>, opened: Instant, until: Instant) -> Option<Ending> {
        let mut alive = None;
        loop {
            let patience = self.patience(alive);
            // The control goes on as long as any of the others.
            let until = if self.way == Way::Control { patience } else { Some(until) };
            let heard = match until {
                Some(until) => match timeout_at(until, guest.next()).await {
                    Ok(heard) => heard,
                    Err(_) => return (self.way == Way::Control).then(|| unanswered(opened, alive)),
                },
                None => guest.next().await,
            };
            match heard {
                Heard::Ended(cut) => return Some(guest.ending(cut)),
                Heard::Answered { at } => alive = Some(at),
                Heard::Said { at, said, answered } => {
                    alive = alive.map(|_| at);
                    self.tell(Told::Said { age: at.saturating_duration_since(opened), said, answered });
                }
            }
            if until.is_some_and(|until| until <= Instant::now()) && self.way != Way::Control {
                return None;
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// When the control is taken for dead, once it was answered at all.
    fn patience(&self, alive: Option<Instant>) -> Option<Instant> {
        alive.map(|alive| alive + self.plan.every + self.plan.patience)
    }

    /// Reads nothing until the system tells that it is over, or for long enough; then what there is to read, for it
    /// tells how it ended.
    async fn stall(&self, mut ready: Ready) -> Fate {
        let (began, opened) = (ready.greeted, ready.opened);
        let socket = &ready.socket;
        let seen = tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = until_over(|| socket.stream().socket().is_over()) => true,
            () = sleep(self.plan.max) => false,
        };
        let after = began.elapsed();
        ready.valve.shut();
        let mut guest = Guest::new(&mut ready.socket, self.plan.manners(self.way), opened);
        let (ending, unread) = read_on(&mut guest).await;
        self.tell(Told::Unread(unread));
        match ending {
            Some(ending) => {
                let ending = Arc::new(Ending { age: after + (began - opened), ..ending });
                Fate::Ended { after, ending, at_latest: !seen }
            }
            None => Fate::Kept { so_far: after },
        }
    }
}

/// How it ended, if it did, and how many heartbeats waited before.
async fn read_on(guest: &mut Guest<'_, Stream>) -> (Option<Ending>, u64) {
    let mut unread = 0;
    let reading = async {
        loop {
            match guest.next().await {
                Heard::Ended(cut) => break cut,
                Heard::Said { said, .. } => unread += u64::from(said.sound.asks()),
                Heard::Answered { .. } => {}
            }
            tokio::task::coop::consume_budget().await;
        }
    };
    let cut = timeout(READ_ON, reading).await.ok();
    (cut.map(|cut| guest.ending(cut)), unread)
}

fn fate(ending: Option<Ending>, greeting: Duration, so_far: Duration) -> Fate {
    match ending {
        Some(ending) => {
            let after = ending.age.saturating_sub(greeting);
            Fate::Ended { after, ending: Arc::new(ending), at_latest: false }
        }
        None => Fate::Kept { so_far },
    }
}

/// The control's questions are not answered any more.
fn unanswered(opened: Instant, alive: Option<Instant>) -> Ending {
    let idle = alive.map_or(Duration::ZERO, |alive| alive.elapsed());
    let (who, how, os_error) = (Who::Network, How::Silent, None);
    Ending { who, how, os_error, age: opened.elapsed(), idle, at: SystemTime::now() }
}
