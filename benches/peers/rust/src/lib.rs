//! What the Rust peers have in common: what they are told to do, when each heartbeat is due, and how they report; and how the
//! servers of the tests are run.

use std::env::Args;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// So many connections are being opened at once.
pub const OPENING: usize = 64;

/// `ADDRESS CONNECTIONS INTERVAL_MS COUNT [...]`, as on the command line; COUNT is for each connection.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub address: SocketAddr,
    pub connections: usize,
    pub interval: Duration,
    pub count: u64,
}

impl Order {
    /// Takes the order from the front of the arguments.
    pub fn take(args: &mut Args) -> Result<Order, Failure> {
        args.next();
        Ok(Order {
            address: take(args, "ADDRESS")?,
            connections: take(args, "CONNECTIONS")?,
            interval: Duration::from_millis(take(args, "INTERVAL_MS")?),
            count: take(args, "COUNT")?,
        })
    }

    /// When the first heartbeat of a connection is due: they are spread evenly over the interval.
    pub fn phase(&self, index: usize) -> Duration {
        self.interval.mul_f64(index as f64 / self.connections as f64)
    }

    /// RTTs are kept only of a single connection: of many, keeping them would be what is measured.
    pub fn keeps_rtts(&self) -> bool {
        self.connections == 1
    }
}

/// The next argument, as a value.
pub fn take<T>(args: &mut Args, name: &str) -> Result<T, Failure>
where
    T: FromStr<Err: std::fmt::Display>,
{
    let text = args.next().ok_or_else(|| format!("argument {name} is missing"))?;
    text.parse().map_err(|error| format!("argument {name}: {error}").into())
}

/// Prints a line `PORT SEQ RTT_NS` for each heartbeat, the RTTs in the order of their numbers.
pub fn print_rtts(port: u16, rtts: &[Duration]) -> io::Result<()> {
    let mut text = String::new();
    for (seq, rtt) in rtts.iter().enumerate() {
        let _ = writeln!(text, "{port} {seq} {}", rtt.as_nanos());
    }
    io::stdout().write_all(text.as_bytes())
}

/// Serves each connection by a task of its own. Prints `PORT n` when it listens, and returns when standard input ends.
pub async fn serve_until_stdin_ends<F, S>(serve: F) -> Result<(), Failure>
where
    F: Fn(TcpStream) -> S,
    S: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("PORT {}", listener.local_addr()?.port());
    let mut input = tokio::io::stdin();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let connection = serve(accepted?.0);
                tokio::spawn(async move {
                    if let Err(error) = connection.await {
                        eprintln!("a connection failed: {error}");
                    }
                });
            }
            read = input.read_u8() => if read.is_err() { return Ok(()) },
        }
    }
}
