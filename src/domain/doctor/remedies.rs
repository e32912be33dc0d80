//! Which products' configuration may mend what was found.

use super::doctor_finding::RefusalCause;
use crate::domain::catalogue::{self, Product, SettingChange, UpgradeForwarding};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::product_naming::naming_header;
use crate::domain::idle::report::IdleReport;

/// What to write into a product's configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigChange {
    /// The product's id in the catalogue: `nginx`.
    pub product: &'static str,
    /// Where the lines belong.
    pub place: &'static str,
    pub lines: &'static [&'static str],
}

/// What may make an upgrade pass that was refused: of the products that the response names, or of all that have to be
/// told, if it names none of them.
pub fn of_refusal(cause: RefusalCause, headers: &[(String, UntrustedText)]) -> Vec<ConfigChange> {
    let may_help = match cause {
        RefusalCause::UpgradeNotPassedOn | RefusalCause::Page | RefusalCause::PathUnknown => true,
        RefusalCause::Redirect
        | RefusalCause::Credentials
        | RefusalCause::Forbidden
        | RefusalCause::ServerBehindFails
        | RefusalCause::TooMany
        | RefusalCause::OtherProtocol
        | RefusalCause::BeforeUpgrade
        | RefusalCause::Other => false,
    };
    let told = || catalogue::products().filter_map(to_be_told);
    let named = |product: &&'static Product| {
        product.timeouts.iter().any(|timeout| naming_header(timeout, headers).is_some())
    };
    let of_named: Vec<ConfigChange> = catalogue::products().filter(named).filter_map(to_be_told).collect();
    match (may_help, of_named.is_empty()) {
        (false, _) => Vec::new(),
        (true, false) => of_named,
        (true, true) => told().collect(),
    }
}

/// The lines of a product that does not pass upgrades on by itself.
fn to_be_told(product: &'static Product) -> Option<ConfigChange> {
    let UpgradeForwarding { place, lines, .. } = product.upgrade.as_ref()?;
    (!lines.is_empty()).then_some(ConfigChange { product: product.id, place, lines })
}

/// How to raise the timers that an idle timeout is consistent with.
pub fn of_idle_timeout(report: &IdleReport) -> Vec<ConfigChange> {
    let fitting = report.naming.candidates.iter().chain(&report.naming.undecided);
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

fn line_of(change: &'static SettingChange) -> Option<&'static [&'static str]> {
    match change {
        SettingChange::Set(line) => Some(std::slice::from_ref(line)),
        SettingChange::Fixed | SettingChange::Nothing => None,
    }
}

/// The entry that has this timer.
fn product_of(timeout: &str) -> Option<&'static Product> {
    catalogue::products().find(|product| product.timeouts.iter().any(|known| known.id == timeout))
}
