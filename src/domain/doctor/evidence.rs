//! What was measured on one path, before anything is concluded from it.

use std::sync::Arc;
use std::time::Duration;

use strum::{EnumIter, IntoStaticStr};

use super::browser_limit::BrowserLimit;
use super::feature_trial::FeatureTrial;
use crate::domain::connection::connect_info::{ConnectAttempt, ConnectError, ConnectInfo};
use crate::domain::connection::tls_inspection::TlsInspection;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::idle::report::IdleReport;
use crate::domain::listen::report::ListenReport;
use crate::domain::ping::report::PingReport;
use crate::domain::presets::PresetDetection;
use crate::domain::zombie::report::ZombieReport;

/// What was measured on one path to the server; `None` where nothing was.
#[derive(Debug, Clone, Default)]
pub struct PathEvidence {
    pub resolution: Option<Resolution>,
    /// Every address, in the order of the answer.
    pub addresses: Vec<ConnectAttempt>,
    /// The proxy on the path, without its password.
    pub proxy: Option<String>,
    /// What the handshake showed, or why there was none; `None` without TLS.
    pub tls: Option<Result<Box<TlsInspection>, Arc<ConnectError>>>,
    pub upgrade: Option<Result<Arc<ConnectInfo>, Arc<ConnectError>>>,
    /// Why browsers would not even ask.
    pub browser_limits: Vec<BrowserLimit>,
    /// Upgrades with something changed, in order.
    pub variants: Vec<UpgradeVariant>,
    /// The plain upgrade once more, after a changed one had another outcome.
    pub repeated: Option<Result<Arc<ConnectInfo>, Arc<ConnectError>>>,
    /// With HTTP/2 offered, as browsers do; `None` if it was not tried.
    pub http2: Option<Box<FeatureTrial>>,
    /// With compression offered, as browsers do; `None` if it was not tried.
    pub compression: Option<Box<FeatureTrial>>,
    /// Why a further connection failed while one was open.
    pub further_refused: Option<Arc<ConnectError>>,
    pub convention: Option<PresetDetection>,
    pub fragments: Option<FragmentsOutcome>,
    pub ping: Option<Box<PingReport>>,
    pub listen: Option<Box<ListenReport>>,
    pub idle: Option<Box<IdleReport>>,
    pub zombie: Option<Box<ZombieReport>>,
}

impl PathEvidence {
    /// Whether an address accepted a connection, or a WebSocket opened.
    pub fn is_reached(&self) -> bool {
        self.addresses.iter().any(|attempt| attempt.error.is_none()) || self.is_open()
    }

    /// Whether a WebSocket opened.
    pub fn is_open(&self) -> bool {
        [&self.upgrade, &self.repeated].iter().any(|upgrade| matches!(upgrade, Some(Ok(_))))
            || self.accepted_variant().is_some()
    }

    /// Whether the same request was refused once and accepted once: then no change of it explains an answer.
    pub fn is_unsteady(&self) -> bool {
        let (first, second) = (self.upgrade.as_ref(), self.repeated.as_ref());
        first.zip(second).is_some_and(|(first, second)| first.is_ok() != second.is_ok())
    }

    /// Whether an upgrade with an origin of ours was tried.
    pub fn tried_an_origin(&self) -> bool {
        let is_origin = |change: &UpgradeChange| {
            matches!(change, UpgradeChange::OwnOrigin(_) | UpgradeChange::ForeignOrigin(_))
        };
        self.variants.iter().any(|variant| is_origin(&variant.change))
    }

    /// The first changed upgrade that was accepted after the plain one had been refused.
    pub fn accepted_variant(&self) -> Option<&UpgradeVariant> {
        let was_refused = matches!(self.upgrade, Some(Err(_)));
        self.variants.iter().find(|variant| was_refused && variant.outcome.is_ok())
    }

    /// The response headers that reveal the hops, also of a refusal.
    pub fn hop_headers(&self) -> &[(String, UntrustedText)] {
        match &self.upgrade {
            Some(Ok(info)) => &info.headers,
            Some(Err(error)) => error.refusal.as_ref().map_or(&[], |refusal| &refusal.headers),
            None => &[],
        }
    }
}

/// Where the addresses come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// The URL or an option gives them; nothing was looked up.
    Given,
    /// The resolver answered.
    Answered { name: String, took: Duration },
    /// It did not, or has no such name.
    Failed(Arc<ConnectError>),
}

/// An upgrade with something changed.
#[derive(Debug, Clone)]
pub struct UpgradeVariant {
    pub change: UpgradeChange,
    pub outcome: Result<Arc<ConnectInfo>, Arc<ConnectError>>,
}

/// What was changed in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UpgradeChange {
    /// The origin of a page of the same server.
    OwnOrigin(String),
    /// The origin of a page of another server.
    ForeignOrigin(String),
    /// The request was that of a browser, for a page of the same server.
    Browser,
    /// Only this part of a browser's request was added.
    PartOfBrowser(BrowserPart),
    /// HTTP/1.1 was used instead of the HTTP/2 that an option demands.
    Http1,
    /// HTTP/2 was used instead of HTTP/1.1, as browsers do where they have such a connection.
    Http2,
    /// The certificate was not verified, so that the rest could be measured.
    WithoutVerification,
    /// These subprotocols were offered.
    Subprotocols(Vec<String>),
}

/// A part of what browsers send and other clients do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum BrowserPart {
    /// The offer of permessage-deflate.
    Compression,
    /// The Origin header.
    Origin,
    /// The User-Agent header.
    UserAgent,
    /// The Sec-Fetch headers.
    SecFetch,
    /// The Accept headers.
    Accept,
    /// The Pragma and Cache-Control headers.
    CacheControl,
}

/// What came of a Ping between the fragments of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FragmentsOutcome {
    /// Both were answered, or the Ping was and the server needs no answer.
    Answered,
    /// The Ping was not answered in time.
    PingUnanswered { waited: Duration },
    /// The connection ended: how, as a fragment.
    Ended(String),
    /// Nothing was sent: why.
    NotTried(&'static str),
}
