//! The answer in at most five lines.

use super::findings::{self, Context};
use crate::domain::doctor::report::DoctorReport;
use crate::domain::doctor::{Check, CheckResult, DoctorFinding};
use crate::domain::format::counted;
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;
use crate::output::view::{Phrase, Tone};

/// The most lines, with the first.
const MAX_LINES: usize = 5;

/// What is wrong, in one line.
pub fn headline(report: &DoctorReport, explain: impl Fn(&CheckResult) -> String) -> Phrase {
    let severe = report.most_severe();
    let count = |wanted: Severity| severe.iter().filter(|result| result.severity == wanted).count() as u64;
    let (problems, warnings) = (count(Severity::Problem), count(Severity::Warning));
    let first = severe.first().map(|result| format!(": {}", explain(result))).unwrap_or_default();
    match (report.result, problems, warnings) {
        (RunResult::Unreachable, _, _) => Phrase::new("not reachable", Tone::Bad, first),
        (_, 1.., 0) => Phrase::new(counted(problems, "problem"), Tone::Bad, first),
        (_, 1.., _) => Phrase::new(
            format!("{}, {}", counted(problems, "problem"), counted(warnings, "warning")),
            Tone::Bad,
            first,
        ),
        (_, 0, 1..) => {
            Phrase::new(format!("no problem, {}", counted(warnings, "warning")), Tone::Caution, first)
        }
        (RunResult::Inconclusive | RunResult::Interrupted { .. }, 0, 0) => {
            Phrase::new("no problem seen so far", Tone::Caution, ", and not everything could be checked")
        }
        (_, 0, 0) => Phrase::new("no problem found", Tone::Good, ""),
    }
}

/// What follows the headline: at which hop, what to change, how often to send a heartbeat.
pub fn further_lines(report: &DoctorReport) -> Vec<String> {
    let Some(path) = report.main_path() else { return Vec::new() };
    let context = Context { info: &report.info, path };
    let explained = |result: &CheckResult| findings::explain(&result.finding, context);
    let results = report.results();
    let hops = results
        .iter()
        .filter(|result| result.check == Check::Hops && result.severity != Severity::Ok)
        .filter(|result| !matches!(result.finding, DoctorFinding::NotChecked(_)))
        .map(|result| explained(result).message);
    let severe = report.most_severe();
    let do_first = severe.iter().filter_map(|result| explained(result).remedy);
    let advice = results
        .iter()
        .filter(|result| is_good_to_know(&result.finding))
        .map(|result| explained(result).message);
    let mut lines: Vec<String> = Vec::new();
    for line in hops.chain(do_first).chain(advice) {
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.truncate(MAX_LINES - 1);
    lines
}

fn is_good_to_know(finding: &DoctorFinding) -> bool {
    matches!(
        finding,
        DoctorFinding::HeartbeatAdvised { .. }
            | DoctorFinding::ServerHeartbeatsKeepPathOpen { .. }
            | DoctorFinding::ServerKeepsPathBusy { .. }
    )
}
