//! The kernel's connection tracking in a network namespace: a NAT that forgets.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use super::programs::{find, missing};
use super::{Ran, Reaped};

/// A network namespace with only loopback, in which the kernel drops connections after some idle time, and a server in
/// it. It ends with the server.
pub struct Namespace {
    server: Reaped,
    _stdout: BufReader<ChildStdout>,
}

/// The server's port; nobody else is in its namespace.
const PORT: u16 = 80;

impl Namespace {
    /// Packets of a dropped connection meet this nftables verdict.
    pub fn forgetting(seconds: u32, action: &str) -> Namespace {
        let rule = format!("ct state invalid {action}");
        Namespace::start(seconds, &format!("chain in {{ type filter hook input priority 0; {rule}; }}"), 0)
    }

    /// The server's packets on a dropped connection are discarded; the client's revive it.
    pub fn healing(seconds: u32) -> Namespace {
        let rule = format!("tcp sport {PORT} ct state new drop");
        Namespace::start(seconds, &format!("chain out {{ type filter hook output priority 0; {rule}; }}"), 1)
    }

    /// Creates the namespace with these chains; `loose`: 1 if the kernel takes packets of unknown connections.
    fn start(seconds: u32, chains: &str, loose: u8) -> Namespace {
        if let Some(tool) = ["unshare", "nsenter", "ip", "nft"].into_iter().find(|tool| find(tool).is_none())
        {
            missing(tool);
        }
        let script = format!(
            "set -e; PATH=$PATH:/usr/sbin:/sbin; ip link set lo up; \
             nft 'table inet wscheck {{ {chains}; }}'; \
             echo {seconds} > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established; \
             echo {loose} > /proc/sys/net/netfilter/nf_conntrack_tcp_loose; \
             echo ready; exec \"$0\" serve --bind 127.0.0.1:{PORT}"
        );
        let mut command = Command::new("unshare");
        command.args(["--net", "--", "sh", "-c", &script, env!("CARGO_BIN_EXE_wscheck")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = Reaped(command.spawn().unwrap());
        let mut stdout = BufReader::new(server.0.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        if line != "ready\n" {
            no_namespace(server);
        }
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        Namespace { server, _stdout: stdout }
    }

    /// A client of the server, inside the namespace.
    pub fn inside(&self, args: &[&str]) -> Ran {
        Ran::of(self.begin(args))
    }

    /// The same, running.
    pub fn begin(&self, args: &[&str]) -> Child {
        let url = format!("ws://127.0.0.1:{PORT}/");
        let mut command = self.command(&[args, &[&url]].concat());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The binary with these arguments, to run inside the namespace.
    pub fn command(&self, args: &[&str]) -> Command {
        let pid = self.server.0.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &pid, "--", env!("CARGO_BIN_EXE_wscheck")]).args(args);
        command
    }
}

/// Namespaces are not permitted on this machine.
fn no_namespace(mut server: Reaped) -> ! {
    let mut why = String::new();
    let mut stderr = BufReader::new(server.0.stderr.take().unwrap());
    stderr.read_line(&mut why).unwrap();
    panic!("no network namespace with connection tracking here: {}", why.trim());
}
