//! Lines of configuration in words and for scripts, and what a refusal usually means.

use serde_json::{Value, json};

use crate::domain::doctor::RefusalCause;
use crate::domain::doctor::remedies::ConfigChange;
use crate::domain::doctor::report::DoctorInfo;

/// ``nginx (in the location): `proxy_http_version 1.1;` ``
pub fn text(change: &ConfigChange) -> String {
    let lines: Vec<String> = change.lines.iter().map(|line| format!("`{line}`")).collect();
    format!("{} ({}): {}", change.product, change.place, lines.join(" "))
}

/// The same for scripts.
pub fn value(change: &ConfigChange) -> Value {
    json!({ "product": change.product, "place": change.place, "lines": change.lines })
}

/// What the usual cause means for the reader.
pub fn usual_cause(cause: RefusalCause) -> Option<&'static str> {
    Some(match cause {
        RefusalCause::UpgradeNotPassedOn => {
            "usually a proxy on the path does not pass the upgrade on: the server behind it saw an ordinary request"
        }
        RefusalCause::Page => {
            "a page came instead: usually a proxy or a captive portal answers, or the path is not the WebSocket's"
        }
        RefusalCause::PathUnknown => {
            "usually the path is wrong, or a proxy does not pass the upgrade on and the server knows no page there"
        }
        RefusalCause::ServerBehindFails => {
            "a proxy answers, and cannot reach the server behind it: look at that server and at the proxy's log"
        }
        RefusalCause::Forbidden => "usually a firewall, a rule on the Origin header, or missing credentials",
        RefusalCause::TooMany => "a limit was reached: wait, or raise it",
        RefusalCause::Credentials
        | RefusalCause::Redirect
        | RefusalCause::OtherProtocol
        | RefusalCause::BeforeUpgrade
        | RefusalCause::Other => return None,
    })
}

/// A command that shows whether a timer was raised.
pub fn verify_idle(info: &DoctorInfo) -> String {
    let seconds = info.longest_silence.as_secs_f64().ceil() as u64;
    command(&format!("probe-idle --max {seconds}s"), info)
}

/// A command that shows whether the upgrade succeeds.
pub fn verify_upgrade(info: &DoctorInfo) -> String {
    command("ping -c 1", info)
}

/// A command line with the options of this run that say how to connect.
fn command(command: &str, info: &DoctorInfo) -> String {
    let options: String = info.connect_options.iter().map(|option| format!("{} ", quoted(option))).collect();
    format!("wscheck {command} {options}'{}'", info.url)
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+[]".contains(c);
    if word.chars().all(is_plain) && !word.is_empty() {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
