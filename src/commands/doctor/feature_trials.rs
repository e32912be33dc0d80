//! Short measurements with what browsers use besides the plain request, HTTP/2 and compression, each beside the same one
//! without it. On this path no other connection is open meanwhile, so that no limit of the server's is taken for a failure.

use std::cell::Cell;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::commands::ping::{self, PingPlan};
use crate::commands::run_control::RunControl;
use crate::domain::connection::connect_info::HttpVersion;
use crate::domain::connection::http2::HttpChoice;
use crate::domain::connection::permessage_deflate::DeflateOffer;
use crate::domain::doctor::browser_features::is_not_allowed;
use crate::domain::doctor::feature_trial::{FeatureTrial, RepeatedTrial, failure, works};
use crate::domain::heartbeat::HeartbeatKind;
use crate::domain::ping::event::{ConnEvent, Event};
use crate::domain::ping::report::PingReport;

/// How many heartbeats are compared: enough that medians which differ clearly do so beyond chance.
const HEARTBEATS: u64 = 12;
/// The time between Ping frames.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long heartbeats are sent, where a preset demands a longer interval.
const ASKING_TIME: Duration = Duration::from_secs(2);
/// How long a reply may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an opening may take.
const OPENING_TIMEOUT: Duration = Duration::from_secs(5);

/// With HTTP/2 offered, or demanded by prior knowledge, and over HTTP/1.1 at the same time. `offer` is that of the first opening.
pub async fn http2(plan: &PingPlan, offer: HttpChoice, stop: &CancellationToken) -> FeatureTrial {
    let over = |http: HttpChoice| {
        let mut plan = asking(plan, HeartbeatKind::Protocol, HEARTBEATS);
        plan.dial.http = http;
        plan
    };
    let (with, without) = side_by_side(over(offer), over(HttpChoice::Http1), stop).await;
    if failure(&with).is_none() || is_not_allowed(&with) {
        return FeatureTrial { with, without, repeated: None };
    }
    let without = match without {
        Some(without) => without,
        None => run(over(HttpChoice::Http1), stop).await,
    };
    // Only HTTP/2 is offered now, so that a failure is one of HTTP/2.
    repeat((with, without), over(HttpChoice::Http1), over(HttpChoice::Http2), stop).await
}

/// With compression offered; without it, if that fails.
pub async fn compression(plan: &PingPlan, stop: &CancellationToken) -> FeatureTrial {
    let offering = |offer: Option<DeflateOffer>| {
        let mut plan = asking(plan, HeartbeatKind::App, 1);
        plan.dial.deflate = offer;
        plan
    };
    let offer = plan.dial.deflate.unwrap_or_default();
    let with = run(offering(Some(offer)), stop).await;
    if failure(&with).is_none() {
        return FeatureTrial { with, without: None, repeated: None };
    }
    let without = run(offering(None), stop).await;
    repeat((with, without), offering(None), offering(Some(offer)), stop).await
}

/// The same once more, if only the measurement with the feature failed.
async fn repeat(
    (with, without): (PingReport, PingReport),
    plain: PingPlan,
    changed: PingPlan,
    stop: &CancellationToken,
) -> FeatureTrial {
    let differs = failure(&with).is_some_and(|failure| works(&without, &failure));
    let repeated = match differs {
        true => Some(RepeatedTrial { without: run(plain, stop).await, with: run(changed, stop).await }),
        false => None,
    };
    FeatureTrial { with, without: Some(without), repeated }
}

async fn run(plan: PingPlan, stop: &CancellationToken) -> PingReport {
    ping::run(plan, &mut |_: &Event| {}, RunControl::until(stop.child_token())).await
}

/// Both at once, the second from the opening of the first on. The first one ends at once, and there is no second one, if the
/// server does not choose HTTP/2.
async fn side_by_side(
    offering: PingPlan,
    plain: PingPlan,
    stop: &CancellationToken,
) -> (PingReport, Option<PingReport>) {
    let (ends, is_decided, is_http2) = (stop.child_token(), CancellationToken::new(), Cell::new(false));
    let mut observe = |event: &Event| {
        let Event::Connection { event: ConnEvent::Opened(info), .. } = event else { return };
        is_http2.set(info.http == HttpVersion::Http2);
        is_decided.cancel();
        if !is_http2.get() {
            ends.cancel();
        }
    };
    let with = async {
        let report = ping::run(offering, &mut observe, RunControl::until(ends.clone())).await;
        is_decided.cancel();
        report
    };
    let without = async {
        is_decided.cancelled().await;
        if is_http2.get() { Some(run(plain, stop).await) } else { None }
    };
    tokio::join!(with, without)
}

/// The plan with at most `count` heartbeats, of one kind: `wanted` if the plan has it.
fn asking(plan: &PingPlan, wanted: HeartbeatKind, count: u64) -> PingPlan {
    let mut plan = plan.clone();
    if plan.session.kinds.contains(&wanted) {
        plan.session.kinds = vec![wanted];
    }
    let is_protocol = plan.session.kinds == [HeartbeatKind::Protocol];
    let interval = plan.session.interval.filter(|_| !is_protocol).unwrap_or(INTERVAL);
    let in_time = 1 + (ASKING_TIME.as_millis() / interval.as_millis().max(1)) as u64;
    plan.session.interval = Some(interval);
    plan.session.count = Some(count.min(in_time));
    plan.session.timeout = ANSWER_TIMEOUT;
    plan.dial.connect_timeout = plan.dial.connect_timeout.min(OPENING_TIMEOUT);
    plan.deadline = Some(OPENING_TIMEOUT + ASKING_TIME + ANSWER_TIMEOUT);
    plan
}

#[cfg(test)]
mod tests;
