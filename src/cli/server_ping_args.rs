//! Arguments that define the server's app pings.

use clap::Args;

use super::args::no_effect_without;
use super::heartbeat::{learn_secret_fields, parse};
use crate::domain::heartbeat::pattern::Pattern;
use crate::domain::heartbeat::template::Template;
use crate::domain::listen::known_pings::KnownPings;

/// Options of the server's app pings, in addition to the known ones.
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
    /// The known pings, with the user's addition.
    pub fn known_pings(&self) -> Result<KnownPings, String> {
        let pong = self.app_pong.as_deref().map(|text| parse::<Template>("--app-pong", text)).transpose()?;
        if let Some(pong) = &pong {
            learn_secret_fields(pong);
        }
        match self.app_ping.as_deref() {
            None if pong.is_some() => Err(no_effect_without("--app-pong", "--app-ping")),
            None => Ok(KnownPings::default()),
            Some(text) => Ok(KnownPings::with(Some((parse::<Pattern>("--app-ping", text)?, pong)))),
        }
    }
}
