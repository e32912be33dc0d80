//! The limit on open files: every connection needs one.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::start_failure::StartFailure;

/// Files needed besides connections: standard streams, runtimes, resolver.
const RESERVED_FDS: usize = 32;

/// Raises the limit to the hard limit (many systems allow only 1024 files by default) and checks that it suffices.
pub fn ensure_limit(connections: usize) -> Result<(), StartFailure> {
    raise_limit().map_or(Ok(()), |limit| check(connections, limit))
}

fn check(connections: usize, limit: u64) -> Result<(), StartFailure> {
    if connections.saturating_add(RESERVED_FDS) as u64 <= limit {
        return Ok(());
    }
    let why = format!(
        "cannot open {connections} connections: each needs a file descriptor; this process may open {limit} files \
         (RLIMIT_NOFILE, its hard limit) and needs {RESERVED_FDS} for other things"
    );
    let max_connections = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(RESERVED_FDS);
    let hint = format!(
        "-n {max_connections} is the maximum here; raise the hard limit (ulimit -Hn, LimitNOFILE=, limits.conf), or share the \
         connections among several processes"
    );
    Err(StartFailure::unreachable(why).with_hint(Some(hint)))
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
        assert!(error.hint.is_some_and(|hint| hint.starts_with("-n 19968 is the maximum here; ")));
    }
}
