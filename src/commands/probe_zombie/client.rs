//! One client that dies in its way, on a task of its own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::plan::ZombiePlan;
use crate::commands::room::{self, Ready};
use crate::commands::telling::Telling;
use crate::domain::ending::{Ending, How, Who};
use crate::domain::listen::report::Said;
use crate::domain::listen::{Listening, Utterance};
use crate::domain::opening::{OpenError, Opened};
use crate::domain::zombie::{Fate, Way};
use crate::net::guest::{Guest, Heard, until_over};
use crate::net::stream::Stream;

/// A client that stalled reads on, to learn how it ended, until nothing came for so long...
const READ_ON: Duration = Duration::from_millis(300);
/// ... and no longer than this.
const READ_ON_MOST: Duration = Duration::from_secs(5);

/// What a client tells.
#[derive(Debug)]
pub enum Told {
    /// It is open, and greeted.
    Opened(Arc<Opened>),
    OpenFailed(Arc<OpenError>),
    /// The server sent a heartbeat; of a flood, not each is told.
    Said(Said),
    /// It is over; `unread`: so many heartbeats were found unread.
    Over {
        fate: Fate,
        listening: Box<Listening>,
        unread: u64,
    },
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
        self.tell(Told::Opened(Arc::new(ready.facts.clone())));
        let mut ears = Ears::new(&ready);
        let (fate, unread) = match self.way {
            Way::Stalled => self.stall(ready).await,
            Way::Control | Way::Mute | Way::HalfClosed | Way::Quiet | Way::PingsOnly => {
                (self.live(ready, &mut ears).await, 0)
            }
        };
        self.tell(Told::Over { fate, listening: Box::new(ears.listening), unread });
    }

    /// Nobody reads any more when the run is over.
    fn tell(&self, told: Told) {
        let _ = self.words.send((self.way, told));
    }

    /// Reads all the while.
    async fn live(&self, mut ready: Ready, ears: &mut Ears) -> Fate {
        let (began, opened) = (ready.greeted, ready.opened);
        self.fall_silent(&ready);
        let mut guest = Guest::new(&mut ready.socket, self.plan.manners(self.way), opened);
        let until = began + self.plan.max;
        let ending = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ending = self.hear(&mut guest, ears, until) => ending,
        };
        let so_far = began.elapsed();
        if !self.way.is_dead() {
            guest.leave(ending.as_ref().map(|ending| &ending.how)).await;
        }
        fate(ending, began - opened, so_far)
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

    /// Hears until the connection ends, or until then; `None`: it did not end.
    async fn hear(&self, guest: &mut Guest<'_, Stream>, ears: &mut Ears, until: Instant) -> Option<Ending> {
        let (began, mut alive) = (Instant::now(), None);
        loop {
            // The control goes on as long as any of the others.
            let until = match self.way {
                Way::Control => self.patience(alive.unwrap_or(began)),
                _ => until,
            };
            let heard = tokio::select! {
                biased;
                () = sleep_until(until) => None,
                heard = guest.next() => Some(heard),
            };
            match heard {
                None => return (self.way == Way::Control).then(|| unanswered(ears.opened, alive)),
                Some(Heard::Ended(cut)) => return Some(guest.ending(cut)),
                Some(Heard::Answered { at }) => alive = Some(at),
                Some(Heard::Said { at, said, answered }) => {
                    alive = alive.map(|_| at);
                    let answered = answered && !self.way.is_dead();
                    ears.hear(at, &said, answered).into_iter().for_each(|said| self.tell(Told::Said(said)));
                }
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// When the control is taken for dead: RFC 6455 5.5.2 obliges a healthy server to answer its Pings.
    fn patience(&self, alive: Instant) -> Instant {
        alive + self.plan.every + self.plan.patience
    }

    /// Reads nothing until the system tells that it is over, or for long enough; then what there is to read, for it
    /// tells how it ended.
    async fn stall(&self, mut ready: Ready) -> (Fate, u64) {
        let (began, opened) = (ready.greeted, ready.opened);
        self.fall_silent(&ready);
        let socket = &ready.socket;
        let seen = tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = until_over(|| socket.stream().socket().is_over()) => true,
            () = sleep(self.plan.max) => false,
        };
        let after = began.elapsed();
        let mut guest = Guest::new(&mut ready.socket, self.plan.manners(self.way), opened);
        let (ending, unread) = read_on(&mut guest).await;
        let fate = match ending {
            Some(ending) => {
                let ending = Arc::new(Ending { age: after + (began - opened), ..ending });
                Fate::Ended { after, ending, at_latest: !seen }
            }
            None => Fate::Kept { so_far: after },
        };
        (fate, unread)
    }
}

/// What one client hears.
struct Ears {
    opened: Instant,
    listening: Listening,
    telling: Telling,
}

impl Ears {
    fn new(ready: &Ready) -> Ears {
        let listening = Listening::new(ready.greeted - ready.opened, ready.missed_some);
        Ears { opened: ready.opened, listening, telling: Telling::default() }
    }

    /// Heartbeats are told; other messages are only counted.
    fn hear(&mut self, at: Instant, said: &Utterance, answered: bool) -> Option<Said> {
        let age = at.saturating_duration_since(self.opened);
        let before = self.listening.rhythm(said.sound).map(|rhythm| rhythm.last);
        self.listening.heard(age, said);
        let count = self.telling.note(said.sound, at).filter(|_| said.sound.is_heartbeat())?;
        let gap = before.map(|before| age.saturating_sub(before));
        let (sound, shape, text) = (said.sound, said.shape, said.text.clone());
        Some(Said { at: SystemTime::now(), sound, shape, count, age, gap, text, answered })
    }
}

/// How it ended, if it did, and how many heartbeats waited before. It reads while there is something to read.
async fn read_on(guest: &mut Guest<'_, Stream>) -> (Option<Ending>, u64) {
    let mut unread = 0;
    let until = Instant::now() + READ_ON_MOST;
    while let Ok(heard) = timeout(READ_ON, guest.next()).await {
        match heard {
            Heard::Ended(cut) => return (Some(guest.ending(cut)), unread),
            Heard::Said { said, .. } => unread += u64::from(said.sound.asks()),
            Heard::Answered { .. } => {}
        }
        if Instant::now() >= until {
            break;
        }
        tokio::task::coop::consume_budget().await;
    }
    (None, unread)
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
    Ending { who, how, os_error, tcp: None, age: opened.elapsed(), idle, at: SystemTime::now() }
}
