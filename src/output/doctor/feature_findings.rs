//! What browsers use besides the plain request, HTTP/2 and compression, in words.

use serde_json::json;

use super::changes;
use crate::domain::connection::close_cause::{CloseCause, CloseKindName};
use crate::domain::connection::connect_info::{ConnectError, FailureKind};
use crate::domain::doctor::evidence::PathEvidence;
use crate::domain::doctor::feature_trial::{FeatureTrial, TrialFailure, opened};
use crate::domain::doctor::report::DoctorInfo;
use crate::domain::doctor::{DoctorFinding, FeatureRtts, browser_features};
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// What a finding about them says, and what to do about it; `None` of another one.
pub fn explanation(finding: &DoctorFinding, info: &DoctorInfo) -> Option<Explanation> {
    use DoctorFinding as F;
    Some(match finding {
        F::H2Works(rtts) => with_rtts(Explanation::new(h2_works(rtts)), rtts),
        F::OnlyHttp2Accepted { error } => only_http2(error),
        F::H2WebsocketsNotAllowed => Explanation::new(
            "the server speaks HTTP/2 and does not allow WebSockets on it (its settings lack \
             SETTINGS_ENABLE_CONNECT_PROTOCOL=1): browsers open a second connection with HTTP/1.1, and some other \
             clients that offer h2 fail",
        )
        .remedy("nothing, for browsers; clients that fail must offer only http/1.1 by ALPN for WebSockets"),
        F::H2WebsocketsFail { failure } => h2_fails(failure, info),
        F::H2RttDiffers(rtts) => with_rtts(h2_differs(rtts), rtts),
        F::CompressionWorks { agreed, has_message } => {
            let message = if *has_message { "; an app heartbeat was answered" } else { "" };
            Explanation::new(format!("compression is agreed, as browsers offer it ({agreed}){message}"))
                .with("agreed", agreed.as_str())
                .with("app_heartbeat_answered", *has_message)
        }
        F::CompressionBreaks { failure, agreed } => compression_breaks(failure, agreed.as_deref(), info),
        _ => return None,
    })
}

fn only_http2(error: &ConnectError) -> Explanation {
    Explanation::new(format!(
        "it opens over HTTP/2 only (over HTTP/1.1: {}): browsers that have an HTTP/2 connection to the server work, other \
         clients do not; the rest was measured over HTTP/2",
        error.cause
    ))
    .remedy(
        "let the server, and each hop before it, take the upgrade of HTTP/1.1 (RFC 6455), too: browsers use HTTP/2 for a WebSocket \
         only over a connection that is already open, and most other clients never",
    )
    .with("kind", error.kind.label())
    .with("status", json!(error.refusal.as_ref().map(|refusal| refusal.status)))
}

fn h2_works(rtts: &FeatureRtts) -> String {
    let works = "WebSockets work over HTTP/2, as browsers open them";
    match (rtts.with, rtts.without) {
        (Some(with), Some(without)) => {
            format!("{works}: RTT {}, over HTTP/1.1 {}", format::rtt(with), format::rtt(without))
        }
        (Some(with), None) => format!("{works}: RTT {}", format::rtt(with)),
        (None, _) => works.to_string(),
    }
}

fn with_rtts(explanation: Explanation, rtts: &FeatureRtts) -> Explanation {
    explanation.with_some("http2_rtt", rtts.with).with_some("http1_rtt", rtts.without)
}

fn h2_differs(rtts: &FeatureRtts) -> Explanation {
    let (with, without) = (rtts.with.unwrap_or_default(), rtts.without.unwrap_or_default());
    let longer = if with > without { "HTTP/2" } else { "HTTP/1.1" };
    Explanation::new(format!(
        "RTTs over {longer} are longer by {}, which chance does not explain",
        format::rtt(with.abs_diff(without))
    ))
    .remedy(
        "compare longer runs: `wscheck ping --http 2` and `wscheck ping --http 1.1` with `--report json=FILE`, then \
         `wscheck compare`: both connections may also have led to different servers",
    )
}

fn h2_fails(failure: &TrialFailure, info: &DoctorInfo) -> Explanation {
    let verify = changes::verify_http2(info);
    let happened = match failure {
        TrialFailure::NotOpened(error) => error.cause.clone(),
        failure => format!("it opened, and {}", words(failure)),
    };
    of_failure(
        Explanation::new(format!(
            "WebSockets fail over HTTP/2, which browsers use here ({happened}); over HTTP/1.1 they work"
        )),
        failure,
    )
    .remedy(format!(
        "where TLS ends, do not announce SETTINGS_ENABLE_CONNECT_PROTOCOL, so that browsers use HTTP/1.1 for WebSockets; or \
         let each hop and the server take extended CONNECT (RFC 8441); see the page of this finding; check again with \
         `{verify}`"
    ))
    .with("verify", verify)
}

fn compression_breaks(failure: &TrialFailure, agreed: Option<&str>, info: &DoctorInfo) -> Explanation {
    let verify = changes::verify_compression(info);
    let happened = match (failure, agreed) {
        (TrialFailure::NotOpened(error), _) if error.kind == FailureKind::BadUpgrade => format!(
            "the upgrade is accepted with an answer that RFC 7692 does not allow ({}), so a browser fails the connection",
            error.cause
        ),
        (TrialFailure::NotOpened(error), _) => format!("the connection does not open ({})", error.cause),
        (failure, Some(agreed)) => format!("and agreed ({agreed}), the connection fails: {}", words(failure)),
        (failure, None) => format!("and not agreed, the connection fails: {}", words(failure)),
    };
    let message =
        format!("with compression offered, as browsers always do, {happened}; without the offer it works");
    of_failure(Explanation::new(message), failure)
    .remedy(format!(
        "turn compression off at the server, or where a hop before it answers the offer; whoever does not compress must \
         leave the offer unanswered (RFC 7692 section 5); check again with `{verify}`"
    ))
    .with("agreed", json!(agreed))
    .with("verify", verify)
}

/// What was offered as browsers do, and the server does not use, which is no fault: `HTTP/2 offered, not chosen`.
pub fn unused(evidence: &PathEvidence) -> Option<String> {
    let http2 = evidence.http2.as_deref().and_then(browser_features::is_chosen);
    let is_open = |trial: &&FeatureTrial| opened(&trial.with).is_some();
    let compression = evidence.compression.as_deref().filter(is_open);
    let is_agreed = compression.map(|trial| browser_features::agreed(trial).is_some());
    let http2 = (http2 == Some(false)).then_some("HTTP/2 offered, not chosen");
    let compression = (is_agreed == Some(false)).then_some("compression offered, not agreed");
    let unused: Vec<&str> = http2.into_iter().chain(compression).collect();
    (!unused.is_empty()).then(|| unused.join("; "))
}

/// What happened on a connection; a clause.
pub fn words(failure: &TrialFailure) -> String {
    match failure {
        TrialFailure::NotOpened(error) => format!("it did not open: {}", error.cause),
        TrialFailure::Ended(ending) => {
            let ended = CloseCause::describe(ending.who, &ending.how, ending.os_error.as_deref());
            format!("{ended}, after {}", format::duration(ending.age))
        }
        TrialFailure::Unanswered { missed, sent: 1 } if *missed == 1 => {
            "the heartbeat was not answered".to_string()
        }
        TrialFailure::Unanswered { missed, sent } => {
            format!("{missed} of {} were not answered", counted(*sent, "heartbeat"))
        }
        TrialFailure::WindowExhausted { unsent, window } => {
            let heartbeats = counted(*unsent, "heartbeat");
            format!("no room was granted for {heartbeats} ({})", window.sentence())
        }
    }
}

/// The failure as data: `kind` is that of a failure to open or of an ending, `status` that of a refusal.
fn of_failure(explanation: Explanation, failure: &TrialFailure) -> Explanation {
    match failure {
        TrialFailure::NotOpened(error) => explanation
            .with("failure", "not_opened")
            .with("kind", error.kind.label())
            .with("status", json!(error.refusal.as_ref().map(|refusal| refusal.status))),
        TrialFailure::Ended(ending) => explanation
            .with("failure", "ended")
            .with("kind", CloseKindName::from(&ending.how).label())
            .with_duration("age", ending.age),
        TrialFailure::Unanswered { missed, sent } => {
            explanation.with("failure", "unanswered").with("missed", *missed).with("sent", *sent)
        }
        TrialFailure::WindowExhausted { unsent, window } => explanation
            .with("failure", "window_exhausted")
            .with("unsent", *unsent)
            .with("window", window.label()),
    }
}
