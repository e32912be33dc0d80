//! The line that moves on a terminal during a search: how long it has run, the bracket so far, what is in
//! flight, and by when it ends at the latest.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget};

use super::format::between;
use crate::domain::format;
use crate::domain::idle::report::IdleEvent;
use crate::domain::idle::{self, ProbeRole};
use crate::domain::run::bracket::Bracket;
use crate::output::charset;
use crate::output::human::counted;

/// The elapsed time goes on while nothing happens.
const REDRAW_INTERVAL: Duration = Duration::from_secs(1);

/// What the line says.
#[derive(Debug, Default)]
pub struct SearchProgressText {
    text: String,
}

impl SearchProgressText {
    /// Takes in an event; whether the line says something else now.
    pub fn take(&mut self, event: &IdleEvent) -> bool {
        let text = match event {
            IdleEvent::Started { .. } => "opening".to_string(),
            IdleEvent::Progress(progress) => searching(progress),
            IdleEvent::Following { lasts } => format!("holding connections for {}", format::duration(*lasts)),
            IdleEvent::RefreshRow { .. } => "trying what keeps the path open".to_string(),
            IdleEvent::VerifyBeat { beats, held, until } => verifying(*beats, *held, *until),
            IdleEvent::ProbeOpened { .. }
            | IdleEvent::OpenFailed { .. }
            | IdleEvent::Seen(_)
            | IdleEvent::Bracket { .. }
            | IdleEvent::Provisional(_)
            | IdleEvent::Verified { .. }
            | IdleEvent::Finished(_) => return false,
        };
        std::mem::replace(&mut self.text, text) != self.text
    }

    pub fn line(&self) -> &str {
        &self.text
    }
}

/// `done by 25 s at the latest; timeout between 2.5 s and 3.1 s; 4 trials, 3 watchers silent`: a narrow terminal
/// shows the more important part.
fn searching(progress: &idle::SearchProgress) -> String {
    let known = match (progress.bracket, progress.provisional) {
        (Bracket { lo: None, hi: None }, None) => "nothing known yet".to_string(),
        (bracket, None) => format!("timeout {}", between(bracket)),
        (Bracket { lo: None, hi: None }, Some(guess)) => {
            format!("timeout about {}", format::duration(guess.timeout))
        }
        (bracket, Some(guess)) => {
            format!("timeout about {}, {}", format::duration(guess.timeout), between(bracket))
        }
    };
    let of = |role: ProbeRole| progress.in_flight.iter().filter(|flight| flight.role == role).count() as u64;
    let (trials, watchers) =
        (counted(of(ProbeRole::Trial), "trial"), counted(of(ProbeRole::Watcher), "watcher"));
    format!(
        "done by {} at the latest; {known}; {trials}, {watchers} silent",
        format::duration(progress.latest)
    )
}

fn verifying(beats: u64, held: Duration, until: Duration) -> String {
    let beats = counted(beats, "heartbeat");
    format!("verifying: held for {} of {}, {beats} answered", format::duration(held), format::duration(until))
}

/// The line itself, on stderr.
pub struct SearchProgressLine {
    bar: ProgressBar,
    tally: SearchProgressText,
}

impl SearchProgressLine {
    pub fn on_stderr() -> SearchProgressLine {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Some(style) = charset::spinner() {
            bar.set_style(style);
        }
        bar.enable_steady_tick(REDRAW_INTERVAL);
        SearchProgressLine { bar, tally: SearchProgressText::default() }
    }

    pub fn take(&mut self, event: &IdleEvent) {
        if self.tally.take(event) {
            self.bar.set_message(charset::shown(self.tally.line()).into_owned());
        }
        if matches!(event, IdleEvent::Finished(_)) {
            self.bar.finish_and_clear();
        }
    }

    /// Takes the line away while something else is written.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::{ProbeId, ProvisionalTimeout, SilentProbe};

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn progress(bracket: Bracket, provisional: Option<ProvisionalTimeout>) -> IdleEvent {
        let flight = |role| SilentProbe { probe: ProbeId(1), role, idle: s(3), ask_at: None };
        let in_flight = vec![flight(ProbeRole::Trial), flight(ProbeRole::Trial), flight(ProbeRole::Watcher)];
        IdleEvent::Progress(idle::SearchProgress {
            elapsed: s(12),
            bracket,
            provisional,
            in_flight,
            latest: s(200),
        })
    }

    fn line(event: &IdleEvent) -> String {
        let mut tally = SearchProgressText::default();
        assert!(tally.take(event) && !tally.take(event));
        tally.line().to_string()
    }

    #[test]
    fn the_line_tells_the_bracket_so_far_and_when_it_ends() {
        let nothing = line(&progress(Bracket::default(), None));
        let tell = |known: &str| format!("done by 200 s at the latest; {known}; 2 trials, 1 watcher silent");
        assert_eq!(nothing, tell("nothing known yet"));
        let bracket = Bracket { lo: Some(s(50)), hi: None };
        let guess = Some(ProvisionalTimeout { timeout: s(60), samples: 3, at: s(61) });
        assert_eq!(line(&progress(bracket, guess)), tell("timeout about 60 s, above 50 s"));
        let beat = IdleEvent::VerifyBeat { beats: 3, held: s(90), until: s(130) };
        assert_eq!(line(&beat), "verifying: held for 90 s of 130 s, 3 heartbeats answered");
    }
}
