//! Buffers that a session needs only while it handles one event. The sessions of a thread share them, so that a heartbeat
//! allocates nothing and thousands of connections keep none.

use std::cell::{Cell, RefCell};

use bytes::{Bytes, BytesMut};

use crate::domain::heartbeat::outstanding::Resolution;

thread_local! {
    static PAYLOADS: RefCell<BytesMut> = RefCell::default();
    static RESOLUTIONS: Cell<Vec<Resolution>> = Cell::default();
}

/// A message's payload. Its memory is used again once the message is dropped.
pub fn payload(bytes: &[u8]) -> Bytes {
    PAYLOADS.with_borrow_mut(|payloads| {
        payloads.extend_from_slice(bytes);
        payloads.split().freeze()
    })
}

/// An empty list, to be given back to [`keep`].
pub fn resolutions() -> Vec<Resolution> {
    RESOLUTIONS.take()
}

/// Keeps the list's memory for the next one.
pub fn keep(mut resolutions: Vec<Resolution>) {
    resolutions.clear();
    RESOLUTIONS.set(resolutions);
}
