//! What the user's signals mean to a run.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The signals, caught from here on.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
}

impl Signals {
    /// Catches SIGINT, SIGTERM and SIGQUIT. Needs a runtime.
    pub fn catch() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    /// The first Ctrl-C or SIGTERM ends the run with a report, the second ends the process at
    /// once; each Ctrl-\ asks for interim figures.
    pub async fn obey(mut self, interrupt: CancellationToken, interim: mpsc::UnboundedSender<()>) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => end(&interrupt),
                _ = self.terminate.recv() => end(&interrupt),
                _ = self.quit.recv() => {
                    let _ = interim.send(());
                }
            }
        }
    }
}

fn end(interrupt: &CancellationToken) {
    if interrupt.is_cancelled() {
        std::process::exit(130);
    }
    interrupt.cancel();
}
