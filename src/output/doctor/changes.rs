//! Lines of configuration in words and for scripts, and what a refusal usually means.

use serde_json::{Value, json};

use crate::domain::doctor::remedies::ConfigChange;
use crate::domain::doctor::report::DoctorInfo;

/// ``nginx (in the location): `proxy_http_version 1.1;` ``
fn text(change: &ConfigChange) -> String {
    let lines: Vec<String> = change.lines.iter().map(|line| format!("`{line}`")).collect();
    format!("{} ({}): {}", change.product, change.place, lines.join(" "))
}

/// Of more products, only the first is shown: nothing says that it is one of them.
const MAX_SHOWN: usize = 2;

/// What to write into the configuration of which product.
pub fn texts(changes: &[ConfigChange]) -> Vec<String> {
    match changes {
        [first, others @ ..] if changes.len() > MAX_SHOWN => {
            let products: Vec<&str> = others.iter().map(|change| change.product).collect();
            vec![
                format!("if it is {}", text(first)),
                format!("-o json has the lines for {}", products.join(", ")),
            ]
        }
        few => few.iter().map(text).collect(),
    }
}

/// The same for scripts.
pub fn value(change: &ConfigChange) -> Value {
    json!({ "product": change.product, "place": change.place, "lines": change.lines })
}

/// A command that shows whether a timer was raised.
pub fn verify_idle(info: &DoctorInfo) -> String {
    let seconds = info.longest_silence.as_secs_f64().ceil() as u64;
    command(&format!("probe-idle --max {seconds}s"), info)
}

/// A command that shows whether a connection in use lasts for so many seconds.
pub fn verify_lasts(info: &DoctorInfo, seconds: u64) -> String {
    command(&format!("ping -w {seconds}s"), info)
}

/// A command that shows whether the upgrade succeeds.
pub fn verify_upgrade(info: &DoctorInfo) -> String {
    command("ping -c 1", info)
}

/// A command that opens a WebSocket over HTTP/2 and asks on it.
pub fn verify_http2(info: &DoctorInfo) -> String {
    verify_with(info, "--http", " --http 2")
}

/// A command that opens a WebSocket with compression and sends a heartbeat.
pub fn verify_compression(info: &DoctorInfo) -> String {
    verify_with(info, "--compress", " --compress")
}

/// With an option that the run may already have.
fn verify_with(info: &DoctorInfo, name: &str, option: &str) -> String {
    let has_it = info.connect_options.iter().any(|given| given.split('=').next() == Some(name));
    command(&format!("ping -c 1{}", if has_it { "" } else { option }), info)
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
