//! The details of thousands of connections, which mostly differ only in their times and local addresses.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::connect_info::{ConnectAttempt, ConnectInfo, SharedHttp2, TimestampSource};
use super::phase::PhaseTimes;
use crate::domain::nanos::Nanos;

/// A connection's details in little memory.
#[derive(Debug, Clone)]
pub enum CompactConnectInfo {
    Whole(Arc<ConnectInfo>),
    /// With the number of the connection of HTTP/2 that it shares.
    Alike(Box<ConnectInfoDelta>, Option<NonZeroU32>),
}

/// How one connection's details differ from another's.
#[derive(Debug, Clone)]
pub struct ConnectInfoDelta {
    like: Arc<ConnectInfo>,
    local: Option<LocalAddress>,
    phases: CompactPhases,
    /// Of the only attempt.
    took: Nanos,
}

/// A local address.
#[derive(Debug, Clone)]
enum LocalAddress {
    /// That of the other connection, with this port.
    Port(u16),
    Whole(Box<str>),
}

impl LocalAddress {
    fn new(local: &str, like: Option<&str>) -> LocalAddress {
        let parts =
            |address: &str| address.rsplit_once(':').map(|(host, port)| (host.to_string(), port.parse()));
        match (parts(local), like.and_then(parts)) {
            (Some((host, Ok(port))), Some((same, _))) if host == same => LocalAddress::Port(port),
            _ => LocalAddress::Whole(local.into()),
        }
    }

    fn tell(&self, like: Option<&str>) -> String {
        match self {
            LocalAddress::Port(port) => {
                let host = like.and_then(|like| like.rsplit_once(':')).map_or("", |(host, _)| host);
                format!("{host}:{port}")
            }
            LocalAddress::Whole(local) => local.to_string(),
        }
    }
}

/// [`PhaseTimes`] in half of their size.
#[derive(Debug, Clone, Copy)]
struct CompactPhases {
    each: [Option<Nanos>; 5],
    total: Nanos,
}

impl From<PhaseTimes> for CompactPhases {
    fn from(PhaseTimes { dns, tcp, proxy, tls, upgrade, total }: PhaseTimes) -> CompactPhases {
        let each = [dns, tcp, proxy, tls, upgrade].map(|phase| phase.map(Nanos::from));
        CompactPhases { each, total: total.into() }
    }
}

impl From<CompactPhases> for PhaseTimes {
    fn from(CompactPhases { each, total }: CompactPhases) -> PhaseTimes {
        let [dns, tcp, proxy, tls, upgrade] = each.map(|phase| phase.map(Duration::from));
        PhaseTimes { dns, tcp, proxy, tls, upgrade, total: total.into() }
    }
}

impl CompactConnectInfo {
    /// Stores the details as a difference from `like` if possible; otherwise they become the base for the
    /// next ones.
    pub fn keep(opened: &Arc<ConnectInfo>, like: &mut Option<Arc<ConnectInfo>>) -> CompactConnectInfo {
        let alike = like.as_ref().and_then(|like| ConnectInfoDelta::new(opened, like));
        if let Some(alike) = alike {
            return CompactConnectInfo::Alike(Box::new(alike), number(opened));
        }
        *like = Some(Arc::clone(opened));
        CompactConnectInfo::Whole(Arc::clone(opened))
    }

    /// The source of the connection's timestamps.
    pub fn timestamps(&self) -> TimestampSource {
        match self {
            CompactConnectInfo::Whole(opened) => opened.timestamps,
            CompactConnectInfo::Alike(alike, _) => alike.like.timestamps,
        }
    }

    /// The number of the connection of HTTP/2 that it shares.
    pub fn shared_http2(&self) -> Option<NonZeroU32> {
        match self {
            CompactConnectInfo::Whole(opened) => number(opened),
            CompactConnectInfo::Alike(_, shared) => *shared,
        }
    }

    /// The full details.
    pub fn tell(&self) -> Arc<ConnectInfo> {
        match self {
            CompactConnectInfo::Whole(opened) => Arc::clone(opened),
            CompactConnectInfo::Alike(alike, shared) => Arc::new(alike.tell(*shared)),
        }
    }
}

impl ConnectInfoDelta {
    fn new(opened: &ConnectInfo, like: &Arc<ConnectInfo>) -> Option<ConnectInfoDelta> {
        let [ConnectAttempt { took, .. }] = opened.attempts.as_slice() else { return None };
        let local = opened.local.as_deref().map(|local| LocalAddress::new(local, like.local.as_deref()));
        let (phases, took) = (opened.phases.into(), (*took).into());
        let alike = ConnectInfoDelta { like: Arc::clone(like), local, phases, took };
        (alike.tell(number(opened)) == *opened).then_some(alike)
    }

    fn tell(&self, shared: Option<NonZeroU32>) -> ConnectInfo {
        let mut opened = ConnectInfo {
            local: self.local.as_ref().map(|local| local.tell(self.like.local.as_deref())),
            phases: self.phases.into(),
            ..ConnectInfo::clone(&self.like)
        };
        opened.shared_http2 =
            shared.and_then(|number| Some(SharedHttp2 { number, ..self.like.shared_http2? }));
        opened.attempts.iter_mut().for_each(|attempt| attempt.took = self.took.into());
        opened
    }
}

fn number(opened: &ConnectInfo) -> Option<NonZeroU32> {
    opened.shared_http2.map(|shared| shared.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(port: u16, remote: &str) -> Arc<ConnectInfo> {
        let took = Duration::from_micros(port.into());
        Arc::new(ConnectInfo {
            local: Some(format!("127.0.0.1:{port}")),
            remote: Some(remote.to_string()),
            attempts: vec![ConnectAttempt { address: remote.to_string(), took, error: None }],
            phases: PhaseTimes { tcp: Some(took), total: took * 3, ..PhaseTimes::default() },
            ..ConnectInfo::default()
        })
    }

    #[test]
    fn any_local_address_is_told_again() {
        let from = |local: Option<&str>| {
            Arc::new(ConnectInfo { local: local.map(String::from), ..ConnectInfo::clone(&opened(1, "a:1")) })
        };
        let one = from(Some("127.0.0.1:40000"));
        for local in [
            Some("127.0.0.1:7"),
            Some("127.0.0.2:7"),
            Some("127.0.0.1:007"),
            Some("[::1]:9"),
            Some("/run/s"),
            None,
        ] {
            for (first, second) in [(&one, from(local)), (&from(local), Arc::clone(&one))] {
                let kept = CompactConnectInfo::keep(&second, &mut Some(Arc::clone(first)));
                assert_eq!(kept.tell(), second);
            }
        }
    }

    #[test]
    fn number_of_the_shared_connection_costs_nothing() {
        let size = size_of::<CompactConnectInfo>();
        assert_eq!((size, size_of::<Option<CompactConnectInfo>>()), (16, 16));
        let on = |number: u32, port| {
            let number = NonZeroU32::new(number).unwrap();
            let shared = SharedHttp2 { number, streams_wanted: 5, streams_allowed: Some(100) };
            Arc::new(ConnectInfo { shared_http2: Some(shared), ..ConnectInfo::clone(&opened(port, "a:1")) })
        };
        let all = [on(1, 1), on(1, 2), on(2, 3), opened(4, "a:1")];
        let mut like = None;
        let kept: Vec<CompactConnectInfo> =
            all.iter().map(|opened| CompactConnectInfo::keep(opened, &mut like)).collect();
        assert!(matches!(kept[2], CompactConnectInfo::Alike(..)));
        assert_eq!(kept.iter().map(CompactConnectInfo::tell).collect::<Vec<_>>(), all);
        let numbers: Vec<_> = kept.iter().map(|kept| kept.shared_http2().map(NonZeroU32::get)).collect();
        assert_eq!(numbers, [Some(1), Some(1), Some(2), None]);
    }

    #[test]
    fn all_that_was_told_can_be_told_again() {
        let mut two = ConnectInfo::clone(&opened(6, "a:1"));
        two.attempts.insert(
            0,
            ConnectAttempt { address: "b:1".into(), took: Duration::ZERO, error: Some("no".into()) },
        );
        let all = [opened(1, "a:1"), opened(2, "a:1"), opened(3, "b:1"), opened(4, "b:1"), Arc::new(two)];
        let mut like = None;
        let kept: Vec<CompactConnectInfo> =
            all.iter().map(|opened| CompactConnectInfo::keep(opened, &mut like)).collect();
        let whole = kept.iter().map(|facts| matches!(facts, CompactConnectInfo::Whole(_)));
        assert_eq!(whole.collect::<Vec<_>>(), [true, false, true, false, true]);
        assert_eq!(kept.iter().map(CompactConnectInfo::tell).collect::<Vec<_>>(), all);
    }
}
