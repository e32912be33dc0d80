//! What a server sent in place of answers, in the document; written and read back.

use serde::{Deserialize, Serialize};

use crate::domain::connection::incomplete::{IncompleteData, IncompletePart};
use crate::domain::heartbeat::substitutes::{OtherPayload, Substitute};
use crate::output::json::{FieldError, Ms, Text};

/// What came instead of Pongs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Substitute"))]
pub(super) struct SubstituteDocument {
    what: SubstituteName,
    count: u64,
    /// A message, or the payload of a Pong with another one.
    sample: Option<Text>,
    /// Bytes of a Pong's payload that is a part of the Ping's, or has it and more.
    bytes: Option<usize>,
    /// Bytes of the Ping's payload.
    of_bytes: Option<usize>,
}

/// The kinds of what comes instead of Pongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, schemars(rename = "SubstituteKind"))]
enum SubstituteName {
    /// Pongs without payload.
    EmptyPongs,
    /// Pongs with the first bytes of the Ping's payload.
    TruncatedPongs,
    /// Pongs with the Ping's payload and more.
    ExtendedPongs,
    /// Pongs with another payload.
    ForeignPongs,
    /// Our own Pings, returned as Pings.
    Pings,
    /// A message for each Ping.
    Messages,
}

impl From<&Substitute> for SubstituteDocument {
    fn from(substitute: &Substitute) -> SubstituteDocument {
        use SubstituteName as S;
        let (count, what, sample, bytes) = match substitute {
            Substitute::Pings { count } => (*count, S::Pings, None, None),
            Substitute::Messages { count, sample } => (*count, S::Messages, Some(sample), None),
            Substitute::Pongs { count, payload } => match payload {
                OtherPayload::Empty => (*count, S::EmptyPongs, None, None),
                OtherPayload::Truncated { bytes, of } => {
                    (*count, S::TruncatedPongs, None, Some((*bytes, *of)))
                }
                OtherPayload::Extended { bytes, of } => (*count, S::ExtendedPongs, None, Some((*bytes, *of))),
                OtherPayload::Foreign(payload) => (*count, S::ForeignPongs, Some(payload), None),
            },
        };
        let (bytes, of_bytes) = bytes.unzip();
        SubstituteDocument { what, count, sample: sample.map(Into::into), bytes, of_bytes }
    }
}

impl TryFrom<SubstituteDocument> for Substitute {
    type Error = FieldError;

    fn try_from(document: SubstituteDocument) -> Result<Substitute, FieldError> {
        let SubstituteDocument { what, count, sample, bytes, of_bytes } = document;
        let sample = sample.map(Into::into).unwrap_or_default();
        let sizes = bytes.zip(of_bytes).ok_or_else(|| FieldError::missing("substitute.bytes"));
        let payload = match what {
            SubstituteName::Pings => return Ok(Substitute::Pings { count }),
            SubstituteName::Messages => return Ok(Substitute::Messages { count, sample }),
            SubstituteName::EmptyPongs => OtherPayload::Empty,
            SubstituteName::TruncatedPongs => {
                sizes.map(|(bytes, of)| OtherPayload::Truncated { bytes, of })?
            }
            SubstituteName::ExtendedPongs => sizes.map(|(bytes, of)| OtherPayload::Extended { bytes, of })?,
            SubstituteName::ForeignPongs => OtherPayload::Foreign(sample),
        };
        Ok(Substitute::Pongs { count, payload })
    }
}

/// What had come of data that never became complete.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Incomplete"))]
pub(super) struct IncompleteDocument {
    part: IncompleteName,
    /// Bytes that came; null for a TLS record.
    bytes: Option<u64>,
    /// Bytes of the whole frame.
    of_bytes: Option<u64>,
    /// Complete frames of a message without the last one.
    fragments: Option<u64>,
    /// Time since its last bytes.
    since_ms: Ms,
}

/// What was incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, schemars(rename = "IncompletePart"))]
enum IncompleteName {
    FrameHead,
    Frame,
    Message,
    TlsRecord,
}

impl From<&IncompleteData> for IncompleteDocument {
    fn from(data: &IncompleteData) -> IncompleteDocument {
        let (part, bytes, of_bytes, fragments) = match data.part {
            IncompletePart::Head { bytes } => (IncompleteName::FrameHead, Some(bytes), None, None),
            IncompletePart::Frame { received, size } => {
                (IncompleteName::Frame, Some(received), Some(size), None)
            }
            IncompletePart::Message { fragments, bytes } => {
                (IncompleteName::Message, Some(bytes), None, Some(fragments))
            }
            IncompletePart::Record => (IncompleteName::TlsRecord, None, None, None),
        };
        IncompleteDocument { part, bytes, of_bytes, fragments, since_ms: data.since.into() }
    }
}

impl TryFrom<IncompleteDocument> for IncompleteData {
    type Error = FieldError;

    fn try_from(document: IncompleteDocument) -> Result<IncompleteData, FieldError> {
        let IncompleteDocument { part, bytes, of_bytes, fragments, since_ms } = document;
        let known = |number: Option<u64>, name: &str| {
            number.ok_or_else(|| FieldError::missing(format!("incomplete.{name}")))
        };
        let part = match part {
            IncompleteName::FrameHead => IncompletePart::Head { bytes: known(bytes, "bytes")? },
            IncompleteName::Frame => {
                IncompletePart::Frame { received: known(bytes, "bytes")?, size: known(of_bytes, "of_bytes")? }
            }
            IncompleteName::Message => IncompletePart::Message {
                fragments: known(fragments, "fragments")?,
                bytes: known(bytes, "bytes")?,
            },
            IncompleteName::TlsRecord => IncompletePart::Record,
        };
        Ok(IncompleteData { part, since: since_ms.into() })
    }
}
