//! State that connections share.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex; its users cannot panic while holding it, so its data is always valid.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
