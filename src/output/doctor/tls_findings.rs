//! What the findings of TLS say, what to do, and their data: the only place of these sentences.

use std::time::Duration;

use serde_json::Value;

use crate::domain::connection::tls_inspection::{
    ClientCertificateReaction, ClientCertificateRequest, KeyAlgorithm, KeyFacts, RootSource, TlsVersion,
};
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::doctor::tls::{
    CertificateName, IncompleteEvidence, ListedNames, NameMismatch, TlsFinding, UnknownIssuerReason,
};
use crate::domain::format::{self, counted};
use crate::domain::label::Label;
use crate::output::view::Explanation;

/// What a finding says, what to do, and its data.
pub fn explanation(finding: &TlsFinding) -> Explanation {
    match finding {
        TlsFinding::TlsOk { version, cipher, alpn } => tls_ok(*version, cipher, alpn.as_ref()),
        TlsFinding::TlsVersionOld { version } => version_old(*version),
        TlsFinding::TlsHttp1Refused { chosen } => http1_refused(chosen.as_ref()),
        TlsFinding::TlsSignatureRejected { cause } => {
            Explanation::new(format!("clients refuse the server's signature in the TLS handshake: {cause}"))
                .remedy("check that certificate and key belong together, and issue both anew")
        }
        TlsFinding::CertificateOk { subject, issuer, names, days_left, chain_days_left } => {
            certificate_ok(subject.as_ref(), issuer.as_ref(), names, *days_left, *chain_days_left)
        }
        TlsFinding::CertificateUnchecked => Explanation::new("the certificate was not checked (--insecure)")
            .remedy("run it without --insecure to see whether clients trust it"),
        TlsFinding::CertificateExpired { certificate, ago, trusted_here } => {
            expired(certificate, *ago, *trusted_here)
        }
        TlsFinding::CertificateNotYetValid { certificate, wait } => not_yet_valid(certificate, *wait),
        TlsFinding::CertificateExpiresSoon { certificate, left, lifetime, .. } => {
            expires_soon(certificate, *left, *lifetime)
        }
        TlsFinding::CertificateWrongName { asked, names, mismatch } => wrong_name(asked, names, mismatch),
        TlsFinding::CertificateChainIncomplete { .. } => chain_incomplete(finding),
        TlsFinding::CertificateUnknownIssuer { issuer, reason, roots, inspector } => {
            unknown_issuer(issuer.as_ref(), reason, *roots, *inspector)
        }
        TlsFinding::CertificatePrivateIssuer { issuer, inspector } => {
            private_issuer(issuer.as_ref(), *inspector)
        }
        TlsFinding::CertificateChainDisordered { sent } => disordered(*sent),
        TlsFinding::CertificateKeyWeak { certificate, key } => key_weak(certificate, key),
        TlsFinding::CertificateKeyUncommon { certificate, key } => key_uncommon(certificate, key),
        TlsFinding::CertificateSignatureWeak { certificate, algorithm } => {
            signature_weak(certificate, algorithm)
        }
        TlsFinding::CertificateRevoked => {
            Explanation::new("the issuer revoked the certificate").remedy(REISSUE)
        }
        TlsFinding::CertificateRejected { cause } => {
            Explanation::new(format!("clients refuse the certificate: {cause}")).remedy(REISSUE)
        }
        TlsFinding::ClientCertificateAsked { request } => client_certificate_asked(request),
        TlsFinding::ClientCertificateRequired { alert, request } => {
            client_certificate_required(alert, request)
        }
        TlsFinding::ClientCertificateRefused { alert, request } => client_certificate_refused(alert, request),
    }
}

const REISSUE: &str = "have the certificate issued anew, install it, and reload the server";

fn text(value: Option<&UntrustedText>) -> Value {
    value.map_or(Value::Null, |text| text.as_str().into())
}

fn texts(values: &[UntrustedText]) -> Value {
    values.iter().map(UntrustedText::as_str).collect()
}

/// A span in days from two days on.
fn span(span: Duration) -> String {
    match span.as_secs() / (24 * 60 * 60) {
        0 | 1 => format::duration(Duration::from_secs(span.as_secs())),
        days => counted(days, "day"),
    }
}

/// `the certificate` of the leaf, else `the intermediate certificate "R3"`.
fn named(certificate: &CertificateName) -> String {
    match (certificate.position, &certificate.subject) {
        (0, _) => "the certificate".to_string(),
        (_, Some(subject)) => format!("the intermediate certificate \"{subject}\""),
        (_, None) => "an intermediate certificate".to_string(),
    }
}

fn about(explanation: Explanation, certificate: &CertificateName) -> Explanation {
    explanation.with("certificate", certificate.position).with("subject", text(certificate.subject.as_ref()))
}

fn tls_ok(version: TlsVersion, cipher: &str, alpn: Option<&UntrustedText>) -> Explanation {
    let protocol = alpn.map_or("no ALPN".to_string(), |name| format!("ALPN {name}"));
    Explanation::new(format!("{} with {cipher}, {protocol}", version.name()))
        .with("version", version.name())
        .with("cipher", cipher)
        .with("alpn", text(alpn))
}

fn version_old(version: TlsVersion) -> Explanation {
    let name = version.name();
    Explanation::new(format!("the server chose {name} although TLS 1.3 was offered"))
        .remedy(
            "TLS 1.2 is safe, but TLS 1.3 connects with one round trip less; nginx: ssl_protocols TLSv1.2 TLSv1.3; \
             Apache: SSLProtocol -all +TLSv1.2 +TLSv1.3; HAProxy: ssl-max-ver TLSv1.3",
        )
        .with("version", name)
}

fn http1_refused(chosen: Option<&UntrustedText>) -> Explanation {
    let instead = chosen.map_or("no protocol".to_string(), |name| format!("\"{name}\""));
    Explanation::new(format!(
        "the server does not take HTTP/1.1, which WebSocket clients ask for by ALPN: it chose {instead} when offered \
         HTTP/2, too"
    ))
    .remedy(
        "allow http/1.1 on this port; HAProxy: alpn h2,http/1.1 on the bind line; nginx and Apache allow it \
         by default",
    )
    .with("alpn", text(chosen))
}

fn certificate_ok(
    subject: Option<&UntrustedText>,
    issuer: Option<&UntrustedText>,
    names: &ListedNames,
    days_left: i64,
    chain_days_left: i64,
) -> Explanation {
    let from = issuer.map(|issuer| format!(" by {issuer}")).unwrap_or_default();
    let left = counted(u64::try_from(days_left).unwrap_or(0), "day");
    let chain = if chain_days_left < days_left {
        let left = counted(u64::try_from(chain_days_left).unwrap_or(0), "day");
        format!(" (an intermediate certificate: {left})")
    } else {
        String::new()
    };
    let message = format!("the certificate{from} is trusted, covers the name and is valid for {left}{chain}");
    with_names(Explanation::new(message), names)
        .with("subject", text(subject))
        .with("issuer", text(issuer))
        .with("days_left", days_left)
        .with("chain_days_left", chain_days_left)
}

fn with_names(explanation: Explanation, names: &ListedNames) -> Explanation {
    explanation.with("names", texts(&names.listed)).with("more_names", names.more)
}

fn expired(certificate: &CertificateName, ago: Duration, trusted_here: bool) -> Explanation {
    let (what, since) = (named(certificate), span(ago));
    let but = if trusted_here { ", but this machine trusts another issuer of the chain" } else { "" };
    let remedy = if certificate.position == 0 {
        "renew it, reload the server (it keeps the old one until then), and check that renewal runs by itself"
    } else {
        "install the issuer's current chain in its place, and reload the server"
    };
    about(Explanation::new(format!("{what} expired {since} ago{but}")).remedy(remedy), certificate)
        .with_duration("expired", ago)
        .with("trusted_here", trusted_here)
}

fn not_yet_valid(certificate: &CertificateName, wait: Duration) -> Explanation {
    let message = format!("{} becomes valid only in {}", named(certificate), span(wait));
    let remedy = "check this machine's clock; if it is right, install a certificate that is valid now";
    about(Explanation::new(message).remedy(remedy), certificate).with_duration("valid_in", wait)
}

fn expires_soon(certificate: &CertificateName, left: Duration, lifetime: Duration) -> Explanation {
    let (what, left_for, of) = (named(certificate), span(left), span(lifetime));
    let remedy = "renew it now, reload the server, and check why renewal has not run";
    about(Explanation::new(format!("{what} expires in {left_for} (of {of})")).remedy(remedy), certificate)
        .with_duration("left", left)
        .with_duration("lifetime", lifetime)
}

fn wrong_name(asked: &str, names: &ListedNames, mismatch: &NameMismatch) -> Explanation {
    let listed: Vec<_> = names.listed.iter().map(UntrustedText::as_str).collect();
    let more = if names.more > 0 { format!(" and {} more", names.more) } else { String::new() };
    let covers = match mismatch {
        NameMismatch::CommonNameOnly => {
            "has no subjectAltName, and clients ignore its common name".to_string()
        }
        NameMismatch::DefaultOf(product) => {
            format!("is the one that {product} presents where none is configured for the name")
        }
        NameMismatch::Wildcard(wildcard) => {
            format!("is for {}{more}; {wildcard} covers exactly one label", listed.join(", "))
        }
        NameMismatch::Other => format!("is for {}{more}", listed.join(", ")),
    };
    let remedy = match mismatch {
        NameMismatch::DefaultOf(product) => format!("configure a certificate for {asked} in {product}"),
        NameMismatch::CommonNameOnly | NameMismatch::Wildcard(_) | NameMismatch::Other => format!(
            "have a certificate issued whose subjectAltName has {asked}, or correct the URL; if the server has one, it \
             does not choose it by SNI (nginx: server_name, Apache: ServerName, HAProxy: crt)"
        ),
    };
    let said = Explanation::new(format!("the certificate does not cover {asked}: it {covers}"));
    with_names(said.remedy(remedy), names).with("asked", asked).with("mismatch", mismatch.label())
}

const SEND_CHAIN: &str = "send the leaf and then the intermediate certificates in one file; nginx: ssl_certificate \
     fullchain.pem; Apache (2.4.8 or later): SSLCertificateFile fullchain.pem; HAProxy: the chain after the leaf in the \
     file of crt";

fn chain_incomplete(finding: &TlsFinding) -> Explanation {
    let TlsFinding::CertificateChainIncomplete {
        certificate,
        missing,
        evidence,
        issuer_url,
        sent,
        trusted_here,
    } = finding
    else {
        return Explanation::default();
    };
    let issuer = missing.as_ref().map_or("the issuer".to_string(), |name| format!("\"{name}\""));
    let count = counted(*sent as u64, "certificate");
    let why = match evidence {
        IncompleteEvidence::PublicCa => "a public CA issued it, and these use intermediate certificates",
        IncompleteEvidence::WrongCertificates => "the other certificates that it sends are not its issuer",
    };
    let here = if *trusted_here { "; this machine has the missing one, but other clients fail" } else { "" };
    let message = format!(
        "the certificate chain is incomplete: the server sends {count}, but not {issuer}, the issuer of {} ({why}){here}",
        named(certificate)
    );
    let url = issuer_url.as_ref().map(|url| format!("; the missing one is at {url}")).unwrap_or_default();
    about(Explanation::new(message).remedy(format!("{SEND_CHAIN}{url}")), certificate)
        .with("missing", text(missing.as_ref()))
        .with("evidence", evidence.label())
        .with("issuer_url", text(issuer_url.as_ref()))
        .with("sent", *sent)
        .with("trusted_here", *trusted_here)
}

fn unknown_issuer(
    issuer: Option<&UntrustedText>,
    reason: &UnknownIssuerReason,
    roots: RootSource,
    inspector: Option<&'static str>,
) -> Explanation {
    let store = match roots {
        RootSource::Custom => "the roots of --cacert",
        RootSource::System | RootSource::Unchecked => "this machine's roots",
    };
    let by = issuer.map(|issuer| format!(", \"{issuer}\",")).unwrap_or_default();
    let (message, remedy) = match reason {
        UnknownIssuerReason::SelfSigned => (
            format!("the certificate is self-signed, and {store} do not hold it"),
            "use a certificate of a CA that the clients trust, or give them this one (--cacert FILE)"
                .to_string(),
        ),
        UnknownIssuerReason::PublicRootMissing => (
            format!("{store} lack a public CA: the chain leads to one on Mozilla's list"),
            "update this machine's roots (package ca-certificates); the server is all right".to_string(),
        ),
        UnknownIssuerReason::UntrustedRoot(root) => (
            format!(
                "the server sends its whole chain, and {store} do not hold its root{}",
                quoted(root.as_ref())
            ),
            "give the clients that root (--cacert FILE), or use a certificate of a public CA".to_string(),
        ),
        UnknownIssuerReason::Undecided { issuer_url } => undecided(store, &by, issuer_url.as_ref()),
    };
    let inspected = inspector.map(|product| format!("; {}", inspected_by(product))).unwrap_or_default();
    Explanation::new(format!("{message}{inspected}"))
        .remedy(remedy)
        .with("issuer", text(issuer))
        .with("reason", reason.label())
        .with("inspector", inspector)
}

/// A name in quotes after a blank, if it is known.
fn quoted(name: Option<&UntrustedText>) -> String {
    name.map(|name| format!(" \"{name}\"")).unwrap_or_default()
}

fn undecided(store: &str, by: &str, issuer_url: Option<&UntrustedText>) -> (String, String) {
    let at = issuer_url.map(|url| format!(" (it is at {url})")).unwrap_or_default();
    let message = format!(
        "the issuer{by} is not sent{at}, and {store} do not hold it: an intermediate certificate is missing, or \
         the CA is not trusted here"
    );
    (
        message,
        format!("if it is an intermediate certificate: {SEND_CHAIN}; if it is a private root: --cacert FILE"),
    )
}

fn inspected_by(product: &str) -> String {
    format!("the issuer's name is that of {product}, which decrypts TLS on the path")
}

fn private_issuer(issuer: Option<&UntrustedText>, inspector: Option<&'static str>) -> Explanation {
    let by = issuer.map(|issuer| format!(", \"{issuer}\",")).unwrap_or_default();
    let which =
        inspector.map_or("a private CA, or a proxy that decrypts TLS on the path".to_string(), inspected_by);
    let message = format!(
        "the issuer{by} is not a public CA of Mozilla's list, though this machine trusts it: {which}"
    );
    let remedy = "if the server's own certificate is of a public CA, a proxy between here and the server decrypts TLS: \
                  it may cut or block WebSockets, and the findings are about it, too";
    Explanation::new(message).remedy(remedy).with("issuer", text(issuer)).with("inspector", inspector)
}

fn disordered(sent: usize) -> Explanation {
    Explanation::new(
        "the server sends its certificates in the wrong order, which some TLS 1.2 clients refuse",
    )
    .remedy(SEND_CHAIN)
    .with("sent", sent)
}

/// For example `RSA with 1024 bits`.
fn key_words(key: &KeyFacts) -> String {
    let name = match &key.algorithm {
        KeyAlgorithm::Rsa => "RSA".to_string(),
        KeyAlgorithm::Ecdsa(curve) => return format!("ECDSA {curve}"),
        KeyAlgorithm::Ed25519 => return "Ed25519".to_string(),
        KeyAlgorithm::Ed448 => return "Ed448".to_string(),
        KeyAlgorithm::Dsa => "DSA".to_string(),
        KeyAlgorithm::Other(oid) => format!("algorithm {oid}"),
    };
    key.bits.map_or(name.clone(), |bits| format!("{name} with {bits} bits"))
}

fn with_key(explanation: Explanation, certificate: &CertificateName, key: &KeyFacts) -> Explanation {
    about(explanation, certificate).with("key", key_words(key)).with("bits", key.bits)
}

fn key_weak(certificate: &CertificateName, key: &KeyFacts) -> Explanation {
    let message = format!("{} has a key that clients refuse: {}", named(certificate), key_words(key));
    let remedy = "have it issued anew with a key of ECDSA P-256 or of RSA with 2048 bits or more";
    with_key(Explanation::new(message).remedy(remedy), certificate, key)
}

fn key_uncommon(certificate: &CertificateName, key: &KeyFacts) -> Explanation {
    let what = named(certificate);
    let message = format!("{what} has a key that many clients do not accept: {}", key_words(key));
    let remedy =
        "use a key of ECDSA P-256 or P-384 or of RSA with 2048 to 4096 bits, unless you know all clients";
    with_key(Explanation::new(message).remedy(remedy), certificate, key)
}

fn signature_weak(certificate: &CertificateName, algorithm: &str) -> Explanation {
    let message = format!("{} has a signature that clients refuse: {algorithm}", named(certificate));
    about(Explanation::new(message).remedy("have it issued anew with a signature by SHA-256"), certificate)
        .with("algorithm", algorithm)
}

fn with_request(explanation: Explanation, request: &ClientCertificateRequest) -> Explanation {
    explanation
        .with("answered", request.answered)
        .with("accepted_issuers", texts(&request.issuers))
        .with("more_issuers", request.more_issuers)
}

/// The issuers that the server accepts, for a remedy.
fn of_issuers(request: &ClientCertificateRequest) -> String {
    let issuers: Vec<_> = request.issuers.iter().map(UntrustedText::as_str).collect();
    let more = if request.more_issuers > 0 { " or others" } else { "" };
    if issuers.is_empty() { String::new() } else { format!(" issued by {}{more}", issuers.join(" or ")) }
}

fn client_certificate_asked(request: &ClientCertificateRequest) -> Explanation {
    let sent = if request.answered { "one was sent" } else { "none was sent" };
    let (then, remedy) = match (&request.reaction, request.answered) {
        (ClientCertificateReaction::Accepted, true) => ("TLS accepted it", None),
        (ClientCertificateReaction::Accepted, false) => (
            "TLS went on without",
            Some(format!(
                "if the upgrade is refused, send one{}: --cert FILE --key FILE",
                of_issuers(request)
            )),
        ),
        (ClientCertificateReaction::Unknown | ClientCertificateReaction::Refused(_), _) => {
            ("whether TLS accepts that is not known", None)
        }
    };
    let said = Explanation::new(format!("the server asked for a client certificate; {sent}, and {then}"));
    with_request(Explanation { remedy, ..said }, request)
}

fn client_certificate_required(alert: &str, request: &ClientCertificateRequest) -> Explanation {
    let message = format!("the server refuses clients without a certificate (TLS alert {alert})");
    let remedy = format!(
        "send a client certificate{}: --cert FILE --key FILE; to let clients in without, nginx: ssl_verify_client \
         optional, Apache: SSLVerifyClient optional, HAProxy: verify optional",
        of_issuers(request)
    );
    with_request(Explanation::new(message).remedy(remedy), request).with("alert", alert)
}

fn client_certificate_refused(alert: &str, request: &ClientCertificateRequest) -> Explanation {
    let message = format!("the server refused our client certificate (TLS alert {alert})");
    let remedy = format!(
        "check that the certificate is valid and{}, and that --cert holds its intermediate certificates",
        match of_issuers(request) {
            of if of.is_empty() => " of an issuer that the server accepts".to_string(),
            of => of,
        }
    );
    with_request(Explanation::new(message).remedy(remedy), request).with("alert", alert)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 60 * 60);

    fn text(text: &str) -> UntrustedText {
        UntrustedText::new(text)
    }

    fn leaf() -> CertificateName {
        CertificateName { position: 0, subject: Some(text("a.example")) }
    }

    fn request(issuers: &[&str], reaction: ClientCertificateReaction) -> ClientCertificateRequest {
        let issuers = issuers.iter().map(|issuer| text(issuer)).collect();
        ClientCertificateRequest { issuers, more_issuers: 0, answered: false, reaction }
    }

    #[test]
    fn incomplete_chain_names_the_change() {
        let said = explanation(&TlsFinding::CertificateChainIncomplete {
            certificate: leaf(),
            missing: Some(text("R11")),
            evidence: IncompleteEvidence::PublicCa,
            issuer_url: Some(text("http://r11.i.example/")),
            sent: 1,
            trusted_here: false,
        });
        assert_eq!(
            said.message,
            "the certificate chain is incomplete: the server sends 1 certificate, but not \"R11\", the issuer of the \
             certificate (a public CA issued it, and these use intermediate certificates)"
        );
        let remedy = said.remedy.unwrap();
        for part in
            ["ssl_certificate fullchain.pem", "SSLCertificateFile", "file of crt", "http://r11.i.example/"]
        {
            assert!(remedy.contains(part), "{remedy}");
        }
        assert_eq!(said.data["evidence"], "public_ca");
    }

    #[test]
    fn expiry_is_counted_in_days() {
        let soon = |left| {
            let finding = TlsFinding::CertificateExpiresSoon {
                certificate: leaf(),
                left,
                lifetime: 90 * DAY,
                urgent: false,
            };
            explanation(&finding).message
        };
        assert_eq!(soon(20 * DAY + DAY / 2), "the certificate expires in 20 days (of 90 days)");
        assert_eq!(soon(DAY / 2), "the certificate expires in 12h (of 90 days)");
        let intermediate = CertificateName { position: 1, subject: Some(text("R3")) };
        let finding =
            TlsFinding::CertificateExpired { certificate: intermediate, ago: 3 * DAY, trusted_here: false };
        let said = explanation(&finding);
        assert_eq!(said.message, "the intermediate certificate \"R3\" expired 3 days ago");
        assert_eq!(said.data["expired_ms"].as_f64(), Some(259_200_000.0));
    }

    #[test]
    fn wrong_name_says_why() {
        let wrong = |names: &[&str], mismatch| {
            let listed = names.iter().map(|name| text(name)).collect();
            let names = ListedNames { listed, more: 0 };
            explanation(&TlsFinding::CertificateWrongName { asked: "a.b.example".into(), names, mismatch })
                .message
        };
        assert_eq!(
            wrong(&["b.example", "c.example"], NameMismatch::Other),
            "the certificate does not cover a.b.example: it is for b.example, c.example"
        );
        assert_eq!(
            wrong(&["*.example"], NameMismatch::Wildcard(text("*.example"))),
            "the certificate does not cover a.b.example: it is for *.example; *.example covers exactly one label"
        );
        assert_eq!(
            wrong(&[], NameMismatch::CommonNameOnly),
            "the certificate does not cover a.b.example: it has no subjectAltName, and clients ignore its common name"
        );
    }

    #[test]
    fn unknown_issuer_claims_no_more_than_is_known() {
        let unknown = |reason, inspector| {
            let issuer = Some(text("Corp CA"));
            let roots = RootSource::System;
            explanation(&TlsFinding::CertificateUnknownIssuer { issuer, reason, roots, inspector })
        };
        let said = unknown(UnknownIssuerReason::Undecided { issuer_url: None }, None);
        assert_eq!(
            said.message,
            "the issuer, \"Corp CA\", is not sent, and this machine's roots do not hold it: an intermediate certificate \
             is missing, or the CA is not trusted here"
        );
        let said = unknown(UnknownIssuerReason::UntrustedRoot(Some(text("Corp CA"))), Some("mitmproxy"));
        assert_eq!(
            said.message,
            "the server sends its whole chain, and this machine's roots do not hold its root \"Corp CA\"; the issuer's \
             name is that of mitmproxy, which decrypts TLS on the path"
        );
    }

    #[test]
    fn client_certificate_sentences_follow_the_reaction() {
        let asked = |reaction| {
            explanation(&TlsFinding::ClientCertificateAsked { request: request(&["Clients"], reaction) })
        };
        let said = asked(ClientCertificateReaction::Accepted);
        assert_eq!(
            said.line(),
            "the server asked for a client certificate; none was sent, and TLS went on without; if the upgrade is \
             refused, send one issued by Clients: --cert FILE --key FILE"
        );
        assert_eq!(asked(ClientCertificateReaction::Unknown).remedy, None);
        let alert = "certificate_required".to_string();
        let refused = request(&["Clients"], ClientCertificateReaction::Refused(alert.clone()));
        let said = explanation(&TlsFinding::ClientCertificateRequired { alert, request: refused });
        assert_eq!(
            said.message,
            "the server refuses clients without a certificate (TLS alert certificate_required)"
        );
        assert!(said.remedy.unwrap().starts_with("send a client certificate issued by Clients: --cert FILE"));
    }

    #[test]
    fn keys_are_named() {
        let rsa = KeyFacts { algorithm: KeyAlgorithm::Rsa, bits: Some(1024) };
        let said = explanation(&TlsFinding::CertificateKeyWeak { certificate: leaf(), key: rsa });
        assert_eq!(said.message, "the certificate has a key that clients refuse: RSA with 1024 bits");
        let key = KeyFacts { algorithm: KeyAlgorithm::Ecdsa("P-521".into()), bits: Some(521) };
        let said = explanation(&TlsFinding::CertificateKeyUncommon { certificate: leaf(), key });
        assert_eq!(said.message, "the certificate has a key that many clients do not accept: ECDSA P-521");
    }
}
