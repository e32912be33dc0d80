//! Reads what the certificates of a chain say.

use std::net::IpAddr;

use rustls::pki_types::CertificateDer;
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{AuthorityInfoAccess, GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AlgorithmIdentifier, SubjectPublicKeyInfo, X509Name};

use crate::domain::connection::tls_inspection::{
    CertificateFacts, KeyAlgorithm, KeyFacts, MAX_CERTIFICATES, MAX_NAMES, SignatureFacts,
};
use crate::domain::connection::untrusted_text::UntrustedText;

/// Reads a chain up to its first malformed certificate, at most [`MAX_CERTIFICATES`].
pub fn read_chain(sent: &[CertificateDer<'_>]) -> Vec<CertificateFacts> {
    let parse = |der| x509_parser::parse_x509_certificate(der).map(|(_, certificate)| certificate).ok();
    let readable = sent.iter().take(MAX_CERTIFICATES).map_while(|der| parse(der));
    let chain: Vec<X509Certificate<'_>> = readable.collect();
    let positions: Vec<_> = (0..chain.len()).map(|position| issuer_position(&chain, position)).collect();
    chain
        .iter()
        .zip(positions)
        .map(|(certificate, issuer_position)| CertificateFacts { issuer_position, ..facts(certificate) })
        .collect()
}

/// The name of a distinguished name in DER: its common name or organization.
pub fn distinguished_name(der: &[u8]) -> Option<UntrustedText> {
    let (_, name) = X509Name::from_der(der).ok()?;
    common_name(&name).or_else(|| organization(&name))
}

/// What one certificate says, without its place in a chain.
fn facts(certificate: &X509Certificate<'_>) -> CertificateFacts {
    let mut names = names(certificate);
    let more_names = names.len().saturating_sub(MAX_NAMES);
    names.truncate(MAX_NAMES);
    let (subject, issuer) = (certificate.subject(), certificate.issuer());
    CertificateFacts {
        subject: common_name(subject).or_else(|| names.first().cloned()).or_else(|| organization(subject)),
        common_name: common_name(subject),
        issuer: common_name(issuer).or_else(|| organization(issuer)),
        names,
        more_names,
        not_before: certificate.validity().not_before.timestamp(),
        not_after: certificate.validity().not_after.timestamp(),
        key: key(certificate.public_key()),
        signature: signature(&certificate.signature_algorithm),
        is_self_issued: is_self_issued(certificate),
        is_ca: certificate.is_ca(),
        issuer_url: extensions(certificate).find_map(issuer_url),
        has_log_timestamps: extensions(certificate)
            .any(|extension| matches!(extension, ParsedExtension::SCT(_))),
        issuer_position: None,
    }
}

/// The first common name of a distinguished name.
fn common_name(name: &X509Name<'_>) -> Option<UntrustedText> {
    name.iter_common_name().find_map(|attribute| attribute.as_str().ok()).map(UntrustedText::new)
}

/// The first organization of a distinguished name.
fn organization(name: &X509Name<'_>) -> Option<UntrustedText> {
    name.iter_organization().find_map(|attribute| attribute.as_str().ok()).map(UntrustedText::new)
}

/// The DNS names and IP addresses of a certificate's subjectAltName.
fn names(certificate: &X509Certificate<'_>) -> Vec<UntrustedText> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    extension.value.general_names.iter().filter_map(shown).collect()
}

fn shown(name: &GeneralName<'_>) -> Option<UntrustedText> {
    match name {
        GeneralName::DNSName(name) => Some(UntrustedText::new(name)),
        GeneralName::IPAddress(bytes) => ip(bytes).map(|ip| UntrustedText::new(&ip.to_string())),
        _ => None,
    }
}

fn ip(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

fn is_self_issued(certificate: &X509Certificate<'_>) -> bool {
    certificate.subject().as_raw() == certificate.issuer().as_raw()
}

fn extensions<'a>(certificate: &'a X509Certificate<'a>) -> impl Iterator<Item = &'a ParsedExtension<'a>> {
    certificate.iter_extensions().map(|extension| extension.parsed_extension())
}

/// The first sent certificate that bears the issuer's name and, where both state one, its key identifier (RFC 5280
/// section 4.2.1.1).
fn issuer_position(chain: &[X509Certificate<'_>], position: usize) -> Option<usize> {
    let certificate = chain.get(position).filter(|certificate| !is_self_issued(certificate))?;
    let wanted = authority_key(certificate);
    chain.iter().enumerate().position(|(other, candidate)| {
        let differs = matches!((wanted, subject_key(candidate)), (Some(a), Some(b)) if a != b);
        other != position && candidate.subject().as_raw() == certificate.issuer().as_raw() && !differs
    })
}

fn authority_key<'a>(certificate: &'a X509Certificate<'a>) -> Option<&'a [u8]> {
    extensions(certificate).find_map(|extension| match extension {
        ParsedExtension::AuthorityKeyIdentifier(authority) => {
            authority.key_identifier.as_ref().map(|key| key.0)
        }
        _ => None,
    })
}

fn subject_key<'a>(certificate: &'a X509Certificate<'a>) -> Option<&'a [u8]> {
    extensions(certificate).find_map(|extension| match extension {
        ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0),
        _ => None,
    })
}

/// The object identifier of caIssuers (RFC 5280 section 4.2.2.1).
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

fn issuer_url(extension: &ParsedExtension<'_>) -> Option<UntrustedText> {
    let ParsedExtension::AuthorityInfoAccess(AuthorityInfoAccess { accessdescs }) = extension else {
        return None;
    };
    accessdescs.iter().find_map(|access| match &access.access_location {
        GeneralName::URI(url) if access.access_method.to_id_string() == CA_ISSUERS => {
            url.to_ascii_lowercase().starts_with("http").then(|| UntrustedText::new(url))
        }
        _ => None,
    })
}

/// Elliptic curves by object identifier (RFC 5480 section 2.1.1.1, SEC 2), with the bits of their fields.
const CURVES: &[(&str, &str, u32)] = &[
    ("1.2.840.10045.3.1.1", "P-192", 192),
    ("1.3.132.0.33", "P-224", 224),
    ("1.2.840.10045.3.1.7", "P-256", 256),
    ("1.3.132.0.34", "P-384", 384),
    ("1.3.132.0.35", "P-521", 521),
    ("1.3.132.0.10", "secp256k1", 256),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1", 256),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1", 384),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1", 512),
];

/// Algorithms of public keys by object identifier (RFC 3279, RFC 8017, RFC 8410).
fn key(public_key: &SubjectPublicKeyInfo<'_>) -> KeyFacts {
    match public_key.algorithm.algorithm.to_id_string().as_str() {
        "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => {
            KeyFacts { algorithm: KeyAlgorithm::Rsa, bits: modulus_bits(public_key) }
        }
        "1.2.840.10045.2.1" => curve(&public_key.algorithm),
        "1.3.101.112" => KeyFacts { algorithm: KeyAlgorithm::Ed25519, bits: Some(255) },
        "1.3.101.113" => KeyFacts { algorithm: KeyAlgorithm::Ed448, bits: Some(448) },
        "1.2.840.10040.4.1" => KeyFacts { algorithm: KeyAlgorithm::Dsa, bits: None },
        other => KeyFacts { algorithm: KeyAlgorithm::Other(other.to_string()), bits: None },
    }
}

fn curve(algorithm: &AlgorithmIdentifier<'_>) -> KeyFacts {
    let oid = algorithm.parameters.as_ref().and_then(|parameters| Oid::try_from(parameters).ok());
    let oid = oid.map(|oid| oid.to_id_string()).unwrap_or_default();
    match CURVES.iter().find(|(known, ..)| *known == oid) {
        Some((_, name, bits)) => {
            KeyFacts { algorithm: KeyAlgorithm::Ecdsa((*name).to_string()), bits: Some(*bits) }
        }
        None => KeyFacts { algorithm: KeyAlgorithm::Ecdsa(oid), bits: None },
    }
}

/// The length of an RSA modulus, without the leading zeros of its encoding.
fn modulus_bits(public_key: &SubjectPublicKeyInfo<'_>) -> Option<u32> {
    let Ok(PublicKey::RSA(rsa)) = public_key.parsed() else { return None };
    let first = rsa.modulus.iter().position(|byte| *byte != 0)?;
    let significant = &rsa.modulus[first..];
    let bits = significant.len().checked_mul(8)?;
    u32::try_from(bits).ok()?.checked_sub(significant[0].leading_zeros())
}

/// Signature algorithms by object identifier (RFC 3279, RFC 5758, RFC 8017, RFC 8410), and whether their hash is one
/// whose collisions can be made (RFC 6151 for MD5, RFC 9155 for SHA-1).
const SIGNATURES: &[(&str, &str, bool)] = &[
    ("1.2.840.113549.1.1.2", "MD2 with RSA", true),
    ("1.2.840.113549.1.1.3", "MD4 with RSA", true),
    ("1.2.840.113549.1.1.4", "MD5 with RSA", true),
    ("1.2.840.113549.1.1.5", "SHA-1 with RSA", true),
    ("1.3.14.3.2.29", "SHA-1 with RSA", true),
    ("1.2.840.10040.4.3", "SHA-1 with DSA", true),
    ("1.2.840.10045.4.1", "SHA-1 with ECDSA", true),
    ("1.2.840.113549.1.1.14", "SHA-224 with RSA", false),
    ("1.2.840.113549.1.1.11", "SHA-256 with RSA", false),
    ("1.2.840.113549.1.1.12", "SHA-384 with RSA", false),
    ("1.2.840.113549.1.1.13", "SHA-512 with RSA", false),
    ("1.2.840.113549.1.1.10", "RSASSA-PSS", false),
    ("1.2.840.10045.4.3.1", "SHA-224 with ECDSA", false),
    ("1.2.840.10045.4.3.2", "SHA-256 with ECDSA", false),
    ("1.2.840.10045.4.3.3", "SHA-384 with ECDSA", false),
    ("1.2.840.10045.4.3.4", "SHA-512 with ECDSA", false),
    ("1.3.101.112", "Ed25519", false),
    ("1.3.101.113", "Ed448", false),
];

fn signature(algorithm: &AlgorithmIdentifier<'_>) -> SignatureFacts {
    let oid = algorithm.algorithm.to_id_string();
    match SIGNATURES.iter().find(|(known, ..)| *known == oid) {
        Some((_, name, is_forgeable)) => {
            SignatureFacts { algorithm: (*name).to_string(), is_forgeable: *is_forgeable }
        }
        None => SignatureFacts { algorithm: oid, is_forgeable: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rustls::pki_types::pem::PemObject;

    fn fixture() -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(include_bytes!("fixtures/rsa_1024.pem")).unwrap()
    }

    #[test]
    fn certificate_of_openssl_is_read() {
        let chain = read_chain(&[fixture()]);
        let [certificate] = chain.as_slice() else { panic!("{chain:?}") };
        assert_eq!(certificate.key, KeyFacts { algorithm: KeyAlgorithm::Rsa, bits: Some(1024) });
        assert_eq!(certificate.signature.algorithm, "SHA-256 with RSA");
        assert_eq!(certificate.issuer.as_ref().unwrap().as_str(), "Fixture Root");
        assert_eq!(certificate.issuer_url.as_ref().unwrap().as_str(), "http://ca.example/issuer.der");
        assert!(!certificate.is_self_issued && !certificate.has_log_timestamps);
        assert_eq!(certificate.issuer_position, None);
    }

    #[test]
    fn chain_is_read_up_to_a_malformed_certificate() {
        let broken = CertificateDer::from(vec![0x30, 1, 2]);
        assert_eq!(read_chain(&[fixture(), broken.clone(), fixture()]).len(), 1);
        assert!(read_chain(&[broken, fixture()]).is_empty());
        assert_eq!(read_chain(&vec![fixture(); 100]).len(), MAX_CERTIFICATES);
    }

    #[test]
    fn names_are_bounded() {
        let names: Vec<_> = (0..150).map(|number| format!("{number}.example")).collect();
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
        let chain = read_chain(&[certificate.der().clone()]);
        assert_eq!((chain[0].names.len(), chain[0].more_names), (MAX_NAMES, 50));
        assert!(chain[0].is_self_issued);
        let curve = KeyAlgorithm::Ecdsa("P-256".to_string());
        assert_eq!(chain[0].key, KeyFacts { algorithm: curve, bits: Some(256) });
    }

    proptest! {
        #[test]
        fn damaged_certificates_never_panic(at in any::<proptest::sample::Index>(), byte: u8) {
            let mut der = fixture().to_vec();
            let at = at.index(der.len());
            der[at] = byte;
            let _ = read_chain(&[CertificateDer::from(der)]);
        }

        #[test]
        fn arbitrary_names_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = distinguished_name(&bytes);
        }
    }
}
