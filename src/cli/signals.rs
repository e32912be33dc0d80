//! Signal handling of a run.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::live_terminal::restore_terminal;
use crate::commands::test_client::kill_clients;

/// Minimum time before a second signal counts. Shells and supervisors send two at once: SIGHUP and SIGTERM, or one to
/// the process and one to its group.
const MIN_SECOND_SIGNAL_GAP: Duration = Duration::from_millis(500);
/// The exit code after a second signal.
const KILLED_EXIT_CODE: i32 = 130;

/// A termination signal came before [`handle`] was called.
static HAS_EARLY_SIGNAL: AtomicBool = AtomicBool::new(false);

/// Waits for the first termination signal during work before a run; [`handle`] then starts the run as interrupted, so
/// that its report is still written. Requires a runtime with IO.
pub async fn wait_for_early_signal() {
    let Ok(mut signals) = SignalStreams::catch() else { return std::future::pending().await };
    tokio::select! {
        _ = signals.interrupt.recv() => {}
        _ = signals.terminate.recv() => {}
        () = next(&mut signals.hang_up) => {}
    }
    HAS_EARLY_SIGNAL.store(true, Relaxed);
}

/// Handles signals on a thread that lives as long as the process: the second signal ends it at once, even if everything
/// else waits for a stalled reader.
///
/// - the first Ctrl-C, SIGTERM or SIGHUP cancels `interrupt`
/// - so does one that came [before](wait_for_early_signal)
/// - a second one, at least 500 ms later, ends the process
/// - SIGHUP stays ignored if it was ignored at the start, as under nohup
/// - each Ctrl-\ requests an `interim` report
/// - with `reload`, SIGHUP requests that the configuration be read again, and cancels nothing
pub fn handle(
    interrupt: CancellationToken,
    interim: mpsc::UnboundedSender<()>,
    reload: Option<mpsc::UnboundedSender<()>>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (caught, result) = channel();
    std::thread::spawn(move || {
        runtime.block_on(async {
            match SignalStreams::catch() {
                Ok(signals) => {
                    if HAS_EARLY_SIGNAL.load(Relaxed) {
                        interrupt.cancel();
                    }
                    let _ = caught.send(Ok(()));
                    signals.handle(interrupt, interim, reload).await;
                }
                Err(error) => drop(caught.send(Err(error))),
            }
        });
    });
    // Handlers are installed before anything starts that a signal could end.
    result.recv().unwrap_or_else(|_| Err(io::Error::other("the signals' thread did not start")))
}

struct SignalStreams {
    interrupt: Signal,
    terminate: Signal,
    /// `None` if it was ignored at the start.
    hang_up: Option<Signal>,
    quit: Signal,
}

impl SignalStreams {
    fn catch() -> io::Result<SignalStreams> {
        let hang_up = (!is_ignored(libc::SIGHUP)).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(SignalStreams {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up,
            quit: signal(SignalKind::quit())?,
        })
    }

    async fn handle(
        mut self,
        interrupt: CancellationToken,
        interim: mpsc::UnboundedSender<()>,
        reload: Option<mpsc::UnboundedSender<()>>,
    ) {
        let mut ending = EndSignals::default();
        loop {
            let request = tokio::select! {
                _ = self.interrupt.recv() => None,
                _ = self.terminate.recv() => None,
                () = next(&mut self.hang_up) => reload.as_ref(),
                _ = self.quit.recv() => Some(&interim),
            };
            if let Some(request) = request {
                // Nothing listens any more when the run ends.
                let _ = request.send(());
                continue;
            }
            match ending.on_signal(Instant::now()) {
                SignalReaction::Report => interrupt.cancel(),
                SignalReaction::Ignore => {}
                SignalReaction::Exit => end_process(),
            }
        }
    }
}

/// Ends the process at once.
pub fn end_process() -> ! {
    restore_terminal();
    // No client of `test-client` outlives this process.
    kill_clients();
    std::process::exit(KILLED_EXIT_CODE)
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether this signal was ignored when the process started.
#[expect(unsafe_code, reason = "the safe calls set an action, and do not read the present one")]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut present = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action, sigaction(2) only writes the current one, to memory that lives long enough.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), present.as_mut_ptr()) == 0
            && present.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Reaction to a termination signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignalReaction {
    /// End the run with its report.
    Report,
    /// None: it came within 500 ms of the first and counts as the same.
    Ignore,
    /// End the process at once.
    Exit,
}

/// The termination signals so far.
#[derive(Debug, Default)]
pub struct EndSignals {
    first: Option<Instant>,
}

impl EndSignals {
    /// What the next signal does.
    pub fn on_signal(&mut self, now: Instant) -> SignalReaction {
        match self.first {
            None => {
                self.first = Some(now);
                SignalReaction::Report
            }
            Some(first) if now.saturating_duration_since(first) < MIN_SECOND_SIGNAL_GAP => {
                SignalReaction::Ignore
            }
            Some(_) => SignalReaction::Exit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_signal_counts_after_half_a_second() {
        let (mut ending, start) = (EndSignals::default(), Instant::now());
        let mut at = |ms| ending.on_signal(start + Duration::from_millis(ms));
        assert_eq!(
            [at(0), at(1), at(499), at(500), at(9000)],
            [
                SignalReaction::Report,
                SignalReaction::Ignore,
                SignalReaction::Ignore,
                SignalReaction::Exit,
                SignalReaction::Exit
            ]
        );
    }
}
