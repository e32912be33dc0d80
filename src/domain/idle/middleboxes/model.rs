//! What is known of one timer.

use std::fmt;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// A timer of a middlebox, a platform or a server that can end a WebSocket, or is often said to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Middlebox {
    /// Its name in the table, unique: `nginx.proxy_read_timeout`.
    pub id: &'static str,
    pub product: &'static str,
    pub family: ProductFamily,
    pub kind: TimeoutKind,
    /// The setting's name, as the product's documentation has it.
    pub setting: &'static str,
    /// What holds when nobody configured anything.
    pub value: TimeoutValue,
    /// Other values that are often found, and where.
    pub typical: &'static [TypicalSetting],
    /// The least that can be set, where there is such a limit.
    pub least: Option<Duration>,
    /// The most that can be set, where there is such a limit.
    pub most: Option<Duration>,
    /// How much later than its value it may strike: a timer that is looked at only now and then.
    pub coarse: Duration,
    /// How long after the timer the end is seen, always: what is sent in between is lost.
    pub delay: Duration,
    /// The line to look for in a configuration. `{t}` stands for the value with its unit, `{s}` and `{ms}` for the
    /// number; empty where the setting's name and the value say it.
    pub line: &'static str,
    /// What tells that it was this product that cut: its log, mostly.
    pub tells: Option<&'static str>,
    /// What starts the timer afresh; `None` when there is no timer, or nobody knows.
    pub resets: Option<TimerReset>,
    pub resets_words: &'static str,
    /// Whether Ping and Pong frames count as traffic; `None` when it does not matter or is not known.
    pub pings_count: Option<bool>,
    /// How it cuts, the usual way first; empty when it never cuts.
    pub cuts: &'static [CutKind],
    pub cut_words: &'static str,
    pub change: SettingChange,
    /// A popular claim that the facts contradict, and how.
    pub folklore: Option<&'static str>,
    pub note: Option<&'static str>,
    /// Where it is written, or how it was measured.
    pub source: &'static str,
    pub confidence: Confidence,
    /// How the response to the upgrade gives it away.
    pub shows: ProductMarks,
    /// Whether it replaces or removes the `Server` header of what is behind it.
    pub hides_server: bool,
    /// The timer runs from a reload of the configuration: a connection's age says nothing about it.
    pub from_reload: bool,
    /// It is in the path only where the client connects through an HTTP proxy.
    pub forward_only: bool,
    /// Whether it stands in front of a great many WebSockets: of two that fit alike, the likelier.
    pub common: bool,
}

/// The fields that most entries leave alone.
pub(super) const BLANK: Middlebox = Middlebox {
    id: "",
    product: "",
    family: ProductFamily::Proxy,
    kind: TimeoutKind::Idle,
    setting: "",
    value: TimeoutValue::Never,
    typical: &[],
    least: None,
    most: None,
    coarse: Duration::ZERO,
    delay: Duration::ZERO,
    line: "",
    tells: None,
    resets: None,
    resets_words: "",
    pings_count: None,
    cuts: &[],
    cut_words: "",
    change: SettingChange::Nothing,
    folklore: None,
    note: None,
    source: "",
    confidence: Confidence::High,
    shows: ProductMarks::Never,
    hides_server: false,
    from_reload: false,
    forward_only: false,
    common: false,
};

/// So many seconds.
pub(super) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Where in the path it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ProductFamily {
    /// A proxy or gateway that is installed.
    Proxy,
    /// A load balancer, edge network or platform that is rented.
    Cloud,
    /// Something below the application that keeps track of TCP connections: NAT, firewall, balancer.
    Nat,
    /// A server, or the library that it is made of: the end of the path.
    Server,
    /// A service at its own address; nobody else has its timer.
    Service,
}

/// What the timer measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimeoutKind {
    /// How long nothing passed: heartbeats help.
    Idle,
    /// How old the connection is, or how long ago a reload was: no heartbeat helps.
    Lifetime,
    /// Something else that is often taken for one of these: a blocked write, a connection without an upgrade,
    /// a client that does not answer pings.
    Other,
}

/// What holds without any configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimeoutValue {
    /// It strikes after this.
    After(Duration),
    /// There is no such timer for an upgraded connection.
    Never,
    /// There is one, and it is off.
    Off,
    /// There is no built-in value: a configuration may give one.
    Unset,
    /// There may be one, but no number is published.
    Unpublished,
}

impl TimeoutValue {
    /// The span, where there is one.
    pub fn span(self) -> Option<Duration> {
        match self {
            TimeoutValue::After(span) => Some(span),
            TimeoutValue::Never | TimeoutValue::Off | TimeoutValue::Unset | TimeoutValue::Unpublished => None,
        }
    }
}

impl fmt::Display for TimeoutValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeoutValue::After(value) => f.write_str(&span(*value)),
            TimeoutValue::Never => f.write_str("none"),
            TimeoutValue::Off => f.write_str("off"),
            TimeoutValue::Unset => f.write_str("unset"),
            TimeoutValue::Unpublished => f.write_str("not published"),
        }
    }
}

/// A value that is not the default but is often found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypicalSetting {
    pub value: Duration,
    /// Whose it is: `the configuration file of Debian's package`.
    pub whose: &'static str,
}

/// What starts the timer afresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimerReset {
    /// A byte in either direction.
    Either,
    ClientToServer,
    ServerToClient,
    /// Each direction has a timer of its own: both must speak.
    EachDirection,
    /// Messages; Ping and Pong frames are not counted.
    MessagesOnly,
    /// Any packet, a TCP keepalive among them.
    TcpKeepaliveToo,
    /// An answer to the server's own ping.
    Pong,
    /// Nothing: it strikes come what may.
    Nothing,
}

impl fmt::Display for TimerReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimerReset::Either => "either direction",
            TimerReset::ClientToServer => "client to server only",
            TimerReset::ServerToClient => "server to client only",
            TimerReset::EachDirection => "each direction its own",
            TimerReset::MessagesOnly => "messages only",
            TimerReset::TcpKeepaliveToo => "any packet, TCP keepalive too",
            TimerReset::Pong => "a pong to its ping",
            TimerReset::Nothing => "nothing",
        })
    }
}

/// How a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum CutKind {
    /// A FIN without a close frame.
    Fin,
    /// A FIN in one direction; it still accepts what we send.
    HalfClose,
    Rst,
    /// TCP is closed; whether by FIN or RST is not known.
    ClosesTcp,
    /// A close frame with this code.
    CloseFrame(u16),
    /// It is closed; whether with a close frame is not known.
    Closes,
    /// It is forgotten, and nobody is told.
    Silent,
    /// It is forgotten, and the next packet is answered by an RST.
    RstOnUse,
    /// By an HTTP status instead of the upgrade.
    HttpError(u16),
}

impl fmt::Display for CutKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CutKind::Fin => f.write_str("FIN"),
            CutKind::HalfClose => f.write_str("FIN, half-closed"),
            CutKind::Rst => f.write_str("RST"),
            CutKind::ClosesTcp => f.write_str("closes TCP"),
            CutKind::CloseFrame(code) => write!(f, "close frame {code}"),
            CutKind::Closes => f.write_str("closes"),
            CutKind::Silent => f.write_str("silent"),
            CutKind::RstOnUse => f.write_str("RST on next use"),
            CutKind::HttpError(status) => write!(f, "HTTP {status}"),
        }
    }
}

impl Middlebox {
    /// What to ask `wscheck timeouts` for.
    pub fn topic(&self) -> &'static str {
        match self.family {
            ProductFamily::Proxy => self.id.split('.').next().unwrap_or(self.id),
            ProductFamily::Cloud | ProductFamily::Nat | ProductFamily::Server | ProductFamily::Service => {
                self.id
            }
        }
    }

    /// The setting with this value, as it stands in a configuration: `` `proxy_read_timeout 20s` in http ``.
    pub fn setting_at(&self, value: Duration) -> String {
        match (self.line.is_empty(), self.change) {
            (true, SettingChange::Fixed) => return format!("{}, fixed", span(value)),
            (true, SettingChange::Set(_) | SettingChange::Nothing) => {
                return format!("{} = {}", self.setting, span(value));
            }
            (false, _) => {}
        }
        let line = self.line.replace("{t}", &unit(value));
        line.replace("{s}", &value.as_secs_f64().to_string()).replace("{ms}", &value.as_millis().to_string())
    }
}

/// `20s`, or `2500ms`.
fn unit(value: Duration) -> String {
    match value.subsec_nanos() {
        0 => format!("{}s", value.as_secs()),
        _ => format!("{}ms", value.as_millis()),
    }
}

/// What can be done about the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingChange {
    /// The setting, by an example line of configuration or a command.
    Set(&'static str),
    /// It cannot be changed.
    Fixed,
    /// There is nothing to change.
    Nothing,
}

/// How well an entry is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Confidence {
    /// Measured, read in the code, or in the maker's own documentation.
    High,
    /// Reported by others, or partly inferred.
    Medium,
}

/// How the response to the upgrade gives a product away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductMarks {
    /// Not at all: it adds no header, or is below HTTP.
    Never,
    /// By one of these, unless it is configured not to: where the response has none, the evidence is against it.
    Usually(&'static [HeaderMark]),
    /// By one of these, but only where what is behind it sends no `Server` header: it passes that on.
    Yields(&'static [HeaderMark]),
    /// Not by itself, but a server behind it that is the same product does.
    Behind(&'static [HeaderMark]),
    /// By one of these, always: without it, it is not there.
    Always(&'static [HeaderMark]),
}

/// A header that gives a product away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderMark {
    /// The name in lower case; one that ends in a dash stands for all that begin so.
    pub header: &'static str,
    /// What the value contains, in lower case; empty when the header alone tells.
    pub contains: &'static str,
}

pub(super) const fn mark(header: &'static str, contains: &'static str) -> HeaderMark {
    HeaderMark { header, contains }
}

/// A timeout as people know it: in seconds (`60 s`, `350 s`) up to 1000 of them, then `20m`, `24h`, `5 days`.
pub fn span(value: Duration) -> String {
    const DAY: u64 = 86_400;
    let seconds = value.as_secs();
    match seconds {
        ..=1000 => format!("{} s", value.as_secs_f64()),
        _ if seconds > DAY && seconds.is_multiple_of(DAY) => format!("{} days", seconds / DAY),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds > 3600 => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_told_as_people_know_it() {
        let told = |seconds| span(s(seconds));
        assert_eq!([20, 60, 350, 900].map(told), ["20 s", "60 s", "350 s", "900 s"]);
        assert_eq!([1200, 3600, 7440].map(told), ["20m", "1h", "2h04m"]);
        assert_eq!([86_400, 432_000, 1001].map(told), ["24h", "5 days", "1001 s"]);
        assert_eq!(span(Duration::from_millis(1500)), "1.5 s");
    }
}
