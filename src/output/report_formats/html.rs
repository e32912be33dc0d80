//! One HTML file that needs nothing else: no script, no font, no image from elsewhere. maud escapes every text.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{RenderedRun, charts, state_words};
use crate::domain::format::duration;
use crate::domain::label::Label;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;
use crate::output::json::{Timestamp, WSCHECK_VERSION};
use crate::output::view::{Phrase, Row, Rows, Section, ShownFinding, Table, Tone, View};

/// Nothing may be fetched or run; styles stand in the file.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The style of every page.
pub const STYLE: &str = include_str!("html.css");

/// The whole page.
pub fn render(run: &RenderedRun<'_>) -> String {
    let view = run.view;
    let title = format!("wscheck {}: {}", run.command, view.subject);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p.command { "wscheck " (run.command) }
                    h1 { (view.subject) }
                    (answer(view))
                }
                main {
                    (criteria(view))
                    (findings(view))
                    (charts::all(view))
                    (evidence(view))
                    @for shown in &view.tables { (table(shown)) }
                    (sections(view))
                    (about(run))
                }
                (document(run))
            }
        }
    };
    page.into_string()
}

fn answer(view: &View) -> Markup {
    html! {
        p.answer { span.badge.(result_class(view.result)) { (view.result.label()) } " " (phrase(&view.headline)) }
        @for remedy in view.remedies() {
            p.remedy { strong { "What to do: " } (remedy) }
        }
        @if !view.reasons.is_empty() {
            ul { @for reason in &view.reasons { li { (reason) } } }
        }
    }
}

fn result_class(result: RunResult) -> &'static str {
    match result {
        RunResult::Passed => "good",
        RunResult::Failed | RunResult::Unreachable | RunResult::Usage => "bad",
        RunResult::Inconclusive | RunResult::Interrupted { .. } => "caution",
    }
}

fn phrase(phrase: &Phrase) -> Markup {
    html! { @if !phrase.claim.is_empty() { strong.(tone_class(phrase.tone)) { (phrase.claim) } } (phrase.rest) }
}

/// The class of what has this tone.
pub fn tone_class(tone: Tone) -> &'static str {
    match tone {
        Tone::Neutral => "neutral",
        Tone::Good => "good",
        Tone::Caution => "caution",
        Tone::Bad => "bad",
    }
}

fn criteria(view: &View) -> Markup {
    if view.demanded().next().is_none() {
        return html! {};
    }
    let class = |criterion: &Criterion| match criterion.state {
        CriterionState::Met => "good",
        CriterionState::NotMet if criterion.only_warns() => "caution",
        CriterionState::NotMet => "bad",
        CriterionState::Unknown => "caution",
    };
    html! {
        section {
            h2 { "Criteria" }
            (scrollable("Criteria", html! {
                table {
                    thead { tr { th scope="col" { "wanted" } th scope="col" { "found" } th scope="col" { "result" } } }
                    tbody {
                        @for one in view.demanded() {
                            tr {
                                td { (one.wanted) }
                                td { (one.found) }
                                td { span.(class(one)) { (state_words(one)) } }
                            }
                        }
                    }
                }
            }))
        }
    }
}

fn findings(view: &View) -> Markup {
    let others: Vec<&ShownFinding> = view.other_findings().collect();
    if others.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "Findings" }
            ul.findings {
                @for finding in others {
                    li {
                        span.severity.(severity_class(finding.severity)) { (finding.severity.label()) } " "
                        (finding.text())
                        @if let Some(remedy) = &finding.explanation.remedy { div.remedy { "→ " (remedy) } }
                    }
                }
            }
        }
    }
}

fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "good",
        Severity::Info => "neutral",
        Severity::Warning => "caution",
        Severity::Problem => "bad",
    }
}

fn evidence(view: &View) -> Markup {
    html! { @if !view.evidence.is_empty() { section { h2 { "Evidence" } (rows(&view.evidence)) } } }
}

/// A list of labels and texts; a row without a label belongs to the one before.
fn rows(rows: &Rows) -> Markup {
    let starts = |row: &Row| !row.label.is_empty();
    let groups = rows.0.chunk_by(|_, next| !starts(next));
    html! {
        dl {
            @for group in groups {
                dt { (group.first().map(|row| row.label.as_str()).unwrap_or_default()) }
                @for row in group {
                    dd { @if row.is_unbroken { code { (row.text.text()) } } @else { (phrase(&row.text)) } }
                }
            }
        }
    }
}

fn table(table: &Table) -> Markup {
    if table.rows.is_empty() {
        return html! {};
    }
    let is_number = |index: usize| table.columns.get(index).is_some_and(|column| column.is_number);
    html! {
        section {
            h2 { (capitalized(&table.name)) }
            (scrollable(&table.name, html! {
                table {
                    thead {
                        tr {
                            @for column in &table.columns {
                                th scope="col" class=[column.is_number.then_some("number")] { (column.name) }
                            }
                        }
                    }
                    tbody {
                        @for row in &table.rows {
                            tr {
                                @for (index, cell) in row.iter().enumerate() {
                                    td class=[is_number(index).then_some("number")] {
                                        span.(tone_class(cell.tone)) { (cell.text) }
                                    }
                                }
                            }
                        }
                    }
                }
            }))
            @if let Some(note) = &table.note { p { (note) } }
        }
    }
}

/// A part that may be wider than the screen: it scrolls by itself, also by keyboard.
/// What may be wider than the screen.
pub fn scrollable(name: &str, content: Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(name) tabindex="0" { (content) } }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn sections(view: &View) -> Markup {
    html! { @for shown in &view.sections { (section(shown)) } }
}

fn section(section: &Section) -> Markup {
    html! {
        section {
            h2 { "Details: " (section.title) }
            (rows(&section.rows))
        }
        @for shown in &section.tables { (table(shown)) }
    }
}

fn about(run: &RenderedRun<'_>) -> Markup {
    let (view, host) = (run.view, &run.origin.host);
    let kernel = host.kernel.as_deref().unwrap_or_default();
    html! {
        section {
            h2 { "About this run" }
            (rows(&view.about_run))
            dl {
                dt { "command" } dd { code { (run.command_line()) } }
                dt { "started" } dd { (Timestamp::from(view.started_at).to_text()) ", for " (duration(view.elapsed.into())) }
                dt { "host" } dd { (host.os) " " (kernel) " " (host.arch) }
                dt { "version" } dd { "wscheck " (WSCHECK_VERSION) }
            }
        }
    }
}

/// The JSON document, for programs that are given the page. `<` is escaped, so that nothing in it ends the element.
fn document(run: &RenderedRun<'_>) -> Markup {
    let json = (run.document)().replace('<', r"\u003c");
    html! { script type="application/json" id="wscheck-document" { (PreEscaped(json)) } }
}
