//! Parameters of `wscheck exporter`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::idle_probes::IdleSchedule;
use super::kept_pages::RenderTargets;
use super::probe_page::ProbePlan;
use crate::commands::config_reload::ConfigReload;
use crate::commands::kept::KeptConnection;
use crate::net::http_server::AccessControl;

/// The time limit of a request allows probes of this length, which a later configuration may ask for.
const USUAL_LONGEST_PROBE: Duration = Duration::from_secs(60);

/// Parameters of the exporter; always valid.
pub struct ExporterPlan {
    /// Port 0 means any free port.
    pub listen: SocketAddr,
    pub access: AccessControl,
    /// Names that requests may use besides those of loopback, where only those are answered.
    pub server_names: Vec<String>,
    /// `None`: plain HTTP.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    pub settings: ExporterSettings,
    /// Makes the page of the targets.
    pub renderer: Arc<dyn RenderTargets>,
    /// `None`: there is no file to read again.
    pub reload: Option<ReloadPlan>,
}

/// What a configuration file may change while the exporter runs.
pub struct ExporterSettings {
    pub kept: Vec<ExportedTarget>,
    pub probe: ProbePlan,
    /// The configuration in force, without secrets (TOML).
    pub config: String,
}

/// A target that is kept.
pub struct ExportedTarget {
    pub connection: KeptConnection,
    /// When its idle timeout is measured; `None`: never.
    pub idle: Option<IdleSchedule>,
}

/// Says how reading the configuration went.
pub type ReloadLog = dyn Fn(&str);

/// How the configuration is read again.
pub struct ReloadPlan {
    pub config: ConfigReload<ExporterSettings>,
    /// Says how it went.
    pub log: Box<ReloadLog>,
}

impl ExporterPlan {
    /// The longest probe that the server leaves time for. A longer one needs a restart.
    pub(super) fn longest_probe(&self) -> Duration {
        self.settings.probe.longest_probe().max(USUAL_LONGEST_PROBE)
    }
}
