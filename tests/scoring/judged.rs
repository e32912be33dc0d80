//! What one world showed of one claim.

use std::time::Duration;

/// A claim, compared with the truth.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The code of the finding.
    pub code: &'static str,
    pub verdict: Verdict,
    /// How wide the claimed range is, if it is one.
    pub width: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Right,
    /// It is false; what is.
    Wrong(String),
    /// It could have been claimed, and was not.
    Silent,
}

/// What the claims of one world are compared with.
#[derive(Default)]
pub struct Judge {
    claims: Vec<Judged>,
}

impl Judge {
    /// A claim was made; it is right, or else this is false.
    pub fn claimed(&mut self, code: &'static str, truth: Result<(), String>) {
        let verdict = truth.map_or_else(Verdict::Wrong, |()| Verdict::Right);
        self.claims.push(Judged { code, verdict, width: None });
    }

    pub fn claimed_range(&mut self, code: &'static str, truth: Result<(), String>, width: Option<Duration>) {
        self.claimed(code, truth);
        self.claims.last_mut().into_iter().for_each(|claim| claim.width = width);
    }

    /// A claim that the world allows; it is silent if it was not made.
    pub fn possible(&mut self, code: &'static str, is_possible: bool) {
        if is_possible && self.claims.iter().all(|claim| claim.code != code) {
            self.claims.push(Judged { code, verdict: Verdict::Silent, width: None });
        }
    }

    pub fn claims(self) -> Vec<Judged> {
        self.claims
    }
}

/// Whether something is so; the text says what is not.
pub fn is(so: bool, what: impl Into<String>) -> Result<(), String> {
    so.then_some(()).ok_or_else(|| what.into())
}
