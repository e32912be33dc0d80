//! What went wrong inside a phase, before it is known as an `OpenError`.

use std::fmt;
use std::io;
use std::time::Duration;

use crate::domain::opening::{FailureKind, Refusal};
use crate::domain::phase::Phase;
use crate::domain::shown;

use super::os_error;

/// A failure of one step; the step's phase is added by whoever ran it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub kind: FailureKind,
    pub cause: String,
    pub hint: Option<String>,
    pub refusal: Option<Refusal>,
    /// Set when the fault belongs to an earlier phase than the one it came to light in.
    pub phase: Option<Phase>,
}

impl Fault {
    /// A fault with its cause, a lower-case fragment.
    pub fn new(kind: FailureKind, cause: impl Into<String>) -> Fault {
        Fault { kind, cause: cause.into(), hint: None, refusal: None, phase: None }
    }

    /// The same, with what the reader can do.
    pub fn hint(self, hint: impl Into<String>) -> Fault {
        Fault { hint: Some(hint.into()), ..self }
    }

    /// A fault because the connect timeout ran out; `doing` says at what.
    pub fn timeout(budget: Duration, doing: impl fmt::Display) -> Fault {
        Fault::new(FailureKind::Timeout, format!("{doing} within {}", shown::duration(budget)))
    }

    /// An error while `address` was being connected to.
    pub fn connecting(address: &str, error: &io::Error) -> Fault {
        let name = os_error::name_of(error).map_or(String::new(), |name| format!(" ({name})"));
        let (kind, words) = match error.kind() {
            io::ErrorKind::ConnectionRefused => (FailureKind::Refused, "connection refused by"),
            io::ErrorKind::ConnectionReset => (FailureKind::Reset, "connection reset by"),
            io::ErrorKind::HostUnreachable => (FailureKind::Unreachable, "no route to"),
            io::ErrorKind::NetworkUnreachable => (FailureKind::Unreachable, "no network to"),
            io::ErrorKind::TimedOut => (FailureKind::Timeout, "the system got no answer from"),
            io::ErrorKind::NotFound => (FailureKind::Local, "no such socket:"),
            io::ErrorKind::PermissionDenied => (FailureKind::Local, "no permission to connect to"),
            _ => {
                let cause = format!("cannot connect to {address}: {}", os_error::describe(error));
                return Fault::new(local_or_other(error), cause);
            }
        };
        let fault = Fault::new(kind, format!("{words} {address}{name}"));
        match kind {
            FailureKind::Refused => {
                fault.hint("nothing listens there, or a firewall says so: check host and port")
            }
            _ => fault,
        }
    }

    /// An error on a connection that was open already; `doing` says at what.
    pub fn talking(doing: &str, error: &io::Error) -> Fault {
        let kind = match error.kind() {
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => FailureKind::Reset,
            io::ErrorKind::TimedOut => FailureKind::Timeout,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => FailureKind::Unreachable,
            io::ErrorKind::UnexpectedEof => FailureKind::ClosedEarly,
            _ => FailureKind::Other,
        };
        Fault::new(kind, format!("{doing}: {}", os_error::describe(error)))
    }
}

/// Errors that this machine makes without asking anybody.
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

    fn connecting(errno: i32) -> (FailureKind, String) {
        let fault = Fault::connecting("192.0.2.1:9", &io::Error::from_raw_os_error(errno));
        (fault.kind, fault.cause)
    }

    #[test]
    fn each_way_of_not_connecting_has_its_name() {
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
}
