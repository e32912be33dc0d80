//! What a connection told of its server besides the answers: how often it asks, and what it says that is neither.

use std::collections::VecDeque;
use std::time::Duration;

use super::heartbeat::Kind;
use super::heartbeat::incoming::MessageRef;
use super::heartbeat::presets::resembles;
use super::listen::Interval;
use super::listen::shapes::shown;
use super::nanos::Nanos;
use super::peer_text::PeerText;

/// So many of the latest gaps between the server's heartbeats are remembered.
const REMEMBERED: usize = 32;
/// So many of the first messages are compared with what is known.
const COMPARED: u32 = 4;

/// What was heard besides answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Overheard {
    /// How often the server sends heartbeats by itself, of each kind of which two came.
    pub intervals: Vec<(Kind, Interval)>,
    /// The first message that was neither an answer nor known.
    pub stranger: Option<PeerText>,
    /// The presets that such messages are typical of.
    pub looks_like: Vec<&'static str>,
}

impl Overheard {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Overheard::default()
    }

    /// How often the server asks or calls by messages, or else by frames.
    pub fn interval(&self) -> Option<(Kind, Interval)> {
        let app = self.intervals.iter().find(|(kind, _)| *kind == Kind::App);
        app.or(self.intervals.first()).copied()
    }
}

/// Listens on one connection, in bounded memory.
#[derive(Debug, Default)]
pub struct Listener {
    /// Whether messages are compared with what is known: only where a finding may rest on it, for it costs time.
    curious: bool,
    rhythms: Vec<Rhythm>,
    stranger: Option<PeerText>,
    compared: u32,
    looks_like: Vec<&'static str>,
}

#[derive(Debug)]
struct Rhythm {
    kind: Kind,
    last: Duration,
    gaps: VecDeque<Nanos>,
}

impl Listener {
    /// `curious`: other messages are of interest.
    pub fn new(curious: bool) -> Listener {
        Listener { curious, ..Listener::default() }
    }

    /// The server sent a heartbeat of this kind, when the connection was so old.
    pub fn beat(&mut self, kind: Kind, age: Duration) {
        let Some(rhythm) = self.rhythms.iter_mut().find(|rhythm| rhythm.kind == kind) else {
            // Mostly it is the only one, on each of thousands of connections.
            self.rhythms.reserve_exact(1);
            self.rhythms.push(Rhythm { kind, last: age, gaps: VecDeque::new() });
            return;
        };
        if rhythm.gaps.len() == REMEMBERED {
            rhythm.gaps.pop_front();
        }
        rhythm.gaps.push_back(age.saturating_sub(rhythm.last).into());
        rhythm.last = age;
    }

    /// A message came that is neither an answer nor a heartbeat.
    pub fn stranger(&mut self, message: MessageRef<'_>) {
        if !self.curious || self.compared == COMPARED {
            return;
        }
        self.compared += 1;
        self.stranger.get_or_insert_with(|| shown(message));
        for preset in resembles(message) {
            if !self.looks_like.contains(&preset.name) {
                self.looks_like.push(preset.name);
            }
        }
    }

    /// What it comes to.
    pub fn overheard(&self) -> Overheard {
        let interval = |rhythm: &Rhythm| {
            Some((rhythm.kind, Interval::of(rhythm.gaps.iter().map(|gap| Duration::from(*gap)))?))
        };
        Overheard {
            intervals: self.rhythms.iter().filter_map(interval).collect(),
            stranger: self.stranger.clone(),
            looks_like: self.looks_like.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_interval_is_the_median_of_its_gaps() {
        let mut listener = Listener::default();
        listener.beat(Kind::App, Duration::from_secs(25));
        assert!(listener.overheard().is_empty(), "one is no interval");
        listener.beat(Kind::App, Duration::from_secs(50));
        listener.beat(Kind::Protocol, Duration::from_secs(51));
        let (kind, interval) = listener.overheard().interval().unwrap();
        assert_eq!((kind, interval.median, interval.gaps), (Kind::App, Duration::from_secs(25), 1));
    }

    #[test]
    fn a_strangers_words_are_compared_with_what_is_known() {
        let mut listener = Listener::new(true);
        listener.stranger(MessageRef::Text("hello"));
        listener.stranger(MessageRef::Text(r#"{"type":"connection_ack"}"#));
        let overheard = listener.overheard();
        assert_eq!(overheard.stranger, Some(PeerText::new("hello")));
        assert_eq!(overheard.looks_like, ["graphql-ws"]);
    }

    #[test]
    fn who_is_not_curious_compares_nothing() {
        let mut listener = Listener::new(false);
        listener.stranger(MessageRef::Text(r#"{"type":"connection_ack"}"#));
        assert!(listener.overheard().is_empty());
    }

    #[test]
    fn a_flood_costs_no_more_than_its_first_messages() {
        let mut listener = Listener::new(true);
        (0..100_000).for_each(|n| {
            listener.stranger(MessageRef::Text("x"));
            listener.beat(Kind::App, Duration::from_secs(n));
        });
        assert_eq!(listener.compared, COMPARED);
        assert_eq!(listener.rhythms[0].gaps.len(), REMEMBERED);
    }
}
