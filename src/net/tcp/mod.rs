//! A TCP connection: on Linux one whose bytes the kernel stamps, elsewhere the runtime's own.

#[cfg(target_os = "linux")]
mod info;
#[cfg(target_os = "linux")]
mod kernel;
#[cfg(not(target_os = "linux"))]
mod plain;
#[cfg(target_os = "linux")]
mod stamps;

#[cfg(target_os = "linux")]
pub use self::kernel::Tcp;
#[cfg(not(target_os = "linux"))]
pub use self::plain::Tcp;
