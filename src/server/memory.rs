//! Returns freed memory to the system.

/// Returns freed memory to the operating system. glibc keeps it otherwise: as much as thousands of clients used.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "no safe call returns memory to the system")
)]
pub fn trim() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim does not touch memory in use and may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
