//! Programs from system packages and `tests/peers/install.sh`: where they are, and how they are started.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Reaped, Server};

/// Directory of the installed servers.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers")
}

/// Fails the test that needs what is not installed.
pub fn missing(name: &str) -> ! {
    panic!("{name} is not installed: run tests/peers/install.sh")
}

/// Reserves a port: while the listener exists, no other program gets it.
pub fn own_address(listener: &TcpListener) -> String {
    format!("127.0.0.2:{}", listener.local_addr().unwrap().port())
}

/// Starts a program and reads its stderr until it listens.
pub fn spawn_until(mut command: Command, ready: &str) -> Reaped {
    let mut process = Reaped(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap());
    let mut stderr = BufReader::new(process.0.stderr.take().unwrap());
    let mut context = String::new();
    while !context.lines().last().is_some_and(|line| line.contains(ready)) {
        assert!(stderr.read_line(&mut context).unwrap() > 0, "it ended: {context}");
    }
    // Its further output must be read, or the program may block.
    std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    process
}

/// Path of a program; system programs may be outside PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|file| file.exists())
}

/// A server of `tests/peers/node` with these arguments.
pub fn node(file: &str, args: &[&str]) -> Server {
    if !folder().join("node/node_modules/ws/package.json").exists() {
        missing("node ws");
    }
    let mut command = Command::new("node");
    command.arg(folder().join("node").join(file)).args(args).current_dir(folder()).stdin(Stdio::piped());
    Server::spawn(command)
}
