//! A process and all its children: one process group, which is ended as a whole.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use crate::domain::exit_status::ExitStatus;

/// How often a group without its first process is checked for others.
const GROUP_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// How long killed processes may take to disappear.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);

/// The groups that have not been ended.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every group that still runs. For an end of this process without a report.
pub fn kill_all() {
    for group in &*groups() {
        // A group that has ended meanwhile needs nothing.
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
}

/// A handle on stderr for a process' output, or on nothing.
pub fn stderr_or_null(is_shown: bool) -> io::Result<Stdio> {
    if is_shown { io::stderr().as_fd().try_clone_to_owned().map(Stdio::from) } else { Ok(Stdio::null()) }
}

/// The processes of a command; killed when dropped.
#[derive(Debug)]
pub struct ProcessGroup {
    /// The first process.
    pub child: Child,
    group: Pid,
    /// Whether all have ended: the group's number may be another's then.
    is_over: bool,
}

impl ProcessGroup {
    /// Starts a command in a process group of its own.
    ///
    /// # Errors
    ///
    /// The program is missing or cannot be executed.
    pub fn start(command: &mut Command) -> io::Result<ProcessGroup> {
        let child = command.process_group(0).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = id.ok_or_else(|| io::Error::other("it has no process id"))?;
        groups().insert(group);
        Ok(ProcessGroup { child, group: Pid::from_raw(group), is_over: false })
    }

    /// Waits until the first process has ended; others of the group may still run.
    pub async fn first_exited(&mut self) -> ExitStatus {
        let status = self.child.wait().await.ok();
        let signal = status.and_then(|status| status.signal()).map(ExitStatus::Signal);
        signal.unwrap_or(ExitStatus::Code(status.and_then(|status| status.code()).unwrap_or_default()))
    }

    /// Waits until all its processes have ended; the status is that of the first one.
    pub async fn exited(&mut self) -> ExitStatus {
        let status = self.first_exited().await;
        while self.is_running() {
            sleep(GROUP_CHECK_INTERVAL).await;
        }
        self.is_over = true;
        status
    }

    /// Asks all its processes to end, and kills those that are left after the grace period.
    pub async fn end(mut self, grace: Duration) {
        self.signal(Signal::SIGTERM);
        if timeout(grace, self.exited()).await.is_err() {
            self.signal(Signal::SIGKILL);
            // Orphans are reaped by the system's first process, which need not be quick.
            let _ = timeout(KILL_TIMEOUT, self.exited()).await;
        }
    }

    /// Whether any process of the group is left.
    fn is_running(&self) -> bool {
        killpg(self.group, None).is_ok()
    }

    fn signal(&self, signal: Signal) {
        if !self.is_over {
            // A group that has ended meanwhile needs no signal.
            let _ = killpg(self.group, signal);
        }
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        groups().remove(&self.group.as_raw());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> ProcessGroup {
        ProcessGroup::start(Command::new("/bin/sh").args(["-c", script]).stdin(Stdio::null())).unwrap()
    }

    #[tokio::test]
    async fn exit_status_and_signal_are_told_apart() {
        assert_eq!(shell("exit 7").exited().await, ExitStatus::Code(7));
        assert_eq!(shell("kill -9 $$").exited().await, ExitStatus::Signal(9));
    }

    #[tokio::test]
    async fn missing_program_cannot_be_started() {
        let error = ProcessGroup::start(&mut Command::new("/no/such/program")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn process_that_ignores_sigterm_is_killed() {
        let process = shell("trap '' TERM; while :; do sleep 1000; done");
        let group = process.group;
        process.end(Duration::from_millis(1)).await;
        assert!(!groups().contains(&group.as_raw()));
    }

    #[tokio::test]
    async fn children_of_an_ended_process_are_ended_with_it() {
        let mut process = shell("sleep 1000 & exit 3");
        assert_eq!(process.first_exited().await, ExitStatus::Code(3));
        assert!(process.is_running());
        let group = process.group;
        process.end(Duration::from_secs(10)).await;
        assert!(killpg(group, None).is_err());
    }
}
