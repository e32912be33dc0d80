//! A preset as a run speaks it: its texts read, and what it forbids.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::catalogue::{ForbiddenAction, Preset};
use crate::domain::format::exact_duration;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::protocol_profile::{
    IntervalAnnouncement, KeepaliveSpec, ProtocolProfile, ServerRequest, ServerRequests,
};
use crate::domain::heartbeat::template::Template;

/// A preset's texts, read.
#[derive(Debug, Clone, PartialEq)]
pub struct CompiledPreset {
    pub first: Option<Pattern>,
    pub hello: Vec<Template>,
    pub awaited: Option<Pattern>,
    /// The ask and its answer; `None` where nothing of ours is answered.
    pub ask: Option<(Template, Pattern)>,
    pub profile: ProtocolProfile,
}

/// What a user wants to send.
#[derive(Debug, Clone, Default)]
pub struct IntendedTraffic<'a> {
    pub kinds: &'a [HeartbeatKind],
    /// The app heartbeat's ask, where the user gave one.
    pub ask: Option<&'a str>,
    /// How often.
    pub interval: Option<Duration>,
}

/// Stands for the URL's host in a hello.
pub(super) const HOST: &str = "{host}";

impl Preset {
    /// Whether what it says first depends on the host.
    pub fn names_host(&self) -> bool {
        self.hello.iter().any(|text| text.contains(HOST))
    }

    /// Reads its texts for a server on this host; the error names the text that is wrong, which none is.
    pub fn compile(&self, host: &str) -> Result<CompiledPreset, String> {
        let known = self.server.iter().map(|says| {
            let reply = says.reply.map(|reply| self.read(reply)).transpose()?;
            Ok::<_, String>(ServerRequest { pattern: self.read(says.looks)?, reply })
        });
        let keepalive = self
            .keepalive
            .map(|(message, every)| Ok::<_, String>(KeepaliveSpec { message: self.read(message)?, every }));
        let announces = self.announces.map(|(pattern, unit)| {
            Ok::<_, String>(IntervalAnnouncement { pattern: self.read(pattern)?, unit })
        });
        let hello = self.hello.iter().map(|text| self.read(&text.replace(HOST, host)));
        Ok(CompiledPreset {
            first: self.first.map(|text| self.read(text)).transpose()?,
            hello: hello.collect::<Result<_, _>>()?,
            awaited: self.awaited.map(|text| self.read(text)).transpose()?,
            ask: self.asked()?,
            profile: ProtocolProfile {
                name: Some(self.name),
                framing: self.framing,
                asks: match known.collect::<Result<Vec<_>, _>>()? {
                    none if none.is_empty() && self.usual => ServerRequests::Usual,
                    known => ServerRequests::Known(known),
                },
                keepalive: keepalive.transpose()?,
                announces: announces.transpose()?,
            },
        })
    }

    fn asked(&self) -> Result<Option<(Template, Pattern)>, String> {
        let Some(ask) = self.ask else { return Ok(None) };
        let pongs = ask.pongs.iter().map(|text| self.read(text)).collect::<Result<Vec<Pattern>, _>>()?;
        Ok(Pattern::any_of(pongs).zip(Some(self.read(ask.ping)?)).map(|(pong, ping)| (ping, pong)))
    }

    fn read<T: FromStr<Err: Display>>(&self, text: &str) -> Result<T, String> {
        text.parse().map_err(|why| format!("preset {}: {why}", self.name))
    }

    /// Why this must not be sent to such a server, if it must not.
    pub fn refuses(&self, intent: &IntendedTraffic) -> Option<String> {
        let app = intent.kinds.contains(&HeartbeatKind::App);
        let name = self.name;
        if app && self.ask.is_none() && intent.ask.is_none() {
            let why = self.why_no_app_rtt().unwrap_or_default();
            return Some(format!(
                "--preset {name} has no app heartbeat to measure: {why}; use --heartbeat protocol"
            ));
        }
        self.traps.iter().find_map(|trap| {
            let what = match trap.never {
                ForbiddenAction::Text(text) if app && intent.ask == Some(text) => {
                    format!("'{text}' is not sent")
                }
                ForbiddenAction::Messages if app => "no message is sent".to_string(),
                ForbiddenAction::PingFrames if intent.kinds.contains(&HeartbeatKind::Protocol) => {
                    "no Ping frame is sent".to_string()
                }
                ForbiddenAction::FasterThan(least)
                    if intent.interval.is_some_and(|interval| interval < least) =>
                {
                    format!("heartbeats are not sent more often than every {}", exact_duration(least))
                }
                ForbiddenAction::Text(_)
                | ForbiddenAction::Messages
                | ForbiddenAction::PingFrames
                | ForbiddenAction::FasterThan(_) => return None,
            };
            Some(format!("--preset {name}: {what}: {}", trap.why))
        })
    }

    /// Whether a trap forbids this.
    pub fn forbids(&self, never: ForbiddenAction) -> bool {
        self.traps.iter().any(|trap| trap.never == never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{find_preset, presets};

    fn refused(name: &str, kinds: &[HeartbeatKind], ask: Option<&str>, interval: u64) -> Option<String> {
        let interval = Some(Duration::from_millis(interval));
        find_preset(name).unwrap().refuses(&IntendedTraffic { kinds, ask, interval })
    }

    #[test]
    fn every_text_of_every_preset_can_be_read() {
        for preset in presets() {
            let compiled = preset.compile("example.org").unwrap();
            assert_eq!(compiled.ask.is_some(), preset.ask.is_some(), "{}", preset.name);
            assert_eq!(compiled.profile.name, Some(preset.name));
            for mark in preset.marks {
                preset.read::<Pattern>(mark).unwrap();
            }
        }
    }

    #[test]
    fn every_preset_says_what_it_is_and_where_that_is_from() {
        for preset in presets() {
            assert!(!preset.title.is_empty() && preset.source.len() > 10, "{}", preset.name);
            assert!(preset.url.starts_with("ws"), "{}", preset.name);
            assert!(preset.ask.is_none() || preset.every.is_some(), "{}: how often to ask", preset.name);
            assert_eq!(preset.ask.is_none(), preset.why_no_app_rtt().is_some(), "{}", preset.name);
            assert!(!preset.usual || preset.server.is_empty(), "{}", preset.name);
        }
    }

    #[test]
    fn what_a_server_punishes_is_refused_with_the_reason() {
        let (protocol, app) = ([HeartbeatKind::Protocol], [HeartbeatKind::App]);
        assert_eq!(
            refused("engine.io", &app, None, 1000).unwrap(),
            "--preset engine.io has no app heartbeat to measure: the server asks, and nothing that a client sends is \
             answered by design; use --heartbeat protocol"
        );
        assert!(refused("engine.io", &app, Some("2"), 1000).unwrap().contains("invalid heartbeat direction"));
        assert_eq!(refused("engine.io", &protocol, None, 1000), None);
        assert_eq!(
            refused("socket.io", &app, Some("420[\"ping\"]"), 1000),
            None,
            "the application may answer that"
        );
        assert!(refused("twitch-eventsub", &protocol, None, 1000).unwrap().contains("anything but Pongs"));
        assert!(refused("twitch-eventsub", &app, Some("x"), 1000).unwrap().contains("no message is sent"));
        assert_eq!(
            refused("binance", &protocol, None, 200).unwrap(),
            "--preset binance: heartbeats are not sent more often than every 1 s: more than 5 messages a second of a \
             client's, Ping and Pong frames counted, end the connection, and repeated the address is banned"
        );
        assert_eq!(refused("binance", &protocol, None, 1000), None);
        assert_eq!(refused("phoenix", &app, None, 10), None);
    }
}
