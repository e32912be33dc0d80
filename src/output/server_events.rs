//! What a server sent by itself, in JSON: `listen` and `probe-zombie` print it alike.

use super::json::{Ms, Name, document, ms};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::listen::report::ServerEventNotice;
use crate::domain::listen::{
    FirstHeartbeat, KindFindings, PayloadVariation, ServerEventKind, TrafficEffect, TrafficEffects,
};
use crate::domain::stats::interval::Interval;

document! {
    /// The server sent something by itself. A flood is reported as counts.
    pub struct ServerEventReceived = "received" from notice: &ServerEventNotice {
        /// What the server sent.
        kind: Name<ServerEventKind> = notice.event_kind,
        /// The name of its known format, if any.
        shape: Option<&'static str> = notice.shape,
        /// How many of this kind came since the last line for it.
        count: u64 = notice.count,
        /// Time from the opening to the last of them.
        age_ms: Ms = notice.age,
        /// Time since the previous one of its kind; null for the first.
        gap_ms: Option<Ms> = ms(notice.gap),
        /// The payload; control characters are escaped.
        payload: String = notice.text.to_string(),
        answered: bool = notice.answered,
    }
}

document! {
    /// The interval of heartbeats.
    pub struct IntervalDocument from interval: Interval {
        /// The median; of an even number of gaps, the mean of the middle two.
        median_ms: Ms = interval.median,
        min_ms: Ms = interval.min,
        max_ms: Ms = interval.max,
        /// `max_ms` less `min_ms`.
        spread_ms: Ms = interval.spread(),
        gaps: usize = interval.gaps,
    }
}

document! {
    /// The effect of traffic between two heartbeats on the second one.
    pub struct EffectsDocument from effects: TrafficEffects {
        /// The effect on the second heartbeat.
        effect: Name<TrafficEffect> = effects.effect,
        /// How often this effect was observed.
        count: usize = effects.count,
        /// How often there was such traffic; only the latest 64 times count.
        of: usize = effects.of,
        /// The longest time from the traffic to the next heartbeat, in intervals.
        longest_in_intervals: f64 = (effects.longest * 1e3).round() / 1e3,
    }
}

document! {
    /// One kind of event that the server sent.
    pub struct ReceivedKindDocument from kind: &KindFindings {
        /// A Ping frame (`ping`), a message that needs an answer (`app_ping`), a Pong frame that answers no Ping
        /// (`unsolicited_pong`), a message that only keeps the connection busy (`keep_alive`), or any other message
        /// (`message`).
        kind: Name<ServerEventKind> = kind.event_kind,
        count: u64 = kind.count,
        /// Time from the opening to the first; null if earlier ones may have been missed.
        first_ms: Option<Ms> = ms(kind.first),
        /// When the first heartbeat came, compared with the interval; null without an interval.
        first: Option<Name<FirstHeartbeat>> = kind.early.map(Name),
        /// Time from one to the next; null with fewer than two.
        interval: Option<IntervalDocument> = kind.interval.map(IntervalDocument::from),
        /// Whether they come at an established interval.
        regular: bool = kind.sure,
        /// Times from the server's previous event of any kind to each heartbeat; null unless these are regular and the
        /// times between heartbeats are not.
        since_traffic: Option<IntervalDocument> = kind.since_traffic.map(IntervalDocument::from),
        /// Whether all payloads are the same.
        payloads: Name<PayloadVariation> = kind.payloads,
        /// The first payload; control characters are escaped.
        payload: String = kind.sample.to_string(),
        /// The last payload that differed from the first; null if none did.
        last_payload: Option<String> = kind.latest.as_ref().map(UntrustedText::to_string),
        /// The name of its known format, if any.
        shape: Option<&'static str> = kind.shape,
        /// The effect of the client's own traffic on them; null without such traffic.
        by_client: Option<EffectsDocument> = kind.by_client.map(EffectsDocument::from),
        /// The effect of the server's other messages on them; null without such messages.
        by_server: Option<EffectsDocument> = kind.by_server.map(EffectsDocument::from),
    }
}
