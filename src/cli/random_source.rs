//! Random numbers come from the operating system; without them nothing that opens connections can run.
//!
//! A static build with glibc cannot look up the system call's function by name, and the crate `getrandom` then reads
//! /dev/urandom, which an empty root lacks. `packaging/build` makes it call the function itself.

use crate::commands::start_failure::StartFailure;
use crate::domain::run::run_result::RunResult;

/// Takes one random number from the operating system.
///
/// # Errors
///
/// When it gives none. Without this check the first random number would end the process with a panic.
pub fn check() -> Result<(), StartFailure> {
    getrandom::u32().map(|_| ()).map_err(|error| failure(&error.to_string()))
}

fn failure(error: &str) -> StartFailure {
    StartFailure {
        result: RunResult::Inconclusive,
        message: format!("cannot get random numbers from the operating system: {error}"),
        hint: Some("give this root a /dev/urandom, or use a binary that is linked dynamically".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operating_system_gives_random_numbers() {
        assert_eq!(check(), Ok(()));
    }

    #[test]
    fn failure_names_the_system_error() {
        let failure = failure("No such file or directory (os error 2)");
        assert_eq!(failure.result, RunResult::Inconclusive);
        assert!(failure.message.ends_with("operating system: No such file or directory (os error 2)"));
    }
}
