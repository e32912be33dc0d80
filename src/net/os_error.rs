//! The operating system's names for its errors.

use std::io;

use nix::errno::Errno;

use crate::net::tls_error::describe_tls_error;

/// The name of an error number (`ECONNRESET`), or `errno 123` if it is unknown.
pub fn name(errno: i32) -> String {
    match Errno::from_raw(errno) {
        Errno::UnknownErrno => format!("errno {errno}"),
        known => format!("{known:?}"),
    }
}

/// The name of the error number inside `error`; `None` if it is not an OS error.
pub fn name_of(error: &io::Error) -> Option<String> {
    error.raw_os_error().map(name)
}

/// The error as a lower-case fragment: `connection reset by peer (ECONNRESET)`.
pub fn describe(error: &io::Error) -> String {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return describe_tls_error(tls);
    }
    let text = error.to_string();
    let Some(name) = name_of(error) else { return lower_first(&text) };
    let plain = text.split(" (os error").next().unwrap_or(&text);
    format!("{} ({name})", lower_first(plain))
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if first.is_uppercase() && second.is_lowercase() => {
            format!("{}{second}{}", first.to_lowercase(), chars.as_str())
        }
        _ => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_is_described_with_its_name() {
        let error = io::Error::from_raw_os_error(libc::ECONNRESET);
        assert_eq!(describe(&error), "connection reset by peer (ECONNRESET)");
        assert_eq!(describe(&io::Error::other("TLS broke")), "TLS broke");
        assert_eq!(describe(&io::Error::other("Something else")), "something else");
    }

    #[test]
    fn unknown_errno_is_shown_as_a_number() {
        assert_eq!(name(99_999), "errno 99999");
    }
}
