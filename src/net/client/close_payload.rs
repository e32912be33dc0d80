//! Parser of close frame payloads. It keeps the code as received: the WebSocket library replaces a code it rejects.

use crate::domain::connection::close_cause::{ClosePayload, Violation};
use crate::domain::connection::untrusted_text::UntrustedText;

/// Parses a close frame's payload. Also returns the rule it breaks, with a description.
pub fn read_close(payload: &[u8]) -> (ClosePayload, Option<(Violation, String)>) {
    let Some((code, reason)) = payload.split_first_chunk::<2>() else {
        let broken = payload.first().map(|byte| {
            let what = format!("its payload is the single byte 0x{byte:02x}, and a code has two bytes");
            (Violation::InvalidClosePayload, what)
        });
        return (ClosePayload::default(), broken);
    };
    let code = u16::from_be_bytes(*code);
    let is_text = std::str::from_utf8(reason).is_ok();
    let broken = if !is_legal_code(code) {
        Some((Violation::InvalidCloseCode, "a code that must not appear on the wire".to_string()))
    } else if !is_text {
        Some((Violation::InvalidUtf8, "a reason that is not UTF-8".to_string()))
    } else {
        None
    };
    (ClosePayload { code: Some(code), reason: UntrustedText::from_bytes(reason) }, broken)
}

/// Whether RFC 6455 7.4 allows a code in a close frame.
fn is_legal_code(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn illegal_codes_keep_number_and_reason() {
        for code in [0_u16, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            let (close, broken) = read_close(&[&u16::to_be_bytes(code)[..], b"bye"].concat());
            assert_eq!((close.code, close.reason.as_str()), (Some(code), "bye"));
            assert_eq!(broken.unwrap().0, Violation::InvalidCloseCode);
        }
        for code in [1000_u16, 1003, 1007, 1014, 3000, 4999] {
            assert_eq!(read_close(&code.to_be_bytes()).1, None);
        }
    }

    #[test]
    fn malformed_payloads_name_the_broken_rule() {
        assert_eq!(read_close(b""), (ClosePayload::default(), None));
        assert_eq!(read_close(&[3]).1.unwrap().0, Violation::InvalidClosePayload);
        let (close, broken) = read_close(b"\x03\xe9by\xff");
        assert_eq!((close.code, close.reason.as_str()), (Some(1001), "by\u{fffd}"));
        assert_eq!(broken.unwrap().0, Violation::InvalidUtf8);
    }
}
