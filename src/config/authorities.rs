//! Authorities of certificates, in a PEM file.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::ConfigError;
use super::secret::read_text;

/// The certificate of an authority, in DER.
pub type Authority = CertificateDer<'static>;

/// The certificates in a PEM file. Each can be trusted.
pub(super) fn read_authorities(
    key: &'static str,
    place: &str,
    file: &Path,
) -> Result<Vec<Authority>, ConfigError> {
    let text = read_text(key, place, file, "certificates in PEM")?;
    let mut trusted = RootCertStore::empty();
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let read = read.map_err(|error| error.to_string()).and_then(|all| {
        for one in &all {
            let added = trusted.add(one.clone());
            added.map_err(|error| error.to_string())?;
        }
        Ok(all)
    });
    let problem = match read {
        Ok(all) if all.is_empty() => "there is none".to_owned(),
        Ok(all) => return Ok(all),
        Err(problem) => problem,
    };
    Err(ConfigError::setting(
        key,
        format!(
            "{place}the file `{}` has no usable certificate: {problem}",
            file.display()
        ),
        "give a file with the certificates of the authorities, each from -----BEGIN CERTIFICATE----- to \
         -----END CERTIFICATE-----",
    ))
}
