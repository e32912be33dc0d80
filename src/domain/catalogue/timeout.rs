//! The description of one known timer.

use std::fmt;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use crate::domain::format::exact_duration;

/// A timer of a middlebox, a platform or a server that can end a WebSocket, or is often claimed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeout {
    /// Its name in the table, unique: `nginx.proxy_read_timeout`.
    pub id: &'static str,
    pub product: &'static str,
    pub family: ProductFamily,
    pub kind: TimeoutKind,
    /// The setting's name in the product's documentation.
    pub setting: &'static str,
    /// The value without configuration.
    pub value: TimeoutValue,
    /// Other common values, and where they are used.
    pub typical: &'static [TypicalSetting],
    /// The minimum that can be set, if there is one.
    pub least: Option<Duration>,
    /// The maximum that can be set, if there is one.
    pub most: Option<Duration>,
    /// How late it may fire, because it is checked only at intervals.
    pub coarse: Duration,
    /// The constant delay from the timer to the visible end; data sent in between is lost.
    pub delay: Duration,
    /// The line to look for in a configuration. `{t}` stands for the value with its unit, `{s}` and `{ms}`
    /// for the number. Empty if the setting's name and the value suffice.
    pub line: &'static str,
    /// How to verify that this product cut the connection, mostly by its log.
    pub log: Option<&'static str>,
    /// What resets the timer; `None` if there is no timer, or it is unknown.
    pub resets: Option<TimerReset>,
    pub resets_note: &'static str,
    /// Whether Ping and Pong frames count as traffic; `None` if it does not matter or is unknown.
    pub pings_count: Option<bool>,
    /// How it cuts, the usual way first; empty if it never cuts.
    pub cuts: &'static [CutKind],
    pub cut_note: &'static str,
    pub change: SettingChange,
    /// A common claim that the facts contradict, and how.
    pub folklore: Option<&'static str>,
    pub note: Option<&'static str>,
    /// Where it is documented, or how it was measured.
    pub source: &'static str,
    pub confidence: Confidence,
    /// How the upgrade response reveals it.
    pub shows: ProductMarks,
    /// Whether it replaces or removes the `Server` header of the server behind it.
    pub hides_server: bool,
    /// The timer runs from a configuration reload, so a connection's age shows nothing about it.
    pub from_reload: bool,
    /// Only on the path if the client connects through an HTTP proxy.
    pub forward_only: bool,
    /// Whether it stands in front of many WebSockets: the likelier of two equal fits.
    pub common: bool,
}

pub(super) const fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Where on the path it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum ProductFamily {
    /// A proxy or gateway that people install.
    Proxy,
    /// A load balancer, edge network or platform that people rent.
    Cloud,
    /// A device below the application that tracks TCP connections: NAT, firewall, load balancer.
    Nat,
    /// A server or its library: the end of the path.
    Server,
    /// A service at its own address; no other server has its timer.
    Service,
}

/// What the timer measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimeoutKind {
    /// How long no traffic passed: heartbeats help.
    Idle,
    /// The connection's age, or the time since a reload: no heartbeat helps.
    Lifetime,
    /// Something often mistaken for these: a blocked write, a connection without an upgrade, a client that
    /// does not answer pings.
    Other,
}

/// The value without configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimeoutValue {
    /// It fires after this time.
    After(Duration),
    /// There is no such timer for an upgraded connection.
    Never,
    /// There is one, but it is off.
    Off,
    /// There is no built-in value; a configuration may set one.
    Unset,
    /// There may be one, but no value is published.
    Unpublished,
}

impl TimeoutValue {
    /// The time, if there is one.
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

/// A common value other than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypicalSetting {
    pub value: Duration,
    /// Where it is used: `the configuration file of Debian's package`.
    pub whose: &'static str,
}

/// What resets a timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum TimerReset {
    /// A byte in either direction.
    Either,
    ClientToServer,
    ServerToClient,
    /// Each direction has its own timer: both must send.
    EachDirection,
    /// Messages; Ping and Pong frames do not count.
    MessagesOnly,
    /// Any packet, including a TCP keepalive.
    TcpKeepaliveToo,
    /// An answer to the server's own ping.
    Pong,
    /// Nothing: it fires in any case.
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
    /// A FIN in one direction; the peer still accepts data.
    HalfClose,
    Rst,
    /// TCP is closed; whether by FIN or RST is unknown.
    ClosesTcp,
    /// A close frame with this code.
    CloseFrame(u16),
    /// It is closed; whether with a close frame is unknown.
    Closes,
    /// Its state is dropped silently.
    Silent,
    /// Its state is dropped, and an RST answers the next packet.
    RstOnUse,
    /// An HTTP status instead of the upgrade.
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

impl Timeout {
    /// What an entry has that says nothing else.
    pub const BLANK: Timeout = Timeout {
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
        log: None,
        resets: None,
        resets_note: "",
        pings_count: None,
        cuts: &[],
        cut_note: "",
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

    /// The search term for `wscheck timeouts`.
    pub fn topic(&self) -> &'static str {
        match self.family {
            ProductFamily::Proxy => self.id.split('.').next().unwrap_or(self.id),
            ProductFamily::Cloud | ProductFamily::Nat | ProductFamily::Server | ProductFamily::Service => {
                self.id
            }
        }
    }

    /// The setting with this value as in a configuration: `` `proxy_read_timeout 20s` in http ``.
    pub fn setting_at(&self, value: Duration) -> String {
        match (self.line.is_empty(), self.change) {
            (true, SettingChange::Fixed) => return format!("{}, fixed", span(value)),
            (true, SettingChange::Set(_) | SettingChange::Nothing) => {
                return format!("{} = {}", self.setting, configured(value));
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

/// How to change the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingChange {
    /// By the setting, as an example line of configuration or a command.
    Set(&'static str),
    /// It cannot be changed.
    Fixed,
    /// There is nothing to change.
    Nothing,
}

/// How reliable an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum Confidence {
    /// Measured, read in the code, or documented by the maker.
    High,
    /// Reported by others, or partly inferred.
    Medium,
}

/// How the upgrade response reveals a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProductMarks {
    /// Not at all: it adds no header, or works below HTTP.
    Never,
    /// By one of these headers, unless configured not to. Without one, the product is unlikely.
    Usually(&'static [HeaderMark]),
    /// By one of these, but only if the server behind it sends no `Server` header, which it would pass on.
    Yields(&'static [HeaderMark]),
    /// Not by itself, but a server of the same product behind it does.
    Behind(&'static [HeaderMark]),
    /// Always by one of these: without it, the product is not on the path.
    Always(&'static [HeaderMark]),
}

/// A header that reveals a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderMark {
    /// The name in lower case; a trailing dash makes it a prefix.
    pub header: &'static str,
    /// What the value contains, in lower case; empty if the header alone suffices.
    pub contains: &'static str,
}

pub(super) const fn mark(header: &'static str, contains: &'static str) -> HeaderMark {
    HeaderMark { header, contains }
}

/// A timeout as people write it: in seconds (`60 s`, `350 s`) up to 1000 s, then `20m`, `24h`, `5 days`.
pub fn span(value: Duration) -> String {
    const HOUR: u64 = 3_600;
    const DAY: u64 = 24 * HOUR;
    let seconds = value.as_secs();
    match seconds {
        _ if seconds > DAY && seconds.is_multiple_of(DAY) => format!("{} days", seconds / DAY),
        HOUR.. if seconds.is_multiple_of(HOUR) => format!("{}h", seconds / HOUR),
        _ => exact_duration(value),
    }
}

/// A setting's value: seconds as far as configurations count in them.
fn configured(value: Duration) -> String {
    match value.as_secs() {
        ..=1000 => format!("{} s", value.as_secs_f64()),
        _ => span(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_is_formatted_as_people_write_it() {
        let text = |seconds| span(s(seconds));
        assert_eq!([20, 60, 350, 900].map(text), ["20 s", "60 s", "5m 50s", "15m"]);
        assert_eq!([1200, 3600, 7440].map(text), ["20m", "1h", "2h 4m"]);
        assert_eq!([86_400, 432_000, 1001].map(text), ["24h", "5 days", "16m 41s"]);
        assert_eq!(span(Duration::from_millis(1500)), "1.5 s");
    }
}
