//! What was seen of a cut, as far as it tells products apart.

use std::time::Duration;

use crate::domain::connection::close_cause::CloseKind;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::finding::{CutManner, EndSpread, IdleFindings, ResetBy};
use crate::domain::idle::probe::VisibleEnd;
use crate::domain::idle::refresh::{KeepaliveMethod, KeepaliveOutcome, RefreshResults};

use super::model::TimeoutKind;

/// How a connection was seen to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObservedCut {
    /// The end showed itself while nothing was sent.
    Visible(VisibleCut),
    /// Nothing came, not even when the connection was used.
    Silent,
    /// Nothing came until the connection was used; then an RST.
    RstOnUse,
}

/// An end that shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VisibleCut {
    /// A FIN without a close frame, or under TLS a close_notify; what we wrote afterwards was refused.
    Fin,
    /// A FIN, while it still accepts what we send.
    HalfClose,
    /// A FIN; whether it still accepts what we send was not tried.
    UntriedFin,
    Rst,
    /// A close frame, with its code where it had one.
    CloseFrame(Option<u16>),
}

impl VisibleCut {
    /// What a cut looks like; `None` when it was not an end that the peer showed.
    pub fn of(cut: &VisibleEnd) -> Option<VisibleCut> {
        match (&cut.how, cut.half_open) {
            (CloseKind::CloseFrame { code, .. }, _) => Some(VisibleCut::CloseFrame(*code)),
            (CloseKind::Fin | CloseKind::TlsClose, Some(false)) => Some(VisibleCut::Fin),
            (CloseKind::Fin | CloseKind::TlsClose, Some(true)) => Some(VisibleCut::HalfClose),
            (CloseKind::Fin | CloseKind::TlsClose, None) => Some(VisibleCut::UntriedFin),
            (CloseKind::Rst, _) => Some(VisibleCut::Rst),
            (
                CloseKind::TlsAlert { .. }
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
    /// How a search saw connections die; `None` where no known timer dies so.
    pub fn of(manner: &CutManner) -> Option<ObservedCut> {
        match manner {
            CutManner::Visible(cut) => VisibleCut::of(cut).map(ObservedCut::Visible),
            CutManner::OnUse(cut) => (cut.how == CloseKind::Rst).then_some(ObservedCut::RstOnUse),
            CutManner::Silent | CutManner::ServerUnheard | CutManner::ClientUnheard => {
                Some(ObservedCut::Silent)
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
    /// The shortest that did not; without it nothing is named.
    pub hi: Option<Duration>,
    /// The visible ends that belong together, where there were any.
    pub ends: Option<EndSpread>,
    pub seen: ObservedCut,
    /// What was sent shortly before the visible end was lost.
    pub lingers: bool,
    /// What starts the timer afresh, where controls told.
    pub reset_by: Option<ResetBy>,
    /// What was tried to keep the connection open.
    pub refresh: Option<&'a RefreshResults>,
    /// The headers of the response that tell of hops, names in lower case.
    pub headers: &'a [(String, UntrustedText)],
    /// The connection runs through an HTTP proxy of the client's.
    pub through_proxy: bool,
}

impl<'a> CutObservation<'a> {
    /// An idle timer that was found.
    pub fn idle(
        findings: &IdleFindings,
        headers: &'a [(String, UntrustedText)],
    ) -> Option<CutObservation<'a>> {
        let seen = ObservedCut::of(findings.manner.as_ref()?)?;
        Some(CutObservation {
            kind: TimeoutKind::Idle,
            lo: findings.bracket.lo,
            hi: findings.bracket.hi,
            ends: findings.spread,
            seen,
            lingers: findings.lingers,
            reset_by: findings.reset_by,
            refresh: None,
            headers,
            through_proxy: false,
        })
    }

    /// A lifetime that was found; `cut` is how the control ended.
    pub fn lifetime(
        findings: &IdleFindings,
        cut: Option<&VisibleEnd>,
        headers: &'a [(String, UntrustedText)],
    ) -> Option<CutObservation<'a>> {
        let age = findings.lifetime?;
        let seen = cut.and_then(VisibleCut::of).map_or(ObservedCut::Silent, ObservedCut::Visible);
        Some(CutObservation {
            kind: TimeoutKind::Lifetime,
            lo: Some(age.lo.mul_f64(0.98)),
            hi: Some(age.hi),
            ends: None,
            seen,
            lingers: findings.lingers,
            reset_by: findings.reset_by,
            refresh: None,
            headers,
            through_proxy: false,
        })
    }

    /// Whether a way to keep the connection open did; `None`: it was not tried, or does not tell.
    pub(super) fn kept_by(&self, method: KeepaliveMethod) -> Option<bool> {
        let row = self.refresh?.rows.iter().find(|row| row.method == method)?;
        match row.fate {
            KeepaliveOutcome::Survived => Some(true),
            KeepaliveOutcome::Died { .. } => Some(false),
            KeepaliveOutcome::Untold { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_open_decides_how_a_fin_looks() {
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
    fn only_an_rst_on_use_looks_like_a_forgotten_connection() {
        assert_eq!(ObservedCut::of(&CutManner::OnUse(CloseKind::Rst.into())), Some(ObservedCut::RstOnUse));
        assert_eq!(ObservedCut::of(&CutManner::OnUse(CloseKind::Fin.into())), None);
    }
}
