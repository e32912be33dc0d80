//! The client's processes, told what to connect to.

use std::io;
use std::process::Stdio;

use tokio::process::Command;

use super::plan::ClientCommand;
use crate::net::process_group::{ProcessGroup, stderr_or_null};

/// The environment variables of a client.
const URL_VARIABLE: &str = "WSCHECK_URL";
const FAULT_VARIABLE: &str = "WSCHECK_FAULT";

/// Starts a client in a process group of its own, without stdin. What it prints goes to stderr, or nowhere.
///
/// # Errors
///
/// The program is missing or cannot be executed.
pub fn start(
    command: &ClientCommand,
    url: &str,
    fault: &str,
    shows_output: bool,
) -> io::Result<ProcessGroup> {
    let mut client = Command::new(&command.program);
    client.args(command.arguments_with(url)).env(URL_VARIABLE, url).env(FAULT_VARIABLE, fault);
    client.stdin(Stdio::null()).stdout(stderr_or_null(shows_output)?).stderr(stderr_or_null(shows_output)?);
    ProcessGroup::start(&mut client)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::domain::exit_status::ExitStatus;

    #[tokio::test]
    async fn client_learns_url_and_fault() {
        let checks =
            r#"[ "$WSCHECK_URL" = ws://127.0.0.1:1/ ] && [ "$WSCHECK_FAULT" = stall ] && ! read line"#;
        let arguments = ["-c", checks].map(OsString::from).to_vec();
        let command = ClientCommand { program: "/bin/sh".into(), arguments };
        let mut client = start(&command, "ws://127.0.0.1:1/", "stall", false).unwrap();
        assert_eq!(client.exited().await, ExitStatus::Code(0));
    }
}
