//! Which products a cut is consistent with: the setting to look for, and how to find out which one cut.

use crate::domain::catalogue::SettingChange;
use crate::domain::idle::CutManner;
use crate::domain::idle::product_naming::{Candidate, NotCompared, RuledOut};
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// ``consistent with nginx, `proxy_read_timeout 20s` in http, server or location: the response says server: nginx; ...``
pub fn likely(candidate: &Candidate) -> Explanation {
    let (product, topic) = (candidate.timeout.product, candidate.timeout.topic());
    let why = candidate.reasons.join("; ");
    let text =
        format!("consistent with {product}, {}: {why}; see `wscheck timeouts {topic}`", candidate.setting());
    let remedy = match candidate.timeout.change {
        SettingChange::Set(example) => Some(format!("if it is {product}: {example}")),
        SettingChange::Fixed => Some(format!("if it is {product}: it cannot be changed")),
        SettingChange::Nothing => None,
    };
    Explanation { remedy, ..Explanation::new(text) }
        .with("id", candidate.timeout.id)
        .with("product", product)
        .with("setting", candidate.timeout.setting)
        .with_duration("value", candidate.value)
}

/// The products that fit where no evidence distinguishes them.
pub fn possible(candidates: &[Candidate], manner: Option<&CutManner>) -> Explanation {
    let fits: Vec<String> = candidates.iter().map(product_and_setting).collect();
    let text = match (fits.as_slice(), manner) {
        ([only], Some(CutManner::Visible(_)) | None) => format!(
            "consistent with {only}, but no header names it: the server itself may have cut, or a product that adds no header"
        ),
        ([only], Some(_)) => {
            format!(
                "consistent with {only}, but a device that drops connections adds no header: other devices fit too"
            )
        }
        (all, Some(CutManner::Visible(_)) | None) => format!(
            "several products cut like this, and no header names the one: the server \
             itself, or {}",
            all.join("; ")
        ),
        (all, Some(_)) => format!(
            "several products cut like this, and a device that drops connections adds no \
             header: {}",
            all.join("; ")
        ),
    };
    let ids: Vec<&str> = candidates.iter().map(|candidate| candidate.timeout.id).collect();
    Explanation::new(text).remedy(find_out(candidates)).with("ids", ids)
}

fn product_and_setting(candidate: &Candidate) -> String {
    let default = if candidate.is_default() { " (its default)" } else { "" };
    format!("{}: {}{default}", candidate.timeout.product, candidate.setting())
}

/// What shows which of them cut.
fn find_out(candidates: &[Candidate]) -> String {
    let mut logs: Vec<String> = Vec::new();
    for timeout in candidates.iter().map(|candidate| candidate.timeout) {
        let log = timeout.log.map(|log| format!("{}: {log}", timeout.product));
        logs.extend(log.filter(|log| !logs.contains(log)));
    }
    let logs = if logs.is_empty() { String::new() } else { format!(" ({})", logs.join("; ")) };
    format!(
        "look at the logs of each hop at the moment of a cut{logs}; probe from behind each hop; see `wscheck timeouts \
         PRODUCT`"
    )
}

/// `probably not nginx, though the response says server: nginx: it cuts in another way (FIN)`
pub fn other(RuledOut { product, header, why }: &RuledOut) -> Explanation {
    let text = format!(
        "probably not {product}, though the response says {header}: {why}. The header may be that of another hop"
    );
    Explanation::new(text).with("product", *product).with("header", header.as_str())
}

/// A cut was measured, and the table has nothing that cuts so.
pub fn none_fits(not_compared: Option<NotCompared>) -> Explanation {
    let text = match not_compared {
        Some(NotCompared::Http2) => {
            "no product is named: the table of known timers (`wscheck timeouts`) does not say how products cut streams of HTTP/2; \
             a run with --http 1.1 can be compared with it"
        }
        Some(NotCompared::AcknowledgementUnknown) => {
            "no product is named: whether TCP acknowledged what was sent after the silence is unknown, so either the path dropped \
             the connection, or the server or a proxy no longer answered"
        }
        None => {
            "consistent with nothing in the table of known timers (`wscheck timeouts`): perhaps the server's own timer"
        }
    };
    Explanation::new(text)
        .with("over_http2", not_compared == Some(NotCompared::Http2))
        .with("not_compared", not_compared.map(|why| why.label()))
}
