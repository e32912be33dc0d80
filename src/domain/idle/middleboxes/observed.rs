//! What was seen of a cut, as far as it tells products apart.

use std::time::Duration;

use crate::domain::close_cause::CloseKind;
use crate::domain::idle::finding::{Findings, Manner, ResetBy, Spread};
use crate::domain::idle::probe::Cut;
use crate::domain::idle::refresh::{Fate, Method, Refresh};
use crate::domain::untrusted_text::UntrustedText;

use super::model::Kind;

/// How a connection was seen to be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Seen {
    /// The end showed itself while nothing was sent.
    Visible(Visible),
    /// Nothing came, not even when the connection was used.
    Silent,
    /// Nothing came until the connection was used; then an RST.
    RstOnUse,
}

/// An end that shows itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Visible {
    /// A FIN without a close frame, or under TLS a close_notify; what we wrote afterwards was refused.
    Fin,
    /// A FIN, while what we write is still taken.
    HalfClose,
    /// A FIN; whether what we write is still taken was not tried.
    UntriedFin,
    Rst,
    /// A close frame, with its code where it had one.
    CloseFrame(Option<u16>),
}

impl Visible {
    /// What a cut looks like; `None` when it was not an end that the peer showed.
    pub fn of(cut: &Cut) -> Option<Visible> {
        match (&cut.how, cut.half_open) {
            (CloseKind::CloseFrame { code, .. }, _) => Some(Visible::CloseFrame(*code)),
            (CloseKind::Fin | CloseKind::TlsClose, Some(false)) => Some(Visible::Fin),
            (CloseKind::Fin | CloseKind::TlsClose, Some(true)) => Some(Visible::HalfClose),
            (CloseKind::Fin | CloseKind::TlsClose, None) => Some(Visible::UntriedFin),
            (CloseKind::Rst, _) => Some(Visible::Rst),
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

impl Seen {
    /// How a search saw connections die; `None` where no known timer dies so.
    pub fn of(manner: &Manner) -> Option<Seen> {
        match manner {
            Manner::Visible(cut) => Visible::of(cut).map(Seen::Visible),
            Manner::OnUse(cut) => (cut.how == CloseKind::Rst).then_some(Seen::RstOnUse),
            Manner::Silent | Manner::ServerUnheard | Manner::ClientUnheard => Some(Seen::Silent),
        }
    }
}

/// The evidence about one cut.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    pub kind: Kind,
    /// The longest idle span (or age) that survived.
    pub lo: Option<Duration>,
    /// The shortest that did not; without it nothing is named.
    pub hi: Option<Duration>,
    /// The visible ends that belong together, where there were any.
    pub ends: Option<Spread>,
    pub seen: Seen,
    /// What was sent shortly before the visible end was lost.
    pub lingers: bool,
    /// What starts the timer afresh, where controls told.
    pub reset_by: Option<ResetBy>,
    /// What was tried to keep the connection open.
    pub refresh: Option<&'a Refresh>,
    /// The headers of the response that tell of hops, names in lower case.
    pub headers: &'a [(String, UntrustedText)],
    /// The connection runs through an HTTP proxy of the client's.
    pub through_proxy: bool,
}

impl<'a> Observed<'a> {
    /// An idle timer that was found.
    pub fn idle(findings: &Findings, headers: &'a [(String, UntrustedText)]) -> Option<Observed<'a>> {
        let seen = Seen::of(findings.manner.as_ref()?)?;
        Some(Observed {
            kind: Kind::Idle,
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
        findings: &Findings,
        cut: Option<&Cut>,
        headers: &'a [(String, UntrustedText)],
    ) -> Option<Observed<'a>> {
        let age = findings.lifetime?;
        let seen = cut.and_then(Visible::of).map_or(Seen::Silent, Seen::Visible);
        Some(Observed {
            kind: Kind::Lifetime,
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
    pub(super) fn kept_by(&self, method: Method) -> Option<bool> {
        let row = self.refresh?.rows.iter().find(|row| row.method == method)?;
        match row.fate {
            Fate::Survived => Some(true),
            Fate::Died { .. } => Some(false),
            Fate::Untold { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_open_decides_how_a_fin_looks() {
        let fin = |half_open| Visible::of(&Cut { how: CloseKind::Fin, half_open });
        assert_eq!(fin(Some(true)), Some(Visible::HalfClose));
        assert_eq!(fin(Some(false)), Some(Visible::Fin));
        assert_eq!(fin(None), Some(Visible::UntriedFin));
        let close = CloseKind::CloseFrame { code: Some(1001), reason: UntrustedText::default() };
        assert_eq!(Visible::of(&close.into()), Some(Visible::CloseFrame(Some(1001))));
        assert_eq!(Visible::of(&CloseKind::TlsClose.into()), Some(Visible::UntriedFin));
        assert_eq!(Visible::of(&CloseKind::Rst.into()), Some(Visible::Rst));
        assert_eq!(Visible::of(&CloseKind::Silent.into()), None);
    }

    #[test]
    fn only_an_rst_on_use_looks_like_a_forgotten_connection() {
        assert_eq!(Seen::of(&Manner::OnUse(CloseKind::Rst.into())), Some(Seen::RstOnUse));
        assert_eq!(Seen::of(&Manner::OnUse(CloseKind::Fin.into())), None);
    }
}
