//! A TCP connection: with kernel timestamps on Linux, the runtime's own stream elsewhere.

#[cfg(target_os = "linux")]
mod kernel;
#[cfg(not(target_os = "linux"))]
mod plain;
#[cfg(target_os = "linux")]
mod tcp_info;
#[cfg(target_os = "linux")]
mod timestamps;

#[cfg(target_os = "linux")]
pub use self::kernel::TcpConnection;
#[cfg(not(target_os = "linux"))]
pub use self::plain::TcpConnection;
