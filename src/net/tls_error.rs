//! Descriptions of TLS errors. Their own texts may be meant for developers and include whole debug values.

use rustls::Error as TlsError;

use crate::domain::format::variant_words;

/// Describes a TLS error, as a fragment: the name from the standard or the library, as words.
pub fn describe_tls_error(error: &TlsError) -> String {
    match error {
        TlsError::InappropriateMessage { got_type, .. } => {
            format!("a message of the type {} came unexpectedly", variant_words(got_type))
        }
        TlsError::InappropriateHandshakeMessage { got_type, .. } => {
            format!("the handshake message {} came unexpectedly", variant_words(got_type))
        }
        TlsError::InvalidMessage(why) => format!("a broken message: {}", variant_words(why)),
        TlsError::PeerIncompatible(why) => format!("nothing in common: {}", variant_words(why)),
        TlsError::PeerMisbehaved(why) => format!("the peer broke the protocol: {}", variant_words(why)),
        TlsError::AlertReceived(alert) => format!("TLS alert {}", variant_words(alert)),
        TlsError::InvalidCertificate(why) => format!("invalid certificate: {}", variant_words(why)),
        TlsError::InvalidCertRevocationList(why) => {
            format!("invalid revocation list: {}", variant_words(why))
        }
        TlsError::InvalidEncryptedClientHello(why) => {
            format!("encrypted client hello failed: {}", variant_words(why))
        }
        TlsError::InconsistentKeys(why) => {
            format!("certificate and key do not belong together: {}", variant_words(why))
        }
        TlsError::General(text) if !text.contains(['{', '[', '(']) => text.clone(),
        TlsError::General(_) | TlsError::Other(_) => "an unnamed TLS error".to_string(),
        named => variant_words(named),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::client::websocket_error::describe_websocket_error;
    use rustls::{
        AlertDescription, CertificateError, ContentType, HandshakeType, InconsistentKeys, InvalidMessage,
        PeerIncompatible, PeerMisbehaved,
    };
    use tokio_tungstenite::tungstenite::Error as WebSocketError;
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    use tokio_tungstenite::tungstenite::error::{CapacityError, UrlError};
    use tokio_tungstenite::tungstenite::protocol::frame::coding::Data;

    /// Fails on braces, type paths and CamelCase names, which do not belong in a sentence.
    fn check(words: &str) {
        let is_debug = words.contains(['{', '}', '[', '(']) || words.contains("::");
        let has_joined = words.split(' ').any(|word| {
            word.chars().skip(1).any(|c| c.is_ascii_uppercase())
                && word.chars().any(|c| c.is_ascii_lowercase())
        });
        assert!(!words.is_empty() && words.len() < 120, "{words}");
        assert!(!is_debug && (!has_joined || words.contains("UTF-8")), "{words}");
    }

    #[test]
    fn variant_names_become_words() {
        assert_eq!(variant_words(&PeerIncompatible::NoCipherSuitesInCommon), "no cipher suites in common");
        assert_eq!(variant_words(&AlertDescription::UnknownCA), "unknown ca");
        assert_eq!(variant_words(&CertificateError::UnknownIssuer), "unknown issuer");
        let fields = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![6; 300],
            supported_algorithms: Vec::new(),
        };
        assert_eq!(variant_words(&fields), "unsupported signature algorithm context");
    }

    #[test]
    fn tls_errors_have_no_debug_text() {
        let certificate = CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: vec![6; 300],
            supported_algorithms: Vec::new(),
        };
        let errors = [
            TlsError::InappropriateMessage {
                expect_types: vec![ContentType::Handshake],
                got_type: ContentType::ApplicationData,
            },
            TlsError::InappropriateHandshakeMessage {
                expect_types: vec![HandshakeType::Finished],
                got_type: HandshakeType::ServerHello,
            },
            TlsError::InvalidMessage(InvalidMessage::UnexpectedMessage("x")),
            TlsError::PeerIncompatible(PeerIncompatible::NoKxGroupsInCommon),
            TlsError::PeerMisbehaved(PeerMisbehaved::IllegalMiddleboxChangeCipherSpec),
            TlsError::AlertReceived(AlertDescription::InternalError),
            TlsError::AlertReceived(AlertDescription::Unknown(77)),
            TlsError::InvalidCertificate(certificate),
            TlsError::InconsistentKeys(InconsistentKeys::KeyMismatch),
            TlsError::General("Context { a: [1, 2] }".to_string()),
            TlsError::NoCertificatesPresented,
            TlsError::DecryptError,
            TlsError::PeerSentOversizedRecord,
            TlsError::HandshakeNotComplete,
            TlsError::NoApplicationProtocol,
            TlsError::BadMaxFragmentSize,
        ];
        errors.iter().for_each(|error| check(&describe_tls_error(error)));
    }

    #[test]
    fn websocket_errors_have_no_debug_text() {
        let protocol = [
            ProtocolError::NonZeroReservedBits,
            ProtocolError::MaskedFrameFromServer,
            ProtocolError::FragmentedControlFrame,
            ProtocolError::ControlFrameTooBig,
            ProtocolError::UnknownControlFrameType(11),
            ProtocolError::UnknownDataFrameType(3),
            ProtocolError::UnexpectedContinueFrame,
            ProtocolError::ExpectedFragment(Data::Text),
            ProtocolError::InvalidOpcode(7),
            ProtocolError::InvalidCloseSequence,
            ProtocolError::HandshakeIncomplete,
            ProtocolError::ReceivedAfterClosing,
        ];
        protocol
            .into_iter()
            .for_each(|broken| check(&describe_websocket_error(&WebSocketError::Protocol(broken))));
        let others = [
            WebSocketError::ConnectionClosed,
            WebSocketError::AlreadyClosed,
            WebSocketError::Capacity(CapacityError::MessageTooLong { size: 2, max_size: 1 }),
            WebSocketError::Utf8("invalid utf-8 sequence of 1 bytes from index 0".to_string()),
            WebSocketError::AttackAttempt,
            WebSocketError::Url(UrlError::NoHostName),
            WebSocketError::Io(std::io::Error::other(TlsError::PeerMisbehaved(
                PeerMisbehaved::TooMuchEarlyDataReceived,
            ))),
        ];
        others.iter().for_each(|error| check(&describe_websocket_error(error)));
    }
}
