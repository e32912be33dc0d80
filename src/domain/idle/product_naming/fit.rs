//! Whether a known timer agrees with an observation, and where it does not.

use std::time::Duration;

use super::observed::{CutObservation, ObservedCut, VisibleCut};
use crate::domain::catalogue::timeouts;
use crate::domain::catalogue::{
    CutKind, HeaderMark, ProductFamily, ProductMarks, SettingChange, Timeout, TimeoutValue, TimerReset,
    TypicalSetting,
};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::finding::ResetBy;
use crate::domain::idle::refresh::KeepaliveMethod;

/// A measurement's uncertainty: at least this time, and this fraction of the timer's value.
const SLACK: Duration = Duration::from_millis(250);
const SLACK_PART: f64 = 0.005;
/// A silence may survive this much longer than the timer, because a hop counts by its own clock.
const EARLY: Duration = Duration::from_millis(50);
/// A bracket without a visible end shows no value if it is wider than this fraction of its upper end.
const MAX_BRACKET_PART: f64 = 0.4;
/// An exact timer's visible ends lie within this time, or this fraction.
const EXACT: Duration = Duration::from_millis(500);
const EXACT_PART: f64 = 0.02;

/// Where a known timer contradicts an observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contradiction {
    /// It is another kind of timer, or there is none.
    NoSuchTimer,
    /// It would have added a header, or removed one that is there.
    Headers,
    /// It cuts in another way.
    Cut,
    /// Its value is fixed or limited, and another one was found.
    Value,
    /// Other traffic resets it than the observations show.
    Resets,
    /// It is exact and the ends were not; or it loses no data before its end, and data was lost.
    Timing,
}

/// A known timer that agrees with an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// The value the setting must have: its default if that agrees, else the roundest number.
    pub value: Duration,
    pub matched: Matched,
    /// The header that names the product.
    pub header: Option<String>,
    pub cut: FitScore,
}

/// How the value relates to the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// The value without configuration.
    Default,
    /// Not the default, but common.
    Typical(&'static str),
    /// One of many possible values.
    Any,
}

/// The known way of cutting most similar to the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FitScore {
    pub cut: CutKind,
    pub degree: FitDegree,
    /// Whether it is the product's usual way.
    pub usual: bool,
}

/// How similar a known way of cutting is to the observation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FitDegree {
    /// It may look like this if another hop takes part.
    Possible,
    /// What is known allows it, but is less exact.
    Allowed,
    Same,
}

/// Compares a known timer with an observation.
pub fn fit(timeout: &'static Timeout, observed: &CutObservation) -> Result<Fit, Contradiction> {
    let is_there = timeout.kind == observed.kind
        && !timeout.from_reload
        && timeout.value != TimeoutValue::Never
        && (observed.through_proxy || !timeout.forward_only);
    if !is_there {
        return Err(Contradiction::NoSuchTimer);
    }
    let cut = most_similar(timeout, observed.seen).ok_or(Contradiction::Cut)?;
    if !is_reset_consistent(timeout, observed) {
        return Err(Contradiction::Resets);
    }
    if !is_timing_consistent(timeout, observed) {
        return Err(Contradiction::Timing);
    }
    let (value, matched) = required_value(timeout, observed).ok_or(Contradiction::Value)?;
    let header = header_evidence(timeout, observed.headers)?;
    Ok(Fit { value, matched, header, cut })
}

/// The header that names the product.
pub fn naming_header(timeout: &Timeout, headers: &[(String, UntrustedText)]) -> Option<String> {
    let marks = match timeout.shows {
        ProductMarks::Never => return None,
        ProductMarks::Usually(marks)
        | ProductMarks::Yields(marks)
        | ProductMarks::Behind(marks)
        | ProductMarks::Always(marks) => marks,
    };
    let named = headers.iter().find(|(name, value)| marks.iter().any(|mark| matches_mark(mark, name, value)));
    named.map(|(name, value)| format!("{name}: {value}"))
}

/// Whether a header comes from a proxy or a cloud rather than the server behind it.
pub fn names_a_hop(header: &(String, UntrustedText)) -> bool {
    let is_hop = |timeout: &&Timeout| matches!(timeout.family, ProductFamily::Proxy | ProductFamily::Cloud);
    timeouts().filter(is_hop).any(|timeout| naming_header(timeout, std::slice::from_ref(header)).is_some())
}

/// The header that names the product, if there is one; an error if the headers contradict it.
fn header_evidence(
    timeout: &Timeout,
    headers: &[(String, UntrustedText)],
) -> Result<Option<String>, Contradiction> {
    if let Some(header) = naming_header(timeout, headers) {
        return Ok(Some(header));
    }
    let has_server = headers.iter().any(|(name, _)| name == "server");
    let is_against = match timeout.shows {
        ProductMarks::Usually(_) | ProductMarks::Always(_) => true,
        ProductMarks::Yields(_) => !has_server,
        ProductMarks::Never | ProductMarks::Behind(_) => false,
    };
    if is_against || timeout.hides_server && has_server { Err(Contradiction::Headers) } else { Ok(None) }
}

/// Whether a header matches a mark as a whole word, so that `istio-envoy` is not `envoy`.
fn matches_mark(mark: &HeaderMark, name: &str, value: &UntrustedText) -> bool {
    let is_named =
        if mark.header.ends_with('-') { name.starts_with(mark.header) } else { name == mark.header };
    is_named && has_word(&value.as_str().to_lowercase(), mark.contains)
}

fn has_word(text: &str, word: &str) -> bool {
    let is_inner = |c: char| c.is_alphanumeric() || c == '-';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back().is_some_and(is_inner);
        let after = text[at + word.len()..].chars().next().is_some_and(is_inner);
        let ends_inside = word.chars().next_back().is_some_and(is_inner) && !word.ends_with('-');
        word.is_empty() || !(before || after && ends_inside)
    })
}

/// The most similar way of cutting; `None` if none is similar.
pub fn most_similar(timeout: &Timeout, seen: ObservedCut) -> Option<FitScore> {
    let similarities = timeout.cuts.iter().enumerate().filter_map(|(place, cut)| {
        let degree = similarity(seen, *cut).filter(|_| !acknowledges_dropped(timeout, seen))?;
        Some(FitScore { cut: *cut, degree, usual: place == 0 })
    });
    similarities.max_by_key(|similarity| (similarity.degree, similarity.usual))
}

/// Whether it would have to acknowledge what it drops: what tracks connections below the application has no TCP of its own.
fn acknowledges_dropped(timeout: &Timeout, seen: ObservedCut) -> bool {
    seen == ObservedCut::Acknowledged && timeout.family == ProductFamily::Nat
}

fn similarity(seen: ObservedCut, cut: CutKind) -> Option<FitDegree> {
    use VisibleCut::{CloseFrame, Fin, HalfClose, Rst, UntriedFin};
    match (seen, cut) {
        (ObservedCut::Visible(Fin), CutKind::Fin)
        | (ObservedCut::Visible(HalfClose), CutKind::HalfClose)
        | (ObservedCut::Visible(Rst), CutKind::Rst)
        | (ObservedCut::Silent, CutKind::Silent)
        | (ObservedCut::RstOnUse, CutKind::RstOnUse) => Some(FitDegree::Same),
        (ObservedCut::Visible(CloseFrame(code)), CutKind::CloseFrame(its)) => {
            (code == Some(its)).then_some(FitDegree::Same)
        }
        (ObservedCut::Visible(UntriedFin), CutKind::Fin | CutKind::HalfClose)
        | (ObservedCut::Visible(Fin | UntriedFin | Rst), CutKind::ClosesTcp) => Some(FitDegree::Allowed),
        (ObservedCut::Visible(HalfClose), CutKind::ClosesTcp)
        | (ObservedCut::Visible(_), CutKind::Closes)
        | (ObservedCut::Silent, CutKind::RstOnUse)
        | (ObservedCut::Acknowledged, CutKind::Silent)
        | (ObservedCut::RstOnUse, CutKind::Silent) => Some(FitDegree::Possible),
        (
            ObservedCut::Visible(_) | ObservedCut::Silent | ObservedCut::Acknowledged | ObservedCut::RstOnUse,
            _,
        ) => None,
    }
}

/// Whether what resets the timer agrees with what kept the connection open, as far as that was tried.
fn is_reset_consistent(timeout: &Timeout, observed: &CutObservation) -> bool {
    let kept = |method| observed.kept_by(method);
    let Some(resets) = timeout.resets else { return true };
    // Only a product that reads frames distinguishes Pings from messages.
    if let Some(reset_by) = observed.reset_by {
        return reset_by == ResetBy::Messages && resets == TimerReset::MessagesOnly;
    }
    let keepalive = kept(KeepaliveMethod::TcpKeepalive);
    let from_client = kept(KeepaliveMethod::UnsolicitedPong);
    let answered = kept(KeepaliveMethod::PingPong);
    match resets {
        TimerReset::TcpKeepaliveToo => ![keepalive, from_client, answered].contains(&Some(false)),
        TimerReset::Either | TimerReset::ClientToServer => {
            keepalive != Some(true) && ![from_client, answered].contains(&Some(false))
        }
        TimerReset::ServerToClient => {
            keepalive != Some(true) && from_client != Some(true) && answered != Some(false)
        }
        TimerReset::EachDirection => keepalive != Some(true) && answered != Some(false),
        TimerReset::MessagesOnly => ![keepalive, from_client, answered].contains(&Some(true)),
        TimerReset::Nothing => ![keepalive, from_client, answered].contains(&Some(true)),
        TimerReset::Pong => true,
    }
}

/// Whether the spread of the ends and the loss of data before them match the timer.
fn is_timing_consistent(timeout: &Timeout, observed: &CutObservation) -> bool {
    let is_late = !timeout.delay.is_zero() || !timeout.coarse.is_zero();
    let width = observed.ends.map_or(Duration::ZERO, |ends| ends.max - ends.min);
    let most = observed.ends.map_or(EXACT, |ends| EXACT.max(ends.max.mul_f64(EXACT_PART)));
    width <= most + timeout.coarse && (is_late || !observed.stops_forwarding_before_closing)
}

/// The value the setting must have for this cut; `None` if there is none.
fn required_value(timeout: &Timeout, observed: &CutObservation) -> Option<(Duration, Matched)> {
    let tight = TimeoutRange::of(timeout, observed)?;
    let range = tight.widened_for_late_ends(timeout, observed);
    let default = timeout.value.span().map(|value| (value, Matched::Default));
    let typical = |typical: &TypicalSetting| (typical.value, Matched::Typical(typical.whose));
    let known = default.into_iter().chain(timeout.typical.iter().map(typical));
    let known =
        known.filter(|(value, _)| range.holds(*value)).min_by_key(|(value, _)| range.distance(*value));
    known.or_else(|| {
        // A timer that fires later than everything observed could have almost any value, so it shows none.
        let is_published = observed.hi > Some(timeout.coarse);
        let is_settable =
            matches!(timeout.change, SettingChange::Set(_)) && timeout.value != TimeoutValue::Unpublished;
        let is_free = is_published && is_settable;
        let whole = || range.roundest(&SECONDS_MS, timeout);
        let value = is_free.then(|| whole().or_else(|| tight.roundest(&PARTS_MS, timeout)))??;
        Some((value, Matched::Any))
    })
}

/// The timer values that explain the observed ends.
#[derive(Debug, Clone, Copy)]
struct TimeoutRange {
    least: Duration,
    most: Duration,
    /// The value if nothing was late.
    best: Duration,
}

impl TimeoutRange {
    /// `None` if the observations contradict each other or are too wide.
    fn of(timeout: &Timeout, observed: &CutObservation) -> Option<TimeoutRange> {
        let hi = observed.hi?;
        let lo = observed.lo.unwrap_or_default();
        if lo > hi {
            return None;
        }
        let late = timeout.delay + timeout.coarse;
        let slack = |span: Duration| SLACK.max(span.mul_f64(SLACK_PART));
        if !matches!(observed.seen, ObservedCut::Visible(_)) {
            let is_narrow = (hi - lo).as_secs_f64() <= MAX_BRACKET_PART * hi.as_secs_f64();
            let least = lo.saturating_sub(slack(lo) + late);
            return is_narrow.then_some(TimeoutRange { least, most: hi + slack(hi), best: hi });
        }
        let (first, last) = observed.ends.map_or((hi, hi), |ends| (ends.min, ends.max));
        let least = (last.saturating_sub(late + slack(last))).max(lo.saturating_sub(late + slack(lo)));
        // A timer fires late on a busy machine, but hardly before its time: of a short one only a tenth is left.
        let most = first.saturating_sub(timeout.delay) + slack(first).min(first / 10);
        let best = last.saturating_sub(late);
        Some(TimeoutRange { least, most, best }).filter(|range| range.least <= range.most)
    }

    /// If no whole second agrees, a busy machine may have seen all ends late: then any value above the
    /// survived span is possible.
    fn widened_for_late_ends(self, timeout: &Timeout, observed: &CutObservation) -> TimeoutRange {
        let has_second = self.nearest(1000).is_some();
        match observed.lo.filter(|_| !has_second) {
            Some(lo) => {
                let late = timeout.delay + timeout.coarse + EARLY;
                TimeoutRange { least: self.least.min(lo.saturating_sub(late)), ..self }
            }
            None => self,
        }
    }

    fn holds(&self, value: Duration) -> bool {
        (self.least..=self.most).contains(&value)
    }

    fn distance(&self, value: Duration) -> Duration {
        value.abs_diff(self.best)
    }

    /// The roundest number in the range within a setting's limits: what a person would have typed.
    fn roundest(&self, steps_ms: &[u64], timeout: &Timeout) -> Option<Duration> {
        let within = |value: &Duration| {
            timeout.least.is_none_or(|least| *value >= least)
                && timeout.most.is_none_or(|most| *value <= most)
        };
        steps_ms.iter().find_map(|step| self.nearest(*step).filter(within))
    }

    /// The multiple of a step in the range nearest to the best value.
    fn nearest(&self, step_ms: u64) -> Option<Duration> {
        let best = u64::try_from(self.best.as_millis()).unwrap_or(u64::MAX);
        let below = best - best % step_ms;
        let multiples = [below, below.saturating_add(step_ms)].map(Duration::from_millis);
        let inside = multiples.into_iter().filter(|value| !value.is_zero() && self.holds(*value));
        inside.min_by_key(|value| self.distance(*value))
    }
}

/// The steps in which people set timers, the roundest first.
const SECONDS_MS: [u64; 9] = [3_600_000, 1_800_000, 600_000, 300_000, 60_000, 30_000, 10_000, 5_000, 1_000];
/// Fractions of a second.
const PARTS_MS: [u64; 3] = [500, 100, 1];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::TimeoutKind;
    use crate::domain::idle::finding::EndSpread;

    const FREE: Timeout = Timeout { change: SettingChange::Set("x"), ..Timeout::BLANK };

    /// The value found for a freely configurable setting, from the survived span and the first and last end.
    fn found(lo: u64, first: u64, last: u64) -> Option<u128> {
        let spread = EndSpread::of(&[Duration::from_millis(first), Duration::from_millis(last)]);
        let observed = CutObservation {
            kind: TimeoutKind::Idle,
            lo: Some(Duration::from_millis(lo)),
            hi: Some(Duration::from_millis(last)),
            ends: spread,
            seen: ObservedCut::Visible(VisibleCut::Fin),
            stops_forwarding_before_closing: false,
            reset_by: None,
            refresh: None,
            headers: &[],
            through_proxy: false,
        };
        Some(required_value(&FREE, &observed)?.0.as_millis())
    }

    #[test]
    fn value_is_the_roundest_matching_number() {
        assert_eq!(found(16_000, 17_004, 17_010), Some(17_000));
        assert_eq!(found(59_000, 60_004, 60_010), Some(60_000));
        assert_eq!(found(59_900, 61_004, 61_010), Some(61_000), "60 s would have been seen earlier");
        assert_eq!(found(2_200, 2_502, 2_504), Some(2_500));
        assert_eq!(found(2_800, 3_310, 3_340), Some(3_000), "a busy machine sees it late");
        assert_eq!(found(100, 121, 122), Some(100));
        assert_eq!(found(371, 403, 405), Some(400), "500 ms would not have been over");
        assert_eq!(found(19_900, 19_950, 19_960), Some(20_000), "a clock that runs ahead");
        assert_eq!(found(3000, 2000, 2000), None);
    }

    #[test]
    fn value_respects_the_setting_limits() {
        let range = TimeoutRange {
            least: Duration::from_secs(16),
            most: Duration::from_secs(18),
            best: Duration::from_secs(17),
        };
        let limited = Timeout { least: Some(Duration::from_secs(60)), ..FREE };
        assert_eq!(range.roundest(&SECONDS_MS, &limited), None);
        let limited = Timeout { most: Some(Duration::from_secs(10)), ..FREE };
        assert_eq!(range.roundest(&SECONDS_MS, &limited), None);
        assert_eq!(range.roundest(&SECONDS_MS, &FREE), Some(Duration::from_secs(17)));
    }

    #[test]
    fn mark_matches_only_a_whole_word() {
        assert!(has_word("nginx/1.22.1", "nginx") && has_word("1.1 google", "1.1 google"));
        assert!(has_word("cache-ams2", "cache-") && has_word("fly/1a2b", "fly/") && has_word("any", ""));
        assert!(!has_word("istio-envoy", "envoy") && has_word("istio-envoy", "istio-envoy"));
        assert!(!has_word("apache-coyote/1.1", "apache") && !has_word("mynginx", "nginx"));
    }
}
