//! What a browser would make of the endpoint, in words.

use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::doctor::DoctorFinding;
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// What a finding about browsers says, and what to do about it.
pub fn explanation(finding: &DoctorFinding) -> Explanation {
    use DoctorFinding as F;
    match finding {
        F::PagesAccepted => {
            Explanation::new("a page of the same server may open it: a browser's request was accepted")
        }
        F::PagesRefused { error } => Explanation::new(format!(
            "a browser's request, for a page of the same server, was refused ({}), and the same without a browser's \
             headers was accepted",
            error.cause
        ))
        .remedy(
            "look for a rule about Origin, User-Agent, Sec-Fetch or Accept headers at the server, or at a firewall for \
             applications",
        ),
        F::OnlyBrowsersAccepted { error } => Explanation::new(format!(
            "refused as wscheck asks ({}), and accepted with a browser's headers; the rest was measured with them",
            error.cause
        ))
        .remedy("clients other than browsers need these headers, or a rule that lets them in (-H sets them here)"),
        F::PortBlockedByBrowsers { port } => Explanation::new(format!(
            "browsers open no connection to port {port} (it is on the list of blocked ports in the Fetch standard)"
        ))
        .remedy("use another port, such as 443, for pages")
        .with("port", *port),
        F::MixedContentBlocked => Explanation::new(
            "a page that came by https may not open ws:// (mixed content); only pages that came by http may",
        )
        .remedy("offer wss:// for pages that come by https"),
        F::PageSees { code, reason, happened } => page_sees(*code, reason, happened),
        other => Explanation::new(other.words()),
    }
}

/// What a page sees beside what happened.
fn page_sees(code: u16, reason: &UntrustedText, happened: &str) -> Explanation {
    let detail = match (code, reason.is_empty()) {
        (1006, _) => "close code 1006 and no reason, as after any other failure".to_string(),
        (1005, _) => "close code 1005: the server gave none".to_string(),
        (_, true) => format!("close code {code} and no reason"),
        (_, false) => format!("close code {code} and the reason \"{reason}\""),
    };
    Explanation::new(format!("a page sees {detail}; what happened: {happened}"))
        .with("code", code)
        .with("reason", reason.as_str())
        .with("happened", happened)
}
