//! Which hop something begins at: the same URL measured at several points of the path.

use std::time::Duration;

use super::check::Check;
use super::check_result::CheckResult;
use super::doctor_finding::{DoctorFinding, HopDifference};
use super::examine::figures;
use super::measured::{idle_bracket, no_answer};
use super::report::ExaminedPath;
use crate::domain::format::duration;
use crate::domain::run::bracket::Bracket;

/// An RTT is much longer than another one if it is at least twice as long and by at least this much.
const MUCH_LONGER: Duration = Duration::from_millis(20);

/// What begins at which hop, and which address differs. The hops are ordered, the nearest to the server first, the URL
/// itself last.
pub fn compare(paths: &[ExaminedPath]) -> Vec<CheckResult> {
    let Some((main, others)) = paths.split_last().filter(|(_, others)| !others.is_empty()) else {
        return Vec::new();
    };
    let hops: Vec<&ExaminedPath> = paths.iter().filter(|path| !path.info.is_alternative).collect();
    let begun = [
        not_opened(&hops),
        idle_timeout(&hops),
        unanswered(&hops),
        latency(&hops),
        http2_fails(&hops),
        compression_breaks(&hops),
    ];
    let mut found: Vec<DoctorFinding> = begun.into_iter().flatten().filter(|_| hops.len() > 1).collect();
    let differing = others.iter().filter_map(|path| difference(path, main, found.is_empty()));
    let differing: Vec<DoctorFinding> = differing.collect();
    found.extend(differing);
    if found.is_empty() && paths.iter().all(is_measured) {
        let hops = paths.iter().map(|path| path.info.name.clone()).collect();
        found.push(DoctorFinding::HopsAlike { hops });
    }
    if found.is_empty() {
        found.push(no_answer("not every path was measured"));
    }
    found.into_iter().map(|finding| CheckResult::new(Check::Hops, finding)).collect()
}

/// Whether its opening and its idle timeout are known.
fn is_measured(path: &ExaminedPath) -> bool {
    let is_undecided = |result: &CheckResult| result.finding.is_undecided();
    path.evidence.is_open() && path.evidence.idle.is_some() && !path.results.iter().any(is_undecided)
}

/// What a path shows that the URL itself does not. A hop that only lacks what begins further out is told by that.
fn difference(path: &ExaminedPath, main: &ExaminedPath, is_alone: bool) -> Option<DoctorFinding> {
    let cut = |path: &ExaminedPath| Some(idle_bracket(path.evidence.idle.as_deref()?)?.0);
    let error = path.evidence.upgrade.as_ref().and_then(|upgrade| upgrade.as_ref().err());
    let unreached = path.evidence.addresses.iter().find_map(|attempt| attempt.error.clone());
    let shows = match (path.evidence.is_open(), main.evidence.is_open()) {
        (false, true) => {
            let why = error.map(|error| format!("{}: {}", error.phase, error.cause)).or(unreached);
            format!("it does not open: {}", why.unwrap_or_else(|| "no answer".to_string()))
        }
        (true, false) if path.info.is_alternative => "it opens".to_string(),
        (true, true) => match (cut(path), cut(main)) {
            (Some(here), there)
                if there.is_none_or(|there| !is_same(here, there) && path.info.is_alternative) =>
            {
                format!("it cuts idle connections after {}", bracket_words(here))
            }
            (None, Some(_)) if path.info.is_alternative && is_measured(path) && is_alone => {
                "no idle cut was seen".to_string()
            }
            (_, _) => return None,
        },
        (_, _) => return None,
    };
    Some(DoctorFinding::PathDiffers { path: path.info.name.clone(), shows })
}

/// `55 s to 60 s`; an end that is not known is `?`.
pub fn bracket_words(found: Bracket) -> String {
    let bound = |span: Option<Duration>| span.map_or_else(|| "?".to_string(), duration);
    format!("{} to {}", bound(found.lo), bound(found.hi))
}

/// The first path from which on every one shows it, and the one before.
fn first_with(
    paths: &[&ExaminedPath],
    shows: impl Fn(&ExaminedPath) -> bool,
) -> Option<(Option<String>, String)> {
    let last_without = paths.iter().rposition(|path| !shows(path));
    let first = last_without.map_or(0, |index| index + 1);
    let at = paths.get(first)?.info.name.clone();
    let before = last_without.and_then(|index| paths.get(index)).map(|path| path.info.name.clone());
    Some((before, at))
}

fn begins(
    paths: &[&ExaminedPath],
    what: HopDifference,
    shows: impl Fn(&ExaminedPath) -> bool,
) -> Option<DoctorFinding> {
    let (before, at) = first_with(paths, shows)?;
    Some(DoctorFinding::AppearsAtHop { what, before, at })
}

/// The cut that the user sees, at the URL itself.
fn idle_timeout(paths: &[&ExaminedPath]) -> Option<DoctorFinding> {
    let of = |path: &ExaminedPath| Some(idle_bracket(path.evidence.idle.as_deref()?)?.0);
    let outermost = of(paths.last()?)?;
    begins(paths, HopDifference::IdleTimeout(outermost), |path| {
        of(path).is_some_and(|bracket| is_same(bracket, outermost))
    })
}

/// Whether both may be the same timer: neither begins above the end of the other, give or take a twentieth.
fn is_same(one: Bracket, other: Bracket) -> bool {
    let is_below = |hi: Option<Duration>, lo: Option<Duration>| match (hi, lo) {
        (Some(hi), Some(lo)) => hi.mul_f64(1.05) < lo,
        (_, _) => false,
    };
    !is_below(one.hi, other.lo) && !is_below(other.hi, one.lo)
}

fn not_opened(paths: &[&ExaminedPath]) -> Option<DoctorFinding> {
    let is_closed = |path: &ExaminedPath| !path.evidence.is_open();
    let last = paths.last().filter(|path| is_closed(path))?;
    let error = last.evidence.upgrade.as_ref()?.as_ref().err()?;
    begins(paths, HopDifference::NotOpened(format!("{}: {}", error.phase, error.cause)), is_closed)
}

fn http2_fails(paths: &[&ExaminedPath]) -> Option<DoctorFinding> {
    let is_failure = |finding: &DoctorFinding| matches!(finding, DoctorFinding::H2WebsocketsFail { .. });
    begins_with_finding(paths, HopDifference::Http2Fails, is_failure)
}

fn compression_breaks(paths: &[&ExaminedPath]) -> Option<DoctorFinding> {
    let is_failure = |finding: &DoctorFinding| matches!(finding, DoctorFinding::CompressionBreaks { .. });
    begins_with_finding(paths, HopDifference::CompressionBreaks, is_failure)
}

/// Where a finding begins that the URL itself has.
fn begins_with_finding(
    paths: &[&ExaminedPath],
    what: HopDifference,
    is_it: impl Fn(&DoctorFinding) -> bool,
) -> Option<DoctorFinding> {
    let has_it = |path: &ExaminedPath| path.results.iter().any(|result| is_it(&result.finding));
    paths.last().filter(|path| has_it(path))?;
    begins(paths, what, has_it)
}

fn unanswered(paths: &[&ExaminedPath]) -> Option<DoctorFinding> {
    let is_unanswered = |path: &ExaminedPath| {
        let figures = figures(&path.evidence);
        figures.is_some_and(|figures| figures.judged > 0 && figures.missed == figures.judged)
    };
    paths.last().filter(|path| is_unanswered(path))?;
    begins(paths, HopDifference::PingsUnanswered, is_unanswered)
}

fn latency(paths: &[&ExaminedPath]) -> Option<DoctorFinding> {
    let of = |path: &ExaminedPath| figures(&path.evidence)?.protocol;
    let (nearest, outermost) = (of(paths.first()?)?, of(paths.last()?)?);
    let is_long = |rtt: Duration| rtt >= nearest * 2 && rtt >= nearest + MUCH_LONGER;
    if !is_long(outermost) {
        return None;
    }
    begins(paths, HopDifference::Latency(outermost), |path| of(path).is_some_and(is_long))
}
