//! A failure inside a connection phase, before it becomes a `ConnectError`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::domain::connection::connect_info::{ConnectError, FailureKind, RefusalResponse};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::format;

use super::os_error;

/// A failure of one step; the caller adds the step's phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialError {
    pub kind: FailureKind,
    pub cause: String,
    pub hint: Option<String>,
    pub refusal: Option<RefusalResponse>,
    /// Set if the failure belongs to an earlier phase than the one that detected it.
    pub phase: Option<Phase>,
}

impl DialError {
    /// An error with its cause, a lower-case fragment.
    pub fn new(kind: FailureKind, cause: impl Into<String>) -> DialError {
        DialError { kind, cause: cause.into(), hint: None, refusal: None, phase: None }
    }

    /// Adds a hint: what the reader can do.
    pub fn hint(self, hint: impl Into<String>) -> DialError {
        DialError { hint: Some(hint.into()), ..self }
    }

    /// The connect timeout expired; `doing` names the step that did not finish.
    pub fn timeout(budget: Duration, doing: impl fmt::Display) -> DialError {
        DialError::new(FailureKind::Timeout, format!("{doing} within {}", format::duration(budget)))
    }

    /// The failed opening to `target` that this is, before any address was tried.
    pub fn failed_opening(self, target: &Target, phase: Phase, took: Duration) -> ConnectError {
        ConnectError {
            url: target.to_string(),
            phase,
            kind: self.kind,
            cause: self.cause,
            hint: self.hint,
            reached: None,
            attempts: Vec::new(),
            refusal: self.refusal,
            took,
        }
    }

    /// Puts `whose` before the first `address` in the cause, such as `the proxy `.
    pub fn with_owner(self, address: &str, whose: &str) -> DialError {
        DialError { cause: self.cause.replacen(address, &format!("{whose}{address}"), 1), ..self }
    }

    /// An error while connecting to `address`, an IP address with port or a Unix socket path.
    pub fn connecting(address: &str, error: &io::Error) -> DialError {
        let is_socket = address.parse::<SocketAddr>().is_err();
        let fault = match (is_socket, error.kind()) {
            (true, io::ErrorKind::NotFound) => {
                let cause = format!("{address} does not exist ({})", os_error::name(libc::ENOENT));
                DialError::new(FailureKind::Local, cause)
            }
            (true | false, _) => DialError::reaching(address, error),
        };
        match (fault.kind, is_socket) {
            (FailureKind::Refused, true) => fault.hint("no process listens on that socket: check its path"),
            (FailureKind::Local, false) if error.raw_os_error() == Some(libc::EADDRNOTAVAIL) => {
                fault.hint(no_port_hint())
            }
            (FailureKind::Refused, false) => {
                fault.hint("nothing listens on this port, or a firewall rejects it: check host and port")
            }
            _ => fault,
        }
    }

    fn reaching(address: &str, error: &io::Error) -> DialError {
        let name = os_error::name_of(error).map_or(String::new(), |name| format!(" ({name})"));
        let (kind, words) = match error.kind() {
            io::ErrorKind::ConnectionRefused => (FailureKind::Refused, "connection refused by"),
            io::ErrorKind::ConnectionReset => (FailureKind::Reset, "connection reset by"),
            io::ErrorKind::HostUnreachable => (FailureKind::Unreachable, "no route to"),
            io::ErrorKind::NetworkUnreachable => (FailureKind::Unreachable, "no network to"),
            io::ErrorKind::TimedOut => (FailureKind::Timeout, "the system got no answer from"),
            io::ErrorKind::PermissionDenied => (FailureKind::Local, "no permission to connect to"),
            _ => {
                let cause = format!("cannot connect to {address}: {}", os_error::describe(error));
                return DialError::new(local_or_other(error), cause);
            }
        };
        DialError::new(kind, format!("{words} {address}{name}"))
    }

    /// An I/O error on an open connection; `doing` names the step.
    pub fn on_open_connection(doing: &str, error: &io::Error) -> DialError {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => FailureKind::Reset,
            io::ErrorKind::TimedOut => FailureKind::Timeout,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => FailureKind::Unreachable,
            io::ErrorKind::UnexpectedEof => FailureKind::ClosedEarly,
            _ => FailureKind::Other,
        };
        DialError::new(kind, format!("{doing}: {}", os_error::describe(error)))
    }
}

/// Hint for a connect that failed because all local ports towards an address are in use.
fn no_port_hint() -> String {
    let ports =
        local_ports().map_or(String::new(), |(low, high)| format!(" ({low} to {high}, {})", high - low + 1));
    format!(
        "this machine may have run out of local ports{ports} between one local address and one server's; spread the \
         connections over several local addresses with --bind A,B,C"
    )
}

/// The system's range of ephemeral ports (ip(7)).
fn local_ports() -> Option<(u32, u32)> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let mut numbers = text.split_whitespace().map(str::parse::<u32>);
    let (low, high) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    (low <= high).then_some((low, high))
}

/// Classifies an error as local (raised by this machine alone) or other.
fn local_or_other(error: &io::Error) -> FailureKind {
    const LOCAL: &[i32] = &[
        libc::EADDRNOTAVAIL,
        libc::EADDRINUSE,
        libc::EMFILE,
        libc::ENFILE,
        libc::ENOBUFS,
        libc::ENOMEM,
        libc::EAGAIN,
        libc::EAFNOSUPPORT,
        libc::EINVAL,
        libc::ENOTDIR,
        libc::ENAMETOOLONG,
        libc::ENOTSOCK,
        libc::EPROTOTYPE,
    ];
    match error.raw_os_error() {
        Some(errno) if LOCAL.contains(&errno) => FailureKind::Local,
        _ if error.kind() == io::ErrorKind::InvalidInput => FailureKind::Local,
        _ => FailureKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exhausted_ports_are_explained_with_a_hint() {
        let fault =
            DialError::connecting("192.0.2.1:9001", &io::Error::from_raw_os_error(libc::EADDRNOTAVAIL));
        assert_eq!(fault.kind, FailureKind::Local);
        assert!(fault.cause.ends_with("(EADDRNOTAVAIL)"), "{}", fault.cause);
        let hint = fault.hint.unwrap();
        assert!(hint.contains("run out of local ports") && hint.ends_with("--bind A,B,C"), "{hint}");
    }

    fn connecting(errno: i32) -> (FailureKind, String) {
        let fault = DialError::connecting("192.0.2.1:9", &io::Error::from_raw_os_error(errno));
        (fault.kind, fault.cause)
    }

    #[test]
    fn each_connect_error_has_its_kind_and_cause() {
        assert_eq!(
            connecting(libc::ECONNREFUSED),
            (FailureKind::Refused, "connection refused by 192.0.2.1:9 (ECONNREFUSED)".into())
        );
        assert_eq!(
            connecting(libc::EHOSTUNREACH),
            (FailureKind::Unreachable, "no route to 192.0.2.1:9 (EHOSTUNREACH)".into())
        );
        assert_eq!(
            connecting(libc::ENETUNREACH),
            (FailureKind::Unreachable, "no network to 192.0.2.1:9 (ENETUNREACH)".into())
        );
        assert_eq!(
            connecting(libc::ETIMEDOUT),
            (FailureKind::Timeout, "the system got no answer from 192.0.2.1:9 (ETIMEDOUT)".into())
        );
        assert_eq!(
            connecting(libc::EMFILE),
            (FailureKind::Local, "cannot connect to 192.0.2.1:9: too many open files (EMFILE)".into())
        );
        assert_eq!(connecting(libc::EPROTO).0, FailureKind::Other);
    }

    #[test]
    fn unix_socket_is_named_as_a_socket() {
        let fault = |errno| DialError::connecting("/run/x", &io::Error::from_raw_os_error(errno));
        let refused = fault(libc::ECONNREFUSED);
        assert_eq!(refused.cause, "connection refused by /run/x (ECONNREFUSED)");
        assert_eq!(refused.hint.unwrap(), "no process listens on that socket: check its path");
        assert_eq!(fault(libc::ENOENT).cause, "/run/x does not exist (ENOENT)");
        assert_eq!(fault(libc::EACCES).cause, "no permission to connect to /run/x (EACCES)");
        assert_eq!(
            fault(libc::ENOTSOCK).cause,
            "cannot connect to /run/x: socket operation on non-socket (ENOTSOCK)"
        );
    }

    #[test]
    fn owner_is_put_before_the_address() {
        let error = io::Error::from_raw_os_error(libc::ECONNREFUSED);
        let fault = DialError::connecting("127.0.0.1:9", &error).with_owner("127.0.0.1:9", "the proxy ");
        assert_eq!(fault.cause, "connection refused by the proxy 127.0.0.1:9 (ECONNREFUSED)");
    }
}
