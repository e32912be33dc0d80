//! A connection in the document: how it opened, what came, and how it ended; written and read back.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde::Deserialize;

use super::outages::OutagesDocument;
use super::server_traffic::{IncompleteDocument, SubstituteDocument};
use crate::domain::catalogue::find_preset;
use crate::domain::connection::connect_info::{HttpVersion, TimestampSource};
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::difference::Difference;
use crate::domain::heartbeat::substitutes::Substitute;
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::ping::health::Status;
use crate::domain::ping::held_back::HeldBack;
use crate::domain::ping::merged_runs::ConnOrigin;
use crate::domain::ping::report::{ConnReport, RttSpikes};
use crate::domain::ping::server_traffic::ServerTraffic;
use crate::domain::stats::interval::Interval;
use crate::output::json::{
    AttemptDocument, ByKind, Count, FailureDocument, FieldError, GoawayDocument, Headers, JsonEndingDocument,
    Ms, Name, OpeningDocument, PhasesDocument, SharedHttp2Document, Text, TlsDocument, document, ms, strings,
};

document! {
    /// One connection, including all its reconnections.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Connection"))]
    pub(super) struct ConnectionDocument from (connection, opening): (&ConnReport, OpeningDocument) {
        /// From 0.
        pub index: usize = connection.index,
        /// Which connection of which run it was, if runs were merged.
        origin: Option<OriginDocument> = connection.origin.as_ref().map(Into::into),
        /// How many connections this entry describes: 1, or more in `others`.
        stands_for: u64 = connection.count(),
        /// Status over the whole run.
        status: Name<Status> = connection.status,
        status_reason: Text = (&connection.status_reason),
        /// The status without the RTTs; it decides if these are only upper bounds.
        status_without_rtt: Name<Status> = connection.status_without_rtt,
        /// Status at the end, judged by the latest heartbeats.
        last_status: Name<Status> = connection.last_status,
        last_status_reason: Text = (&connection.last_status_reason),
        /// The address that the connection goes to: the server's, or the proxy's if there is one.
        remote: Option<Text> = opening.remote,
        local: Option<Text> = opening.local,
        /// The proxy, if any; `phases` then measures the connection to the proxy.
        proxy: Option<Text> = opening.proxy,
        phases: Option<PhasesDocument> = opening.phases,
        /// Every address that was tried, in order.
        attempts: Vec<AttemptDocument> = opening.attempts,
        /// Null without TLS.
        tls: Option<TlsDocument> = opening.tls,
        /// Which HTTP opened the WebSocket; null if it never opened.
        http: Option<Name<HttpVersion>> = opening.http,
        /// The connection of HTTP/2 that the WebSocket shared first (`--streams-per-connection`); null if it shared none.
        shared_http2: Option<SharedHttp2Document> = opening.shared_http2,
        subprotocols_offered: Vec<Text> = opening.subprotocols_offered,
        /// The subprotocol that the server chose.
        subprotocol: Option<Text> = opening.subprotocol,
        /// What `--compress` offered, as in the header; null without it.
        compression_offered: Option<Text> = opening.compression_offered,
        /// What the server agreed to, without default values.
        compression: Option<Text> = opening.compression,
        headers: Headers = opening.headers,
        heartbeats: ByKind = connection.kinds.as_slice(),
        /// How the connection ended last.
        ending: Option<JsonEndingDocument> = connection.ending.as_deref().map(Into::into),
        /// The last unplanned end.
        last_unplanned_ending: Option<JsonEndingDocument> = connection.lost.as_deref().map(Into::into),
        /// The shared connection of HTTP/2 (`shared_http2`) that carried it at the last unplanned end; null if it shared none.
        last_unplanned_ending_on: Option<NonZeroU32> = connection.lost_on,
        /// The last announcement by the peer of HTTP/2 that it ends the connection; null without one.
        goaway: Option<GoawayDocument> = connection.goaway.as_deref().map(Into::into),
        /// Age of the connection of `last_unplanned_ending` at its last answer; null without one.
        answered_until_ms: Option<Ms> = ms(connection.answered_until),
        unplanned_endings: u32 = connection.unplanned_endings,
        reconnects: u32 = connection.reconnects,
        /// Total time without a connection after the first opening. Null if it never opened, or if it was lost and not
        /// reconnected.
        outage_ms: Option<Ms> = ms(connection.outage),
        /// When the other end was away: after an end, or silent on an open connection for longer than `--outage-after`.
        outages: OutagesDocument = (&connection.outages),
        /// Ordinary messages from the server.
        messages: Count = connection.messages,
        server_pings: ServerPingsDocument = connection,
        /// Number of our own app pings that came back unchanged.
        echoes: Count = connection.echoes,
        /// RTTs of more than twice the mean of the previous ones, and at least 1 ms above it.
        spikes: SpikesDocument = connection.spikes,
        /// The first message on the last connection that is neither an answer nor of a known format.
        first_other_message: Option<Text> = traffic(connection, |traffic| traffic.first_other.as_ref()),
        /// The last such message, if the connection ended.
        last_other_message: Option<Text> = traffic(connection, |traffic| traffic.last.as_ref()),
        /// The message most similar to an answer to an app heartbeat, without being one.
        nearest_to_answer: Option<NearestToAnswer> = traffic(connection, |traffic| traffic.nearest.as_ref()),
        /// The first answer with an id or number that we did not send.
        foreign_answer: Option<Text> = traffic(connection, |traffic| traffic.foreign.as_ref()),
        /// What came instead of Pongs since the last answered Ping: Pongs with a different payload, or messages.
        instead_of_pongs: Option<Text> = connection
            .server_traffic
            .iter()
            .find_map(|traffic| Some((&traffic.substitute.as_ref()?.describe()).into())),
        /// The same as numbers.
        substitute: Option<SubstituteDocument> = traffic(connection, |traffic| traffic.substitute.as_ref()),
        /// A frame that was incomplete at the end, so that no reply after it could come.
        incomplete: Option<IncompleteDocument> = traffic(connection, |traffic| traffic.incomplete.as_ref()),
        /// If our only Ping was not answered: time from that Ping to the peer's end of the connection.
        ended_after_ping_ms: Option<Ms> =
            ms(connection.server_traffic.as_ref().and_then(|traffic| traffic.ended_after_ping)),
        /// Heartbeats that the peer of HTTP/2 granted no room for, at first or at all.
        #[serde(default)]
        #[cfg_attr(test, schemars(!default))]
        held_back: Option<HeldBackDocument> = traffic(connection, |traffic| traffic.held_back.as_ref()),
        /// Presets for which such messages are typical.
        looks_like: Vec<Text> =
            connection.server_traffic.iter().flat_map(|traffic| &traffic.looks_like).map(Into::into).collect::<Vec<Text>>(),
        /// The last failure to open the connection.
        error: Option<FailureDocument> = connection.open_error.as_deref().map(Into::into),
    }
}

/// A part of what the server sent.
fn traffic<'a, T: 'a, D: From<&'a T>>(
    connection: &'a ConnReport,
    part: fn(&'a ServerTraffic) -> Option<&'a T>,
) -> Option<D> {
    connection.server_traffic.as_deref().and_then(part).map(D::from)
}

document! {
    /// A connection of one of several merged runs.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Origin"))]
    struct OriginDocument from origin: &ConnOrigin {
        /// The file of the run.
        run: Text = (&origin.run),
        /// The index of the connection in it.
        index: usize = origin.index,
    }
}

document! {
    /// Heartbeats that the server sent by itself.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "ServerPings"))]
    struct ServerPingsDocument from connection: &ConnReport {
        protocol: Count = connection.server_pings_protocol,
        app: Count = connection.server_pings_app,
        /// Median interval of the server's Pings at the end of the last connection; null with fewer than two.
        protocol_interval_ms: Option<Ms> = median(connection, HeartbeatKind::Protocol),
        app_interval_ms: Option<Ms> = median(connection, HeartbeatKind::App),
        /// The heartbeat interval that the server announced at the start; null if it announced none.
        announced_interval_ms: Option<Ms> = ms(connection.announced),
    }
}

fn median(connection: &ConnReport, wanted: HeartbeatKind) -> Option<Ms> {
    let mut intervals = connection.server_traffic.iter().flat_map(|traffic| &traffic.intervals);
    intervals.find(|(kind, _)| *kind == wanted).map(|(_, interval)| interval.median.into())
}

document! {
    /// Unusually long RTTs, and whether TCP retransmits explain them.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Spikes"))]
    struct SpikesDocument from spikes: RttSpikes {
        /// Spikes for which TCP statistics were available.
        count: Count = spikes.count,
        /// Spikes that follow a TCP retransmit: packet loss on the path to the first TCP hop explains them.
        after_retransmits: Count = spikes.sent_again,
    }
}

document! {
    /// A message that is not an answer, and how it differs from one.
    #[derive(Deserialize)]
    struct NearestToAnswer from nearest: &NearestMessage {
        message: Text = (&nearest.message),
        /// How much of an answer agrees with it.
        agreeing: u32 = nearest.difference.agreeing,
        /// The differences, each a fragment of a sentence.
        differences: Vec<Text> = nearest.difference.points.iter().map(Into::into).collect::<Vec<Text>>(),
    }
}

document! {
    /// Heartbeats that waited for room in a flow-control window of HTTP/2.
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "HeldBack"))]
    struct HeldBackDocument from held_back: &HeldBack {
        /// How many left later than they were sent. The others count in `unsent_window_exhausted`.
        delayed: Count = held_back.delayed,
        /// The longest time until the last byte of one of these left; it is in no RTT.
        longest_ms: Ms = held_back.longest,
        /// The window without room.
        window: Name<ExhaustedWindow> = held_back.window,
    }
}

impl From<HeldBackDocument> for HeldBack {
    fn from(document: HeldBackDocument) -> HeldBack {
        HeldBack {
            delayed: document.delayed.0,
            longest: document.longest_ms.into(),
            window: document.window.0,
        }
    }
}

/// The most connections that an entry may stand for, and the most reconnects of one: their product is still a number.
const MAX_OF_ENTRY: u64 = 100_000_000;

/// What the whole document says of each of its connections.
pub(super) struct OfRun<'a> {
    pub name: &'a Arc<str>,
    pub timestamps: TimestampSource,
}

impl ConnectionDocument {
    pub fn new(connection: &ConnReport) -> ConnectionDocument {
        let attempts = connection.open_error.as_ref().map_or(&[][..], |error| &error.attempts);
        let opened = connection.opened.as_deref().map(OpeningDocument::from);
        (connection, opened.unwrap_or_else(|| OpeningDocument::failed(attempts))).into()
    }

    /// The connection, read back.
    pub fn report(mut self, run: &OfRun<'_>) -> Result<ConnReport, FieldError> {
        if !(1..=MAX_OF_ENTRY).contains(&self.stands_for) {
            let why = format!("{} is no number of connections", self.stands_for);
            return Err(FieldError::new("stands_for", why));
        }
        if u64::from(self.reconnects.max(self.unplanned_endings)) > MAX_OF_ENTRY {
            return Err(FieldError::new("reconnects", format!("{} are too many", self.reconnects)));
        }
        let traffic = self.traffic()?;
        let ending = self.ending.map(|ending| ending.cause("ending")).transpose()?;
        let lost = self.last_unplanned_ending.map(|ending| ending.cause("last_unplanned_ending"));
        let is_opened = self.phases.is_some();
        let opening = OpeningDocument {
            remote: self.remote,
            local: self.local,
            proxy: self.proxy,
            phases: self.phases,
            attempts: self.attempts,
            tls: self.tls,
            http: self.http,
            shared_http2: self.shared_http2,
            subprotocols_offered: self.subprotocols_offered,
            subprotocol: self.subprotocol,
            compression_offered: self.compression_offered,
            compression: self.compression,
            headers: self.headers,
        };
        Ok(ConnReport {
            index: self.index,
            origin: Some(match self.origin {
                Some(origin) => ConnOrigin { run: origin.run.0.into(), index: origin.index },
                None => ConnOrigin { run: Arc::clone(run.name), index: self.index },
            }),
            alike: self.stands_for - 1,
            status: self.status.0,
            status_reason: self.status_reason.into(),
            status_without_rtt: self.status_without_rtt.0,
            last_status: self.last_status.0,
            last_status_reason: self.last_status_reason.into(),
            opened: is_opened.then(|| Arc::new(opening.info(run.timestamps))),
            open_error: self.error.map(|error| error.error().map(Arc::new)).transpose()?,
            kinds: self.heartbeats.of_connection(),
            ending: ending.map(Arc::new),
            lost: lost.transpose()?.map(Arc::new),
            lost_on: self.last_unplanned_ending_on,
            goaway: self.goaway.map(|notice| Arc::new(notice.into())),
            answered_until: self.answered_until_ms.map(Into::into),
            unplanned_endings: self.unplanned_endings,
            reconnects: self.reconnects,
            outage: self.outage_ms.map(Into::into),
            outages: self.outages.into(),
            messages: self.messages.0,
            server_pings_protocol: self.server_pings.protocol.0,
            server_pings_app: self.server_pings.app.0,
            echoes: self.echoes.0,
            spikes: RttSpikes { count: self.spikes.count.0, sent_again: self.spikes.after_retransmits.0 },
            announced: self.server_pings.announced_interval_ms.map(Into::into),
            server_traffic: (!traffic.is_empty()).then(|| Arc::new(traffic)),
        })
    }

    fn traffic(&mut self) -> Result<ServerTraffic, FieldError> {
        let intervals = [
            (HeartbeatKind::Protocol, self.server_pings.protocol_interval_ms),
            (HeartbeatKind::App, self.server_pings.app_interval_ms),
        ];
        // Only the median was kept: an interval of one gap, which no report calls regular.
        let interval = |(kind, median): (HeartbeatKind, Option<Ms>)| {
            Some((kind, Interval::of(std::iter::once(median?.into()))?))
        };
        let presets = self.looks_like.iter().filter_map(|name| find_preset(&name.0));
        Ok(ServerTraffic {
            intervals: intervals.into_iter().filter_map(interval).collect(),
            first_other: self.first_other_message.take().map(Into::into),
            looks_like: presets.map(|preset| preset.name).collect(),
            nearest: self.nearest_to_answer.take().map(Into::into),
            foreign: self.foreign_answer.take().map(Into::into),
            last: self.last_other_message.take().map(Into::into),
            substitute: self.substitute.take().map(Substitute::try_from).transpose()?,
            incomplete: self.incomplete.take().map(IncompleteData::try_from).transpose()?,
            ended_after_ping: self.ended_after_ping_ms.map(Into::into),
            held_back: self.held_back.take().map(Into::into),
        })
    }
}

impl From<NearestToAnswer> for NearestMessage {
    fn from(nearest: NearestToAnswer) -> NearestMessage {
        let difference = Difference { agreeing: nearest.agreeing, points: strings(nearest.differences) };
        NearestMessage { message: nearest.message.into(), difference }
    }
}
