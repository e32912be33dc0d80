//! What the user's signals mean to a run.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A second signal to end comes no sooner than this after the first. Shells and supervisors send two at once: SIGHUP and
/// SIGTERM, or one to the process and one to its group.
const MIN_SECOND_SIGNAL_GAP: Duration = Duration::from_millis(500);
/// The exit code of a process that a second signal ends.
const KILLED_EXIT_CODE: i32 = 130;

/// A signal to end came before [`obey`] was called.
static CAME_EARLY: AtomicBool = AtomicBool::new(false);

/// Waits for the first signal to end, for what is done before a run: [`obey`] then begins the run interrupted, so that
/// its report is written all the same. Within a runtime with IO.
pub async fn early_end() {
    let Ok(mut signals) = SignalStreams::catch() else { return std::future::pending().await };
    tokio::select! {
        _ = signals.interrupt.recv() => {}
        _ = signals.terminate.recv() => {}
        () = next(&mut signals.hang_up) => {}
    }
    CAME_EARLY.store(true, Relaxed);
}

/// Obeys the user's signals from now on, on a thread of its own that lasts as long as the process: the
/// second signal ends it at once even when everything else waits for a reader that has stopped.
///
/// - the first Ctrl-C, SIGTERM or SIGHUP cancels `interrupt`
/// - as does one that came [before](early_end)
/// - a second one, at least 500 ms later, ends the process
/// - SIGHUP stays ignored where it was at the start, as under nohup
/// - each Ctrl-\ asks for `interim` figures
pub fn obey(interrupt: CancellationToken, interim: mpsc::UnboundedSender<()>) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (caught, result) = channel();
    std::thread::spawn(move || {
        runtime.block_on(async {
            match SignalStreams::catch() {
                Ok(signals) => {
                    if CAME_EARLY.load(Relaxed) {
                        interrupt.cancel();
                    }
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

struct SignalStreams {
    interrupt: Signal,
    terminate: Signal,
    /// `None`: it was ignored at the start.
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

    async fn obey(mut self, interrupt: CancellationToken, interim: mpsc::UnboundedSender<()>) {
        let mut ending = EndSignals::default();
        loop {
            let is_to_end = tokio::select! {
                _ = self.interrupt.recv() => true,
                _ = self.terminate.recv() => true,
                () = next(&mut self.hang_up) => true,
                _ = self.quit.recv() => false,
            };
            if !is_to_end {
                let _ = interim.send(());
                continue;
            }
            match ending.signalled(Instant::now()) {
                SignalReaction::Report => interrupt.cancel(),
                SignalReaction::Nothing => {}
                SignalReaction::Exit => std::process::exit(KILLED_EXIT_CODE),
            }
        }
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether the process began with this signal ignored.
#[expect(unsafe_code, reason = "the safe calls set an action, and do not read the present one")]
fn is_ignored(signal: libc::c_int) -> bool {
    let mut present = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action sigaction(2) only writes the present one, to memory that lives long enough.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), present.as_mut_ptr()) == 0
            && present.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// What a signal to end does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SignalReaction {
    /// The run ends with its report.
    Report,
    /// It came within 500 ms of the first signal and counts as the same one.
    Nothing,
    /// The process ends at once.
    Exit,
}

/// The signals to end that came so far.
#[derive(Debug, Default)]
struct EndSignals {
    first: Option<Instant>,
}

impl EndSignals {
    fn signalled(&mut self, now: Instant) -> SignalReaction {
        match self.first {
            None => {
                self.first = Some(now);
                SignalReaction::Report
            }
            Some(first) if now.saturating_duration_since(first) < MIN_SECOND_SIGNAL_GAP => {
                SignalReaction::Nothing
            }
            Some(_) => SignalReaction::Exit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_signal_counts_from_half_a_second_on() {
        let (mut ending, start) = (EndSignals::default(), Instant::now());
        let mut at = |ms| ending.signalled(start + Duration::from_millis(ms));
        assert_eq!(
            [at(0), at(1), at(499), at(500), at(9000)],
            [
                SignalReaction::Report,
                SignalReaction::Nothing,
                SignalReaction::Nothing,
                SignalReaction::Exit,
                SignalReaction::Exit
            ]
        );
    }
}
