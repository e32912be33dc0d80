//! What a TLS handshake with a server shows: the protocol, the certificates that it sends, whether this machine trusts
//! them, and whether it asks for a client certificate. The verdict on the certificates is part of it, not an error.

use super::connect_info::FailureKind;
use super::untrusted_text::UntrustedText;

/// The most certificates of a chain that are read.
pub const MAX_CERTIFICATES: usize = 16;
/// The most names of a certificate that are kept.
pub const MAX_NAMES: usize = 100;
/// The most issuers that a server accepts for client certificates that are kept.
pub const MAX_CLIENT_ISSUERS: usize = 16;

/// The result of one TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsInspection {
    /// The TLS version; `None` if the server refused before it was known.
    pub version: Option<TlsVersion>,
    /// The cipher suite's IANA name; `None` if the handshake did not end.
    pub cipher: Option<String>,
    pub alpn: AlpnResult,
    /// The name that was asked for by SNI and that the certificate must cover.
    pub asked_name: String,
    /// Whether the leaf covers the asked name, by RFC 9525; `None` if the leaf is not readable.
    pub covers_asked_name: Option<bool>,
    /// The certificates in the order in which the server sent them, from the leaf on, up to the first that is not
    /// readable and at most [`MAX_CERTIFICATES`].
    pub chain: Vec<CertificateFacts>,
    /// How many certificates the server sent.
    pub sent: usize,
    /// The roots that `trust` rests on.
    pub roots: RootSource,
    /// The verdict on the certificates.
    pub trust: Trust,
    /// Whether Mozilla's list of public roots, as compiled into wscheck, verifies the chain; `None` if another fault
    /// of the chain hides it.
    pub leads_to_public_root: Option<bool>,
    /// Why clients do not accept the server's signature in the handshake; `None` if it was accepted.
    pub signature_fault: Option<String>,
    pub client_certificate: ClientCertificate,
    /// When the handshake ran, in seconds since the Unix epoch.
    pub inspected_at: i64,
}

impl TlsInspection {
    /// The server's own certificate.
    pub fn leaf(&self) -> Option<&CertificateFacts> {
        self.chain.first()
    }

    /// Whether every certificate that the server sent is in `chain`.
    pub fn is_whole(&self) -> bool {
        self.chain.len() == self.sent
    }

    /// The positions of the certificates that lead from the leaf to its last issuer that was sent.
    pub fn path(&self) -> Vec<usize> {
        let mut path: Vec<usize> = Vec::new();
        let mut next = (!self.chain.is_empty()).then_some(0);
        while let Some(position) = next.filter(|position| !path.contains(position)) {
            path.push(position);
            next = self.chain.get(position).and_then(|certificate| certificate.issuer_position);
        }
        path
    }
}

/// The TLS versions that wscheck speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsVersion {
    Tls12,
    Tls13,
}

impl TlsVersion {
    /// For example `TLS 1.3`.
    pub fn name(self) -> &'static str {
        match self {
            TlsVersion::Tls12 => "TLS 1.2",
            TlsVersion::Tls13 => "TLS 1.3",
        }
    }
}

/// The negotiation of the application protocol (RFC 7301).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlpnResult {
    pub offered: Vec<String>,
    /// What the server chose; `None` if it ignored the offer.
    pub chosen: Option<UntrustedText>,
    /// The server refused an offer of `http/1.1` alone, or chose another protocol; a second handshake offered `h2`, too.
    pub refused_http1: bool,
}

/// Where the trusted roots are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RootSource {
    /// This machine.
    #[default]
    System,
    /// Files that the user named.
    Custom,
    /// None: the user skipped the check.
    Unchecked,
}

/// The verdict on the certificates, by [`RootSource`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    Trusted,
    Distrusted(Distrust),
    /// The user skipped the check.
    Unchecked,
}

/// Why the certificates are not trusted. TLS libraries name the first reason that they find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distrust {
    pub kind: FailureKind,
    /// A lower-case fragment: `certificate expired 3 days ago`.
    pub cause: String,
}

/// One certificate that the server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The common name, or the first of `names`, or the organization.
    pub subject: Option<UntrustedText>,
    /// The subject's common name.
    pub common_name: Option<UntrustedText>,
    /// The issuer's common name, or its organization.
    pub issuer: Option<UntrustedText>,
    /// The DNS names and IP addresses it is valid for, at most [`MAX_NAMES`].
    pub names: Vec<UntrustedText>,
    /// Number of further names.
    pub more_names: usize,
    /// Seconds since the Unix epoch.
    pub not_before: i64,
    /// Seconds since the Unix epoch.
    pub not_after: i64,
    pub key: KeyFacts,
    pub signature: SignatureFacts,
    /// Issuer and subject are the same, as of a root or a self-signed certificate.
    pub is_self_issued: bool,
    /// It may issue certificates (RFC 5280 section 4.2.1.9).
    pub is_ca: bool,
    /// The HTTP URL of its issuer's certificate (caIssuers, RFC 5280 section 4.2.2.1).
    pub issuer_url: Option<UntrustedText>,
    /// It holds timestamps of Certificate Transparency logs (RFC 6962 section 3.3). Logs accept certificates of public
    /// CAs only.
    pub has_log_timestamps: bool,
    /// The position of the sent certificate that can have issued it, by names and key identifiers; `None` if it was not
    /// sent or the certificate issued itself.
    pub issuer_position: Option<usize>,
}

const DAY: i64 = 24 * 60 * 60;

impl CertificateFacts {
    /// Whole days until it expires at `now` (seconds since the Unix epoch). Negative once expired: whole days since
    /// then, -1 on the first day.
    pub fn days_left(&self, now: i64) -> i64 {
        match self.not_after.saturating_sub(now) {
            left @ 0.. => left / DAY,
            past => (past / DAY).min(-1),
        }
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    pub algorithm: KeyAlgorithm,
    /// The length of RSA's and DSA's modulus, or of the curve's field; `None` for unknown algorithms.
    pub bits: Option<u32>,
}

/// The algorithm of a public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyAlgorithm {
    Rsa,
    /// ECDSA, with the name of the curve or its object identifier.
    Ecdsa(String),
    Ed25519,
    Ed448,
    Dsa,
    /// Another one, by its object identifier.
    Other(String),
}

/// The algorithm by which an issuer signed a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureFacts {
    /// For example `SHA-256 with RSA`, or an object identifier.
    pub algorithm: String,
    /// The hash is one that can be forged: MD2, MD4, MD5 or SHA-1.
    pub is_forgeable: bool,
}

/// Whether the server asked for a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificate {
    NotAsked,
    Asked(ClientCertificateRequest),
}

/// The server's request for a client certificate, and what it did about our answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateRequest {
    /// The names of the issuers that the server accepts, at most [`MAX_CLIENT_ISSUERS`]; it need not name any.
    pub issuers: Vec<UntrustedText>,
    /// Number of further issuers.
    pub more_issuers: usize,
    /// We sent a certificate.
    pub answered: bool,
    pub reaction: ClientCertificateReaction,
}

/// What the server did after our answer to its request for a client certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientCertificateReaction {
    /// TLS was established and ended in order. The server may still refuse over HTTP, as nginx does (status 400).
    Accepted,
    /// It ended TLS by this alert (IANA name).
    Refused(String),
    /// In TLS 1.3 the server's verdict follows our end of the handshake, and neither an alert nor an orderly end came.
    Unknown,
}
