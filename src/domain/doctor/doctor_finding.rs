//! What `doctor` learns: its own findings, and those of the commands that it runs.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumDiscriminants, EnumIter, EnumMessage, IntoStaticStr};

use super::evidence::BrowserPart;
use super::feature_trial::TrialFailure;
use super::tls::TlsFinding;
use crate::domain::connection::close_cause::{CloseCause, CloseReply};
use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError, ConnectInfo};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::{IdleFinding, NeededTraffic};
use crate::domain::label::Label;
use crate::domain::listen::ListenFinding;
use crate::domain::ping::finding::PingFinding;
use crate::domain::run::bracket::Bracket;
use crate::domain::run::finding::{Finding, Severity};
use crate::domain::zombie::ZombieFinding;

/// One thing that a run of `doctor` learned. The documentation of each variant is its meaning in the schema.
#[derive(Debug, Clone, PartialEq, IntoStaticStr, EnumDiscriminants)]
#[strum(serialize_all = "snake_case")]
#[strum_discriminants(derive(IntoStaticStr, EnumIter, EnumMessage))]
#[strum_discriminants(name(DoctorFindingCode), strum(serialize_all = "snake_case"))]
pub enum DoctorFinding {
    /// The resolver gave addresses for the name.
    NameResolved { name: String, addresses: Vec<String>, took: Duration },
    /// The URL or an option gives the address, so nothing was looked up.
    AddressGiven { addresses: Vec<String> },
    /// The resolver gave no address for the name.
    NameNotResolved(Arc<ConnectError>),
    /// Every address accepted a TCP connection.
    AllAddressesReached { reached: Vec<ConnectAttempt> },
    /// Some addresses of the name accepted a TCP connection, and others did not.
    SomeAddressesNotReached { reached: Vec<ConnectAttempt>, failed: Vec<ConnectAttempt> },
    /// No address accepted a TCP connection.
    NoAddressReached { failed: Vec<ConnectAttempt> },
    /// The connection goes through a proxy of the client's side.
    ThroughProxy { proxy: String },
    /// The TLS handshake did not come so far that certificates could be judged.
    TlsFailed(Arc<ConnectError>),
    /// The rest was measured without verification of the server's certificate.
    MeasuredUnverified,
    #[strum(transparent)]
    #[strum_discriminants(strum(disabled))]
    Tls(TlsFinding),
    /// The server accepted the upgrade to a WebSocket.
    UpgradeAccepted(Arc<ConnectInfo>),
    /// A further connection was refused while one was open: perhaps a limit on connections of one client.
    FurtherConnectionRefused(Arc<ConnectError>),
    /// The same request was refused once and accepted once.
    UpgradeUnsteady(Arc<ConnectError>),
    /// Opening takes long.
    UpgradeSlow(Arc<ConnectInfo>),
    /// The connection did not become a WebSocket: it failed at an earlier step, or the upgrade was refused.
    UpgradeFailed { error: Arc<ConnectError>, cause: RefusalCause },
    /// The server refuses an upgrade without an Origin header, and accepts one with the origin of its own pages.
    OriginRequired { origin: String, error: Arc<ConnectError> },
    /// The server refuses pages of other origins.
    OriginRestricted { origin: String, error: Arc<ConnectError> },
    /// The server accepts pages of any origin.
    AnyOriginAccepted { origin: String },
    /// The server refuses an upgrade that offers no subprotocol, and accepts one that does.
    SubprotocolRequired { chosen: Option<UntrustedText>, error: Arc<ConnectError> },
    /// The server needs no subprotocol.
    NoSubprotocolNeeded,
    /// A page of the same server may open it: the request of a browser was accepted.
    PagesAccepted,
    /// The server refuses the request of a browser, and accepts the same without a browser's headers.
    PagesRefused {
        error: Arc<ConnectError>,
        /// The part that is refused by itself; `None` if no single one is.
        part: Option<BrowserPart>,
    },
    /// The server accepts the request of a browser with an answer that the standards forbid, so that a browser fails the
    /// connection. Without a browser's headers it accepts it well.
    BrowserAnswerInvalid {
        error: Arc<ConnectError>,
        /// The part that alone leads to such an answer; `None` if no single one does.
        part: Option<BrowserPart>,
    },
    /// The server refuses the request of wscheck, and accepts it with a browser's headers.
    OnlyBrowsersAccepted { error: Arc<ConnectError> },
    /// Browsers do not open connections to this port.
    PortBlockedByBrowsers { port: u16 },
    /// Pages that came by https may not open ws:// to another host.
    MixedContentBlocked,
    /// What a page sees of a failure is less than what happened.
    PageSees { code: u16, reason: UntrustedText, happened: String },
    /// A WebSocket works over HTTP/2, as browsers open it.
    H2Works(FeatureRtts),
    /// A WebSocket opens over HTTP/2 and not over HTTP/1.1.
    OnlyHttp2Accepted { error: Arc<ConnectError> },
    /// The server chooses HTTP/2, and its settings do not allow WebSockets on it.
    H2WebsocketsNotAllowed,
    /// The server's settings allow WebSockets over HTTP/2, and they fail there, while they work over HTTP/1.1.
    H2WebsocketsFail { failure: TrialFailure },
    /// RTTs over HTTP/2 and over HTTP/1.1 differ by more than chance explains.
    H2RttDiffers(FeatureRtts),
    /// The server agreed to compression, which browsers offer, and the connection works.
    CompressionWorks {
        agreed: String,
        /// An app heartbeat was answered, so that messages passed.
        has_message: bool,
    },
    /// With compression offered the connection fails, and without it works. Browsers always offer it.
    CompressionBreaks {
        failure: TrialFailure,
        /// What the server agreed to; `None` if it did not come so far.
        agreed: Option<String>,
    },
    /// The server speaks a known convention of heartbeats and messages.
    ConventionDetected { preset: &'static str, title: &'static str, evidence: Vec<String> },
    /// Which convention the server speaks is not known.
    ConventionUnknown { evidence: Vec<String> },
    /// Ping frames were answered by Pong frames with their payload.
    PingsAnswered { answered: u64, sent: u64 },
    /// Some Ping frames were answered, and others were not.
    PingsPartlyAnswered { answered: u64, missed: u64 },
    /// A Ping between the fragments of a message was answered.
    FragmentsAllowControlFrames,
    /// A Ping between the fragments of a message was not answered.
    FragmentsBlockControlFrames { waited: Duration },
    /// The connection ended at a message in fragments with a Ping between them.
    EndedAtFragments { how: String },
    /// The server answered a close frame with a close frame.
    CloseAnswered(CloseReply),
    /// The server did not answer a close frame with a close frame.
    CloseUnanswered(CloseReply),
    /// RTT and loss over the run.
    LatencyMeasured(LatencyFigures),
    /// Heartbeats were lost, or answered so late that the connection is not healthy.
    LatencyUnhealthy(LatencyFigures),
    #[strum(transparent)]
    #[strum_discriminants(strum(disabled))]
    Ping(PingFinding),
    #[strum(transparent)]
    #[strum_discriminants(strum(disabled))]
    Listen(ListenFinding),
    #[strum(transparent)]
    #[strum_discriminants(strum(disabled))]
    Idle(IdleFinding),
    #[strum(transparent)]
    #[strum_discriminants(strum(disabled))]
    Zombie(ZombieFinding),
    /// Connections ended after about the same silence; the time did not suffice to confirm it.
    IdleTimeoutUnconfirmed { bracket: Bracket, samples: usize },
    /// No connection ended by its age while it was watched.
    NoLifetimeSeen { watched: Duration },
    /// The server closed a connection in use with a code that says that it does not want it.
    ServerRejectsConnection(Arc<CloseCause>),
    /// A connection in use was ended by the peer or by the network.
    ConnectionInUseEnded { ending: Arc<CloseCause> },
    /// The server sends heartbeats so seldom that the path cuts the connection before them.
    ServerHeartbeatsTooSeldom {
        /// `None` if no two heartbeats came on one connection.
        interval: Option<Duration>,
        timeout: Bracket,
    },
    /// The server's own heartbeats keep the path open.
    ServerHeartbeatsKeepPathOpen { interval: Duration },
    /// The server sends by itself so often that the path was never silent for long.
    ServerKeepsPathBusy { gap: Option<Duration> },
    /// No heartbeat of the server keeps the path open, so the client has to.
    ClientMustKeepPathOpen { interval: Duration, tolerant: Option<Duration>, traffic: NeededTraffic },
    /// The idle timeout is so short that mobile clients must send often: under 30 s.
    IdleTimeoutShort { timeout: Bracket },
    /// Which heartbeat interval keeps the path open.
    HeartbeatAdvised { interval: Duration, tolerant: Option<Duration>, reconnect_before: Option<Duration> },
    /// A cut, a refusal or a delay begins at this hop.
    AppearsAtHop { what: HopDifference, before: Option<String>, at: String },
    /// A point of the path, or an address, shows something else than the URL itself.
    PathDiffers { path: String, shows: String },
    /// Whether the heartbeats also cover a NAT on the client's side: the shortest one known.
    NatMargin { interval: Duration, nat: &'static str, forgets_after: Duration },
    /// All hops show the same.
    HopsAlike { hops: Vec<String> },
    /// A check was not made, or came to no answer.
    NotChecked(Unchecked),
}

/// The median RTTs with something that browsers use, and without it; `None` where nothing was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeatureRtts {
    pub with: Option<Duration>,
    pub without: Option<Duration>,
}

/// RTT and loss of one connection.
#[derive(Debug, Clone, PartialEq)]
pub struct LatencyFigures {
    /// The median RTT of Ping frames.
    pub protocol: Option<Duration>,
    /// The median RTT of app heartbeats.
    pub app: Option<Duration>,
    /// The time that the TCP handshake took.
    pub tcp: Option<Duration>,
    /// Of the heartbeats that were judged, both kinds together.
    pub missed: u64,
    pub judged: u64,
    /// The status of the run, in words, and why.
    pub status: &'static str,
    pub reason: String,
}

/// The usual cause of a refused upgrade. Told as usual, never as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RefusalCause {
    /// The server or a hop redirects.
    Redirect,
    /// The server asks for credentials.
    Credentials,
    /// The server forbids it.
    Forbidden,
    /// There is nothing at this path.
    PathUnknown,
    /// A hop does not pass the upgrade on, or the server does not expect one here.
    UpgradeNotPassedOn,
    /// A page came instead of the upgrade.
    Page,
    /// A hop cannot reach the server behind it.
    ServerBehindFails,
    /// A limit was reached.
    TooMany,
    /// The hop speaks HTTP/2 only, or no HTTP at all.
    OtherProtocol,
    /// The failure was before the upgrade.
    BeforeUpgrade,
    /// Another one.
    Other,
}

/// What begins at a hop.
#[derive(Debug, Clone, PartialEq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum HopDifference {
    /// Connections that are idle are cut.
    IdleTimeout(Bracket),
    /// Connections are not opened: why.
    NotOpened(String),
    /// Ping frames take much longer.
    Latency(Duration),
    /// Ping frames are not answered.
    PingsUnanswered,
    /// WebSockets fail over HTTP/2 only.
    Http2Fails,
    /// Connections fail with compression offered only.
    CompressionBreaks,
}

/// Why a check has no answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Unchecked {
    /// It does not apply to this target, or a depth was chosen that leaves it out.
    NotApplicable(&'static str),
    /// Another check failed, which it needs.
    Needs(&'static str),
    /// It was made and came to no answer.
    NoAnswer(String),
    /// The user ended the run.
    Interrupted,
}

impl RefusalCause {
    /// The usual cause of this failure.
    pub fn of(error: &ConnectError) -> RefusalCause {
        use crate::domain::connection::connect_info::FailureKind;
        use crate::domain::connection::phase::Phase;
        let of_proxy = error.phase != Phase::Upgrade;
        let Some(refusal) = error.refusal.as_ref().filter(|_| !of_proxy) else {
            return match (error.phase, error.kind) {
                (Phase::Upgrade, FailureKind::NotHttp) => RefusalCause::OtherProtocol,
                (Phase::Upgrade | Phase::Await, _) => RefusalCause::Other,
                (_, _) => RefusalCause::BeforeUpgrade,
            };
        };
        match refusal.status {
            _ if refusal.saw_no_upgrade => RefusalCause::UpgradeNotPassedOn,
            300..=399 => RefusalCause::Redirect,
            401 | 407 => RefusalCause::Credentials,
            403 => RefusalCause::Forbidden,
            404 | 410 => RefusalCause::PathUnknown,
            429 => RefusalCause::TooMany,
            200..=299 => RefusalCause::Page,
            502..=504 => RefusalCause::ServerBehindFails,
            _ => RefusalCause::Other,
        }
    }
}

impl Unchecked {
    /// Whether the check was made and came to no answer.
    pub fn is_undecided(&self) -> bool {
        matches!(self, Unchecked::NoAnswer(_))
    }
}

impl Finding for DoctorFinding {
    fn severity(&self) -> Severity {
        use DoctorFinding as F;
        match self {
            F::ServerKeepsPathBusy { gap: Some(gap) } if *gap > COVERS_USUAL_TIMEOUT => Severity::Warning,
            F::NameResolved { .. }
            | F::AllAddressesReached { .. }
            | F::UpgradeAccepted(_)
            | F::OriginRestricted { .. }
            | F::NoSubprotocolNeeded
            | F::PingsAnswered { .. }
            | F::FragmentsAllowControlFrames
            | F::CloseAnswered(_)
            | F::LatencyMeasured(_)
            | F::NoLifetimeSeen { .. }
            | F::ServerHeartbeatsKeepPathOpen { .. }
            | F::ServerKeepsPathBusy { .. }
            | F::HopsAlike { .. } => Severity::Ok,
            F::AddressGiven { .. }
            | F::ThroughProxy { .. }
            | F::AnyOriginAccepted { .. }
            | F::MeasuredUnverified
            | F::NatMargin { .. }
            | F::ConventionDetected { .. }
            | F::ConventionUnknown { .. }
            | F::HeartbeatAdvised { .. }
            | F::NotChecked(_) => Severity::Info,
            F::SomeAddressesNotReached { failed, .. } if lacks_route(failed) => Severity::Info,
            F::SomeAddressesNotReached { .. }
            | F::FurtherConnectionRefused(_)
            | F::UpgradeSlow(_)
            | F::PathDiffers { .. }
            | F::OriginRequired { .. }
            | F::SubprotocolRequired { .. }
            | F::PingsPartlyAnswered { .. }
            | F::FragmentsBlockControlFrames { .. }
            | F::EndedAtFragments { .. }
            | F::CloseUnanswered(_)
            | F::ConnectionInUseEnded { .. }
            | F::IdleTimeoutUnconfirmed { .. }
            | F::ClientMustKeepPathOpen { .. } => Severity::Warning,
            F::NameNotResolved(_)
            | F::TlsFailed(_)
            | F::NoAddressReached { .. }
            | F::UpgradeFailed { .. }
            | F::LatencyUnhealthy(_)
            | F::ServerRejectsConnection(_)
            | F::UpgradeUnsteady(_)
            | F::ServerHeartbeatsTooSeldom { .. }
            | F::IdleTimeoutShort { .. } => Severity::Problem,
            F::AppearsAtHop { what, .. } => of_hop(what),
            F::Tls(finding) => finding.severity(),
            F::Ping(finding) => of_pinging(finding),
            F::Listen(finding) => of_listening(finding),
            F::Idle(finding) => of_idling(finding),
            F::Zombie(ZombieFinding::HostStalled { .. }) => Severity::Info,
            // The run is too short to call it a problem.
            F::Zombie(finding) => finding.severity().min(Severity::Warning),
            of_pages => severity_for_pages(of_pages),
        }
    }
}

/// Of what a page in a browser meets.
fn severity_for_pages(finding: &DoctorFinding) -> Severity {
    use DoctorFinding as F;
    match finding {
        F::PagesAccepted | F::H2Works(_) | F::CompressionWorks { .. } => Severity::Ok,
        F::OnlyHttp2Accepted { .. } | F::H2WebsocketsFail { .. } | F::CompressionBreaks { .. } => {
            Severity::Problem
        }
        F::PagesRefused { .. }
        | F::BrowserAnswerInvalid { .. }
        | F::OnlyBrowsersAccepted { .. }
        | F::PortBlockedByBrowsers { .. } => Severity::Warning,
        _ => Severity::Info,
    }
}

/// Where a cut or a delay appears is what was asked; that something fails there is worth more.
fn of_hop(what: &HopDifference) -> Severity {
    match what {
        // Their own findings are the problem.
        HopDifference::Http2Fails | HopDifference::CompressionBreaks => Severity::Info,
        HopDifference::IdleTimeout(_) | HopDifference::Latency(_) => Severity::Info,
        HopDifference::NotOpened(_) | HopDifference::PingsUnanswered => Severity::Warning,
    }
}

/// Three quarters of 60 s, after which the commonest proxies cut by default (`wscheck timeouts`).
pub const COVERS_USUAL_TIMEOUT: Duration = Duration::from_secs(45);

/// Whether this host has no way to these addresses, as where it has no IPv6: that is no fault of theirs.
pub fn lacks_route(failed: &[ConnectAttempt]) -> bool {
    const LOCAL: [&str; 3] = ["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"];
    let is_local = |attempt: &ConnectAttempt| {
        let error = attempt.error.as_deref().unwrap_or_default();
        attempt.address.starts_with('[') && LOCAL.iter().any(|name| error.contains(name))
    };
    failed.iter().all(is_local)
}

/// Many measurements at once make this host late, which limits the figures and is no fault of the endpoint.
fn of_pinging(finding: &PingFinding) -> Severity {
    match finding {
        PingFinding::HostStalled { .. } | PingFinding::HostLate { .. } => Severity::Info,
        finding => finding.severity(),
    }
}

/// That a server sends no heartbeats is no fault; whether the path needs them is another check's question.
fn of_listening(finding: &ListenFinding) -> Severity {
    match finding {
        ListenFinding::NoHeartbeats { .. }
        | ListenFinding::TooFewHeartbeats { .. }
        | ListenFinding::HostStalled { .. } => Severity::Info,
        finding => finding.severity(),
    }
}

/// A timeout by itself is a fact; what it means follows from who keeps the path open.
fn of_idling(finding: &IdleFinding) -> Severity {
    match finding {
        IdleFinding::IdleTimeout { .. } | IdleFinding::HostStalled { .. } => Severity::Info,
        finding => finding.severity(),
    }
}

impl DoctorFinding {
    /// The code that scripts see.
    pub fn code(&self) -> &'static str {
        self.label()
    }

    /// Whether a check was made and came to no answer.
    pub fn is_undecided(&self) -> bool {
        match self {
            DoctorFinding::NotChecked(why) => why.is_undecided(),
            DoctorFinding::Idle(IdleFinding::Undecided(_)) => true,
            _ => false,
        }
    }
}
