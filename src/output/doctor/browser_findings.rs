//! What a browser would make of the endpoint, in words.

use serde_json::json;

use crate::domain::connection::connect_info::ConnectError;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::doctor::DoctorFinding;
use crate::domain::doctor::evidence::BrowserPart;
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// What a finding about browsers says, and what to do about it; `None` of another one.
pub fn explanation(finding: &DoctorFinding) -> Option<Explanation> {
    use DoctorFinding as F;
    Some(match finding {
        F::PagesAccepted => {
            Explanation::new("a page of the same server may open it: a browser's request was accepted")
        }
        F::PagesRefused { error, part } => pages_refused(error, *part),
        F::BrowserAnswerInvalid { error, part } => answer_invalid(error, *part),
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
        _ => return None,
    })
}

fn pages_refused(error: &ConnectError, part: Option<BrowserPart>) -> Explanation {
    let refused =
        format!("a browser's request, for a page of the same server, was refused ({})", error.cause);
    let explanation = match part {
        Some(part) => {
            let part = part_words(part);
            Explanation::new(format!("{refused}; with {part} alone it is refused, too"))
        }
        None => Explanation::new(format!(
            "{refused}, and the same without what a browser adds was accepted; no single part of it is refused by itself"
        )),
    };
    let remedy = match part {
        Some(BrowserPart::Compression) => {
            "let the server, or a hop before it, leave the offer unanswered if it does not compress (RFC 7692 section 5): \
             browsers always make it"
        }
        Some(BrowserPart::Origin) => {
            "allow the origin of the pages at the server, or at the firewall for applications that refuses it"
        }
        Some(_) => "look for a rule about these headers at the server, or at a firewall for applications",
        None => {
            "look for a rule about Origin, User-Agent, Sec-Fetch or Accept headers at the server, or at a firewall for \
             applications"
        }
    };
    explanation.remedy(remedy).with("part", json!(part.map(|part| part.label())))
}

/// The answer accepts, and breaks a rule, so that only a client that reads it sees the failure.
fn answer_invalid(error: &ConnectError, part: Option<BrowserPart>) -> Explanation {
    let text = match part {
        Some(part) => format!(
            "a browser's request, for a page of the same server, was accepted with an answer that the standards forbid ({}), so \
             a browser fails the connection; it is the answer to {}, without which it works",
            error.cause,
            part_words(part)
        ),
        None => format!(
            "a browser's request, for a page of the same server, was accepted with an answer that the standards forbid ({}), so \
             a browser fails the connection; without what a browser adds it works",
            error.cause
        ),
    };
    let remedy = match part {
        Some(BrowserPart::Compression) => COMPRESSION_REMEDY,
        Some(_) | None => "correct the answer at the server, or at the hop before it that answers",
    };
    Explanation::new(text).remedy(remedy).with("part", json!(part.map(|part| part.label())))
}

const COMPRESSION_REMEDY: &str = "let the server, or the hop before it that answers, agree only to parameters that were offered \
                                  and that exist (RFC 7692 sections 5 and 7.1), or leave the offer unanswered";

/// A part of a browser's request, as people call it.
fn part_words(part: BrowserPart) -> &'static str {
    match part {
        BrowserPart::Compression => "the offer of permessage-deflate",
        BrowserPart::Origin => "the Origin header",
        BrowserPart::UserAgent => "the User-Agent header",
        BrowserPart::SecFetch => "the Sec-Fetch headers",
        BrowserPart::Accept => "the Accept headers",
        BrowserPart::CacheControl => "the Pragma and Cache-Control headers",
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
