//! How a report ends, whatever the command: what was demanded, and the result.

use super::rows::LabelledRows;
use super::style::Styler;
use crate::domain::run::criterion::{Criterion, CriterionState};
use crate::output::view::View;

/// Adds the demanded criteria and, last, the result with its reasons.
pub fn conclusion(rows: &mut LabelledRows, view: &View, paint: Styler) {
    for (number, criterion) in view.criteria.iter().filter(|criterion| criterion.option.is_some()).enumerate()
    {
        rows.add(if number == 0 { "criteria" } else { "" }, &line(criterion, paint));
    }
    super::verdict(rows, view.result, &view.reasons, paint);
}

/// `✓ rtt.p95 <= 300 ms: 31 ms`
fn line(criterion: &Criterion, paint: Styler) -> String {
    let sign = match criterion.state {
        CriterionState::Met => paint.good("✓"),
        CriterionState::NotMet => paint.bad("✗"),
        CriterionState::Unknown => paint.caution("?"),
    };
    format!("{sign} {}: {}", criterion.wanted, criterion.found)
}
