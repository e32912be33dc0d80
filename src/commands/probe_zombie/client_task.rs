//! One client that dies in its way, on a task of its own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::plan::ZombiePlan;
use super::stalled_client::{StalledClient, found_over};
use super::unread_backlog::read_on;
use crate::commands::connect::{self, Established};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, ClosedBy};
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{ListenState, ServerEvent, ServerEventClass};
use crate::domain::zombie::{Behaviour, ClientEnd, RelayCounts};
use crate::net::client::observer::{Observer, ObserverEvent, RelayDetector, until_over};
use crate::net::client::websocket::WebSocket;
use crate::net::event_throttle::EventThrottle;
use crate::net::transport::stream::Stream;
use crate::net::transport::tap::Mute;
use crate::net::transport::tcp_liveness::{Liveness, check_until};

/// A last Ping is waited for no longer.
const MAX_LAST_PONG_WAIT: Duration = Duration::from_secs(5);

/// What a client tells.
#[derive(Debug)]
pub enum ClientTaskEvent {
    /// It is open, and greeted.
    Opened(Arc<ConnectInfo>),
    OpenFailed(Arc<ConnectError>),
    /// The server sent a heartbeat; of a flood, not each is told.
    Said(ServerEventNotice),
    /// It is over; `unread`: so many heartbeats were found unread; `answered`: when the server last answered the
    /// control.
    Over {
        fate: ClientEnd,
        /// When it began to behave so.
        began: Instant,
        greeting: Duration,
        listening: Box<ListenState>,
        relayed: RelayCounts,
        unread: u64,
        /// Its last Ping was not answered.
        deaf: bool,
        answered: Option<Instant>,
        /// The longest that it did not answer the control.
        longest: Duration,
    },
}

/// Which client tells it.
pub type ClientTaskMessage = (Behaviour, ClientTaskEvent);

/// A client to be.
pub struct ClientTask {
    pub way: Behaviour,
    pub plan: Arc<ZombiePlan>,
    pub words: mpsc::UnboundedSender<ClientTaskMessage>,
    /// What all of them say by messages.
    pub said: RelayDetector,
    pub cancel: CancellationToken,
    /// The others are over: the control vouches for what was seen, and goes.
    pub vouch: CancellationToken,
}

impl ClientTask {
    /// Opens the connection, and lives as its way is until it is over, long enough, or cancelled.
    pub async fn run(self) {
        let plan = &self.plan;
        let opening = async {
            sleep(self.way.begins_later()).await;
            connect::open(&plan.target, &plan.dial, &plan.greeting, plan.max_message_size, plan.largest())
                .await
        };
        let opened = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return,
            opened = opening => opened,
        };
        let ready = match opened {
            Err(error) => return self.tell(ClientTaskEvent::OpenFailed(Arc::new(error))),
            Ok(ready) => ready,
        };
        self.tell(ClientTaskEvent::Opened(Arc::new(ready.facts.clone())));
        let (began, greeting) = (ready.greeted, ready.greeted - ready.opened);
        let mut ears = ServerEventLog::new(&ready);
        let said_before = self.said.count();
        let (fate, unread) = match self.way {
            Behaviour::Stalled => self.stall(ready).await,
            Behaviour::Control
            | Behaviour::Mute
            | Behaviour::HalfClosed
            | Behaviour::Quiet
            | Behaviour::PingsOnly => (self.live(ready, &mut ears).await, 0),
        };
        let relayed = RelayCounts { said: self.said.count() - said_before, came: ears.repeated };
        // Who does not ask all the while does not know when nobody is answered.
        let (answered, longest) = match self.way {
            Behaviour::Control => (ears.answered, ears.longest_unanswered()),
            Behaviour::Mute
            | Behaviour::Stalled
            | Behaviour::HalfClosed
            | Behaviour::Quiet
            | Behaviour::PingsOnly => (None, Duration::ZERO),
        };
        let ServerEventLog { listening, deaf, .. } = ears;
        let listening = Box::new(listening);
        self.tell(ClientTaskEvent::Over {
            fate,
            began,
            greeting,
            listening,
            relayed,
            unread,
            deaf,
            answered,
            longest,
        });
    }

    /// Nobody reads any more when the run is over.
    fn tell(&self, told: ClientTaskEvent) {
        let _ = self.words.send((self.way, told));
    }

    /// Reads all the while.
    async fn live(&self, mut ready: Established, ears: &mut ServerEventLog) -> ClientEnd {
        let (began, opened) = (ready.greeted, ready.opened);
        let mute = Arc::clone(&ready.mute);
        let mut observer = self.introduced(&mut ready.socket, opened);
        self.fall_silent(&observer, &mute);
        let life = async {
            match self.way {
                Behaviour::Control => self.vouch(&mut observer, ears).await,
                _ => self.hear(&mut observer, ears, began + self.plan.max).await,
            }
        };
        let ending = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            ending = life => ending,
        };
        let fate = match ending {
            Some(ending) => ended(ending, began - opened),
            None => self.proved(&mut observer, began.elapsed()).await,
        };
        if matches!(self.way, Behaviour::Quiet | Behaviour::PingsOnly)
            && matches!(fate, ClientEnd::Kept { .. })
        {
            ears.deaf = ears.least.is_some() && self.is_deaf(&mut observer).await;
        }
        if !self.way.is_dead() {
            observer.leave(fate.ending().map(|ending| &ending.how)).await;
        }
        fate
    }

    /// Whether a last Ping stays unanswered; not, if there is no time to wait for that.
    async fn is_deaf(&self, observer: &mut Observer<'_, Stream>) -> bool {
        if observer.send_regular().is_err() {
            return false;
        }
        let answer = async {
            while !matches!(
                observer.next().await,
                ObserverEvent::Answered { took: Some(_), .. } | ObserverEvent::Ended(_)
            ) {
                tokio::task::coop::consume_budget().await;
            }
        };
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = answer => false,
            () = sleep(self.plan.patience.min(MAX_LAST_PONG_WAIT)) => true,
        }
    }

    /// Whether the peer knows the connection; the control was answered last of all.
    async fn proof(&self, stream: &Stream) -> Liveness {
        match self.way {
            Behaviour::Control => Liveness::Heard,
            Behaviour::Mute
            | Behaviour::Stalled
            | Behaviour::HalfClosed
            | Behaviour::Quiet
            | Behaviour::PingsOnly => check_until(stream, &self.cancel).await,
        }
    }

    /// It was there for so long, as far as is known here.
    async fn proved(&self, observer: &mut Observer<'_, Stream>, so_far: Duration) -> ClientEnd {
        match self.proof(observer.stream()).await {
            Liveness::Heard | Liveness::Untold => ClientEnd::Kept { so_far, proven: true },
            Liveness::Unfinished => ClientEnd::Kept { so_far, proven: false },
            Liveness::Unheard => ClientEnd::Lost { after: so_far },
            Liveness::Over => found_over(read_on(observer, &self.cancel).await.ending, so_far),
        }
    }

    /// Whoever is dead one day was alive before: each says something first, so that a server which waits for a first
    /// word has had it from all of them.
    fn introduced<'a>(&self, socket: &'a mut WebSocket<Stream>, opened: Instant) -> Observer<'a, Stream> {
        let config = self.plan.config(self.way);
        let mut observer = Observer::new(socket, config, opened).among(self.said.clone());
        observer.introduce(self.plan.talks);
        observer
    }

    /// From here on it is dead, if it is to be.
    fn fall_silent(&self, observer: &Observer<'_, Stream>, mute: &Mute) {
        if self.way == Behaviour::HalfClosed {
            // If it fails, the connection is over, which will be seen.
            let _ = observer.stream().socket().shut_write();
        }
        if self.way.is_dead() {
            mute.start();
        }
    }

    /// Hears until the connection ends, or until then; `None`: it did not end.
    async fn hear(
        &self,
        observer: &mut Observer<'_, Stream>,
        ears: &mut ServerEventLog,
        until: Instant,
    ) -> Option<CloseCause> {
        loop {
            // First of all, for who floods is always ready.
            let heard = tokio::select! {
                biased;
                () = sleep_until(until) => return None,
                heard = observer.next() => heard,
            };
            if let Some(ending) = self.on_heard(observer, ears, heard) {
                return Some(ending);
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// As long as any of the others is there, and until the server then showed that it still lives; `None`: it did.
    async fn vouch(
        &self,
        observer: &mut Observer<'_, Stream>,
        ears: &mut ServerEventLog,
    ) -> Option<CloseCause> {
        let mut patience = ControlDeadline::new(self.plan.every, self.plan.patience);
        loop {
            let heard = tokio::select! {
                biased;
                () = sleep_until(patience.until(ears.alive)) => return Some(unanswered(ears)),
                () = self.vouch.cancelled(), if !patience.is_last() => {
                    patience.ask_for_the_last_time();
                    observer.send_regular().err().map(ObserverEvent::Ended)
                }
                heard = observer.next() => Some(heard),
            };
            let ending = heard.and_then(|heard| self.on_heard(observer, ears, heard));
            if ending.is_some() || patience.is_satisfied(ears.answered) {
                return ending;
            }
            tokio::task::coop::consume_budget().await;
        }
    }

    /// Its end, if it was that.
    fn on_heard(
        &self,
        observer: &Observer<'_, Stream>,
        ears: &mut ServerEventLog,
        heard: ObserverEvent,
    ) -> Option<CloseCause> {
        match heard {
            ObserverEvent::Ended(cut) => return Some(observer.ending(cut)),
            ObserverEvent::Answered { at, took } => ears.answer(at, took),
            ObserverEvent::Bytes { at } => ears.bytes(at),
            ObserverEvent::KeepaliveSent { .. } => {}
            ObserverEvent::ServerEvent { at, said, answered, repeats } => {
                ears.repeated += u64::from(repeats && said.sound.asks());
                // That alone is no answer; of a server that has answered it is a sign of life.
                ears.alive = ears.alive.map(|_| at);
                let answered = answered && !self.way.is_dead();
                ears.hear(at, &said, answered)
                    .into_iter()
                    .for_each(|said| self.tell(ClientTaskEvent::Said(said)));
            }
        }
        None
    }

    /// Reads nothing until the system tells that it is over, or for long enough; then what there is to read, for it
    /// tells how it ended.
    async fn stall(&self, mut ready: Established) -> (ClientEnd, u64) {
        let (began, opened) = (ready.greeted, ready.opened);
        let mute = Arc::clone(&ready.mute);
        let mut observer = self.introduced(&mut ready.socket, opened);
        self.fall_silent(&observer, &mute);
        let seen = tokio::select! {
            biased;
            () = self.cancel.cancelled() => false,
            () = until_over(|| observer.stream().socket().is_over()) => true,
            () = sleep(self.plan.max) => false,
        };
        let after = began.elapsed();
        let proof = if seen { Liveness::Untold } else { self.proof(observer.stream()).await };
        let backlog = read_on(&mut observer, &self.cancel).await;
        let (unread, read_until, secure) = (backlog.unread, Instant::now(), self.plan.target.secure());
        let stalled = StalledClient { began, opened, after, seen, proof, read_until, secure };
        (stalled.fate(backlog), unread)
    }
}

/// How long the control waits for a sign of life. RFC 6455 5.5.2 obliges a healthy server to answer its Pings.
struct ControlDeadline {
    began: Instant,
    every: Duration,
    patience: Duration,
    /// When it asked for the last time.
    last: Option<Instant>,
}

impl ControlDeadline {
    fn new(every: Duration, patience: Duration) -> ControlDeadline {
        ControlDeadline { began: Instant::now(), every, patience, last: None }
    }

    fn ask_for_the_last_time(&mut self) {
        self.last = Some(Instant::now());
    }

    fn is_last(&self) -> bool {
        self.last.is_some()
    }

    /// When it is over, if the last sign of life was this.
    fn until(&self, alive: Option<Instant>) -> Instant {
        match self.last {
            Some(asked) => asked + self.patience,
            None => alive.unwrap_or(self.began) + self.every + self.patience,
        }
    }

    /// Whether the server answered after all that was to be seen.
    fn is_satisfied(&self, answered: Option<Instant>) -> bool {
        self.last.zip(answered).is_some_and(|(asked, answered)| answered > asked)
    }
}

/// What one client hears.
struct ServerEventLog {
    opened: Instant,
    /// When the server was asked for the first time.
    asked: Instant,
    listening: ListenState,
    throttle: EventThrottle<ServerEventClass>,
    /// The last sign of life of a server that answers.
    alive: Option<Instant>,
    /// Its last answer...
    answered: Option<Instant>,
    /// ... the longest that it did not, from the first to that...
    longest: Duration,
    /// ... the first...
    first: Option<Instant>,
    /// ... and how long the quickest took: who is slow is not standing still.
    least: Option<Duration>,
    /// So many heartbeats read like what another client had just said.
    repeated: u64,
    /// Its last Ping was not answered.
    deaf: bool,
}

impl ServerEventLog {
    fn new(ready: &Established) -> ServerEventLog {
        let listening = ListenState::new(ready.greeted - ready.opened, ready.missed_some);
        ServerEventLog {
            opened: ready.opened,
            asked: ready.greeted,
            listening,
            throttle: EventThrottle::default(),
            alive: None,
            answered: None,
            longest: Duration::ZERO,
            first: None,
            least: None,
            repeated: 0,
            deaf: false,
        }
    }

    fn answer(&mut self, at: Instant, took: Option<Duration>) {
        self.first.get_or_insert(at);
        self.longest = self.longest.max(self.silent_at(at));
        self.least = self.least.into_iter().chain(took).min();
        (self.alive, self.answered) = (Some(at), Some(at));
    }

    /// Bytes came of something that is not complete. Of a server that has answered that is a sign of life.
    fn bytes(&mut self, at: Instant) {
        self.listening.bytes_came(at.saturating_duration_since(self.opened));
        self.alive = self.alive.map(|_| at);
    }

    /// How long ago the server last answered, if it did.
    fn silent_at(&self, at: Instant) -> Duration {
        self.answered.map(|before| at.saturating_duration_since(before)).unwrap_or_default()
    }

    /// The longest that the server did not answer, up to now, but for what its answers take at the least.
    fn longest_unanswered(&self) -> Duration {
        let now = Instant::now();
        let began = self.first.unwrap_or(now).saturating_duration_since(self.asked);
        let began = began.saturating_sub(self.least.unwrap_or_default());
        self.longest.max(self.silent_at(now)).max(began)
    }

    /// Heartbeats are told; other messages are only counted.
    fn hear(&mut self, at: Instant, said: &ServerEvent, answered: bool) -> Option<ServerEventNotice> {
        let age = at.saturating_duration_since(self.opened);
        let before = self.listening.last(said.kind());
        self.listening.heard(age, said);
        let count = self.throttle.count(said.kind(), at).filter(|_| said.sound.is_heartbeat())?;
        let gap = before.map(|before| age.saturating_sub(before));
        let (sound, shape, text) = (said.sound, said.shape, said.text.clone());
        Some(ServerEventNotice { at: SystemTime::now(), sound, shape, count, age, gap, text, answered })
    }
}

fn ended(ending: CloseCause, greeting: Duration) -> ClientEnd {
    let after = ending.age.saturating_sub(greeting);
    ClientEnd::Ended { after, ending: Arc::new(ending), at_latest: false }
}

/// The control's questions are not answered any more.
fn unanswered(ears: &ServerEventLog) -> CloseCause {
    let idle = ears.alive.map_or(Duration::ZERO, |alive| alive.elapsed());
    let (who, how, os_error) = (ClosedBy::Network, CloseKind::Silent, None);
    CloseCause {
        who,
        how,
        reply: None,
        os_error,
        tcp: None,
        age: ears.opened.elapsed(),
        idle,
        at: SystemTime::now(),
    }
}
