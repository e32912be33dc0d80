//! The findings of a run: what the figures mean together.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::measurement::HostDelay;
use super::server_traffic::UnmatchedTraffic;
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::goaway::GoawaySummary;
use crate::domain::connection::http2::ExhaustedWindow;
use crate::domain::connection::incomplete::IncompleteData;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::heartbeat::substitutes::OtherPayload;
use crate::domain::heartbeat::unmatched::NearestMessage;
use crate::domain::run::finding::{Finding, Severity};

/// One thing that a run shows. The doc comments of the variants are the meanings of the codes, in the schema and
/// in docs.
#[derive(Debug, Clone, PartialEq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(PingFindingCode), strum(serialize_all = "snake_case"))]
pub enum PingFinding {
    /// Ping frames are answered quickly, and app heartbeats are answered much later.
    AppSlowerThanProtocol { protocol_p50: Duration, app_p50: Duration },
    /// Some app heartbeats were missed, and no Ping frame was.
    OnlyAppMissed { missed: u64, judged: u64 },
    /// Ping frames were answered, and no app heartbeat was.
    OnlyAppUnanswered { protocol_p50: Duration, missed: u64, nearest: Option<NearestMessage> },
    /// TCP's RTT, which ends at the first TCP hop, is much shorter than the RTT of Ping frames.
    SlowBehindFirstHop { tcp: Duration, protocol_p50: Duration },
    /// The server does not seem to speak the expected app protocol: no message matched the expected answer.
    PresetMismatch { preset: Option<&'static str>, before_end: bool, traffic: UnmatchedTraffic },
    /// The server returned app heartbeats unchanged, and answered none.
    ServerEchoes { echoes: u64, sent: u64 },
    /// Answers to app heartbeats came, and all carried an id or a number that wscheck did not send.
    ForeignAnswers { answers: u64, first: Option<UntrustedText> },
    /// Pong frames came, but with another payload than that of the Ping frames. RFC 6455 5.5.3 forbids this.
    WrongPongPayload { pongs: u64, payload: Option<OtherPayload> },
    /// The server returned Ping frames as Ping frames. RFC 6455 5.5.2 demands Pong frames.
    PingsReturned { count: u64 },
    /// The server answered Ping frames with messages. RFC 6455 5.5.2 demands Pong frames.
    MessagesInsteadOfPongs { count: u64, first: UntrustedText },
    /// A frame of the server never became complete, so no reply after it could arrive.
    IncompleteFrame(IncompleteData),
    /// The peer ended the connection right after the first Ping frame, which was not answered.
    EndedAfterPing { after: Duration, ending: Arc<CloseCause> },
    /// The connection ended before any app heartbeat was answered, although messages came.
    UnmatchedBeforeEnd { nearest: NearestMessage },
    /// The last message that came before the peer ended the connection. It may state the reason.
    LastMessage { message: UntrustedText },
    /// No Ping frame was answered while the connection stayed open.
    PingsUnanswered { missed: u64, unsolicited_pongs: u64 },
    /// No app heartbeat was answered while the connection stayed open.
    AppUnanswered { missed: u64, messages: u64, nearest: Option<NearestMessage> },
    /// Neither Ping frames nor app heartbeats were answered while the connection stayed open.
    AllUnanswered { pings: u64, app_heartbeats: u64 },
    /// App heartbeats were answered, and no Ping frame was.
    OnlyPingsUnanswered { missed: u64 },
    /// Replies stopped coming, although TCP still acknowledged the heartbeats.
    ServerStoppedAnswering { after: Duration, acknowledged: u64 },
    /// Replies stopped coming, and TCP did not acknowledge the heartbeats either.
    PathStoppedDelivering { after: Duration, unacknowledged: u64 },
    /// Replies stopped coming while TCP stayed open. TCP does not show where the heartbeats were lost.
    AnswersStopped { after: Duration },
    /// The connection was cut without a close frame after a time without data: perhaps an idle timeout.
    CutWhenQuiet { idle: Duration, safe_interval: Duration },
    /// Answers without an id came while several requests were outstanding, so the RTTs are only upper bounds.
    AmbiguousAnswers { answers: u64 },
    /// PINGs of HTTP/2 were acknowledged, and the heartbeats of WebSockets were not answered, or not any more.
    OnlyHttp2Answered(SilentWebsockets),
    /// WebSockets ended because the HTTP/2 connection that carried them ended: their ends have one cause.
    EndedWithHttp2Connection(SharedEnd),
    /// The server allows fewer streams at once than were to share a connection of HTTP/2, so more connections were opened.
    H2StreamsLimited(StreamLimit),
    /// The peer of HTTP/2 announced that it accepts no new streams on a connection (GOAWAY). WebSockets on it may go on for a while.
    H2GoawayReceived(GoawaySummary),
    /// Heartbeats were due and did not leave this machine.
    HeartbeatsUnsent {
        unsent: u64,
        due: u64,
        /// Those for which the peer of HTTP/2 granted no room.
        window_exhausted: u64,
        /// In which window.
        window: Option<ExhaustedWindow>,
    },
    /// The peer's flow control of HTTP/2 held back heartbeats, which left late. Their RTTs begin when they left.
    HeldBackByFlowControl { heartbeats: u64, longest: Duration, window: ExhaustedWindow },
    /// Some heartbeats got no reply, although later ones were answered.
    RepliesDropped { kind: HeartbeatKind, dropped: u64, judged: u64 },
    /// The server answered only the latest of several Ping frames. RFC 6455 5.5.3 allows this, so these do not count as loss.
    PongsSuperseded { superseded: u64, longest_rtt: Option<Duration> },
    /// Replies came after the timeout.
    LateAnswers { late: u64, timeout: Duration, longest_rtt: Duration, open_at_end: u64 },
    /// The server chose none of the subprotocols offered. Browsers refuse such a connection.
    SubprotocolNotChosen { offered: Vec<String> },
    /// The server sent an empty `Sec-WebSocket-Protocol`, and none was offered. Browsers may refuse this.
    SubprotocolHeaderEmpty,
    /// Compression was offered, and the server did not agree on some connections.
    CompressionNotAgreed { offered: String, connections: u64, opened: u64 },
    /// The server's certificate expires within 14 days.
    CertificateExpires { days: u64 },
    /// The server's certificate has expired.
    CertificateExpired { days_ago: u64 },
    /// This host was stalled, and read late what came in that time: RTTs are only upper bounds.
    HostStalled { stalled: Duration },
    /// This host's own delays are not small beside the RTT, so the RTTs are unreliable.
    HostLate { lag: Duration, rtt: Duration, percentile: u8 },
}

/// WebSockets whose heartbeats are not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilentWebsockets {
    pub websockets: u64,
    pub missed: u64,
    /// Heartbeats answered before.
    pub answered: u64,
}

/// WebSockets that ended together with the connections of HTTP/2 that carried them.
#[derive(Debug, Clone, PartialEq)]
pub struct SharedEnd {
    pub ended: u64,
    /// How many WebSockets these connections carried.
    pub carried: u64,
    pub connections: u64,
    /// The end of one of them.
    pub ending: Arc<CloseCause>,
}

/// A server's limit on the streams of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamLimit {
    /// How many streams were to share a connection.
    pub wanted: u32,
    pub allowed: u32,
    /// How many WebSockets opened.
    pub websockets: u64,
    /// How many connections of HTTP/2 they took, if that is known.
    pub connections: Option<u64>,
}

impl Finding for PingFinding {
    fn severity(&self) -> Severity {
        match self {
            PingFinding::OnlyAppUnanswered { .. }
            | PingFinding::PresetMismatch { .. }
            | PingFinding::ServerEchoes { .. }
            | PingFinding::ForeignAnswers { .. }
            | PingFinding::WrongPongPayload { .. }
            | PingFinding::PingsReturned { .. }
            | PingFinding::MessagesInsteadOfPongs { .. }
            | PingFinding::IncompleteFrame { .. }
            | PingFinding::EndedAfterPing { .. }
            | PingFinding::UnmatchedBeforeEnd { .. }
            | PingFinding::PingsUnanswered { .. }
            | PingFinding::AppUnanswered { .. }
            | PingFinding::AllUnanswered { .. }
            | PingFinding::OnlyPingsUnanswered { .. }
            | PingFinding::OnlyHttp2Answered(_)
            | PingFinding::ServerStoppedAnswering { .. }
            | PingFinding::PathStoppedDelivering { .. }
            | PingFinding::AnswersStopped { .. }
            | PingFinding::CutWhenQuiet { .. }
            | PingFinding::CertificateExpired { .. } => Severity::Problem,
            PingFinding::AppSlowerThanProtocol { .. }
            | PingFinding::OnlyAppMissed { .. }
            | PingFinding::SlowBehindFirstHop { .. }
            | PingFinding::AmbiguousAnswers { .. }
            | PingFinding::H2GoawayReceived(_)
            | PingFinding::HeartbeatsUnsent { .. }
            | PingFinding::HeldBackByFlowControl { .. }
            | PingFinding::RepliesDropped { .. }
            | PingFinding::LateAnswers { .. }
            | PingFinding::SubprotocolNotChosen { .. }
            | PingFinding::SubprotocolHeaderEmpty
            | PingFinding::CertificateExpires { .. }
            | PingFinding::HostStalled { .. }
            | PingFinding::HostLate { .. } => Severity::Warning,
            PingFinding::LastMessage { .. }
            | PingFinding::EndedWithHttp2Connection(_)
            | PingFinding::H2StreamsLimited(_)
            | PingFinding::PongsSuperseded { .. }
            | PingFinding::CompressionNotAgreed { .. } => Severity::Info,
        }
    }
}

impl From<HostDelay> for PingFinding {
    fn from(delay: HostDelay) -> PingFinding {
        match delay {
            HostDelay::Stalled { stalled } => PingFinding::HostStalled { stalled },
            HostDelay::Late { lag, rtt, percentile } => PingFinding::HostLate { lag, rtt, percentile },
        }
    }
}

/// A finding, and which of the run's targets it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportedFinding {
    pub finding: PingFinding,
    /// The target's index; `None` if it is about the whole run.
    pub target: Option<usize>,
}
