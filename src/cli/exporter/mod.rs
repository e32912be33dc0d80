//! `wscheck exporter`: arguments, configuration and run.

mod config_text;
mod settings;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use self::settings::SettingsSource;
use super::args::up_to;
use super::checks::shown;
use super::{connect, errors, runner, service_manager, signals};
use crate::commands::config_reload::ConfigReload;
use crate::commands::exporter::{self, ExporterPlan, ExporterSettings, ReloadPlan};
use crate::commands::fd_limit;
use crate::commands::start_failure::StartFailure;
use crate::domain::exporter::allow::TargetPattern;
use crate::domain::format::counted;
use crate::net::http_server::{AccessControl, BearerToken};
use crate::output::Format;
use crate::output::exporter::TargetsPage;
use crate::server::tls;

/// Maximum number of names that are resolved at once: when all targets are gone, all are resolved again.
const MAX_RESOLVER_THREADS: usize = 64;

/// The arguments of `wscheck exporter`.
#[derive(Debug, Clone, Args)]
pub struct ExporterArgs {
    /// Keep a connection to each of these, besides the targets of the configuration
    #[arg(value_name = "URL")]
    pub urls: Vec<String>,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:9788")]
    pub listen: SocketAddr,
    /// Configuration file (TOML) with [[target]] and [module.NAME]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Look for mistakes in the configuration and start nothing
    #[arg(long, requires = "config")]
    pub check_config: bool,
    /// The targets that /probe may probe with the module `websocket`: HOST[:PORT], or ws[s]://HOST[:PORT][/PATH], with *
    /// for any text (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub allow: Vec<TargetPattern>,
    /// Also answer requests whose Host is this name, where wscheck listens on loopback: behind a proxy that keeps the Host
    /// (repeatable)
    #[arg(long, value_name = "NAME")]
    pub server_name: Vec<String>,
    /// Maximum number of probes at once
    #[arg(long, value_name = "N", default_value = "16", value_parser = up_to::<u32>(1000))]
    pub max_probes: u32,
    /// Answer only requests with the user name and password in this file: USER:PASSWORD
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub basic_auth_file: Option<PathBuf>,
    /// Answer only requests with the bearer token in this file
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Serve https with this certificate chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
}

impl ExporterArgs {
    /// Runs until it is stopped.
    pub fn main(self) -> ExitCode {
        let usage = |message: String| errors::report_usage_error("exporter", &message, Format::Human);
        let source = self.source();
        let settings = match source.load() {
            Ok(settings) => settings,
            Err(message) => return usage(message),
        };
        if self.check_config {
            let targets = counted(settings.kept.len() as u64, "target");
            let modules = counted(settings.probe.modules.len() as u64, "module");
            return runner::print(&format!("no mistake in {targets} and {modules}\n"), Format::Human);
        }
        let (hang_up, hang_ups) = mpsc::unbounded_channel();
        let reload = self.config.is_some().then(|| ReloadPlan {
            config: ConfigReload::new(
                Arc::new(move || {
                    service_manager::reloading();
                    load_again(&source)
                }),
                hang_ups,
            ),
            log: Box::new(move |text| {
                service_manager::ready();
                errors::print_to_stderr(text);
            }),
        });
        let hang_up = reload.as_ref().map(|_| hang_up);
        let plan = match self.plan(settings, reload) {
            Ok(plan) => plan,
            Err(message) => return usage(message),
        };
        if !self.listen.ip().is_loopback() && matches!(plan.access, AccessControl::Anyone) {
            errors::print_to_stderr(
                "warning: everybody who reaches this address may read the metrics and probe allowed targets; \
                 --basic-auth-file or --token-file asks for credentials",
            );
        }
        match run(plan, hang_up) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => errors::report_failure(Some("exporter"), &failure, Format::Human),
        }
    }

    fn source(&self) -> SettingsSource {
        SettingsSource {
            config: self.config.clone(),
            urls: self.urls.clone(),
            allow: self.allow.clone(),
            max_probes: self.max_probes as usize,
        }
    }

    fn plan(&self, settings: ExporterSettings, reload: Option<ReloadPlan>) -> Result<ExporterPlan, String> {
        Ok(ExporterPlan {
            listen: self.listen,
            access: self.access()?,
            server_names: self.server_name.clone(),
            tls: self.tls()?,
            settings,
            renderer: Arc::new(TargetsPage { title: "wscheck exporter", has_config: true }),
            reload,
        })
    }

    fn access(&self) -> Result<AccessControl, String> {
        match (&self.basic_auth_file, &self.token_file) {
            (None, None) => Ok(AccessControl::Anyone),
            (None, Some(path)) => BearerToken::from_file(path).map(AccessControl::Bearer),
            (Some(path), _) => {
                let name = shown(path);
                let text = connect::read(&path.to_string_lossy())
                    .map_err(|why| format!("--basic-auth-file: cannot read {name}: {why}"))?;
                let (user, password) = text
                    .trim_end_matches(['\r', '\n'])
                    .split_once(':')
                    .ok_or_else(|| format!("--basic-auth-file: {name} does not hold USER:PASSWORD"))?;
                Ok(AccessControl::basic(user, password))
            }
        }
    }

    fn tls(&self) -> Result<Option<std::sync::Arc<rustls::ServerConfig>>, String> {
        let Some((cert, key)) = self.cert.as_ref().zip(self.key.as_ref()) else { return Ok(None) };
        tls::load(cert, key).map(|identity| Some(identity.config)).map_err(|why| why.to_string())
    }
}

/// Raises the limit on open files to what these settings need.
fn ensure_files(settings: &ExporterSettings) -> Result<(), StartFailure> {
    fd_limit::ensure_limit(settings.kept.len() + settings.probe.max_concurrent)
}

fn load_again(source: &SettingsSource) -> Result<ExporterSettings, String> {
    let settings = source.load()?;
    ensure_files(&settings).map_err(|why| why.to_string())?;
    Ok(settings)
}

/// `hang_up`: where a SIGHUP goes; `None`: it ends the run.
fn run(plan: ExporterPlan, hang_up: Option<mpsc::UnboundedSender<()>>) -> Result<(), StartFailure> {
    ensure_files(&plan.settings)?;
    let stop = CancellationToken::new();
    // Its figures are on its page.
    let (ask, _) = mpsc::unbounded_channel();
    let cannot_start = |error: std::io::Error| StartFailure::unreachable(format!("cannot start: {error}"));
    signals::handle(stop.clone(), ask, hang_up).map_err(cannot_start)?;
    let scheme = if plan.tls.is_some() { "https" } else { "http" };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(MAX_RESOLVER_THREADS).build();
    let runtime = runtime.map_err(cannot_start)?;
    let listening = |address: SocketAddr| {
        let _ = runner::print(&format!("listening on {scheme}://{address}/\n"), Format::Human);
        service_manager::ready();
    };
    let ended = runtime.block_on(service_manager::during(exporter::run(plan, listening, stop.clone()), stop));
    runtime.shutdown_background();
    ended
}
