//! The first checks of a path: name, addresses, upgrade, and what the upgrade depends on. One connection at a time.

use std::sync::Arc;

use http::HeaderValue;
use strum::IntoEnumIterator;

use super::plan::DoctorPlan;
use crate::commands::connect::connect;
use crate::commands::detect::collect_fingerprint;
use crate::domain::catalogue;
use crate::domain::connection::connect_info::{ConnectError, ConnectInfo, FailureKind};
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::permessage_deflate::DeflateOffer;
use crate::domain::connection::phase::Phase;
use crate::domain::connection::target::Target;
use crate::domain::doctor::evidence::{BrowserPart, PathEvidence, Resolution, UpgradeChange, UpgradeVariant};
use crate::domain::doctor::tls::{self, TlsFinding};
use crate::domain::doctor::{Check, browser_limit};
use crate::domain::presets::PresetDetection;
use crate::net::client::closing::close_briefly;
use crate::net::connect::dial::DialPlan;
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
            evidence.resolution = Some(match survey.lookup {
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
    let mut connected = connect(target, dial, largest, 1024).await?;
    close_briefly(&mut connected.socket).await;
    Ok(Arc::new(connected.info))
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
        Err(error) if may_depend_on_request(&error) => {
            let changes = changes(dial, &plan.target).into_iter().chain(over_http2(dial, &plan.target));
            change_refused(dial, changes.collect(), plan, evidence).await;
        }
        Err(error) if may_depend_on_http(&error, evidence) => {
            let changes = over_http2(dial, &plan.target).into_iter().collect();
            change_refused(dial, changes, plan, evidence).await;
        }
        Err(error) if error.phase == Phase::Tls && matches!(evidence.tls, Some(Ok(_))) => {
            change_verification(dial, plan, evidence).await;
        }
        Err(_) => {}
    }
}

/// Which changes of an accepted request are refused.
async fn change_accepted(dial: &DialPlan, plan: &DoctorPlan, evidence: &mut PathEvidence) {
    let (target, selection) = (&plan.target, &plan.selection);
    if selection.has(Check::Origin) && dial.origin.is_none() {
        let changed = DialPlan { origin: HeaderValue::from_str(FOREIGN_ORIGIN).ok(), ..dial.clone() };
        let change = UpgradeChange::ForeignOrigin(FOREIGN_ORIGIN.to_string());
        try_changed(dial, (change, changed), plan, evidence).await;
    }
    if !selection.has(Check::Browser) {
        return;
    }
    let parts = browser_parts(dial, target);
    let all = parts.iter().fold(dial.clone(), |dial, (part, _)| with_part(&dial, *part, target));
    if try_changed(dial, (UpgradeChange::Browser, all), plan, evidence).await {
        return;
    }
    for (part, changed) in parts {
        let is_accepted =
            try_changed(dial, (UpgradeChange::PartOfBrowser(part), changed), plan, evidence).await;
        if !is_accepted || evidence.is_unsteady() {
            break;
        }
    }
}

/// Tries a change of an accepted request, and the plain one again if it is refused. Whether it was accepted.
async fn try_changed(
    dial: &DialPlan,
    (change, changed): (UpgradeChange, DialPlan),
    plan: &DoctorPlan,
    evidence: &mut PathEvidence,
) -> bool {
    let (target, largest) = (&plan.target, plan.max_message_size);
    let outcome = try_upgrade(&changed, target, largest).await;
    let is_accepted = outcome.is_ok();
    if !is_accepted && !evidence.is_unsteady() {
        evidence.repeated = Some(repeat(dial, target, largest, true).await);
    }
    evidence.variants.push(UpgradeVariant { change, outcome });
    is_accepted
}

/// The first change with which a refused request is accepted.
async fn change_refused(
    dial: &mut DialPlan,
    changes: Vec<(UpgradeChange, DialPlan)>,
    plan: &DoctorPlan,
    evidence: &mut PathEvidence,
) {
    let (target, largest) = (&plan.target, plan.max_message_size);
    for (change, changed) in changes {
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
    let fails_in_http2 = matches!(error.kind, FailureKind::H2RstStream | FailureKind::H2Goaway);
    fails_in_http2
        || error.refusal.as_ref().is_some_and(|refusal| DEPENDS_ON_REQUEST.contains(&refusal.status))
}

/// Statuses that any HTTP would get: without credentials, of a server that is busy.
const WHATEVER_THE_HTTP: [u16; 4] = [401, 407, 429, 503];

/// Whether only HTTP/1.1 may have been refused: by the answer to the upgrade, or by ALPN.
fn may_depend_on_http(error: &ConnectError, evidence: &PathEvidence) -> bool {
    let status = error.refusal.as_ref().map(|refusal| refusal.status);
    let is_of_http1 = |finding: &TlsFinding| matches!(finding, TlsFinding::TlsHttp1Refused { .. });
    match (error.phase, &evidence.tls) {
        (Phase::Upgrade, _) => !status.is_some_and(|status| WHATEVER_THE_HTTP.contains(&status)),
        (Phase::Tls, Some(Ok(inspection))) => tls::judge(inspection).iter().any(is_of_http1),
        (_, _) => false,
    }
}

/// HTTP/2, as browsers use it: with TLS only.
fn over_http2(dial: &DialPlan, target: &Target) -> Option<(UpgradeChange, DialPlan)> {
    let is_new = target.secure() && dial.http == HttpChoice::Http1;
    is_new.then(|| (UpgradeChange::Http2, DialPlan { http: HttpChoice::Http2, ..dial.clone() }))
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
    let browser = (UpgradeChange::Browser, with_browser_headers(dial, target));
    let http1 = (dial.http != HttpChoice::Http1).then(|| {
        let changed = DialPlan { http: HttpChoice::Http1, ..dial.clone() };
        (UpgradeChange::Http1, changed)
    });
    http1.into_iter().chain(own).chain(offered).chain([browser]).collect()
}

/// The origin of a page of the same server.
fn own_origin(target: &Target) -> String {
    let scheme = if target.secure() { "https" } else { "http" };
    format!("{scheme}://{}", target.authority())
}

/// What browsers send with the upgrade besides Origin and extensions, as Firefox 140 does for a page of the same server.
const BROWSER_HEADERS: [(BrowserPart, &str, &str); 9] = [
    (
        BrowserPart::UserAgent,
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    (BrowserPart::Accept, "accept", "*/*"),
    (BrowserPart::Accept, "accept-language", "en-US,en;q=0.5"),
    (BrowserPart::Accept, "accept-encoding", "gzip, deflate, br, zstd"),
    (BrowserPart::SecFetch, "sec-fetch-dest", "websocket"),
    (BrowserPart::SecFetch, "sec-fetch-mode", "websocket"),
    (BrowserPart::SecFetch, "sec-fetch-site", "same-origin"),
    (BrowserPart::CacheControl, "pragma", "no-cache"),
    (BrowserPart::CacheControl, "cache-control", "no-cache"),
];

/// The request with a part of that of a page of the same server; what the user set stays.
fn with_part(dial: &DialPlan, part: BrowserPart, target: &Target) -> DialPlan {
    let mut changed = dial.clone();
    match part {
        BrowserPart::Compression => {
            changed.deflate = changed.deflate.or_else(|| Some(DeflateOffer::default()))
        }
        BrowserPart::Origin => {
            changed.origin = changed.origin.or_else(|| HeaderValue::from_str(&own_origin(target)).ok());
        }
        BrowserPart::UserAgent | BrowserPart::Accept | BrowserPart::SecFetch | BrowserPart::CacheControl => {
            for (_, name, value) in BROWSER_HEADERS.into_iter().filter(|(of, _, _)| *of == part) {
                changed.headers.entry(name).or_insert(HeaderValue::from_static(value));
            }
        }
    }
    changed
}

/// Each part of a browser's request by itself; without those that the user's options set.
fn browser_parts(dial: &DialPlan, target: &Target) -> Vec<(BrowserPart, DialPlan)> {
    let is_new = |part: BrowserPart| match part {
        BrowserPart::Compression => dial.deflate.is_none(),
        BrowserPart::Origin => dial.origin.is_none(),
        _ => BROWSER_HEADERS.iter().any(|(of, name, _)| *of == part && !dial.headers.contains_key(*name)),
    };
    let parts = BrowserPart::iter().filter(|part| is_new(*part));
    parts.map(|part| (part, with_part(dial, part, target))).collect()
}

/// The headers of a browser. That it offers compression is another check's question where its headers are needed.
fn with_browser_headers(dial: &DialPlan, target: &Target) -> DialPlan {
    let parts = BrowserPart::iter().filter(|part| *part != BrowserPart::Compression);
    parts.fold(dial.clone(), |dial, part| with_part(&dial, part, target))
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
