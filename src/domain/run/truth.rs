//! Whether a criterion holds.

/// Whether an expression is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// It is; the fragment is the value: `231.2 ms`, with the target when there are several.
    True(String),
    /// It is of figures that are no more than upper bounds; the fragment is the value, and why.
    TrueOfBounds(String),
    False,
    /// There is no value; the fragment says why.
    Unknown(String),
}
