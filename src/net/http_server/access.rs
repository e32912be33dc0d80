//! Who may read the pages: anyone, or clients with a password or a token.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq;

/// Largest token file, in bytes.
const MAX_TOKEN_FILE_BYTES: u64 = 64 * 1024;

/// Which requests are answered.
#[derive(Debug, Default)]
pub enum AccessControl {
    #[default]
    Anyone,
    /// RFC 7617.
    Basic(SecretHash),
    /// RFC 6750.
    Bearer(BearerToken),
}

impl AccessControl {
    /// Clients that send this user name and password.
    pub fn basic(user: &str, password: &str) -> AccessControl {
        AccessControl::Basic(SecretHash::of(format!("{user}:{password}").as_bytes()))
    }

    /// Whether a request with these headers is answered.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        match self {
            AccessControl::Anyone => true,
            AccessControl::Basic(credentials) => sent(headers, "Basic")
                .and_then(|encoded| STANDARD.decode(encoded).ok())
                .is_some_and(|pair| credentials.matches(&pair)),
            AccessControl::Bearer(token) => {
                sent(headers, "Bearer").is_some_and(|sent| token.current().matches(sent.as_bytes()))
            }
        }
    }

    /// What a refused client must send (RFC 9110 section 11.6.1).
    pub(super) fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            AccessControl::Anyone | AccessControl::Basic(_) => "Basic realm=\"wscheck\", charset=\"UTF-8\"",
            AccessControl::Bearer(_) => "Bearer realm=\"wscheck\"",
        })
    }
}

/// What a request sends under this scheme, whose name has no case (RFC 9110 section 11.1).
fn sent<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (name, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    name.eq_ignore_ascii_case(scheme).then(|| credentials.trim())
}

/// A token from a file. Only its hash is kept.
#[derive(Debug)]
pub struct BearerToken {
    path: PathBuf,
    token: RwLock<SecretHash>,
}

impl BearerToken {
    /// Reads the token from a file, without the white space around it.
    ///
    /// # Errors
    ///
    /// Names the file.
    pub fn from_file(path: &Path) -> Result<BearerToken, String> {
        Ok(BearerToken { path: path.to_path_buf(), token: RwLock::new(read_token(path)?) })
    }

    /// Reads the file again. On an error, the previous token stays.
    ///
    /// # Errors
    ///
    /// Names the file.
    pub fn reload(&self) -> Result<(), String> {
        let token = read_token(&self.path)?;
        *self.token.write().unwrap_or_else(PoisonError::into_inner) = token;
        Ok(())
    }

    fn current(&self) -> SecretHash {
        *self.token.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_token(path: &Path) -> Result<SecretHash, String> {
    let file = path.display();
    let unreadable = |why: io::Error| format!("cannot read {file}: {why}");
    let mut text = Vec::new();
    let opened = std::fs::File::open(path).map_err(unreadable)?;
    io::Read::read_to_end(&mut io::Read::take(opened, MAX_TOKEN_FILE_BYTES + 1), &mut text)
        .map_err(unreadable)?;
    match text.trim_ascii() {
        _ if text.len() as u64 > MAX_TOKEN_FILE_BYTES => {
            Err(format!("{file} is larger than {MAX_TOKEN_FILE_BYTES} bytes"))
        }
        [] => Err(format!("{file} holds no token")),
        token => Ok(SecretHash::of(token)),
    }
}

/// The SHA-256 of a secret: texts of any length are compared in the same time.
#[derive(Clone, Copy)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    fn of(secret: &[u8]) -> SecretHash {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, secret).as_ref());
        SecretHash(hash)
    }

    fn matches(&self, given: &[u8]) -> bool {
        self.0.ct_eq(&SecretHash::of(given).0).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("redacted")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(access: &AccessControl, authorization: &str) -> bool {
        let value = HeaderValue::from_str(authorization).unwrap();
        access.admits(&HeaderMap::from_iter([(AUTHORIZATION, value)]))
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn only_the_password_is_admitted() {
        let access = AccessControl::basic("scraper", "open: sesame");
        assert!(admitted(&access, &basic("scraper:open: sesame")));
        assert!(admitted(&access, &basic("scraper:open: sesame").replace("Basic", "bASIC")));
        for wrong in [
            basic("scraper:open"),
            basic("scraper:"),
            basic("other:open: sesame"),
            basic("scraper:open: sesame "),
            "Basic".to_string(),
            "Basic ???".to_string(),
            "Bearer open: sesame".to_string(),
        ] {
            assert!(!admitted(&access, &wrong), "{wrong}");
        }
        assert!(!access.admits(&HeaderMap::new()));
        assert!(!format!("{access:?}").contains("sesame"));
    }

    #[test]
    fn token_is_read_again_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "first\n").unwrap();
        let token = BearerToken::from_file(&path).unwrap();
        std::fs::write(&path, "second\n").unwrap();
        let access = AccessControl::Bearer(token);
        assert!(admitted(&access, "Bearer first") && !admitted(&access, "Bearer second"));
        let AccessControl::Bearer(token) = &access else { unreachable!() };
        token.reload().unwrap();
        assert!(admitted(&access, "Bearer second") && !admitted(&access, "Bearer first"));
        std::fs::write(&path, " \n").unwrap();
        assert_eq!(token.reload().unwrap_err(), format!("{} holds no token", path.display()));
        assert!(admitted(&access, "Bearer second") && !admitted(&access, "Bearer "));
    }

    #[test]
    fn unusable_token_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("none");
        let error = BearerToken::from_file(&missing).unwrap_err();
        assert!(error.starts_with(&format!("cannot read {}: No such file", missing.display())), "{error}");
        let large = dir.path().join("large");
        std::fs::write(&large, vec![b'x'; MAX_TOKEN_FILE_BYTES as usize + 1]).unwrap();
        let error = BearerToken::from_file(&large).unwrap_err();
        assert_eq!(error, format!("{} is larger than 65536 bytes", large.display()));
    }
}
