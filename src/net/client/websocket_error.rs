//! Descriptions of the WebSocket library's errors.

use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use crate::domain::format::variant_words;
use crate::net::os_error;

/// Describes an error of the WebSocket library, as a fragment.
pub fn describe_websocket_error(error: &WebSocketError) -> String {
    match error {
        WebSocketError::Protocol(broken) => describe_protocol_error(broken),
        WebSocketError::Utf8(_) => "text that is not UTF-8".to_string(),
        WebSocketError::Tls(_) => "an error of TLS".to_string(),
        WebSocketError::Io(error) => os_error::describe(error),
        WebSocketError::ConnectionClosed
        | WebSocketError::AlreadyClosed
        | WebSocketError::Capacity(_)
        | WebSocketError::WriteBufferFull(_)
        | WebSocketError::AttackAttempt
        | WebSocketError::Url(_)
        | WebSocketError::Http(_)
        | WebSocketError::HttpFormat(_) => variant_words(error),
    }
}

fn describe_protocol_error(broken: &ProtocolError) -> String {
    let words = match broken {
        ProtocolError::NonZeroReservedBits => "reserved bits are set, and no extension was agreed on",
        ProtocolError::MaskedFrameFromServer => "a masked frame, which only clients send",
        ProtocolError::FragmentedControlFrame => "a control frame in fragments",
        ProtocolError::ControlFrameTooBig => "a control frame of more than 125 bytes",
        ProtocolError::UnexpectedContinueFrame => "a continuation frame with nothing to continue",
        ProtocolError::ExpectedFragment(_) => "a new message before the last one was complete",
        ProtocolError::InvalidCloseSequence => "a close frame that cannot be read",
        ProtocolError::UnknownControlFrameType(opcode)
        | ProtocolError::UnknownDataFrameType(opcode)
        | ProtocolError::InvalidOpcode(opcode) => return format!("the unknown opcode {opcode}"),
        other => return variant_words(other),
    };
    words.to_string()
}
