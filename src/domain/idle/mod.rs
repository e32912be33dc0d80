//! How long a path may be idle, and what is known of those that cut it.

pub mod middleboxes;
