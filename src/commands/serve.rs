//! `wscheck serve`: a server to test clients against.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server::{self, Config, ServerEvent, Summary, What};

/// What will be served, and where.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Port 0 takes a free one.
    pub bind: SocketAddr,
    /// Receives the port's number and a newline, once the server listens.
    pub port_file: Option<PathBuf>,
    pub config: Config,
}

/// Why a server did not come to be.
#[derive(Debug, Error)]
pub enum ServeError {
    #[error("cannot listen on {address}: {why}")]
    Listen { address: SocketAddr, why: io::Error },
    #[error("cannot write the port to {}: {why}", path.display())]
    PortFile { path: PathBuf, why: io::Error },
}

impl ServeError {
    /// What the reader can do about it, where something is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            ServeError::Listen { why, .. } if why.kind() == io::ErrorKind::AddrInUse => {
                Some("another process has this port; --bind 127.0.0.1:0 takes a free one")
            }
            ServeError::Listen { why, .. } if why.kind() == io::ErrorKind::AddrNotAvailable => {
                Some("this machine does not have that address")
            }
            ServeError::Listen { .. } | ServeError::PortFile { .. } => None,
        }
    }

    /// The process' exit code: it never came to listen.
    pub fn exit_code(&self) -> u8 {
        match self {
            ServeError::Listen { .. } | ServeError::PortFile { .. } => 3,
        }
    }
}

/// Serves until `stop`, and shows each event as it happens.
pub async fn run(
    plan: Plan,
    mut report: impl FnMut(&ServerEvent),
    stop: CancellationToken,
) -> Result<Summary, ServeError> {
    let listen = |why| ServeError::Listen { address: plan.bind, why };
    let listener = TcpListener::bind(plan.bind).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;
    if let Some(path) = &plan.port_file {
        write_atomically(path, &format!("{}\n", address.port()))
            .map_err(|why| ServeError::PortFile { path: path.clone(), why })?;
    }
    let secure = plan.config.tls.is_some();
    report(&ServerEvent { at: SystemTime::now(), client: None, what: What::Listening { address, secure } });
    let (events, mut happened) = mpsc::unbounded_channel();
    let served = server::run(listener, plan.config, events, stop);
    let shown = async {
        while let Some(event) = happened.recv().await {
            report(&event);
        }
    };
    let (summary, ()) = tokio::join!(served, shown);
    Ok(summary)
}

/// Whoever reads the file finds it whole or not at all.
fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path).inspect_err(|_| {
        // The rename's own error is the one to tell.
        let _ = std::fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(bind: &str) -> Plan {
        Plan { bind: bind.parse().unwrap(), port_file: None, config: Config::default() }
    }

    #[tokio::test]
    async fn the_port_file_receives_the_port_that_was_taken() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("port");
        let stop = CancellationToken::new();
        let mut told = None;
        let plan = Plan { port_file: Some(file.clone()), ..plan("127.0.0.1:0") };
        let stopped = stop.clone();
        let report = |event: &ServerEvent| {
            if let What::Listening { address, .. } = &event.what {
                told = Some((address.port(), std::fs::read_to_string(&file).unwrap()));
                stopped.cancel();
            }
        };
        let summary = run(plan, report, stop).await.unwrap();
        let (port, written) = told.unwrap();
        assert_eq!(written, format!("{port}\n"));
        assert_eq!((summary.clients, std::fs::read_dir(dir.path()).unwrap().count()), (0, 1));
    }

    #[tokio::test]
    async fn a_port_in_use_is_named_with_what_to_do() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = taken.local_addr().unwrap();
        let refused = run(plan(&address.to_string()), |_| {}, CancellationToken::new()).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!("cannot listen on {address}: Address already in use (os error 98)")
        );
        assert!(refused.hint().is_some_and(|hint| hint.contains("another process")));
        assert_eq!(refused.exit_code(), 3);
    }

    #[tokio::test]
    async fn a_port_file_that_cannot_be_written_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("no/such/place");
        let plan = Plan { port_file: Some(file.clone()), ..plan("127.0.0.1:0") };
        let refused = run(plan, |_| {}, CancellationToken::new()).await.unwrap_err().to_string();
        assert!(refused.starts_with(&format!("cannot write the port to {}: ", file.display())), "{refused}");
    }
}
