//! The local addresses that connections are opened from.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Local addresses, with port 0, that take turns, so that more connections can be opened to one server than one address has ports.
#[derive(Debug, Clone, Default)]
pub struct BindPool {
    addresses: Arc<[SocketAddr]>,
    turn: Arc<AtomicUsize>,
}

impl BindPool {
    /// The one whose turn it is; `None`: the system chooses.
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
    fn addresses_take_turns_also_among_clones() {
        let two: [SocketAddr; 2] = [([127, 0, 0, 1], 0).into(), ([127, 0, 0, 2], 0).into()];
        let locals = BindPool::from(two.to_vec());
        let other = locals.clone();
        assert_eq!([locals.next(), other.next(), locals.next()], [Some(two[0]), Some(two[1]), Some(two[0])]);
        assert_eq!(BindPool::default().next(), None);
    }
}
