//! How this run was called, and on what machine: for the JSON documents.

use std::thread::available_parallelism;

use crate::domain::connection::target::redact_text;
use crate::domain::secrets;
use crate::output::{HostFacts, RunOrigin};

/// Call it when the arguments are understood: only then is it known which of them are secrets.
pub fn origin() -> RunOrigin {
    let arguments = std::env::args_os().skip(1);
    RunOrigin {
        command_line: arguments.map(|argument| redacted(&argument.to_string_lossy())).collect(),
        host: host(),
    }
}

/// An argument without its secrets.
pub(super) fn redacted(argument: &str) -> String {
    let is_url = argument.contains("://");
    secrets::redact(&if is_url { redact_text(argument) } else { argument.to_string() })
}

/// The machine that measures.
pub(super) fn host() -> HostFacts {
    let kernel = nix::sys::utsname::uname().ok();
    HostFacts {
        os: std::env::consts::OS.to_string(),
        kernel: kernel.and_then(|name| Some(name.release().to_str()?.to_string())),
        arch: std::env::consts::ARCH.to_string(),
        cpus: available_parallelism().ok().map(usize::from),
    }
}
