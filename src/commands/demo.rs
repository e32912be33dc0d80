//! `wscheck demo`: a server inside this process, with some delay, jitter and loss, to measure.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server::faults::{self, Faults};
use crate::server::{self, ServerConfig};

/// How the demo's server misbehaves. One pong in 25 is lost: `ping` tells of it and passes.
const DEMO_FAULTS: &[(&str, &str)] = &[("delay", "20ms"), ("jitter", "15ms"), ("pong-loss", "4%")];
/// With this seed neither the first pong nor the last is lost.
const DEMO_SEED: u64 = 7;

/// A running server: on a thread and runtime of its own, so that it cannot disturb what is measured.
#[derive(Debug)]
pub struct DemoServer {
    pub address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Starts it on a free port of the loopback.
    pub fn start() -> io::Result<DemoServer> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let config = ServerConfig { faults: faults()?, seed: DEMO_SEED, ..ServerConfig::default() };
        let stopped = stop.clone();
        let serve = async move {
            if let Ok(listener) = TcpListener::from_std(listener) {
                server::run(listener, config, mpsc::unbounded_channel().0, stopped).await;
            }
        };
        let thread = std::thread::spawn(move || runtime.block_on(serve));
        Ok(DemoServer { address, stop, thread: Some(thread) })
    }
}

fn faults() -> io::Result<Faults> {
    let mut faults = Faults::default();
    for (name, value) in DEMO_FAULTS {
        faults::set(&mut faults, name, value).map_err(io::Error::other)?;
    }
    Ok(faults)
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
