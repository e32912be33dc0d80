//! The findings of a run, whatever the command.

use super::rows::LabelledRows;
use super::style::Styler;
use crate::domain::label::Label;
use crate::output::view::ShownFinding;

/// Of more findings, the most severe are shown.
const MAX_SHOWN_FINDINGS: usize = 20;

/// A row for each finding: `finding      problem: the server echoes: ...`.
pub fn findings(rows: &mut LabelledRows, findings: &[ShownFinding], paint: Styler) {
    for finding in findings.iter().take(MAX_SHOWN_FINDINGS) {
        let severity = paint.severity(finding.severity, finding.severity.label());
        rows.add("finding", &format!("{severity}: {}", finding.line()));
    }
    let more = findings.len().saturating_sub(MAX_SHOWN_FINDINGS);
    rows.add_some("", (more > 0).then(|| format!("and {more} more (-o json lists all)")));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ping::finding::PingFinding;
    use crate::output::view::Explanation;

    #[test]
    fn many_findings_are_shortened() {
        let finding = PingFinding::CertificateExpires { days: 1 };
        let one = ShownFinding::new(&finding, Explanation::new("it expires").remedy("renew it"));
        let mut rows = LabelledRows::new(Styler { color: false }, None);
        findings(&mut rows, &vec![one; 23], Styler { color: false });
        let text = rows.into_text();
        assert!(text.starts_with("finding      warning: it expires; renew it\n"), "{text}");
        assert!(text.ends_with("             and 3 more (-o json lists all)\n"), "{text}");
        assert_eq!(text.lines().count(), 21);
    }
}
