//! The line that moves on a terminal during a search: how long it has run, the bracket so far, what is in
//! flight, and by when it ends at the latest.

use std::time::Duration;

use super::format::between;
use crate::domain::format::{self, counted};
use crate::domain::idle::report::IdleEvent;
use crate::domain::idle::{self, ProbeRole};
use crate::domain::run::bracket::Bracket;

/// What the line says from this event on; `None` leaves it as it is.
pub fn text(event: &IdleEvent) -> Option<String> {
    match event {
        IdleEvent::Started { .. } => Some("opening".to_string()),
        IdleEvent::Progress(progress) => Some(searching(progress)),
        IdleEvent::Following { lasts } => {
            Some(format!("holding connections for {}", format::duration(*lasts)))
        }
        IdleEvent::RefreshRow { .. } => Some("trying what keeps the path open".to_string()),
        IdleEvent::VerifyBeat { beats, held, until } => Some(verifying(*beats, *held, *until)),
        IdleEvent::ProbeOpened { .. }
        | IdleEvent::OpenFailed { .. }
        | IdleEvent::Seen(_)
        | IdleEvent::Bracket { .. }
        | IdleEvent::Provisional(_)
        | IdleEvent::Verified { .. }
        | IdleEvent::Finished(_) => None,
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
    let of = |role: ProbeRole| progress.silent.iter().filter(|silent| **silent == role).count() as u64;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::idle::ProvisionalTimeout;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn progress(bracket: Bracket, provisional: Option<ProvisionalTimeout>) -> IdleEvent {
        let silent = vec![ProbeRole::Trial, ProbeRole::Trial, ProbeRole::Watcher];
        IdleEvent::Progress(idle::SearchProgress { bracket, provisional, silent, latest: s(200) })
    }

    #[test]
    fn the_line_tells_the_bracket_so_far_and_when_it_ends() {
        let line = |event: &IdleEvent| text(event).unwrap();
        let nothing = line(&progress(Bracket::default(), None));
        let tell = |known: &str| format!("done by 3m 20s at the latest; {known}; 2 trials, 1 watcher silent");
        assert_eq!(nothing, tell("nothing known yet"));
        let bracket = Bracket { lo: Some(s(50)), hi: None };
        let guess = Some(ProvisionalTimeout { timeout: s(60), samples: 3, at: s(61) });
        assert_eq!(line(&progress(bracket, guess)), tell("timeout about 60 s, above 50 s"));
        let beat = IdleEvent::VerifyBeat { beats: 3, held: s(90), until: s(130) };
        assert_eq!(line(&beat), "verifying: held for 90 s of 2m 10s, 3 heartbeats answered");
    }
}
