//! What makes evidence doubtful, each told as a lower-case fragment.

use std::time::Duration;

use strum::IntoEnumIterator;

use super::behaviour::Behaviour;
use super::client_record::{ClientEnd, ClientRecord, dead};
use super::observation_quality::outlived;
use super::policy::ReapingPolicy;
use super::server_schedule::ScheduleEstimator;
use super::timer_kind::went_at_one_moment;
use crate::domain::connection::close_cause::{CloseKind, close_code_meaning};
use crate::domain::format::duration as show;
use crate::domain::listen::{Interarrival, ServerEventKind};

/// `the mute, the stalled and the half-closed client`
pub fn names(lives: &[&ClientRecord]) -> String {
    let names: Vec<String> = lives.iter().map(|life| format!("the {}", life.way.name())).collect();
    match names.split_last() {
        None => "no client".to_string(),
        Some((last, [])) => format!("{last} client"),
        Some((last, others)) => format!("{} and {last} client", others.join(", ")),
    }
}

/// Who was to show what keeps a client, and could not.
pub(super) fn unknown_witness(life: &ClientRecord) -> Option<String> {
    let why = match (&life.fate, life.broken()) {
        _ if !matches!(life.way, Behaviour::Quiet | Behaviour::PingsOnly) => return None,
        _ if life.deaf => {
            "was still connected, but its last Ping was not answered: it had been given up without a word"
                .to_string()
        }
        (ClientEnd::Unopened { why }, _) => format!("could not be opened: {why}"),
        (ClientEnd::Lost { .. }, _) => "was lost on the way".to_string(),
        (_, Some(ending)) => format!("was not let go: {ending}"),
        (ClientEnd::Kept { .. } | ClientEnd::Ended { .. }, None) => return None,
    };
    let name = life.way.name();
    Some(format!("the {name} client {why}; so it is not known what the server makes of such"))
}

/// Whether the server passes on what one client says to the others, and that reads like its own heartbeats: where most of
/// what was said came so.
pub(super) fn passes_on(lives: &[ClientRecord]) -> Option<String> {
    let others = || lives.iter().filter(|life| !matches!(life.way, Behaviour::Control | Behaviour::Stalled));
    let (said, came): (u64, u64) = others()
        .map(|life| (life.passed_on.said, life.passed_on.came))
        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    (came * 2 > said).then(|| {
        "the server passes on to the others what one client says, and that reads like a heartbeat of its own: it cannot \
         be told what it sends by itself (have the clients say something that carries an {id}: --say)"
            .to_string()
    })
}

/// Who is let go by one of these codes need not have been found dead. IANA WebSocket Close Code Number Registry.
const UNRELATED_CLOSE_CODES: [u16; 2] = [1012, 1013];

/// Why one that was closed may have been for something else than its silence.
pub(super) fn not_for_silence(lives: &[ClientRecord], life: &ClientRecord) -> Option<String> {
    let alone = no_room(life).or_else(|| going_away(lives, life));
    alone.or_else(|| as_the_quiet(lives, life)).or_else(|| as_the_mute(lives, life))
}

/// Who had nothing to answer is as silent as the mute: where such a client was kept, it was not for that.
fn as_the_quiet(lives: &[ClientRecord], life: &ClientRecord) -> Option<String> {
    let after = life.ended().filter(|_| life.way == Behaviour::Mute && life.asks().is_empty())?;
    let quiet = lives.iter().find(|life| life.way == Behaviour::Quiet)?;
    let was_asked = quiet.asks().iter().any(|(_, rhythm)| quiet.since_greeting(rhythm.begun) <= after);
    (!was_asked && quiet.kept()? > outlived(after)).then(|| {
        format!(
            "the mute client was closed after {}, and the quiet one, which had nothing to answer by then and so was as \
             silent, was not: not for that, perhaps",
            show(after)
        )
    })
}

/// Who does not read what nobody has said yet differs from the mute in nothing.
fn as_the_mute(lives: &[ClientRecord], life: &ClientRecord) -> Option<String> {
    let after = life.ended().filter(|_| life.way == Behaviour::Stalled && !went_at_one_moment(lives))?;
    let mute = lives.iter().find(|life| life.way == Behaviour::Mute)?;
    let heard = ServerEventKind::iter().flat_map(|sound| mute.listening.rhythms(sound));
    let has_heard =
        heard.map(|rhythm| mute.since_greeting(rhythm.begun)).any(|moment| moment <= outlived(after));
    let at_latest = matches!(life.fate, ClientEnd::Ended { at_latest: true, .. });
    (!at_latest && !has_heard && mute.kept()? > outlived(after)).then(|| {
        format!(
            "the stalled client was closed after {}, and the mute one, which had heard nothing by then and so was as \
             silent, was not: not for that, perhaps",
            show(after)
        )
    })
}

/// A server that goes away, or what served these clients, does so at one moment.
fn going_away(lives: &[ClientRecord], life: &ClientRecord) -> Option<String> {
    let is_so = matches!(life.ending()?.how, CloseKind::CloseFrame { code: Some(1001), .. });
    (is_so && went_at_one_moment(lives)).then(|| {
        let (name, meaning) = (life.way.name(), close_code_meaning(1001));
        format!(
            "the {name} client was closed by close 1001 ({meaning}), and others with it, however old: a restart, perhaps"
        )
    })
}

/// What came without being known may have been heartbeats, which all but the control left unanswered.
pub(super) fn unknown_words(lives: &[ClientRecord], policy: &ReapingPolicy) -> Option<String> {
    let is_none = matches!(policy, ReapingPolicy::Idle(_, None) | ReapingPolicy::KeepsAll);
    let mute = lives.iter().find(|life| life.way == Behaviour::Mute).filter(|_| is_none)?;
    let words =
        mute.listening.rhythms(ServerEventKind::Message).find(|rhythm| rhythm.last > WELCOME_WINDOW)?;
    Some(format!(
        "the server said messages that are no known heartbeats, the first \"{}\"; if they are some, tell how they look \
         (--app-ping), and the policy may be another",
        shortened(&words.sample.to_string())
    ))
}

/// What comes so soon is a welcome.
const WELCOME_WINDOW: Duration = Duration::from_millis(500);
const MAX_SHOWN_CHARS: usize = 60;

fn shortened(text: &str) -> String {
    let shown: String = text.chars().take(MAX_SHOWN_CHARS).collect();
    if text.chars().count() > MAX_SHOWN_CHARS { format!("{shown}…") } else { shown }
}

fn no_room(life: &ClientRecord) -> Option<String> {
    let CloseKind::CloseFrame { code: Some(code), .. } = life.ending()?.how else { return None };
    UNRELATED_CLOSE_CODES.contains(&code).then(|| {
        let (name, meaning) = (life.way.name(), close_code_meaning(code));
        format!("the {name} client was closed by close {code} ({meaning}): not for its silence, perhaps")
    })
}

/// Those of which it is not known whether the server let them go, and why.
pub(super) fn unproven(lives: &[ClientRecord]) -> Vec<String> {
    let told = |life: &ClientRecord| match (&life.fate, life.broken()) {
        (ClientEnd::Unopened { why }, _) => {
            Some(format!("the {} client could not be opened: {why}", life.way.name()))
        }
        (_, Some(ending)) => Some(format!("the {} client was not let go: {ending}", life.way.name())),
        (ClientEnd::Kept { .. } | ClientEnd::Ended { .. } | ClientEnd::Lost { .. }, None) => None,
    };
    dead(lives).filter_map(told).chain(lost(lives)).collect()
}

/// For so many intervals a heartbeat must stay unanswered before it can be said that nothing follows: few servers wait
/// for more than three.
const MIN_UNANSWERED_INTERVALS: f64 = 3.5;

/// One that is dead was kept, but not for as long as the server may take to let it go, by what it was heard to do.
pub(super) fn too_early(lives: &[ClientRecord], every: Duration) -> Option<String> {
    let (kept, way) =
        dead(lives).filter(|life| life.is_kept()).filter_map(|life| Some((life.kept()?, life.way))).min()?;
    let mute = lives.iter().find(|life| life.way == Behaviour::Mute);
    let needed = match mute.and_then(ClientRecord::ended) {
        None => asked_for_long(lives, every)?,
        Some(ended) => {
            outlived(ended)
                + asks(lives).into_iter().map(|ask| interval(lives, every, ask)).max().unwrap_or_default()
        }
    };
    (kept < needed).then(|| {
        format!(
            "the {} client was waited for only {}, and by what the server did until then it may yet let it go (--max \
             {}s tells)",
            way.name(),
            show(kept),
            needed.as_secs() + 1
        )
    })
}

/// The age at which a client has left several heartbeats of each kind unanswered; `None`: nobody was asked.
fn asked_for_long(lives: &[ClientRecord], every: Duration) -> Option<Duration> {
    let needed =
        |ask: FirstRequest| ask.first + interval(lives, every, ask).mul_f64(MIN_UNANSWERED_INTERVALS);
    asks(lives).into_iter().map(needed).max()
}

/// A kind of heartbeats, and the age at which a client was first asked.
#[derive(Clone, Copy)]
struct FirstRequest {
    sound: ServerEventKind,
    first: Duration,
}

/// What the mute client was asked; or else what any other was, for it would have been asked the same.
fn asks(lives: &[ClientRecord]) -> Vec<FirstRequest> {
    let of = |life: &ClientRecord| -> Vec<FirstRequest> {
        let ask = |(sound, rhythm): (ServerEventKind, &Interarrival)| FirstRequest {
            sound,
            first: life.since_greeting(rhythm.begun),
        };
        life.asks().into_iter().map(ask).collect()
    };
    let mute = lives.iter().find(|life| life.way == Behaviour::Mute).map(of).filter(|asks| !asks.is_empty());
    mute.unwrap_or_else(|| lives.iter().flat_map(of).collect())
}

/// How far such heartbeats are apart; where that is not known, as far as any client saw two of them, or the first from the
/// beginning.
fn interval(lives: &[ClientRecord], every: Duration, ask: FirstRequest) -> Duration {
    let seen = ScheduleEstimator::new(lives, ask.sound, every).beats().interval;
    let gaps = |life: &ClientRecord| life.listening.rhythm(ask.sound)?.interval();
    let longest = || lives.iter().filter_map(gaps).map(|gaps| gaps.max).max().unwrap_or_default();
    seen.unwrap_or_else(|| longest().max(ask.first))
}

/// Nothing that is known of servers explains it.
pub(super) fn odd(life: &ClientRecord) -> Option<String> {
    let name = life.way.name();
    Some(format!(
        "the {name} client was closed after {}, and the mute one, which says nothing at all, was not: a limit of \
         connections, perhaps",
        show(life.ended()?)
    ))
}

/// Those that were lost, if any were.
fn lost(lives: &[ClientRecord]) -> Option<String> {
    let lost: Vec<&ClientRecord> =
        dead(lives).filter(|life| matches!(life.fate, ClientEnd::Lost { .. })).collect();
    let after =
        |life: &&ClientRecord| if let ClientEnd::Lost { after } = life.fate { Some(after) } else { None };
    let after = lost.iter().filter_map(after).max()?;
    Some(format!(
        "after {} nobody knew the connection of {} any more, and no end had been heard: the path forgot it, or lost the \
         server's goodbye (`wscheck probe-idle` measures after how long a path drops connections; use a shorter --max)",
        show(after),
        names(&lost)
    ))
}
