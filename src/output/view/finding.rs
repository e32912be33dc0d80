//! Findings in words.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::domain::run::finding::{Finding, Severity};
use crate::output::json::Ms;

/// The code of a finding that says only that something was not checked.
const NOT_CHECKED: &str = "not_checked";

/// A finding in words.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownFinding {
    pub code: Cow<'static, str>,
    pub severity: Severity,
    /// The target or connection that it is about; `None` if it is about the whole run.
    pub about: Option<String>,
    /// It is part of the headline, which then says the same.
    pub in_headline: bool,
    pub explanation: Explanation,
}

impl ShownFinding {
    pub fn new(finding: &impl Finding, explanation: Explanation) -> ShownFinding {
        ShownFinding {
            code: finding.label().into(),
            severity: finding.severity(),
            about: None,
            in_headline: false,
            explanation,
        }
    }

    /// Whether it says only that something was not checked, or came to no answer.
    pub fn is_unchecked(&self) -> bool {
        self.code == NOT_CHECKED
    }

    /// What it says, and about which target.
    pub fn text(&self) -> String {
        let about = self.about.as_ref().map(|about| format!("{about}: ")).unwrap_or_default();
        format!("{about}{}", self.explanation.message)
    }
}

/// Orders findings by severity. Those that are equally severe keep their order.
pub fn most_severe_first(mut findings: Vec<ShownFinding>) -> Vec<ShownFinding> {
    findings.sort_by_key(|finding| Reverse(finding.severity));
    findings
}

/// What a finding says, what to do about it, and the figures behind it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Explanation {
    /// A lower-case fragment.
    pub message: String,
    /// The beginning of the message that answers the command's question; `None` if the finding is no conclusion.
    pub claim: Option<String>,
    /// A lower-case fragment; `None` where nothing needs to be done.
    pub remedy: Option<String>,
    /// The evidence, by the names of JSON: `*_ms` in milliseconds.
    pub data: Map<String, Value>,
}

impl Explanation {
    pub fn new(message: impl Into<String>) -> Explanation {
        Explanation { message: message.into(), ..Explanation::default() }
    }

    /// A conclusion: its claim, and the detail after it.
    pub fn conclusion(claim: impl Into<String>, detail: impl AsRef<str>) -> Explanation {
        let claim = claim.into();
        let message = format!("{claim}{}", detail.as_ref());
        Explanation { message, claim: Some(claim), ..Explanation::default() }
    }

    /// The claim and the detail of a conclusion.
    pub fn headline(&self) -> Option<(&str, &str)> {
        let claim = self.claim.as_deref()?;
        Some((claim, self.message.strip_prefix(claim)?))
    }

    pub fn remedy(self, remedy: impl Into<String>) -> Explanation {
        Explanation { remedy: Some(remedy.into()), ..self }
    }

    /// What it says and what to do, as one fragment.
    pub fn line(&self) -> String {
        let remedy = self.remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        format!("{}{remedy}", self.message)
    }

    /// Adds a figure or a name to the evidence.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Explanation {
        self.data.insert(name.to_string(), value.into());
        self
    }

    /// Adds a duration to the evidence; the name gets the ending `_ms`.
    pub fn with_duration(self, name: &str, duration: Duration) -> Explanation {
        self.with(&format!("{name}_ms"), serde_json::to_value(Ms::from(duration)).unwrap_or_default())
    }

    /// Adds a duration to the evidence, if it is known.
    pub fn with_some(self, name: &str, duration: Option<Duration>) -> Explanation {
        match duration {
            Some(duration) => self.with_duration(name, duration),
            None => self,
        }
    }
}
