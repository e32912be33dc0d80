//! The arguments that say what the server's own heartbeats in messages look like.

use clap::Args;

use super::args::without;
use super::heartbeat::{parse, remember_fields};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;

/// What the server asks by messages, besides the shapes that are known.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Heartbeats")]
pub struct AppPingArgs {
    /// Pattern of a further server message that is a heartbeat, besides the known shapes: JSON fields, literal
    /// text, or hex:c000
    #[arg(long, value_name = "PATTERN")]
    pub app_ping: Option<String>,
    /// Answer to send for --app-ping: text with the {seq}, {id} and {now_ms} of the ping [default: no answer]
    #[arg(long, value_name = "TEMPLATE")]
    pub app_pong: Option<String>,
}

impl AppPingArgs {
    /// The known shapes and the one that was added.
    pub fn shapes(&self) -> Result<KnownPings, String> {
        let pong = self.app_pong.as_deref().map(|text| parse::<Template>("--app-pong", text)).transpose()?;
        pong.iter().for_each(remember_fields);
        match self.app_ping.as_deref() {
            None if pong.is_some() => Err(without("--app-pong", "--app-ping")),
            None => Ok(KnownPings::default()),
            Some(text) => Ok(KnownPings::with(Some((parse::<Pattern>("--app-ping", text)?, pong)))),
        }
    }
}
