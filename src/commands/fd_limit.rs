//! The limit on open files: every connection needs one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use thiserror::Error;

/// Files needed besides connections: standard streams, runtimes, resolver.
const RESERVED_FDS: usize = 32;

/// More connections than this process may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "cannot open {connections} connections: each needs a file descriptor; this process may open {limit} files \
     (RLIMIT_NOFILE, its hard limit) and needs {} for other things",
    RESERVED_FDS
)]
pub struct TooFewFiles {
    connections: usize,
    limit: u64,
}

impl TooFewFiles {
    /// What the reader can do.
    pub fn hint(self) -> String {
        let max_connections = usize::try_from(self.limit).unwrap_or(usize::MAX).saturating_sub(RESERVED_FDS);
        format!(
            "-n {max_connections} is the maximum here; raise the hard limit (ulimit -Hn, LimitNOFILE=, limits.conf), or share the \
             connections among several processes"
        )
    }
}

/// Raises the limit to the hard limit (many systems allow only 1024 files by default) and checks that it suffices.
pub fn ensure_limit(connections: usize) -> Result<(), TooFewFiles> {
    raise_limit().map_or(Ok(()), |limit| check(connections, limit))
}

fn check(connections: usize, limit: u64) -> Result<(), TooFewFiles> {
    if connections.saturating_add(RESERVED_FDS) as u64 <= limit {
        Ok(())
    } else {
        Err(TooFewFiles { connections, limit })
    }
}

/// Raises the soft limit to the hard limit; returns the limit now in force, if the system reports it.
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
    fn excess_connections_are_refused_with_numbers() {
        assert_eq!(check(19_968, 20_000), Ok(()));
        let error = check(19_969, 20_000).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot open 19969 connections: each needs a file descriptor; this process may open 20000 files \
             (RLIMIT_NOFILE, its hard limit) and needs 32 for other things"
        );
        assert!(error.hint().starts_with("-n 19968 is the maximum here; "));
    }
}
