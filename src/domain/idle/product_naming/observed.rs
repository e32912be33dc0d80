//! What was observed of a cut, as far as it distinguishes products.

use std::time::Duration;

use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::finding::{CutManner, EndSpread, IdleFindings, ResetBy};
use crate::domain::idle::probe::VisibleEnd;
use crate::domain::idle::refresh::{KeepaliveMethod, RefreshConclusion, RefreshResults};

use crate::domain::catalogue::TimeoutKind;

/// How a connection was seen to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObservedCut {
    /// The end was visible while nothing was sent.
    Visible(VisibleCut),
    /// Nothing was received when the connection was used, and TCP did not acknowledge it.
    Silent,
    /// Nothing was received when the connection was used, although TCP acknowledged it: the path to what ends TCP works.
    Acknowledged,
    /// Nothing was received until the connection was used; then an RST.
    RstOnUse,
}

/// A visible end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VisibleCut {
    /// A FIN without a close frame, or a TLS close_notify; later writes failed.
    Fin,
    /// A FIN, while later writes still succeed.
    HalfClose,
    /// A FIN; later writes were not tested.
    UntriedFin,
    Rst,
    /// A close frame, with its code if it had one.
    CloseFrame(Option<u16>),
}

impl VisibleCut {
    /// The visible form of this end; `None` if the peer did not end the connection.
    pub fn of(cut: &VisibleEnd) -> Option<VisibleCut> {
        match (&cut.how, cut.half_open) {
            (CloseKind::CloseFrame { code, .. }, _) => Some(VisibleCut::CloseFrame(*code)),
            (CloseKind::Fin | CloseKind::TlsClose, Some(false)) => Some(VisibleCut::Fin),
            (CloseKind::Fin | CloseKind::TlsClose, Some(true)) => Some(VisibleCut::HalfClose),
            (CloseKind::Fin | CloseKind::TlsClose, None) => Some(VisibleCut::UntriedFin),
            (CloseKind::Rst, _) => Some(VisibleCut::Rst),
            // Nothing is known of what products do over HTTP/2.
            (
                CloseKind::H2EndStream
                | CloseKind::H2RstStream { .. }
                | CloseKind::H2Goaway { .. }
                | CloseKind::TlsAlert { .. }
                | CloseKind::Violation { .. }
                | CloseKind::TooLarge { .. }
                | CloseKind::Silent
                | CloseKind::Timeout
                | CloseKind::Error,
                _,
            ) => None,
        }
    }
}

impl ObservedCut {
    /// The visible form of the deaths in a search; `None` if no known timer produces it, or if it is unknown whether TCP
    /// acknowledged what stayed unanswered.
    pub fn of(manner: &CutManner) -> Option<ObservedCut> {
        match manner {
            CutManner::Visible(cut) => VisibleCut::of(cut).map(ObservedCut::Visible),
            CutManner::OnUse(cut) => (cut.how == CloseKind::Rst).then_some(ObservedCut::RstOnUse),
            CutManner::ServerUnheard => Some(ObservedCut::Silent),
            CutManner::Silent { acked } | CutManner::ClientUnheard { acked } => {
                acked.map(|acked| if acked { ObservedCut::Acknowledged } else { ObservedCut::Silent })
            }
        }
    }
}

/// The evidence about one cut.
#[derive(Debug, Clone, Copy)]
pub struct CutObservation<'a> {
    pub kind: TimeoutKind,
    /// The longest idle span (or age) that survived.
    pub lo: Option<Duration>,
    /// The shortest that did not; without it no product is named.
    pub hi: Option<Duration>,
    /// The grouped visible ends, if there are any.
    pub ends: Option<EndSpread>,
    pub seen: ObservedCut,
    /// Data sent shortly before the visible end was lost.
    pub stops_forwarding_before_closing: bool,
    /// What resets the timer, if the controls show it.
    pub reset_by: Option<ResetBy>,
    /// The keepalive methods tried.
    pub refresh: Option<&'a RefreshResults>,
    /// The response headers that reveal hops, names in lower case.
    pub headers: &'a [(String, UntrustedText)],
    /// The connection runs through the client's HTTP proxy.
    pub through_proxy: bool,
}

impl<'a> CutObservation<'a> {
    /// What is known of every cut; the rest is not.
    fn new(
        kind: TimeoutKind,
        (lo, hi): (Option<Duration>, Option<Duration>),
        seen: ObservedCut,
        headers: &'a [(String, UntrustedText)],
    ) -> CutObservation<'a> {
        CutObservation {
            kind,
            lo,
            hi,
            ends: None,
            seen,
            stops_forwarding_before_closing: false,
            reset_by: None,
            refresh: None,
            headers,
            through_proxy: false,
        }
    }

    fn of_search(self, findings: &IdleFindings) -> CutObservation<'a> {
        let stops_forwarding_before_closing = findings.stops_forwarding_before_closing;
        CutObservation { stops_forwarding_before_closing, reset_by: findings.reset_by, ..self }
    }

    /// The observation of an idle timeout.
    pub fn idle(
        findings: &IdleFindings,
        headers: &'a [(String, UntrustedText)],
    ) -> Option<CutObservation<'a>> {
        let (bracket, seen) = (findings.bracket, ObservedCut::of(findings.manner.as_ref()?)?);
        let observed = CutObservation::new(TimeoutKind::Idle, (bracket.lo, bracket.hi), seen, headers);
        Some(CutObservation { ends: findings.spread, ..observed.of_search(findings) })
    }

    /// The observation of a lifetime; `cut` is how the control ended.
    pub fn lifetime(
        findings: &IdleFindings,
        cut: Option<&VisibleEnd>,
        headers: &'a [(String, UntrustedText)],
    ) -> Option<CutObservation<'a>> {
        let age = findings.lifetime?;
        // Whether TCP acknowledged the last question to a control is not known.
        let seen = ObservedCut::Visible(cut.and_then(VisibleCut::of)?);
        let ages = (Some(age.lo.mul_f64(0.98)), Some(age.hi));
        Some(CutObservation::new(TimeoutKind::Lifetime, ages, seen, headers).of_search(findings))
    }

    /// The end of a single connection that was in use; `None` if the peer did not end it.
    pub fn end_in_use(
        age: Duration,
        end: &VisibleEnd,
        headers: &'a [(String, UntrustedText)],
    ) -> Option<CutObservation<'a>> {
        let (ages, seen) = ((Some(age.mul_f64(0.98)), Some(age)), ObservedCut::Visible(VisibleCut::of(end)?));
        Some(CutObservation::new(TimeoutKind::Lifetime, ages, seen, headers))
    }

    /// Whether a keepalive method kept the connection open; `None` if it was not tried or is unclear.
    pub(super) fn kept_by(&self, method: KeepaliveMethod) -> Option<bool> {
        let refresh =
            self.refresh.filter(|refresh| refresh.conclusion != RefreshConclusion::Contradictory)?;
        refresh.kept_by(method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_open_distinguishes_fin_kinds() {
        let fin = |half_open| VisibleCut::of(&VisibleEnd { how: CloseKind::Fin, half_open });
        assert_eq!(fin(Some(true)), Some(VisibleCut::HalfClose));
        assert_eq!(fin(Some(false)), Some(VisibleCut::Fin));
        assert_eq!(fin(None), Some(VisibleCut::UntriedFin));
        let close = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() };
        assert_eq!(VisibleCut::of(&close.into()), Some(VisibleCut::CloseFrame(Some(1001))));
        assert_eq!(VisibleCut::of(&CloseKind::TlsClose.into()), Some(VisibleCut::UntriedFin));
        assert_eq!(VisibleCut::of(&CloseKind::Rst.into()), Some(VisibleCut::Rst));
        assert_eq!(VisibleCut::of(&CloseKind::Silent.into()), None);
    }

    #[test]
    fn only_an_unacknowledged_question_means_a_dropped_packet() {
        let seen = |acked| ObservedCut::of(&CutManner::Silent { acked });
        assert_eq!(seen(Some(false)), Some(ObservedCut::Silent));
        assert_eq!(seen(Some(true)), Some(ObservedCut::Acknowledged));
        assert_eq!(seen(None), None);
        let client = |acked| ObservedCut::of(&CutManner::ClientUnheard { acked });
        assert_eq!(client(Some(true)), Some(ObservedCut::Acknowledged));
    }

    #[test]
    fn only_a_rst_on_use_means_dropped_state() {
        assert_eq!(ObservedCut::of(&CutManner::OnUse(CloseKind::Rst.into())), Some(ObservedCut::RstOnUse));
        assert_eq!(ObservedCut::of(&CutManner::OnUse(CloseKind::Fin.into())), None);
    }
}
