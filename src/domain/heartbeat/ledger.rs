//! The outstanding pings of one connection and kind, and what each came to.
