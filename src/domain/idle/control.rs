//! The control connection, which is never idle: whether the path was there, and how old a connection may
//! become.

use std::time::Duration;

use super::plan::SearchPlan;
use super::probe::ProbeId;

/// The control, and the deaths of those before it.
#[derive(Debug, Clone, Default)]
pub(super) struct Control {
    current: Option<Life>,
    /// The ages at which controls died.
    ages: Vec<Duration>,
}

#[derive(Debug, Clone)]
struct Life {
    id: ProbeId,
    opened: Option<Duration>,
    last_beat: Option<Duration>,
}

/// What a control's death means, as far as it can be told by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Another control died at this age, too.
    SameAge(Duration),
    /// Two controls died before they could be asked twice.
    Stillborn,
    /// The only one so far to die at its age. It had been alive at this moment.
    Lone { alive_at: Duration },
}

impl Control {
    pub fn id(&self) -> Option<ProbeId> {
        self.current.as_ref().map(|life| life.id)
    }

    pub fn order(&mut self, id: ProbeId) {
        self.current = Some(Life { id, opened: None, last_beat: None });
    }

    pub fn opened(&mut self, at: Duration) {
        if let Some(life) = &mut self.current {
            life.opened = Some(at);
        }
    }

    pub fn failed(&mut self) {
        self.current = None;
    }

    pub fn beat(&mut self, at: Duration) {
        if let Some(life) = &mut self.current {
            life.last_beat = Some(at);
        }
    }

    pub fn is_open(&self) -> bool {
        self.current.as_ref().is_some_and(|life| life.opened.is_some())
    }

    /// It ended after being last alive at a moment.
    pub fn ended(&mut self, last: Duration, plan: &SearchPlan) -> Fate {
        let Some(life) = self.current.take() else { return Fate::Lone { alive_at: last } };
        let age = last.saturating_sub(life.opened.unwrap_or(last));
        let same = self.ages.iter().copied().find(|other| other.abs_diff(age) <= tolerance(age, plan));
        self.ages.push(age);
        match same {
            Some(_) if age < plan.control_interval * 2 => Fate::Stillborn,
            Some(other) => Fate::SameAge(other.min(age)),
            None => Fate::Lone { alive_at: life.last_beat.unwrap_or(last).min(last) },
        }
    }

    /// The ages at which controls died.
    pub fn ages(&self) -> &[Duration] {
        &self.ages
    }

    /// Whether a control died about here, and the present one is not old enough to tell whether that is
    /// a rule; then until when to wait.
    pub fn untold(&self, lo: Option<Duration>, hi: Duration, plan: &SearchPlan) -> Option<Duration> {
        let near = |age: &Duration| {
            let slack = tolerance(*age, plan);
            *age <= hi + slack && lo.is_none_or(|lo| lo <= *age + slack)
        };
        let age = self.ages.iter().filter(|age| near(age)).max()?;
        let told = self.current.as_ref()?.opened? + *age + tolerance(*age, plan) * 2 + plan.answer_timeout;
        Some(told)
    }
}

/// Ages that differ by no more are the same age: 2 %, at least three intervals of the control.
fn tolerance(age: Duration, plan: &SearchPlan) -> Duration {
    age.mul_f64(0.02).max(plan.control_interval * 3)
}
