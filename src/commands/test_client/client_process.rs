//! The client's process and all its children: one process group, which is ended as a whole.

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

use super::plan::ClientCommand;
use crate::domain::client_test::report::ExitStatus;

/// The environment variables of a client.
const URL_VARIABLE: &str = "WSCHECK_URL";
const FAULT_VARIABLE: &str = "WSCHECK_FAULT";

/// How often a group without its first process is checked for others.
const GROUP_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// How long killed processes may take to disappear.
const KILL_TIMEOUT: Duration = Duration::from_secs(1);

/// The groups that have not been ended.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

fn groups() -> MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Kills every client that still runs. For an end of this process without a report.
pub fn kill_all() {
    for group in &*groups() {
        // A group that has ended meanwhile needs nothing.
        let _ = killpg(Pid::from_raw(*group), Signal::SIGKILL);
    }
}

/// A client's processes; killed when dropped.
#[derive(Debug)]
pub struct ClientProcess {
    child: Child,
    group: Pid,
}

impl ClientProcess {
    /// Starts a client in a process group of its own, without stdin. What it prints goes to stderr, or nowhere.
    pub fn start(
        command: &ClientCommand,
        url: &str,
        fault: &str,
        shows_output: bool,
    ) -> io::Result<ClientProcess> {
        let output = || {
            if shows_output {
                io::stderr().as_fd().try_clone_to_owned().map(Stdio::from)
            } else {
                Ok(Stdio::null())
            }
        };
        let child = Command::new(&command.program)
            .args(command.arguments_with(url))
            .env(URL_VARIABLE, url)
            .env(FAULT_VARIABLE, fault)
            .stdin(Stdio::null())
            .stdout(output()?)
            .stderr(output()?)
            .process_group(0)
            .spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        let group = id.ok_or_else(|| io::Error::other("it has no process id"))?;
        groups().insert(group);
        Ok(ClientProcess { child, group: Pid::from_raw(group) })
    }

    /// Waits until all its processes have ended; the status is that of the first one.
    pub async fn exited(&mut self) -> ExitStatus {
        let status = self.child.wait().await.ok();
        while self.is_running() {
            sleep(GROUP_CHECK_INTERVAL).await;
        }
        let signal = status.and_then(|status| status.signal()).map(ExitStatus::Signal);
        signal.unwrap_or(ExitStatus::Code(status.and_then(|status| status.code()).unwrap_or_default()))
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
        // A group that has ended meanwhile needs no signal.
        let _ = killpg(self.group, signal);
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        self.signal(Signal::SIGKILL);
        groups().remove(&self.group.as_raw());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsString;

    fn shell(script: &str) -> ClientProcess {
        let command = ClientCommand {
            program: "/bin/sh".into(),
            arguments: ["-c", script].map(OsString::from).to_vec(),
        };
        ClientProcess::start(&command, "ws://127.0.0.1:1/", "stall", false).unwrap()
    }

    #[tokio::test]
    async fn exit_status_and_signal_are_told_apart() {
        assert_eq!(shell("exit 7").exited().await, ExitStatus::Code(7));
        assert_eq!(shell("kill -9 $$").exited().await, ExitStatus::Signal(9));
    }

    #[tokio::test]
    async fn client_learns_url_and_fault() {
        let checks =
            r#"[ "$WSCHECK_URL" = ws://127.0.0.1:1/ ] && [ "$WSCHECK_FAULT" = stall ] && ! read line"#;
        assert_eq!(shell(checks).exited().await, ExitStatus::Code(0));
    }

    #[tokio::test]
    async fn missing_program_cannot_be_started() {
        let command = ClientCommand { program: "/no/such/program".into(), arguments: Vec::new() };
        let error = ClientProcess::start(&command, "ws://a/", "stall", false).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn client_that_ignores_sigterm_is_killed() {
        let process = shell("trap '' TERM; while :; do sleep 1000; done");
        let group = process.group;
        process.end(Duration::from_millis(1)).await;
        assert!(!groups().contains(&group.as_raw()));
    }
}
