//! What was seen so far, and the bracket that follows from it.
//!
//! Survival is hard evidence, death is not: a connection may die for reasons of its own. So:
//! - a survivor refutes every death at a shorter span;
//! - an upper end needs `repeat` deaths at or below it, and none of them refuted;
//! - a refuted death *close* below a survivor (a timer that jitters, or ticks coarsely) still supports the
//!   upper end, and pulls the reported lower end below itself.

use std::time::Duration;

use super::finding::{Bracket, Manner, Spread};

/// How far a timer's own inexactness reaches below a span: 3 %, at least 1.2 s (a timer that ticks once a
/// second is off by up to one).
fn closeness(span: Duration) -> Duration {
    span.mul_f64(0.03).max(Duration::from_millis(1200))
}

/// Visible ends that lie no further apart come from the same timer.
fn sameness(span: Duration) -> Duration {
    span.mul_f64(0.04).max(Duration::from_millis(1500))
}

/// So many survivors close to the lower end make it: one may be luck. Each death among them asks for more.
const SECONDS: usize = 5;
const SECONDS_A_DEATH: usize = 3;

/// From so many deaths without a rule on, which are such a part of all outcomes, and such a part of those at
/// their spans, a path is stochastic. When 2 % of the connections die by chance, that is the case once in
/// some ten thousand runs.
const STOCHASTIC_COUNT: usize = 6;
const STOCHASTIC_SHARE: f64 = 0.1;
const STOCHASTIC_SHARE_THERE: f64 = 0.33;

/// One connection that was idle for a span, and dead.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fatality {
    pub span: Duration,
    pub manner: Manner,
    /// When it was asked, or seen to end.
    pub moment: Duration,
    /// The control answered later, so the path was there.
    pub vouched: bool,
}

impl Fatality {
    fn is_visible(&self) -> bool {
        matches!(self.manner, Manner::Visible(_))
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    survived: Vec<Duration>,
    longest: Option<Duration>,
    died: Vec<Fatality>,
}

impl Evidence {
    pub fn survive(&mut self, span: Duration) {
        self.survived.push(span);
        self.longest = self.longest.max(Some(span));
    }

    pub fn die(&mut self, span: Duration, manner: Manner, moment: Duration) {
        self.died.push(Fatality { span, manner, moment, vouched: false });
    }

    /// The control answered at this moment: deaths before it count from now on.
    pub fn vouch(&mut self, moment: Duration) {
        self.died.iter_mut().filter(|death| death.moment < moment).for_each(|death| death.vouched = true);
    }

    /// Drops the deaths since a moment: the round does not count. What survived, survived.
    pub fn void_since(&mut self, moment: Duration) {
        self.died.retain(|death| death.vouched && death.moment < moment);
    }

    /// The longest span that survived.
    pub fn longest(&self) -> Option<Duration> {
        self.longest
    }

    /// Deaths that nobody vouched for yet.
    pub fn rumours(&self) -> impl Iterator<Item = Duration> {
        self.died.iter().filter(|death| !death.vouched).map(|death| death.span)
    }

    fn counted(&self) -> impl Iterator<Item = &Fatality> {
        self.died.iter().filter(|death| death.vouched)
    }

    /// The shortest death that no survivor refutes.
    pub fn suspect(&self) -> Option<Duration> {
        let longest = self.longest();
        self.counted().map(|death| death.span).filter(|span| longest < Some(*span)).min()
    }

    /// The shortest of the deaths that support the upper end, refuted ones among them: an inexact timer's
    /// earliest.
    fn earliest(&self) -> Option<Duration> {
        let floor = self.support_floor();
        self.counted().map(|death| death.span).filter(|span| floor < Some(*span)).min()
    }

    /// The longest survivor below all of these.
    fn below_earliest(&self) -> Option<Duration> {
        let earliest = self.earliest();
        self.survived.iter().filter(|span| earliest.is_none_or(|top| **span < top)).max().copied()
    }

    /// The spans of which it is not known whether they survive, from and to; `None` before anything died. First
    /// what lies above the longest survivor; when that is narrow enough, and the timer was seen to be
    /// inexact, what lies below its earliest death.
    pub fn unknown(&self, need: usize, precision: Duration) -> Option<(Duration, Duration)> {
        let (longest, top) = (self.longest().unwrap_or_default(), self.suspect()?);
        let narrow = self.upper_end(need).is_some_and(|hi| hi - longest <= precision);
        let lower = self.earliest().filter(|_| narrow);
        let below = self.below_earliest().unwrap_or_default();
        Some(lower.map_or((longest, top), |earliest| (below, earliest)))
    }

    /// Deaths up to a span that no survivor refutes.
    pub fn support(&self, up_to: Duration) -> usize {
        let longest = self.longest();
        self.counted().filter(|death| longest < Some(death.span) && death.span <= up_to).count()
    }

    /// Whether the timer was seen to be inexact: a death close below the longest survivor.
    pub fn inexact(&self) -> bool {
        self.earliest() < self.longest().filter(|_| !self.died.is_empty()) && self.earliest().is_some()
    }

    fn support_floor(&self) -> Option<Duration> {
        self.longest().and_then(|lo| lo.checked_sub(closeness(lo)))
    }

    /// The shortest span above all survivors that so many deaths support.
    pub fn upper_end(&self, need: usize) -> Option<Duration> {
        let longest = self.longest();
        let above = self.counted().map(|death| death.span).filter(|span| longest.is_none_or(|lo| *span > lo));
        above.filter(|span| self.support(*span) >= need).min()
    }

    /// How many survivors are lacking close below a span, so that it can be the lower end. Where timeouts vary
    /// widely a single survivor, and a few deaths above it, are found sooner or later.
    pub fn lacking(&self, floor: Duration) -> usize {
        let near = |span: &Duration| floor.saturating_sub(closeness(floor) * 2) <= *span && *span <= floor;
        let deaths = self.counted().filter(|death| near(&death.span)).count();
        let survivors = self.survived.iter().filter(|span| near(span)).count();
        if floor.is_zero() { 0 } else { (SECONDS + SECONDS_A_DEATH * deaths).saturating_sub(survivors) }
    }

    /// Whether an upper end was seen as often as it takes, so that it needs no seconds.
    fn is_seen(&self, need: usize, hi: Duration) -> bool {
        self.visible().is_some_and(|visible| visible.count >= need && visible.min <= hi && hi <= visible.max)
    }

    /// Whether the bracket is narrow enough. Where the path did either over a range of spans, that range
    /// cannot be narrowed; what is on both sides of it can. The lower end must be seconded. Where a hop lets go before it says so, the upper end
    /// is to be found below that.
    pub fn is_narrow(&self, need: usize, precision: Duration) -> bool {
        let (Some(hi), Some(earliest)) = (self.upper_end(need), self.earliest()) else { return false };
        if self.swallowed() > 0 && self.visible().is_some_and(|visible| hi >= visible.min) {
            return false;
        }
        let gap = |from: Option<Duration>, to: Duration| to.saturating_sub(from.unwrap_or_default());
        let sure = self.is_seen(need, hi) || self.lacking(self.below_earliest().unwrap_or_default()) == 0;
        sure && gap(self.longest(), hi) <= precision && gap(self.below_earliest(), earliest) <= precision
    }

    /// The bracket to report. Its lower end lies below every death that supports the upper one, because
    /// between the two the path did either. Where the upper end was seen, it is the longest of the visible
    /// ends that lie together: so the bracket holds all of them.
    pub fn bracket(&self, need: usize) -> Bracket {
        let Some(hi) = self.upper_end(need) else { return Bracket { lo: self.longest(), hi: None } };
        let seen = self.visible().filter(|spread| spread.min <= hi && hi <= spread.max);
        Bracket { lo: self.below_earliest(), hi: Some(seen.map_or(hi, |spread| spread.max)) }
    }

    /// The visible ends that lie together: the largest group of them.
    pub fn visible_group(&self) -> Vec<Duration> {
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
    pub fn visible(&self) -> Option<Spread> {
        Spread::of(&self.visible_group()).filter(|spread| spread.count > 1)
    }

    /// Deaths that lie far below a survivor, or apart from the group of visible ends.
    fn astray(&self) -> impl Iterator<Item = Duration> {
        let far = self.longest().and_then(|lo| lo.checked_sub(closeness(lo)));
        let group = self.visible_group();
        let apart = move |death: &&Fatality| {
            Some(death.span) <= far || (death.is_visible() && !group.contains(&death.span))
        };
        self.counted().filter(apart).map(|death| death.span)
    }

    /// How many deaths make an upper end: the more go astray, the less a death says.
    pub fn needed(&self, repeat: usize) -> usize {
        repeat + self.astray().count().saturating_sub(1)
    }

    /// The range over which idle connections die when they do so without a rule: many deaths are astray, a
    /// good part of all that was seen, and a better part of what was seen at these spans.
    pub fn stochastic(&self) -> Option<Spread> {
        if self.died.len() < STOCHASTIC_COUNT {
            return None;
        }
        let astray: Vec<_> = self.astray().collect();
        let (count, lowest) = (astray.len(), *astray.iter().min()?);
        let spans: Vec<_> = self.counted().map(|death| death.span).collect();
        let survivors = self.survived.iter().filter(|span| **span >= lowest).count();
        let share = |of: usize| count as f64 / of as f64;
        let often = share(spans.len() + self.survived.len()) >= STOCHASTIC_SHARE
            && share(count + survivors) >= STOCHASTIC_SHARE_THERE;
        let many = count >= STOCHASTIC_COUNT.max(self.visible_group().len());
        Spread::of(&spans).filter(|_| many && often)
    }

    /// How most of those died that support the upper end.
    pub fn manner(&self) -> Option<Manner> {
        if let Some(spread) = self.visible().filter(|spread| spread.count > 2) {
            return self.commonest(|death| death.is_visible() && death.span >= spread.min);
        }
        let floor = self.support_floor();
        self.commonest(|death| floor < Some(death.span))
    }

    fn commonest(&self, which: impl Fn(&Fatality) -> bool) -> Option<Manner> {
        let chosen: Vec<_> = self.counted().filter(|death| which(death)).map(|d| &d.manner).collect();
        let votes = |manner: &Manner| chosen.iter().filter(|other| **other == manner).count();
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
        let dead = |death: &&Fatality| {
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
    pub fn deaths(&self) -> Vec<(Duration, Manner)> {
        let mut deaths: Vec<_> = self.counted().map(|d| (d.span, d.manner.clone())).collect();
        deaths.sort_by_key(|(span, _)| *span);
        deaths
    }
}
