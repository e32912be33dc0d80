//! What an app heartbeat says: a text with places for its number, its id and the time.
