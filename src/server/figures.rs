//! What is counted of one client.

/// One client's figures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Figures {
    /// Ordinary messages that came.
    pub messages: u64,
    /// Ping frames that came.
    pub pings: u64,
    /// App pings that came.
    pub app_pings: u64,
}
