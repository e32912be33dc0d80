//! Which products' configuration may mend what was found.

use super::doctor_finding::RefusalCause;
use crate::domain::catalogue::{self, Product, SettingChange, UpgradeForwarding};
use crate::domain::connection::close_cause::CloseCause;
use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::VisibleEnd;
use crate::domain::idle::product_naming::{CutObservation, ProductNaming, consistent_with, naming_header};
use crate::domain::idle::report::IdleReport;

/// What to write into a product's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigChange {
    /// The product's id in the catalogue: `nginx`.
    pub product: &'static str,
    /// Where the lines belong.
    pub place: &'static str,
    pub lines: Vec<&'static str>,
}

/// What may make an upgrade pass that was refused. Where the server saw an ordinary request: the products that the response
/// names, or all that have to be told if it names none of them. Else those that refuse with this status by themselves.
pub fn of_refusal(cause: RefusalCause, error: &ConnectError) -> Vec<ConfigChange> {
    let Some(refusal) = &error.refusal else { return Vec::new() };
    let named = |product: &&'static Product| {
        product.timeouts.iter().any(|timeout| naming_header(timeout, &refusal.headers).is_some())
    };
    let refuses = |product: &&'static Product| {
        product.upgrade.as_ref().is_some_and(|upgrade| upgrade.refuses_with == Some(refusal.status))
    };
    if cause != RefusalCause::UpgradeNotPassedOn {
        return catalogue::products().filter(named).filter(refuses).filter_map(to_be_told).collect();
    }
    let of_named: Vec<ConfigChange> = catalogue::products().filter(named).filter_map(to_be_told).collect();
    if of_named.is_empty() { catalogue::products().filter_map(to_be_told).collect() } else { of_named }
}

/// The lines of a product that does not pass upgrades on by itself.
fn to_be_told(product: &'static Product) -> Option<ConfigChange> {
    let UpgradeForwarding { place, lines, .. } = product.upgrade?;
    (!lines.is_empty()).then_some(ConfigChange { product: product.id, place, lines: lines.to_vec() })
}

/// How to raise the timers that an idle timeout is consistent with.
pub fn of_idle_timeout(report: &IdleReport) -> Vec<ConfigChange> {
    raising(&report.naming)
}

/// How to raise the limits on the age of connections that the end of one is consistent with.
pub fn of_end_in_use(ending: &CloseCause, headers: &[(String, UntrustedText)]) -> Vec<ConfigChange> {
    let end = VisibleEnd { how: ending.how.clone(), half_open: None };
    let observed = CutObservation::end_in_use(ending.age, &end, headers);
    observed.map(|observed| raising(&consistent_with(&observed))).unwrap_or_default()
}

fn raising(naming: &ProductNaming) -> Vec<ConfigChange> {
    let fitting = naming.candidates.iter().chain(&naming.undecided);
    let mut changes: Vec<ConfigChange> = Vec::new();
    for candidate in fitting {
        let change = product_of(candidate.timeout.id).zip(line_of(&candidate.timeout.change));
        let change = change.map(|(product, lines)| ConfigChange {
            product: product.id,
            place: candidate.timeout.setting,
            lines,
        });
        changes.extend(change.filter(|change| !changes.contains(change)));
    }
    changes
}

fn line_of(change: &SettingChange) -> Option<Vec<&'static str>> {
    match change {
        SettingChange::Set(lines) => Some(lines.lines().collect()),
        SettingChange::Fixed | SettingChange::Nothing => None,
    }
}

/// The entry that has this timer.
fn product_of(timeout: &str) -> Option<&'static Product> {
    catalogue::products().find(|product| product.timeouts.iter().any(|known| known.id == timeout))
}
