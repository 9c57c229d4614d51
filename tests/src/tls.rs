//! An authority of our own and a certificate for loopback: what a deployment's PKI is
//! in service.

use crate::programs::Failure;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use std::path::Path;

pub const CA: &str = "ca.pem";
pub const CERT: &str = "central.pem";
pub const KEY: &str = "central.key";

/// Writes `ca.pem`, `central.pem` and `central.key` into `folder`.
///
/// # Errors
/// A file cannot be written.
pub fn make(folder: &Path) -> Result<(), Failure> {
    make_until(folder, None)
}

/// The same, with a certificate that ends on this day.
///
/// # Errors
/// As [`make`].
pub fn make_until(folder: &Path, day: Option<jiff::civil::Date>) -> Result<(), Failure> {
    let mut ca = CertificateParams::new(Vec::<String>::new())?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    ca.distinguished_name.push(DnType::CommonName, "Jalon demonstration authority");
    let ca_key = KeyPair::generate()?;
    let ca_cert = ca.self_signed(&ca_key)?;
    let issuer = Issuer::new(ca, ca_key);
    let mut leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    if let Some(day) = day {
        leaf.not_after =
            rcgen::date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
    }
    let key = KeyPair::generate()?;
    let cert = leaf.signed_by(&key, &issuer)?;
    std::fs::write(folder.join(CA), ca_cert.pem())?;
    std::fs::write(folder.join(CERT), cert.pem())?;
    crate::stand::private(&folder.join(KEY), &key.serialize_pem())?;
    Ok(())
}
