//! The table of faults: parses, explains and lists them.

use std::time::Duration;

use super::cut::{CutAction, close_code};
use super::model::{Faults, IdleReset, RepeatedSend};
use super::value::{DurationRange, JitterSpec, count, http2_code, period, window};
use crate::domain::duration::parse_duration;
use crate::domain::share::parse_share;
use crate::server::deflate::DeflateAnswer;

/// A fault on the command line: `--NAME VALUE`.
#[derive(Debug, Clone, Copy)]
pub struct FaultDefinition {
    pub name: &'static str,
    pub value: FaultValue,
    /// One line of help.
    pub help: &'static str,
    /// Parses the value into the faults; the error is a lower-case fragment.
    pub set: fn(&mut Faults, &str) -> Result<(), String>,
}

/// The value of a fault's flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultValue {
    /// Nothing.
    None,
    /// A required value of this form.
    Needed(&'static str),
    /// An optional value of this form, and its default.
    Optional(&'static str, &'static str),
}

/// All faults, in listing order.
pub const FAULTS: &[FaultDefinition] = &[
    FaultDefinition {
        name: "delay",
        value: FaultValue::Needed("T"),
        help: "delay pongs by T; other answers are not delayed",
        set: |faults, text| parse_duration(text).map(|t| faults.answers.delay = t),
    },
    FaultDefinition {
        name: "jitter",
        value: FaultValue::Needed("[DISTRIBUTION:]J"),
        help: "delay each pong by a random time, uniform from 0 to J; or normal:J (half-normal, deviation J), exponential:J (mean J)",
        set: |faults, text| JitterSpec::parse(text).map(|j| faults.answers.jitter = Some(j)),
    },
    FaultDefinition {
        name: "pong-loss",
        value: FaultValue::Needed("P%"),
        help: "drop this share of the pongs (20% or 0.2); with 20%, one pong of every five, chosen at random",
        set: |faults, text| parse_share(text).map(|p| faults.answers.loss = p),
    },
    FaultDefinition {
        name: "supersede",
        value: FaultValue::Optional("N", "2"),
        help: "answer only the last of every N pings (default 2), at once: the pongs of the others are dropped (ping counts them as missed)",
        set: |faults, text| count(text, 1).map(|n| faults.answers.latest_of = Some(n)),
    },
    FaultDefinition {
        name: "merge-pongs",
        value: FaultValue::Needed("T"),
        help: "hold the pings that come within T, then answer only the latest of them, T after it came (ping counts the others as superseded)",
        set: |faults, text| period(text).map(|t| faults.answers.merge = Some(t)),
    },
    FaultDefinition {
        name: "wrong-payload",
        value: FaultValue::None,
        help: "answer pings with a wrong payload",
        set: |faults, _| switch_on(&mut faults.answers.wrong),
    },
    FaultDefinition {
        name: "duplicate-pongs",
        value: FaultValue::None,
        help: "answer each ping twice",
        set: |faults, _| switch_on(&mut faults.answers.duplicate),
    },
    FaultDefinition {
        name: "unsolicited-pong",
        value: FaultValue::Needed("T"),
        help: "send an unsolicited pong every T",
        set: |faults, text| add_repeated_send(faults, period(text)?, RepeatedSend::UnsolicitedPong),
    },
    FaultDefinition {
        name: "stall",
        value: FaultValue::Needed("T"),
        help: "stop reading and writing at age T, and leave the socket open; over HTTP/2 the stream's window runs out",
        set: |faults, text| add_cut_at(faults, text, CutAction::Stall),
    },
    FaultDefinition {
        name: "mute",
        value: FaultValue::Needed("T"),
        help: "from age T on read everything and answer nothing",
        set: |faults, text| add_cut_at(faults, text, CutAction::Mute),
    },
    FaultDefinition {
        name: "close-after",
        value: FaultValue::Needed("T[:CODE]"),
        help: "send a close frame at age T, code 1000 unless another is given",
        set: |faults, text| {
            let (age, code) = text.split_once(':').unwrap_or((text, "1000"));
            add_cut_at(faults, age, CutAction::Close(close_code(code)?))
        },
    },
    FaultDefinition {
        name: "fin-after",
        value: FaultValue::Needed("T"),
        help: "close TCP at age T without a close frame (FIN); over HTTP/2 the stream (END_STREAM)",
        set: |faults, text| add_cut_at(faults, text, CutAction::Fin),
    },
    FaultDefinition {
        name: "rst-after",
        value: FaultValue::Needed("T"),
        help: "reset TCP at age T (RST); over HTTP/2 the stream (RST_STREAM CANCEL)",
        set: |faults, text| add_cut_at(faults, text, CutAction::Rst),
    },
    FaultDefinition {
        name: "half-close",
        value: FaultValue::Needed("T"),
        help: "send FIN at age T, and keep reading; over HTTP/2 END_STREAM",
        set: |faults, text| add_cut_at(faults, text, CutAction::HalfClose),
    },
    FaultDefinition {
        name: "idle-timeout",
        value: FaultValue::Needed("T|LO..HI"),
        help: "cut a connection that was idle for T; with a range, each connection has its own T",
        set: |faults, text| DurationRange::parse(text).map(|span| faults.idle.after = Some(span)),
    },
    FaultDefinition {
        name: "idle-cut",
        value: FaultValue::Needed("CUT"),
        help: "how it is cut: close[:CODE] (1000), fin (default), half-close, rst, silent (stays open, discards everything), rst-on-use (silent, then RST on the next data), mute (reads, sends nothing), stall (stops reading)",
        set: |faults, text| text.parse().map(|cut| faults.idle.cut = Some(cut)),
    },
    FaultDefinition {
        name: "idle-resets",
        value: FaultValue::Needed("SIDE"),
        help: "which side's bytes reset it: either (default), client, server, or both (each direction has its own timer)",
        set: |faults, text| resets(text).map(|who| faults.idle.resets = Some(who)),
    },
    FaultDefinition {
        name: "messages-only",
        value: FaultValue::None,
        help: "pings and pongs do not reset the idle timeout, only messages do",
        set: |faults, _| switch_on(&mut faults.idle.messages_only),
    },
    FaultDefinition {
        name: "linger",
        value: FaultValue::Needed("T"),
        help: "at the idle timeout start to discard everything, and cut the connection T later",
        set: |faults, text| period(text).map(|t| faults.idle.linger = Some(t)),
    },
    FaultDefinition {
        name: "lifetime",
        value: FaultValue::Needed("T[:CUT]"),
        help: "cut every connection at age T, however active; cuts as for --idle-cut",
        set: |faults, text| {
            let (age, cut) = text.split_once(':').unwrap_or((text, "fin"));
            add_cut_at(faults, age, cut.parse()?)
        },
    },
    FaultDefinition {
        name: "chatter",
        value: FaultValue::Needed("T"),
        help: "send a message every T",
        set: |faults, text| add_repeated_send(faults, period(text)?, RepeatedSend::Chatter),
    },
    FaultDefinition {
        name: "ping-flood",
        value: FaultValue::Optional("RATE", "1000"),
        help: "send RATE pings a second (default 1000)",
        set: |faults, text| {
            let every = Duration::from_secs(1) / count(text, 1)?;
            add_repeated_send(faults, every, RepeatedSend::Ping)
        },
    },
    FaultDefinition {
        name: "refuse",
        value: FaultValue::Needed("STATUS"),
        help: "answer the upgrade with this HTTP status",
        set: |faults, text| status(text).map(|status| faults.opening.refuse = Some(status)),
    },
    FaultDefinition {
        name: "redirect",
        value: FaultValue::Needed("URL"),
        help: "answer the upgrade with 302 and this Location",
        set: |faults, text| location(text).map(|url| faults.opening.redirect = Some(url)),
    },
    FaultDefinition {
        name: "slow-upgrade",
        value: FaultValue::Needed("T"),
        help: "delay the upgrade response by T",
        set: |faults, text| period(text).map(|t| faults.opening.slow = t),
    },
    FaultDefinition {
        name: "wrong-accept",
        value: FaultValue::None,
        help: "answer the upgrade with a wrong Sec-WebSocket-Accept (HTTP/1.1 only)",
        set: |faults, _| switch_on(&mut faults.opening.wrong_accept),
    },
    FaultDefinition {
        name: "endless-header",
        value: FaultValue::None,
        help: "answer the upgrade with a header that never ends (HTTP/1.1 only)",
        set: |faults, _| switch_on(&mut faults.opening.endless_header),
    },
    FaultDefinition {
        name: "lenient-upgrade",
        value: FaultValue::None,
        help: "also accept upgrades in HTTP/1.0 or without a Host header (RFC 6455 4.2.1 forbids both)",
        set: |faults, _| switch_on(&mut faults.opening.lenient),
    },
    FaultDefinition {
        name: "deflate",
        value: FaultValue::Optional("PARAMS", ""),
        help: "agree to compress messages (permessage-deflate, RFC 7692) as the client offers it; PARAMS replace the parameters of the answer, right or wrong",
        set: |faults, text| DeflateAnswer::parse(text).map(|answer| faults.opening.deflate = Some(answer)),
    },
    FaultDefinition {
        name: "deflate-bomb",
        value: FaultValue::None,
        help: "agree to compress, and send a message right after the upgrade that decompresses to 1 GiB",
        set: |faults, _| {
            faults.opening.deflate.get_or_insert_default();
            switch_on(&mut faults.deflate_bomb)
        },
    },
    FaultDefinition {
        name: "rsv1-without-agreement",
        value: FaultValue::None,
        help: "send a compressed message right after the upgrade although compression was not agreed",
        set: |faults, _| add_first_bytes(faults, &[0xc1, 7, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0]),
    },
    FaultDefinition {
        name: "garbage",
        value: FaultValue::None,
        help: "send bytes that are not WebSocket frames right after the upgrade",
        set: |faults, _| add_first_bytes(faults, &[0xff; 64]),
    },
    FaultDefinition {
        name: "huge-frame",
        value: FaultValue::None,
        help: "send the head of a frame that claims 2^62 bytes right after the upgrade",
        set: |faults, _| add_first_bytes(faults, &[0x82, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0]),
    },
    FaultDefinition {
        name: "masked-frame",
        value: FaultValue::None,
        help: "send a masked frame right after the upgrade (a server must not mask)",
        set: |faults, _| add_first_bytes(faults, &[0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2]),
    },
    FaultDefinition {
        name: "invalid-utf8",
        value: FaultValue::None,
        help: "send a text message that is not UTF-8 right after the upgrade",
        set: |faults, _| add_first_bytes(faults, &[0x81, 0x02, 0xc3, 0x28]),
    },
    FaultDefinition {
        name: "trickle",
        value: FaultValue::Optional("T", "1s"),
        help: "after the upgrade send only one byte every T (default 1s)",
        set: |faults, text| period(text).map(|t| faults.trickle = Some(t)),
    },
    FaultDefinition {
        name: "no-connect-protocol",
        value: FaultValue::None,
        help: "with --h2: leave out SETTINGS_ENABLE_CONNECT_PROTOCOL, and reset an extended CONNECT (PROTOCOL_ERROR)",
        set: |faults, _| switch_on(&mut faults.http2.no_connect_protocol),
    },
    FaultDefinition {
        name: "h2-reset",
        value: FaultValue::Needed("CODE"),
        help: "with --h2: answer the CONNECT of a WebSocket by RST_STREAM with this code: a name of RFC 9113 section 7, or a number",
        set: |faults, text| http2_code(text).map(|code| faults.http2.reset = Some(code)),
    },
    FaultDefinition {
        name: "goaway-after",
        value: FaultValue::Needed("T"),
        help: "with --h2: send GOAWAY (NO_ERROR) T after the first WebSocket of a connection opened, and close the connection at once, like a hop that restarts",
        set: |faults, text| parse_duration(text).map(|t| faults.http2.goaway_after = Some(t)),
    },
    FaultDefinition {
        name: "h2-window",
        value: FaultValue::Needed("BYTES"),
        help: "with --h2: the window of each stream (default 65535); with 0 a client can never send",
        set: |faults, text| window(text).map(|size| faults.http2.window = Some(size)),
    },
];

/// Names of the faults that act on HTTP/2 only.
const HTTP2_FAULTS: [&str; 4] = ["no-connect-protocol", "h2-reset", "goaway-after", "h2-window"];

impl FaultDefinition {
    /// Whether it acts on HTTP/2 only.
    pub fn needs_http2(&self) -> bool {
        HTTP2_FAULTS.contains(&self.name)
    }
}

/// Sets the fault with this name. The error is a lower-case fragment that names fault, value and rule.
pub fn set(faults: &mut Faults, name: &str, value: &str) -> Result<(), String> {
    let Some(definition) = FAULTS.iter().find(|definition| definition.name == name) else {
        let known: Vec<&str> = FAULTS.iter().map(|definition| definition.name).collect();
        return Err(format!("'{name}' is not a fault; the faults are {}", known.join(", ")));
    };
    (definition.set)(faults, value).map_err(|why| format!("--{name}: {why}"))
}

/// The list of all faults, for `--list-faults`.
pub fn list() -> String {
    let shown = |definition: &FaultDefinition| match definition.value {
        FaultValue::None => format!("--{}", definition.name),
        FaultValue::Needed(form) => format!("--{} {form}", definition.name),
        FaultValue::Optional(form, _) => format!("--{}[={form}]", definition.name),
    };
    let width = FAULTS.iter().map(|definition| shown(definition).len()).max().unwrap_or(0);
    let line = |definition| format!("{:width$}  {}\n", shown(definition), definition.help);
    FAULTS.iter().map(line).collect()
}

fn switch_on(fault: &mut bool) -> Result<(), String> {
    *fault = true;
    Ok(())
}

fn add_cut_at(faults: &mut Faults, age: &str, cut: CutAction) -> Result<(), String> {
    let age = parse_duration(age)?;
    faults.timeline.push((age, cut));
    Ok(())
}

fn add_repeated_send(faults: &mut Faults, every: Duration, what: RepeatedSend) -> Result<(), String> {
    faults.repeats.push((every, what));
    Ok(())
}

fn add_first_bytes(faults: &mut Faults, bytes: &[u8]) -> Result<(), String> {
    faults.first_bytes.extend_from_slice(bytes);
    Ok(())
}

fn resets(text: &str) -> Result<IdleReset, String> {
    text.parse().map_err(|_| format!("'{text}' must be either, client, server or both"))
}

fn status(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(status @ 200..=599) => Ok(status),
        _ => Err(format!("'{text}' is not an HTTP status: write one from 200 to 599")),
    }
}

fn location(text: &str) -> Result<String, String> {
    if text.chars().any(|c| c.is_control() || c == ' ') || text.is_empty() {
        Err(format!("'{}' is not a valid redirect location", text.escape_debug()))
    } else {
        Ok(text.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_listed_once() {
        let listed = list();
        for definition in FAULTS {
            let flag = format!("--{}", definition.name);
            let lines = listed.lines().filter(|line| line.split([' ', '[']).next() == Some(&flag));
            assert_eq!(lines.count(), 1, "{flag}");
        }
    }

    #[test]
    fn every_fault_changes_something() {
        for definition in FAULTS {
            let value = match definition.value {
                FaultValue::None => "",
                FaultValue::Optional(_, default) => default,
                FaultValue::Needed(_) => definition.sample(),
            };
            let mut faults = Faults::default();
            set(&mut faults, definition.name, value).unwrap();
            assert_ne!(faults, Faults::default(), "{}", definition.name);
        }
    }

    impl FaultDefinition {
        fn sample(&self) -> &'static str {
            let samples = ["5s", "20%", "403", "rst", "client", "ws://127.0.0.1:1/"];
            let taken = samples.iter().find(|value| (self.set)(&mut Faults::default(), value).is_ok());
            taken.copied().unwrap_or_else(|| panic!("no sample fits --{}", self.name))
        }
    }

    #[test]
    fn invalid_value_names_fault_value_and_rule() {
        let mut faults = Faults::default();
        assert_eq!(set(&mut faults, "pong-loss", "120%").unwrap_err(), "--pong-loss: '120%' is above 100%");
        assert!(
            set(&mut faults, "gremlins", "")
                .unwrap_err()
                .starts_with("'gremlins' is not a fault; the faults are delay")
        );
    }

    #[test]
    fn idle_options_need_an_idle_timeout() {
        let mut faults = Faults::default();
        set(&mut faults, "idle-cut", "rst").unwrap();
        assert_eq!(faults.check(), Err("--idle-cut modifies --idle-timeout and needs it".into()));
        set(&mut faults, "idle-timeout", "5s").unwrap();
        assert_eq!(faults.check(), Ok(()));
    }
}
