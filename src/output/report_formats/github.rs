//! Annotations of GitHub Actions. Each is a workflow command on a line of the step's output:
//! `::error title=wscheck ping::message`.
//!
//! A step keeps at most ten errors and ten warnings; what is more is summed up in the tenth.

use super::RenderedRun;
use crate::domain::label::Label;
use crate::domain::run::criterion::CriterionState;
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;

/// The most annotations of one kind that a step keeps.
const MAX_ANNOTATIONS: usize = 10;

/// The annotations of a run, errors first, then one notice with the result.
pub fn render(run: &RenderedRun<'_>) -> String {
    let title = format!("wscheck {}", run.command);
    let notice = format!("{}: {}", run.view.result.label(), run.view.headline.text());
    let errors = summed_up(errors(run)).into_iter().map(|text| command("error", &title, &text));
    let warnings = summed_up(warnings(run)).into_iter().map(|text| command("warning", &title, &text));
    errors.chain(warnings).chain([command("notice", &title, &notice)]).collect()
}

/// Why the run did not pass.
fn errors(run: &RenderedRun<'_>) -> Vec<String> {
    match run.view.result {
        RunResult::Passed => Vec::new(),
        result if run.view.reasons.is_empty() => vec![result.label().to_string()],
        _ => run.view.reasons.clone(),
    }
}

/// What the user should know, the criteria that only warn, and those that nothing decided.
fn warnings(run: &RenderedRun<'_>) -> Vec<String> {
    let not_met = run.view.demanded().filter(|one| one.only_warns() && one.state == CriterionState::NotMet);
    let not_met = not_met.map(|criterion| format!("wanted {}, found {}", criterion.wanted, criterion.found));
    let unknown = run.view.demanded().filter(|criterion| criterion.state == CriterionState::Unknown);
    let unknown =
        unknown.map(|criterion| format!("unknown whether {}: {}", criterion.wanted, criterion.found));
    let findings = run.view.findings.iter().filter(|finding| finding.severity >= Severity::Warning);
    let findings = findings.map(|finding| {
        let remedy = finding.explanation.remedy.as_ref();
        format!("{}{}", finding.text(), remedy.map(|remedy| format!("; {remedy}")).unwrap_or_default())
    });
    not_met.chain(unknown).chain(findings).collect()
}

fn summed_up(mut texts: Vec<String>) -> Vec<String> {
    if texts.len() > MAX_ANNOTATIONS {
        let rest = texts.split_off(MAX_ANNOTATIONS - 1);
        texts.push(format!("and {} more, the first: {}", rest.len(), rest[0]));
    }
    texts
}

fn command(kind: &str, title: &str, message: &str) -> String {
    format!("::{kind} title={}::{}\n", property(title), data(message))
}

/// The escapes of a message: actions/toolkit, packages/core/src/command.ts, `escapeData`.
pub fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes of a property: the same file, `escapeProperty`.
pub fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// What keeps a peer's text from being a command: how a line that is not ours is written while GitHub Actions reads.
///
/// The runner takes a line for a command if it begins, after spaces, with `::`, or has `##[` anywhere
/// (actions/runner, src/Runner.Common/ActionCommand.cs). In JSON `##[` occurs in strings alone, where an escape keeps the
/// meaning.
pub fn defused(text: &str, is_json: bool) -> String {
    let replacement = if is_json { r"#\u0023[" } else { "# #[" };
    let text = text.replace("##[", replacement);
    let lines = text.split_inclusive('\n').map(|line| {
        let start = line.len() - line.trim_start().len();
        if line[start..].starts_with("::") {
            format!("{}: :{}", &line[..start], &line[start + 2..])
        } else {
            line.to_string()
        }
    });
    lines.collect()
}
