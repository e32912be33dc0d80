//! `--url-command`: a command that prints the URL to open.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::timeout;

use super::dial_error::DialError;
use super::os_error;
use super::process_group::ProcessGroup;
use crate::domain::command_line::CommandLine;
use crate::domain::connection::connect_info::FailureKind;
use crate::domain::connection::target::Target;
use crate::domain::connection::untrusted_text::UntrustedText;
use crate::domain::exit_status::ExitStatus;
use crate::domain::format::duration;
use crate::domain::watch::printed_url::printed_target;

/// Output that is read, in bytes; a command that prints more is not stopped by it.
const MAX_OUTPUT: u64 = 64 * 1024;
/// How long output may come after the command's end, if another process holds it open.
const MAX_OUTPUT_AFTER_EXIT: Duration = Duration::from_millis(500);
/// How long the command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(1);

/// Runs the command, without stdin, and reads the URL from its first line.
///
/// # Errors
///
/// The command cannot be started, fails, takes too long, or prints no URL. Only its program is named: an argument may be
/// a secret.
pub async fn run(command: &CommandLine, limit: Duration) -> Result<Target, DialError> {
    let program = command.program();
    let mut process = Command::new(program);
    process.args(command.arguments()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut group = ProcessGroup::start(&mut process)
        .map_err(|why| wrong(format!("cannot start '{program}': {}", os_error::describe(&why))))?;
    match timeout(limit, output(&mut group)).await {
        Ok(output) => url(program, &output),
        Err(_) => {
            group.end(GRACE).await;
            let cause = format!("'{program}' did not end within {}, and was ended", duration(limit));
            Err(DialError::new(FailureKind::Timeout, cause))
        }
    }
}

/// What a command left.
struct CommandOutput {
    status: ExitStatus,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// Reads until the command ends. What it left running is no longer read, and ended with its group.
async fn output(group: &mut ProcessGroup) -> CommandOutput {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let pipes = (group.child.stdout.take(), group.child.stderr.take());
    let status = {
        let reading = async {
            tokio::join!(read_bounded(pipes.0, &mut stdout), read_bounded(pipes.1, &mut stderr));
        };
        tokio::pin!(reading);
        tokio::select! {
            status = group.first_exited() => {
                let _ = timeout(MAX_OUTPUT_AFTER_EXIT, &mut reading).await;
                status
            }
            () = &mut reading => group.first_exited().await,
        }
    };
    CommandOutput { status, stdout, stderr }
}

/// Keeps the first bytes and discards the rest, so that the writer does not block.
async fn read_bounded(pipe: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    let Some(mut pipe) = pipe else { return };
    // A pipe that cannot be read has ended.
    let _ = (&mut pipe).take(MAX_OUTPUT).read_to_end(kept).await;
    let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
}

fn url(program: &str, output: &CommandOutput) -> Result<Target, DialError> {
    if output.status != ExitStatus::Code(0) {
        let line = output.stderr.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let stderr = UntrustedText::from_bytes(line.trim_ascii());
        let said = if stderr.is_empty() { String::new() } else { format!(": {stderr}") };
        return Err(wrong(format!("'{program}' {}{said}", output.status)));
    }
    printed_target(&output.stdout).map_err(|why| wrong(format!("'{program}' gave no URL: {why}")))
}

fn wrong(cause: String) -> DialError {
    DialError::new(FailureKind::Local, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test that hangs fails.
    const LIMIT: Duration = Duration::from_secs(60);

    async fn result_of(command: &str, limit: Duration) -> String {
        let command = command.parse().unwrap();
        run(&command, limit).await.map_or_else(|why| why.cause, |target| target.to_string())
    }

    #[tokio::test]
    async fn url_comes_from_the_first_line() {
        let printed = r#"printf 'wss://a.example/x\nmore'"#;
        assert_eq!(result_of(printed, LIMIT).await, "wss://a.example/x");
        let left = r#"sh -c 'echo ws://a.example/; sleep 1000 & exit 0'"#;
        assert_eq!(result_of(left, LIMIT).await, "ws://a.example/", "with output that stays open");
        let much =
            r#"sh -c 'echo ws://a.example/; head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2'"#;
        assert_eq!(result_of(much, LIMIT).await, "ws://a.example/");
    }

    #[tokio::test]
    async fn each_failure_names_the_command() {
        let fails = r#"sh -c 'echo not logged in >&2; echo more >&2; exit 3'"#;
        assert_eq!(result_of(fails, LIMIT).await, "'sh' exited with status 3: not logged in");
        assert_eq!(result_of("false", LIMIT).await, "'false' exited with status 1");
        let killed = "sh -c 'kill -9 $$'";
        assert_eq!(result_of(killed, LIMIT).await, "'sh' was ended by signal 9");
        let missing = "cannot start '/no/such/program': no such file or directory (ENOENT)";
        assert_eq!(result_of("/no/such/program", LIMIT).await, missing);
        assert_eq!(result_of("true", LIMIT).await, "'true' gave no URL: it printed nothing");
        let slow = result_of("sleep 1000", Duration::from_millis(10)).await;
        assert_eq!(slow, "'sleep' did not end within 10 ms, and was ended");
    }
}
