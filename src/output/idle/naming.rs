//! Which products a cut is consistent with, for people: with the setting to look for, and what tells products apart.

use crate::domain::idle::middleboxes::{Candidate, RuledOut, SettingChange};
use crate::domain::idle::report::IdleReport;
use crate::domain::idle::{CutManner, IdleVerdict};
use crate::output::human::LabelledRows;

/// The products that the evidence names, those that fit as well, and those that it rules out.
pub fn consistent(rows: &mut LabelledRows, report: &IdleReport) {
    let naming = &report.naming;
    let mut label = "consistent";
    for candidate in &naming.candidates {
        rows.add(std::mem::take(&mut label), &named(candidate));
    }
    rows.add_some("caveat", naming.candidates.first().and_then(Candidate::caveat));
    rows.add_some("consistent", undecided(&naming.undecided, report.findings.manner.as_ref()));
    rows.add_some("tell apart", tell_apart(&naming.undecided));
    rows.add_some("consistent", unknown(report));
    let mut label = "not named";
    for ruled_out in &naming.ruled_out {
        rows.add(std::mem::take(&mut label), &not_named(ruled_out));
    }
}

/// What to change, where the evidence names a product.
pub fn change(rows: &mut LabelledRows, report: &IdleReport) {
    let mut label = "change";
    for candidate in &report.naming.candidates {
        let product = candidate.middlebox.product;
        let change = match candidate.middlebox.change {
            SettingChange::Set(example) => format!("if it is {product}: {example}"),
            SettingChange::Fixed => format!("if it is {product}: it cannot be changed"),
            SettingChange::Nothing => continue,
        };
        rows.add(std::mem::take(&mut label), &change);
    }
}

/// ``with nginx, `proxy_read_timeout 20s` in http, server or location: the response says server: nginx; ...``
fn named(candidate: &Candidate) -> String {
    let (product, topic) = (candidate.middlebox.product, candidate.middlebox.topic());
    let why = candidate.reasons.join("; ");
    format!("with {product}, {}: {why}; see `wscheck timeouts {topic}`", candidate.setting())
}

/// The products that fit where nothing singles one out.
fn undecided(undecided: &[Candidate], manner: Option<&CutManner>) -> Option<String> {
    let fits = undecided.iter().map(|candidate| {
        let default = if candidate.is_default() { " (its default)" } else { "" };
        format!("{}: {}{default}", candidate.middlebox.product, candidate.setting())
    });
    let why = match manner {
        Some(CutManner::Visible(_)) | None => "no header names what cut. It may be the server itself, or",
        Some(_) => "what forgets connections shows itself in no header. It may be",
    };
    let fits: Vec<String> = fits.collect();
    (!fits.is_empty())
        .then(|| format!("with several, and nothing singles one out: {why}: {}", fits.join("; ")))
}

/// What would tell them apart.
fn tell_apart(undecided: &[Candidate]) -> Option<String> {
    let mut logs: Vec<String> = Vec::new();
    for middlebox in undecided.iter().map(|candidate| candidate.middlebox) {
        let log = middlebox.tells.map(|tells| format!("{}: {tells}", middlebox.product));
        logs.extend(log.filter(|log| !logs.contains(log)));
    }
    let logs = if logs.is_empty() { String::new() } else { format!(" ({})", logs.join("; ")) };
    (!undecided.is_empty()).then(|| {
        format!(
            "the logs of each hop at the moment of a cut{logs}; a probe from behind each hop; \
             `wscheck timeouts PRODUCT` for each"
        )
    })
}

/// Where a cut was measured, and the table knows nothing that cuts so.
fn unknown(report: &IdleReport) -> Option<String> {
    let is_measured = match report.findings.verdict {
        IdleVerdict::IdleTimeout => report.findings.bracket.hi.is_some(),
        IdleVerdict::LifetimeCap => true,
        IdleVerdict::NoTimeoutUpToMax
        | IdleVerdict::ServerKeepsItBusy
        | IdleVerdict::ServerPolicy
        | IdleVerdict::Stochastic
        | IdleVerdict::Inconclusive => false,
    };
    let is_named = !report.naming.candidates.is_empty() || !report.naming.undecided.is_empty();
    let unknown =
        "with nothing in the table of known timers (`wscheck timeouts`): perhaps the server's own timer";
    (is_measured && !is_named).then(|| unknown.to_string())
}

/// `nginx, though the response says server: nginx: it cuts in another way (FIN)`
fn not_named(RuledOut { product, header, why }: &RuledOut) -> String {
    format!("{product}, though the response says {header}: {why}. The header may be that of another hop")
}
