//! `wscheck serve`: a server to test clients against.

mod report;
mod status_pages;

pub use report::{ServeReport, ServeRunEvent};
pub use status_pages::{StatusPage, StatusRenderer, serve_status};

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::fd_limit;
use super::start_failure::StartFailure;
use crate::domain::client_test::expectation::ClientExpectation;
use crate::domain::run::reporter::Reporter;
use crate::server::tls;
use crate::server::{ListenAddress, ServeEvent, ServeEventKind, Server, ServerConfig, TlsIdentityInfo};

/// Connections that may wait to be accepted; thousands may come at once.
const ACCEPT_BACKLOG: u32 = 4096;

/// Parameters of the server.
#[derive(Debug, Clone)]
pub struct ServePlan {
    /// Port 0 means any free port.
    pub bind: SocketAddr,
    /// Receives the port number and a newline once the server listens.
    pub port_file: Option<PathBuf>,
    /// Address of /clients and /metrics; port 0 means any free port.
    pub status_addr: Option<SocketAddr>,
    /// `None`: plain TCP.
    pub tls: Option<CertificateSource>,
    pub config: ServerConfig,
    /// How long to serve; `None`: until it is stopped.
    pub limit: Option<Duration>,
    /// What is expected of the clients.
    pub expected: Vec<ClientExpectation>,
}

/// Source of the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// A generated certificate; its issuer's certificate is written to `ca_file`.
    Made { ca_file: PathBuf },
    /// The user's certificate: chain and key in PEM.
    Own { cert: PathBuf, key: PathBuf },
}

/// Serves until the planned end or `stop`; reports each event. `pages` renders the status pages.
pub async fn run(
    mut plan: ServePlan,
    reporter: &mut dyn Reporter<ServeRunEvent>,
    pages: Arc<dyn StatusRenderer>,
    stop: CancellationToken,
) -> Result<ServeReport, StartFailure> {
    let (listener, address) = listen(plan.bind).await?;
    let status = match plan.status_addr {
        Some(address) => Some(listen(address).await?),
        None => None,
    };
    // Write files only after the port is bound: if it is in use, the files may belong to the other server.
    let tls = plan.tls.take().map(|tls| identity(tls, plan.bind.ip(), &mut plan.config)).transpose()?;
    if let Some(path) = &plan.port_file {
        write_file("--port-file", path, &format!("{}\n", address.port()))?;
    }
    // Each client needs a file descriptor.
    fd_limit::raise_limit();
    let status_address = status.as_ref().map(|(_, address)| *address);
    let what = ServeEventKind::Listening(ListenAddress { address, tls, status_address });
    reporter.report(&ServeRunEvent::Server(Box::new(ServeEvent {
        at: SystemTime::now(),
        client: None,
        what,
    })));
    let (events, mut happened) = mpsc::unbounded_channel();
    let server = Arc::new(Server::new(plan.config, events));
    let reporting = async {
        while let Some(event) = happened.recv().await {
            if matches!(event.what, ServeEventKind::Stopped(_)) {
                return;
            }
            reporter.report(&ServeRunEvent::Server(Box::new(event)));
        }
    };
    let (started, ended) = (Instant::now(), stop.child_token());
    let ending = async {
        match plan.limit {
            Some(limit) => drop(timeout(limit, ended.cancelled()).await),
            None => ended.cancelled().await,
        }
        ended.cancel();
        started.elapsed()
    };
    let status = async {
        if let Some((listener, _)) = status {
            serve_status(listener, Arc::clone(&server), pages, ended.clone()).await;
        }
    };
    let serving = Arc::clone(&server).run(listener, ended.clone());
    let (summary, (), (), ran) = tokio::join!(serving, status, reporting, ending);
    let report = ServeReport::judge(summary, &plan.expected, plan.limit, ran);
    reporter.report(&ServeRunEvent::Finished(Box::new(report.clone())));
    Ok(report)
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartFailure> {
    let failed = |why: io::Error| {
        let hint = match why.kind() {
            io::ErrorKind::AddrInUse => {
                Some("another process has this port; --bind 127.0.0.1:0 takes a free one")
            }
            io::ErrorKind::AddrNotAvailable => Some("this machine does not have that address"),
            _ => None,
        };
        StartFailure::unreachable(format!("cannot listen on {address}: {why}")).with_hint(hint)
    };
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    };
    let socket = socket.map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    let listener = socket.listen(ACCEPT_BACKLOG).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn identity(
    source: CertificateSource,
    ip: IpAddr,
    config: &mut ServerConfig,
) -> Result<TlsIdentityInfo, StartFailure> {
    let (identity, ca_file) = match source {
        CertificateSource::Made { ca_file } => (tls::self_signed(ip), Some(ca_file)),
        CertificateSource::Own { cert, key } => (tls::load(&cert, &key), None),
    };
    let identity = identity.map_err(StartFailure::usage)?;
    if let (Some(path), Some(pem)) = (&ca_file, &identity.ca_pem) {
        write_file("--ca-file", path, pem)?;
    }
    config.tls = Some(identity.config);
    Ok(TlsIdentityInfo { fingerprint: identity.fingerprint, ca_file })
}

fn write_file(option: &str, path: &Path, text: &str) -> Result<(), StartFailure> {
    let failed = |why| format!("{option}: cannot write {}: {why}", path.display());
    write_atomically(path, text).map_err(|why: io::Error| StartFailure::usage(failed(why)))
}

/// Writes a file so that readers never see it incomplete. A pipe or link is written to and not replaced.
fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    if std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::write(path, text);
    }
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&temporary, text)?;
    std::fs::rename(&temporary, path).inspect_err(|_| {
        // The rename's error is the one to report.
        let _ = std::fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::run::run_result::RunResult;
    use crate::server::ServerSnapshot;

    fn plan(bind: &str) -> ServePlan {
        let bind = bind.parse().unwrap();
        ServePlan {
            bind,
            port_file: None,
            status_addr: None,
            tls: None,
            config: ServerConfig::default(),
            limit: None,
            expected: Vec::new(),
        }
    }

    /// Passes each event to a function.
    struct EventObserver<F>(F);

    impl<F: FnMut(&ServeEvent)> Reporter<ServeRunEvent> for EventObserver<F> {
        fn report(&mut self, event: &ServeRunEvent) {
            if let ServeRunEvent::Server(event) = event {
                (self.0)(event);
            }
        }
    }

    /// Pages without content.
    struct Blank;

    impl StatusRenderer for Blank {
        fn clients(&self, _: &ServerSnapshot) -> StatusPage {
            StatusPage { media_type: "text/plain", text: String::new() }
        }

        fn metrics(&self, snapshot: &ServerSnapshot) -> StatusPage {
            self.clients(snapshot)
        }
    }

    async fn refusal(plan: ServePlan) -> StartFailure {
        let mut ignored = EventObserver(|_: &ServeEvent| {});
        run(plan, &mut ignored, Arc::new(Blank), CancellationToken::new()).await.unwrap_err()
    }

    #[tokio::test]
    async fn port_file_receives_the_port() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("port");
        let stop = CancellationToken::new();
        let mut reported = None;
        let plan = ServePlan { port_file: Some(file.clone()), ..plan("127.0.0.1:0") };
        let stopped = stop.clone();
        let mut observer = EventObserver(|event: &ServeEvent| {
            if let ServeEventKind::Listening(ListenAddress { address, .. }) = &event.what {
                reported = Some((address.port(), std::fs::read_to_string(&file).unwrap()));
                stopped.cancel();
            }
        });
        let report = run(plan, &mut observer, Arc::new(Blank), stop).await.unwrap();
        let (port, written) = reported.unwrap();
        assert_eq!(written, format!("{port}\n"));
        assert_eq!((report.summary.clients, std::fs::read_dir(dir.path()).unwrap().count()), (0, 1));
    }

    #[tokio::test]
    async fn planned_end_stops_the_server_and_judges_its_clients() {
        let limit = Some(Duration::from_millis(1));
        let expected = vec!["clients>=1".parse().unwrap()];
        let plan = ServePlan { limit, expected, ..plan("127.0.0.1:0") };
        let mut ignored = EventObserver(|_: &ServeEvent| {});
        let report = run(plan, &mut ignored, Arc::new(Blank), CancellationToken::new()).await.unwrap();
        assert_eq!((report.result, report.interrupted), (RunResult::Unreachable, false));
        assert!(report.done.is_some_and(|done| done.is_complete()));
    }

    #[tokio::test]
    async fn stop_before_the_planned_end_interrupts() {
        let stop = CancellationToken::new();
        stop.cancel();
        let plan = ServePlan { limit: Some(Duration::from_secs(3600)), ..plan("127.0.0.1:0") };
        let mut ignored = EventObserver(|_: &ServeEvent| {});
        let report = run(plan, &mut ignored, Arc::new(Blank), stop).await.unwrap();
        assert_eq!((report.result, report.interrupted), (RunResult::Interrupted { measured: false }, true));
    }

    #[tokio::test]
    async fn port_in_use_is_named_with_a_hint() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let refused = refusal(plan(&address.to_string())).await;
        assert_eq!(
            refused.to_string(),
            format!("cannot listen on {address}: Address already in use (os error 98)")
        );
        assert_eq!(refused.result, RunResult::Unreachable);
        assert!(refused.hint.is_some_and(|hint| hint.contains("another process")));
    }

    #[tokio::test]
    async fn unwritable_port_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("no/such/place");
        let plan = ServePlan { port_file: Some(file.clone()), ..plan("127.0.0.1:0") };
        let refused = refusal(plan).await.to_string();
        assert!(refused.starts_with(&format!("--port-file: cannot write {}: ", file.display())), "{refused}");
    }

    #[tokio::test]
    async fn port_in_use_leaves_existing_files_alone() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let ca_file = dir.path().join("ca.pem");
        std::fs::write(&ca_file, "the other server's").unwrap();
        let tls = Some(CertificateSource::Made { ca_file: ca_file.clone() });
        let plan = ServePlan { tls, ..plan(&taken.local_addr().unwrap().to_string()) };
        assert_eq!(refusal(plan).await.result, RunResult::Unreachable);
        assert_eq!(std::fs::read_to_string(&ca_file).unwrap(), "the other server's");
    }

    #[test]
    fn link_is_written_through() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, "new").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
