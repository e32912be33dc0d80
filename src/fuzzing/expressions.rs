//! Values of options, as a user types them.

use std::fmt::{Debug, Display};
use std::str::FromStr;
use std::time::Duration;

use super::forget_secrets;
use crate::domain::client_test::expectation::ClientExpectation;
use crate::domain::compare::ChangeLimit;
use crate::domain::connection::target::{Target, redact_text};
use crate::domain::duration::parse_duration;
use crate::domain::ping::fail_if::{FailIf, FailOn};
use crate::domain::ping::ramp::Ramp;
use crate::domain::run::expectation::Expectation;
use crate::net::connect::proxy::ProxyUrl;
use crate::net::connect::resolve::ResolveOverride;

/// The whole input is one value, and is read as a value of each option.
pub fn expressions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    forget_secrets();
    survives::<FailIf>(text);
    survives::<FailOn>(text);
    survives::<Expectation>(text);
    survives::<ClientExpectation>(text);
    let _ = text.parse::<ResolveOverride>();
    if let Ok(limit) = text.parse::<ChangeLimit>() {
        limit.judge(&[]);
    }
    if let Ok(duration) = parse_duration(text) {
        assert_eq!(parse_duration(&format!("{}ns", duration.as_nanos())), Ok(duration));
    }
    if let Ok(ramp) = text.parse::<Ramp>() {
        opens_in_order(ramp);
    }
    urls(text);
}

/// What is shown is read as the same value.
fn survives<T: FromStr<Err: Debug> + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let shown = value.to_string();
        assert_eq!(shown.parse::<T>().expect("what is shown is valid"), value);
    }
}

fn opens_in_order(ramp: Ramp) {
    let delays = [0, 1, 2, 9].map(|number| ramp.delay(number, 10));
    assert_eq!(delays[0], Duration::ZERO);
    assert!(delays.is_sorted());
}

/// A URL is shown without its secrets, so that only what is shown stays the same.
fn urls(text: &str) {
    if let Ok(target) = text.parse::<Target>() {
        let shown = target.to_string();
        assert_eq!(shown.parse::<Target>().expect("what is shown is a URL").to_string(), shown);
        target.secrets();
        target.authority();
    }
    if let Ok(proxy) = text.parse::<ProxyUrl>() {
        let shown = proxy.to_string();
        assert_eq!(shown.parse::<ProxyUrl>().expect("what is shown is a proxy").to_string(), shown);
    }
    redact_text(text);
}
