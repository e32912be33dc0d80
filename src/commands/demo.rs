//! `wscheck demo`: a server inside this process with delay, jitter and loss, to measure.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::server::faults::{self, Faults};
use crate::server::{self, ServerConfig};

/// The demo server's faults. One pong in 25 is lost: `ping` reports that and still passes.
const DEMO_FAULTS: &[(&str, &str)] = &[("delay", "20ms"), ("jitter", "15ms"), ("pong-loss", "4%")];
/// With this seed, neither the first nor the last pong is lost.
const DEMO_SEED: u64 = 7;

/// A running server on its own thread and runtime, so that it does not disturb the measurement.
#[derive(Debug)]
pub struct DemoServer {
    pub address: SocketAddr,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl DemoServer {
    /// Starts the server on a free loopback port.
    pub fn start() -> io::Result<DemoServer> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let config = ServerConfig { faults: demo_faults()?, seed: DEMO_SEED, ..ServerConfig::default() };
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

fn demo_faults() -> io::Result<Faults> {
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
