//! The default timeouts of common products.

/// The default timeouts of common products (see the table of known middleboxes), in seconds.
pub const WELL_KNOWN_TIMEOUTS: [u64; 15] =
    [30, 50, 55, 60, 75, 100, 120, 180, 240, 300, 350, 600, 900, 1800, 3600];
