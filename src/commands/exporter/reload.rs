//! Reads the configuration again, one request after another.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::plan::ExporterSettings;
use crate::commands::config_reload::ConfigReload;
use crate::domain::format;

/// Requests that may wait.
const MAX_WAITING: usize = 8;

/// Where the answer to a request goes.
pub type Reply = oneshot::Sender<Result<(), String>>;

/// Asks for the configuration to be read again.
#[derive(Debug, Clone)]
pub struct ReloadRequests(mpsc::Sender<Reply>);

impl ReloadRequests {
    /// Waits until the new configuration is in force.
    ///
    /// # Errors
    ///
    /// It has a mistake, and the old one stays.
    pub async fn reload(&self) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let stopped = || "the exporter is ending".to_string();
        self.0.send(reply).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// The requests, and what they lead to.
pub struct Reloads {
    config: ConfigReload<ExporterSettings>,
    requests: mpsc::Receiver<Reply>,
    /// The time limit of every probe.
    longest_probe: Duration,
}

impl Reloads {
    pub fn new(config: ConfigReload<ExporterSettings>, longest_probe: Duration) -> (ReloadRequests, Reloads) {
        let (send, requests) = mpsc::channel(MAX_WAITING);
        (ReloadRequests(send), Reloads { config, requests, longest_probe })
    }

    /// Waits for the next request and reads the configuration. The reply is owed to the request; a signal wants none.
    pub async fn next(&mut self) -> (Result<ExporterSettings, String>, Option<Reply>) {
        let request = tokio::select! {
            loaded = self.config.next() => Err(loaded),
            Some(reply) = self.requests.recv() => Ok(reply),
        };
        let (settings, reply) = match request {
            Ok(reply) => (self.config.now().await, Some(reply)),
            Err(loaded) => (loaded, None),
        };
        (settings.and_then(|settings| self.check(settings)), reply)
    }

    fn check(&self, settings: ExporterSettings) -> Result<ExporterSettings, String> {
        let (longest, allowed) = (settings.probe.longest_probe(), self.longest_probe);
        if longest > allowed {
            let [longest, allowed] = [longest, allowed].map(format::exact_duration);
            return Err(format!(
                "a module's timeout of {longest} needs a restart: this process allows up to {allowed}"
            ));
        }
        Ok(settings)
    }
}
