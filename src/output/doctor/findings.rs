//! What each finding of `doctor` says, what to do about it, and its evidence as data.

use std::time::Duration;

use serde_json::{Value, json};

use super::{browser_findings, changes, feature_findings, tls_findings};
use crate::domain::connection::close_cause::{CloseCause, CloseKind, CloseReply};
use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError, ConnectInfo};
use crate::domain::connection::phase::Phase;
use crate::domain::doctor::remedies::{self, ConfigChange};
use crate::domain::doctor::report::{DoctorInfo, ExaminedPath};
use crate::domain::doctor::{
    COVERED, COVERS_USUAL_TIMEOUT, DoctorFinding, HopDifference, LatencyFigures, RefusalCause, Unchecked,
    advise, lacks_route,
};
use crate::domain::format::{self, counted, duration};
use crate::domain::idle::{IdleFinding, NeededTraffic};
use crate::domain::label::Label;
use crate::domain::run::bracket::Bracket;
use crate::output::view::Explanation;
use crate::output::view::connection::{self, tried};
use crate::output::{idle, listen, ping, zombie};

/// What explanations need besides the finding.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub info: &'a DoctorInfo,
    pub path: &'a ExaminedPath,
}

/// What a finding says while the run goes on, before the rest of the path is known.
pub fn explain_alone(finding: &DoctorFinding, info: &DoctorInfo) -> Explanation {
    explain(finding, Context { info, path: &ExaminedPath::default() })
}

/// What a finding says and what to do about it.
pub fn explain(finding: &DoctorFinding, context: Context<'_>) -> Explanation {
    use DoctorFinding as F;
    match finding {
        F::Ping(finding) => ping::explain(finding),
        F::Listen(finding) => listen::explain(finding),
        F::Idle(finding) => of_idle(finding, context),
        F::Zombie(finding) => zombie::explain(finding),
        F::NoLifetimeSeen { watched } => no_lifetime_seen(*watched),
        F::ServerRejectsConnection(ending) => rejected(ending),
        F::ConnectionInUseEnded { ending } => ended_in_use(ending, context),
        F::NotChecked(why) => Explanation::new(unchecked(why)),
        _ => of_opening(finding, context)
            .or_else(|| of_request(finding))
            .or_else(|| of_protocol(finding))
            .or_else(|| of_several(finding, context))
            .or_else(|| browser_findings::explanation(finding))
            .or_else(|| feature_findings::explanation(finding, context.info))
            .unwrap_or_else(|| Explanation::new(finding.words())),
    }
}

fn no_lifetime_seen(watched: Duration) -> Explanation {
    Explanation::new(format!(
        "no connection ended by its age within {}; a longer limit cannot be seen in that time",
        duration(watched)
    ))
    .with_duration("watched", watched)
}

/// Name, addresses, TLS and upgrade.
fn of_opening(finding: &DoctorFinding, context: Context<'_>) -> Option<Explanation> {
    use DoctorFinding as F;
    Some(match finding {
        F::NameResolved { name, addresses, took } => name_resolved(name, addresses, *took),
        F::AddressGiven { addresses } => {
            Explanation::new(format!("nothing was looked up: the address is {}", addresses.join(", ")))
                .with("addresses", json!(addresses))
        }
        F::NameNotResolved(error) => {
            let explanation = of_error(error);
            let remedy = explanation.remedy.clone();
            explanation.remedy(remedy.unwrap_or_else(|| {
                "check the spelling, and that this machine's DNS servers know the name".to_string()
            }))
        }
        F::AllAddressesReached { reached } => all_reached(reached),
        F::SomeAddressesNotReached { reached, failed } => some_not_reached(reached, failed),
        F::NoAddressReached { failed } => none_reached(failed, context.path.evidence.proxy.as_deref()),
        F::ThroughProxy { proxy } => through_proxy(proxy),
        F::TlsFailed(error) => Explanation { message: error.cause.clone(), ..of_error(error) },
        F::Tls(finding) => tls_findings::explanation(finding),
        F::UpgradeAccepted(info) => upgrade_accepted(info),
        F::FurtherConnectionRefused(error) => {
            Explanation::new(format!("a further connection was refused while one was open: {}", error.cause))
                .remedy("if that is a limit on the connections of one client, the other checks took turns")
        }
        F::UpgradeUnsteady(error) => {
            Explanation::new(format!("the same request was refused once ({}) and accepted once", error.cause))
                .remedy(
                    "compare the servers behind the name or the balancer: `--each-address`, or their logs",
                )
        }
        F::UpgradeSlow(info) => {
            Explanation::new(format!("accepted, but opening took {}", connection::phases(&info.phases)))
                .remedy("look at the slowest phase: DNS, TCP, TLS, or the server's answer to the upgrade")
                .with_duration("total", info.phases.total)
        }
        F::MeasuredUnverified => Explanation::new(
            "the rest was measured without verification of the certificate, as no client should",
        ),
        F::UpgradeFailed { error, cause } => upgrade_failed(error, *cause, context),
        _ => return None,
    })
}

/// What the answer to the upgrade depends on.
fn of_request(finding: &DoctorFinding) -> Option<Explanation> {
    use DoctorFinding as F;
    Some(match finding {
        F::OriginRequired { origin, error } => origin_required(origin, error),
        F::OriginRestricted { origin, error } => {
            Explanation::new(format!("pages of another origin ({origin}) are refused ({})", error.cause))
                .with("origin", origin.as_str())
        }
        F::AnyOriginAccepted { origin } => Explanation::new(format!(
            "pages of any origin are accepted, {origin} too: if cookies identify the user, that lets other sites act in \
             the user's name"
        ))
        .with("origin", origin.as_str()),
        F::SubprotocolRequired { chosen, error } => subprotocol_required(chosen.as_ref().map(|name| name.as_str()), error),
        F::NoSubprotocolNeeded => Explanation::new("no subprotocol is needed"),
        F::ConventionDetected { preset, title, evidence } => {
            Explanation::new(format!("{title} (--preset {preset}): {}", evidence.join(", and ")))
                .with("preset", *preset)
        }
        F::ConventionUnknown { evidence } => Explanation::new(format!(
            "no known convention of heartbeats: {}",
            if evidence.is_empty() { "the server said nothing first".to_string() } else { evidence.join(", and ") }
        )),
        _ => return None,
    })
}

/// Frames, close and RTT.
fn of_protocol(finding: &DoctorFinding) -> Option<Explanation> {
    use DoctorFinding as F;
    Some(match finding {
        F::PingsAnswered { answered, sent } => Explanation::new(format!(
            "{answered} of {} answered, with their payload",
            counted(*sent, "Ping frame")
        ))
        .with("answered", *answered)
        .with("sent", *sent),
        F::PingsPartlyAnswered { answered, missed } => Explanation::new(format!(
            "{answered} Ping frames were answered, and {missed} were not"
        ))
        .remedy("look for loss on the path or an overloaded server: `wscheck ping` tells where they are lost")
        .with("answered", *answered)
        .with("missed", *missed),
        F::FragmentsAllowControlFrames => {
            Explanation::new("a Ping frame between the fragments of a message is answered")
        }
        F::FragmentsBlockControlFrames { waited } => fragments_block(*waited),
        F::EndedAtFragments { how } => Explanation::new(format!(
            "the connection ended at a message in fragments with a Ping frame between them: {how}"
        )),
        F::CloseAnswered(reply) => Explanation::new(reply.to_string()),
        F::CloseUnanswered(reply) => close_unanswered(reply),
        F::LatencyMeasured(figures) | F::LatencyUnhealthy(figures) => latency(figures),
        _ => return None,
    })
}

/// What follows from several checks or paths.
fn of_several(finding: &DoctorFinding, context: Context<'_>) -> Option<Explanation> {
    use DoctorFinding as F;
    Some(match finding {
        F::IdleTimeoutUnconfirmed { bracket, samples } => unconfirmed(*bracket, *samples, context),
        F::ServerHeartbeatsTooSeldom { interval, timeout } => {
            raising(too_seldom(*interval, *timeout), context)
        }
        F::ServerHeartbeatsKeepPathOpen { interval } => keep_open(*interval),
        F::ServerKeepsPathBusy { gap } => busy(*gap),
        F::ClientMustKeepPathOpen { interval, tolerant, traffic } => {
            let explanation = client_must(*interval, *tolerant, *traffic);
            // That the timeout is short has the lines that raise it.
            if is_short(context) { explanation } else { raising(explanation, context) }
        }
        F::IdleTimeoutShort { timeout } => raising(short_timeout(*timeout), context),
        F::HeartbeatAdvised { interval, tolerant, reconnect_before } => {
            advised(*interval, *tolerant, *reconnect_before)
        }
        F::NatMargin { interval, nat, forgets_after } => nat_margin(*interval, nat, *forgets_after),
        F::AppearsAtHop { what, before, at } => at_hop(what, before.as_deref(), at),
        F::PathDiffers { path, shows } => {
            Explanation::new(format!("{path} differs from the URL itself: {shows}"))
                .with("path", path.as_str())
        }
        F::HopsAlike { hops } => {
            Explanation::new(format!("{} show the same", hops.join(", "))).with("hops", json!(hops))
        }
        _ => return None,
    })
}

fn name_resolved(name: &str, addresses: &[String], took: Duration) -> Explanation {
    Explanation::new(format!("{name} is {} (the resolver took {})", addresses.join(", "), duration(took)))
        .with("addresses", json!(addresses))
        .with_duration("took", took)
}

/// A failure to open, with its own hint.
fn of_error(error: &ConnectError) -> Explanation {
    let explanation =
        Explanation::new(format!("{}: {}", error.phase, error.cause)).with("kind", error.kind.label());
    Explanation { remedy: error.hint.clone(), ..explanation }
}

fn attempts(all: &[ConnectAttempt]) -> Value {
    all.iter()
        .map(|attempt| {
            json!({
                "address": attempt.address,
                "took_ms": crate::output::json::Ms::from(attempt.took),
                "error": attempt.error,
            })
        })
        .collect()
}

fn all_reached(reached: &[ConnectAttempt]) -> Explanation {
    let each: Vec<String> =
        reached.iter().map(|one| format!("{} in {}", one.address, duration(one.took))).collect();
    Explanation::new(format!("accepts TCP connections: {}", each.join(", ")))
        .with("reached", attempts(reached))
}

fn some_not_reached(reached: &[ConnectAttempt], failed: &[ConnectAttempt]) -> Explanation {
    let lost: Vec<String> = failed.iter().map(tried).collect();
    let total = reached.len() + failed.len();
    Explanation::new(format!(
        "{} of {total} addresses {} not accept a TCP connection: {}",
        failed.len(),
        if failed.len() == 1 { "does" } else { "do" },
        lost.join("; ")
    ))
    .remedy(if lacks_route(failed) {
        "this host has no way to them, as where it has no IPv6: that is no fault of theirs"
    } else {
        "remove the address from DNS, or mend the host behind it: clients lose time on it, and some fail"
    })
    .with("reached", attempts(reached))
    .with("failed", attempts(failed))
}

fn none_reached(failed: &[ConnectAttempt], proxy: Option<&str>) -> Explanation {
    let lost: Vec<String> = failed.iter().map(tried).collect();
    let is_socket = failed.iter().any(|attempt| attempt.address.starts_with('/'));
    let (whose, remedy) = match proxy {
        Some(_) => ("of the proxy ", "check the proxy, or leave it out: --proxy none"),
        None if is_socket => ("", "check that the server runs and listens on that socket"),
        None => ("", "check that the server runs and listens there, and that no firewall is between"),
    };
    Explanation::new(format!("no connection {whose}was accepted: {}", lost.join("; ")))
        .remedy(remedy)
        .with("failed", attempts(failed))
}

fn through_proxy(proxy: &str) -> Explanation {
    Explanation::new(format!("the connection goes through {proxy}: a cut or a refusal may be the proxy's"))
        .remedy("compare with --proxy none")
        .with("proxy", proxy)
}

fn upgrade_accepted(info: &ConnectInfo) -> Explanation {
    let server = info.headers.iter().find(|(name, _)| name == "server");
    let server = server.map(|(_, value)| format!("; server: {value}")).unwrap_or_default();
    Explanation::new(format!("accepted, opened in {}{server}", connection::phases(&info.phases)))
        .with_duration("total", info.phases.total)
}

const NOT_PASSED_ON: &str =
    "the server behind a proxy saw an ordinary request: a proxy on the path does not pass the upgrade on";

fn upgrade_failed(error: &ConnectError, cause: RefusalCause, context: Context<'_>) -> Explanation {
    let lines = remedies::of_refusal(cause, error);
    let usual = (cause == RefusalCause::UpgradeNotPassedOn).then(|| NOT_PASSED_ON.to_string());
    let location = error.refusal.as_ref().and_then(|refusal| {
        refusal.headers.iter().find(|(name, _)| name == "location").map(|(_, value)| value.to_string())
    });
    let location = location.map(|location| format!(", to {location}")).unwrap_or_default();
    let advice = usual.or_else(|| error.hint.clone());
    let step = if error.phase == Phase::Upgrade { String::new() } else { format!("{}: ", error.phase) };
    let explanation = Explanation::new(format!("{step}{}{location}", error.cause))
        .with("cause", cause.label())
        .with("status", json!(error.refusal.as_ref().map(|refusal| refusal.status)));
    remedied(explanation, advice, &lines, changes::verify_upgrade(context.info))
}

/// Adds what to do, the lines that do it, and how to see that it helped.
fn remedied(
    explanation: Explanation,
    advice: Option<String>,
    wanted: &[ConfigChange],
    verify: String,
) -> Explanation {
    let check = format!("check again with `{verify}`");
    let parts: Vec<String> = advice.into_iter().chain(changes::texts(wanted)).chain([check]).collect();
    let values: Vec<Value> = wanted.iter().map(changes::value).collect();
    explanation.with("changes", Value::Array(values)).with("verify", verify).remedy(parts.join("; "))
}

fn origin_required(origin: &str, error: &ConnectError) -> Explanation {
    Explanation::new(format!(
        "without an Origin header the upgrade is refused ({}), with {origin} it is accepted",
        error.cause
    ))
    .remedy(format!("programs must send it too: --origin {origin}; browsers do by themselves"))
    .with("origin", origin)
}

fn subprotocol_required(chosen: Option<&str>, error: &ConnectError) -> Explanation {
    let name = chosen.unwrap_or("one of those offered");
    Explanation::new(format!(
        "without a subprotocol the upgrade is refused ({}), with {name} it is accepted",
        error.cause
    ))
    .remedy(format!("clients must offer it: --subprotocol {name}"))
    .with("chosen", json!(chosen))
}

fn fragments_block(waited: Duration) -> Explanation {
    Explanation::new(format!(
        "a Ping frame between the fragments of a message was not answered within {} (RFC 6455 5.4 and 5.5 demand it)",
        duration(waited)
    ))
    .remedy("heartbeats will fail while a long message is sent: send long messages in one frame, or smaller")
    .with_duration("waited", waited)
}

fn close_unanswered(reply: &CloseReply) -> Explanation {
    Explanation::new(format!("{reply} (RFC 6455 5.5.1 demands a close frame)")).remedy(match reply {
        CloseReply::Nothing { .. } => {
            "clients wait for the close until their timeout: let the server answer close frames"
        }
        _ => "clients report 1006 instead of a clean end: let the server answer close frames",
    })
}

fn latency(figures: &LatencyFigures) -> Explanation {
    let rtt = |name: &str, rtt: Option<Duration>| rtt.map(|rtt| format!("{name} {}", format::rtt(rtt)));
    let parts = [rtt("Ping", figures.protocol), rtt("app", figures.app), rtt("TCP handshake", figures.tcp)];
    let rtts = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let loss = if figures.missed == 0 {
        "nothing missed".to_string()
    } else {
        format!("{} of {} missed", figures.missed, counted(figures.judged, "heartbeat"))
    };
    let rtts = if rtts.is_empty() { String::new() } else { format!("RTT {rtts}; ") };
    let why = if figures.reason.is_empty() { String::new() } else { format!(" ({})", figures.reason) };
    let why = if figures.status == "healthy" { String::new() } else { why };
    Explanation::new(format!("{}{why}: {rtts}{loss}", figures.status))
        .with_some("protocol_rtt", figures.protocol)
        .with_some("app_rtt", figures.app)
        .with_some("tcp", figures.tcp)
        .with("missed", figures.missed)
        .with("judged", figures.judged)
}

fn short_timeout(timeout: Bracket) -> Explanation {
    Explanation::new(format!(
        "the idle timeout ({}) is under 30 s: clients must send so often that mobile ones drain their battery",
        bracket(timeout)
    ))
    .remedy("raise the timeout of the hop that cuts")
    .with_some("timeout_from", timeout.lo)
    .with_some("timeout_to", timeout.hi)
}

/// Whether the path's checks found a short timeout.
fn is_short(context: Context<'_>) -> bool {
    let advice = advise(&context.path.evidence);
    advice.iter().any(|result| matches!(result.finding, DoctorFinding::IdleTimeoutShort { .. }))
}

/// Adds the lines that raise the timeout, and the command that shows it.
fn raising(explanation: Explanation, context: Context<'_>) -> Explanation {
    let lines = context.path.evidence.idle.as_deref().map(remedies::of_idle_timeout).unwrap_or_default();
    let advice = explanation.remedy.clone();
    remedied(explanation, advice, &lines, changes::verify_idle(context.info))
}

/// A timeout gets the lines that raise it.
fn of_idle(finding: &IdleFinding, context: Context<'_>) -> Explanation {
    let explanation = idle::explain(finding);
    let is_cut = matches!(
        finding,
        IdleFinding::IdleTimeout { .. }
            | IdleFinding::ServerPolicy { .. }
            | IdleFinding::LifetimeCap { .. }
            | IdleFinding::AlsoLifetimeCap { .. }
    );
    if is_cut && context.path.evidence.idle.is_some() { raising(explanation, context) } else { explanation }
}

fn unconfirmed(found: Bracket, samples: usize, context: Context<'_>) -> Explanation {
    let at = found.hi.map(duration).unwrap_or_default();
    let explanation = Explanation::new(format!(
        "idle connections end after about {at} ({} so far; not confirmed in the time)",
        counted(samples as u64, "connection")
    ))
    .with_some("from", found.lo)
    .with_some("to", found.hi);
    let verify = changes::verify_idle(context.info);
    remedied(explanation, Some("confirm it with --thorough".to_string()), &[], verify)
}

/// `59 s to 60 s`.
fn bracket(found: Bracket) -> String {
    match (found.lo, found.hi) {
        (Some(lo), Some(hi)) => format!("{} to {}", format::at_least(lo), format::at_most(hi)),
        (None, Some(hi)) => format!("at most {}", format::at_most(hi)),
        (Some(lo), None) => format!("more than {}", format::at_least(lo)),
        (None, None) => "unknown".to_string(),
    }
}

fn ended_in_use(ending: &CloseCause, context: Context<'_>) -> Explanation {
    let explanation = Explanation::new(format!("a connection in use ended: {}", connection::ending(ending)))
        .with_duration("age", ending.age);
    let lines = remedies::of_end_in_use(ending, context.path.evidence.hop_headers());
    let advice =
        "let clients reconnect when a connection ends; if each ends at that age, raise the limit on the age";
    let seconds = (ending.age * 2).as_secs_f64().ceil() as u64;
    let verify = changes::verify_lasts(context.info, seconds);
    remedied(explanation, Some(advice.to_string()), &lines, verify)
}

fn rejected(ending: &CloseCause) -> Explanation {
    let code = match &ending.how {
        CloseKind::CloseFrame { code, .. } => code.unwrap_or_default(),
        _ => 0,
    };
    let remedy = match code {
        1008 => {
            "the server's policy: perhaps credentials (-H, --user), a first message (--send) or a subprotocol is missing"
        }
        1013 => "the server asks to try again later: it may be overloaded, or limit connections",
        1011 => "the server failed: see its log",
        _ => "the code is the server's: its documentation or log says what it wants",
    };
    Explanation::new(format!("the server closed a connection in use: {}", connection::ending(ending)))
        .remedy(remedy)
        .with("code", code)
        .with_duration("age", ending.age)
}

fn too_seldom(interval: Option<Duration>, timeout: Bracket) -> Explanation {
    let least = timeout.lo.or(timeout.hi).unwrap_or_default();
    let wanted = duration(least.mul_f64(0.5));
    let sends = match interval {
        Some(interval) => format!("the server sends a heartbeat every {}", duration(interval)),
        None => "the server's heartbeats are too far apart".to_string(),
    };
    Explanation::new(format!("{sends}, and the path cuts connections that are idle for {}", bracket(timeout)))
        .remedy(format!(
            "let the server send one at least every {wanted}, so that one may be lost; or raise the timeout"
        ))
        .with_some("interval", interval)
        .with_some("timeout_from", timeout.lo)
        .with_some("timeout_to", timeout.hi)
}

fn keep_open(interval: Duration) -> Explanation {
    Explanation::new(format!(
        "the server's heartbeats, one every {}, come early enough to keep the path open",
        duration(interval)
    ))
    .with_duration("interval", interval)
}

fn busy(gap: Option<Duration>) -> Explanation {
    let at_most = gap.map(|gap| format!(" for more than {}", format::at_most(gap))).unwrap_or_default();
    let explanation = Explanation::new(format!(
        "the server sends by itself, so that the path was never silent{at_most}: whether it cuts later was not tested"
    ))
    .with_some("gap", gap);
    if gap.is_some_and(|gap| gap > COVERS_USUAL_TIMEOUT) {
        explanation.remedy(
            "let the server send at least every 30 s: many proxies cut after 60 s by default, on this path or another one",
        )
    } else {
        explanation
    }
}

fn client_must(interval: Duration, tolerant: Option<Duration>, traffic: NeededTraffic) -> Explanation {
    let what = match traffic {
        NeededTraffic::Any => "Ping frame or message",
        NeededTraffic::Messages => "message (Ping frames do not count here)",
        NeededTraffic::Pings => "Ping frame (messages do not count here)",
        NeededTraffic::Answered => "heartbeat that the server answers",
        NeededTraffic::Both => "Ping frame and a message (it is unknown which of them count)",
    };
    let tolerant_text = tolerant
        .map(|every| format!(", or every {} so that one may be lost", duration(every)))
        .unwrap_or_default();
    Explanation::new("no heartbeat of the server keeps the path open: only clients can")
        .remedy(format!(
            "let clients send a {what} every {}{tolerant_text}; or let the server send heartbeats, since browsers cannot \
             send Ping frames",
            duration(interval)
        ))
        .with_duration("interval", interval)
        .with_some("interval_for_one_loss", tolerant)
}

fn advised(interval: Duration, tolerant: Option<Duration>, reconnect: Option<Duration>) -> Explanation {
    let every = tolerant.unwrap_or(interval);
    let reconnect_text =
        reconnect.map(|before| format!("; reconnect before {}", duration(before))).unwrap_or_default();
    Explanation::new(format!(
        "no heartbeat is needed more often than every {}; longer silences were not tried{reconnect_text}",
        duration(every)
    ))
    .with_duration("interval", interval)
    .with_some("interval_for_one_loss", tolerant)
    .with_some("reconnect_before", reconnect)
}

fn nat_margin(interval: Duration, nat: &str, forgets_after: Duration) -> Explanation {
    let covering = forgets_after.mul_f64(COVERED);
    let compared = if interval <= covering {
        format!("a heartbeat every {} also covers", duration(interval))
    } else {
        format!("a heartbeat every {} does not cover", duration(interval))
    };
    let explanation = Explanation::new(format!(
        "{compared} the NAT with the shortest documented timeout ({nat}, {}); mobile carriers publish none",
        duration(forgets_after)
    ))
    .with_duration("interval", interval)
    .with("nat", nat)
    .with_duration("forgets_after", forgets_after);
    match interval <= covering {
        true => explanation,
        false => explanation.remedy(format!(
            "for clients on unknown networks, send one at least every {}",
            duration(covering)
        )),
    }
}

fn at_hop(what: &HopDifference, before: Option<&str>, at: &str) -> Explanation {
    let place = match before {
        Some(before) => format!("between {before} and {at}"),
        None => format!("at {at} or behind it"),
    };
    let subject = match what {
        HopDifference::IdleTimeout(found) => format!("the idle cut after {} appears", bracket(*found)),
        HopDifference::NotOpened(why) => format!("the failure ({why}) appears"),
        HopDifference::Latency(rtt) => format!("the long RTT of {} appears", format::rtt(*rtt)),
        HopDifference::PingsUnanswered => "the silence to Ping frames begins".to_string(),
        HopDifference::Http2Fails => "the failure over HTTP/2 appears".to_string(),
        HopDifference::CompressionBreaks => "the failure with compression appears".to_string(),
    };
    Explanation::new(format!("{subject} {place}"))
        .with("what", <&str>::from(what))
        .with("before", json!(before))
        .with("at", at)
}

fn unchecked(why: &Unchecked) -> String {
    match why {
        Unchecked::NotApplicable(why) => format!("not checked: {why}"),
        Unchecked::Needs(why) => format!("could not be checked: {why}"),
        Unchecked::NoAnswer(why) => format!("no answer: {why}"),
        Unchecked::Interrupted => "not finished: the run was interrupted".to_string(),
    }
}
