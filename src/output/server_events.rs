//! What a server sent by itself, in JSON: `listen` and `probe-zombie` print it alike.

use schemars::JsonSchema;
use serde::Serialize;

use super::json::{Ms, Name, ms};
use super::ndjson::{EventBody, bodies};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{
    FirstHeartbeat, KindFindings, PayloadVariation, ServerEventKind, TrafficEffect, TrafficEffects,
};
use crate::domain::stats::interval::Interval;

bodies! {
    /// The server sent something by itself. A flood is reported as counts.
    ServerEventReceived = "received" {
        /// What the server sent.
        kind: Name<ServerEventKind>,
        /// The name of its known format, if any.
        shape: Option<&'static str>,
        /// How many of this kind came since the last line for it.
        count: u64,
        /// Time from the opening to the last of them.
        age_ms: Ms,
        /// Time since the previous one of its kind; null for the first.
        gap_ms: Option<Ms>,
        /// The payload; control characters are escaped.
        payload: String,
        answered: bool,
    }
}

/// The interval of heartbeats.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct IntervalDocument {
    /// The median; of an even number of gaps, the mean of the middle two.
    median_ms: Ms,
    min_ms: Ms,
    max_ms: Ms,
    /// `max_ms` less `min_ms`.
    spread_ms: Ms,
    gaps: usize,
}

/// The effect of traffic between two heartbeats on the second one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct EffectsDocument {
    /// The effect on the second heartbeat.
    effect: Name<TrafficEffect>,
    /// How often this effect was observed.
    count: usize,
    /// How often there was such traffic; only the latest 64 times count.
    of: usize,
    /// The longest time from the traffic to the next heartbeat, in intervals.
    longest_in_intervals: f64,
}

/// One kind of event that the server sent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct ReceivedKindDocument {
    /// A Ping frame (`ping`), a message that needs an answer (`app_ping`), a Pong frame that answers no Ping
    /// (`unsolicited_pong`), a message that only keeps the connection busy (`keep_alive`), or any other message
    /// (`message`).
    kind: Name<ServerEventKind>,
    count: u64,
    /// Time from the opening to the first; null if earlier ones may have been missed.
    first_ms: Option<Ms>,
    /// When the first heartbeat came, compared with the interval; null without an interval.
    first: Option<Name<FirstHeartbeat>>,
    /// Time from one to the next; null with fewer than two.
    interval: Option<IntervalDocument>,
    /// Whether they come at an established interval.
    regular: bool,
    /// Times from the server's previous event of any kind to each heartbeat; null unless these are regular and the
    /// times between heartbeats are not.
    since_traffic: Option<IntervalDocument>,
    /// Whether all payloads are the same.
    payloads: Name<PayloadVariation>,
    /// The first payload; control characters are escaped.
    payload: String,
    /// The last payload that differed from the first; null if none did.
    last_payload: Option<String>,
    /// The name of its known format, if any.
    shape: Option<&'static str>,
    /// The effect of the client's own traffic on them; null without such traffic.
    by_client: Option<EffectsDocument>,
    /// The effect of the server's other messages on them; null without such messages.
    by_server: Option<EffectsDocument>,
}

impl From<Interval> for IntervalDocument {
    fn from(interval: Interval) -> IntervalDocument {
        IntervalDocument {
            median_ms: interval.median.into(),
            min_ms: interval.min.into(),
            max_ms: interval.max.into(),
            spread_ms: interval.spread().into(),
            gaps: interval.gaps,
        }
    }
}

impl From<TrafficEffects> for EffectsDocument {
    fn from(effects: TrafficEffects) -> EffectsDocument {
        EffectsDocument {
            effect: effects.effect.into(),
            count: effects.count,
            of: effects.of,
            longest_in_intervals: (effects.longest * 1e3).round() / 1e3,
        }
    }
}

impl From<&KindFindings> for ReceivedKindDocument {
    fn from(kind: &KindFindings) -> ReceivedKindDocument {
        ReceivedKindDocument {
            kind: kind.event_kind.into(),
            count: kind.count,
            first_ms: ms(kind.first),
            first: kind.early.map(Name),
            interval: kind.interval.map(IntervalDocument::from),
            regular: kind.sure,
            since_traffic: kind.since_traffic.map(IntervalDocument::from),
            payloads: kind.payloads.into(),
            payload: kind.sample.to_string(),
            last_payload: kind.latest.as_ref().map(UntrustedText::to_string),
            shape: kind.shape,
            by_client: kind.by_client.map(EffectsDocument::from),
            by_server: kind.by_server.map(EffectsDocument::from),
        }
    }
}

impl From<&ServerEventNotice> for ServerEventReceived {
    fn from(notice: &ServerEventNotice) -> ServerEventReceived {
        ServerEventReceived {
            kind: notice.event_kind.into(),
            shape: notice.shape,
            count: notice.count,
            age_ms: notice.age.into(),
            gap_ms: ms(notice.gap),
            payload: notice.text.to_string(),
            answered: notice.answered,
        }
    }
}
