//! How many files this process may have open: every connection is one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use thiserror::Error;

/// Files beside the connections: the standard streams, the runtimes' and the resolver's.
const RESERVED_FDS: usize = 32;

/// Connections that this process may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "cannot open {connections} connections: each is an open file, this process may have {limit} of them (RLIMIT_NOFILE, \
     its hard limit), and it needs {} for other things",
    RESERVED_FDS
)]
pub struct TooFewFiles {
    connections: usize,
    limit: u64,
}

impl TooFewFiles {
    /// What the reader can do about it.
    pub fn hint(self) -> String {
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_sub(RESERVED_FDS);
        format!(
            "-n {most} is the most here; raise the hard limit (ulimit -Hn, LimitNOFILE=, limits.conf), or share the \
             connections among several processes"
        )
    }
}

/// Raises the limit as far as this process may (many systems allow 1024 files until one asks for more), and says
/// when that is not enough for so many connections.
pub fn make_room(connections: usize) -> Result<(), TooFewFiles> {
    match raise_limit() {
        Some(limit) => check(connections, limit),
        None => Ok(()),
    }
}

fn check(connections: usize, limit: u64) -> Result<(), TooFewFiles> {
    if connections.saturating_add(RESERVED_FDS) as u64 <= limit {
        Ok(())
    } else {
        Err(TooFewFiles { connections, limit })
    }
}

/// Raises the limit to the hard one and gives what it is now, where the system tells.
pub fn raise_limit() -> Option<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => Some(hard),
        Err(_) => Some(soft),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_refused_with_the_numbers() {
        assert_eq!(check(19_968, 20_000), Ok(()));
        let error = check(19_969, 20_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot open 19969 connections: each is an open file, this process may have 20000 of them \
             (RLIMIT_NOFILE, its hard limit), and it needs 32 for other things"
        );
        assert!(error.hint().starts_with("-n 19968 is the most here; "));
    }
}
