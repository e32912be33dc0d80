//! Whether a criterion holds.

/// Whether an expression is true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// True; the fragment is the value: `231.2 ms`, with the target if there are several.
    True(String),
    /// True of figures that are only upper bounds; the fragment is the value and the reason.
    TrueOfBounds(String),
    /// False; the fragment is the value, as for true.
    False(String),
    /// Unknown; the fragment says why.
    Unknown(String),
}

impl Truth {
    /// Whether it is known to be false.
    pub fn is_false(&self) -> bool {
        matches!(self, Truth::False(_))
    }
}
