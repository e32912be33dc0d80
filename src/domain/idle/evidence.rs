//! What was observed so far, and the bracket that follows from it.
//!
//! A survival is proof; a death is not, because a connection may end for other reasons. Therefore:
//! - a survivor refutes every death at a shorter span;
//! - an upper end needs `repeat` deaths at or below it (two more if no end was seen), none of them refuted;
//! - a lower end needs several survivors close below it: where timeouts vary widely, a single one proves
//!   little;
//! - a refuted death *close* below a survivor (a timer that jitters, or ticks coarsely) still supports the
//!   upper end, and the reported lower end lies below it.

use std::time::Duration;

use super::finding::{CutManner, EndSpread};
use super::statistics::binomial_tail;
use crate::domain::run::bracket::Bracket;

/// How far a timer may be off: 3 %, at least 1.2 s (a timer that ticks once a second is off by up to one).
fn timer_tolerance(span: Duration) -> Duration {
    span.mul_f64(0.03).max(Duration::from_millis(1200))
}

/// The width within which visible ends come from an exact timer.
fn exact_timer_tolerance(span: Duration) -> Duration {
    span.mul_f64(0.0001).max(Duration::from_millis(100))
}

/// The width within which visible ends come from the same timer.
fn same_timer_tolerance(span: Duration) -> Duration {
    span.mul_f64(0.04).max(Duration::from_millis(1500))
}

/// How far apart two spans must be for questions to tell them apart: questions are sent a little late.
pub(super) fn question_margin(precision: Duration) -> Duration {
    precision.mul_f64(0.1).max(Duration::from_millis(20))
}

/// A timer's jitter of 1 % either way, or its tick of 1 s, with some room for late observations.
fn timer_inexactness(span: Duration) -> Duration {
    span.mul_f64(0.022).max(Duration::from_millis(1100))
}

/// Survivors needed close below a lower end, because one may be luck. Each death among them requires more.
const MIN_CLOSE_SURVIVORS: usize = 6;
const EXTRA_SURVIVORS_PER_DEATH: usize = 3;

/// Additional deaths needed for an upper end if no end was seen.
const EXTRA_DEATHS_IF_UNSEEN: usize = 2;

/// Additional ends needed to measure how inexact a timer is. All of eight ends lie on the same side of its
/// middle once in 128 times.
const MIN_ENDS_OF_INEXACT_TIMER: usize = 5;

/// Up to this many misfits may be chance, so survivors can outvote them; more show an inexact timer.
const MAX_MISFITS: usize = 2;

/// Survivors at a death's span or longer that outvote it.
const MIN_OUTVOTING_SURVIVORS: usize = 4;

/// On a path with a timeout, at most this part of the connections dies for other reasons.
const MAX_CHANCE_DEATH_RATE: f64 = 0.04;
/// If so many deaths are less likely than this, the path has no fixed timeout.
const MIN_LIKELIHOOD: f64 = 1e-6;

/// Minimum number of visible ends for an estimate.
const MIN_VISIBLE_ENDS: usize = 3;

/// Visible ends needed in the largest group for each end outside it.
const SHARED_ENDS_PER_LONE_END: usize = 5;

/// A connection that was dead after an idle span.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeadProbe {
    pub span: Duration,
    pub manner: CutManner,
    /// When it was asked or seen to end.
    pub moment: Duration,
    /// Its age then; it exceeds the span if the server had sent something.
    pub age: Duration,
    /// A connection that was open at that moment answered later, so the path worked.
    pub is_confirmed: bool,
}

impl DeadProbe {
    fn is_visible(&self) -> bool {
        matches!(self.manner, CutManner::Visible(_))
    }
}

/// The shortest of these spans; if there are more than [`MIN_VISIBLE_ENDS`], the second shortest, since one
/// may be a chance death.
fn robust_minimum(spans: &[Duration]) -> Option<Duration> {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    spans.get(usize::from(spans.len() > MIN_VISIBLE_ENDS)).copied()
}

#[derive(Debug, Clone, Default)]
pub(super) struct SearchEvidence {
    survived: Vec<Duration>,
    longest: Option<Duration>,
    died: Vec<DeadProbe>,
    /// Deaths that do not count, because nothing that was open then can confirm them.
    unwitnessed: Vec<DeadProbe>,
    /// Time ranges whose deaths do not count.
    ignored_spans: Vec<(Duration, Duration)>,
    derived: DerivedEvidence,
}

/// What follows from the observations; cached because it is read often.
#[derive(Debug, Clone, Default)]
struct DerivedEvidence {
    /// The largest group of visible ends close to each other.
    group: Vec<Duration>,
    /// The group's spread, if it has at least two ends.
    visible_ends: Option<EndSpread>,
    /// The group's ends came at more than one moment of the wall clock.
    is_spread_in_time: bool,
    /// Deaths close below the longest survivor that were not outvoted. Few may be chance; more show an
    /// inexact timer.
    misfits: Vec<Duration>,
    /// The shortest death that supports the upper end, including refuted but not outvoted deaths: an inexact
    /// timer's earliest.
    earliest: Option<Duration>,
    /// Deaths far below a survivor, or outside the group of visible ends.
    outliers: usize,
}

impl SearchEvidence {
    pub fn record_survival(&mut self, span: Duration) {
        self.survived.push(span);
        self.longest = self.longest.max(Some(span));
        self.derived = self.derive();
    }

    pub fn record_death(&mut self, span: Duration, manner: CutManner, moment: Duration, age: Duration) {
        let is_ignored = self.ignored_spans.iter().any(|(from, to)| (*from..=*to).contains(&moment));
        if !is_ignored {
            self.died.push(DeadProbe { span, manner, moment, age, is_confirmed: false });
        }
    }

    /// Drops the deaths that this function of span and age explains.
    pub fn drop_explained(&mut self, is_explained: impl Fn(Duration, Duration) -> bool) {
        self.died.retain(|death| !is_explained(death.span, death.age));
        self.unwitnessed.retain(|death| !is_explained(death.span, death.age));
        self.derived = self.derive();
    }

    /// Ignores deaths between two moments, even if they are reported later: the path may have been down.
    /// Returns how many known deaths it drops.
    pub fn ignore_between(&mut self, from: Duration, to: Duration) -> usize {
        self.ignored_spans.push((from, to));
        let before = self.died.len();
        self.died.retain(|death| !(from..=to).contains(&death.moment));
        self.unwitnessed.retain(|death| !(from..=to).contains(&death.moment));
        self.derived = self.derive();
        before - self.died.len()
    }

    /// Records that a connection which opened at one moment answered at another: deaths between the two count from now on.
    /// One that opened after a death shows nothing of it, because what ended the others may have ended it, too.
    pub fn confirm_deaths_between(&mut self, opened: Duration, answered: Duration) {
        let is_new = |death: &DeadProbe| !death.is_confirmed && (opened..answered).contains(&death.moment);
        let mut news = self.died.iter_mut().filter(|death| is_new(death)).peekable();
        if news.peek().is_some() {
            news.for_each(|death| death.is_confirmed = true);
            self.derived = self.derive();
        }
    }

    /// Sets the deaths before a moment aside that nothing confirmed: no connection that is open now was open then.
    pub fn set_unconfirmed_aside(&mut self, before: Duration) {
        let is_aside = |death: &DeadProbe| !death.is_confirmed && death.moment < before;
        self.unwitnessed.extend(self.died.iter().filter(|death| is_aside(death)).cloned());
        self.died.retain(|death| !is_aside(death));
    }

    /// Deaths that no connection can confirm any more, unless a longer span survived.
    pub fn unwitnessed(&self) -> impl Iterator<Item = Duration> {
        let longest = self.longest();
        self.unwitnessed.iter().map(|death| death.span).filter(move |span| longest < Some(*span))
    }

    /// Drops the deaths since a moment, because the round is void; survivals stay. Returns how many it drops.
    pub fn drop_deaths_since(&mut self, moment: Duration) -> usize {
        let before = self.died.len();
        self.died.retain(|death| death.is_confirmed && death.moment < moment);
        self.derived = self.derive();
        before - self.died.len()
    }

    fn derive(&self) -> DerivedEvidence {
        let group = self.find_group();
        let visible = EndSpread::of(&group).filter(|spread| spread.count > 1);
        let (floor, longest) = (self.support_floor(), self.longest());
        let spans = self.confirmed_deaths().map(|death| death.span).filter(|span| floor < Some(*span));
        let supporting: Vec<_> = spans.filter(|span| !self.is_outvoted(*span)).collect();
        let misfits = supporting.iter().copied().filter(|span| Some(*span) <= longest).collect();
        let apart = |death: &&DeadProbe| {
            Some(death.span) <= floor || (death.is_visible() && !group.contains(&death.span))
        };
        let outliers = self.confirmed_deaths().filter(apart).count();
        let is_spread_in_time = self.have_distinct_moments(&group);
        DerivedEvidence {
            visible_ends: visible,
            is_spread_in_time,
            misfits,
            earliest: supporting.into_iter().min(),
            outliers,
            group,
        }
    }

    fn have_distinct_moments(&self, group: &[Duration]) -> bool {
        let visible =
            self.confirmed_deaths().filter(|death| death.is_visible() && group.contains(&death.span));
        let moments: Vec<_> = visible.map(|death| death.moment).collect();
        EndSpread::of(&moments).is_some_and(|moments| moments.max - moments.min > SAME_MOMENT)
    }

    /// Whether connections were seen to end after the same span at another moment.
    pub fn ended_before(&self, span: Duration, moment: Duration) -> bool {
        let width = exact_timer_tolerance(span);
        let before = |death: &&DeadProbe| death.is_visible() && death.moment + SAME_MOMENT < moment;
        self.died.iter().filter(before).any(|death| death.span.abs_diff(span) <= width)
    }

    /// Whether the ends that make the upper end all came at one moment, so that they may be one event.
    pub fn is_one_moment(&self, need: usize, hi: Duration) -> bool {
        need > 1 && !self.derived.is_spread_in_time && self.is_upper_end_seen(need, hi)
    }

    /// The longest span that survived.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }

    /// Deaths since which the control has not answered yet.
    pub fn unconfirmed_deaths(&self) -> impl Iterator<Item = Duration> {
        self.died.iter().filter(|death| !death.is_confirmed).map(|death| death.span)
    }

    fn confirmed_deaths(&self) -> impl Iterator<Item = &DeadProbe> {
        self.died.iter().filter(|death| death.is_confirmed)
    }

    /// The shortest death that no survivor refutes; if there is none, the last end of an inexact timer's
    /// group.
    pub fn upper_candidate(&self) -> Option<Duration> {
        self.unrefuted().min().or_else(|| self.last_end(MIN_VISIBLE_ENDS))
    }

    /// The last of the grouped visible ends, unless the longest survivor lies clearly beyond it.
    fn last_end(&self, need: usize) -> Option<Duration> {
        let (visible, longest) = (self.visible_ends()?, self.longest().unwrap_or_default());
        let among = longest <= visible.max + timer_tolerance(longest) / 4;
        (among && self.is_dominant_group(&visible, need)).then(|| visible.max.max(longest))
    }

    /// Whether the group has enough ends, and few lie outside it.
    fn is_dominant_group(&self, visible: &EndSpread, need: usize) -> bool {
        let ends = self.confirmed_deaths().filter(|death| death.is_visible()).count();
        visible.count >= need.max(SHARED_ENDS_PER_LONE_END * (ends - visible.count))
    }

    /// The spans of deaths that no survivor refutes.
    pub fn unrefuted(&self) -> impl Iterator<Item = Duration> {
        let longest = self.longest();
        self.confirmed_deaths().map(|death| death.span).filter(move |span| longest < Some(*span))
    }

    /// Whether a death was chance: enough connections survived its span or a longer one.
    fn is_outvoted(&self, span: Duration) -> bool {
        let longest = self.longest();
        if longest < Some(span) {
            return false;
        }
        let within = |other: &Duration| span <= *other && Some(*other) <= longest;
        let deaths = self.confirmed_deaths().filter(|death| within(&death.span)).count();
        let survivors = self.survived.iter().filter(|other| within(other)).count();
        survivors >= MIN_OUTVOTING_SURVIVORS * deaths
    }

    /// The longest survivor below the earliest supporting death.
    fn below_earliest(&self) -> Option<Duration> {
        self.longest_below(self.derived.earliest)
    }

    /// The gap between an inexact timer's earliest death and the longest survivor below it.
    pub fn lower_uncertainty(&self, precision: Duration) -> Option<(Duration, Duration)> {
        let (earliest, longest) = (self.derived.earliest?, self.longest()?);
        let is_settled =
            !self.has_undecided_misfits(precision) || self.is_upper_end_seen(MIN_VISIBLE_ENDS, earliest);
        (is_settled && earliest <= longest).then(|| (self.below_earliest().unwrap_or_default(), earliest))
    }

    /// How many unrefuted deaths lie at or below a span.
    pub fn count_support(&self, up_to: Duration) -> usize {
        let longest = self.longest();
        self.confirmed_deaths().filter(|death| longest < Some(death.span) && death.span <= up_to).count()
    }

    fn support_floor(&self) -> Option<Duration> {
        self.longest().and_then(|lo| lo.checked_sub(timer_tolerance(lo)))
    }

    /// The shortest span above all survivors with enough deaths at or below it; with visible ends, the last
    /// of them.
    pub fn upper_end(&self, need: usize) -> Option<Duration> {
        let supported = self.unrefuted().filter(|span| self.count_support(*span) >= need).min();
        let before = |span: &Duration| self.visible_ends().is_none_or(|ends| *span < ends.min);
        supported.filter(before).or_else(|| self.last_end(need)).or(supported)
    }

    /// How many more survivors a lower end needs close below it. Where timeouts vary widely, a single
    /// survivor below a few deaths is found by chance.
    pub fn missing_survivors(&self, floor: Duration, precision: Duration) -> usize {
        let near = |span: Duration| span <= floor && self.is_near(span, floor);
        let deaths = self.confirmed_deaths().filter(|death| near(death.span)).count();
        let survivors = self.survived.iter().filter(|span| near(**span)).count();
        let seconds = (MIN_CLOSE_SURVIVORS + EXTRA_SURVIVORS_PER_DEATH * deaths).saturating_sub(survivors);
        if floor.is_zero() { 0 } else { seconds.max(self.missing_votes(precision)) }
    }

    /// How many more survivors would outvote the misfits.
    fn missing_votes(&self, precision: Duration) -> usize {
        let misfits = self.derived.misfits.len();
        let is_undecided = self.has_undecided_misfits(precision);
        let Some(earliest) = self.derived.earliest.filter(|_| is_undecided) else { return 0 };
        (MIN_OUTVOTING_SURVIVORS * misfits)
            .saturating_sub(self.survived.iter().filter(|span| earliest <= **span).count())
            .max(1)
    }

    /// Whether the misfits may still turn out to be chance, and it matters. Close below the longest survivor it
    /// does not: questions are not sent exactly enough to tell such spans apart.
    fn has_undecided_misfits(&self, precision: Duration) -> bool {
        let few = (1..=MAX_MISFITS).contains(&self.derived.misfits.len());
        let mixed =
            self.longest().unwrap_or_default().saturating_sub(self.derived.earliest.unwrap_or_default());
        few && mixed > question_margin(precision)
    }

    /// Whether a survivor of this span supports the lower end `floor`.
    pub fn is_near(&self, span: Duration, floor: Duration) -> bool {
        floor.saturating_sub(timer_tolerance(floor) * 2) <= span
    }

    /// Whether enough visible ends make the upper end, so that it needs no confirmation.
    pub fn is_upper_end_seen(&self, need: usize, hi: Duration) -> bool {
        let holds =
            |ends: EndSpread| ends.min <= hi && hi <= ends.max.max(self.last_end(need).unwrap_or_default());
        self.visible_ends().is_some_and(|visible| self.is_dominant_group(&visible, need) && holds(visible))
    }

    /// Whether the bracket is narrow enough.
    ///
    /// A range of spans at which some connections survive and others die cannot be narrowed; the gaps on both
    /// sides can. The lower end needs enough survivors. If a hop drops connections before it closes them, the
    /// upper end must lie below the visible ends.
    pub fn is_narrow(&self, need: usize, precision: Duration) -> bool {
        let (Some(hi), Some(earliest)) = (self.upper_end(need), self.derived.earliest) else { return false };
        if self.deaths_before_visible_end() > 0
            && self.visible_ends().is_some_and(|visible| hi >= visible.min)
        {
            return false;
        }
        if self.has_undecided_misfits(precision) && !self.is_upper_end_seen(need, hi) {
            return false;
        }
        let gap = |from: Option<Duration>, to: Duration| to.saturating_sub(from.unwrap_or_default());
        let seen = self.is_upper_end_seen(need, hi);
        let is_supported =
            seen || self.missing_survivors(self.below_earliest().unwrap_or_default(), precision) == 0;
        let first = self.visible_ends().filter(|_| seen).map_or(hi, |ends| ends.min);
        is_supported
            && gap(self.longest(), first) <= precision
            && gap(self.below_earliest(), earliest) <= precision
    }

    /// The bracket to report. Its lower end lies below every death that supports the upper end, because
    /// between the two some connections survive and others die. A visible upper end is the longest of the
    /// grouped ends, so the bracket contains them all.
    pub fn bracket(&self, need: usize) -> Bracket {
        match self.upper_end(need) {
            Some(hi) => Bracket { lo: self.below_earliest(), hi: Some(hi) },
            None => Bracket { lo: self.longest(), hi: None },
        }
    }

    /// Finds the largest group of visible ends close to each other.
    fn find_group(&self) -> Vec<Duration> {
        let mut ends: Vec<_> = self.confirmed_deaths().filter(|d| d.is_visible()).map(|d| d.span).collect();
        ends.sort_unstable();
        let group = |(index, from): (usize, &Duration)| {
            let limit = *from + same_timer_tolerance(*from);
            index..ends.partition_point(|end| *end <= limit)
        };
        let groups = ends.iter().enumerate().map(group);
        let best = groups.reduce(|best, next| if next.len() > best.len() { next } else { best });
        ends.get(best.unwrap_or(0..0)).unwrap_or_default().to_vec()
    }

    /// The spread of the grouped visible ends, if there are at least two.
    pub fn visible_ends(&self) -> Option<EndSpread> {
        self.derived.visible_ends
    }

    /// How many deaths an upper end needs. Each outlier makes a single death less reliable.
    pub fn deaths_needed(&self, repeat: usize) -> usize {
        let more = match self.visible_ends() {
            None => EXTRA_DEATHS_IF_UNSEEN,
            Some(ends) if ends.max - ends.min > exact_timer_tolerance(ends.min) => MIN_ENDS_OF_INEXACT_TIMER,
            Some(_) => 0,
        };
        repeat + more + self.derived.outliers.saturating_sub(1)
    }

    /// Whether idle connections die at random: more died at these spans than chance explains, and others
    /// survived longer ones. A timer's inexactness is allowed for.
    pub fn is_stochastic(&self) -> bool {
        let longest = self.longest().unwrap_or_default();
        let top = longest.saturating_sub(timer_tolerance(longest));
        let mut deaths: Vec<_> = self.confirmed_deaths().map(|d| d.span).filter(|span| *span < top).collect();
        deaths.sort_unstable();
        let beyond_chance = |(index, from): (usize, &Duration)| {
            let survivors = self.survived.iter().filter(|span| from <= *span && **span <= top).count();
            let died = deaths.len() - index;
            binomial_tail(died, died + survivors, MAX_CHANCE_DEATH_RATE) < MIN_LIKELIHOOD
        };
        deaths.iter().enumerate().any(beyond_chance)
    }

    /// Whether the bracket is a timer's, although it could not be narrowed further:
    ///
    /// 1. it has an upper end with at least `need` deaths, and at least `need` connections survived just below it,
    /// 2. it is no wider than a timer is inexact,
    /// 3. no more connections died below it than chance explains.
    pub fn is_one_timer(&self, need: usize) -> bool {
        let Bracket { lo: Some(lo), hi: Some(hi) } = self.bracket(need) else { return false };
        let below = |span: &&Duration| self.is_near(**span, lo) && **span <= hi;
        let died_below = self.confirmed_deaths().filter(|death| death.span < lo).count();
        let survivors = self.survived.iter().filter(below).count();
        !self.is_vague()
            && hi - lo <= timer_inexactness(lo).min(lo)
            && survivors >= MIN_CLOSE_SURVIVORS
            && died_below as f64 <= MAX_CHANCE_DEATH_RATE * self.died.len() as f64
    }

    /// Whether the timer is too inexact to name a timeout. Deaths and survivals mix, or visible ends spread,
    /// over more than a timer's jitter of 1 % either way or its tick of 1 s. A range whose end exceeds twice
    /// its start is no tick: such short timers tick more often.
    pub fn is_vague(&self) -> bool {
        let Some(longest) = self.longest() else { return false };
        let limit = timer_inexactness(longest);
        let is_wide = |from: Duration, to: Duration| to.saturating_sub(from) > limit.min(from);
        let mixed = robust_minimum(&self.derived.misfits).is_some_and(|from| is_wide(from, longest));
        let last = self.derived.group.last().copied().unwrap_or_default();
        mixed || robust_minimum(&self.derived.group).is_some_and(|from| is_wide(from, last))
    }

    /// The ends seen after one span, where some connections ended there and others survived it.
    pub fn repeated_end(&self, repeat: usize) -> Option<EndSpread> {
        let visible = self.visible_ends()?;
        let width = exact_timer_tolerance(visible.min).max(visible.min.mul_f64(0.01));
        let exact = visible.max - visible.min <= width;
        (exact
            && self.is_dominant_group(&visible, repeat.max(MIN_VISIBLE_ENDS))
            && self.silent_deaths_below(&visible) <= 1)
            .then_some(visible)
    }

    /// Deaths found by asking, below the visible ends.
    fn silent_deaths_below(&self, visible: &EndSpread) -> usize {
        self.confirmed_deaths().filter(|death| !death.is_visible() && death.span < visible.min).count()
    }

    pub fn is_mixed(&self) -> bool {
        self.confirmed_deaths().any(|death| Some(death.span) <= self.longest())
    }

    /// Whether chance explains the deaths, given how many connections were silent at least as long as the
    /// first one.
    pub fn is_by_chance(&self) -> bool {
        let Some(first) = self.confirmed_deaths().map(|death| death.span).min() else { return true };
        let died = self.confirmed_deaths().count();
        let survivors = self.survived.iter().filter(|span| first <= **span).count();
        died as f64 <= MAX_CHANCE_DEATH_RATE * (died + survivors) as f64
    }

    /// The spread of the spans after which connections were seen to end, or died although another survived.
    pub fn death_range(&self) -> Option<EndSpread> {
        let deaths =
            self.confirmed_deaths().filter(|death| death.is_visible() || Some(death.span) <= self.longest());
        EndSpread::of(&deaths.map(|death| death.span).collect::<Vec<_>>())
    }

    /// The longest survivor below a whole range.
    pub fn longest_survivor_below(&self, range: Option<EndSpread>) -> Option<Duration> {
        self.longest_below(range.map(|range| range.min))
    }

    fn longest_below(&self, top: Option<Duration>) -> Option<Duration> {
        self.survived.iter().filter(|span| top.is_none_or(|top| **span < top)).max().copied()
    }

    /// How most of the deaths happened that support the upper end.
    pub fn cut_manner(&self) -> Option<CutManner> {
        if let Some(spread) = self.visible_ends().filter(|spread| spread.count > 2 && self.end_all(spread)) {
            return self.most_common_manner(|death| death.is_visible() && death.span >= spread.min);
        }
        let floor = self.support_floor();
        self.most_common_manner(|death| floor < Some(death.span))
    }

    /// Whether these visible ends left nothing for a question to find dead later: else some were cut silently, and what was
    /// seen to end may have ended at random.
    fn end_all(&self, visible: &EndSpread) -> bool {
        let top = visible.max + same_timer_tolerance(visible.max);
        let later = self.confirmed_deaths().filter(|death| !death.is_visible() && death.span > top).count();
        visible.count >= SHARED_ENDS_PER_LONE_END * later
    }

    fn most_common_manner(&self, which: impl Fn(&DeadProbe) -> bool) -> Option<CutManner> {
        let chosen: Vec<_> =
            self.confirmed_deaths().filter(|death| which(death)).map(|d| &d.manner).collect();
        let kinds: Vec<_> = chosen.iter().map(|manner| manner.regardless_of_acks()).collect();
        let votes = |kind: &CutManner| kinds.iter().filter(|other| *other == kind).count();
        let kind = kinds.iter().max_by_key(|kind| votes(kind))?.clone();
        let same = chosen.iter().zip(&kinds).filter(|(_, other)| **other == kind);
        let acked = agreed(same.filter_map(|(manner, _)| manner.acked()));
        Some(kind.with_acked(acked))
    }

    /// Whether connections are dead for a while before they are seen to end: several questions shortly before
    /// the visible end got no answer, and no later question got one.
    pub fn is_dropped_before_end(&self) -> bool {
        self.deaths_before_visible_end() > 1
    }

    /// How many questions before the visible end got no answer.
    fn deaths_before_visible_end(&self) -> usize {
        let (Some(visible), longest) = (self.visible_ends(), self.longest()) else { return 0 };
        let margin = Duration::from_millis(50);
        let dead = |death: &&DeadProbe| {
            !death.is_visible() && longest < Some(death.span) && death.span + margin < visible.min
        };
        self.confirmed_deaths().filter(dead).count()
    }

    /// Whether a connection was seen to end after exactly this span.
    pub fn ended_at(&self, span: Duration) -> bool {
        self.confirmed_deaths().any(|death| death.is_visible() && death.span == span)
    }

    /// Whether a connection was found dead within 1 % of this span.
    pub fn died_at(&self, span: Duration) -> bool {
        self.died.iter().any(|death| death.span.abs_diff(span) <= span.mul_f64(0.01))
    }

    /// The spans that survived, in ascending order.
    pub fn survivors(&self) -> Vec<Duration> {
        let mut spans = self.survived.clone();
        spans.sort_unstable();
        spans
    }

    /// The spans that did not survive, in ascending order.
    pub fn deaths(&self) -> Vec<(Duration, CutManner)> {
        let mut deaths: Vec<_> = self.confirmed_deaths().map(|d| (d.span, d.manner.clone())).collect();
        deaths.sort_by_key(|(span, _)| *span);
        deaths
    }
}

/// What all say that say something; `None` if they contradict each other.
fn agreed(mut all: impl Iterator<Item = bool>) -> Option<bool> {
    let first = all.next()?;
    all.all(|other| other == first).then_some(first)
}

/// Ends within this time of each other count as one moment of the wall clock.
pub(super) const SAME_MOMENT: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_without_an_answering_control_do_not_count() {
        let s = Duration::from_secs;
        let mut evidence = SearchEvidence::default();
        let record_death = |evidence: &mut SearchEvidence, span, at| {
            evidence.record_death(s(span), CutManner::Silent { acked: None }, s(at), s(span))
        };
        [(5, 9), (6, 10)].into_iter().for_each(|(span, at)| record_death(&mut evidence, span, at));
        evidence.ignore_between(s(10), s(12));
        [(7, 11), (8, 13)].into_iter().for_each(|(span, at)| record_death(&mut evidence, span, at));
        evidence.confirm_deaths_between(s(0), s(20));
        let spans: Vec<_> = evidence.deaths().into_iter().map(|(span, _)| span).collect();
        assert_eq!(spans, [s(5), s(8)]);
    }

    /// The manner of silent deaths, each with what TCP acknowledged.
    fn silent_manner(acked: &[Option<bool>]) -> Option<CutManner> {
        let s = Duration::from_secs;
        let mut evidence = SearchEvidence::default();
        for (at, acked) in (5..).zip(acked) {
            evidence.record_death(s(at), CutManner::Silent { acked: *acked }, s(at), s(at));
        }
        evidence.record_death(s(4), CutManner::ServerUnheard, s(4), s(4));
        evidence.confirm_deaths_between(s(0), s(20));
        evidence.cut_manner()
    }

    #[test]
    fn acknowledgements_that_contradict_each_other_show_nothing() {
        let silent = |acked| Some(CutManner::Silent { acked });
        assert_eq!(silent_manner(&[Some(true), Some(true), None]), silent(Some(true)));
        assert_eq!(silent_manner(&[Some(false), None, Some(false)]), silent(Some(false)));
        assert_eq!(silent_manner(&[Some(true), Some(false)]), silent(None));
        assert_eq!(silent_manner(&[None, None]), silent(None));
    }

    #[test]
    fn later_connection_confirms_no_death() {
        let s = Duration::from_secs;
        let mut evidence = SearchEvidence::default();
        [5, 9]
            .into_iter()
            .for_each(|at| evidence.record_death(s(at), CutManner::Silent { acked: None }, s(at), s(at)));
        evidence.confirm_deaths_between(s(6), s(20));
        evidence.set_unconfirmed_aside(s(6));
        let spans: Vec<_> = evidence.deaths().into_iter().map(|(span, _)| span).collect();
        assert_eq!((spans, evidence.unconfirmed_deaths().count()), (vec![s(9)], 0));
        assert_eq!(evidence.unwitnessed().collect::<Vec<_>>(), [s(5)]);
        evidence.record_survival(s(6));
        assert_eq!(evidence.unwitnessed().count(), 0);
    }
}
