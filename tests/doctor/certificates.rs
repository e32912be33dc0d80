//! Certificates for `ws.test`: a good one, and those that a client refuses.

use std::path::Path;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// Days until the certificate `soon` expires.
pub const SOON_DAYS: i64 = 4;

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Writes an authority's `ca.pem`, and server certificates with their keys: `good`, `wrong` (of another name),
/// `expired`, `soon`, `chain` (with its intermediate certificate) and `leaf` (the same without it). `client` is for
/// clients. `both.pem` is the good certificate with its key in one file.
pub fn write(folder: &Path) {
    let root = root();
    let intermediate = intermediate(&root);
    let file = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    file("ca.pem", &root.pem());
    let issue = |name: &str, issuer: &Authority, host: &str, change: fn(&mut CertificateParams)| {
        let key = KeyPair::generate().unwrap();
        let certificate = server(host, change).signed_by(&key, issuer).unwrap();
        file(&format!("{name}.pem"), &certificate.pem());
        file(&format!("{name}.key"), &key.serialize_pem());
        (certificate, key)
    };
    let (good, key) = issue("good", &root, "ws.test", |_| {});
    file("both.pem", &(good.pem() + &key.serialize_pem()));
    issue("wrong", &root, "other.test", |_| {});
    issue("expired", &root, "ws.test", |params| params.not_after = date_time_ymd(2024, 1, 1));
    issue("soon", &root, "ws.test", |params| set_days_left(params, SOON_DAYS + 1));
    issue("client", &root, "client.test", |_| {});
    let (leaf, key) = issue("leaf", &intermediate, "ws.test", |_| {});
    file("chain.pem", &chain(&leaf, &intermediate));
    file("chain.key", &key.serialize_pem());
}

fn chain(leaf: &Certificate, intermediate: &Authority) -> String {
    leaf.pem() + &intermediate.pem()
}

fn root() -> Authority {
    Authority::self_signed(authority("test root"), KeyPair::generate().unwrap()).unwrap()
}

fn intermediate(root: &Authority) -> Authority {
    Authority::signed_by(authority("test intermediate"), KeyPair::generate().unwrap(), root).unwrap()
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A certificate of 90 days.
fn server(host: &str, change: fn(&mut CertificateParams)) -> CertificateParams {
    let mut params = CertificateParams::new(vec![host.to_string()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, host);
    params.not_before = date_time_ymd(2023, 1, 1);
    set_days_left(&mut params, 90);
    change(&mut params);
    params
}

/// Lets a certificate expire at midnight UTC, on the day after this number of days.
fn set_days_left(params: &mut CertificateParams, days: i64) {
    let hours = jiff::Span::new().hours(days * 24);
    let date = jiff::Timestamp::now().checked_add(hours).unwrap().to_zoned(jiff::tz::TimeZone::UTC).date();
    params.not_after =
        date_time_ymd(i32::from(date.year()), date.month().unsigned_abs(), date.day().unsigned_abs());
}
