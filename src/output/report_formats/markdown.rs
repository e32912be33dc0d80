//! A report in Markdown (CommonMark with GitHub's tables), for tickets and summaries.

use super::{RenderedRun, state_words};
use crate::domain::format::duration;
use crate::domain::label::Label;
use crate::domain::run::finding::Severity;
use crate::output::view::{Rows, Section, Table, View};

/// The whole report.
pub fn render(run: &RenderedRun<'_>) -> String {
    let view = run.view;
    let mut text = format!("## wscheck {}: {}\n\n", escaped(run.command), escaped(&view.subject));
    text += &format!("**{}** (exit {}) ", view.result.label(), view.result.exit_code());
    text += &format!("— {}\n\n", escaped(&view.headline.text()));
    view.remedies().for_each(|remedy| text += &format!("**What to do:** {}\n\n", escaped(remedy)));
    list(&mut text, "", view.reasons.iter().map(|reason| escaped(reason)));
    criteria(&mut text, view);
    findings(&mut text, view);
    rows(&mut text, &view.evidence);
    view.tables.iter().for_each(|shown| table(&mut text, shown));
    details(&mut text, run);
    text
}

fn list(text: &mut String, heading: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|item| format!("- {item}\n")).collect();
    if !items.is_empty() {
        *text += &format!("{heading}{}\n", items.concat());
    }
}

fn criteria(text: &mut String, view: &View) {
    let rows: Vec<[String; 3]> = view
        .demanded()
        .map(|one| [escaped(&one.wanted), escaped(&one.found), state_words(one).to_string()])
        .collect();
    if !rows.is_empty() {
        *text += &lines_of_table(&["wanted", "found", "result"].map(str::to_string), &rows);
    }
}

fn findings(text: &mut String, view: &View) {
    let items = view.other_findings().map(|finding| {
        let severity = match finding.severity {
            severity @ (Severity::Problem | Severity::Warning) => format!("**{}:** ", severity.label()),
            Severity::Info | Severity::Ok => String::new(),
        };
        let remedy = finding.explanation.remedy.as_ref();
        let remedy = remedy.map(|remedy| format!("  \n  → {}", escaped(remedy))).unwrap_or_default();
        format!("{severity}{}{remedy}", escaped(&finding.text()))
    });
    list(text, "### Findings\n\n", items);
}

fn rows(text: &mut String, rows: &Rows) {
    if rows.is_empty() {
        return;
    }
    let cells: Vec<[String; 2]> =
        rows.0.iter().map(|row| [escaped(&row.label), escaped(&row.text.text())]).collect();
    *text += &lines_of_table(&["", ""].map(str::to_string), &cells);
}

fn table(text: &mut String, table: &Table) {
    if table.rows.is_empty() {
        return;
    }
    let header: Vec<String> = table.columns.iter().map(|column| escaped(&column.name)).collect();
    let cells: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(|cell| escaped(&cell.text)).collect()).collect();
    *text += &format!("### {}\n\n{}", escaped(&capitalized(&table.name)), lines_of_table(&header, &cells));
    if let Some(note) = &table.note {
        *text += &format!("{}\n\n", escaped(note));
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn lines_of_table<R: AsRef<[String]>>(header: &[String], rows: &[R]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = line(&vec!["---".to_string(); header.len()]);
    let body: String = rows.iter().map(|row| line(row.as_ref())).collect();
    format!("{}{rule}{body}\n", line(header))
}

/// How the connections were opened, and how the run was made; folded away.
fn details(text: &mut String, run: &RenderedRun<'_>) {
    *text += "<details><summary>Details</summary>\n\n";
    let has_several = run.view.sections.len() > 1;
    run.view.sections.iter().for_each(|shown| section(text, shown, has_several));
    rows(text, &run.view.about_run);
    let host = &run.origin.host;
    let kernel = host.kernel.as_deref().unwrap_or_default();
    *text += &format!(
        "`{}`, wscheck {}, {} {} {}, {}\n\n</details>\n",
        run.command_line().replace('`', "'").split_whitespace().collect::<Vec<_>>().join(" "),
        crate::output::json::WSCHECK_VERSION,
        escaped(&host.os),
        escaped(kernel),
        escaped(&host.arch),
        duration(run.view.elapsed.into())
    );
}

fn section(text: &mut String, section: &Section, is_one_of_several: bool) {
    if is_one_of_several {
        *text += &format!("#### {}\n\n", escaped(&section.title));
    }
    rows(text, &section.rows);
    section.tables.iter().for_each(|shown| table(text, shown));
}

/// Text that Markdown shows as it is: no markup, no HTML, no mention, no link to an issue.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => shown.push_str("<br>"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '&' => shown.push_str("&amp;"),
            '@' | '#' => shown.extend([letter, ZERO_WIDTH_SPACE]),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => shown.extend(['\\', letter]),
            letter => shown.push(letter),
        }
    }
    // GitHub makes links of bare addresses.
    shown.replace("://", &format!(":{ZERO_WIDTH_SPACE}//"))
}

const ZERO_WIDTH_SPACE: char = '\u{200b}';
