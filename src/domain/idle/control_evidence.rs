//! What the controls of a search show of the keepalive methods, before they are tried.

use super::finding::{IdleFindings, IdleVerdict, ResetBy};
use super::keepalive_method::KeepaliveMethod;
use crate::domain::heartbeat::HeartbeatKind;

/// What the controls of a search showed of the methods already: whether each kept its connection open.
pub fn shown_by_controls(findings: &IdleFindings, kind: HeartbeatKind) -> Vec<(KeepaliveMethod, bool)> {
    let (ping, app) = (KeepaliveMethod::PingPong, KeepaliveMethod::AppMessage);
    let of_control = match kind {
        HeartbeatKind::Protocol => ping,
        HeartbeatKind::App => app,
        HeartbeatKind::Http2 => KeepaliveMethod::Http2Ping,
    };
    match (findings.verdict, findings.reset_by) {
        (IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy, Some(ResetBy::Messages)) => {
            vec![(ping, false), (app, true)]
        }
        (IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy, Some(ResetBy::Pings)) => {
            vec![(ping, true), (app, false)]
        }
        (IdleVerdict::IdleTimeout | IdleVerdict::ServerPolicy, None) => vec![(of_control, true)],
        (IdleVerdict::LifetimeCap, _) => vec![(of_control, false)],
        (IdleVerdict::Inconclusive, _) if findings.lifetime_or_idle.is_some() => vec![(of_control, false)],
        (
            IdleVerdict::Inconclusive
            | IdleVerdict::NoTimeoutUpToMax
            | IdleVerdict::ServerKeepsItBusy
            | IdleVerdict::Stochastic,
            _,
        ) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::idle::refresh::{KeepaliveOutcome, MethodResult, RefreshConclusion, RefreshResults};

    fn row(method: KeepaliveMethod, survived: bool) -> MethodResult {
        let died = || KeepaliveOutcome::Died { after: Duration::ZERO, how: String::new() };
        let outcome = if survived { KeepaliveOutcome::Survived } else { died() };
        MethodResult { method, every: None, held: Duration::ZERO, outcome }
    }

    /// The conclusion from a row for Ping frames beside this verdict, whose controls sent them.
    fn beside(verdict: IdleVerdict, reset_by: Option<ResetBy>, survived: bool) -> RefreshConclusion {
        let findings = IdleFindings { verdict, reset_by, ..IdleFindings::default() };
        let known = shown_by_controls(&findings, HeartbeatKind::Protocol);
        RefreshResults::of(vec![row(KeepaliveMethod::PingPong, survived)], &known).conclusion
    }

    #[test]
    fn results_that_contradict_the_controls_show_nothing() {
        use IdleVerdict::{IdleTimeout, LifetimeCap, Stochastic};
        let (messages, pings) = (Some(ResetBy::Messages), Some(ResetBy::Pings));
        assert_eq!(beside(IdleTimeout, messages, true), RefreshConclusion::Contradictory);
        assert_eq!(beside(IdleTimeout, messages, false), RefreshConclusion::MessagesOnly);
        assert_eq!(beside(IdleTimeout, pings, true), RefreshConclusion::PingsOnly);
        assert_eq!(beside(IdleTimeout, pings, false), RefreshConclusion::Contradictory);
        assert_eq!(beside(IdleTimeout, None, false), RefreshConclusion::Contradictory);
        assert_eq!(beside(IdleTimeout, None, true), RefreshConclusion::Pings);
        assert_eq!(beside(LifetimeCap, None, true), RefreshConclusion::Contradictory);
        assert_eq!(beside(LifetimeCap, None, false), RefreshConclusion::NotPings);
        assert_eq!(beside(Stochastic, None, false), RefreshConclusion::NotPings);
    }
}
