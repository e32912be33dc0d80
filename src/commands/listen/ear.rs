//! Listens on one connection until it was long enough.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::plan::ListenPlan;
use crate::commands::telling::Telling;
use crate::domain::ending::Ending;
use crate::domain::listen::report::{ListenEvent, ListenReporter, Progress, Said};
use crate::domain::listen::{Circumstances, EndedBy, Findings, Listening, Sound, Talk, Utterance};
use crate::net::clock::at;
use crate::net::endings::Cut;
use crate::net::guest::{Guest, Heard};
use crate::net::websocket::Socket;

/// How often progress is told.
const PROGRESS_EVERY: Duration = Duration::from_secs(1);

/// What listening brought.
pub struct Overheard {
    pub circumstances: Circumstances,
    pub findings: Findings,
    /// The peer, or the path, ended it.
    pub ending: Option<Arc<Ending>>,
}

/// An ear at work.
pub struct Ear<'a, S> {
    guest: Guest<'a, S>,
    opened: Instant,
    end: Instant,
    count: Option<u64>,
    answer: bool,
    listening: Listening,
    /// `None`: the client says nothing of its own.
    talk: Option<Talk>,
    telling: Telling,
    progress_at: Instant,
    reporter: &'a mut dyn ListenReporter,
}

enum Woken {
    Interrupted,
    Heard(Heard),
    Talk,
    Progress,
    End,
}

/// Why it is over.
enum Over {
    Time,
    Interrupt,
    Cut(Cut),
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Ear<'a, S> {
    /// On a connection that opened at this moment; `missed_some`: some heartbeats may have come before.
    pub fn new(
        plan: &ListenPlan,
        socket: &'a mut Socket<S>,
        opened: Instant,
        missed_some: bool,
        reporter: &'a mut dyn ListenReporter,
    ) -> Ear<'a, S> {
        let now = Instant::now();
        Ear {
            guest: Guest::new(socket, plan.manners(), opened),
            opened,
            end: now + plan.listen_for,
            count: plan.count,
            answer: plan.answer,
            listening: Listening::new(now - opened, missed_some),
            talk: plan.talk.as_ref().map(|_| Talk::default()),
            telling: Telling::default(),
            progress_at: now + PROGRESS_EVERY,
            reporter,
        }
    }

    /// Listens until the time is over, enough was heard, the connection ended, or the user wants no more.
    pub async fn listen(mut self, interrupt: &CancellationToken) -> Overheard {
        let over = loop {
            let over = match self.wait(interrupt).await {
                Woken::Interrupted => Some(Over::Interrupt),
                Woken::End => Some(Over::Time),
                Woken::Heard(heard) => self.on_heard(heard),
                Woken::Talk => self.speak(),
                Woken::Progress => self.progress(),
            };
            match over {
                Some(over) => break over,
                None => tokio::task::coop::consume_budget().await,
            }
        };
        self.finish(over).await
    }

    async fn wait(&mut self, interrupt: &CancellationToken) -> Woken {
        let talk_at = self.talk_due().map(|due| self.opened + due);
        let (end, progress_at) = (self.end, self.progress_at);
        let guest = &mut self.guest;
        tokio::select! {
            biased;
            () = interrupt.cancelled() => Woken::Interrupted,
            () = at(Some(end)) => Woken::End,
            heard = guest.next() => Woken::Heard(heard),
            () = at(talk_at) => Woken::Talk,
            () = at(Some(progress_at)) => Woken::Progress,
        }
    }

    /// The last heartbeat of the steady kind, and when to speak after it.
    fn talk_due(&self) -> Option<Duration> {
        let talk = self.talk.as_ref()?;
        let (sound, interval) = self.listening.steady()?;
        talk.due(self.listening.rhythm(sound)?.last, Some(&interval))
    }

    fn on_heard(&mut self, heard: Heard) -> Option<Over> {
        match heard {
            Heard::Answered { at } => {
                self.listening.answered(at.saturating_duration_since(self.opened));
                None
            }
            Heard::Ended(cut) => Some(Over::Cut(cut)),
            Heard::Said { at, said, answered } => {
                self.said(at, &said, answered && self.answer);
                let enough = self.count.is_some_and(|count| self.listening.heartbeats() >= count);
                enough.then_some(Over::Time)
            }
        }
    }

    fn said(&mut self, at: Instant, said: &Utterance, answered: bool) {
        let age = at.saturating_duration_since(self.opened);
        let before = self.listening.rhythm(said.sound).map(|rhythm| rhythm.last);
        self.listening.heard(age, said);
        self.talk_hears(said.sound, before, age);
        let Some(count) = self.telling.note(said.sound, at) else { return };
        self.reporter.report(&ListenEvent::Said(Said {
            at: SystemTime::now(),
            sound: said.sound,
            shape: said.shape,
            count,
            age,
            gap: before.map(|before| age.saturating_sub(before)),
            text: said.text.clone(),
            answered,
        }));
    }

    fn talk_hears(&mut self, sound: Sound, before: Option<Duration>, age: Duration) {
        let (Some(talk), Some(before)) = (&mut self.talk, before) else { return };
        if self.listening.steady().is_some_and(|(steady, _)| steady == sound) {
            talk.heard(before, age);
        }
    }

    fn speak(&mut self) -> Option<Over> {
        let (sound, _) = self.listening.steady()?;
        let last = self.listening.rhythm(sound)?.last;
        match self.guest.talk() {
            Err(cut) => Some(Over::Cut(cut)),
            Ok(left) => {
                let age = left.saturating_duration_since(self.opened);
                self.listening.talked(age);
                self.talk.iter_mut().for_each(|talk| talk.spoke(last));
                self.reporter.report(&ListenEvent::Talked { at: SystemTime::now(), age });
                None
            }
        }
    }

    fn progress(&mut self) -> Option<Over> {
        self.progress_at = Instant::now() + PROGRESS_EVERY;
        self.reporter.report(&ListenEvent::Progress(Progress {
            listened: self.opened.elapsed(),
            until: self.end - self.opened,
            heartbeats: self.listening.heartbeats(),
            interval: self.listening.steady().map(|(_, interval)| interval.median),
        }));
        None
    }

    async fn finish(self, over: Over) -> Overheard {
        let ending = match &over {
            Over::Cut(cut) => Some(Arc::new(self.guest.ending(cut.clone()))),
            Over::Time | Over::Interrupt => None,
        };
        let circumstances = Circumstances {
            listened: self.opened.elapsed(),
            answered: self.answer,
            ended: ending.as_deref().map(EndedBy::from),
            interrupted: matches!(over, Over::Interrupt),
        };
        let findings = self.listening.findings(&circumstances);
        // Whoever is muted cannot even say goodbye.
        if self.answer {
            self.guest.leave(ending.as_deref().map(|ending| &ending.how)).await;
        }
        Overheard { circumstances, findings, ending }
    }
}
