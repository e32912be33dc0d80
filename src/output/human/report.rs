//! The report for people: the answer first, then what to do, what was demanded, the evidence, and the details.

use super::HumanOptions;
use super::histogram::histogram;
use super::rows::LabelledRows;
use super::style::Styler;
use super::table::table;
use crate::domain::label::Label;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::domain::run::finding::Severity;
use crate::domain::run::run_result::RunResult;
use crate::output::view::{Chart, Phrase, Rows, Section, ShownFinding, Table, Tone, View};

/// Of more findings, the most severe are shown.
const MAX_SHOWN_FINDINGS: usize = 20;

/// The report; `None` if everything was said while the run went on.
pub fn report(view: &View, options: HumanOptions) -> Option<String> {
    (!view.is_already_said).then(|| report_always(view, options))
}

/// The report, also if everything was said while the run went on.
pub fn report_always(view: &View, options: HumanOptions) -> String {
    let paint = Styler { color: options.color };
    let mut writer = ReportLayout { rows: LabelledRows::new(paint, options.width), paint, options };
    writer.heading(&view.subject);
    writer.answer(view);
    writer.body(view);
    writer.verdict(view.result, &view.reasons);
    writer.rows.into_text()
}

struct ReportLayout {
    rows: LabelledRows,
    paint: Styler,
    options: HumanOptions,
}

impl ReportLayout {
    fn heading(&mut self, title: &str) {
        self.rows.add_raw(&format!("{}\n", self.paint.strong(&format!("--- {title} ---"))));
    }

    /// What was found, what to do about it, and what was demanded.
    fn answer(&mut self, view: &View) {
        self.phrase("answer", &view.headline);
        view.remedies().for_each(|remedy| self.rows.add("do", remedy));
        for (number, criterion) in view.demanded().enumerate() {
            self.rows.add(if number == 0 { "criteria" } else { "" }, &criterion_line(criterion, self.paint));
        }
        if view.is_checklist { self.checklist(&view.findings) } else { self.findings(view) }
    }

    /// A line a finding, under what it is about; below it, what to do.
    fn checklist(&mut self, findings: &[ShownFinding]) {
        let mut heading = None;
        for finding in findings {
            let label = finding.about.as_deref().filter(|about| heading != Some(*about));
            heading = finding.about.as_deref();
            let sign = match (finding.is_unchecked(), finding.severity) {
                (true, _) => "-",
                (false, Severity::Info) => "i",
                (false, severity) => sign(severity),
            };
            let sign = self.paint.severity(finding.severity, sign);
            let is_to_do = finding.severity >= Severity::Warning;
            // What is to be done has a page by its code.
            let code = if is_to_do { format!(" ({})", finding.code) } else { String::new() };
            let text = format!("{}{code}", finding.explanation.message);
            self.rows.add_item(label.unwrap_or_default(), &format!("{sign} "), &text);
            if let Some(remedy) = finding.explanation.remedy.as_ref().filter(|_| is_to_do) {
                self.rows.add_item("", "  → ", remedy);
            }
        }
    }

    /// Of several targets, quiet users want the table alone, and only `--verbose` shows the details of each.
    fn body(&mut self, view: &View) {
        let has_several = view.sections.len() > 1;
        let is_brief = has_several && self.options.quiet;
        if !is_brief && !view.evidence.is_empty() {
            self.rows.add_blank_line();
            self.add_rows(&view.evidence);
        }
        self.tables(&view.tables);
        self.rows.add_blank_line();
        if is_brief {
            return;
        }
        match view.sections.as_slice() {
            [only] => self.section(only),
            several if has_several && !self.options.verbose => {
                let each = view.tables.first().map_or("targets", |table| &table.name);
                let text = format!("--verbose shows those of each of the {} {each}", several.len());
                self.rows.add("details", &text);
            }
            several => several.iter().for_each(|section| {
                self.heading(&section.title);
                self.section(section);
                self.rows.add_blank_line();
            }),
        }
        self.add_rows(&view.about_run);
    }

    fn section(&mut self, section: &Section) {
        self.add_rows(&section.rows);
        section.charts.iter().for_each(|chart| self.chart(chart));
        if !section.tables.is_empty() {
            self.tables(&section.tables);
            self.rows.add_blank_line();
        }
    }

    fn tables(&mut self, tables: &[Table]) {
        for shown in tables.iter().filter(|table| !table.rows.is_empty()) {
            self.rows.add_blank_line();
            self.rows.add_raw(&table(shown, self.paint, self.options.width));
        }
    }

    fn add_rows(&mut self, rows: &Rows) {
        for row in &rows.0 {
            if row.is_unbroken {
                self.rows.add_unbroken(&row.label, &row.text.text());
            } else {
                self.phrase(&row.label, &row.text);
            }
        }
    }

    fn phrase(&mut self, label: &str, phrase: &Phrase) {
        let claim = match phrase.tone {
            _ if phrase.claim.is_empty() => String::new(),
            Tone::Neutral => self.paint.strong(&phrase.claim),
            Tone::Good => self.paint.good(&phrase.claim),
            Tone::Caution => self.paint.caution(&phrase.claim),
            Tone::Bad => self.paint.bad(&phrase.claim),
        };
        self.rows.add(label, &format!("{claim}{}", phrase.rest));
    }

    /// The findings that neither the answer nor the verdict says: what each says and, below it, what to do.
    fn findings(&mut self, view: &View) {
        let is_said = |finding: &&ShownFinding| view.reasons.contains(&finding.explanation.line());
        let others: Vec<&ShownFinding> = view.other_findings().filter(|finding| !is_said(finding)).collect();
        for (number, finding) in others.iter().take(MAX_SHOWN_FINDINGS).enumerate() {
            let sign = self.paint.severity(finding.severity, sign(finding.severity));
            let label = if number == 0 { "findings" } else { "" };
            self.rows.add_item(label, &format!("{sign} "), &finding.text());
            if let Some(remedy) = &finding.explanation.remedy {
                self.rows.add_item("", "  → ", remedy);
            }
        }
        let more = others.len().saturating_sub(MAX_SHOWN_FINDINGS);
        self.rows.add_some("", (more > 0).then(|| format!("and {more} more (-o json lists all)")));
    }

    /// Of the charts, a line of text can show a distribution.
    fn chart(&mut self, chart: &Chart) {
        match chart {
            Chart::Distribution(distribution) => self.rows.add_some("histogram", histogram(distribution)),
            Chart::RttOverTime(_) | Chart::Lanes(_) | Chart::Tracks(_) => {}
        }
    }

    /// The result and its reasons. The first reason of an interrupted run says how much of it was done.
    fn verdict(&mut self, result: RunResult, reasons: &[String]) {
        let (words, reasons) = match (result, reasons) {
            // The result says the second.
            (RunResult::Interrupted { measured: true }, [progress, same]) if same == result.label() => {
                (progress.as_str(), [].as_slice())
            }
            (RunResult::Interrupted { measured: true }, [progress, rest @ ..]) => (progress.as_str(), rest),
            (_, _) => (result.label(), reasons),
        };
        let head = format!("{} (exit {})", self.paint.verdict(result, words), result.exit_code());
        match reasons {
            [] => self.rows.add("verdict", &head),
            [reason] => self.rows.add("verdict", &format!("{head}: {reason}")),
            reasons => {
                self.rows.add("verdict", &format!("{head}:"));
                reasons.iter().for_each(|reason| self.rows.add_item("", "- ", reason));
            }
        }
    }
}

fn sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Ok => "✓",
        Severity::Info => "-",
        Severity::Warning => "!",
        Severity::Problem => "✗",
    }
}

/// `✓ rtt.p95 <= 300 ms: 31 ms`
fn criterion_line(criterion: &Criterion, paint: Styler) -> String {
    let sign = match criterion.state {
        CriterionState::Met => paint.good("✓"),
        CriterionState::NotMet if criterion.only_warns() => paint.caution("!"),
        CriterionState::NotMet => paint.bad("✗"),
        CriterionState::Unknown => paint.caution("?"),
    };
    format!("{sign} {}: {}", criterion.wanted, criterion.found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::ping::fixtures::view_of;
    use crate::output::testing::PLAIN;

    #[test]
    fn an_interrupted_run_says_so_once() {
        let mut view = view_of("healthy");
        view.result = RunResult::Interrupted { measured: true };
        view.reasons = vec!["interrupted after 3 s".to_string(), "interrupted".to_string()];
        let text = report_always(&view, PLAIN);
        assert!(text.ends_with("verdict      interrupted after 3 s (exit 4)\n"), "{text}");
    }
}
