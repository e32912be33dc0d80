//! What the user's signals mean to a run.

use std::io;
use std::sync::mpsc::channel;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Obeys the user's signals from now on, on a thread of its own that lasts as long as the process: the
/// second Ctrl-C ends it at once even when everything else waits for a reader that has stopped.
///
/// - the first Ctrl-C or SIGTERM cancels `interrupt`, the second ends the process
/// - each Ctrl-\ asks for `interim` figures
pub fn obey(interrupt: CancellationToken, interim: mpsc::UnboundedSender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (caught, result) = channel();
    std::thread::spawn(move || {
        runtime.block_on(async {
            match Signals::catch() {
                Ok(signals) => {
                    let _ = caught.send(Ok(()));
                    signals.obey(interrupt, interim).await;
                }
                Err(error) => drop(caught.send(Err(error))),
            }
        });
    });
    // Signals are caught before anything begins that they could end.
    result.recv().unwrap_or_else(|_| Err(io::Error::other("the signals' thread did not start")))
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
}

impl Signals {
    fn catch() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn obey(mut self, interrupt: CancellationToken, interim: mpsc::UnboundedSender<()>) {
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
