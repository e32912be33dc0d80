//! The result of a run: the same names and exit codes for every command.

use strum::{EnumIter, EnumMessage, IntoStaticStr};

/// The result of a run; determines the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum RunResult {
    /// Invalid arguments; nothing ran; exit code 2.
    Usage,
    /// Measured, and every criterion was met; exit code 0.
    Passed,
    /// Measured, and a criterion was not met; exit code 1.
    Failed,
    /// Never measured: no connection opened; exit code 3.
    Unreachable,
    /// It ran, but the evidence does not support an answer; exit code 4.
    Inconclusive,
    /// The user ended a bounded run before it was complete, and no criterion had failed; exit code 4, or 130 when
    /// nothing was open yet.
    Interrupted {
        /// Whether there is anything to report: a connection was open.
        measured: bool,
    },
}

impl RunResult {
    /// The process' exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            RunResult::Passed => 0,
            RunResult::Failed => 1,
            RunResult::Usage => 2,
            RunResult::Unreachable => 3,
            RunResult::Inconclusive | RunResult::Interrupted { measured: true } => 4,
            RunResult::Interrupted { measured: false } => 130,
        }
    }

    /// The result for an exit code; 4 is inconclusive.
    pub fn of_exit_code(exit_code: u8) -> RunResult {
        match exit_code {
            0 => RunResult::Passed,
            2 => RunResult::Usage,
            3 => RunResult::Unreachable,
            4 => RunResult::Inconclusive,
            130 => RunResult::Interrupted { measured: false },
            _ => RunResult::Failed,
        }
    }

    /// The combined result of several checks or runs; without any, a pass. The first that applies:
    ///
    /// 1. Any failed, or some but not all are unreachable: `failed`.
    /// 2. All are unreachable: `unreachable`.
    /// 3. Any is inconclusive: `inconclusive`.
    /// 4. Any is interrupted: `interrupted`, measured if anything was.
    /// 5. Otherwise `passed`.
    pub fn of_several(results: &[RunResult]) -> RunResult {
        let any = |wanted: RunResult| results.contains(&wanted);
        let is_interrupted = |result: &RunResult| matches!(result, RunResult::Interrupted { .. });
        let unreachable = results.iter().filter(|result| **result == RunResult::Unreachable).count();
        if any(RunResult::Usage) {
            return RunResult::Usage;
        }
        match unreachable {
            _ if any(RunResult::Failed) => RunResult::Failed,
            0 if any(RunResult::Inconclusive) => RunResult::Inconclusive,
            0 if results.iter().any(is_interrupted) => {
                RunResult::Interrupted { measured: results.iter().any(|result| result.is_measured()) }
            }
            0 => RunResult::Passed,
            all if all == results.len() => RunResult::Unreachable,
            _ => RunResult::Failed,
        }
    }

    fn is_measured(self) -> bool {
        match self {
            RunResult::Passed
            | RunResult::Failed
            | RunResult::Inconclusive
            | RunResult::Interrupted { measured: true } => true,
            RunResult::Usage | RunResult::Unreachable | RunResult::Interrupted { measured: false } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator;

    use super::RunResult::{Failed, Inconclusive, Interrupted, Passed, Unreachable};
    use super::*;
    use crate::domain::label::Label;

    #[test]
    fn every_result_has_the_exit_code_of_the_contract() {
        let codes: Vec<_> = RunResult::iter().map(|result| (result.label(), result.exit_code())).collect();
        let expected = [
            ("usage", 2),
            ("passed", 0),
            ("failed", 1),
            ("unreachable", 3),
            ("inconclusive", 4),
            ("interrupted", 130),
        ];
        assert_eq!(codes, expected);
        assert_eq!(Interrupted { measured: true }.exit_code(), 4);
    }

    #[test]
    fn exit_code_leads_back_to_its_result() {
        let results = [Passed, Failed, RunResult::Usage, Unreachable, Inconclusive];
        for result in results.into_iter().chain([Interrupted { measured: false }]) {
            assert_eq!(RunResult::of_exit_code(result.exit_code()), result);
        }
    }

    #[test]
    fn several_results_come_to_one() {
        let (cut, nothing) = (Interrupted { measured: true }, Interrupted { measured: false });
        let cases: &[(&[RunResult], RunResult)] = &[
            (&[], Passed),
            (&[Passed, Passed], Passed),
            (&[Passed, Failed, Unreachable, Inconclusive], Failed),
            (&[Passed, Unreachable], Failed),
            (&[Inconclusive, Unreachable], Failed),
            (&[cut, Unreachable], Failed),
            (&[Unreachable, Unreachable], Unreachable),
            (&[Passed, Inconclusive], Inconclusive),
            (&[Inconclusive, cut], Inconclusive),
            (&[Passed, cut], cut),
            (&[Passed, nothing], cut),
            (&[nothing, nothing], nothing),
        ];
        for (results, expected) in cases {
            assert_eq!(RunResult::of_several(results), *expected, "{results:?}");
        }
    }
}
