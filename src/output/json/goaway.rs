//! GOAWAY in JSON.

use serde::Deserialize;

use super::document::document;
use super::values::{Ms, Text};
use crate::domain::connection::goaway::{Goaway, GoawayNotice};
use crate::domain::connection::http2::Http2Code;
use crate::domain::connection::untrusted_text::UntrustedText;

document! {
    /// GOAWAY: the peer of HTTP/2 accepts no new streams on this connection (RFC 9113 section 6.8).
    #[derive(Deserialize)]
    #[cfg_attr(test, schemars(rename = "Goaway"))]
    pub struct GoawayDocument from notice: &GoawayNotice {
        /// The error code (RFC 9113 section 7); 0 if nothing is wrong.
        h2_code: u32 = notice.goaway.code.0,
        /// The name of `h2_code`; null if it has none.
        h2_code_name: Option<Text> = notice.goaway.code.name().map(Into::into),
        /// The peer does not process streams with a higher number; 2147483647 if the last one is not yet known.
        last_stream: u32 = notice.goaway.last_stream,
        /// The start of its debug data; control characters are escaped.
        detail: Option<Text> = Some(&notice.goaway.debug).filter(|debug| !debug.is_empty()).map(Into::into),
        /// How long the WebSocket had been open.
        age_ms: Ms = notice.age,
    }
}

impl From<GoawayDocument> for GoawayNotice {
    fn from(notice: GoawayDocument) -> GoawayNotice {
        let debug: UntrustedText = notice.detail.map(Into::into).unwrap_or_default();
        let goaway = Goaway { code: Http2Code(notice.h2_code), last_stream: notice.last_stream, debug };
        GoawayNotice { goaway, age: notice.age_ms.into() }
    }
}
