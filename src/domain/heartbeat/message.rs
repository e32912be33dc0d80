//! What one message from the server is: an answer, an echo, the server's own ping, or ordinary.
