//! Floor 3: how what happens is shown.

pub mod serve;
