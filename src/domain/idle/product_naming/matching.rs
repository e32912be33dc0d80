//! Which known timers a measurement is consistent with. Never a proof: any value may be configured.
//!
//! 1. A timer that contradicts the evidence is not named: it cuts differently, has another fixed value, is
//!    reset by other traffic, or would have sent or removed a header.
//! 2. A header that names a product singles it out, at any value its setting allows.
//! 3. Without one, a way of cutting that only one product has singles it out: a FIN in one direction only.
//! 4. Otherwise no product is named; fitting products that add no header are listed as such.
//! 5. If a header names one product and `Via` another fitting one, neither is singled out.
//! 6. A product that a header names but the evidence contradicts is listed as ruled out, with the reason.

use std::cmp::Reverse;
use std::time::Duration;

use strum::{EnumIter, EnumMessage, IntoStaticStr};

use super::fit::{Contradiction, Fit, FitDegree, FitScore, Matched, fit, naming_header};
use super::observed::{CutObservation, ObservedCut, VisibleCut};
use crate::domain::catalogue::timeouts;
use crate::domain::catalogue::{
    Confidence, CutKind, ProductFamily, SettingChange, Timeout, TimeoutValue, span,
};
use crate::domain::connection::untrusted_text::UntrustedText;

/// Maximum number of candidates named.
const MAX_CANDIDATES: usize = 3;
/// Maximum number listed if none is singled out.
const MAX_UNDECIDED: usize = 5;

/// A known timer that a measurement is consistent with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub timeout: &'static Timeout,
    /// The value that the setting would need to have.
    pub value: Duration,
    /// Why it is named, as lower-case fragments; what identifies it comes first.
    pub reasons: Vec<String>,
    fit: Fit,
}

/// A product that a header names but that did not cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuledOut {
    pub product: &'static str,
    pub header: String,
    /// Why, as a lower-case fragment.
    pub why: String,
}

/// The products that the evidence names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProductNaming {
    /// Those it singles out, best first; at most three.
    pub candidates: Vec<Candidate>,
    /// Those that fit without a header, if none is singled out.
    pub undecided: Vec<Candidate>,
    /// Those that a header names and the evidence contradicts.
    pub ruled_out: Vec<RuledOut>,
    /// Why the measurement was not compared with the table.
    pub not_compared: Option<NotCompared>,
}

/// Why a measurement cannot be compared with the table of known timers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter, EnumMessage)]
#[strum(serialize_all = "snake_case")]
pub enum NotCompared {
    /// The connection was one of HTTP/2, and the table is of HTTP/1.1.
    Http2,
    /// It is unknown whether TCP acknowledged what stayed unanswered: whether the path dropped it, or something above TCP did
    /// not answer.
    AcknowledgementUnknown,
}

/// Names the products that the evidence supports.
pub fn consistent_with(observed: &CutObservation) -> ProductNaming {
    let of_kind = || {
        timeouts()
            .filter(|it| it.kind == observed.kind && it.family != ProductFamily::Service && !it.from_reload)
    };
    let mut fits: Vec<Candidate> = of_kind().filter_map(|it| candidate(it, observed)).collect();
    fits.sort_by_key(|candidate| Reverse(candidate.rank()));
    let (named, quiet): (Vec<_>, Vec<_>) =
        fits.into_iter().partition(|candidate| candidate.fit.header.is_some());
    let ruled_out = rule_out(of_kind(), &named, observed);
    let (also_on_path, quiet): (Vec<_>, Vec<_>) =
        quiet.into_iter().partition(|it| is_named_by_via(it.timeout.product, observed.headers));
    if !named.is_empty() && !also_on_path.is_empty() {
        let undecided =
            best_of_each_product(named).into_iter().chain(also_on_path).take(MAX_UNDECIDED).collect();
        return ProductNaming { undecided, ruled_out, ..ProductNaming::default() };
    }
    let quiet: Vec<_> = also_on_path.into_iter().chain(quiet).collect();
    if !named.is_empty() {
        return ProductNaming {
            candidates: best_of_each_product(named),
            ruled_out,
            ..ProductNaming::default()
        };
    }
    if let Some(only) = singled_out_by_cut(&quiet, observed.seen) {
        return ProductNaming { candidates: vec![only], ruled_out, ..ProductNaming::default() };
    }
    let mut undecided: Vec<_> = quiet.into_iter().filter(Candidate::is_likely).collect();
    undecided.truncate(MAX_UNDECIDED);
    ProductNaming { undecided, ruled_out, ..ProductNaming::default() }
}

/// Whether a `Via` header names this product, which adds none to an upgrade itself: it is on the path and may
/// have cut.
fn is_named_by_via(product: &str, headers: &[(String, UntrustedText)]) -> bool {
    let name = product.split([' ', ',', '(']).next().unwrap_or(product).to_lowercase();
    let is_via = |header: &&(String, UntrustedText)| header.0.eq_ignore_ascii_case("via");
    headers.iter().filter(is_via).any(|(_, value)| value.as_str().to_lowercase().contains(&name))
}

fn candidate(timeout: &'static Timeout, observed: &CutObservation) -> Option<Candidate> {
    let fit = fit(timeout, observed).ok()?;
    let reasons = reasons(timeout, &fit);
    Some(Candidate { timeout, value: fit.value, reasons, fit })
}

/// The timers of each product that fit, only the default one if it is among them; at most
/// [`MAX_CANDIDATES`] in all.
fn best_of_each_product(named: Vec<Candidate>) -> Vec<Candidate> {
    let is_default = |candidate: &Candidate| candidate.fit.matched == Matched::Default;
    let has_default = |product: &str| named.iter().any(|it| is_default(it) && it.timeout.product == product);
    let kept = |candidate: &&Candidate| is_default(candidate) || !has_default(candidate.timeout.product);
    named.iter().filter(kept).take(MAX_CANDIDATES).cloned().collect()
}

/// The only product that closes in one direction and has no header.
fn singled_out_by_cut(quiet: &[Candidate], seen: ObservedCut) -> Option<Candidate> {
    let same: Vec<&Candidate> = quiet.iter().filter(|it| it.fit.cut.degree == FitDegree::Same).collect();
    let only = same.first().filter(|_| seen == ObservedCut::Visible(VisibleCut::HalfClose))?;
    let is_alone = same.iter().all(|other| other.timeout.topic() == only.timeout.topic());
    is_alone.then(|| (*only).clone())
}

fn rule_out(
    known: impl Iterator<Item = &'static Timeout>,
    named: &[Candidate],
    observed: &CutObservation,
) -> Vec<RuledOut> {
    let mut found: Vec<RuledOut> = Vec::new();
    for timeout in known {
        let Some(header) = naming_header(timeout, observed.headers) else { continue };
        let is_named = named.iter().any(|it| it.header() == Some(&header));
        let is_found = found.iter().any(|other| other.product == timeout.product);
        if let Some(why) = fit(timeout, observed).err().and_then(|why| contradiction(timeout, why))
            && !is_named
            && !is_found
        {
            found.push(RuledOut { product: timeout.product, header, why });
        }
    }
    found
}

fn contradiction(timeout: &Timeout, contradiction: Contradiction) -> Option<String> {
    match contradiction {
        Contradiction::Cut if timeout.cuts.is_empty() => None,
        Contradiction::Cut => {
            let ways: Vec<String> = timeout.cuts.iter().map(ToString::to_string).collect();
            Some(format!("it cuts in another way ({})", ways.join(", ")))
        }
        Contradiction::Value => Some(match (timeout.value, timeout.change) {
            (TimeoutValue::Unpublished, _) => {
                "no timeout of it is published, so the timeout cannot show whether it cut".to_string()
            }
            (TimeoutValue::After(value), SettingChange::Fixed) => {
                format!("its timeout is {}, and cannot be changed", span(value))
            }
            (_, _) => "its setting cannot have this value".to_string(),
        }),
        Contradiction::Resets => Some("other traffic resets its timer".to_string()),
        Contradiction::Timing => Some("it cuts exactly when its timer is up".to_string()),
        Contradiction::NoSuchTimer | Contradiction::Headers => None,
    }
}

impl Candidate {
    /// Sort key: higher is more likely.
    fn rank(&self) -> (bool, FitDegree, bool, bool, bool) {
        let is_known = self.fit.matched != Matched::Any;
        let is_sure = self.timeout.confidence == Confidence::High;
        let is_common = self.timeout.common || self.timeout.forward_only;
        (is_known, self.fit.cut.degree, self.fit.cut.usual, is_common, is_sure)
    }

    /// Whether to list it although nothing singles it out.
    fn is_likely(&self) -> bool {
        let is_same = self.fit.cut.degree == FitDegree::Same && self.fit.cut.usual;
        match self.fit.matched {
            Matched::Default | Matched::Typical(_) => is_same || self.timeout.common,
            Matched::Any => is_same && self.timeout.family != ProductFamily::Cloud,
        }
    }

    /// Whether the value is the one without configuration.
    pub fn is_default(&self) -> bool {
        self.fit.matched == Matched::Default
    }

    /// The header that names it.
    pub fn header(&self) -> Option<&str> {
        self.fit.header.as_deref()
    }

    /// What else may have cut, and how to verify; `None` if no header named it.
    pub fn caveat(&self) -> Option<String> {
        let product = self.timeout.product;
        let log = self.timeout.log.map(|log| format!("; {log}")).unwrap_or_default();
        let before = if self.timeout.hides_server { "" } else { "; the header may be the origin's" };
        self.fit.header.as_ref().map(|_| {
            format!(
                "the header shows that {product} is on the path, not that it cut: a hop or a server before or behind \
                 it that adds no header may have{before}{log}"
            )
        })
    }

    /// The setting to look for, with the value.
    pub fn setting(&self) -> String {
        self.timeout.setting_at(self.value)
    }
}

fn reasons(timeout: &Timeout, fit: &Fit) -> Vec<String> {
    let mut reasons: Vec<String> = Vec::new();
    reasons.extend(fit.header.as_ref().map(|header| format!("the response says {header}")));
    reasons.push(describe_cut(&fit.cut));
    reasons.push(describe_value(timeout, fit));
    reasons.extend(describe_delay(timeout));
    if timeout.confidence == Confidence::Medium {
        reasons.push("its source is of medium confidence".to_string());
    }
    reasons
}

fn describe_cut(similarity: &FitScore) -> String {
    let verb = match similarity.cut {
        CutKind::ClosesTcp => return "it closes TCP; how is not documented".to_string(),
        CutKind::Closes => return "it closes; how is not documented".to_string(),
        CutKind::HalfClose => "cuts by a FIN on one side only".to_string(),
        CutKind::Fin | CutKind::Rst | CutKind::HttpError(_) => format!("cuts by {}", similarity.cut),
        CutKind::CloseFrame(code) => format!("closes with close frame {code}"),
        CutKind::Silent => "cuts silently".to_string(),
        CutKind::RstOnUse => "answers the next use by an RST".to_string(),
    };
    if similarity.usual { format!("it {verb}") } else { format!("it sometimes {verb}") }
}

/// For example `60 s is its default`, or that it can have this value.
fn describe_value(timeout: &Timeout, fit: &Fit) -> String {
    let value = span(fit.value);
    match (fit.matched, timeout.value) {
        (Matched::Default, _) if timeout.family == ProductFamily::Server => {
            format!("{value} is its default: a server's own, not a proxy's")
        }
        (Matched::Default, _) => format!("{value} is its default"),
        (Matched::Typical(whose), TimeoutValue::Unset) => {
            format!("{value} is that of {whose}; it has no built-in default")
        }
        (Matched::Typical(whose), _) => format!("{value} is that of {whose}"),
        (Matched::Any, TimeoutValue::After(default)) => {
            format!("it can be set to {value}, though {} is its default", span(default))
        }
        (
            Matched::Any,
            TimeoutValue::Never | TimeoutValue::Off | TimeoutValue::Unset | TimeoutValue::Unpublished,
        ) => {
            format!("it can be set to {value}; it has no built-in default")
        }
    }
}

fn describe_delay(timeout: &Timeout) -> Option<String> {
    match (timeout.delay.is_zero(), timeout.coarse.is_zero()) {
        (true, true) => None,
        (false, _) => Some(format!("its FIN comes {} after its timer", span(timeout.delay))),
        (true, false) => Some(format!("its timer may strike up to {} late", span(timeout.coarse))),
    }
}
