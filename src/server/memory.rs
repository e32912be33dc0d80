//! Memory that clients leave behind.

/// Gives freed memory back to the system, which glibc otherwise keeps for later: between what is still in
/// use, as much as thousands of clients had may be left over.
#[cfg_attr(
    all(target_os = "linux", target_env = "gnu"),
    expect(unsafe_code, reason = "no safe call returns memory to the system")
)]
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it touches nothing that is in use, and may be called at any time.
    unsafe {
        libc::malloc_trim(0);
    }
}
