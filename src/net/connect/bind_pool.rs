//! The pool of local addresses that connections are opened from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Local addresses (port 0), used in turn: more connections fit to one server than one address has ports.
#[derive(Debug, Clone, Default)]
pub struct BindPool {
    addresses: Arc<[SocketAddr]>,
    turn: Arc<AtomicUsize>,
}

impl BindPool {
    /// The next address; `None`: the system chooses.
    pub fn next(&self) -> Option<SocketAddr> {
        let turn = self.turn.fetch_add(1, Relaxed);
        self.addresses.get(turn.checked_rem(self.addresses.len())?).copied()
    }
}

impl<A: Into<Arc<[SocketAddr]>>> From<A> for BindPool {
    fn from(addresses: A) -> BindPool {
        BindPool { addresses: addresses.into(), turn: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_rotation() {
        let two: [SocketAddr; 2] = [([127, 0, 0, 1], 0).into(), ([127, 0, 0, 2], 0).into()];
        let locals = BindPool::from(two.to_vec());
        let other = locals.clone();
        assert_eq!([locals.next(), other.next(), locals.next()], [Some(two[0]), Some(two[1]), Some(two[0])]);
        assert_eq!(BindPool::default().next(), None);
    }
}
