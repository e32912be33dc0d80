//! What was seen so far, and the bracket that follows from it.
//!
//! Survival is hard evidence, death is not: a connection may die for reasons of its own. So:
//! - a survivor refutes every death at a shorter span;
//! - an upper end needs `repeat` deaths at or below it (two more where no end was seen), and none of them refuted;
//! - a lower end needs survivors close below it, since where timeouts scatter one is found sooner or later;
//! - a refuted death *close* below a survivor (a timer that jitters, or ticks coarsely) still supports the
//!   upper end, and pulls the reported lower end below itself.

use std::time::Duration;

use super::finding::{CutManner, EndSpread};
use super::statistics::binomial_tail;
use crate::domain::run::bracket::Bracket;

/// How far a timer's own inexactness reaches below a span: 3 %, at least 1.2 s (a timer that ticks once a
/// second is off by up to one).
fn closeness(span: Duration) -> Duration {
    span.mul_f64(0.03).max(Duration::from_millis(1200))
}

/// Visible ends that lie no further apart come from a timer that is exact.
fn exactness(span: Duration) -> Duration {
    span.mul_f64(0.0001).max(Duration::from_millis(100))
}

/// Visible ends that lie no further apart come from the same timer.
fn sameness(span: Duration) -> Duration {
    span.mul_f64(0.04).max(Duration::from_millis(1500))
}

/// So many survivors close to the lower end make it: one may be luck. Each death among them asks for more.
const MIN_CLOSE_SURVIVORS: usize = 6;
const EXTRA_SURVIVORS_PER_DEATH: usize = 3;

/// So many deaths more make an upper end where none was seen, but only found.
const EXTRA_DEATHS_IF_UNSEEN: usize = 2;

/// So many more ends are to be seen of a timer that is inexact, to see how inexact it is: all of eight lie on the same
/// side of its middle once in 128 times.
const MIN_ENDS_OF_INEXACT_TIMER: usize = 5;

/// So many misfits may be chance; more are not asked to be outvoted.
const MAX_MISFITS: usize = 2;

/// So many survivors of a span or a longer one outvote a death.
const MIN_OUTVOTING_SURVIVORS: usize = 4;

/// On a path with a timeout at most this part of the connections dies for other reasons...
const MAX_CHANCE_DEATH_RATE: f64 = 0.04;
/// ... so that more of them than are likely to this degree show a path without one.
const MIN_LIKELIHOOD: f64 = 1e-6;

/// Visible ends that make a sample.
const MIN_VISIBLE_ENDS: usize = 3;

/// For each end that was seen apart from the others, so many must have been seen together.
const SHARED_ENDS_PER_LONE_END: usize = 5;

/// One connection that was idle for a span, and dead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DeadProbe {
    pub span: Duration,
    pub manner: CutManner,
    /// When it was asked, or seen to end.
    pub moment: Duration,
    /// Its age then: more than the span where the server had spoken.
    pub age: Duration,
    /// The control answered later, so the path was there.
    pub vouched: bool,
}

impl DeadProbe {
    fn is_visible(&self) -> bool {
        matches!(self.manner, CutManner::Visible(_))
    }
}

/// The earliest of these; of several the next, since one may be a chance death close to the others.
fn earliest_but_one(spans: &[Duration]) -> Option<Duration> {
    let mut spans = spans.to_vec();
    spans.sort_unstable();
    spans.get(usize::from(spans.len() > MIN_VISIBLE_ENDS)).copied()
}

#[derive(Debug, Clone, Default)]
pub(super) struct SearchEvidence {
    survived: Vec<Duration>,
    longest: Option<Duration>,
    died: Vec<DeadProbe>,
    /// Deaths of these times say nothing.
    disregarded: Vec<(Duration, Duration)>,
    view: DerivedBracket,
}

/// What follows from it, worked out anew whenever something was seen, and asked for often.
#[derive(Debug, Clone, Default)]
struct DerivedBracket {
    /// The visible ends that lie together: the largest group of them.
    group: Vec<Duration>,
    /// The same, when they are at least two.
    visible: Option<EndSpread>,
    /// They came at more than one moment of the wall clock.
    is_spread_in_time: bool,
    /// Deaths close below the longest survivor that were not outvoted. Few may be chance, more show a timer to be
    /// inexact.
    misfits: Vec<Duration>,
    /// The shortest of the deaths that support the upper end, refuted ones among them: an inexact timer's
    /// earliest. Those that were outvoted are not among them.
    earliest: Option<Duration>,
    /// How many deaths lie far below a survivor, or apart from the group of visible ends.
    astray: usize,
}

impl SearchEvidence {
    pub fn survive(&mut self, span: Duration) {
        self.survived.push(span);
        self.longest = self.longest.max(Some(span));
        self.view = self.viewed();
    }

    pub fn die(&mut self, span: Duration, manner: CutManner, moment: Duration, age: Duration) {
        let disregarded = self.disregarded.iter().any(|(from, to)| (*from..=*to).contains(&moment));
        if !disregarded {
            self.died.push(DeadProbe { span, manner, moment, age, vouched: false });
        }
    }

    /// Drops deaths that something else than their silence explains, given the span and the age.
    pub fn drop_explained(&mut self, is_explained: impl Fn(Duration, Duration) -> bool) {
        self.died.retain(|death| !is_explained(death.span, death.age));
        self.view = self.viewed();
    }

    /// Nobody vouches for the path from one moment to the other: what dies in between says nothing, whenever it is
    /// told.
    /// Gives how many deaths that were known do not count.
    pub fn disregard(&mut self, from: Duration, to: Duration) -> usize {
        self.disregarded.push((from, to));
        let before = self.died.len();
        self.died.retain(|death| !(from..=to).contains(&death.moment));
        self.view = self.viewed();
        before - self.died.len()
    }

    /// The control answered at this moment: deaths before it count from now on.
    pub fn vouch(&mut self, moment: Duration) {
        let mut news =
            self.died.iter_mut().filter(|death| !death.vouched && death.moment < moment).peekable();
        if news.peek().is_some() {
            news.for_each(|death| death.vouched = true);
            self.view = self.viewed();
        }
    }

    /// Drops the deaths since a moment: the round does not count. What survived, survived. Gives how many were dropped.
    pub fn void_since(&mut self, moment: Duration) -> usize {
        let before = self.died.len();
        self.died.retain(|death| death.vouched && death.moment < moment);
        self.view = self.viewed();
        before - self.died.len()
    }

    fn viewed(&self) -> DerivedBracket {
        let group = self.find_group();
        let visible = EndSpread::of(&group).filter(|spread| spread.count > 1);
        let (floor, longest) = (self.support_floor(), self.longest());
        let spans = self.counted().map(|death| death.span).filter(|span| floor < Some(*span));
        let supporting: Vec<_> = spans.filter(|span| !self.is_outvoted(*span)).collect();
        let misfits = supporting.iter().copied().filter(|span| Some(*span) <= longest).collect();
        let apart = |death: &&DeadProbe| {
            Some(death.span) <= floor || (death.is_visible() && !group.contains(&death.span))
        };
        let astray = self.counted().filter(apart).count();
        let is_spread_in_time = self.are_spread_in_time(&group);
        DerivedBracket {
            visible,
            is_spread_in_time,
            misfits,
            earliest: supporting.into_iter().min(),
            astray,
            group,
        }
    }

    fn are_spread_in_time(&self, group: &[Duration]) -> bool {
        let visible = self.counted().filter(|death| death.is_visible() && group.contains(&death.span));
        let moments: Vec<_> = visible.map(|death| death.moment).collect();
        EndSpread::of(&moments).is_some_and(|moments| moments.max - moments.min > SAME_MOMENT)
    }

    /// Whether connections were seen to end after this span before, at another moment.
    pub fn ended_before(&self, span: Duration, moment: Duration) -> bool {
        let width = exactness(span);
        let before = |death: &&DeadProbe| death.is_visible() && death.moment + SAME_MOMENT < moment;
        self.died.iter().filter(before).any(|death| death.span.abs_diff(span) <= width)
    }

    /// Whether an upper end that was seen rests on ends of one moment only, which may be one event.
    pub fn is_one_moment(&self, need: usize, hi: Duration) -> bool {
        need > 1 && !self.view.is_spread_in_time && self.is_seen(need, hi)
    }

    /// The longest span that survived.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }

    /// Deaths that nobody vouched for yet.
    pub fn rumours(&self) -> impl Iterator<Item = Duration> {
        self.died.iter().filter(|death| !death.vouched).map(|death| death.span)
    }

    fn counted(&self) -> impl Iterator<Item = &DeadProbe> {
        self.died.iter().filter(|death| death.vouched)
    }

    /// The shortest death that no survivor refutes; of an inexact timer whose ends are seen, the last of them.
    pub fn suspect(&self) -> Option<Duration> {
        self.unrefuted().min().or_else(|| self.last_end(MIN_VISIBLE_ENDS))
    }

    /// The last of the visible ends that lie together, where the longest survivor does not lie beyond them.
    fn last_end(&self, need: usize) -> Option<Duration> {
        let (visible, longest) = (self.visible()?, self.longest().unwrap_or_default());
        let among = longest <= visible.max + closeness(longest) / 4;
        (among && self.is_together(&visible, need)).then(|| visible.max.max(longest))
    }

    /// Whether so many ends were seen together, and few apart.
    fn is_together(&self, visible: &EndSpread, need: usize) -> bool {
        let ends = self.counted().filter(|death| death.is_visible()).count();
        visible.count >= need.max(SHARED_ENDS_PER_LONE_END * (ends - visible.count))
    }

    /// The spans of deaths that no survivor refutes.
    pub fn unrefuted(&self) -> impl Iterator<Item = Duration> {
        let longest = self.longest();
        self.counted().map(|death| death.span).filter(move |span| longest < Some(*span))
    }

    /// Whether a death was chance: so many connections survived its span, or a longer one.
    fn is_outvoted(&self, span: Duration) -> bool {
        let longest = self.longest();
        if longest < Some(span) {
            return false;
        }
        let within = |other: &Duration| span <= *other && Some(*other) <= longest;
        let deaths = self.counted().filter(|death| within(&death.span)).count();
        let survivors = self.survived.iter().filter(|other| within(other)).count();
        survivors >= MIN_OUTVOTING_SURVIVORS * deaths
    }

    /// The longest survivor below all of these.
    fn below_earliest(&self) -> Option<Duration> {
        self.longest_below(self.view.earliest)
    }

    /// Where a timer was seen to be inexact, what lies below its earliest death and above the survivors below.
    pub fn lower_zone(&self) -> Option<(Duration, Duration)> {
        let (earliest, longest) = (self.view.earliest?, self.longest()?);
        let many = self.view.misfits.len() > MAX_MISFITS || self.is_seen(MIN_VISIBLE_ENDS, earliest);
        (many && earliest <= longest).then(|| (self.below_earliest().unwrap_or_default(), earliest))
    }

    /// Deaths up to a span that no survivor refutes.
    pub fn support(&self, up_to: Duration) -> usize {
        let longest = self.longest();
        self.counted().filter(|death| longest < Some(death.span) && death.span <= up_to).count()
    }

    fn support_floor(&self) -> Option<Duration> {
        self.longest().and_then(|lo| lo.checked_sub(closeness(lo)))
    }

    /// The shortest span above all survivors that so many deaths support; where they were seen, the last of them.
    pub fn upper_end(&self, need: usize) -> Option<Duration> {
        let supported = self.unrefuted().filter(|span| self.support(*span) >= need).min();
        let before = |span: &Duration| self.visible().is_none_or(|ends| *span < ends.min);
        supported.filter(before).or_else(|| self.last_end(need)).or(supported)
    }

    /// How many survivors are lacking close below a span, so that it can be the lower end. Where timeouts vary
    /// widely a single survivor, and a few deaths above it, are found sooner or later.
    pub fn lacking(&self, floor: Duration) -> usize {
        let near = |span: Duration| span <= floor && self.is_near(span, floor);
        let deaths = self.counted().filter(|death| near(death.span)).count();
        let survivors = self.survived.iter().filter(|span| near(**span)).count();
        let seconds = (MIN_CLOSE_SURVIVORS + EXTRA_SURVIVORS_PER_DEATH * deaths).saturating_sub(survivors);
        if floor.is_zero() { 0 } else { seconds.max(self.votes_lacking()) }
    }

    /// How many survivors it takes to outvote the misfits.
    fn votes_lacking(&self) -> usize {
        let misfits = self.view.misfits.len();
        let Some(earliest) = self.view.earliest.filter(|_| self.in_doubt()) else { return 0 };
        (MIN_OUTVOTING_SURVIVORS * misfits)
            .saturating_sub(self.survived.iter().filter(|span| earliest <= **span).count())
            .max(1)
    }

    /// Whether it is not known yet if the misfits were chance.
    fn in_doubt(&self) -> bool {
        (1..=MAX_MISFITS).contains(&self.view.misfits.len())
    }

    /// Whether a survivor of this span can second the floor.
    pub fn is_near(&self, span: Duration, floor: Duration) -> bool {
        floor.saturating_sub(closeness(floor) * 2) <= span
    }

    /// Whether an upper end was seen as often as it takes, so that it needs no seconds.
    pub fn is_seen(&self, need: usize, hi: Duration) -> bool {
        let holds =
            |ends: EndSpread| ends.min <= hi && hi <= ends.max.max(self.last_end(need).unwrap_or_default());
        self.visible().is_some_and(|visible| self.is_together(&visible, need) && holds(visible))
    }

    /// Whether the bracket is narrow enough. Where the path did either over a range of spans, that range
    /// cannot be narrowed; what is on both sides of it can. The lower end must be seconded. Where a hop lets go before it says so, the upper end
    /// is to be found below that.
    pub fn is_narrow(&self, need: usize, precision: Duration) -> bool {
        let (Some(hi), Some(earliest)) = (self.upper_end(need), self.view.earliest) else { return false };
        if self.swallowed() > 0 && self.visible().is_some_and(|visible| hi >= visible.min) {
            return false;
        }
        if self.in_doubt() && !self.is_seen(need, hi) {
            return false;
        }
        let gap = |from: Option<Duration>, to: Duration| to.saturating_sub(from.unwrap_or_default());
        let seen = self.is_seen(need, hi);
        let sure = seen || self.lacking(self.below_earliest().unwrap_or_default()) == 0;
        let first = self.visible().filter(|_| seen).map_or(hi, |ends| ends.min);
        sure && gap(self.longest(), first) <= precision && gap(self.below_earliest(), earliest) <= precision
    }

    /// The bracket to report. Its lower end lies below every death that supports the upper one, because
    /// between the two the path did either. Where the upper end was seen, it is the longest of the visible
    /// ends that lie together: so the bracket holds all of them.
    pub fn bracket(&self, need: usize) -> Bracket {
        match self.upper_end(need) {
            Some(hi) => Bracket { lo: self.below_earliest(), hi: Some(hi) },
            None => Bracket { lo: self.longest(), hi: None },
        }
    }

    /// The visible ends that lie together: the largest group of them.
    fn find_group(&self) -> Vec<Duration> {
        let mut ends: Vec<_> = self.counted().filter(|d| d.is_visible()).map(|d| d.span).collect();
        ends.sort_unstable();
        let group = |(index, from): (usize, &Duration)| {
            let limit = *from + sameness(*from);
            index..ends.partition_point(|end| *end <= limit)
        };
        let groups = ends.iter().enumerate().map(group);
        let best = groups.reduce(|best, next| if next.len() > best.len() { next } else { best });
        ends.get(best.unwrap_or(0..0)).unwrap_or_default().to_vec()
    }

    /// The visible ends that lie together, when they are at least two.
    pub fn visible(&self) -> Option<EndSpread> {
        self.view.visible
    }

    /// How many deaths make an upper end: the more go astray, the less a death says.
    pub fn needed(&self, repeat: usize) -> usize {
        let more = match self.visible() {
            None => EXTRA_DEATHS_IF_UNSEEN,
            Some(ends) if ends.max - ends.min > exactness(ends.min) => MIN_ENDS_OF_INEXACT_TIMER,
            Some(_) => 0,
        };
        repeat + more + self.view.astray.saturating_sub(1)
    }

    /// Whether idle connections die without a rule: of those that were idle for these
    /// spans, more died than chance explains, although others survived longer ones. A timer's own inexactness is
    /// allowed for.
    pub fn is_stochastic(&self) -> bool {
        let longest = self.longest().unwrap_or_default();
        let top = longest.saturating_sub(closeness(longest));
        let mut deaths: Vec<_> = self.counted().map(|d| d.span).filter(|span| *span < top).collect();
        deaths.sort_unstable();
        let beyond_chance = |(index, from): (usize, &Duration)| {
            let survivors = self.survived.iter().filter(|span| from <= *span && **span <= top).count();
            let died = deaths.len() - index;
            binomial_tail(died, died + survivors, MAX_CHANCE_DEATH_RATE) < MIN_LIKELIHOOD
        };
        deaths.iter().enumerate().any(beyond_chance)
    }

    /// Whether the timer is so inexact that it has no timeout to speak of: connections died and survived, or were seen
    /// to end, over a range that is wider than a timer's jitter of 1 % either way, or its tick of a second. A range
    /// that ends beyond twice its beginning is no tick's: such short timers tick more often.
    pub fn is_vague(&self) -> bool {
        let Some(longest) = self.longest() else { return false };
        let limit = longest.mul_f64(0.022).max(Duration::from_millis(1100));
        let is_wide = |from: Duration, to: Duration| to.saturating_sub(from) > limit.min(from);
        let mixed = earliest_but_one(&self.view.misfits).is_some_and(|from| is_wide(from, longest));
        let last = self.view.group.last().copied().unwrap_or_default();
        mixed || earliest_but_one(&self.view.group).is_some_and(|from| is_wide(from, last))
    }

    /// The ends that were seen after one span, where some connections ended so and others survived it.
    pub fn repeated(&self, repeat: usize) -> Option<EndSpread> {
        let visible = self.visible()?;
        let width = exactness(visible.min).max(visible.min.mul_f64(0.01));
        let exact = visible.max - visible.min <= width;
        (exact
            && self.is_together(&visible, repeat.max(MIN_VISIBLE_ENDS))
            && self.silent_apart(&visible) <= 1)
            .then_some(visible)
    }

    /// Deaths that were only found, below the ends that were seen.
    fn silent_apart(&self, visible: &EndSpread) -> usize {
        self.counted().filter(|death| !death.is_visible() && death.span < visible.min).count()
    }

    /// Whether a connection died after a span that another one survived.
    pub fn is_mixed(&self) -> bool {
        self.counted().any(|death| Some(death.span) <= self.longest())
    }

    /// Whether so few died that chance explains it, given how many were silent for as long as the first of them.
    pub fn is_by_chance(&self) -> bool {
        let Some(first) = self.counted().map(|death| death.span).min() else { return true };
        let died = self.counted().count();
        let survivors = self.survived.iter().filter(|span| first <= **span).count();
        died as f64 <= MAX_CHANCE_DEATH_RATE * (died + survivors) as f64
    }

    /// The spans after which connections died: those that were seen to end, and those that others survived.
    pub fn range(&self) -> Option<EndSpread> {
        let throttle =
            self.counted().filter(|death| death.is_visible() || Some(death.span) <= self.longest());
        EndSpread::of(&throttle.map(|death| death.span).collect::<Vec<_>>())
    }

    /// The longest survivor below all of a range.
    pub fn below(&self, range: Option<EndSpread>) -> Option<Duration> {
        self.longest_below(range.map(|range| range.min))
    }

    fn longest_below(&self, top: Option<Duration>) -> Option<Duration> {
        self.survived.iter().filter(|span| top.is_none_or(|top| **span < top)).max().copied()
    }

    /// How most of those died that support the upper end.
    pub fn manner(&self) -> Option<CutManner> {
        if let Some(spread) = self.visible().filter(|spread| spread.count > 2) {
            return self.commonest(|death| death.is_visible() && death.span >= spread.min);
        }
        let floor = self.support_floor();
        self.commonest(|death| floor < Some(death.span))
    }

    fn commonest(&self, which: impl Fn(&DeadProbe) -> bool) -> Option<CutManner> {
        let chosen: Vec<_> = self.counted().filter(|death| which(death)).map(|d| &d.manner).collect();
        let votes = |manner: &CutManner| chosen.iter().filter(|other| **other == manner).count();
        chosen.iter().max_by_key(|manner| votes(manner)).map(|manner| (*manner).clone())
    }

    /// Whether connections were dead for a while before they were seen to end: so many questions shortly
    /// before the visible end found no answer, and none later did.
    pub fn lingers(&self) -> bool {
        self.swallowed() > 1
    }

    /// Questions that found no answer, although the visible end was still to come.
    fn swallowed(&self) -> usize {
        let (Some(visible), longest) = (self.visible(), self.longest()) else { return 0 };
        let margin = Duration::from_millis(50);
        let dead = |death: &&DeadProbe| {
            !death.is_visible() && longest < Some(death.span) && death.span + margin < visible.min
        };
        self.counted().filter(dead).count()
    }

    /// Whether a connection was seen to end after this very span.
    pub fn ended_at(&self, span: Duration) -> bool {
        self.counted().any(|death| death.is_visible() && death.span == span)
    }

    /// Whether a connection was found dead at about this span.
    pub fn died_at(&self, span: Duration) -> bool {
        self.died.iter().any(|death| death.span.abs_diff(span) <= span.mul_f64(0.01))
    }

    /// The spans that survived, ascending.
    pub fn survivors(&self) -> Vec<Duration> {
        let mut spans = self.survived.clone();
        spans.sort_unstable();
        spans
    }

    /// The spans that did not, ascending.
    pub fn deaths(&self) -> Vec<(Duration, CutManner)> {
        let mut deaths: Vec<_> = self.counted().map(|d| (d.span, d.manner.clone())).collect();
        deaths.sort_by_key(|(span, _)| *span);
        deaths
    }
}

/// Ends within this time of one another came at one moment of the wall clock.
pub(super) const SAME_MOMENT: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deaths_without_a_live_control_do_not_count() {
        let s = Duration::from_secs;
        let mut evidence = SearchEvidence::default();
        let die = |evidence: &mut SearchEvidence, span, at| {
            evidence.die(s(span), CutManner::Silent, s(at), s(span))
        };
        [(5, 9), (6, 10)].into_iter().for_each(|(span, at)| die(&mut evidence, span, at));
        evidence.disregard(s(10), s(12));
        [(7, 11), (8, 13)].into_iter().for_each(|(span, at)| die(&mut evidence, span, at));
        evidence.vouch(s(20));
        let spans: Vec<_> = evidence.deaths().into_iter().map(|(span, _)| span).collect();
        assert_eq!(spans, [s(5), s(8)]);
    }
}
