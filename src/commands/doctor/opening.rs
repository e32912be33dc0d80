//! The first checks of a path: name, addresses, upgrade, and what the upgrade depends on. One connection at a time.

use std::sync::Arc;

use http::HeaderValue;

use super::plan::DoctorPlan;
use crate::commands::detect::collect_fingerprint;
use crate::domain::catalogue;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo};
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::doctor::evidence::{PathEvidence, Resolution, UpgradeChange, UpgradeVariant};
use crate::domain::doctor::{Check, browser_limit};
use crate::domain::presets::PresetDetection;
use crate::net::client::idle_probe::send_close;
use crate::net::client::websocket::WebSocket;
use crate::net::connect::dial::{self, DialPlan};
use crate::net::connect::reach;
use crate::net::connect::tls_inspection::inspect;

/// The origin of a page that belongs to no server (RFC 6761 6.4).
const FOREIGN_ORIGIN: &str = "https://wscheck.invalid";

/// Statuses that may depend on the Origin header or the subprotocol.
const DEPENDS_ON_REQUEST: [u16; 4] = [400, 403, 406, 426];

/// Looks up the name and tries every address.
pub async fn survey(dial: &DialPlan, target: &Target, evidence: &mut PathEvidence) {
    let survey = reach::survey(dial, target).await;
    evidence.proxy = survey.proxy;
    match survey.outcome {
        Err(error) => evidence.resolution = Some(Resolution::Failed(error)),
        Ok(addresses) => {
            evidence.addresses = addresses;
            evidence.resolution = Some(match survey.name.zip(survey.took) {
                Some((name, took)) => Resolution::Answered { name, took },
                None => Resolution::Given,
            });
        }
    }
}

/// What the server's TLS shows, whatever its certificates are worth.
pub async fn tls(dial: &DialPlan, target: &Target, evidence: &mut PathEvidence) {
    if target.secure() {
        evidence.tls = Some(inspect(dial, target).await.map(Box::new).map_err(Arc::new));
    }
}

/// Opens a WebSocket and closes it again.
async fn try_upgrade(
    dial: &DialPlan,
    target: &Target,
    largest: usize,
) -> Result<Arc<ConnectInfo>, Arc<ConnectError>> {
    let dial::Open { stream, leftover, tap_state, facts } = dial::open(dial, target).await?;
    let mut socket = WebSocket::new(stream, leftover, tap_state, largest, 1024).await;
    send_close(&mut socket).await;
    Ok(Arc::new(facts))
}

/// The plain upgrade twice more, up to an outcome that differs from the first one: a server that refuses every second
/// request must not look as if it wanted what was changed.
async fn repeat(
    dial: &DialPlan,
    target: &Target,
    largest: usize,
    was_accepted: bool,
) -> Result<Arc<ConnectInfo>, Arc<ConnectError>> {
    let again = try_upgrade(dial, target, largest).await;
    if again.is_ok() == was_accepted { try_upgrade(dial, target, largest).await } else { again }
}

/// The upgrade and what it depends on. Leaves in `dial` what the server turned out to need.
pub async fn upgrade(dial: &mut DialPlan, plan: &DoctorPlan, evidence: &mut PathEvidence) {
    let plain = try_upgrade(dial, &plan.target, plan.max_message_size).await;
    evidence.browser_limits = browser_limit::limits(&plan.target);
    evidence.upgrade = Some(plain.clone());
    match plain {
        Ok(_) => change_accepted(dial, plan, evidence).await,
        Err(error) if may_depend_on_request(&error) => change_refused(dial, plan, evidence).await,
        Err(error) if error.phase == Phase::Tls && matches!(evidence.tls, Some(Ok(_))) => {
            change_verification(dial, plan, evidence).await;
        }
        Err(_) => {}
    }
}

/// Which changes of an accepted request are refused.
async fn change_accepted(dial: &DialPlan, plan: &DoctorPlan, evidence: &mut PathEvidence) {
    let (target, largest, selection) = (&plan.target, plan.max_message_size, &plan.selection);
    let foreign = (selection.has(Check::Origin) && dial.origin.is_none()).then(|| {
        let changed = DialPlan { origin: HeaderValue::from_str(FOREIGN_ORIGIN).ok(), ..dial.clone() };
        (UpgradeChange::ForeignOrigin(FOREIGN_ORIGIN.to_string()), changed)
    });
    let browser = selection.has(Check::Browser).then(|| (UpgradeChange::Browser, as_browser(dial, target)));
    for (change, changed) in foreign.into_iter().chain(browser) {
        let outcome = try_upgrade(&changed, target, largest).await;
        if outcome.is_err() && !evidence.is_unsteady() {
            evidence.repeated = Some(repeat(dial, target, largest, true).await);
        }
        evidence.variants.push(UpgradeVariant { change, outcome });
    }
}

/// The first change with which a refused request is accepted.
async fn change_refused(dial: &mut DialPlan, plan: &DoctorPlan, evidence: &mut PathEvidence) {
    let (target, largest) = (&plan.target, plan.max_message_size);
    for (change, changed) in changes(dial, target) {
        let outcome = try_upgrade(&changed, target, largest).await;
        let is_accepted = outcome.is_ok();
        evidence.variants.push(UpgradeVariant { change, outcome });
        if is_accepted {
            let repeated = repeat(dial, target, largest, false).await;
            // Accepted without the change, too: the change is not what it needs.
            if repeated.is_err() {
                *dial = changed;
            }
            evidence.repeated = Some(repeated);
            break;
        }
    }
}

/// Without verification, where nothing secret would be sent.
async fn change_verification(dial: &mut DialPlan, plan: &DoctorPlan, evidence: &mut PathEvidence) {
    let Some(changed) = unverified(dial, &plan.target).filter(|_| !plan.sends_own_messages) else { return };
    let outcome = try_upgrade(&changed, &plan.target, plan.max_message_size).await;
    if outcome.is_ok() {
        *dial = changed;
    }
    evidence.variants.push(UpgradeVariant { change: UpgradeChange::WithoutVerification, outcome });
}

/// Without verification the rest can be measured, but nothing secret may be sent.
fn unverified(dial: &DialPlan, target: &Target) -> Option<DialPlan> {
    let is_secret = dial.credentials.is_some() || !dial.headers.is_empty() || !target.secrets().is_empty();
    let tls = dial.tls.unverified().filter(|_| !is_secret && target.credentials().is_none())?;
    Some(DialPlan { tls: Arc::new(tls), ..dial.clone() })
}

fn may_depend_on_request(error: &ConnectError) -> bool {
    error.refusal.as_ref().is_some_and(|refusal| DEPENDS_ON_REQUEST.contains(&refusal.status))
}

/// What a browser or another client would send besides; only what the user did not set.
fn changes(dial: &DialPlan, target: &Target) -> Vec<(UpgradeChange, DialPlan)> {
    let origin = own_origin(target);
    let header = HeaderValue::from_str(&origin).ok().filter(|_| dial.origin.is_none());
    let with_origin = DialPlan { origin: header.clone().or_else(|| dial.origin.clone()), ..dial.clone() };
    let own = header.map(|_| (UpgradeChange::OwnOrigin(origin), with_origin.clone()));
    let known = known_subprotocols();
    let offered = dial.subprotocols.is_empty().then(|| {
        let changed = DialPlan { subprotocols: known.clone(), ..dial.clone() };
        (UpgradeChange::Subprotocols(known), changed)
    });
    let browser = (UpgradeChange::Browser, as_browser(dial, target));
    own.into_iter().chain(offered).chain([browser]).collect()
}

/// The origin of a page of the same server.
fn own_origin(target: &Target) -> String {
    let scheme = if target.secure() { "https" } else { "http" };
    format!("{scheme}://{}", target.authority())
}

/// What browsers send with the upgrade besides Origin and extensions, as Firefox 140 does for a page of the same server.
const BROWSER_HEADERS: [(&str, &str); 9] = [
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("accept", "*/*"),
    ("accept-language", "en-US,en;q=0.5"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("sec-fetch-dest", "websocket"),
    ("sec-fetch-mode", "websocket"),
    ("sec-fetch-site", "same-origin"),
    ("pragma", "no-cache"),
    ("cache-control", "no-cache"),
];

/// The request of a page of the same server; what the user set stays.
fn as_browser(dial: &DialPlan, target: &Target) -> DialPlan {
    let mut changed = dial.clone();
    changed.origin = changed.origin.or_else(|| HeaderValue::from_str(&own_origin(target)).ok());
    for (name, value) in BROWSER_HEADERS {
        changed.headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    changed
}

/// The subprotocols of every known convention, each once.
fn known_subprotocols() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in catalogue::presets().flat_map(|preset| preset.subprotocols) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_string());
        }
    }
    names
}

/// Which convention the server speaks. A subprotocol that it chose of all known ones need not be what it speaks.
pub async fn convention(
    dial: &DialPlan,
    plan: &DoctorPlan,
    evidence: &PathEvidence,
) -> Option<PresetDetection> {
    let is_offer = |variant: &UpgradeVariant| matches!(variant.change, UpgradeChange::Subprotocols(_));
    if evidence.accepted_variant().is_some_and(is_offer) {
        let why = "the subprotocol that it chose of all known ones need not be what it speaks".to_string();
        return Some(PresetDetection { preset: None, evidence: vec![why] });
    }
    let fingerprint = collect_fingerprint(&plan.target, dial, plan.max_message_size).await;
    fingerprint.ok().map(|fingerprint| fingerprint.guess())
}
